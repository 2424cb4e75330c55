/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Raw sockets (raw(7)) and ping sockets (icmp(7), ICMP_PROTO datagrams). Both are in one list; a
 * ping socket owns an identifier, which is its port.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <net/checksum.h>
#include <net/raw/raw.h>
#include <net/raw/raw_priv.h>

#include <asm/ioctls.h>
#include <linux/eventpoll.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/sockios.h>

static struct spinlock list_lock = SPINLOCK_INIT(RANK_NET_HASH);
static struct raw *sockets; /* RCU */
struct port_table ping_ports;
static struct slab_cache *raw_cache;

static void raw_free(struct rcu_head *head)
{
	slab_free(raw_cache,
		  container_of(container_of(head, struct inet_node, rcu), struct raw, inet.node));
}

static bool filtered(const struct raw *r, const struct packet *p, const struct inet_info *info)
{
	u8 type;

	if (r->checksum_at >= 0 && !inet_is_v4(&info->destination) &&
	    p->checksum == CHECKSUM_UNKNOWN &&
	    checksum_fold(packet_sum(p, 0, p->length,
				     checksum_pseudo(&info->source, &info->destination, p->length,
						     info->protocol))) != 0xffff)
		return true;

	if ((r->protocol != IPPROTO_ICMP && r->protocol != IPPROTO_ICMPV6) ||
	    !packet_copy(p, 0, &type, 1))
		return false;
	if (r->protocol == IPPROTO_ICMP)
		return type < 32 && (r->icmp_filter[0] >> type & 1);
	return r->icmp_filter[type / 32] >> type % 32 & 1;
}

bool raw_input(struct packet *p, const struct inet_info *info)
{
	bool v4 = inet_is_v4(&info->destination), taken = false;

	for (struct raw *r = rcu_dereference(sockets); r; r = rcu_dereference(r->next)) {
		struct packet *copy;

		if (r->inet.node.kind != INET_RAW || r->protocol != info->protocol ||
		    r->inet.node.network != info->network ||
		    (r->inet.node.family == AF_INET) != v4 ||
		    inet_match(&r->inet.node, info, r->inet.node.remote_port) < 0 ||
		    filtered(r, p, info))
			continue;
		taken = true;
		copy = packet_clone(p);
		if (!copy)
			continue;
		if (v4) /* raw(7): IPv4 comes with its header, IPv6 does not */
			packet_push(copy, packet_headroom(copy) - copy->network_header);
		datagram_deliver(&r->inet, &r->received, copy, info, 0, 0);
	}
	return taken;
}

void ping_input(struct packet *p, const struct inet_info *info, u16 identifier)
{
	bool v4 = inet_is_v4(&info->destination);

	for (struct inet_node *n = port_owners(&ping_ports, info->network, identifier); n;
	     n = rcu_dereference(n->port_next)) {
		struct raw *r = container_of(inet_of(n), struct raw, inet);
		struct packet *copy;

		if ((n->family == AF_INET) != v4 || inet_match(n, info, n->remote_port) < 0)
			continue;
		copy = packet_clone(p);
		if (copy)
			datagram_deliver(&r->inet, &r->received, copy, info, 0, 0);
	}
}

static void report(struct raw *r, const struct inet_error *error)
{
	struct inet_socket *s = &r->inet;
	bool wanted =
		s->flags & (s->node.family == AF_INET ? INET_RECEIVE_ERRORS : INET6_RECEIVE_ERRORS);

	spin_lock(&s->lock);
	if (s->socket && (wanted || (error->fatal && s->node.remote_port))) {
		inet_queue_error(s, error, 0);
		socket_set_error(s->socket, error->error);
	}
	spin_unlock(&s->lock);
}

void raw_error(const struct inet_error *error)
{
	bool v4 = inet_is_v4(&error->inner.destination);

	for (struct raw *r = rcu_dereference(sockets); r; r = rcu_dereference(r->next)) {
		const struct inet_node *n = &r->inet.node;

		if (r->protocol != error->inner.protocol || (n->family == AF_INET) != v4 ||
		    n->network != error->inner.network)
			continue;
		if (n->kind == INET_PING && load_net16(error->data + 4) != n->local_port)
			continue;
		if (n->remote_port && !inet_equal(&n->remote, &error->inner.destination))
			continue;
		report(r, error);
	}
}

