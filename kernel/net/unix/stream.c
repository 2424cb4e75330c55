/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AF_UNIX streams: bytes in buffers, without boundaries but those of handles and, with SO_PASSCRED, of who
 * sent them. Urgent data (MSG_OOB) is a buffer of one byte that ordinary reads stop in front of and
 * then pass over, unless SO_OOBINLINE.
 */
#include <lib/errno.h>
#include <mm/frame.h>
#include <net/unix/unix_priv.h>

#include <linux/eventpoll.h>
#include <sys/socket.h>

/* The most that one buffer takes: with its header a block of frames. */
#define PIECE_MAX (4 * PAGE_SIZE - sizeof(struct unix_buffer))

/* Appends to the peer's queue. -EPIPE: it does not read any more. */
static int deliver(struct unix_socket *peer, struct unix_buffer *buffer)
{
	bool closed;

	spin_lock(&peer->lock);
	closed = peer->state == UNIX_DEAD || (peer->shutdown & SOCKET_SHUT_RECEIVE);
	if (likely(!closed))
		unix_queue_append_locked(peer, buffer);
	spin_unlock(&peer->lock);
	if (unlikely(closed))
		return -EPIPE;
	wake_up_some(&peer->waiters, EPOLLIN | EPOLLRDNORM, 1);
	return 0;
}

/* Sends up to `size` bytes as one buffer. Bytes, -EAGAIN, -EPIPE... */
static ssize_t send_piece(struct unix_socket *u, struct unix_socket *peer,
			  struct socket_message *message, size_t size, bool urgent)
{
	struct unix_buffer *buffer;
	int error;

	size = MIN(size, PIECE_MAX);
	if (size > PAGE_SIZE)
		size = MIN(size, MAX(u->send_limit / 2, (u32)PAGE_SIZE));
	error = unix_buffer_create(u, message->data, size, message->control, &buffer);
	if (error)
		return error;
	buffer->urgent = urgent;
	if (unlikely(message->control && message->control->handle_count))
		error = unix_rights_attach(buffer, message->control);
	if (!error)
		error = deliver(peer, buffer);
	if (unlikely(error)) {
		unix_buffer_discard(buffer);
		return error;
	}
	return (ssize_t)size;
}

/* The last byte of a message sent with MSG_OOB: earlier urgent data becomes ordinary. */
static ssize_t send_urgent(struct unix_socket *u, struct unix_socket *peer,
			   struct socket_message *message)
{
	ssize_t n;

	spin_lock(&peer->lock);
	for (struct unix_buffer *b = peer->head; b; b = b->next)
		b->urgent = false;
	WRITE_ONCE(peer->urgent_sent, true);
	spin_unlock(&peer->lock);
	n = send_piece(u, peer, message, 1, true);
	if (n > 0)
		wake_up(&peer->waiters, EPOLLPRI);
	return n;
}

static int check_send(struct socket *socket, const struct socket_message *message)
{
	int error = socket_take_error(socket);

	if (unlikely(error))
		return error;
	if (unlikely(message->address))
		return unix_of(socket)->peer ? -EISCONN : -EOPNOTSUPP;
	if (unlikely(!__atomic_load_n(&unix_of(socket)->peer, __ATOMIC_ACQUIRE)))
		return -ENOTCONN;
	if (unlikely(READ_ONCE(unix_of(socket)->shutdown) & SOCKET_SHUT_SEND))
		return -EPIPE;
	return 0;
}

static ssize_t stream_send(struct socket *socket, struct socket_message *message)
{
	struct unix_socket *u = unix_of(socket);
	size_t tail = unlikely(message->flags & MSG_OOB) && message->data->remaining;
	ssize_t total = 0, n = check_send(socket, message);

	if (unlikely(n))
		return n;
	while (message->data->remaining > tail) {
		n = send_piece(u, u->peer, message, message->data->remaining - tail, false);
		if (unlikely(n < 0))
			return total ? total : n;
		total += n;
	}
	if (unlikely(tail)) {
		n = send_urgent(u, u->peer, message);
		if (n < 0)
			return total ? total : n;
		total += n;
	}
	return total;
}

/* --- Receiving --- */

