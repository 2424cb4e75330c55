/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the protocols of one network name space count, for /proc/net/snmp, snmp6 and netstat (RFC 1213, 4293, 4022, 4113). One copy
 * for each CPU; a count may be lost when its thread moves to another CPU in the middle of it.
 */
#pragma once

#include <core/percpu.h>
#include <net/protocol.h>

enum net_counter {
	NET_IP_RECEIVED,
	NET_IP_DELIVERED,
	NET_IP_SENT,
	NET_IP_DISCARDED, /* on the way in: not for this host */
	NET_IP_MALFORMED,
	NET_IP_FORWARDED,
	NET_IP_NO_ROUTE,
	NET_IP_REASSEMBLY_NEEDED,
	NET_IP_REASSEMBLED,
	NET_IP_REASSEMBLY_FAILED,
	NET_IP_REASSEMBLY_TIMEOUT,
	NET_IP_REASSEMBLY_OVERLAP,
	NET_IP_FRAGMENTED,
	NET_IP_FRAGMENT_FAILED,
	NET_IP_FRAGMENTS_MADE,
	NET_IP_BYTES_IN,
	NET_IP_BYTES_OUT,
	NET_IP_ECN, /* packets in by the two bits: none, ECT(1), ECT(0), CE */
	NET_IP_MULTICAST_IN = NET_IP_ECN + 4,
	NET_IP_MULTICAST_BYTES_IN,
	NET_IP_MULTICAST_OUT,
	NET_IP_MULTICAST_BYTES_OUT,
	NET_IP_BROADCAST_IN,
	NET_IP_BROADCAST_BYTES_IN,
	NET_IP_BROADCAST_OUT,
	NET_IP_BROADCAST_BYTES_OUT,
	NET_ICMP_RATE_LIMITED, /* errors that were not sent because there had been so many */
	NET_UDP_RECEIVED,
	NET_UDP_SENT,
	NET_UDP_NO_PORT,
	NET_UDP_NO_ROOM,
	NET_UDP_MALFORMED, /* with a wrong checksum too */
	NET_UDP_CHECKSUM,
	NET_UDP_LITE, /* UDP-Lite has the six of UDP, in the same order */
	NET_FAMILY_COUNTERS = NET_UDP_LITE + (NET_UDP_LITE - NET_UDP_RECEIVED),
	/* Those above are counted by family; those of TCP are not. */
	NET_TCP_RECEIVED = NET_FAMILY_COUNTERS,
	NET_TCP_SENT,
	NET_TCP_RETRANSMITTED,
	NET_TCP_ACTIVE_OPENS,
	NET_TCP_PASSIVE_OPENS,
	NET_TCP_ATTEMPTS_FAILED,
	NET_TCP_RESETS_SENT,
	NET_TCP_ESTABLISHED_RESET,
	NET_TCP_MALFORMED,
	NET_TCP_CHECKSUM,
	/* TcpExt of /proc/net/netstat. */
	NET_TCP_COOKIES_SENT,
	NET_TCP_COOKIES_RECEIVED,
	NET_TCP_COOKIES_FAILED,
	NET_TCP_TIME_WAIT,
	NET_TCP_TIME_WAIT_REUSED,
	NET_TCP_TIME_WAIT_OVERFLOW,
	NET_TCP_OLD_TIMESTAMP,
	NET_TCP_DELAYED_ACKS,
	NET_TCP_DELAYED_ACK_LOST,
	NET_TCP_LISTEN_OVERFLOWS,
	NET_TCP_LISTEN_DROPS,
	NET_TCP_PURE_ACKS,
	NET_TCP_RENO_RECOVERY,
	NET_TCP_SACK_RECOVERY,
	NET_TCP_SACK_RENEGING,
	NET_TCP_UNDONE,
	NET_TCP_LOST_RETRANSMIT,
	NET_TCP_FAST_RETRANSMIT,
	NET_TCP_SLOW_START_RETRANSMIT,
	NET_TCP_TIMEOUTS,
	NET_TCP_LOSS_PROBES,
	NET_TCP_LOSS_PROBE_RECOVERY,
	NET_TCP_DSACK_OLD_SENT,
	NET_TCP_DSACK_RECEIVED,
	NET_TCP_DSACK_OUT_OF_ORDER_RECEIVED,
	NET_TCP_ABORT_ON_DATA,
	NET_TCP_ABORT_ON_CLOSE,
	NET_TCP_ABORT_ON_TIMEOUT,
	NET_TCP_MIN_TTL_DROPPED,
	NET_TCP_DEFER_ACCEPT_DROPPED,
	NET_TCP_QUEUE_FULL_COOKIES,
	NET_TCP_QUEUE_FULL_DROPPED,
	NET_TCP_COALESCED,
	NET_TCP_OUT_OF_ORDER,
	NET_TCP_OUT_OF_ORDER_MERGED,
	NET_TCP_OUT_OF_ORDER_DROPPED,
	NET_TCP_CHALLENGE_ACKS,
	NET_TCP_SYN_CHALLENGES,
	NET_TCP_SYN_RETRANSMITTED,
	NET_TCP_DATA_SENT,
	NET_TCP_WINDOW_PROBES,
	NET_TCP_KEEP_ALIVES,
	NET_TCP_DELIVERED,
	NET_TCP_DELIVERED_CE,
	NET_TCP_MD5_MISSING,
	NET_TCP_MD5_UNEXPECTED,
	NET_TCP_MD5_WRONG,
	NET_TCP_FAST_OPEN_ACTIVE,
	NET_TCP_FAST_OPEN_ACTIVE_FAILED,
	NET_TCP_FAST_OPEN_PASSIVE,
	NET_TCP_FAST_OPEN_PASSIVE_FAILED,
	NET_TCP_FAST_OPEN_OVERFLOWS,
	NET_TCP_FAST_OPEN_COOKIE_REQUESTS,
	NET_TCP_FAST_OPEN_BLACKHOLES,
	NET_TCP_FAST_OPEN_OTHER_KEY,
	NET_TCP_MTU_PROBES_PASSED,
	NET_TCP_MTU_PROBES_LOST,
	NET_COUNTERS,
};