static int raw_bind(struct socket *socket, const struct socket_address *address)
{
	struct inet_socket *s = &raw_of(socket)->inet;
	struct inet_address local;
	u32 scope;
	u16 port;
	int error;

	if (s->node.kind == INET_PING)
		return inet_bind(&ping_ports, s, address);
	error = inet_decode(&s->node, address, &local, &port, &scope);
	if (!error)
		error = inet_check_local(s, &local, scope);
	if (!error)
		s->node.local = local;
	return error;
}

/* The port of a remote means nothing, but for being connected. */
static int raw_connect(struct socket *socket, const struct socket_address *address)
{
	struct inet_socket *s = &raw_of(socket)->inet;
	struct inet_address remote;
	u32 scope;
	u16 port;
	int error;

	if (address->length >= sizeof(u16) && address->family == AF_UNSPEC) {
		s->node.remote_port = 0;
		return 0;
	}
	error = inet_decode_remote(&s->node, address, &remote, &port, &scope);
	if (error)
		return error;
	rcu_read_lock();
	spin_lock(&s->lock);
	s->node.remote = remote;
	s->scope = scope;
	s->route_valid = false;
	error = inet_route(s);
	if (!error) {
		if (inet_is_any(&s->node.local))
			s->node.local = s->route.source;
		s->node.remote_port = 1;
	}
	spin_unlock(&s->lock);
	rcu_read_unlock();
	return error;
}

static int raw_name(struct socket *socket, bool peer, struct socket_address *out)
{
	struct inet_socket *s = &raw_of(socket)->inet;
	int error = inet_name(s, peer, out);

	/* The port field holds the protocol of a raw socket's own name, nothing of the peer's. */
	if (!error && s->node.kind == INET_RAW)
		inet_encode(&s->node, peer ? &s->node.remote : &s->node.local,
			    peer ? 0 : raw_of(socket)->protocol, 0, out);
	return error;
}

static ssize_t raw_receive(struct socket *socket, struct socket_message *m)
{
	struct raw *r = raw_of(socket);

	return datagram_receive(socket, &r->inet, &r->received, m);
}

static int raw_shutdown(struct socket *socket, int how)
{
	if (!raw_of(socket)->inet.node.remote_port)
		return -ENOTCONN;
	__atomic_fetch_or(&socket->shutdown, (u32)(how == SHUT_RDWR ? 3 : 1 << how),
			  __ATOMIC_RELEASE);
	socket_notify(socket, EPOLLIN | EPOLLRDHUP | EPOLLOUT);
	return 0;
}

static int set_checksum(struct raw *r, int level, const void *value, size_t length)
{
	int at;

	if (length < sizeof(at))
		return -EINVAL;
	memcpy(&at, value, sizeof(at));
	if (r->protocol == IPPROTO_ICMPV6) /* gets its checksum anyway */
		return level == SOL_IPV6 ? -EINVAL : 0;
	if (at > 0 && (at & 1))
		return -EINVAL;
	r->checksum_at = MAX(at, -1);
	return 0;
}

static int raw_set_option(struct socket *socket, int level, int option, const void *value,
			  size_t length)
{
	struct raw *r = raw_of(socket);

	if ((level == SOL_RAW && option == ICMP_FILTER && r->protocol == IPPROTO_ICMP) ||
	    (level == SOL_ICMPV6 && option == ICMPV6_FILTER)) {
		memcpy(r->icmp_filter, value, MIN(length, sizeof(r->icmp_filter)));
		return 0;
	}
	if ((level == SOL_IPV6 || level == SOL_RAW) && option == IPV6_CHECKSUM &&
	    r->inet.node.family == AF_INET6)
		return set_checksum(r, level, value, length);
	return inet_set_option(&r->inet, level, option, value, length);
}

