/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of the Internet sockets that own ports, for those who show them: /proc/net and sock_diag. */
#pragma once

#include <net/inet_socket.h>

/* One socket at the time of the visit. */
struct inet_description {
	struct inet_node *node; /* the visit may look at what never changes, and take its lock */
	u8 state;		/* enum tcp_state */
	u8 timer; /* as in /proc/net/tcp: 0 none, 1 retransmit, 2 keep-alive, 3 TIME_WAIT, 4 probe */
	u8 retransmits, probes;
	u8 shutdown;	/* SOCKET_SHUT_* */
	u16 local_port; /* of a raw socket its protocol */
	u32 expires_ms;
	u32 sending, receiving; /* bytes; of a listener the backlog and how many wait */
	u32 uid, mark, dropped;
	u64 inode, cookie; /* 0: nobody has it open */
};

/*
 * Visits every owner of a port of `table` in the name space; sockets that come and go meanwhile may be
 * missed. The visit may sleep; what it returns other than 0 ends the walk and is returned. -ENOMEM. May sleep.
 */
[[nodiscard]] int inet_list(struct port_table *table, const struct network_namespace *network,
			    int (*visit)(const struct inet_description *socket, void *arg),
			    void *arg);
/* The same for raw and ping sockets. */
[[nodiscard]] int inet_list_raw(const struct network_namespace *network,
				int (*visit)(const struct inet_description *socket, void *arg),
				void *arg);
