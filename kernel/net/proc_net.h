/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/net (proc(5)): the tables of the network as text. */
#pragma once

#include <fs/synthetic/synthetic.h>

extern const struct synthetic_table proc_net_table;
extern const struct synthetic_table sysctl_net_table; /* /proc/sys/net */

/* proc_net_statistics.c */
extern const struct synthetic_type proc_net_snmp, proc_net_snmp6, proc_net_sockstat,
	proc_net_sockstat6;

/* proc_net_sockets.c: Internet sockets, one line each; data: &proc_net_v6 or null. */
extern const struct synthetic_type proc_net_tcp, proc_net_udp, proc_net_raw, proc_net_icmp;
extern const bool proc_net_v6;
