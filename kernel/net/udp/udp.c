/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UDP (RFC 768) and UDP-Lite (RFC 3828) over both families, as sockets (udp(7), udplite(7)). */
#include <net/udp/udp.h>

#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/ucopy.h>

#include <asm/ioctls.h>
#include <linux/eventpoll.h>
#include <linux/sockios.h>
#include <linux/udp.h>
#include <sys/socket.h>

struct udp_protocol udp_plain = { .number = IPPROTO_UDP };
struct udp_protocol udp_lite = { .number = IPPROTO_UDPLITE, .lite = true };
static struct slab_cache *udp_cache;

static void udp_free(struct rcu_head *head)
{
	slab_free(udp_cache,
		  container_of(container_of(head, struct inet_node, rcu), struct udp, inet.node));
}

static int udp_bind(struct socket *socket, const struct socket_address *address)
{
	struct udp *u = udp_of(socket);

	return inet_bind(&u->protocol->ports, &u->inet, address);
}

static void disconnect(struct inet_socket *s) __must_hold(&s->lock)
{
	struct inet_address any =
		s->node.family == AF_INET ? inet_from_v4(0) : (struct inet_address){};

	s->node.remote_port = 0;
	s->node.remote = any;
	s->route_valid = false;
	if (!s->node.explicit_address)
		s->node.local = any;
}

static int udp_connect(struct socket *socket, const struct socket_address *address)
{
	struct udp *u = udp_of(socket);
	struct inet_socket *s = &u->inet;
	struct inet_address remote;
	u32 scope;
	u16 port, before;
	int error;

	if (address->length < sizeof(address->family))
		return -EINVAL;
	if (address->family == AF_UNSPEC) {
		spin_lock(&s->lock);
		disconnect(s);
		spin_unlock(&s->lock);
		return 0;
	}
	error = inet_decode_remote(&s->node, address, &remote, &port, &scope);
	if (error)
		return error;
	rcu_read_lock();
	spin_lock(&s->lock);
	if (s->node.remote_port && !s->node.explicit_port)
		disconnect(s);
	before = s->node.remote_port;
	if (!s->node.binding)
		error = port_bind(&u->protocol->ports, &s->node, 0);
	if (!error) {
		s->node.remote = remote;
		s->node.remote_port = port; /* rules may ask for it */
		s->scope = scope;
		s->route_valid = false;
		error = inet_route(s);
		if (!error && inet_is_limited_broadcast(&remote) &&
		    !(socket->options & SOCKET_BROADCAST))
			error = -EACCES;
	}
	if (!error) {
		if (inet_is_any(&s->node.local))
			s->node.local = s->route.source;
	} else {
		s->node.remote_port = before;
	}
	spin_unlock(&s->lock);
	rcu_read_unlock();
	return error;
}

static int udp_name(struct socket *socket, bool peer, struct socket_address *out)
{
	return inet_name(&udp_of(socket)->inet, peer, out);
}

static ssize_t udp_receive(struct socket *socket, struct socket_message *m)
{
	struct udp *u = udp_of(socket);

	return datagram_receive(socket, &u->inet, &u->received, m);
}

static int udp_shutdown(struct socket *socket, int how)
{
	static const u32 bits[] = { SOCKET_SHUT_RECEIVE, SOCKET_SHUT_SEND,
				    SOCKET_SHUT_RECEIVE | SOCKET_SHUT_SEND };

	if (!udp_of(socket)->inet.node.remote_port)
		return -ENOTCONN;
	__atomic_fetch_or(&socket->shutdown, bits[how], __ATOMIC_RELEASE);
	socket_notify(socket, EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLOUT);
	return 0;
}

/* UDP_CORK: what was gathered goes out when it is cleared. */
static void set_cork(struct socket *socket, struct udp *u, bool on)
{
	struct iter none = {};
	struct socket_message flush = { .data = &none };
	bool pending;

	u->corked = on;
	if (on)
		return;
	mutex_lock(&u->cork_lock);
	pending = u->cork;
	mutex_unlock(&u->cork_lock);
	if (pending)
		(void)!udp_send(socket, &flush);
}

/* Less than the header makes no sense: it is the least (RFC 3828, 3.1). */
static int set_coverage(const struct udp *u, struct udp_coverage *coverage, int bytes)
{
	if (!u->protocol->lite)
		return -ENOPROTOOPT;
	if (bytes && bytes < (int)sizeof(struct udp_header))
		bytes = sizeof(struct udp_header);
	*coverage = (struct udp_coverage){ (u16)MIN(bytes, UINT16_MAX), true };
	return 0;
}

