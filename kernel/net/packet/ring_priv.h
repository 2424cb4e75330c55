/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rings of AF_PACKET (PACKET_RX_RING, PACKET_TX_RING): memory that the program has mapped too, first that of the ring to receive,
 * then that of the ring to send.
 *
 * (K1) It is one anonymous memory object, all pages of which the rings hold, so that the tap can write them under a spinlock,
 * whatever the program does with its mapping.
 * (K2) A frame (a block of TPACKET_V3) belongs to the kernel while its status says so, else to the program, which gives it back by
 * setting that. Of a frame to send the length and the place of its data are read once; nothing else of the memory is believed.
 * (K3) The rings are replaced only while nobody has them mapped, under ring_lock and the spinlock of the socket.
 */
#pragma once

#include <core/time.h>
#include <mm/frame.h>
#include <net/packet/packet_priv.h>

struct memory_object;

/* One of the two. No frames: there is none. */
struct packet_ring {
	u32 first_page;
	u32 frame_size, frames, head; /* head: the next one to fill, or to send */
	u32 block_size, blocks, frames_per_block;
};

/* The block that TPACKET_V3 fills. */
struct packet_block {
	u32 number;	       /* of the block */
	u32 next, last;	       /* offsets in it: of free room, of the last packet */
	u32 count;	       /* packets */
	bool frozen;	       /* the program has not given it back yet: it is not open */
	u64 sequence;	       /* of the block in the order of opening */
	u64 first_ns, last_ns; /* CLOCK_REALTIME */
	u64 retire_at_ns;      /* CLOCK_MONOTONIC; 0: it has no packets */
	/* From struct tpacket_req3. */
	u32 private_size, timeout_ms, features;
};

struct packet_rings {
	struct memory_object *object;
	struct packet_ring receive, send;
	struct packet_block block;
	struct tpacket_req3 requests[2]; /* what they were made of: to receive, to send */
	u32 reserve;
	u8 version;
	u32 page_count;
	struct page *pages[] __counted_by(page_count);
};

static inline u64 packet_frame_offset(const struct packet_ring *r, u32 frame)
{
	return (u64)r->first_page * PAGE_SIZE + (u64)(frame / r->frames_per_block) * r->block_size +
	       (u64)(frame % r->frames_per_block) * r->frame_size;
}
static inline void *packet_rings_at(const struct packet_rings *rings, u64 offset)
{
	return (char *)page_address(rings->pages[offset / PAGE_SIZE]) + offset % PAGE_SIZE;
}
/* A status, length or the like: four bytes, aligned. */
static inline u32 packet_rings_load(const struct packet_rings *rings, u64 offset)
{
	return __atomic_load_n((u32 *)packet_rings_at(rings, offset), __ATOMIC_ACQUIRE);
}
static inline void packet_rings_store(struct packet_rings *rings, u64 offset, u32 value)
{
	__atomic_store_n((u32 *)packet_rings_at(rings, offset), value, __ATOMIC_RELEASE);
}
void packet_rings_write(struct packet_rings *rings, u64 offset, const void *data, size_t size);

/* What a header of any version says. */
struct packet_frame {
	u32 status, length, snapped;
	u16 mac, net;
	u64 time_ns;
	u32 hash; /* of V3 */
};
/* Where the parts of a packet are in its frame, and what of `wanted` bytes fits into `limit`. */
void packet_frame_fill(const struct packet_socket *s, const struct packet_rings *rings,
		       const struct packet *packet, u32 wanted, u32 length, u32 limit,
		       struct packet_frame *out);
/* The packet and the address of its sender, behind a header that comes later. */
void packet_frame_put(struct packet_rings *rings, u64 offset, const struct packet *packet,
		      const struct packet_frame *frame);

/* blocks.c: TPACKET_V3. All under the lock of the socket. */
/* Opens the first block. */
void packet_blocks_begin(struct packet_rings *rings);
bool packet_blocks_put(struct packet_socket *s, struct packet_rings *rings,
		       const struct packet *packet, u32 wanted, u32 length) __must_hold(&s->lock);
bool packet_blocks_ready(const struct packet_rings *rings);
/* How full the ring is: false if the block that is one in `divisor` of the ring ahead is not the kernel's. */
bool packet_blocks_have_room(const struct packet_rings *rings, u32 divisor);
