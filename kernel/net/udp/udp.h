/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UDP sockets (RFC 768, udp(7)), shared by the files of this folder and by /proc and sock_diag. */
#pragma once

#include <net/inet_socket.h>

struct udp_header {
	u16 source, destination, length, checksum;
} __packed;
static_assert(sizeof(struct udp_header) == 8);

#define UDP_PAYLOAD_MAX (65535 - 8 - 20)
/* What a datagram in the queue costs besides its bytes, of SO_RCVBUF. */
#define UDP_PACKET_COST 640

struct udp {
	struct inet_socket inet;      /* first */
	struct packet_queue received; /* inet.lock */
	u32 received_memory;	      /* inet.lock */
	u32 dropped;		      /* inet.lock */
	bool corked;		      /* UDP_CORK */
	u16 segment_size;	      /* UDP_SEGMENT */
	struct mutex cork_lock;
	struct packet *cork __guarded_by(&cork_lock); /* what MSG_MORE has gathered */
	struct inet_flow cork_flow __guarded_by(&cork_lock);
	u16 cork_port __guarded_by(&cork_lock);
	int cork_device __guarded_by(&cork_lock);
};

static inline struct udp *udp_of(struct socket *socket)
{
	return socket->private;
}

extern struct port_table udp_ports;

/* What a received packet says about itself, in packet->control. */
struct udp_received {
	struct inet_address source, destination;
	int device_index;
	u16 source_port;
	u8 ttl, tos;
};
static_assert(sizeof(struct udp_received) <= sizeof(((struct packet *)0)->control));

ssize_t udp_send(struct socket *socket, struct socket_message *message);
/* Drops what was gathered. May sleep. */
void udp_cork_drop(struct udp *u);
