/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Raw sockets (raw(7)) and ping sockets (icmp(7), ICMP_PROTO datagrams). Both are in one list; a
 * ping socket owns an identifier, which is its port.
 */
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <net/checksum.h>
#include <net/filter.h>
#include <net/inet_socket.h>
#include <net/ipv4/ipv4.h>
#include <net/raw/raw.h>

#include <asm/ioctls.h>
#include <linux/eventpoll.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#define PACKET_COST 640

struct raw {
	struct inet_socket inet; /* first */
	struct raw *next;	 /* RCU; changed under list_lock */
	u8 protocol;
	u32 icmp_filter[8]; /* bit set: the type is not wanted; ICMP uses the first word */
	struct packet_queue received; /* inet.lock */
	u32 received_memory;	      /* inet.lock */
};

/* packet->control of what was received. */
struct raw_received {
	struct inet_address source, destination;
	int device_index;
	u8 ttl, tos;
};

static struct spinlock list_lock = SPINLOCK_INIT(RANK_NET_HASH);
static struct raw *sockets; /* RCU */
static struct port_table ping_ports;
static struct slab_cache *raw_cache;

static struct raw *raw_of(struct socket *socket)
{
	return socket->private;
}

static void raw_free(struct rcu_head *head)
{
	slab_free(raw_cache,
		  container_of(container_of(head, struct inet_node, rcu), struct raw, inet.node));
}

/* SO_ATTACH_FILTER: the program sees what the receiver would, and may cut it. Under RCU. */
static bool passes_filter(const struct socket *socket, struct packet *p)
{
	u32 wanted = socket->filter ? socket_filter_run(socket, p) : p->length;

	if (wanted && wanted < p->length)
		packet_trim(p, wanted);
	return wanted;
}

static void deliver(struct raw *r, struct packet *p, const struct inet_info *info)
{
	struct raw_received *received = (struct raw_received *)p->control;
	u32 cost = PACKET_COST + p->length;

	*received = (struct raw_received){ info->source, info->destination, info->device->index,
					   info->ttl, info->tos };
	spin_lock(&r->inet.lock);
	if (!r->inet.socket ||
	    (r->received_memory && r->received_memory + cost > r->inet.socket->receive_buffer) ||
	    !passes_filter(r->inet.socket, p)) {
		spin_unlock(&r->inet.lock);
		packet_free(p);
		return;
	}
	if ((r->inet.socket->options & SOCKET_WANTS_TIME) && !p->time_ns)
		p->time_ns = clock_realtime_ns();
	r->received_memory += cost;
	packet_queue_add(&r->received, p);
	socket_notify(r->inet.socket, EPOLLIN | EPOLLRDNORM);
	spin_unlock(&r->inet.lock);
}

static bool filtered(const struct raw *r, const struct packet *p)
{
	u8 type;

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
		    inet_match(&r->inet.node, info, r->inet.node.remote_port) < 0 || filtered(r, p))
			continue;
		taken = true;
		copy = packet_clone(p);
		if (!copy)
			continue;
		if (v4) /* raw(7): IPv4 comes with its header, IPv6 does not */
			packet_push(copy, packet_headroom(copy) - copy->network_header);
		deliver(r, copy, info);
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
			deliver(r, copy, info);
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
	error = inet_decode(&s->node, address, &remote, &port, &scope);
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

/* An ICMP message of a user: a ping socket sends echo requests under its identifier only. */
static int prepare_icmp(struct raw *r, struct packet *p, const struct inet_flow *flow)
{
	bool v4 = r->protocol == IPPROTO_ICMP, ping = r->inet.node.kind == INET_PING;
	u32 pseudo = 0;
	u16 sum;

	if (p->length < 8 || !packet_linearize(p, 8))
		return ping ? -EINVAL : 0;
	if (ping) {
		if (p->data[0] != (v4 ? ICMP_ECHO : ICMPV6_ECHO_REQUEST) || p->data[1])
			return -EINVAL;
		store_net16(p->data + 4, r->inet.node.local_port);
	} else if (v4) {
		return 0; /* a raw sender computes its own */
	}
	p->data[2] = p->data[3] = 0;
	if (!v4)
		pseudo = checksum_pseudo(&flow->source, &flow->destination, p->length,
					 IPPROTO_ICMPV6);
	sum = (u16)~checksum_fold(packet_sum(p, 0, p->length, pseudo));
	memcpy(p->data + 2, &sum, 2);
	return 0;
}

