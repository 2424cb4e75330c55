/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Neighbour discovery and stateless address configuration (RFC 4861, RFC 4862). Answers come from
 * the receive path; what changes addresses or routes is handed to the work thread, at most
 * PENDING_MAX at a time.
 */
#include <core/time.h>
#include <core/work.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/ipv6/ipv6.h>
#include <net/local.h>
#include <net/namespace.h>
#include <sys/socket.h>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

enum {
	ROUTER_SOLICITATION = 133,
	ROUTER_ADVERTISEMENT = 134,
	NEIGHBOUR_SOLICITATION = 135,
	NEIGHBOUR_ADVERTISEMENT = 136,
};
enum { OPTION_SOURCE_LINK = 1, OPTION_TARGET_LINK = 2, OPTION_PREFIX = 3 };

#define FLAG_ROUTER 0x80
#define FLAG_SOLICITED 0x40
#define FLAG_OVERRIDE 0x20
#define PENDING_MAX 16
#define ADDRESSES_MAX 16 /* of one device, from advertisements */
#define ROUTERS_MAX 8	 /* of a network: an attacker can name as many as it likes */
#define SOLICITATIONS_MAX 3
#define SOLICITATION_NS (4 * NSEC_PER_SEC)
#define TWO_HOURS (7200 * NSEC_PER_SEC)

static void append_link_option(struct packet *p, u8 type, const struct net_device *device)
{
	u8 *o = packet_append(p, 8);

	o[0] = type;
	o[1] = 1;
	memcpy(o + 2, device->address, 6);
}

static struct packet *message(u8 type, u32 flags, const struct inet_address *target)
{
	struct packet *p = packet_alloc();
	u8 *h;

	if (!p)
		return nullptr;
	h = packet_append(p, target ? 24 : 8);
	memset(h, 0, 8);
	h[0] = type;
	h[4] = (u8)flags;
	if (target)
		memcpy(h + 8, target, 16);
	return p;
}

void ndp_solicit(struct net_device *device, const struct inet_address *target)
{
	struct inet_flow flow = { .protocol = IPPROTO_ICMPV6, .ttl = 255 };
	struct packet *p = message(NEIGHBOUR_SOLICITATION, 0, target);

	if (!p)
		return;
	append_link_option(p, OPTION_SOURCE_LINK, device);
	flow.destination = inet_solicited_group(target);
	icmpv6_finish_and_send(device->network, p, &flow, device->index);
}

void ndp_probe(struct net_device *device, const struct inet_address *target)
{
	struct inet_flow flow = { .protocol = IPPROTO_ICMPV6,
				  .ttl = 255,
				  .destination = inet_solicited_group(target),
				  .no_loop = true }; /* which keeps the source unset, too */
	struct packet *p = message(NEIGHBOUR_SOLICITATION, 0, target);

	if (p)
		icmpv6_finish_and_send(device->network, p, &flow, device->index);
}

static void solicit_routers(struct net_device *device)
{
	struct inet_flow flow = { .protocol = IPPROTO_ICMPV6,
				  .ttl = 255,
				  .destination = { .bytes = { 0xff, 2, [15] = 2 } } };
	struct packet *p = message(ROUTER_SOLICITATION, 0, nullptr);

	if (!p)
		return;
	append_link_option(p, OPTION_SOURCE_LINK, device);
	icmpv6_finish_and_send(device->network, p, &flow, device->index);
}

void ndp_solicit_routers(struct net_device *device)
{
	device->router_solicitations = 0;
	WRITE_ONCE(device->router_solicitation_ns, clock_monotonic_ns() + NSEC_PER_SEC);
}

void ndp_tick(struct network_namespace *network)
{
	u64 now = clock_monotonic_ns();

	for (struct net_device *d = rcu_dereference(network->devices); d;
	     d = rcu_dereference(d->next)) {
		u64 at = READ_ONCE(d->router_solicitation_ns);

		if (!at || at > now)
			continue;
		WRITE_ONCE(d->router_solicitation_ns, ++d->router_solicitations < SOLICITATIONS_MAX
							      ? now + SOLICITATION_NS
							      : 0);
		if (d->flags & IFF_UP)
			solicit_routers(d);
	}
}

