/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP as sockets: bind, connect, listen, accept, shutdown, close, readiness (tcp(7)). */
#include <core/random.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <net/namespace.h>
#include <net/tcp/tcp.h>

#include <asm/ioctls.h>
#include <linux/eventpoll.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

static int tcp_bind(struct socket *socket, const struct socket_address *address)
{
	struct tcp *t = tcp_of(socket);

	if (t->state != TCP_CLOSED)
		return -EINVAL;
	return inet_bind(&tcp_ports, &t->inet, address);
}

static bool may_replace(struct inet_node *old)
{
	return tcp_time_wait_reusable(old);
}

static bool unique(struct inet_node *n)
{
	return connection_insert_unique(n, may_replace);
}

static int decode_remote(struct tcp *t, const struct socket_address *address)
{
	struct inet_address remote;
	u32 scope;
	u16 port;
	int error = inet_decode_remote(&t->inet.node, address, &remote, &port, &scope);

	if (error)
		return error;
	if (inet_is_multicast(&remote) || inet_is_limited_broadcast(&remote))
		return -ENETUNREACH;
	t->inet.node.remote = remote;
	t->inet.node.remote_port = port;
	t->inet.scope = scope;
	return 0;
}

/* Addresses, a port, a place in the table. */
static int open_path(struct tcp *t, const struct socket_address *address) __must_hold(&t->inet.lock)
{
	struct inet_node *n = &t->inet.node;
	int error = decode_remote(t, address);

	if (error)
		return error;
	t->inet.route_valid = false;
	if (!n->explicit_address)
		n->local = n->family == AF_INET || inet_is_v4(&n->remote) ? inet_from_v4(0)
									  : (struct inet_address){};
	error = inet_route(&t->inet);
	if (error)
		return error;
	if (t->inet.route.type != RTN_LOCAL && t->inet.route.type != RTN_UNICAST)
		return -ENETUNREACH;
	if (inet_is_any(&n->local))
		n->local = t->inet.route.source;
	if (n->binding)
		return unique(n) ? 0 : -EADDRNOTAVAIL;
	return port_bind_connect(&tcp_ports, n, unique);
}

static int begin_connect(struct tcp *t, const struct socket_address *address)
	__must_hold(&t->inet.lock)
{
	int error;

	rcu_read_lock();
	error = open_path(t, address);
	rcu_read_unlock();
	if (error) {
		t->inet.node.remote_port = 0;
		return error;
	}
	if (unlikely(t->repair)) {
		tcp_socket(t)->shutdown = 0;
		tcp_repair_connect(t);
		return 0;
	}
	t->iss = tcp_initial_sequence(&t->inet.node);
	t->snd_una = t->iss;
	t->snd_nxt = t->write_seq = t->iss + 1;
	t->timestamp_offset = (u32)random_u64();
	t->retries = 0;
	t->fin_queued = t->fin_received = false;
	tcp_socket(t)->shutdown = 0;
	tcp_count(t, NET_TCP_ACTIVE_OPENS);
	t->state = TCP_SYN_SENT;
	t->connecting = true;
	if (tcp_fast_open_begin(t)) {
		tcp_update_mss(t);
		return 0; /* the first data sends the SYN */
	}
	tcp_update_mss(t);
	tcp_open(t);
	return 0;
}

/* connect(2) to AF_UNSPEC: the connection is dropped, the socket may be used again. */
static int disconnect(struct tcp *t) __must_hold(&t->inet.lock)
{
	if (t->state == TCP_LISTEN)
		return -EINVAL;
	if (t->state != TCP_CLOSED) {
		if (!t->repair)
			tcp_send_reset(t);
		tcp_done(t, 0);
	}
	t->inet.node.remote_port = 0;
	tcp_socket(t)->shutdown = 0;
	t->connecting = false;
	return 0;
}

static int connect_result(struct tcp *t, struct socket *socket,
			  const struct socket_address *address) __must_hold(&t->inet.lock)
{
	int error;

	switch (t->state) {
	case TCP_CLOSED:
		if (t->connecting) {
			t->connecting = false;
			t->inet.node.remote_port = 0;
			error = socket_take_error(socket);
			return error ? error : -ECONNABORTED;
		}
		error = begin_connect(t, address);
		if (error)
			return error;
		return t->fast_open.waits || t->repair ? 0 : -EINPROGRESS;
	case TCP_SYN_SENT:
		return t->fast_open.waits ? -EISCONN : -EALREADY;
	case TCP_SYN_RECEIVED:
		return -EALREADY;
	case TCP_LISTEN:
		return -EISCONN;
	default:
		if (!t->connecting)
			return -EISCONN;
		t->connecting = false;
		return 0;
	}
}