/* A packet that comes with its own IPv4 header (IP_HDRINCL). */
static int send_with_header(struct raw *r, struct packet *p, const struct inet_flow *flow,
			    const struct route_result *route)
{
	struct ipv4_header *h;
	unsigned header;

	if (!packet_linearize(p, sizeof(*h)) || p->length > route->mtu) {
		int error = p->length > route->mtu ? -EMSGSIZE : -EINVAL;

		packet_free(p);
		return error;
	}
	h = (struct ipv4_header *)p->data;
	header = (h->version_length & 15) * 4u;
	if (header < sizeof(*h) || !packet_linearize(p, header)) {
		packet_free(p);
		return -EINVAL;
	}
	if (!h->source)
		h->source = inet_to_v4(&flow->source);
	h->total_length = net16((u16)p->length);
	h->checksum = 0;
	h->checksum = (u16)~checksum_fold(checksum_add(h, header, 0));
	p->protocol = 0x0800;
	p->network_header = (u16)packet_headroom(p);
	return inet_link_output(route->device, p, &route->next_hop);
}

static int transmit(struct raw *r, struct packet *p, struct inet_flow *flow, int device)
{
	struct inet_socket *s = &r->inet;
	struct route_result route;
	int error;

	rcu_read_lock();
	error = route_find(s->node.network, &flow->destination, &flow->source, device, &route);
	if (!error && inet_is_any(&flow->source))
		flow->source = route.source;
	if (!error && (r->protocol == IPPROTO_ICMP || r->protocol == IPPROTO_ICMPV6) &&
	    !(s->flags & INET_HEADER_INCLUDED))
		error = prepare_icmp(r, p, flow);
	if (error)
		packet_free(p);
	else if ((s->flags & INET_HEADER_INCLUDED) && inet_is_v4(&flow->destination))
		error = send_with_header(r, p, flow, &route);
	else
		error = inet_output(s->node.network, p, flow, &route);
	rcu_read_unlock();
	return error;
}

static ssize_t raw_send(struct socket *socket, struct socket_message *m)
{
	struct raw *r = raw_of(socket);
	struct inet_socket *s = &r->inet;
	struct inet_send_control control;
	struct inet_flow flow = { .source = s->node.local, .protocol = r->protocol };
	size_t n = m->data->remaining;
	struct packet *p;
	u32 scope = s->scope;
	u16 port;
	int error = socket_take_error(socket);

	if (!error && n > 65535)
		error = -EMSGSIZE;
	if (!error && m->address && m->address->length)
		error = inet_decode(&s->node, m->address, &flow.destination, &port, &scope);
	else if (!error && !s->node.remote_port)
		error = -EDESTADDRREQ;
	else
		flow.destination = s->node.remote;
	if (!error)
		error = inet_parse_control(m, &control);
	if (!error && s->node.kind == INET_PING && !s->node.binding) {
		spin_lock(&s->lock);
		error = port_bind(&ping_ports, &s->node, 0);
		spin_unlock(&s->lock);
	}
	if (error)
		return error;
	p = packet_alloc();
	if (!p)
		return -ENOBUFS;
	error = packet_append_iter(p, m->data, n);
	if (error) {
		packet_free(p);
		return error;
	}
	if (unlikely(socket->timestamping | control.stamps))
		inet_stamp(s, socket, p, control.stamps);
	bool v4 = inet_is_v4(&flow.destination);
	int ttl = control.ttl >= 0 ? control.ttl : v4 ? s->ttl : s->hops6;

	flow.tos = control.tos >= 0 ? (u8)control.tos : v4 ? s->tos : s->tclass;
	if (ttl > 0)
		flow.ttl = (u8)ttl;
	else if (inet_is_multicast(&flow.destination))
		flow.ttl = v4 ? s->multicast_ttl : s->multicast_hops6;
	if (!inet_is_any(&control.source))
		flow.source = control.source;
	flow.dont_fragment = s->path_mtu_discovery == IP_PMTUDISC_DO;
	if (!control.device_index)
		control.device_index = s->node.bound_device ? s->node.bound_device : (int)scope;
	error = transmit(r, p, &flow, control.device_index);
	return error ? error : (ssize_t)n;
}

