/* SPDX-License-Identifier: MIT */
/*
 * Rings: a stream of bytes between two programs through memory that both have mapped, without copies by the kernel and without a call
 * for each piece. A ring is a library on memory (CAIRN_TYPE_MEMORY) and two events (CAIRN_TYPE_EVENT or eventfd(2)); whoever makes it sends
 * the three handles to the other side, over a channel for instance. One side produces, the other one consumes.
 *
 * The kernel is called only when a side finds the ring empty or full and has to wait, and to wake a side that waits. What is produced
 * can be filled in, and what is consumed looked at, where it lies. Each side trusts only its own count and checks the other's: a hostile
 * peer can spoil the bytes, but not lead out of the ring.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct cairn_ring {
	struct cairn_ring_shared *shared;
	unsigned char *bytes;
	size_t size;	 /* of the ring: a power of two */
	uint64_t own;	 /* how far this side has come */
	int data, space; /* events: there is something to consume, there is room */
};

/*
 * Maps the memory (at least 2 pages, of which all but the first are the ring, a power of two of them) and remembers the events.
 * Both sides call it on the same handles. 0. EINVAL: the size; what mmap(2) says.
 */
int cairn_ring_open(struct cairn_ring *ring, int memory, size_t memory_size, int data, int space);
void cairn_ring_close(struct cairn_ring *ring);

/* The producer's next bytes to fill in: how many lie in one piece from *at on; waits until there is one. -1: EINTR, EPROTO (the peer's count
 * is none), what read(2) says of the event. */
ptrdiff_t cairn_ring_reserve(struct cairn_ring *ring, unsigned char **at);
/* Hands the first n of them over. -1 as write(2) of the event. */
int cairn_ring_produce(struct cairn_ring *ring, size_t n);

/* The same for the consumer: the next bytes to look at; and gives the first n of them back. */
ptrdiff_t cairn_ring_peek(struct cairn_ring *ring, unsigned char **at);
int cairn_ring_consume(struct cairn_ring *ring, size_t n);