int tcp_connect_with(struct socket *socket, const struct socket_address *address, bool fast)
{
	struct tcp *t = tcp_of(socket);
	int error;

	if (address->length < sizeof(address->family))
		return -EINVAL;
	tcp_lock(t);
	t->fast_open.wanted = fast;
	if (address->family == AF_UNSPEC)
		error = disconnect(t);
	else
		error = connect_result(t, socket, address);
	tcp_unlock(t);
	if (error != -EINPROGRESS || (socket->file && socket->file->flags & O_NONBLOCK))
		return error;
	/* Over loopback the answer is there already. */
	tcp_lock(t);
	if (t->state == TCP_ESTABLISHED || t->state == TCP_CLOSE_WAIT || t->state == TCP_CLOSED)
		error = connect_result(t, socket, address);
	tcp_unlock(t);
	return error;
}

static int tcp_connect(struct socket *socket, const struct socket_address *address)
{
	return tcp_connect_with(socket, address, tcp_of(socket)->fast_open.by_connect);
}

static int make_listener(struct tcp *t, int backlog)
{
	struct tcp_listener *l = kzalloc(sizeof(*l), 0);

	if (!l)
		return -ENOMEM;
	spin_init(&l->lock, RANK_NET_ACCEPT);
	list_init(&l->ready);
	list_init(&l->half_open);
	l->backlog = (u32)backlog;
	t->listener = l;
	return 0;
}

static int tcp_listen(struct socket *socket, int backlog)
{
	struct tcp *t = tcp_of(socket);
	int error = 0;

	if (backlog < 0 || (u32)backlog > tcp_settings(t)->somaxconn)
		backlog = (int)tcp_settings(t)->somaxconn;
	if (!t->listener)
		error = make_listener(t, backlog);
	if (error)
		return error;
	tcp_lock(t);
	if (t->state == TCP_LISTEN) {
		t->listener->backlog = (u32)backlog;
	} else if (t->state != TCP_CLOSED || t->inet.node.remote_port) {
		error = -EINVAL;
	} else {
		t->inet.node.reuse_address = socket->options & SOCKET_REUSE_ADDRESS;
		t->inet.node.reuse_port = socket->options & SOCKET_REUSE_PORT;
		if (!t->inet.node.binding)
			error = port_bind(&tcp_ports, &t->inet.node, 0);
		if (!error && port_listen_conflicts(&tcp_ports, &t->inet.node))
			error = -EADDRINUSE;
		if (!error) {
			t->listener->backlog = (u32)backlog;
			t->listener->closed = false;
			t->state = TCP_LISTEN;
			if ((~tcp_settings(t)->fast_open &
			     (FAST_OPEN_EVERY_LISTENER | FAST_OPEN_SERVER)) == 0 &&
			    !t->fast_open.queue_maximum)
				tcp_fast_open_listen(t, (u32)backlog);
			__atomic_fetch_or(&socket->options, (u32)SOCKET_LISTENING,
					  __ATOMIC_RELEASE);
		}
	}
	tcp_unlock(t);
	return error;
}

static struct tcp *take_ready(struct tcp_listener *l)
{
	struct tcp *child = nullptr;

	spin_lock(&l->lock);
	if (!list_empty(&l->ready)) {
		child = list_first(&l->ready, struct tcp, listener_node);
		list_remove(&child->listener_node);
		l->ready_count--;
	}
	spin_unlock(&l->lock);
	return child;
}

static void give_back(struct tcp_listener *l, struct tcp *child)
{
	spin_lock(&l->lock);
	list_add(&l->ready, &child->listener_node);
	l->ready_count++;
	spin_unlock(&l->lock);
}

static void attach(struct tcp *child, struct socket *socket)
{
	struct tcp *parent;

	socket->ops = &tcp_ops;
	socket->private = child;
	tcp_lock(child);
	child->inet.socket = socket;
	parent = child->parent;
	child->parent = nullptr;
	if (child->state == TCP_CLOSED) {
		socket->error = child->early_error;
		socket->shutdown = SOCKET_SHUT_RECEIVE | SOCKET_SHUT_SEND;
	} else if (child->fin_received) {
		socket->shutdown = SOCKET_SHUT_RECEIVE;
	}
	tcp_reset_keepalive(child);
	tcp_unlock(child);
	if (parent)
		inet_node_put(&parent->inet.node);
}

static int tcp_accept(struct socket *socket, struct socket **out)
{
	struct tcp *t = tcp_of(socket), *child;
	int error;

	if (t->state != TCP_LISTEN)
		return -EINVAL;
	child = take_ready(t->listener);
	if (!child)
		return -EAGAIN;
	error = socket_create_like(socket, out);
	if (error) {
		give_back(t->listener, child);
		return error;
	}
	attach(child, *out);
	return 0;
}

