/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Byte queues: the bulk operations. */
#include <lib/ring.h>

u32 ring_write(struct ring *r, const void *from, u32 n)
{
	u32 at = r->head & (r->size - 1), first;

	n = MIN(n, ring_space(r));
	first = MIN(n, r->size - at);
	memcpy(r->data + at, from, first);
	memcpy(r->data, (const u8 *)from + first, n - first);
	__atomic_store_n(&r->head, r->head + n, __ATOMIC_RELEASE);
	return n;
}

u32 ring_read(struct ring *r, void *to, u32 n)
{
	u32 at = r->tail & (r->size - 1), first;

	n = MIN(n, ring_used(r));
	first = MIN(n, r->size - at);
	memcpy(to, r->data + at, first);
	memcpy((u8 *)to + first, r->data, n - first);
	__atomic_store_n(&r->tail, r->tail + n, __ATOMIC_RELEASE);
	return n;
}
