/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The routing table: a sorted array, copied to change it. */
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/local.h>
#include <net/route.h>
#include <net/route_exception.h>
#include <net/route_rule.h>
#include <sys/socket.h>

#define MTU_LEAST 68	/* RFC 791: room for the longest header and 8 bytes of a fragment */
#define ROUTES_MAX 4096 /* also bounds what router advertisements may add */

void (*net_route_event_hook)(int event, struct network_namespace *network,
			     const struct route *route);

static bool address_set(const struct inet_address *a)
{
	return a->halves[0] | a->halves[1];
}

/*
 * What is asked without rules stands first: of IPv4 the tables local and main together, so that a longer prefix in main beats a shorter
 * one in local, as on Linux; of IPv6 local, then main; then default, and whatever rules may name.
 */
enum { CLASS_IPV4, CLASS_LOCAL6, CLASS_MAIN6, CLASS_DEFAULT, CLASS_OTHERS };

static u32 class_of(const struct route *r)
{
	switch (r->table) {
	case RT_TABLE_LOCAL:
		return r->family == AF_INET ? CLASS_IPV4 : CLASS_LOCAL6;
	case RT_TABLE_MAIN:
		return r->family == AF_INET ? CLASS_IPV4 : CLASS_MAIN6;
	case RT_TABLE_DEFAULT:
		return CLASS_DEFAULT;
	default:
		return CLASS_OTHERS;
	}
}

static bool is_usual(const struct route *r)
{
	return class_of(r) < CLASS_OTHERS;
}

/* Which of two routes stands first. */
static bool before(const struct route *a, const struct route *b)
{
	u32 class = class_of(a), other = class_of(b);

	if (class != other)
		return class < other;
	if (class == CLASS_OTHERS && a->table != b->table)
		return a->table < b->table;
	if (a->prefix_length != b->prefix_length)
		return a->prefix_length > b->prefix_length;
	if (a->table != b->table) /* local and main of IPv4 */
		return a->table == RT_TABLE_LOCAL;
	return a->metric < b->metric;
}

/* The same route as far as the table is concerned: a second one is -EEXIST. */
static bool same(const struct route *a, const struct route *b)
{
	return a->table == b->table && a->family == b->family &&
	       a->prefix_length == b->prefix_length && a->metric == b->metric &&
	       inet_equal(&a->destination, &b->destination) &&
	       (a->family == AF_INET
			? a->type == b->type
			: a->device == b->device && inet_equal(&a->gateway, &b->gateway));
}

static void table_free(struct rcu_head *head)
{
	kfree(container_of(head, struct route_table, rcu));
}

static void publish(struct network_namespace *network, struct route_table *table)
{
	struct route_table *old = network->routes;

	rcu_assign(network->routes, table);
	__atomic_add_fetch(&network->generation, 1, __ATOMIC_RELEASE);
	if (old)
		rcu_call(&old->rcu, table_free);
}

static struct route_table *table_alloc(unsigned count)
{
	struct route_table *t = kmalloc(sizeof(*t) + count * sizeof(struct route), 0);

	if (t)
		t->count = count;
	return t;
}

static void tell(int event, struct network_namespace *network, const struct route *route)
{
	if (net_route_event_hook)
		net_route_event_hook(event, network, route);
}

/* What a router said gives way to what follows from an address that was set, and never takes its place (RFC 4862, 5.5.3). */
static bool may_replace(const struct route *old, const struct route *route, bool replace)
{
	if (route->advertised && !old->advertised)
		return false;
	return replace ||
	       (old->advertised && !route->advertised && route->protocol == RTPROT_KERNEL);
}

int route_add(struct network_namespace *network, const struct route *route, bool replace)
{
	const struct route_table *old = network->routes;
	unsigned count = old ? old->count : 0, at = count, skip = count;
	struct route_table *t;

	for (unsigned i = 0; i < count; i++)
		if (same(&old->routes[i], route)) {
			if (!may_replace(&old->routes[i], route, replace))
				return -EEXIST;
			skip = i;
		}
	if (count >= ROUTES_MAX)
		return -ENOSPC;
	t = table_alloc(count + (skip == count));
	if (!t)
		return -ENOMEM;
	at = 0;
	for (unsigned i = 0; i < count; i++)
		if (i != skip && !before(route, &old->routes[i]))
			t->routes[at++] = old->routes[i];
	t->routes[at++] = *route;
	for (unsigned i = 0; i < count; i++)
		if (i != skip && before(route, &old->routes[i]))
			t->routes[at++] = old->routes[i];
	publish(network, t);
	tell(RTM_NEWROUTE, network, route);
	return 0;
}

