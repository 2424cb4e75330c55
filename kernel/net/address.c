/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of devices and the routes that follow from them. */
#include <core/random.h>
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/ipv6/ipv6.h>
#include <net/local.h>
#include <net/multicast.h>
#include <net/protocol.h>
#include <net/route.h>
#include <sys/socket.h>

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

void (*net_address_event_hook)(int event, struct net_device *device,
			       const struct net_address *address);

static struct inet_address last_of(const struct inet_address *a, unsigned bits)
{
	struct inet_address r = *a;

	for (unsigned i = bits; i < 128; i++)
		r.bytes[i / 8] |= (u8)(0x80 >> i % 8);
	return r;
}

static void add_route(struct net_device *device, const struct net_address *a,
		      struct inet_address destination, unsigned bits, u8 type)
	__must_hold(&device->network->config)
{
	bool v4 = inet_is_v4(&a->address);
	struct route r = {
		.destination = destination,
		.family = v4 ? AF_INET : AF_INET6,
		.prefix_length = (u8)bits,
		.type = type,
		.scope = type == RTN_LOCAL ? RT_SCOPE_HOST : RT_SCOPE_LINK,
		.protocol = RTPROT_KERNEL,
		.table = type == RTN_UNICAST ? RT_TABLE_MAIN : RT_TABLE_LOCAL,
		.metric = v4			? 0
			  : type == RTN_UNICAST ? 256
						: 0,
		.device = device,
		.expires_ns = UINT64_MAX,
	};

	if (v4)
		r.source = a->address;
	if (route_add(device->network, &r, false))
		return; /* the same route by another address, or no memory: as Linux, not an error */
}

/* The other end of a point-to-point link, or the address itself: the prefix is that of a subnet with it (rtnetlink(7)). */
static const struct inet_address *far_end(const struct net_address *a)
{
	return inet_is_any(&a->peer) ? &a->address : &a->peer;
}

static void add_routes(struct net_device *device, const struct net_address *a)
	__must_hold(&device->network->config)
{
	bool v4 = inet_is_v4(&a->address);
	struct inet_address network = v4 ? *far_end(a) : a->address;

	inet_mask(&network, a->prefix_length);
	add_route(device, a, a->address, 128, RTN_LOCAL);
	if (device->flags & IFF_LOOPBACK) {
		if (v4)
			add_route(device, a, network, a->prefix_length, RTN_LOCAL);
	} else if ((a->prefix_length < 128 || !inet_equal(&network, &a->address)) &&
		   !(a->flags & IFA_F_NOPREFIXROUTE) &&
		   a->protocol != IFAPROT_KERNEL_RA) { /* whose routes come of their own */
		add_route(device, a, network, a->prefix_length, RTN_UNICAST);
	}
	if (!v4 && !inet_is_any(&a->peer))
		add_route(device, a, a->peer, 128, RTN_UNICAST);
	if (v4 && a->prefix_length < 127)
		add_route(device, a, last_of(&network, a->prefix_length), 128, RTN_BROADCAST);
	if (v4 && a->broadcast.halves[1])
		add_route(device, a, a->broadcast, 128, RTN_BROADCAST);
}

/* An address that goes takes the routes along that no other address wants. */
static void remove_routes(struct net_device *device) __must_hold(&device->network->config)
{
	const struct route_table *t;

again:
	t = device->network->routes;
	for (unsigned i = 0; t && i < t->count; i++)
		if (t->routes[i].device == device && t->routes[i].protocol == RTPROT_KERNEL &&
		    !t->routes[i].advertised) {
			struct route gone = t->routes[i];

			if (route_remove(device->network, &gone))
				break;
			goto again;
		}
	for (struct net_address *a = device->addresses; a; a = a->next)
		add_routes(device, a);
}

static void tell(int event, struct net_device *device, const struct net_address *address)
{
	if (net_address_event_hook)
		net_address_event_hook(event, device, address);
}

static bool same_subnet(const struct net_address *a, const struct net_address *b)
{
	return a->prefix_length == b->prefix_length &&
	       inet_prefix_matches(far_end(a), far_end(b), a->prefix_length);
}

bool net_addresses_share_subnet(const struct net_device *device, const struct inet_address *a,
				const struct inet_address *b)
{
	for (const struct net_address *own = rcu_dereference(device->addresses); own;
	     own = rcu_dereference(own->next))
		if (inet_is_v4(&own->address) == inet_is_v4(a) &&
		    inet_prefix_matches(far_end(own), a, own->prefix_length) &&
		    inet_prefix_matches(far_end(own), b, own->prefix_length))
			return true;
	return false;
}

