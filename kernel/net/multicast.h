/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups that devices listen to, counted over all sockets (ip(7), IP_ADD_MEMBERSHIP). */
#pragma once

#include <net/device.h>

/* Counts one more / one fewer listener. Any thread context. -ENOBUFS; leaving what was not joined does
 * nothing. */
[[nodiscard]] int multicast_join(struct net_device *device, const struct inet_address *group);
void multicast_leave(struct net_device *device, const struct inet_address *group);
/* Forgets all groups of a device that goes. */
void multicast_drop_device(const struct net_device *device);
/* For /proc/net/igmp: entry number *position of a device; it advances. */
struct multicast_entry {
	int device_index;
	struct inet_address group;
	unsigned users;
};
[[nodiscard]] bool multicast_next(const struct net_device *device, unsigned *position,
				  struct multicast_entry *out);