/* What a request to remove names; zero means any. */
static bool names(const struct route *match, const struct route *r)
{
	return r->family == match->family && r->prefix_length == match->prefix_length &&
	       inet_equal(&r->destination, &match->destination) &&
	       (!match->table || r->table == match->table) &&
	       (!match->metric || r->metric == match->metric) &&
	       (!match->type || r->type == match->type) &&
	       (!match->device || r->device == match->device) &&
	       (!match->advertised || r->advertised) &&
	       (!address_set(&match->gateway) || inet_equal(&r->gateway, &match->gateway));
}

static int remove_at(struct network_namespace *network, unsigned index)
{
	const struct route_table *old = network->routes;
	struct route gone = old->routes[index];
	struct route_table *t = table_alloc(old->count - 1);

	if (!t)
		return -ENOMEM;
	memcpy(t->routes, old->routes, index * sizeof(gone));
	memcpy(&t->routes[index], &old->routes[index + 1], (old->count - 1 - index) * sizeof(gone));
	publish(network, t);
	tell(RTM_DELROUTE, network, &gone);
	return 0;
}

int route_remove(struct network_namespace *network, const struct route *match)
{
	const struct route_table *t = network->routes;

	for (unsigned i = 0; t && i < t->count; i++)
		if (names(match, &t->routes[i]))
			return remove_at(network, i);
	return -ESRCH;
}

void routes_expire(struct network_namespace *network, u64 now)
{
	unsigned i = 0;

	while (network->routes && i < network->routes->count) {
		if (network->routes->routes[i].expires_ns > now)
			i++;
		else if (remove_at(network, i))
			return; /* no memory: the next tick tries again */
	}
}

void route_remove_device(struct network_namespace *network, const struct net_device *device)
{
	unsigned i = 0;

	while (network->routes && i < network->routes->count) {
		if (network->routes->routes[i].device != device)
			i++;
		else if (remove_at(network, i))
			return; /* no memory: they go with the next change */
	}
}

static bool matches(const struct route *r, u8 family, const struct route_query *q)
{
	if (r->family != family ||
	    !inet_prefix_matches(&r->destination, &q->destination, r->prefix_length))
		return false;
	if (q->device_index && r->device && r->device->index != q->device_index &&
	    r->type != RTN_LOCAL)
		return false;
	if (r->device && !(r->device->flags & IFF_UP))
		return false;
	return r->expires_ns == UINT64_MAX || r->expires_ns >= clock_monotonic_ns();
}

/* All tables that are asked without rules: one pass, as they stand first. */
static const struct route *look_up_usual(const struct route_table *t, const struct route_query *q)
{
	u8 family = inet_is_v4(&q->destination) ? AF_INET : AF_INET6;
	u32 thrown = 0; /* a route says that its table is not to be asked further */

	for (unsigned i = 0; t && i < t->count && is_usual(&t->routes[i]); i++) {
		const struct route *r = &t->routes[i];

		if (r->table == thrown || !matches(r, family, q))
			continue;
		if (r->type != RTN_THROW)
			return r;
		thrown = r->table;
	}
	return nullptr;
}

const struct route *route_look_up(const struct route_table *t, u32 table,
				  const struct route_query *q)
{
	u8 family = inet_is_v4(&q->destination) ? AF_INET : AF_INET6;

	for (unsigned i = 0; t && i < t->count; i++) {
		const struct route *r = &t->routes[i];

		if (r->table == table && matches(r, family, q))
			return r->type == RTN_THROW ? nullptr : r;
	}
	return nullptr;
}

int route_select(struct network_namespace *network, const struct route_query *q,
		 const struct route **out)
{
	const struct route_table *t = rcu_dereference(network->routes);
	const struct route_rules *rules = rcu_dereference(network->rules);

	if (unlikely(rules))
		return route_rules_look_up(network, rules, t, q, out);
	*out = look_up_usual(t, q);
	return *out ? 0 : -ENETUNREACH;
}

u32 route_device_mtu(const struct net_device *device, const struct inet_address *destination)
{
	if (inet_is_v4(destination))
		return device->mtu;
	return (u32)READ_ONCE(device->settings.ipv6[DEVCONF_MTU6]);
}

static void fill_source(struct network_namespace *network, const struct route *r,
			const struct route_query *q, struct route_result *out)
{
	if (r && address_set(&r->source))
		out->source = r->source;
	else
		out->source = route_choose_source(network, out->device, q);
}

