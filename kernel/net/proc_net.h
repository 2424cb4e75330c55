/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/net (proc(5)): the tables of the network as text. */
#pragma once

#include <fs/synthetic/synthetic.h>

struct network_namespace;

/*
 * A file of /proc/PID/net: the text of the name space that the process (or the thread, below task/) is in. `show` is called with a
 * user of it. -EINVAL: it is over, and in none.
 */
struct proc_net_text {
	int (*show)(struct network_namespace *network, u8 family, struct text_buffer *out);
	u8 family; /* AF_INET, AF_INET6; 0 where one file has both */
};
extern const struct synthetic_type proc_net_file; /* data: a struct proc_net_text */

extern const struct synthetic_table proc_net_table;
extern const struct synthetic_table sysctl_net_table; /* /proc/sys/net */

/* proc_sys_net_devices.c: the directories conf and neigh, whose data is one of the tables. */
extern const struct synthetic_type proc_sys_net_devices, proc_sys_net_ip_forward;
extern const struct synthetic_table proc_sys_net_conf4, proc_sys_net_conf6, proc_sys_net_neigh4,
	proc_sys_net_neigh6;

/* proc_sys_tcp.c */
extern const struct synthetic_type proc_sys_tcp_allowed, proc_sys_tcp_available,
	proc_sys_tcp_congestion;

/* proc_net_snmp.c, proc_net_snmp6.c, proc_net_netstat.c, proc_net_sockstat.c */
extern const struct proc_net_text proc_net_snmp, proc_net_snmp6, proc_net_netstat,
	proc_net_softnet_stat, proc_net_sockstat, proc_net_sockstat6;
/* How many connections of TCP are established. -ENOMEM. May sleep. */
[[nodiscard]] int proc_net_count_established(const struct network_namespace *network,
					     unsigned *out);

/* proc_net_fib_trie.c */
extern const struct proc_net_text proc_net_fib_trie, proc_net_rt_cache;

/* proc_net_lists.c */
extern const struct proc_net_text proc_net_dev_mcast, proc_net_ip6_flowlabel, proc_net_mcfilter,
	proc_net_mcfilter6, proc_net_ptype;

/* proc_net_sockets.c: Internet sockets, one line each. */
extern const struct proc_net_text proc_net_tcp, proc_net_tcp6, proc_net_udp, proc_net_udp6,
	proc_net_udplite, proc_net_udplite6, proc_net_raw, proc_net_raw6, proc_net_icmp,
	proc_net_icmp6;
