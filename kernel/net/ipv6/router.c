/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routers of a link: asking for them, and what they say: default routes, prefixes, addresses made of them, limits (RFC 4861 section
 * 6.3, RFC 4862 section 5.5). Advertisements come by the receive path; what they change is handed to the work thread, at most
 * PENDING_MAX at a time. Whatever a link says is bounded: routers, prefixes and addresses by number, times and sizes by range.
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

#define PENDING_MAX 16
#define ROUTERS_MAX 8	  /* of a network: an attacker can name as many as it likes */
#define PREFIXES_MAX 16	  /* the same */
#define PREFIXES_OF_ONE 8 /* in one advertisement */
#define TWO_HOURS (7200 * NSEC_PER_SEC)
#define REACHABLE_MS_MAX 3600000u /* RFC 4861, 6.2.1 */
#define RETRANS_MS_MIN 100u
#define RETRANS_MS_MAX 60000u
#define IPV6_MTU_MIN 1280u

/* --- Asking --- */

/* net.ipv6.conf.*.accept_ra: a router listens to others only if it is told to. */
static bool listens(const struct net_device *device)
{
	s32 accept = READ_ONCE(device->settings.ipv6[DEVCONF_ACCEPT_RA]);

	return READ_ONCE(device->settings.ipv6[DEVCONF_FORWARDING]) ? accept == ACCEPT_RA_ALWAYS
								    : accept != ACCEPT_RA_NEVER;
}

static void solicit_routers(struct net_device *device)
{
	struct inet_flow flow = { .protocol = IPPROTO_ICMPV6,
				  .ttl = 255,
				  .tos = ndp_class(device),
				  .destination = { .bytes = { 0xff, 2, [15] = 2 } } };
	struct packet *p = ndp_message(ROUTER_SOLICITATION, 0, nullptr);

	if (!p)
		return;
	ndp_append_link(p, OPTION_SOURCE_LINK, device);
	icmpv6_finish_and_send(device->network, p, &flow, device->index);
}

static u64 seconds_setting(const struct net_device *device, unsigned number)
{
	s32 seconds = READ_ONCE(device->settings.ipv6[number]);

	return (u64)MAX(seconds, 1) * NSEC_PER_SEC;
}

void ndp_solicit_routers(struct net_device *device)
{
	device->router_solicitations = 0;
	WRITE_ONCE(device->router_solicitation_ns,
		   clock_monotonic_ns() + seconds_setting(device, DEVCONF_RTR_SOLICIT_DELAY));
}

/* One was sent: when the next is due, each twice as late as the one before (RFC 7559); 0: no more. */
static u64 next_solicitation(struct net_device *device, u64 now)
{
	s32 most = READ_ONCE(device->settings.ipv6[DEVCONF_RTR_SOLICITS]);
	unsigned sent = (unsigned)++device->router_solicitations;
	u64 delay = seconds_setting(device, DEVCONF_RTR_SOLICIT_INTERVAL) << MIN(sent - 1, 16u);

	if (most >= 0 && sent >= (unsigned)most)
		return 0;
	return now + MIN(delay, seconds_setting(device, DEVCONF_RTR_SOLICIT_MAX_INTERVAL));
}

static void solicit_if_due(struct net_device *d, u64 now)
{
	u64 at = READ_ONCE(d->router_solicitation_ns);

	if (!at || at > now)
		return;
	if (!(d->flags & IFF_UP) || !listens(d) || !d->settings.ipv6[DEVCONF_RTR_SOLICITS]) {
		WRITE_ONCE(d->router_solicitation_ns, 0);
		return;
	}
	WRITE_ONCE(d->router_solicitation_ns, next_solicitation(d, now));
	solicit_routers(d);
}

void ndp_tick(struct network_namespace *network)
{
	u64 now = clock_monotonic_ns();

	for (struct net_device *d = rcu_dereference(network->devices); d;
	     d = rcu_dereference(d->next)) {
		solicit_if_due(d, now);
		dad_tick(d);
	}
}

/* --- Listening --- */

struct advertised_prefix {
	struct inet_address prefix;
	u32 valid, preferred;
	u8 length;
	bool on_link, autonomous;
};

