/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AF_UNIX datagrams, and sequenced packets, which are datagrams over a connection. The receiver's queue
 * is limited to a number of datagrams, unless the two are connected to each other.
 */
#include <lib/errno.h>
#include <net/filter.h>
#include <net/unix/unix_priv.h>

#include <linux/eventpoll.h>
#include <sys/socket.h>

#define WRITABLE (EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND)

/* True if `u` must wait before it sends to `target`. */
static bool is_full(const struct unix_socket *target, const struct unix_socket *u)
{
	return u->type == SOCK_DGRAM && READ_ONCE(target->queued) > target->datagrams_max &&
	       READ_ONCE(target->peer) != u;
}

/* Where a message goes, with a reference. */
static int find_target(struct unix_socket *u, const struct socket_address *to,
		       struct unix_socket **out)
{
	if (to && u->type == SOCK_DGRAM)
		return unix_find(u, to, out);
	spin_lock(&u->lock);
	*out = u->peer;
	if (*out)
		unix_get(*out);
	spin_unlock(&u->lock);
	return *out ? 0 : -ENOTCONN;
}

/* May the message be put into the target's queue? */
static int may_send_locked(struct unix_socket *u, struct unix_socket *target)
	__must_hold(&target->lock)
{
	if (target->state == UNIX_DEAD)
		return u->type == SOCK_SEQPACKET ? -EPIPE : -ECONNREFUSED;
	if (target->shutdown & SOCKET_SHUT_RECEIVE)
		return -EPIPE;
	return u->type == SOCK_DGRAM && target->peer && target->peer != u ? -EPERM : 0;
}

static bool has_filter_locked(const struct unix_socket *target) __must_hold(&target->lock)
{
	return unlikely(target->socket && target->socket->filter);
}

/* 0: queued; 1: dropped by a filter, which the sender is not told, however full the queue is. */
static int deliver(struct unix_socket *u, struct unix_socket *target, struct unix_buffer *buffer)
{
	int result;

	spin_lock(&target->lock);
	result = may_send_locked(u, target);
	if (!result && has_filter_locked(target) &&
	    !socket_filter_cut_message(target->socket, buffer->data, &buffer->length))
		result = 1;
	else if (!result && is_full(target, u))
		result = -EAGAIN;
	if (!result)
		unix_queue_append_locked(target, buffer);
	spin_unlock(&target->lock);
	if (!result)
		wake_up_some(&target->waiters, EPOLLIN | EPOLLRDNORM, 1);
	return result;
}

/* A datagram socket whose peer is gone is not connected any more. */
static void disconnect_dead(struct unix_socket *u, struct unix_socket *dead)
{
	bool mine;

	spin_lock(&u->lock);
	mine = u->peer == dead && u->type == SOCK_DGRAM;
	if (mine) {
		u->peer = nullptr;
		WRITE_ONCE(u->state, UNIX_FREE);
	}
	spin_unlock(&u->lock);
	if (!mine)
		return;
	spin_lock(&dead->lock);
	list_remove(&u->connected_node);
	spin_unlock(&dead->lock);
	unix_put(dead);
}

static ssize_t send_to(struct unix_socket *u, struct unix_socket *target,
		       struct socket_message *message)
{
	struct iter saved = *message->data;
	size_t size = message->data->remaining;
	struct unix_buffer *buffer;
	int error;

	spin_lock(&target->lock);
	error = may_send_locked(u, target);
	if (!error && is_full(target, u) && !has_filter_locked(target))
		error = -EAGAIN;
	spin_unlock(&target->lock);
	if (!error)
		error = unix_buffer_create(u, message->data, size, message->control, &buffer);
	if (error)
		return error;
	if (message->control && message->control->handle_count)
		error = unix_rights_attach(buffer, message->control);
	if (!error)
		error = deliver(u, target, buffer);
	if (error > 0)
		unix_buffer_discard(buffer);
	if (error >= 0)
		return (ssize_t)size;
	/* It may be tried again: the message is as it was. */
	*message->data = saved;
	if (buffer->rights)
		unix_rights_return(buffer, message->control);
	unix_buffer_discard(buffer);
	return error;
}

