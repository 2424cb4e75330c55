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

/* --- neighbour_proxy.c: neighbours of others that this router answers for --- */
/* Whether it does so on the link of the device. Under RCU. */
[[nodiscard]] bool neighbour_is_proxied(const struct net_device *device,
					const struct inet_address *address);
/* -ENOBUFS, -ENOENT. All of these under network->config; the device's go when it goes down. */
[[nodiscard]] int neighbour_proxy_add(struct net_device *device, const struct inet_address *address)
	__must_hold(&device->network->config);
[[nodiscard]] int neighbour_proxy_remove(struct net_device *device,
					 const struct inet_address *address)
	__must_hold(&device->network->config);
void neighbour_proxies_remove(struct net_device *device) __must_hold(&device->network->config);
void neighbour_proxies_for_each(struct net_device *device,
				void (*visit)(struct net_device *device,
					      const struct inet_address *address, void *arg),
				void *arg) __must_hold(&device->network->config);

/* A packet of this host or one it forwards could not be delivered on its link: tells its sender. */
void inet_unreachable_here(struct packet *packet);
