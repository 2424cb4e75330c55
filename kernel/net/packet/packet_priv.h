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
struct packet_rings;
struct packet_fanout;

#define ROLLOVER_HISTORY 16

struct packet_socket {
	struct packet_socket *next; /* RCU; changed under packet_list_lock */
	struct socket *socket;
	struct spinlock lock; /* RANK_NET_DEVICE */
	struct packet_queue queue __guarded_by(&lock);
	u32 queued;			/* bytes of memory; under lock */
	u32 received, dropped, freezes; /* PACKET_STATISTICS; under lock */
	struct mutex ring_lock;		/* RANK_NET_SEND: who replaces, maps, or sends from rings */
	struct packet_rings *rings;	/* null: none; under lock, replaced under ring_lock too */
	u16 protocol;			/* ETH_P_*, host order; 0: nothing */
	int index;			/* device; 0: all */
	bool auxiliary;			/* PACKET_AUXDATA */
	bool ignore_outgoing;		/* PACKET_IGNORE_OUTGOING */
	bool tapping;
	bool sends_from_ring; /* there is a ring to send */
	bool lossy;	      /* PACKET_LOSS: frames to send that are not sound are passed over */
	bool send_offsets;    /* PACKET_TX_HAS_OFF */
	bool has_header; /* PACKET_VNET_HDR: struct virtio_net_hdr stands in front of each packet */
	bool original_device; /* PACKET_ORIGDEV: there is nothing like bonding, so it is the device */
	bool bypass;	  /* PACKET_QDISC_BYPASS: nothing is queued in front of a device anyway */
	int time_stamps;  /* PACKET_TIMESTAMP: there are those of software only */
	u8 version;	  /* TPACKET_V*; of the next ring */
	u32 reserve;	  /* PACKET_RESERVE */
	bool keeps_whole; /* PACKET_COPY_THRESH: what a frame is too small for is queued as well */
	u32 uid;
	struct packet_membership *memberships; /* under network->config */
	struct packet_fanout *fanout;	       /* RCU; changed under packet_list_lock */
	/* PACKET_FANOUT_ROLLOVER: where it went last, and the flows of late; each is read and written as a whole. */
	u32 rollover_next, rollover_history[ROLLOVER_HISTORY];
	u64 rolled_over, rolled_huge, rollovers_failed; /* PACKET_ROLLOVER_STATS */
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

/* Where a packet that is sent goes. */
struct packet_target {
	int index;
	u16 protocol;
	u32 mark;
	u8 address[8];
	unsigned header;      /* what SOCK_DGRAM puts in front */
	unsigned least, most; /* bytes that a program may give */
	u16 fragment_size;    /* IPv4: to be cut into fragments of this payload; 0: not */
};
/* The device and address of the message, or what the socket is bound to. -EINVAL, -ENXIO, -ENETDOWN. */
[[nodiscard]] int packet_find_target(struct socket *socket, const struct socket_message *message,
				     struct packet_target *out);
/* Sends a packet with what the program gave. Takes it. -ENXIO. */
[[nodiscard]] int packet_transmit(struct socket *socket, struct packet *packet,
				  const struct packet_target *to);

/* offload.c: PACKET_VNET_HDR */
struct virtio_net_hdr;
/* Reads the header in front of a packet to be sent. -EINVAL (there is none, or it is not sound), -EFAULT. */
[[nodiscard]] int packet_header_read(struct socket_message *message, struct virtio_net_hdr *out);
/* Does with the packet, which is whole, what its header asks for. -EINVAL. */
[[nodiscard]] int packet_header_apply(struct packet *packet, const struct virtio_net_hdr *header,
				      struct packet_target *to);
/* Writes the header of a packet that is received. -EINVAL (no room for it), -EFAULT. */
[[nodiscard]] int packet_header_write(const struct packet *packet, struct socket_message *message);
/* Sends a packet of IPv4, data at its link header, in fragments. Takes it. */
void packet_send_fragments(struct net_device *device, struct packet *packet, unsigned size);

/* fanout.c */
/*
 * The socket of its group that gets a packet of the one that stands for the group; null: this one does not. A fragment may be taken
 * (then *packet is null as well), or replaced by its whole datagram. Under RCU.
 */
struct packet_socket *packet_fanout_choose(struct packet_socket *s, struct packet **packet);
/* A number that is the same for both directions of a flow; data at the link header, or at network_header. */
u32 packet_flow_hash(const struct packet *packet);
/* PACKET_FANOUT, PACKET_FANOUT_DATA, and what getsockopt says of it. May sleep. */
[[nodiscard]] int packet_fanout_join(struct packet_socket *s, const void *value, size_t length);
[[nodiscard]] int packet_fanout_set_data(struct packet_socket *s, const void *value, size_t length);
int packet_fanout_describe(const struct packet_socket *s);
/* Leaves; what it returns is to be given to packet_fanout_free after a grace period. */
struct packet_fanout *packet_fanout_leave(struct packet_socket *s) __must_hold(&packet_list_lock);
void packet_fanout_free(struct packet_fanout *fanout);

/* rings.c */
/* PACKET_RX_RING, PACKET_TX_RING: makes, or with no blocks removes. -EINVAL, -EBUSY (mapped, there), -ENOMEM. May sleep. */
[[nodiscard]] int packet_ring_set(struct packet_socket *s, bool send, const void *value,
				  size_t length);
void packet_rings_release(struct packet_socket *s);
int packet_map(struct socket *socket, struct map_request *request);

/* ring.c */
/* Bytes of the header that a frame of the version has: PACKET_HDRLEN. -EINVAL. */
[[nodiscard]] int packet_ring_header(int version);
/* Where the link header begins at the least: behind the frame's header and the address of the sender. */
u32 packet_ring_room(u8 version);
/* The socket has a ring to receive. */
bool packet_receives_in_ring(const struct packet_socket *s) __must_hold(&s->lock);
/*
 * Puts a packet of `length` bytes, of which `wanted` pass the filter, into the next frame; false: none is free. *whole says that the
 * packet can be queued besides; in the end, that the frame is too small and says that it is.
 */
bool packet_ring_put(struct packet_socket *s, const struct packet *packet, u32 wanted, u32 length,
		     bool *whole) __must_hold(&s->lock);
/* A frame waits for user space. */
bool packet_ring_ready(struct packet_socket *s);
/* False if the frame that is one in `divisor` of the ring ahead (0: the next) is not free. */
bool packet_ring_has_room(struct packet_socket *s, u32 divisor) __must_hold(&s->lock);

/* ring_send.c: send(2) of a socket with a ring to send; all of its frames that wait. Bytes sent, or -errno. May sleep. */
[[nodiscard]] ssize_t packet_ring_send(struct socket *socket, const struct socket_message *message);

/* blocks.c */
void packet_blocks_init(void);