static int check_send(struct socket *socket, const struct socket_message *message)
{
	struct unix_socket *u = unix_of(socket);
	int error = socket_take_error(socket);

	if (error)
		return error;
	if (message->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (u->type == SOCK_SEQPACKET && READ_ONCE(u->state) != UNIX_CONNECTED)
		return -ENOTCONN;
	if (READ_ONCE(u->shutdown) & SOCKET_SHUT_SEND)
		return -EPIPE;
	if (message->address && u->type == SOCK_DGRAM && unix_check_address(message->address))
		return -EINVAL;
	if (message->data->remaining > (size_t)u->send_limit - 32)
		return -EMSGSIZE;
	return socket->options & SOCKET_PASS_CREDENTIALS ? unix_autobind(u) : 0;
}

static ssize_t datagram_send(struct socket *socket, struct socket_message *message)
{
	struct unix_socket *u = unix_of(socket), *target;
	ssize_t n = check_send(socket, message);

	if (!n)
		n = find_target(u, message->address, &target);
	if (n)
		return n;
	n = send_to(u, target, message);
	if (n == -ECONNREFUSED)
		disconnect_dead(u, target);
	unix_put(target);
	return n;
}

/* --- Receiving --- */

/* Those who send here may go on: the connected ones, and who waits to. */
void unix_tell_room(struct unix_socket *u)
{
	struct unix_socket *sender;

	wake_up(&u->writers, EPOLLOUT);
	spin_lock(&u->lock);
	list_for_each (sender, &u->connected, connected_node)
		wake_up(&sender->waiters, WRITABLE);
	spin_unlock(&u->lock);
}

static void tell_sender(const struct unix_buffer *b, struct socket_message *message)
{
	const struct unix_address *address = __atomic_load_n(&b->from->address, __ATOMIC_ACQUIRE);

	if (message->control) {
		message->control->pid = b->pid;
		message->control->uid = b->uid;
		message->control->gid = b->gid;
	}
	if (message->address && address)
		unix_address_tell(address, message->address);
}

static int take_rights(struct unix_socket *u, struct unix_buffer *b, struct socket_message *message)
	__must_hold(&u->read_lock)
{
	struct unix_rights *rights = b->rights;

	if (message->flags & MSG_PEEK)
		return message->control ? unix_rights_copy(rights, message->control) : 0;
	if (!message->control)
		return 0; /* they go with the buffer */
	unix_rights_detach(u, b);
	unix_rights_deliver(rights, message->control);
	return 0;
}

/* `skip` bytes of it are not wanted. */
static ssize_t receive_one(struct unix_socket *u, struct unix_buffer *b, u32 skip,
			   struct socket_message *message) __must_hold(&u->read_lock)
{
	size_t wanted = MIN((size_t)(b->length - skip), message->data->remaining);
	size_t n = iter_copy_to(message->data, b->data + skip, wanted);
	int error = n < wanted ? -EFAULT : 0;

	if (wanted < b->length - skip)
		message->flags_result |= MSG_TRUNC;
	tell_sender(b, message);
	if (!error && unlikely(b->rights))
		error = take_rights(u, b, message);
	if (error)
		return error;
	b->seen = !b->length;
	socket_peek_moves(u->socket, message->flags,
			  message->flags & MSG_PEEK ? (u32)n : b->length);
	return message->flags & MSG_TRUNC ? (ssize_t)(b->length - skip) : (ssize_t)n;
}

static ssize_t datagram_receive(struct socket *socket, struct socket_message *message)
{
	struct unix_socket *u = unix_of(socket);
	bool keep = message->flags & MSG_PEEK, was_full = false;
	struct unix_buffer *b;
	u32 skip = 0;
	ssize_t n;

	if (message->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (u->type == SOCK_SEQPACKET && READ_ONCE(u->state) != UNIX_CONNECTED)
		return -ENOTCONN;
	if (!READ_ONCE(u->head))
		return unix_nothing_there(socket);
	mutex_lock(&u->read_lock);
	b = unix_queue_at(__atomic_load_n(&u->head, __ATOMIC_ACQUIRE),
			  socket_peek_offset(socket, message->flags), &skip);
	n = b ? receive_one(u, b, skip, message) : unix_nothing_there(socket);
	/* A datagram is gone even if it could not be copied, as on Linux. */
	if (b && !keep) {
		was_full = u->queued > u->datagrams_max;
		unix_queue_remove(u, b);
	}
	mutex_unlock(&u->read_lock);
	if (b && !keep)
		unix_buffer_free(b);
	if (was_full)
		unix_tell_room(u);
	return n;
}

static u32 datagram_ready(struct socket *socket)
{
	struct unix_socket *u = unix_of(socket);
	u32 shutdown = READ_ONCE(u->shutdown), events = 0;
	const struct unix_socket *peer;

	if (READ_ONCE(u->state) == UNIX_LISTENING)
		return READ_ONCE(u->embryo_count) ? EPOLLIN | EPOLLRDNORM : 0;
	if (READ_ONCE(socket->error))
		events |= EPOLLERR;
	if (shutdown == (SOCKET_SHUT_RECEIVE | SOCKET_SHUT_SEND))
		events |= EPOLLHUP;
	if (u->type == SOCK_SEQPACKET && READ_ONCE(u->state) == UNIX_FREE)
		events |= EPOLLHUP;
	if (shutdown & SOCKET_SHUT_RECEIVE)
		events |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(u->head))
		events |= EPOLLIN | EPOLLRDNORM;
	rcu_read_lock();
	peer = READ_ONCE(u->peer);
	if (unix_is_writable(u) && !(peer && u->type == SOCK_DGRAM &&
				     READ_ONCE(peer->state) != UNIX_DEAD && is_full(peer, u)))
		events |= WRITABLE;
	rcu_read_unlock();
	return events;
}

static int datagram_wait(struct socket *socket, u32 events, const struct socket_address *to,
			 u64 deadline_ns)
{
	struct unix_socket *u = unix_of(socket), *target;
	int error;

	if (!(events & EPOLLOUT) || !to || READ_ONCE(u->send_used) >= u->send_limit)
		return object_wait(&socket->file->object, events, deadline_ns);
	if (unix_find(u, to, &target))
		return 0;
	error = wait_event_until(&target->writers,
				 READ_ONCE(target->state) == UNIX_DEAD || !is_full(target, u) ||
					 (READ_ONCE(target->shutdown) & SOCKET_SHUT_RECEIVE),
				 SLEEP_INTERRUPTIBLE, deadline_ns);
	unix_put(target);
	return error;
}

const struct socket_ops unix_datagram_ops = {
	.family = AF_UNIX,
	.bind = unix_bind,
	.connect = unix_connect,
	.pair = unix_pair,
	.name = unix_name,
	.send = datagram_send,
	.receive = datagram_receive,
	.shutdown = unix_shutdown,
	.get_option = unix_get_option,
	.ioctl = unix_ioctl,
	.ready = datagram_ready,
	.peek_ready = unix_peek_ready,
	.wait = datagram_wait,
	.release = unix_release,
	.option_changed = unix_option_changed,
};

/* connect(2) of a sequenced packet socket waits as a stream's. */
static int seqpacket_wait(struct socket *socket, u32 events, const struct socket_address *to,
			  u64 deadline_ns)
{
	if (READ_ONCE(unix_of(socket)->state) == UNIX_FREE)
		return unix_stream_ops.wait(socket, events, to, deadline_ns);
	return object_wait(&socket->file->object, events, deadline_ns);
}

const struct socket_ops unix_seqpacket_ops = {
	.family = AF_UNIX,
	.bind = unix_bind,
	.connect = unix_connect,
	.listen = unix_listen,
	.accept = unix_accept,
	.pair = unix_pair,
	.name = unix_name,
	.send = datagram_send,
	.receive = datagram_receive,
	.shutdown = unix_shutdown,
	.get_option = unix_get_option,
	.ioctl = unix_ioctl,
	.ready = datagram_ready,
	.peek_ready = unix_peek_ready,
	.wait = seqpacket_wait,
	.release = unix_release,
	.option_changed = unix_option_changed,
};