/* The first address of IPv4 of a subnet is its primary one; the others come and go with it. */
static struct net_address *primary_of(const struct net_device *device, const struct net_address *a)
{
	struct net_address *p = device->addresses;

	if (!inet_is_v4(&a->address))
		return nullptr;
	while (p && ((p->flags & IFA_F_SECONDARY) || !same_subnet(p, a)))
		p = p->next;
	return p;
}

int net_address_add(struct net_device *device, const struct net_address *address)
{
	struct net_address **link = &device->addresses, *a;

	if (!inet_is_v4(&address->address) && device->settings.ipv6[DEVCONF_DISABLE_IPV6])
		return -EACCES;
	for (; *link; link = &(*link)->next)
		if (inet_equal(&(*link)->address, &address->address) &&
		    ((*link)->prefix_length == address->prefix_length ||
		     !inet_is_v4(&address->address)))
			return -EEXIST;
	a = kmalloc(sizeof(*a), 0);
	if (!a)
		return -ENOMEM;
	*a = *address;
	a->next = nullptr;
	a->device = device;
	a->created_ns = clock_monotonic_ns();
	if (inet_is_v4(&a->address)) /* of IPv6 the flag means another thing */
		a->flags &= ~(u32)IFA_F_SECONDARY;
	if (primary_of(device, a))
		a->flags |= IFA_F_SECONDARY;
	if (!a->label[0])
		string_copy(a->label, device->name, sizeof(a->label));
	rcu_assign(*link, a);
	if (device->flags & IFF_UP)
		add_routes(device, a);
	__atomic_add_fetch(&device->network->generation, 1, __ATOMIC_RELEASE);
	if (!inet_is_v4(&a->address))
		multicast_report_soon(device);
	if (device->flags & IFF_UP)
		dad_begin(device, a);
	tell(RTM_NEWADDR, device, a);
	return 0;
}

static void address_free(struct rcu_head *head)
{
	kfree(container_of(head, struct net_address, rcu));
}

static void remove_one(struct net_device *device, struct net_address **link)
	__must_hold(&device->network->config)
{
	struct net_address *a = *link;

	rcu_assign(*link, a->next);
	if (device->flags & IFF_UP)
		remove_routes(device);
	__atomic_add_fetch(&device->network->generation, 1, __ATOMIC_RELEASE);
	tell(RTM_DELADDR, device, a);
	rcu_call(&a->rcu, address_free);
}

/* They go with their primary address, or the first of them takes its place. */
static void remove_secondaries(struct net_device *device, const struct net_address *primary)
	__must_hold(&device->network->config)
{
	struct net_address **link = &device->addresses;

	if (device_setting4_either(device, IPV4_DEVCONF_PROMOTE_SECONDARIES)) {
		struct net_address *heir = device->addresses;

		while (heir && !(inet_is_v4(&heir->address) && same_subnet(heir, primary)))
			heir = heir->next;
		if (heir) {
			heir->flags &= ~(u32)IFA_F_SECONDARY;
			tell(RTM_NEWADDR, device, heir);
		}
		return;
	}
	while (*link)
		if (((*link)->flags & IFA_F_SECONDARY) && same_subnet(*link, primary))
			remove_one(device, link);
		else
			link = &(*link)->next;
}

int net_address_renew(struct net_device *device, const struct net_address *address)
{
	for (struct net_address *a = device->addresses; a; a = a->next) {
		if (!inet_equal(&a->address, &address->address) ||
		    a->prefix_length != address->prefix_length)
			continue;
		WRITE_ONCE(a->valid_until_ns, address->valid_until_ns);
		WRITE_ONCE(a->preferred_until_ns, address->preferred_until_ns);
		tell(RTM_NEWADDR, device, a);
		return 0;
	}
	return -EADDRNOTAVAIL;
}

int net_address_remove(struct net_device *device, const struct inet_address *address,
		       unsigned prefix_length)
{
	for (struct net_address **link = &device->addresses; *link; link = &(*link)->next)
		if (inet_equal(&(*link)->address, address) &&
		    (*link)->prefix_length == prefix_length) {
			bool primary = inet_is_v4(address) && !((*link)->flags & IFA_F_SECONDARY);
			struct net_address gone = **link;

			remove_one(device, link);
			if (primary)
				remove_secondaries(device, &gone);
			return 0;
		}
	return -EADDRNOTAVAIL;
}