static int raw_get_option(struct socket *socket, int level, int option, void *value, size_t *length)
{
	struct raw *r = raw_of(socket);

	if ((level == SOL_IPV6 || level == SOL_RAW) && option == IPV6_CHECKSUM &&
	    r->inet.node.family == AF_INET6) {
		*length = MIN(*length, sizeof(r->checksum_at));
		memcpy(value, &r->checksum_at, *length);
		return 0;
	}

	if (level == SOL_RAW && option == ICMP_FILTER && r->protocol == IPPROTO_ICMP) {
		*length = MIN(*length, sizeof(u32));
		memcpy(value, r->icmp_filter, *length);
		return 0;
	}
	return inet_get_option(&r->inet, level, option, value, length);
}

static long raw_ioctl(struct socket *socket, unsigned request, unsigned long argument)
{
	struct raw *r = raw_of(socket);
	int n = 0;

	switch (request) {
	case SIOCINQ:
		n = datagram_first_length(&r->inet, &r->received);
		[[fallthrough]];
	case SIOCOUTQ:
		return put_user(n, __force_user(int __user *, argument));
	default:
		return inet_ioctl(socket, request, argument);
	}
}

static u32 raw_ready(struct socket *socket)
{
	struct raw *r = raw_of(socket);

	return datagram_ready(socket, &r->inet, &r->received);
}

static void raw_release(struct socket *socket)
{
	struct raw *r = raw_of(socket), **link;

	spin_lock(&list_lock);
	for (link = &sockets; *link != r;)
		link = &(*link)->next;
	rcu_assign(*link, r->next);
	spin_unlock(&list_lock);
	datagram_close(&r->inet, &r->received);
	if (r->inet.node.binding)
		port_unbind(&ping_ports, &r->inet.node);
	inet_socket_release(&r->inet);
	inet_node_put(&r->inet.node);
}

static const struct socket_ops raw_ops = {
	.family = AF_INET,
	.bind = raw_bind,
	.connect = raw_connect,
	.name = raw_name,
	.send = raw_send,
	.receive = raw_receive,
	.shutdown = raw_shutdown,
	.set_option = raw_set_option,
	.get_option = raw_get_option,
	.ioctl = raw_ioctl,
	.ready = raw_ready,
	.release = raw_release,
};

static int create(struct socket *socket, int protocol, enum inet_kind kind)
{
	struct raw *r = slab_alloc(raw_cache, ALLOC_ZERO);

	if (!r)
		return -ENOMEM;
	inet_socket_init(&r->inet, socket, kind, raw_free);
	r->protocol = (u8)protocol;
	r->checksum_at = -1;
	if (protocol == IPPROTO_RAW)
		r->inet.flags |= INET_HEADER_INCLUDED | INET6_HEADER_INCLUDED;
	socket->private = r;
	socket->ops = &raw_ops;
	spin_lock(&list_lock);
	r->next = sockets;
	rcu_assign(sockets, r);
	spin_unlock(&list_lock);
	return 0;
}

int raw_socket_create(struct socket *socket, int protocol)
{
	return create(socket, protocol, INET_RAW);
}

int ping_socket_create(struct socket *socket)
{
	return create(socket, socket->protocol, INET_PING);
}

struct inet_node *raw_socket_get(unsigned position)
{
	struct inet_node *found = nullptr;

	rcu_read_lock();
	for (struct raw *r = rcu_dereference(sockets); r && !found; r = rcu_dereference(r->next))
		if (!position-- && inet_node_get_unless_zero(&r->inet.node))
			found = &r->inet.node;
	rcu_read_unlock();
	return found;
}

u8 raw_socket_protocol(const struct inet_node *node)
{
	return container_of(node, struct raw, inet.node)->protocol;
}

u32 raw_socket_queued(struct inet_socket *s)
{
	return container_of(s, struct raw, inet)->received.memory;
}

void raw_init(void)
{
	raw_cache = slab_cache_create("RAW", sizeof(struct raw), 0);
	port_table_init(&ping_ports, false);
}
