/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Byte queues of fixed capacity, a power of two. One reader and one writer may work at the same time without a lock
 * (an interrupt handler and a thread); several on one side need a lock of their own.
 */
#pragma once

#include <lib/string.h>
#include <lib/types.h>

struct ring {
	u8 *data;
	u32 size;
	u32 head; /* bytes ever written; only the writer stores it */
	u32 tail; /* bytes ever read; only the reader stores it */
};

static inline void ring_init(struct ring *r, void *data, u32 size)
{
	*r = (struct ring){ .data = data, .size = size };
}

/* Bytes that can be read, and written. */
static inline u32 ring_used(const struct ring *r)
{
	return __atomic_load_n(&r->head, __ATOMIC_ACQUIRE) -
	       __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);
}
static inline u32 ring_space(const struct ring *r)
{
	return r->size - ring_used(r);
}

/* Appends one byte; false when full. */
static inline bool ring_put(struct ring *r, u8 byte)
{
	if (!ring_space(r))
		return false;
	r->data[r->head & (r->size - 1)] = byte;
	__atomic_store_n(&r->head, r->head + 1, __ATOMIC_RELEASE);
	return true;
}

/* Takes the first byte; false when empty. */
static inline bool ring_get(struct ring *r, u8 *byte)
{
	if (!ring_used(r))
		return false;
	*byte = r->data[r->tail & (r->size - 1)];
	__atomic_store_n(&r->tail, r->tail + 1, __ATOMIC_RELEASE);
	return true;
}

/* The byte `offset` bytes after the first; offset < ring_used(). */
static inline u8 ring_peek(const struct ring *r, u32 offset)
{
	return r->data[(r->tail + offset) & (r->size - 1)];
}

/* Appends and takes as much as possible, at most `n` bytes; return how much. */
u32 ring_write(struct ring *r, const void *from, u32 n);
u32 ring_read(struct ring *r, void *to, u32 n);

/* Takes back the byte written last (erase in a line editor); only when no reader works at the same time. */
static inline bool ring_unput(struct ring *r)
{
	if (!ring_used(r))
		return false;
	__atomic_store_n(&r->head, r->head - 1, __ATOMIC_RELEASE);
	return true;
}

static inline void ring_clear(struct ring *r)
{
	__atomic_store_n(&r->tail, r->head, __ATOMIC_RELEASE);
}
