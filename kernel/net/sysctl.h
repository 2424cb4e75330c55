/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc/sys/net says of one network name space; each is read without a lock. */
#pragma once

#include <lib/hash.h>

struct tcp_congestion;

/* net.ipv4.tcp_fastopen_key: the key of cookies, and one that is still good; `count` 0: none yet. */
struct fast_open_keys {
	struct siphash_key key[2];
	u32 count;
};

/* net.ipv4.tcp_*, and net.core.somaxconn. */
struct tcp_sysctl {
	bool timestamps, sack, window_scaling, syn_cookies, slow_start_after_idle, time_wait_reuse,
		rfc1337, dsack, moderate_rcvbuf, thin_linear_timeouts, abort_on_overflow,
		reflect_tos, stdurg;
	u8 early_retrans;  /* below 3 no tail loss probes */
	u32 notsent_lowat; /* UINT32_MAX: all that fits */
	u8 ecn, syn_retries, synack_retries, retries2, orphan_retries, keepalive_probes;
	u8 retries1, mtu_probing; /* RFC 4821: 1, after time-outs; 2, always */
	u32 base_mss, mtu_probe_floor, probe_threshold; /* bytes */
	int probe_interval;				/* seconds */
	int fin_timeout, keepalive_time, keepalive_interval;
	u32 max_syn_backlog, max_tw_buckets, somaxconn;
	u32 rmem[3], wmem[3];
	u32 fast_open; /* bits, see net/tcp/tcp_fast_open.h */
	int fast_open_blackhole_timeout;
	struct fast_open_keys fast_open_keys;	 /* under the lock of tcp_fast_open.c */
	const struct tcp_congestion *congestion; /* of new connections; null: the usual one */
};

struct network_sysctl {
	bool ip_nonlocal_bind, ipv6_nonlocal_bind;
	bool ip_autobind_reuse;
	u8 ipv6_auto_flow_labels;      /* 1, 3: sockets send them unless told otherwise */
	bool ipv6_echo_reflects_label; /* net.ipv6.flowlabel_reflect = 4 */
	u8 ip_default_ttl;
	u16 local_port_first, local_port_last;
	int ping_group_first, ping_group_last;
	bool icmp_echo_ignore_all, icmp_echo_ignore_broadcasts;
	u16 unprivileged_port_start;
	u32 unix_datagrams_max; /* net.unix.max_dgram_qlen */
	struct tcp_sysctl tcp;
};

/* net.ipv4.icmp_msgs_per_sec, icmp_msgs_burst: ICMP errors of all name spaces. */
extern struct icmp_limits {
	s32 per_second, burst;
} icmp_limits;

#define NETWORK_SYSCTL_DEFAULTS                                                                    \
	{                                                                                          \
		.ip_default_ttl = 64,                                                              \
		.ipv6_auto_flow_labels = 1,                                                        \
		.local_port_first = 32768,                                                         \
		.local_port_last = 60999,                                                          \
		.ping_group_first = 1,                                                             \
		.ping_group_last = 0,                                                              \
		.icmp_echo_ignore_broadcasts = true,                                               \
		.unprivileged_port_start = 1024,                                                   \
		.unix_datagrams_max = 10,                                                          \
		.tcp = {                                                                           \
			.dsack = true,                                                             \
			.moderate_rcvbuf = true,                                                   \
			.early_retrans = 3,                                                        \
			.notsent_lowat = UINT32_MAX,                                               \
			.timestamps = true,                                                        \
			.sack = true,                                                              \
			.window_scaling = true,                                                    \
			.syn_cookies = true,                                                       \
			.slow_start_after_idle = true,                                             \
			.time_wait_reuse = true,                                                   \
			.ecn = 2,                                                                  \
			.syn_retries = 6,                                                          \
			.synack_retries = 5,                                                       \
			.retries1 = 3,                                                             \
			.base_mss = 1024,                                                          \
			.mtu_probe_floor = 48,                                                     \
			.probe_threshold = 8,                                                      \
			.probe_interval = 600,                                                     \
			.retries2 = 15,                                                            \
			.orphan_retries = 7,                                                       \
			.keepalive_probes = 9,                                                     \
			.fin_timeout = 60,                                                         \
			.keepalive_time = 7200,                                                    \
			.keepalive_interval = 75,                                                  \
			.max_syn_backlog = 512,                                                    \
			.max_tw_buckets = 32768,                                                   \
			.fast_open = 1,                                                            \
			.somaxconn = 4096,                                                         \
			.rmem = { 4096, 131072, 6291456 },                                         \
			.wmem = { 4096, 16384, 4194304 },                                          \
		},                                                                                 \
	}
