/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes of both families: an immutable array for all tables of a name space in the order in which
 * routes match (those of tables that are asked without rules first; then the longest prefix, then the smallest metric), replaced as a
 * whole by changes and read under RCU. Sockets keep what they found until network->generation moves.
 * Which tables are asked is up to the rules (net/route_rule.h); without any of one's own, the first three are, in one pass.
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
	u32 table;	  /* RT_TABLE_LOCAL, ... */
	u32 metric;
	u32 mtu;		   /* 0: the device's */
	bool mtu_locked;	   /* nobody on the path may lower it */
	struct net_device *device; /* null only for unreachable, blackhole, prohibit */
	u64 expires_ns;		   /* NO_DEADLINE: never */
	bool advertised;	   /* by a router: it stays when addresses go */
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
	bool mtu_locked;
	u8 type; /* RTN_LOCAL, RTN_UNICAST, RTN_BROADCAST, RTN_MULTICAST */
	/* What was learned of this one destination (net/route_exception.h). */
	bool redirected;
	bool narrowed;	/* mtu is that of a link on the way */
	u64 expires_ns; /* of it; 0: nothing was */
};

/* What rules look at, besides the destination. */
struct route_query {
	struct inet_address destination;
	struct inet_address source; /* all zero: not known yet */
	int device_index;	    /* 0, or the only device to use */
	int input_index;	    /* the device that it came by; 0: it is of this host */
	u32 mark;
	u32 uid;	 /* of the socket's owner; 0: of none */
	u16 preferences; /* IPV6_PREFER_SRC_*: of which kind its source is to be */
	u8 tos;
	u8 protocol;			   /* IPPROTO_*; 0: not known, and so the ports */
	u16 source_port, destination_port; /* host byte order; 0: none */
};
/* As route_find below. */
[[nodiscard]] int route_find_query(struct network_namespace *network,
				   const struct route_query *query, struct route_result *out);

/*
 * Where a packet of this host to `destination` goes. `source`: all zero, or the address it is sent from.
 * device_index: 0 or the only device to use. Under RCU. 0, -ENETUNREACH, -EHOSTUNREACH, -EACCES,
 * -EINVAL.
 */
[[nodiscard]] int route_find(struct network_namespace *network,
			     const struct inet_address *destination,
			     const struct inet_address *source, int device_index,
			     struct route_result *out);

/* The route itself, before what was learned of a destination: -ENETUNREACH, and what rules say. Under RCU. */
[[nodiscard]] int route_select(struct network_namespace *network, const struct route_query *query,
			       const struct route **out);
/* The largest packet that may go out of the device to a destination, whatever is known of the way. */
u32 route_device_mtu(const struct net_device *device, const struct inet_address *destination);

/*
 * route_source.c: the address that a packet to q->destination by the device is to come from: of IPv4 one of the same subnet before others,
 * of IPv6 by RFC 6724, section 5. A device without any has one of another device; all zero (or 0.0.0.0): there is none. Under RCU.
 */
struct inet_address route_choose_source(struct network_namespace *network,
					const struct net_device *device,
					const struct route_query *q);

/* The first route of a table that matches; null: none. Under RCU. */
const struct route *route_look_up(const struct route_table *routes, u32 table,
				  const struct route_query *query);

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
