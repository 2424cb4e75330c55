/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers for things: each id stands for a pointer. The user's lock guards changes; idr_find may also run
 * under rcu_read_lock.
 */
#pragma once

#include <lib/radix.h>
#include <lib/types.h>

struct idr {
	struct radix_tree map;
	u32 next; /* where idr_alloc_cyclic goes on */
};

#define IDR_INIT { RADIX_TREE_INIT, 0 }

static inline void idr_init(struct idr *idr)
{
	*idr = (struct idr)IDR_INIT;
}

/*
 * Gives `value` (not null) the lowest free id in [min, max]. Returns the id (>= 0), -ENOSPC or -ENOMEM.
 */
[[nodiscard]] int idr_alloc(struct idr *idr, void *value, u32 min, u32 max);

/* The same, but continues after the id given last and starts again at `min` when max is reached (pids). */
[[nodiscard]] int idr_alloc_cyclic(struct idr *idr, void *value, u32 min, u32 max);

/* What has `id`, or null. */
static inline void *idr_find(const struct idr *idr, u32 id)
{
	return radix_load(&idr->map, id);
}

/* Frees `id` and returns what had it, or null. */
static inline void *idr_remove(struct idr *idr, u32 id)
{
	return radix_remove(&idr->map, id);
}

/* The value with the smallest id >= *id, which is stored there; null at the end. */
static inline void *idr_next(const struct idr *idr, u32 *id)
{
	u64 index = *id;
	void *value = radix_next(&idr->map, &index, UINT32_MAX);

	if (value)
		*id = (u32)index;
	return value;
}

static inline u64 idr_count(const struct idr *idr)
{
	return idr->map.entries;
}
