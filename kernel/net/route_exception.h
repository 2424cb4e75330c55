/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What hosts on the way said of one destination: a better first hop (redirects: RFC 1122 3.2.2.2, RFC 4861 section 8) and a smaller
 * MTU (RFC 1191, RFC 8201). An exception holds for the route that was in use then, named by its device and gateway: once another
 * one leads there, it is never found again, and goes with its time.
 *
 * (X1) An exception is immutable; learning more replaces it. They are read under RCU, written under one spinlock. (X2) Whatever is
 * said, there are at most BUCKETS * BUCKET_DEPTH of them in a name space; the table is made for the first one. (X3) Every change
 * advances network->generation, so that sockets look their routes up anew.
 */
#pragma once

#include <net/route.h>

struct route_exception {
	struct route_exception *next; /* RCU */
	struct rcu_head rcu;
	struct inet_address destination;
	struct inet_address gateway;  /* of the route; all zero: none */
	struct inet_address next_hop; /* all zero: the route's */
	int device_index;
	u32 mtu; /* 0: the route's */
	u64 expires_ns;
};

/* That of a route for a destination; null: none. Under RCU. */
const struct route_exception *route_exception_find(const struct network_namespace *network,
						   const struct route *route,
						   const struct inet_address *destination);
/* Calls `visit` for each that holds still. Under RCU. */
void route_exceptions_for_each(const struct network_namespace *network,
			       void (*visit)(const struct route_exception *e, void *arg),
			       void *arg);

/*
 * The host `from` on the device's link says that `next_hop` is the better first hop to a destination. Believed (true) if `from` is the
 * gateway in use, and of IPv4 if the new one answers by ARP: it is asked if it is not known. What a family demands besides is up to the
 * caller. Under RCU; any context without locks of net/.
 */
bool route_redirect(struct net_device *device, const struct inet_address *destination,
		    const struct inet_address *from, const struct inet_address *next_hop);
/*
 * A packet of this host to a destination was larger than `mtu`, that of a link on its way. Who calls has seen that such a packet was sent.
 * Ignored if the route is locked, or no wider. Under RCU; any context without locks of net/ but a socket's.
 */
void route_path_mtu_learned(struct network_namespace *network, const struct route_query *packet,
			    u32 mtu);

/* Forgets what is known of a family (AF_UNSPEC: of both) and destination (null: of all). Any context. */
void route_exceptions_forget(struct network_namespace *network, u8 family,
			     const struct inet_address *destination);
/* Drops those whose time is over. Once a second. */
void route_exceptions_expire(struct network_namespace *network, u64 now);
/* Frees the table of a name space that nobody looks at any more. */
void route_exceptions_destroy(struct network_namespace *network);
