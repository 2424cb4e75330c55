/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of AF_PACKET. */
#pragma once

#include <core/lock.h>
#include <net/device.h>
#include <net/packet/packet.h>
#include <net/packet_buffer.h>
#include <net/socket.h>

#include <linux/if_packet.h>

struct packet_membership {
	struct packet_membership *next;
	int index;
	u16 type;
	u32 count;
};
struct packet_ring;

struct packet_socket {
	struct packet_socket *next; /* RCU; changed under packet_list_lock */
	struct socket *socket;
	struct spinlock lock; /* RANK_NET_DEVICE */
	struct packet_queue queue __guarded_by(&lock);
	u32 queued;	       /* bytes of memory; under lock */
	u32 received, dropped; /* PACKET_STATISTICS; under lock */
	struct packet_ring *
		ring; /* what is received goes there; under lock, replaced under packet_list_lock */
	u16 protocol; /* ETH_P_*, host order; 0: nothing */
	int index;    /* device; 0: all */
	bool auxiliary;	      /* PACKET_AUXDATA */
	bool ignore_outgoing; /* PACKET_IGNORE_OUTGOING */
	bool tapping;
	u8 version;  /* TPACKET_V*; of the next ring */
	u32 reserve; /* PACKET_RESERVE */
	u32 uid;
	struct packet_membership *memberships; /* under network->config */
};

extern struct mutex packet_list_lock;	     /* RANK_PIPE */
extern struct packet_socket *packet_sockets; /* RCU */

static inline struct packet_socket *packet_of(const struct socket *socket)
{
	return socket->private;
}

/* tap.c: what devices see, and who receives it. */
void packet_tap(struct net_device *device, struct packet *packet, bool outgoing);
/* Listens to a device (0: all) for a protocol (0: not at all). */
void packet_listen_to(struct packet_socket *s, int index, u16 protocol)
	__must_hold(&packet_list_lock);
/* A device came: those that listen to all devices of its name space listen to it. */
void packet_device_added(struct net_device *device);
void packet_fill_name(const struct packet *packet, struct sockaddr_ll *name);
ssize_t packet_receive(struct socket *socket, struct socket_message *message);
u32 packet_ready(struct socket *socket);

/* options.c */
int packet_set_option(struct socket *socket, int level, int option, const void *value,
		      size_t length);
int packet_get_option(struct socket *socket, int level, int option, void *value, size_t *length);
/* Leaves all groups and modes, in the end. */
void packet_leave_all(struct packet_socket *s);

/* ring.c */
/* PACKET_RX_RING: makes, or with no blocks removes. -EINVAL, -EBUSY (mapped), -ENOMEM. May sleep. */
[[nodiscard]] int packet_ring_set(struct packet_socket *s, const void *value, size_t length);
/* Bytes in front of the data that a frame of the version has: PACKET_HDRLEN. -EINVAL. */
[[nodiscard]] int packet_ring_header(int version);
/* Puts a packet of `length` bytes, of which `wanted` pass the filter, into the next frame; false: none is free. */
bool packet_ring_put(struct packet_socket *s, const struct packet *packet, u32 wanted, u32 length)
	__must_hold(&s->lock);
/* A frame waits for user space. */
bool packet_ring_ready(struct packet_socket *s);
int packet_map(struct socket *socket, struct map_request *request);