/* The first option of a type with at least `size` bytes; null if none, or the options are damaged. */
static const u8 *find_option(const struct packet *p, unsigned offset, u8 type, unsigned size)
{
	while (offset + 8 <= p->linear) {
		const u8 *o = p->data + offset;
		unsigned length = o[1] * 8u;

		if (!length || offset + length > p->linear)
			return nullptr;
		if (o[0] == type && length >= size)
			return o;
		offset += length;
	}
	return nullptr;
}

static const struct net_address *find_ours(const struct net_device *device,
					   const struct inet_address *target)
{
	const struct net_address *a = rcu_dereference(device->addresses);

	while (a && !inet_equal(&a->address, target))
		a = rcu_dereference(a->next);
	return a;
}

static void solicited(struct packet *p, const struct inet_info *info)
{
	const u8 *link = find_option(p, 24, OPTION_SOURCE_LINK, 8);
	struct inet_flow flow = { .destination = info->source,
				  .protocol = IPPROTO_ICMPV6,
				  .ttl = 255 };
	bool asks = !inet_is_any(&info->source);
	const struct net_address *ours;
	struct packet *answer;

	memcpy(&flow.source, p->data + 8, 16);
	ours = find_ours(info->device, &flow.source);
	if (!ours)
		return;
	if (!asks)
		dad_heard(info->device, ours, p->room + p->link_header + 6);
	if (link && asks)
		neighbour_update(info->device, &info->source, link + 2, false, true, true);
	if (!asks) /* somebody looks whether the address is free */
		flow.destination = (struct inet_address){ .bytes = { 0xff, 2, [15] = 1 } };
	answer = message(NEIGHBOUR_ADVERTISEMENT, (asks ? FLAG_SOLICITED : 0) | FLAG_OVERRIDE,
			 &flow.source);
	if (!answer)
		return;
	append_link_option(answer, OPTION_TARGET_LINK, info->device);
	icmpv6_finish_and_send(info->network, answer, &flow, info->device->index);
}

static void advertised(struct packet *p, const struct inet_info *info)
{
	const u8 *link = find_option(p, 24, OPTION_TARGET_LINK, 8);
	const struct net_address *ours;
	struct inet_address target;

	memcpy(&target, p->data + 8, 16);
	ours = find_ours(info->device, &target);
	if (link && ours)
		dad_heard(info->device, ours, link + 2);
	else if (link)
		neighbour_update(info->device, &target, link + 2, p->data[4] & FLAG_SOLICITED,
				 p->data[4] & FLAG_OVERRIDE, false);
}

/* A router's word, on its way to the work thread. */
struct advertisement {
	struct work work;
	struct network_namespace *network; /* a node of it */
	int device;			   /* index: it may be gone by then */
	struct inet_address router, prefix;
	u32 router_lifetime, valid, preferred;
	u8 prefix_length;
	bool on_link, autonomous;
};
static unsigned pending; /* atomic */

static u64 until(u32 seconds)
{
	return seconds == UINT32_MAX ? UINT64_MAX : clock_monotonic_ns() + seconds * NSEC_PER_SEC;
}

/* A word of no proven origin shortens the life of an address to two hours at most (RFC 4862, 5.5.3). */
static void extend(struct net_address *old, const struct net_address *new)
{
	u64 soon = clock_monotonic_ns() + TWO_HOURS;

	if (new->valid_until_ns > soon || new->valid_until_ns > old->valid_until_ns)
		old->valid_until_ns = new->valid_until_ns;
	else if (old->valid_until_ns > soon)
		old->valid_until_ns = soon;
	old->preferred_until_ns = new->preferred_until_ns;
	if (old->preferred_until_ns > clock_monotonic_ns())
		old->flags &= ~(u32)IFA_F_DEPRECATED;
}

static bool room_for_router(const struct network_namespace *network, const struct route *router)
{
	const struct route_table *t = network->routes;
	unsigned count = 0;

	for (unsigned i = 0; t && i < t->count; i++)
		if (t->routes[i].protocol == RTPROT_RA &&
		    !inet_equal(&t->routes[i].gateway, &router->gateway))
			count++;
	return count < ROUTERS_MAX;
}

