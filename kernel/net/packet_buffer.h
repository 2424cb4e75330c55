/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets: a small linear part that holds the headers (and the payload of small packets), and
 * fragments that refer to pages. Layers move `data` over the headers: packet_push going down,
 * packet_pull going up. A page may belong to several packets (the send queue of a connection, the
 * packet in flight, the receive queue of the peer), so the bytes of fragments are never written
 * once a packet is sent.
 *
 * A packet has one owner; functions that take it say so. All work in any thread context, under
 * spinlocks too, unless said otherwise.
 */
#pragma once

#include <lib/types.h>
#include <mm/frame.h>
#include <mm/iter.h>

struct inet_node;
struct net_device;

#define PACKET_FRAGMENTS_MAX 18 /* 64 KiB in pages, and the ends */
#define PACKET_ROOM 512		/* bytes of the linear part */
#define PACKET_HEADROOM 128	/* what packet_alloc leaves in front of data, for all headers */

struct packet_fragment {
	struct page *page; /* first page of its block; owns a reference */
	u32 offset, length;
};

enum packet_checksum {
	CHECKSUM_UNKNOWN,  /* in: to be verified; out: complete */
	CHECKSUM_VERIFIED, /* in: somebody trustworthy has checked it */
	/* Out, and in over loopback: the field at checksum_start + checksum_offset holds the sum of
	 * the pseudo header; whoever puts it on a wire adds the rest. */
	CHECKSUM_PARTIAL,
};

struct packet {
	struct packet *next;	   /* in a packet_queue */
	struct net_device *device; /* came from, or goes to; borrowed, valid under RCU */
	u8 *data;		   /* first byte of the present layer, in room[] */
	u32 length;		   /* bytes from data on, with fragments */
	u16 linear;		   /* those of them in room[] */
	u8 fragment_count;
	u8 checksum;  /* enum packet_checksum */
	u8 kind;      /* PACKET_HOST, _BROADCAST, _MULTICAST, _OTHERHOST, _OUTGOING */
	bool echoed;  /* came back over loopback: of this host itself */
	bool more;    /* out: another follows at once, the device need not be told of this one */
	u16 protocol; /* ETH_P_*, host byte order */
	/* Offsets in room[]. */
	u16 link_header, network_header, transport_header;
	u16 checksum_start;  /* offset in room[] */
	u16 checksum_offset; /* from checksum_start */
	/* A large packet that is to be cut (or was merged) into segments of this payload; 0: none. */
	u16 segment_size;
	u16 truesize; /* in units of 64 bytes: memory that it stands for, in a socket's books */
	u32 mark, priority;
	/* Who is told when it is sent; owns a reference; null: nobody. */
	struct inet_node *stamped_for;
	u32 stamp_number;
	u16 stamps; /* SOF_TIMESTAMPING_TX_* of it */
	u16 queue; /* in: the device's queue that it came by, counted from 1; 0: the device has none */
	u64 time_ns;	/* CLOCK_REALTIME of arrival; 0: not stamped */
	u64 control[8]; /* whatever the layer that holds the packet likes */
	struct packet_fragment fragments[PACKET_FRAGMENTS_MAX];
	u8 room[PACKET_ROOM];
};

/* An empty packet with PACKET_HEADROOM; null without memory. Never sleeps. */
[[nodiscard]] struct packet *packet_alloc(void);
/* Frees a packet and drops its pages. Null does nothing. */
void packet_free(struct packet *packet);
/* Another packet with the same bytes: headers copied, pages shared. */
[[nodiscard]] struct packet *packet_clone(const struct packet *packet);

/* Bytes free in front of data, and behind the linear part (which has no fragments behind it). */
static inline unsigned packet_headroom(const struct packet *p)
{
	return (unsigned)(p->data - p->room);
}
static inline unsigned packet_tailroom(const struct packet *p)
{
	return p->fragment_count ? 0 : PACKET_ROOM - packet_headroom(p) - p->linear;
}

