/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Internet sockets: life, addresses, binding, the route in use. */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/filter.h>
#include <net/flow_label.h>
#include <net/inet_socket.h>
#include <net/multicast.h>
#include <net/namespace.h>
#include <obj/credentials.h>

#include <linux/rtnetlink.h>

void inet_node_put_last(struct inet_node *n)
{
	network_node_put(n->network);
	rcu_call(&n->rcu, n->free);
}

void inet_socket_init(struct inet_socket *s, struct socket *socket, enum inet_kind kind,
		      void (*free)(struct rcu_head *head)) __no_lock_analysis
{
	s->node.refs = 1;
	s->node.kind = (u8)kind;
	s->node.family = (u8)socket->family;
	s->node.network = socket->network;
	network_node_get(s->node.network);
	s->node.free = free;
	s->node.uid = current_credentials()->euid;
	if (socket->family == AF_INET)
		s->node.local = s->node.remote = inet_from_v4(0);
	spin_init(&s->lock, RANK_NET_SOCKET);
	s->socket = socket;
	s->ttl = s->hops6 = -1;
	s->multicast_ttl = s->multicast_hops6 = 1;
	s->multicast_loop = s->multicast_loop6 = true;
	s->flags = INET_MULTICAST_ALL | INET6_MULTICAST_ALL;
	if (socket->network->sysctl.ipv6_auto_flow_labels & 1)
		s->flags |= INET6_AUTO_FLOW_LABEL;
	s->path_mtu_discovery = socket->type == SOCK_STREAM || socket->type == SOCK_DGRAM
					? IP_PMTUDISC_WANT
					: IP_PMTUDISC_DONT;
}

static void drop_membership(struct inet_socket *s, struct inet_membership *m)
{
	struct net_device *device;

	rcu_read_lock();
	device = net_device_find(s->node.network, m->device_index);
	if (device)
		multicast_leave(device, &m->group);
	rcu_read_unlock();
	kfree(m);
}

void inet_socket_release(struct inet_socket *s)
{
	inet_extensions_release(s);
	if (s->node.selector)
		(void)socket_program_detach(&s->node.selector);

	struct packet_queue errors;
	struct inet_membership *memberships;
	struct flow_lease *leases;

	spin_lock(&s->lock);
	errors = s->errors;
	s->errors = (struct packet_queue){};
	memberships = s->memberships;
	leases = s->flow_leases;
	s->flow_leases = nullptr;
	s->memberships = nullptr;
	spin_unlock(&s->lock);
	if (unlikely(leases))
		inet_flow_labels_release(leases);
	packet_queue_free(&errors);
	while (memberships) {
		struct inet_membership *next = memberships->next;

		drop_membership(s, memberships);
		memberships = next;
	}
}

/* RFC 4007: addresses that are of one link only. */
static bool needs_scope(const struct inet_address *a)
{
	if (a->bytes[0] == 0xff)
		return (a->bytes[1] & 15) == 1 || (a->bytes[1] & 15) == 2;
	return a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

int inet_decode(const struct inet_node *n, const struct socket_address *from,
		struct inet_address *address, u16 *port, u32 *scope)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&from->storage;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&from->storage;

	*scope = 0;
	if (from->length < sizeof(from->family))
		return -EINVAL;
	if (from->family == AF_INET) {
		if (n->family == AF_INET6 && n->v6_only)
			return -EAFNOSUPPORT;
		if (from->length < sizeof(*in))
			return -EINVAL;
		*address = inet_from_v4(in->sin_addr.s_addr);
		*port = net16(in->sin_port);
		return 0;
	}
	if (from->family != AF_INET6 || n->family != AF_INET6)
		return n->family == AF_INET6 && from->length < 24 ? -EINVAL : -EAFNOSUPPORT;
	if (from->length < 24) /* without sin6_scope_id, as RFC 2133 had it */
		return -EINVAL;
	memcpy(address, &in6->sin6_addr, sizeof(*address));
	*port = net16(in6->sin6_port);
	/* Of other addresses it means nothing, and programs leave anything there. */
	if (from->length >= sizeof(*in6) && needs_scope(address))
		*scope = in6->sin6_scope_id;
	return 0;
}