static struct packet *first(struct raw *r, bool peek)
{
	struct packet *p;

	spin_lock(&r->inet.lock);
	if (peek) {
		p = r->received.head ? packet_clone(r->received.head) : nullptr;
	} else {
		p = packet_queue_take(&r->received);
		if (p)
			r->received_memory -= PACKET_COST + p->length;
	}
	spin_unlock(&r->inet.lock);
	return p;
}

static ssize_t raw_receive(struct socket *socket, struct socket_message *m)
{
	struct raw *r = raw_of(socket);
	const struct raw_received *received;
	struct packet *p;
	ssize_t result;
	size_t n;

	if (m->flags & MSG_ERRQUEUE)
		return inet_receive_error(&r->inet, m);
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	p = first(r, m->flags & MSG_PEEK);
	if (!p) {
		int error = socket_take_error(socket);

		return error ? error : socket->shutdown & SOCKET_SHUT_RECEIVE ? 0 : -EAGAIN;
	}
	received = (const struct raw_received *)p->control;
	n = MIN((size_t)p->length, m->data->remaining);
	if (n < p->length)
		m->flags_result |= MSG_TRUNC;
	result = m->flags & MSG_TRUNC ? (ssize_t)p->length : (ssize_t)n;
	if (packet_copy_to_iter(p, 0, m->data, n) < n)
		result = -EFAULT;
	if (m->address)
		inet_encode(&r->inet.node, &received->source, 0, (u32)received->device_index,
			    m->address);
	if (m->control)
		inet_put_packet_control(&r->inet, m, p, &received->destination,
					received->device_index, received->ttl, received->tos);
	packet_free(p);
	return result;
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
		return 0; /* ICMPv6 gets its checksum anyway */
	return inet_set_option(&r->inet, level, option, value, length);
}

static int raw_get_option(struct socket *socket, int level, int option, void *value, size_t *length)
{
	struct raw *r = raw_of(socket);

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
		spin_lock(&r->inet.lock);
		if (r->received.head)
			n = (int)r->received.head->length;
		spin_unlock(&r->inet.lock);
		[[fallthrough]];
	case SIOCOUTQ:
		return put_user(n, __force_user(int __user *, argument));
	default:
		return inet_ioctl(socket, request, argument);
	}
}

static u32 raw_ready(struct socket *socket) __no_lock_analysis
{
	struct raw *r = raw_of(socket);
	u32 ready = EPOLLOUT | EPOLLWRNORM;

	if (READ_ONCE(r->received.head))
		ready |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(socket->error) || READ_ONCE(r->inet.errors.head))
		ready |= EPOLLERR;
	return ready;
}

static void raw_release(struct socket *socket)
{
	struct raw *r = raw_of(socket), **link;
	struct packet_queue received;

	spin_lock(&list_lock);
	for (link = &sockets; *link != r;)
		link = &(*link)->next;
	rcu_assign(*link, r->next);
	spin_unlock(&list_lock);
	spin_lock(&r->inet.lock);
	r->inet.socket = nullptr;
	received = r->received;
	r->received = (struct packet_queue){};
	spin_unlock(&r->inet.lock);
	packet_queue_free(&received);
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
	if (protocol == IPPROTO_RAW)
		r->inet.flags |= INET_HEADER_INCLUDED;
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
	return container_of(s, struct raw, inet)->received_memory;
}

void raw_init(void)
{
	raw_cache = slab_cache_create("RAW", sizeof(struct raw), 0);
	port_table_init(&ping_ports, false);
}