/* A router's word, on its way to the work thread. */
struct advertisement {
	struct work work;
	struct network_namespace *network; /* a node of it */
	int device;			   /* index: it may be gone by then */
	struct inet_address router;
	u32 router_lifetime, reachable_ms, retrans_ms, mtu;
	u8 hop_limit;
	unsigned prefixes;
	struct advertised_prefix prefix[PREFIXES_OF_ONE];
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

/* Routes that advertisements made, others than this one: of routers, or of prefixes. */
static unsigned count_advertised(const struct network_namespace *network, const struct route *other)
{
	const struct route_table *t = network->routes;
	bool of_router = !inet_is_any(&other->gateway);
	unsigned count = 0;

	for (unsigned i = 0; t && i < t->count; i++) {
		const struct route *r = &t->routes[i];

		if (r->advertised && !inet_is_any(&r->gateway) == of_router &&
		    !(inet_equal(&r->gateway, &other->gateway) &&
		      inet_equal(&r->destination, &other->destination)))
			count++;
	}
	return count;
}

static void set_route(struct network_namespace *network, const struct route *r, bool lives,
		      unsigned most) __must_hold(&network->config)
{
	if (!lives)
		(void)!route_remove(network, r);
	else if (count_advertised(network, r) < most)
		(void)!route_add(network, r, true);
}

static void set_router(struct net_device *device, const struct advertisement *ra)
	__must_hold(&device->network->config)
{
	struct route r = { .family = AF_INET6,
			   .gateway = ra->router,
			   .type = RTN_UNICAST,
			   .protocol = RTPROT_RA,
			   .table = RT_TABLE_MAIN,
			   .metric = (u32)device->settings.ipv6[DEVCONF_RA_DEFRTR_METRIC],
			   .device = device,
			   .advertised = true,
			   .expires_ns = until(ra->router_lifetime) };

	set_route(device->network, &r, ra->router_lifetime, ROUTERS_MAX);
}

static void set_prefix(struct net_device *device, const struct advertised_prefix *prefix)
	__must_hold(&device->network->config)
{
	struct route r = { .destination = prefix->prefix,
			   .family = AF_INET6,
			   .prefix_length = prefix->length,
			   .type = RTN_UNICAST,
			   .protocol = RTPROT_KERNEL,
			   .table = RT_TABLE_MAIN,
			   .metric = 256,
			   .device = device,
			   .advertised = true,
			   .expires_ns = until(prefix->valid) };

	inet_mask(&r.destination, prefix->length);
	set_route(device->network, &r, prefix->valid, PREFIXES_MAX);
}

/* Those that were made of prefixes; what an administrator gave is not a router's to change. */
static void set_address(struct net_device *device, const struct advertised_prefix *prefix)
	__must_hold(&device->network->config)
{
	struct net_address a = { .address = prefix->prefix,
				 .prefix_length = 64,
				 .scope = RT_SCOPE_UNIVERSE,
				 .protocol = IFAPROT_KERNEL_RA,
				 .flags = IFA_F_MANAGETEMPADDR,
				 .valid_until_ns = until(prefix->valid),
				 .preferred_until_ns = until(prefix->preferred) };
	s32 most = device->settings.ipv6[DEVCONF_MAX_ADDRESSES], count = 0;
	struct inet_address identifier = net_address_link_local(device);

	for (struct net_address *old = device->addresses; old; old = old->next) {
		if (inet_is_v4(&old->address))
			continue;
		count++;
		if (old->protocol == IFAPROT_KERNEL_LL)
			identifier = old->address;
	}
	memcpy(a.address.bytes + 8, identifier.bytes + 8, 8);
	for (struct net_address *old = device->addresses; old; old = old->next)
		if (inet_equal(&old->address, &a.address)) {
			if (old->protocol == IFAPROT_KERNEL_RA) {
				extend(old, &a);
				net_temporary_addresses_follow(device, old);
			}
			return;
		}
	if (prefix->valid && (count < most || !most) && (device->flags & IFF_UP))
		(void)!net_address_add(device, &a);
}

static void set_limits(struct net_device *device, const struct advertisement *ra)
{
	struct device_settings *s = &device->settings;

	if (ra->hop_limit && ra->hop_limit >= s->ipv6[DEVCONF_ACCEPT_RA_MIN_HOP_LIMIT])
		WRITE_ONCE(s->ipv6[DEVCONF_HOPLIMIT], ra->hop_limit);
	if (ra->reachable_ms && ra->reachable_ms <= REACHABLE_MS_MAX)
		WRITE_ONCE(s->neighbour[1][NDTPA_BASE_REACHABLE_TIME], (s32)ra->reachable_ms);
	if (ra->retrans_ms >= RETRANS_MS_MIN && ra->retrans_ms <= RETRANS_MS_MAX)
		WRITE_ONCE(s->neighbour[1][NDTPA_RETRANS_TIME], (s32)ra->retrans_ms);
	if (s->ipv6[DEVCONF_ACCEPT_RA_MTU] && ra->mtu >= IPV6_MTU_MIN && ra->mtu <= device->mtu &&
	    (s32)ra->mtu != s->ipv6[DEVCONF_MTU6]) {
		WRITE_ONCE(s->ipv6[DEVCONF_MTU6], (s32)ra->mtu);
		__atomic_add_fetch(&device->network->generation, 1, __ATOMIC_RELEASE);
	}
}

static void apply_to(struct net_device *device, const struct advertisement *ra)
	__must_hold(&device->network->config)
{
	const s32 *settings = device->settings.ipv6;

	if (settings[DEVCONF_ACCEPT_RA_DEFRTR])
		set_router(device, ra);
	set_limits(device, ra);
	for (unsigned i = 0; settings[DEVCONF_ACCEPT_RA_PINFO] && i < ra->prefixes; i++) {
		if (ra->prefix[i].on_link)
			set_prefix(device, &ra->prefix[i]);
		if (ra->prefix[i].autonomous && settings[DEVCONF_AUTOCONF])
			set_address(device, &ra->prefix[i]);
	}
	net_temporary_addresses_keep(device, clock_monotonic_ns());
}

/* The analysis does not see that the device found is of this network. */
static void apply(struct work *work) __no_lock_analysis
{
	struct advertisement *ra = container_of(work, struct advertisement, work);
	struct network_namespace *network = ra->network;
	struct net_device *device;

	mutex_lock(&network->config);
	device = net_device_find(network, ra->device);
	if (device && listens(device) && !device->settings.ipv6[DEVCONF_DISABLE_IPV6])
		apply_to(device, ra);
	mutex_unlock(&network->config);
	network_node_put(network);
	__atomic_sub_fetch(&pending, 1, __ATOMIC_RELAXED);
	kfree(ra);
}

/* One prefix option; false: nobody may use it so (RFC 4861, 6.3.4; RFC 4862, 5.5.3). */
static bool decode_prefix(const u8 *o, struct advertised_prefix *out)
{
	*out = (struct advertised_prefix){
		.length = o[2],
		.on_link = o[3] & 0x80,
		.autonomous = o[3] & 0x40,
		.valid = load_net32(o + 4),
		.preferred = load_net32(o + 8),
	};
	memcpy(&out->prefix, o + 16, 16);
	if (out->length != 64 || out->preferred > out->valid)
		out->autonomous = false;
	return out->length <= 128 && !inet_is_link_local(&out->prefix) &&
	       !inet_is_multicast(&out->prefix) && !inet_is_loopback(&out->prefix) &&
	       !inet_is_v4(&out->prefix);
}

static void decode(const struct packet *p, struct advertisement *ra)
{
	const u8 *mtu = ndp_find_option(p, 16, OPTION_MTU, 8);
	const u8 *o = ndp_find_option(p, 16, OPTION_PREFIX, 32);

	ra->hop_limit = p->data[4];
	ra->router_lifetime = load_net16(p->data + 6);
	ra->reachable_ms = load_net32(p->data + 8);
	ra->retrans_ms = load_net32(p->data + 12);
	ra->mtu = mtu ? load_net32(mtu + 4) : 0;
	while (o && ra->prefixes < PREFIXES_OF_ONE) {
		if (decode_prefix(o, &ra->prefix[ra->prefixes]))
			ra->prefixes++;
		o = ndp_find_option(p, (unsigned)(o - p->data) + o[1] * 8u, OPTION_PREFIX, 32);
	}
}

static bool is_believed(const struct packet *p, const struct inet_info *info)
{
	const struct net_device *device = info->device;

	return p->linear >= 16 && inet_is_link_local(&info->source) && listens(device) &&
	       (device->settings.ipv6[DEVCONF_ACCEPT_RA_FROM_LOCAL] ||
		route_address_type(info->network, &info->source, device->index) != RTN_LOCAL);
}

void ndp_router_advertised(struct packet *p, const struct inet_info *info)
{
	struct advertisement *ra;
	const u8 *link;

	if (!is_believed(p, info))
		return;
	WRITE_ONCE(info->device->router_solicitation_ns, 0);
	link = ndp_find_option(p, 16, OPTION_SOURCE_LINK, 8);
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
	decode(p, ra);
	__atomic_add_fetch(&pending, 1, __ATOMIC_RELAXED);
	work_init(&ra->work, apply);
	work_queue(&ra->work);
}