static struct net_device *device_with(struct network_namespace *network,
				      const struct inet_address *address)
{
	for (struct net_device *d = rcu_dereference(network->devices); d;
	     d = rcu_dereference(d->next))
		for (struct net_address *a = rcu_dereference(d->addresses); a;
		     a = rcu_dereference(a->next))
			if (inet_equal(&a->address, address))
				return d;
	return nullptr;
}

/* Group addresses and 255.255.255.255 take the named device, that of the source, or the default. */
static int find_group(struct network_namespace *network, const struct route_query *q,
		      struct route_result *out)
{
	struct route_query any = *q;
	const struct route *r;

	if (q->device_index) {
		out->device = net_device_find(network, q->device_index);
	} else {
		bool v4 = inet_is_v4(&q->destination);

		if (v4 && address_set(&q->source) && !inet_is_any(&q->source))
			out->device = device_with(network, &q->source);
		any.destination = inet_from_v4(0);
		if (!out->device &&
		    (!route_select(network, q, &r) || (v4 && !route_select(network, &any, &r))))
			out->device = r->device;
	}
	if (!out->device || !(out->device->flags & IFF_UP))
		return -ENETUNREACH;
	out->type = inet_is_multicast(&q->destination) ? RTN_MULTICAST : RTN_BROADCAST;
	out->next_hop = q->destination;
	out->mtu = route_device_mtu(out->device, &q->destination);
	fill_source(network, nullptr, q, out);
	return 0;
}

static void except(const struct network_namespace *network, const struct route *r,
		   const struct inet_address *destination, struct route_result *out)
{
	const struct route_exception *e = route_exception_find(network, r, destination);

	if (likely(!e))
		return;
	out->expires_ns = e->expires_ns;
	out->redirected = address_set(&e->next_hop);
	if (out->redirected)
		out->next_hop = e->next_hop;
	out->narrowed = e->mtu && e->mtu < out->mtu && !r->mtu_locked;
	if (out->narrowed)
		out->mtu = e->mtu;
}

static void fill_result(struct network_namespace *network, const struct route *r,
			const struct route_query *q, struct route_result *out)
{
	const struct inet_address *destination = &q->destination;
	u32 mtu;

	out->device = r->type == RTN_LOCAL ? network->loopback : r->device;
	mtu = route_device_mtu(out->device, destination);
	out->type = r->type;
	out->next_hop = address_set(&r->gateway) ? r->gateway : *destination;
	out->mtu = r->mtu ? MIN(MAX(r->mtu, (u32)MTU_LEAST), mtu) : mtu;
	out->mtu_locked = r->mtu_locked;
	if (unlikely(network->exceptions))
		except(network, r, destination, out);
	if (address_set(&r->source))
		out->source = r->source;
	else if (r->type == RTN_LOCAL)
		out->source = *destination;
	else
		fill_source(network, r, q, out);
}

int route_find_query(struct network_namespace *network, const struct route_query *q,
		     struct route_result *out)
{
	const struct route *r;
	int error;

	*out = (struct route_result){};
	if (inet_is_multicast(&q->destination) || inet_is_limited_broadcast(&q->destination))
		return find_group(network, q, out);
	error = route_select(network, q, &r);
	if (error)
		return error;
	switch (r->type) {
	case RTN_UNREACHABLE:
		return -EHOSTUNREACH;
	case RTN_PROHIBIT:
		return -EACCES;
	case RTN_BLACKHOLE:
		return -EINVAL;
	default:
		fill_result(network, r, q, out);
		return 0;
	}
}

int route_find(struct network_namespace *network, const struct inet_address *destination,
	       const struct inet_address *source, int device_index, struct route_result *out)
{
	struct route_query query = { .destination = *destination,
				     .source = *source,
				     .device_index = device_index };

	return route_find_query(network, &query, out);
}

unsigned route_address_type(struct network_namespace *network, const struct inet_address *address,
			    int device_index)
{
	const struct route_table *t = rcu_dereference(network->routes);
	struct route_query q = { .destination = *address };
	u8 family = inet_is_v4(address) ? AF_INET : AF_INET6;

	(void)device_index;
	if (inet_is_multicast(address))
		return RTN_MULTICAST;
	if (inet_is_limited_broadcast(address))
		return RTN_BROADCAST;
	for (unsigned i = 0; t && i < t->count && class_of(&t->routes[i]) <= CLASS_LOCAL6; i++) {
		const struct route *r = &t->routes[i];

		if (r->table == RT_TABLE_LOCAL && matches(r, family, &q))
			return r->type == RTN_LOCAL || r->type == RTN_BROADCAST ? r->type
										: RTN_UNICAST;
	}
	return RTN_UNICAST;
}