/* Adds a header of `n` bytes in front; the caller knows that there is room. */
static inline void *packet_push(struct packet *p, unsigned n)
{
	p->data -= n;
	p->length += n;
	p->linear += n;
	return p->data;
}
/* Appends `n` bytes to the linear part, room and no fragments given; the caller fills them in. */
static inline void *packet_append(struct packet *p, unsigned n)
{
	u8 *at = p->data + p->linear;

	p->length += n;
	p->linear += n;
	return at;
}

/* Makes the first `n` bytes linear. False if the packet is shorter, or they do not fit. */
[[nodiscard]] bool packet_linearize_more(struct packet *p, unsigned n); /* n > linear */
[[nodiscard]] static inline bool packet_linearize(struct packet *p, unsigned n)
{
	return likely(n <= p->linear) || packet_linearize_more(p, n);
}
/* Removes `n` <= length bytes from the front, and leaves `length` bytes. */
void packet_pull_fragments(struct packet *p,
			   unsigned n); /* what is not linear; length is told already */
static inline void packet_pull(struct packet *p, unsigned n)
{
	unsigned linear = n < p->linear ? n : p->linear;

	p->data += linear;
	p->linear -= linear;
	p->length -= n;
	if (unlikely(linear < n))
		packet_pull_fragments(p, n - linear);
}
void packet_trim(struct packet *p, unsigned length);

/* Appends a piece of a page block, taking over the caller's reference. False: no slot free. */
[[nodiscard]] bool packet_add_fragment(struct packet *p, struct page *page, u32 offset, u32 length);

/*
 * Appends `n` bytes in new pages filled from `it`. May sleep (user memory). 0, -ENOMEM, -EFAULT,
 * -EMSGSIZE (too many fragments).
 */
[[nodiscard]] int packet_append_iter(struct packet *p, struct iter *it, size_t n);
/* Appends all of `it`, to the linear part first, so that headers are in one piece. As packet_append_iter. */
[[nodiscard]] int packet_fill(struct packet *p, struct iter *it);
/* Appends bytes from kernel memory; never sleeps. 0, -ENOMEM, -EMSGSIZE. */
[[nodiscard]] int packet_append_bytes(struct packet *p, const void *from, size_t n);

/* Copies `n` bytes from `offset` on, out of the packet: to kernel memory (false: too short), or to an
 * iterator (bytes copied, fewer at a fault; may sleep). */
[[nodiscard]] bool packet_copy_pieces(const struct packet *p, unsigned offset, void *to,
				      unsigned n);
[[nodiscard]] static inline bool packet_copy(const struct packet *p, unsigned offset, void *to,
					     unsigned n)
{
	/* A header is in one piece nearly always. */
	if (unlikely(offset > p->linear || n > p->linear - offset))
		return packet_copy_pieces(p, offset, to, n);
	__builtin_memcpy(to, p->data + offset, n);
	return true;
}
[[nodiscard]] size_t packet_copy_to_iter(const struct packet *p, unsigned offset, struct iter *it,
					 size_t n);

/* The Internet checksum (RFC 1071), not folded and not inverted, of `n` bytes from `offset` on. */
u32 packet_sum(const struct packet *p, unsigned offset, unsigned n, u32 sum);
/* Turns CHECKSUM_PARTIAL into a complete checksum. */
void packet_complete_checksum(struct packet *p);

/* Memory in bytes that the packet holds on to, for the books of a socket. */
u32 packet_memory(const struct packet *p);

/* First in, first out; the owner's lock guards it. */
struct packet_queue {
	struct packet *head, *tail;
	u32 count;
};
static inline void packet_queue_add(struct packet_queue *q, struct packet *p)
{
	p->next = nullptr;
	if (q->tail)
		q->tail->next = p;
	else
		q->head = p;
	q->tail = p;
	q->count++;
}
static inline struct packet *packet_queue_take(struct packet_queue *q)
{
	struct packet *p = q->head;

	if (p) {
		q->head = p->next;
		if (!q->head)
			q->tail = nullptr;
		q->count--;
		p->next = nullptr;
	}
	return p;
}
void packet_queue_free(struct packet_queue *q);

/* Boot. */
void packet_init(void);
