/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UDP sockets (RFC 768, udp(7)), shared by the files of this folder and by /proc and sock_diag. */
#pragma once

#include <net/datagram.h>

struct udp_header {
	u16 source, destination, length, checksum;
} __packed;
static_assert(sizeof(struct udp_header) == 8);

#define UDP_PAYLOAD_MAX (65535 - 8 - 20)
#define UDP_PAYLOAD_MAX6 (65535 - 8)

struct udp {
	struct inet_socket inet; /* first */
	struct datagram_queue received;
	bool corked;	       /* UDP_CORK */
	bool no_checksum6_out; /* UDP_NO_CHECK6_TX */
	bool no_checksum6_in;  /* UDP_NO_CHECK6_RX */
	u16 segment_size;      /* UDP_SEGMENT */
	struct mutex cork_lock;
	struct packet *cork __guarded_by(&cork_lock); /* what MSG_MORE has gathered */
	struct inet_flow cork_flow __guarded_by(&cork_lock);
	u16 cork_port __guarded_by(&cork_lock);
	int cork_device __guarded_by(&cork_lock);
	u16 cork_segment_size __guarded_by(&cork_lock);
};

static inline struct udp *udp_of(struct socket *socket)
{
	return socket->private;
}

extern struct port_table udp_ports;

ssize_t udp_send(struct socket *socket, struct socket_message *message);
/* Drops what was gathered. May sleep. */
void udp_cork_drop(struct udp *u);