/* A read in progress, with u->read_lock held: the analysis does not follow it through the structure. */
struct stream_read {
	struct unix_socket *u;
	struct socket *socket;
	struct socket_message *message;
	int pid;
	u32 uid, gid;
	size_t total;
	u32 skip; /* SO_PEEK_OFF: of the next buffer */
	bool begun;
	int error;
	/* What goes when read_lock is released: dropping handles may take any lock. */
	struct unix_buffer *done;
	struct unix_rights *dropped;
};

static void finish_buffer(struct stream_read *r, struct unix_buffer *b) __no_lock_analysis
{
	unix_queue_remove(r->u, b);
	b->next = r->done;
	r->done = b;
}

static void finish_read(struct stream_read *r)
{
	struct unix_buffer *b;

	while ((b = r->done)) {
		r->done = b->next;
		unix_buffer_free(b);
	}
	if (unlikely(r->dropped))
		unix_rights_free(r->dropped);
}

/* Data of different senders is not mixed when the receiver wants to know them. */
static bool same_sender(struct stream_read *r, const struct unix_buffer *b)
{
	if (!r->begun) {
		r->begun = true;
		r->pid = b->pid;
		r->uid = b->uid;
		r->gid = b->gid;
		return true;
	}
	if (likely(!(r->socket->options & SOCKET_PASS_CREDENTIALS)))
		return true;
	return r->pid == b->pid && r->uid == b->uid && r->gid == b->gid;
}

/* Gives the handles to the receiver, or drops them when it wants none. */
static int deliver_rights(struct stream_read *r, struct unix_buffer *b) __no_lock_analysis
{
	struct unix_rights *rights = b->rights;

	if (r->message->flags & MSG_PEEK)
		return r->message->control ? unix_rights_copy(rights, r->message->control) : 0;
	/* A buffer leaves the queue's books of handles before its bytes are all read. */
	unix_rights_detach(r->u, b);
	if (r->message->control)
		unix_rights_deliver(rights, r->message->control);
	else
		r->dropped = rights;
	return 0;
}

/* Copies from one buffer. True: goes on with the next. */
static bool read_buffer(struct stream_read *r, struct unix_buffer *b) __no_lock_analysis
{
	struct iter *it = r->message->data;
	u32 from = b->offset + r->skip;
	size_t wanted = MIN((size_t)(b->length - from), it->remaining);
	size_t n = iter_copy_to(it, b->data + from, wanted);
	bool had_rights = b->rights;

	r->total += n;
	r->skip = 0;
	if (unlikely(n < wanted) && !n) {
		r->error = -EFAULT;
		return false;
	}
	if (unlikely(had_rights))
		r->error = deliver_rights(r, b);
	if (!(r->message->flags & MSG_PEEK)) {
		b->offset += (u32)n;
		if (b->offset == b->length)
			finish_buffer(r, b);
	}
	return n == wanted && !had_rights && !r->error;
}

/* An urgent byte in the way of an ordinary read. True: it was passed over (*b moves on). */
static bool pass_urgent(struct stream_read *r, struct unix_buffer **b) __no_lock_analysis
{
	struct unix_buffer *urgent = *b;

	if (r->total)
		return false;
	*b = urgent->next;
	if (!(r->message->flags & MSG_PEEK))
		finish_buffer(r, urgent);
	return true;
}

static void read_locked(struct stream_read *r)
{
	struct unix_buffer *b = __atomic_load_n(&r->u->head, __ATOMIC_ACQUIRE), *next;
	s32 offset = socket_peek_offset(r->socket, r->message->flags);

	if (unlikely(offset >= 0))
		b = unix_queue_at(b, offset, &r->skip);
	while (b && r->message->data->remaining) {
		if (unlikely(b->urgent) && !(r->socket->options & SOCKET_OOB_INLINE)) {
			if (!pass_urgent(r, &b))
				break;
			continue;
		}
		if (!same_sender(r, b))
			break;
		/* The last one's next may be set while it is read: look before it goes. */
		next = READ_ONCE(b->next);
		if (!read_buffer(r, b))
			break;
		b = next			   ? next
		    : r->message->flags & MSG_PEEK ? nullptr
						   : __atomic_load_n(&r->u->head, __ATOMIC_ACQUIRE);
	}
}

