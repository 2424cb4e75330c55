/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Duplicate addresses (RFC 4862, 5.4), optimistically (RFC 4429): an address is used at once, and its link asked whether somebody
 * has it. Who answers within the time below takes it away from us; later claims are forgeries, or the other's mistake.
 */
#include <core/log.h>
#include <core/time.h>
#include <core/work.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/ipv6/ipv6.h>
#include <net/local.h>
#include <net/namespace.h>

#include <linux/if_addr.h>

#define WATCH_NS (1500 * NSEC_PER_MSEC)
#define PENDING_MAX 4

struct conflict {
	struct work work;
	struct network_namespace *network; /* a node of it */
	struct inet_address address;
	int device;
	u8 other[6];
};
static unsigned pending; /* atomic */

/* net.ipv6.conf.*.accept_dad: whether duplicates are looked for at all. */
static bool detects(const struct net_device *device)
{
	return device->network->settings_all.ipv6[DEVCONF_ACCEPT_DAD] > 0 ||
	       device->settings.ipv6[DEVCONF_ACCEPT_DAD] > 0;
}

/* Its link-local address is another's: with accept_dad = 2 that ends IPv6 on the device. */
static void end_ipv6(struct net_device *device) __must_hold(&device->network->config)
{
	if (MAX(device->network->settings_all.ipv6[DEVCONF_ACCEPT_DAD],
		device->settings.ipv6[DEVCONF_ACCEPT_DAD]) < 2)
		return;
	WRITE_ONCE(device->settings.ipv6[DEVCONF_DISABLE_IPV6], 1);
	net_addresses_remove_ipv6(device);
}

void dad_begin(struct net_device *device, struct net_address *a)
{
	s32 probes = device->settings.ipv6[DEVCONF_DAD_TRANSMITS];

	a->probes_left = 0;
	if (inet_is_v4(&a->address) || (a->flags & IFA_F_NODAD) || device->address_length != 6 ||
	    (device->flags & (IFF_LOOPBACK | IFF_NOARP)) || probes < 1 || !detects(device))
		return;
	a->probes_left = probes - 1;
	ndp_probe(device, &a->address);
}

void dad_tick(struct net_device *device)
{
	for (struct net_address *a = rcu_dereference(device->addresses); a;
	     a = rcu_dereference(a->next))
		if (unlikely(a->probes_left > 0) && (device->flags & IFF_UP)) {
			a->probes_left--;
			ndp_probe(device, &a->address);
		}
}

/* The device may be gone by now, and the analysis does not see that it is of this network. */
static void give_up(struct work *work) __no_lock_analysis
{
	struct conflict *c = container_of(work, struct conflict, work);
	struct net_device *device;

	mutex_lock(&c->network->config);
	device = net_device_find(c->network, c->device);
	for (struct net_address *a = device ? device->addresses : nullptr; a; a = a->next)
		if (inet_equal(&a->address, &c->address)) {
			log_warning("%s: an IPv6 address is used by %02x:%02x:%02x:%02x:%02x:%02x: "
				    "removed",
				    device->name, c->other[0], c->other[1], c->other[2],
				    c->other[3], c->other[4], c->other[5]);
			(void)!net_address_remove(device, &c->address, a->prefix_length);
			if (inet_is_link_local(&c->address))
				end_ipv6(device);
			break;
		}
	mutex_unlock(&c->network->config);
	network_node_put(c->network);
	__atomic_sub_fetch(&pending, 1, __ATOMIC_RELAXED);
	kfree(c);
}

static u64 watch_ns(const struct net_device *device)
{
	s32 probes = device->settings.ipv6[DEVCONF_DAD_TRANSMITS];

	return probes < 1 ? 0 : WATCH_NS + (u64)(probes - 1) * NSEC_PER_SEC;
}

void dad_heard(struct net_device *device, const struct net_address *a, const u8 *link_address)
{
	struct conflict *c;

	if ((a->flags & IFA_F_NODAD) || !detects(device) ||
	    clock_monotonic_ns() - a->created_ns > watch_ns(device) ||
	    !memcmp(link_address, device->address, 6) ||
	    __atomic_load_n(&pending, __ATOMIC_RELAXED) >= PENDING_MAX)
		return;
	c = kzalloc(sizeof(*c), ALLOC_ATOMIC);
	if (!c)
		return;
	c->network = device->network;
	network_node_get(c->network);
	c->device = device->index;
	c->address = a->address;
	memcpy(c->other, link_address, sizeof(c->other));
	__atomic_add_fetch(&pending, 1, __ATOMIC_RELAXED);
	work_init(&c->work, give_up);
	work_queue(&c->work);
}