int inet_decode_remote(const struct inet_node *n, const struct socket_address *from,
		       struct inet_address *address, u16 *port, u32 *scope)
{
	int error = inet_decode(n, from, address, port, scope);

	if (error || !inet_is_any(address))
		return error;
	if (inet_is_v4(address))
		*address = inet_from_v4(net32(INADDR_LOOPBACK));
	else
		address->bytes[15] = 1;
	return 0;
}

void inet_encode(const struct inet_node *n, const struct inet_address *address, u16 port, u32 scope,
		 struct socket_address *to)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&to->storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&to->storage;

	if (n->family == AF_INET) {
		*in = (struct sockaddr_in){ .sin_family = AF_INET,
					    .sin_port = net16(port),
					    .sin_addr.s_addr = inet_to_v4(address) };
		to->length = sizeof(*in);
		return;
	}
	*in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = net16(port) };
	memcpy(&in6->sin6_addr, address, sizeof(*address));
	in6->sin6_scope_id = inet_is_link_local(address) && !inet_is_v4(address) ? scope : 0;
	to->length = sizeof(*in6);
}

int inet_check_local(struct inet_socket *s, const struct inet_address *address, u32 scope)
{
	unsigned type;

	const struct network_sysctl *sysctl = &s->node.network->sysctl;

	if (inet_is_any(address) || (s->flags & (INET_FREEBIND | INET_TRANSPARENT)) ||
	    (inet_is_v4(address) ? sysctl->ip_nonlocal_bind : sysctl->ipv6_nonlocal_bind))
		return 0;
	if (!inet_is_v4(address) && inet_is_link_local(address) && !scope && !s->node.bound_device)
		return -EINVAL;
	rcu_read_lock();
	type = route_address_type(s->node.network, address, 0);
	rcu_read_unlock();
	if (type == RTN_LOCAL)
		return 0;
	if (s->node.kind != INET_TCP && (type == RTN_MULTICAST || type == RTN_BROADCAST))
		return 0;
	return -EADDRNOTAVAIL;
}

static bool port_needs_privilege(const struct inet_socket *s, u16 port)
{
	return port && port < s->node.network->sysctl.unprivileged_port_start &&
	       !capable(CAP_NET_BIND_SERVICE);
}

/* Whether bind(2) takes the address of this family at all; AF_UNSPEC with 0.0.0.0 is AF_INET. */
static int decode_for_bind(struct inet_socket *s, const struct socket_address *address,
			   struct inet_address *local, u16 *port, u32 *scope)
{
	struct socket_address copy = *address;
	const struct sockaddr_in *in = (const struct sockaddr_in *)&copy.storage;

	if (s->node.family == AF_INET && copy.length >= sizeof(*in) && copy.family == AF_UNSPEC &&
	    in->sin_addr.s_addr == 0)
		copy.family = AF_INET;
	if (s->node.family == AF_INET && copy.length < sizeof(*in))
		return -EINVAL;
	if (s->node.family == AF_INET6 && copy.length < 24)
		return -EINVAL;
	if (copy.family != s->node.family)
		return -EAFNOSUPPORT;
	return inet_decode(&s->node, &copy, local, port, scope);
}