void net_addresses_expire(struct net_device *device, u64 now)
{
	struct net_address **link = &device->addresses;

	while (*link) {
		struct net_address *a = *link;

		if (a->valid_until_ns <= now) {
			remove_one(device, link);
			continue;
		}
		if (a->preferred_until_ns <= now && !(a->flags & IFA_F_DEPRECATED)) {
			a->flags |= IFA_F_DEPRECATED;
			tell(RTM_NEWADDR, device, a);
		}
		link = &a->next;
	}
	net_temporary_addresses_keep(device, now);
}

void net_addresses_remove_all(struct net_device *device)
{
	while (device->addresses)
		remove_one(device, &device->addresses);
}

struct inet_address net_address_link_local(const struct net_device *device)
{
	struct inet_address a = { .bytes = { 0xfe, 0x80 } };
	const u8 *m = device->address;
	const u8 eui64[8] = { m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5] };

	if (device->settings.ipv6[DEVCONF_ADDR_GEN_MODE] == IN6_ADDR_GEN_MODE_RANDOM)
		random_bytes(a.bytes + 8, 8);
	else
		memcpy(a.bytes + 8, eui64, sizeof(eui64));
	return a;
}

static const struct net_address *find_link_local(const struct net_device *device)
{
	const struct net_address *a = device->addresses;

	while (a && (inet_is_v4(&a->address) || !inet_is_link_local(&a->address)))
		a = a->next;
	return a;
}

void net_addresses_begin_ipv6(struct net_device *device)
{
	struct net_address a = { .prefix_length = 64,
				 .scope = RT_SCOPE_LINK,
				 .protocol = IFAPROT_KERNEL_LL,
				 .flags = IFA_F_PERMANENT,
				 .valid_until_ns = UINT64_MAX,
				 .preferred_until_ns = UINT64_MAX };

	if (device->settings.ipv6[DEVCONF_DISABLE_IPV6])
		return;
	if (device->flags & IFF_LOOPBACK) {
		a.address = (struct inet_address){ .bytes = { [15] = 1 } };
		a.prefix_length = 128;
		a.scope = RT_SCOPE_HOST;
		a.protocol = IFAPROT_KERNEL_LO;
	} else if (device->address_length == 6 && !find_link_local(device) &&
		   device->settings.ipv6[DEVCONF_ADDR_GEN_MODE] != IN6_ADDR_GEN_MODE_NONE) {
		a.address = net_address_link_local(device);
	}
	if (!inet_is_any(&a.address))
		(void)!net_address_add(device, &a); /* there already, or no memory: without */
	if (find_link_local(device))
		ndp_solicit_routers(device);
}

/* Others on the link may remember another link address of ours. */
static void notify_neighbours(struct net_device *device)
{
	for (const struct net_address *a = device->addresses; a; a = a->next)
		if (!inet_is_v4(&a->address)) {
			if (device_setting6_either(device, DEVCONF_NDISC_NOTIFY))
				ndp_announce(device, &a->address);
		} else if (device_setting4_largest(device, IPV4_DEVCONF_ARP_NOTIFY)) {
			arp_announce(device, &a->address);
		}
}

void net_addresses_link_changed(struct net_device *device)
{
	if ((device->flags & IFF_UP) && device->address_length == 6 &&
	    !(device->flags & (IFF_LOOPBACK | IFF_NOARP)))
		notify_neighbours(device);
}

void net_addresses_device_up(struct net_device *device)
{
	for (struct net_address *old = device->addresses; old; old = old->next) {
		add_routes(device, old);
		old->created_ns = clock_monotonic_ns();
		dad_begin(device, old);
	}
	net_addresses_begin_ipv6(device);
	net_addresses_link_changed(device);
}

static bool survives_down(const struct net_device *device, const struct net_address *a)
{
	if (inet_is_v4(&a->address) || (device->flags & IFF_LOOPBACK))
		return true;
	return device_setting6_either(device, DEVCONF_KEEP_ADDR_ON_DOWN) &&
	       a->valid_until_ns == UINT64_MAX && !inet_is_link_local(&a->address);
}

/* IPv6 addresses go when a device goes down, IPv4 addresses stay (as on Linux). */
void net_addresses_device_down(struct net_device *device)
{
	struct net_address **link = &device->addresses;

	while (*link)
		if (!survives_down(device, *link))
			remove_one(device, link);
		else
			link = &(*link)->next;
}

void net_addresses_remove_ipv6(struct net_device *device)
{
	struct net_address **link = &device->addresses;

	while (*link)
		if (!inet_is_v4(&(*link)->address))
			remove_one(device, link);
		else
			link = &(*link)->next;
}