static int udp_set_option(struct socket *socket, int level, int option, const void *value,
			  size_t length)
{
	struct udp *u = udp_of(socket);
	int number;

	if (level != SOL_UDP && level != SOL_UDPLITE)
		return inet_set_option(&u->inet, level, option, value, length);
	if (length < sizeof(number))
		return -EINVAL;
	memcpy(&number, value, sizeof(number));
	switch (option) {
	case UDP_CORK:
		set_cork(socket, u, number);
		return 0;
	case UDP_SEGMENT:
		if (number < 0 || number > UINT16_MAX)
			return -EINVAL;
		u->segment_size = (u16)number;
		return 0;
	case UDP_GRO:
		u->received.merge = number;
		return 0;
	case UDP_NO_CHECK6_RX:
		u->no_checksum6_in = number;
		return 0;
	case UDP_NO_CHECK6_TX:
		u->no_checksum6_out = number;
		return 0;
	case UDPLITE_SEND_CSCOV:
		return set_coverage(u, &u->send_coverage, number);
	case UDPLITE_RECV_CSCOV:
		return set_coverage(u, &u->receive_coverage, number);
	default:
		return -ENOPROTOOPT;
	}
}

static int udp_get_option(struct socket *socket, int level, int option, void *value, size_t *length)
{
	struct udp *u = udp_of(socket);
	int number;

	if (level != SOL_UDP && level != SOL_UDPLITE)
		return inet_get_option(&u->inet, level, option, value, length);
	switch (option) {
	case UDP_CORK:
		number = u->corked;
		break;
	case UDP_SEGMENT:
		number = u->segment_size;
		break;
	case UDP_GRO:
		number = u->received.merge;
		break;
	case UDP_NO_CHECK6_RX:
		number = u->no_checksum6_in;
		break;
	case UDP_NO_CHECK6_TX:
		number = u->no_checksum6_out;
		break;
	case UDPLITE_SEND_CSCOV:
		number = u->send_coverage.bytes;
		break;
	case UDPLITE_RECV_CSCOV:
		number = u->receive_coverage.bytes;
		break;
	default:
		return -ENOPROTOOPT;
	}
	*length = MIN(*length, sizeof(number));
	memcpy(value, &number, *length);
	return 0;
}

static long udp_ioctl(struct socket *socket, unsigned request, unsigned long argument)
{
	struct udp *u = udp_of(socket);
	int __user *number = __force_user(int __user *, argument);

	switch (request) {
	case SIOCINQ:
		return put_user(datagram_first_length(&u->inet, &u->received), number);
	case SIOCOUTQ:
		return put_user(0, number);
	default:
		return inet_ioctl(socket, request, argument);
	}
}

static u32 udp_ready(struct socket *socket)
{
	struct udp *u = udp_of(socket);
	u32 ready = datagram_ready(socket, &u->inet, &u->received) | EPOLLWRBAND;
	u32 shut = READ_ONCE(socket->shutdown);

	if (shut & SOCKET_SHUT_RECEIVE)
		ready |= EPOLLRDHUP;
	if (shut == (SOCKET_SHUT_RECEIVE | SOCKET_SHUT_SEND))
		ready |= EPOLLHUP;
	return ready;
}

static bool udp_peek_ready(struct socket *socket)
{
	struct udp *u = udp_of(socket);

	return datagram_peek_ready(socket, &u->inet, &u->received);
}

static void udp_release(struct socket *socket)
{
	struct udp *u = udp_of(socket);

	datagram_close(&u->inet, &u->received);
	udp_cork_drop(u);
	if (u->inet.node.binding)
		port_unbind(&u->protocol->ports, &u->inet.node);
	inet_socket_release(&u->inet);
	inet_node_put(&u->inet.node);
}

static const struct socket_ops udp_ops = {
	.family = AF_INET,
	.bind = udp_bind,
	.connect = udp_connect,
	.name = udp_name,
	.send = udp_send,
	.receive = udp_receive,
	.shutdown = udp_shutdown,
	.set_option = udp_set_option,
	.get_option = udp_get_option,
	.ioctl = udp_ioctl,
	.ready = udp_ready,
	.peek_ready = udp_peek_ready,
	.release = udp_release,
};

int udp_socket_create(struct socket *socket)
{
	struct udp_protocol *protocol =
		socket->protocol == IPPROTO_UDPLITE ? &udp_lite : &udp_plain;
	struct udp *u = slab_alloc(udp_cache, ALLOC_ZERO);

	if (!u)
		return -ENOMEM;
	inet_socket_init(&u->inet, socket, INET_UDP, udp_free);
	u->protocol = protocol;
	mutex_init(&u->cork_lock, RANK_NET_SEND);
	socket->private = u;
	socket->ops = &udp_ops;
	return 0;
}

void udp_init(void)
{
	udp_cache = slab_cache_create("UDP", sizeof(struct udp), 0);
	port_table_init(&udp_plain.ports, false);
	port_table_init(&udp_lite.ports, false);
}