struct net_statistics {
	u64 of[2][NET_COUNTERS]; /* [1]: IPv6; TCP in [0] only */
	u32 icmp[2][2][256];	 /* by family, sent, type */
	u32 icmp_malformed[2], icmp_checksum[2];
} __attribute__((aligned(64)));

/* This CPU's copy. */
static inline struct net_statistics *net_statistics_of(const struct network_namespace *network)
{
	return &network->statistics[cpu_id()];
}

static inline void net_count(const struct network_namespace *network, enum net_counter counter)
{
	net_statistics_of(network)->of[0][counter]++;
}
static inline void net_count_family(const struct network_namespace *network,
				    enum net_counter counter, const struct inet_address *a)
{
	net_statistics_of(network)->of[!inet_is_v4(a)][counter]++;
}

/* A packet for a transport of this host, or of one; its data is the transport's header. */
static inline void net_count_transport(struct net_statistics *s, const struct packet *packet,
				       u8 protocol, bool v6, bool sent)
{
	s->of[v6][sent ? NET_IP_SENT : NET_IP_DELIVERED]++;
	if (protocol == IPPROTO_TCP)
		s->of[0][sent ? NET_TCP_SENT : NET_TCP_RECEIVED]++;
	else if (protocol == IPPROTO_UDP && sent)
		s->of[v6][NET_UDP_SENT]++;
	else if (protocol == IPPROTO_UDPLITE && sent)
		s->of[v6][NET_UDP_LITE + NET_UDP_SENT - NET_UDP_RECEIVED]++;
	else if ((protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) && packet->linear)
		s->icmp[v6][sent][packet->data[0]]++;
}

/* A packet of `length` bytes, Internet header and all, of or for this host. `type`: RTN_*. */
void net_count_group(struct net_statistics *s, u8 type, unsigned length, bool v6, bool sent);

/* Sums over all CPUs. */
u64 net_statistics_sum(const struct network_namespace *network, enum net_counter counter, bool v6);
u64 net_statistics_icmp(const struct network_namespace *network, bool v6, bool sent, u8 type);
