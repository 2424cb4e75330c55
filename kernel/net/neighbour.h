/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Neighbours as netlink, SIOCSARP and /proc/net/arp see them; packets use <net/protocol.h>. */
#pragma once

#include <net/device.h>

struct neighbour_entry {
	int device_index;
	char device_name[IFNAMSIZ];
	struct inet_address address;
	u8 link_address[8];
	u16 state; /* NUD_* */
	u64 age_ns;
};

/* Copies entry number *position of a name space and advances it; false past the last one. Any thread context. */
[[nodiscard]] bool neighbour_next(const struct network_namespace *network, unsigned *position,
				  struct neighbour_entry *out);
/* Sets / removes an entry by hand. -ENOBUFS, -ENOENT. Device valid under RCU. */
[[nodiscard]] int neighbour_set(struct net_device *device, const struct inet_address *address,
				const u8 *link_address, u16 state);
[[nodiscard]] int neighbour_remove(struct net_device *device, const struct inet_address *address);

/* A packet of this host or one it forwards could not be delivered on its link: tells its sender. */
void inet_unreachable_here(struct packet *packet);