/* recv(2) with MSG_OOB: the one urgent byte. -EINVAL if there is none, or it is in line. */
static ssize_t receive_urgent(struct socket *socket, struct socket_message *message)
{
	struct unix_socket *u = unix_of(socket);
	struct stream_read r = { .u = u };
	struct unix_buffer *b;
	ssize_t n = -EINVAL;

	if (socket->options & SOCKET_OOB_INLINE)
		return -EINVAL;
	mutex_lock(&u->read_lock);
	spin_lock(&u->lock);
	for (b = u->head; b && !b->urgent; b = b->next)
		;
	spin_unlock(&u->lock);
	if (b) {
		n = iter_copy_to(message->data, b->data, 1) || !message->data->remaining ? 1
											 : -EFAULT;
		message->flags_result |= MSG_OOB;
		if (n == 1 && !(message->flags & MSG_PEEK))
			finish_buffer(&r, b);
	}
	mutex_unlock(&u->read_lock);
	finish_read(&r);
	return n;
}

static ssize_t stream_receive(struct socket *socket, struct socket_message *message)
{
	struct unix_socket *u = unix_of(socket);
	struct stream_read r = { .u = u, .socket = socket, .message = message };

	if (unlikely(READ_ONCE(u->state) != UNIX_CONNECTED))
		return -EINVAL;
	if (unlikely(message->flags & MSG_OOB))
		return receive_urgent(socket, message);
	if (!READ_ONCE(u->head))
		return unix_nothing_there(socket);
	mutex_lock(&u->read_lock);
	read_locked(&r);
	socket_peek_moves(socket, message->flags, (u32)r.total);
	mutex_unlock(&u->read_lock);
	finish_read(&r);
	if (message->control) {
		message->control->pid = r.pid;
		message->control->uid = r.uid;
		message->control->gid = r.gid;
	}
	if (message->address && r.total && u->peer->address)
		unix_address_tell(u->peer->address, message->address);
	if (r.total || !message->data->remaining)
		return (ssize_t)r.total;
	return r.error ? r.error : unix_nothing_there(socket);
}

static u32 stream_ready(struct socket *socket)
{
	const struct unix_socket *u = unix_of(socket);
	u32 state = READ_ONCE(u->state), shutdown = READ_ONCE(u->shutdown), events = 0;
	const struct unix_buffer *head = READ_ONCE(u->head);

	if (state == UNIX_LISTENING)
		return READ_ONCE(u->embryo_count) ? EPOLLIN | EPOLLRDNORM : 0;
	if (READ_ONCE(socket->error))
		events |= EPOLLERR;
	if (shutdown == (SOCKET_SHUT_RECEIVE | SOCKET_SHUT_SEND) || state == UNIX_FREE)
		events |= EPOLLHUP;
	if (shutdown & SOCKET_SHUT_RECEIVE)
		events |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	if (head)
		events |= EPOLLIN | EPOLLRDNORM;
	if (unlikely(u->urgent_sent))
		events |= unix_has_urgent(unix_of(socket)) ? EPOLLPRI : 0;
	if (unix_is_writable(u))
		events |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	return events;
}

static int stream_wait(struct socket *socket, u32 events, const struct socket_address *to,
		       u64 deadline_ns)
{
	struct unix_socket *listener;
	int error;

	if (!to || READ_ONCE(unix_of(socket)->state) != UNIX_FREE)
		return object_wait(&socket->file->object, events, deadline_ns);
	/* connect(2): the listener's queue is full. */
	if (unix_find(unix_of(socket), to, &listener))
		return 0;
	error = wait_event_until(&listener->writers,
				 READ_ONCE(listener->state) != UNIX_LISTENING ||
					 READ_ONCE(listener->embryo_count) <= listener->backlog ||
					 (READ_ONCE(listener->shutdown) & SOCKET_SHUT_RECEIVE),
				 SLEEP_INTERRUPTIBLE, deadline_ns);
	unix_put(listener);
	return error;
}

const struct socket_ops unix_stream_ops = {
	.family = AF_UNIX,
	.bind = unix_bind,
	.connect = unix_connect,
	.listen = unix_listen,
	.accept = unix_accept,
	.pair = unix_pair,
	.name = unix_name,
	.send = stream_send,
	.receive = stream_receive,
	.shutdown = unix_shutdown,
	.get_option = unix_get_option,
	.ioctl = unix_ioctl,
	.ready = stream_ready,
	.peek_ready = unix_peek_ready,
	.wait = stream_wait,
	.release = unix_release,
	.option_changed = unix_option_changed,
};