int inet_bind(struct port_table *t, struct inet_socket *s, const struct socket_address *address)
{
	struct inet_address local;
	u32 scope, options;
	u16 port;
	int error = decode_for_bind(s, address, &local, &port, &scope);

	if (!error)
		error = inet_check_local(s, &local, scope);
	if (error)
		return error;
	if (s->node.family == AF_INET6 && s->node.v6_only && inet_is_v4(&local))
		return -EINVAL;
	if (port_needs_privilege(s, port))
		return -EACCES;
	spin_lock(&s->lock);
	if (!s->socket || s->node.binding || s->node.local_port) {
		spin_unlock(&s->lock);
		return -EINVAL;
	}
	options = s->socket->options;
	s->node.reuse_address = options & SOCKET_REUSE_ADDRESS;
	s->node.reuse_port = options & SOCKET_REUSE_PORT;
	s->node.bound_device = s->socket->bound_device;
	if (!s->node.bound_device && scope)
		s->node.bound_device = (int)scope;
	struct inet_address before = s->node.local;

	s->node.local = local;
	/* IP_BIND_ADDRESS_NO_PORT: connect chooses one, for all addresses of both sides. */
	s->node.explicit_port = port || !(s->flags & INET_BIND_NO_PORT);
	s->node.explicit_address = !inet_is_any(&local);
	error = s->node.explicit_port ? port_bind(t, &s->node, port) : 0;
	if (error) {
		s->node.local = before;
		s->node.explicit_port = s->node.explicit_address = false;
	}
	spin_unlock(&s->lock);
	return error;
}

int inet_name(struct inet_socket *s, bool peer, struct socket_address *out)
{
	if (peer && !s->node.remote_port)
		return -ENOTCONN;
	if (peer)
		inet_encode(&s->node, &s->node.remote, s->node.remote_port, s->scope, out);
	else
		inet_encode(&s->node, &s->node.local, s->node.local_port, s->scope, out);
	return 0;
}

static u8 protocol_of(const struct inet_socket *s) __must_hold(&s->lock)
{
	switch (s->node.kind) {
	case INET_TCP:
		return IPPROTO_TCP;
	case INET_PING:
		return s->node.family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	case INET_UDP:
		if (!s->socket || s->socket->protocol != IPPROTO_UDPLITE)
			return IPPROTO_UDP;
		[[fallthrough]];
	default:
		return s->socket ? (u8)s->socket->protocol : 0;
	}
}

void inet_fill_hops(const struct inet_socket *s, struct inet_flow *flow)
{
	bool v4 = inet_is_v4(&flow->destination);
	int ttl = v4 ? s->ttl : s->hops6;

	if (inet_is_multicast(&flow->destination)) {
		flow->ttl = v4 ? s->multicast_ttl : s->multicast_hops6;
		flow->no_loop = !(v4 ? s->multicast_loop : s->multicast_loop6);
	} else if (ttl > 0) {
		flow->ttl = (u8)ttl;
	}
}

int inet_device_for(const struct inet_socket *s, const struct inet_address *destination)
{
	if (s->node.bound_device || !inet_is_multicast(destination))
		return s->node.bound_device;
	return s->multicast_device;
}

static int find_route(struct inet_socket *s, u32 generation) __must_hold(&s->lock)
{
	struct network_namespace *network = s->node.network;
	struct route_query query = { .destination = s->node.remote,
				     .device_index = s->node.bound_device ? s->node.bound_device
									  : (int)s->scope,
				     .mark = s->socket ? (u32)s->socket->mark : 0,
				     .uid = s->node.uid,
				     .preferences = s->address_preferences,
				     .tos = s->tos,
				     .protocol = protocol_of(s),
				     .source_port = s->node.local_port,
				     .destination_port = s->node.remote_port };
	int error;

	if (!query.device_index && inet_is_multicast(&s->node.remote))
		query.device_index = s->multicast_device;
	if (!inet_is_any(&s->node.local))
		query.source = s->node.local;
	error = route_find_query(network, &query, &s->route);
	s->route_valid = !error;
	s->route_generation = generation;
	return error;
}

int inet_route(struct inet_socket *s)
{
	u32 generation = __atomic_load_n(&s->node.network->generation, __ATOMIC_ACQUIRE);

	if (likely(s->route_valid && s->route_generation == generation))
		return 0;
	return find_route(s, generation);
}
