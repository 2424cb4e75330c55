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

/* --- multicast_report.c: IGMPv3 and MLDv2 --- */
/* The first listener of a group came, or the last one went: routers are told. Any thread context, no locks. */
void multicast_report_change(struct net_device *device, const struct inet_address *group,
			     bool joined);
/* An address of the device came, whose neighbours ask in a group of its own. */
void multicast_report_soon(struct net_device *device);
/* Sends the reports that are due. Under RCU, once a second. */
void multicast_tick(struct network_namespace *network);
/* A query of a router: takes the packet / looks at it; data at the IGMP or MLD header. */
struct inet_info;
void igmp_input(struct packet *packet, const struct inet_info *info);
void mld_query(const struct packet *packet, const struct inet_info *info);

/* For /proc/net/igmp: entry number *position of a device; it advances. */
struct multicast_entry {
	int device_index;
	struct inet_address group;
	unsigned users;
};
[[nodiscard]] bool multicast_next(const struct net_device *device, unsigned *position,
				  struct multicast_entry *out);
