/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to do when page frames run out. */
#pragma once

#include <lib/types.h>

struct memory_object;

/*
 * Frees up to `target` pages of what can be made again: clean page cache, empty slabs, cached
 * stacks. Returns how many came free, 0 when nothing is left to take. May sleep; the caller may
 * hold locks of user memory (RANK_ASPACE, RANK_MEMORY_OBJECT): objects and address spaces that are
 * locked are skipped.
 */
u64 reclaim_pages(u64 target);

/*
 * Called by the frame allocator below a watermark. Returns true when trying again may succeed.
 * `flags` are ALLOC_*.
 */
bool reclaim_for(unsigned order, u32 flags);

/* A memory object that can read its pages again joins the list that reclaim walks, or leaves it. */
void reclaim_add_object(struct memory_object *object);
void reclaim_remove_object(struct memory_object *object);

/* vm.drop_caches bit 0: frees all clean pages of the page cache. May sleep. */
void reclaim_drop_page_cache(void);

/* Numbers for /proc/meminfo and /proc/vmstat; in pages, or events since boot. */
struct memory_counts {
	u64 cache_clean; /* page cache that reclaim could free */
	u64 shmem;	 /* in memory objects without a home: tmpfs, shared memory */
	u64 oom_kills;
};
void memory_counts(struct memory_counts *out);

/* Boot. */
void reclaim_boot(void);
