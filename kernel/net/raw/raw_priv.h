/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of raw and ping sockets share. */
#pragma once

#include <net/datagram.h>
#include <net/inet_socket.h>

struct raw {
	struct inet_socket inet; /* first */
	struct raw *next;	 /* RCU; changed under the lock of the list */
	u8 protocol;
	u32 icmp_filter[8]; /* bit set: the type is not wanted; ICMP uses the first word */
	int checksum_at;    /* IPV6_CHECKSUM; -1: none */
	struct datagram_queue received;
};

extern struct port_table ping_ports; /* their identifiers */

static inline struct raw *raw_of(struct socket *socket)
{
	return socket->private;
}

/* socket_ops.send (raw_send.c). May sleep. */
[[nodiscard]] ssize_t raw_send(struct socket *socket, struct socket_message *m);
