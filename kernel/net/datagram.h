/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Datagrams that wait to be read: what UDP, raw and ping sockets have in common. */
#pragma once

#include <net/inet_socket.h>

/* What a datagram in the queue costs besides its bytes, of SO_RCVBUF. */
#define DATAGRAM_COST 640

/* All of it is guarded by the lock of its socket. */
struct datagram_queue {
	struct packet_queue packets;
	u32 memory;
	u32 dropped; /* for want of room, or by a filter */
	bool merge;  /* UDP_GRO: datagrams of a flow may become one */
};

/* What a received packet says about itself, in packet->control; its headers are at packet->network_header still. */
struct datagram_received {
	struct inet_address source, destination;
	int device_index;
	u32 dropped; /* by the queue, before this one */
	u16 source_port;
	u16 header_length; /* of the Internet header with its extensions */
	u16 segment_size;  /* of the datagrams that this one was merged of; 0: of one */
	u8 ttl, tos;
	bool seen; /* it is empty and was peeked at */
};
static_assert(sizeof(struct datagram_received) <= sizeof(((struct packet *)0)->control));
static inline const struct datagram_received *datagram_received(const struct packet *p)
{
	return (const struct datagram_received *)p->control;
}

/*
 * Queues a packet, whose data is what is to be read; a filter of the socket sees `header` bytes more in front of it. Takes the
 * packet. -ENOBUFS: no room, or nobody reads any more; -EPERM: the filter says no. Under RCU.
 */
int datagram_deliver(struct inet_socket *s, struct datagram_queue *q, struct packet *p,
		     const struct inet_info *info, u16 source_port, unsigned header);
/* socket_ops.receive. May sleep. */
[[nodiscard]] ssize_t datagram_receive(struct socket *socket, struct inet_socket *s,
				       struct datagram_queue *q, struct socket_message *m);
/* Bytes of the first datagram: SIOCINQ. */
[[nodiscard]] int datagram_first_length(struct inet_socket *s, const struct datagram_queue *q);
/* What socket_ops.ready says of datagrams and errors, and that it can be written. Without a lock. */
[[nodiscard]] u32 datagram_ready(const struct socket *socket, const struct inet_socket *s,
				 const struct datagram_queue *q);
/* socket_ops.peek_ready. */
[[nodiscard]] bool datagram_peek_ready(const struct socket *socket, struct inet_socket *s,
				       const struct datagram_queue *q);
/* User space lets go: nothing is queued any more, what was is dropped. */
void datagram_close(struct inet_socket *s, struct datagram_queue *q);
