/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes of both families: one table per name space, an immutable array in the order in which
 * routes match (table local first, then the longest prefix, then the smallest metric), replaced as a
 * whole by changes and read under RCU. Sockets keep what they found until network->generation moves.
 */
#pragma once

#include <net/address.h>
#include <net/device.h>

#include <linux/rtnetlink.h>

struct route {
	struct inet_address destination, gateway, source; /* gateway, source: all zero if none */
	u8 family;					  /* AF_INET, AF_INET6 */
	u8 prefix_length; /* of 128 bits: IPv4 adds INET_V4_PREFIX */
	u8 type;	  /* RTN_* */
	u8 scope;	  /* RT_SCOPE_* */
	u8 protocol;	  /* RTPROT_* */
	u32 table;	  /* RT_TABLE_LOCAL, RT_TABLE_MAIN */
	u32 metric;
	u32 mtu;		   /* 0: the device's */
	struct net_device *device; /* null only for unreachable, blackhole, prohibit */
	u64 expires_ns;		   /* NO_DEADLINE: never */
};

struct route_table {
	struct rcu_head rcu;
	unsigned count;
	struct route routes[] __counted_by(count);
};

/* What a look-up found; `device` is valid under RCU, or while the generation stands. */
struct route_result {
	struct net_device *device;
	struct inet_address next_hop; /* the gateway, or the destination itself */
	struct inet_address source;   /* which address of ours to use */
	u32 mtu;
	u8 type; /* RTN_LOCAL, RTN_UNICAST, RTN_BROADCAST, RTN_MULTICAST */
};

/*
 * Where a packet to `destination` goes. `source`: all zero, or the address it is sent from.
 * device_index: 0 or the only device to use. Under RCU. 0, -ENETUNREACH, -EHOSTUNREACH, -EACCES,
 * -EINVAL.
 */
[[nodiscard]] int route_find(struct network_namespace *network,
			     const struct inet_address *destination,
			     const struct inet_address *source, int device_index,
			     struct route_result *out);

/* RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST, RTN_UNICAST: what the address is to this host. RCU. */
unsigned route_address_type(struct network_namespace *network, const struct inet_address *address,
			    int device_index);

/* Change the table and tell the hook. May sleep. -EEXIST, -ESRCH, -ENOMEM, -ENOSPC. */
[[nodiscard]] int route_add(struct network_namespace *network, const struct route *route,
			    bool replace) __must_hold(&network->config);
[[nodiscard]] int route_remove(struct network_namespace *network, const struct route *match)
	__must_hold(&network->config);
/* All routes of a device, or those with `source` as well. */
void route_remove_device(struct network_namespace *network, const struct net_device *device)
	__must_hold(&network->config);