static int tcp_name(struct socket *socket, bool peer, struct socket_address *out)
{
	struct tcp *t = tcp_of(socket);

	if (peer && (t->state == TCP_CLOSED || t->state == TCP_SYN_SENT))
		return -ENOTCONN;
	return inet_name(&t->inet, peer, out);
}

static void send_fin(struct tcp *t) __must_hold(&t->inet.lock)
{
	switch (t->state) {
	case TCP_ESTABLISHED:
		t->state = TCP_FIN_WAIT1;
		tcp_queue_fin(t);
		break;
	case TCP_SYN_RECEIVED: /* FIN_WAIT1 once the handshake is through */
		tcp_queue_fin(t);
		break;
	case TCP_CLOSE_WAIT:
		t->state = TCP_LAST_ACK;
		tcp_queue_fin(t);
		break;
	}
}

static void stop_listening(struct tcp *t, struct socket *socket)
{
	tcp_listener_close(t);
	tcp_lock(t);
	t->inet.node.listening = false;
	tcp_done(t, 0);
	__atomic_fetch_and(&socket->options, ~(u32)SOCKET_LISTENING, __ATOMIC_RELEASE);
	tcp_unlock(t);
}

static int tcp_shutdown(struct socket *socket, int how)
{
	struct tcp *t = tcp_of(socket);
	u32 bits = how == SHUT_RDWR ? SOCKET_SHUT_RECEIVE | SOCKET_SHUT_SEND : (u32)BIT(how);

	if (t->state == TCP_LISTEN) {
		if (bits & SOCKET_SHUT_RECEIVE)
			stop_listening(t, socket);
		return 0;
	}
	tcp_lock(t);
	if (t->state == TCP_CLOSED || t->state == TCP_SYN_SENT) {
		int error = t->state == TCP_CLOSED ? -ENOTCONN : 0;

		if (!error)
			tcp_done(t, ECONNRESET);
		tcp_unlock(t);
		return error;
	}
	__atomic_fetch_or(&socket->shutdown, bits, __ATOMIC_RELEASE);
	if (bits & SOCKET_SHUT_SEND)
		send_fin(t);
	tcp_notify(t, EPOLLIN | EPOLLRDHUP | EPOLLOUT | (socket->shutdown == 3 ? EPOLLHUP : 0));
	tcp_unlock(t);
	return 0;
}

static bool still_lingering(struct tcp *t)
{
	u8 state = READ_ONCE(t->state);

	return state == TCP_FIN_WAIT1 || state == TCP_CLOSING || state == TCP_LAST_ACK ||
	       state == TCP_SYN_RECEIVED;
}

/* The user is gone: data that nobody read is an abort (RFC 2525, 2.17), else the FIN goes out. */
static void let_go(struct tcp *t, bool abort) __must_hold(&t->inet.lock)
{
	bool unread = t->received.head && t->state != TCP_CLOSED;

	t->orphan = true;
	t->keep_at = 0;
	t->inet.socket = nullptr;
	if (t->state == TCP_SYN_SENT || unlikely(t->repair)) {
		tcp_done(t, 0);
	} else if (t->state != TCP_CLOSED && (unread || abort)) {
		tcp_count(t, unread ? NET_TCP_ABORT_ON_CLOSE : NET_TCP_ABORT_ON_DATA);
		tcp_send_reset(t);
		tcp_done(t, 0);
	} else if (t->state == TCP_FIN_WAIT2) {
		tcp_become_time_wait(t, TCP_FIN_WAIT2);
	} else {
		send_fin(t);
	}
}

static void tcp_release(struct socket *socket)
{
	struct tcp *t = tcp_of(socket);

	if (t->state == TCP_LISTEN)
		stop_listening(t, socket);
	tcp_lock(t);
	let_go(t, socket->linger_seconds == 0);
	if (t->state == TCP_CLOSED && t->inet.node.binding)
		port_unbind(&tcp_ports, &t->inet.node);
	tcp_unlock(t);
	if (socket->linger_seconds > 0)
		(void)!wait_event_until(&t->lingering, !still_lingering(t), SLEEP_INTERRUPTIBLE,
					tcp_now() + (u64)socket->linger_seconds * NSEC_PER_SEC);
	inet_socket_release(&t->inet);
	inet_node_put(&t->inet.node);
}

/* Who accepts has it from the listener, and the connection outlives the socket. */
static struct socket_program **tcp_filter_place(struct socket *socket)
{
	return &tcp_of(socket)->filter;
}

