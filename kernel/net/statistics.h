/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the protocols count, for /proc/net/snmp and snmp6 (RFC 1213, 4293, 4022, 4113). One copy for each CPU, for all network
 * name spaces together; a count may be lost when its thread moves to another CPU in the middle of it.
 */
#pragma once

#include <core/percpu.h>
#include <net/protocol.h>

enum net_counter {
	NET_IP_RECEIVED,
	NET_IP_DELIVERED,
	NET_IP_SENT,
	NET_IP_DISCARDED, /* on the way in: not for this host, or malformed */
	NET_IP_FORWARDED,
	NET_IP_NO_ROUTE,
	NET_UDP_RECEIVED,
	NET_UDP_SENT,
	NET_UDP_NO_PORT,
	NET_UDP_NO_ROOM,
	NET_UDP_MALFORMED,
	NET_FAMILY_COUNTERS, /* those above are counted by family */
	NET_TCP_RECEIVED = NET_FAMILY_COUNTERS,
	NET_TCP_SENT,
	NET_TCP_RETRANSMITTED,
	NET_TCP_ACTIVE_OPENS,
	NET_TCP_PASSIVE_OPENS,
	NET_TCP_RESETS_SENT,
	NET_TCP_RESETS_RECEIVED,
	NET_COUNTERS,
};

struct net_statistics {
	u64 of[2][NET_COUNTERS]; /* [1]: IPv6; TCP in [0] only */
	u32 icmp[2][2][256];	 /* by family, sent, type */
};
DECLARE_PER_CPU(struct net_statistics, net_statistics);

static inline void net_count(enum net_counter counter)
{
	this_cpu(net_statistics).of[0][counter]++;
}
static inline void net_count_family(enum net_counter counter, const struct inet_address *a)
{
	this_cpu(net_statistics).of[!inet_is_v4(a)][counter]++;
}

/* A packet for a transport of this host, or of one; its data is the transport's header. */
static inline void net_count_transport(const struct packet *packet, u8 protocol, bool v6, bool sent)
{
	struct net_statistics *s = &this_cpu(net_statistics);

	s->of[v6][sent ? NET_IP_SENT : NET_IP_DELIVERED]++;
	if (protocol == IPPROTO_TCP)
		s->of[0][sent ? NET_TCP_SENT : NET_TCP_RECEIVED]++;
	else if (protocol == IPPROTO_UDP && sent)
		s->of[v6][NET_UDP_SENT]++;
	else if ((protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) && packet->linear)
		s->icmp[v6][sent][packet->data[0]]++;
}

/* Sums over all CPUs. */
u64 net_statistics_sum(enum net_counter counter, bool v6);
u64 net_statistics_icmp(bool v6, bool sent, u8 type);
