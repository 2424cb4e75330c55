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

void dad_begin(struct net_device *device, const struct net_address *a)
{
	if (inet_is_v4(&a->address) || (a->flags & IFA_F_NODAD) || device->address_length != 6 ||
	    (device->flags & (IFF_LOOPBACK | IFF_NOARP)))
		return;
	ndp_probe(device, &a->address);
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
			break;
		}
	mutex_unlock(&c->network->config);
	network_node_put(c->network);
	__atomic_sub_fetch(&pending, 1, __ATOMIC_RELAXED);
	kfree(c);
}

void dad_heard(struct net_device *device, const struct net_address *a, const u8 *link_address)
{
	struct conflict *c;

	if ((a->flags & IFA_F_NODAD) || clock_monotonic_ns() - a->created_ns > WATCH_NS ||
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
