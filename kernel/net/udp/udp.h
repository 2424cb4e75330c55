/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UDP sockets (RFC 768, udp(7)), and those of UDP-Lite (RFC 3828, udplite(7)), which is UDP but for its checksum: that may cover less
 * than the datagram. Shared by the files of this folder and by /proc and sock_diag.
 */
#pragma once

#include <net/datagram.h>

struct udp_header {
	u16 source, destination, length, checksum;
} __packed;
static_assert(sizeof(struct udp_header) == 8);

/* udplite(7); no header of the uapi has them. */
#define SOL_UDPLITE 136
#define UDPLITE_SEND_CSCOV 10
#define UDPLITE_RECV_CSCOV 11

#define UDP_PAYLOAD_MAX (65535 - 8 - 20)
#define UDP_PAYLOAD_MAX6 (65535 - 8)

/* One of the two. */
struct udp_protocol {
	struct port_table ports;
	u8 number; /* IPPROTO_* */
	bool lite;
};
extern struct udp_protocol udp_plain, udp_lite;

/* What a sender or receiver of UDP-Lite says that the checksum has to cover: bytes with the header; 0: all. */
struct udp_coverage {
	u16 bytes;
	bool given;
};

struct udp {
	struct inet_socket inet; /* first */
	struct udp_protocol *protocol;
	struct udp_coverage send_coverage, receive_coverage; /* UDPLITE_SEND_CSCOV, RECV */
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

ssize_t udp_send(struct socket *socket, struct socket_message *message);
/* Drops what was gathered. May sleep. */
void udp_cork_drop(struct udp *u);