static u32 listener_ready(struct tcp *t) __no_lock_analysis
{
	return READ_ONCE(t->listener->ready.next) != &t->listener->ready ? EPOLLIN | EPOLLRDNORM
									 : 0;
}

static bool has_errors(const struct tcp *t) __no_lock_analysis
{
	return READ_ONCE(t->inet.errors.head) != nullptr;
}

static u32 tcp_ready(struct socket *socket)
{
	struct tcp *t = tcp_of(socket);
	u8 state = READ_ONCE(t->state);
	u32 ready = 0, shut = __atomic_load_n(&socket->shutdown, __ATOMIC_ACQUIRE), queued;

	if (state == TCP_LISTEN)
		return listener_ready(t);
	if (READ_ONCE(socket->error) || has_errors(t))
		ready |= EPOLLERR;
	if (state == TCP_CLOSED || shut == (SOCKET_SHUT_RECEIVE | SOCKET_SHUT_SEND))
		ready |= EPOLLHUP;
	if (shut & SOCKET_SHUT_RECEIVE)
		ready |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (state == TCP_SYN_SENT)
		return ready | (t->fast_open.waits ? EPOLLOUT | EPOLLWRNORM : 0);
	if (state == TCP_SYN_RECEIVED && !t->fast_open.accepted)
		return ready;
	if (READ_ONCE(t->received.head) &&
	    (socket->receive_low_water <= 1 || shut ||
	     READ_ONCE(t->rcv_nxt) - READ_ONCE(t->copied_seq) >= socket->receive_low_water))
		ready |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(t->urgent_valid))
		ready |= EPOLLPRI;
	queued = tcp_queued(t);
	if ((shut & SOCKET_SHUT_SEND) || state == TCP_CLOSED)
		return ready | EPOLLOUT | EPOLLWRNORM;
	if (tcp_has_room(t, queued, tcp_send_limit(t))) {
		ready |= EPOLLOUT | EPOLLWRNORM;
	} else {
		WRITE_ONCE(t->send_room_wanted, true);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		queued = tcp_queued(t);
		if (tcp_has_room(t, queued, tcp_send_limit(t)))
			ready |= EPOLLOUT | EPOLLWRNORM;
	}
	return ready;
}

static long tcp_ioctl(struct socket *socket, unsigned request, unsigned long argument)
{
	struct tcp *t = tcp_of(socket);
	int __user *number = __force_user(int __user *, argument);
	int n;

	switch (request) {
	case SIOCINQ:
		if (t->state == TCP_LISTEN)
			return -EINVAL;
		n = (int)(t->rcv_nxt - t->copied_seq - t->fin_received);
		break;
	case SIOCOUTQ:
		if (t->state == TCP_LISTEN)
			return -EINVAL;
		n = (int)tcp_queued(t);
		break;
	case SIOCOUTQNSD:
		n = (int)(t->write_seq - t->snd_nxt);
		break;
	case SIOCATMARK:
		n = t->urgent_announced && t->urgent_seq == t->copied_seq;
		break;
	default:
		return inet_ioctl(socket, request, argument);
	}
	if (t->state == TCP_CLOSED || t->state == TCP_SYN_SENT || n < 0)
		n = 0;
	return put_user(n, number);
}

const struct socket_ops tcp_ops = {
	.family = AF_INET,
	.bind = tcp_bind,
	.connect = tcp_connect,
	.listen = tcp_listen,
	.accept = tcp_accept,
	.name = tcp_name,
	.send = tcp_send,
	.receive = tcp_receive,
	.shutdown = tcp_shutdown,
	.set_option = tcp_set_option,
	.get_option = tcp_get_option,
	.ioctl = tcp_ioctl,
	.ready = tcp_ready,
	.release = tcp_release,
	.filter = tcp_filter_place,
	.option_changed = tcp_option_changed,
};

void tcp_update_window_scale(struct tcp *t)
{
	u32 space =
		t->memory_fixed ? t->memory_limit : MAX(t->memory_limit, tcp_settings(t)->rmem[2]);

	t->receive_scale = 0;
	while (space > 65535 && t->receive_scale < 14) {
		space /= 2;
		t->receive_scale++;
	}
}

int tcp_socket_create(struct socket *socket)
{
	struct tcp *t = tcp_alloc(socket->network);

	if (!t)
		return -ENOMEM;
	inet_socket_init(&t->inet, socket, INET_TCP, t->inet.node.free);
	network_node_put(socket->network); /* both of the above counted it */
	tcp_update_window_scale(t);
	socket->receive_buffer = tcp_settings(t)->rmem[1];
	socket->send_buffer = tcp_settings(t)->wmem[1];
	socket->private = t;
	socket->ops = &tcp_ops;
	return 0;
}