static void add_address(struct net_device *device, const struct advertisement *ra)
	__must_hold(&device->network->config)
{
	struct net_address a = { .address = ra->prefix,
				 .prefix_length = 64,
				 .scope = RT_SCOPE_UNIVERSE,
				 .valid_until_ns = until(ra->valid),
				 .preferred_until_ns = until(ra->preferred) };
	unsigned count = 0;

	for (struct net_address *old = device->addresses; old; old = old->next) {
		if (inet_is_v4(&old->address))
			continue;
		count++;
		if (inet_is_link_local(&old->address))
			memcpy(a.address.bytes + 8, old->address.bytes + 8, 8);
	}
	for (struct net_address *old = device->addresses; old; old = old->next)
		if (inet_equal(&old->address, &a.address)) {
			if (!(old->flags & IFA_F_PERMANENT)) {
				extend(old, &a);
			}
			return;
		}
	if (count < ADDRESSES_MAX && (device->flags & IFF_UP))
		(void)!net_address_add(device, &a);
}

/* The analysis does not see that the device found is of this network. */
static void apply(struct work *work) __no_lock_analysis
{
	struct advertisement *ra = container_of(work, struct advertisement, work);
	struct network_namespace *network = ra->network;
	struct net_device *device;
	struct route r = { .family = AF_INET6,
			   .gateway = ra->router,
			   .type = RTN_UNICAST,
			   .protocol = RTPROT_RA,
			   .table = RT_TABLE_MAIN,
			   .metric = 1024,
			   .expires_ns = until(ra->router_lifetime) };

	mutex_lock(&network->config);
	r.device = device = net_device_find(network, ra->device);
	if (!device)
		goto out;
	if (!ra->router_lifetime)
		(void)!route_remove(network, &r);
	else if (room_for_router(network, &r))
		(void)!route_add(network, &r, true);
	if (ra->autonomous && ra->prefix_length == 64 && ra->valid && ra->preferred <= ra->valid)
		add_address(device, ra);
out:
	mutex_unlock(&network->config);
	network_node_put(network);
	__atomic_sub_fetch(&pending, 1, __ATOMIC_RELAXED);
	kfree(ra);
}

static void router_advertised(struct packet *p, const struct inet_info *info)
{
	struct advertisement *ra;
	const u8 *link, *prefix;

	if (p->linear < 16 || !inet_is_link_local(&info->source))
		return;
	WRITE_ONCE(info->device->router_solicitation_ns, 0);
	link = find_option(p, 16, OPTION_SOURCE_LINK, 8);
	prefix = find_option(p, 16, OPTION_PREFIX, 32);
	if (link)
		neighbour_update(info->device, &info->source, link + 2, false, true, true);
	if (__atomic_load_n(&pending, __ATOMIC_RELAXED) >= PENDING_MAX)
		return;
	ra = kzalloc(sizeof(*ra), ALLOC_ATOMIC);
	if (!ra)
		return;
	ra->network = info->network;
	network_node_get(ra->network);
	ra->device = info->device->index;
	ra->router = info->source;
	ra->router_lifetime = load_net16(p->data + 6);
	if (prefix) {
		ra->prefix_length = prefix[2];
		ra->autonomous = prefix[3] & 0x40;
		ra->valid = load_net32(prefix + 4);
		ra->preferred = load_net32(prefix + 8);
		memcpy(&ra->prefix, prefix + 16, 16);
		if (inet_is_link_local(&ra->prefix) || inet_is_multicast(&ra->prefix))
			ra->autonomous = false;
	}
	__atomic_add_fetch(&pending, 1, __ATOMIC_RELAXED);
	work_init(&ra->work, apply);
	work_queue(&ra->work);
}

void ndp_input(struct packet *p, const struct inet_info *info)
{
	/* Nothing that crossed a router is believed (RFC 4861, 6.1 and 7.1). */
	if (info->ttl != 255 || p->data[1] != 0 ||
	    !packet_linearize(p, MIN(p->length, (unsigned)(PACKET_ROOM - packet_headroom(p)))))
		return;
	switch (p->data[0]) {
	case NEIGHBOUR_SOLICITATION:
		if (p->linear >= 24)
			solicited(p, info);
		break;
	case NEIGHBOUR_ADVERTISEMENT:
		if (p->linear >= 24)
			advertised(p, info);
		break;
	case ROUTER_ADVERTISEMENT:
		router_advertised(p, info);
		break;
	}
}
