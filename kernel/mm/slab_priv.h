/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the slab allocator and its books. The rules are in slab.c. */
#pragma once

#include <core/lock.h>
#include <core/percpu.h>
#include <mm/slab.h>

#define SLAB_CACHES_MAX 64
#define MAGAZINE_SIZE 15

struct slab_cache {
	struct spinlock lock;
	u32 size; /* of an object, with padding */
	u16 id;
	u16 per_slab;
	u8 order;
	u32 object_size; /* as asked for */
	struct list_head partial __guarded_by(&lock);
	u32 empty __guarded_by(&lock);	/* slabs in `partial` without objects handed out */
	u64 in_use __guarded_by(&lock); /* objects not in slabs */
	u64 slabs __guarded_by(&lock);
	const char *name;
};

struct magazine {
	u64 count;
	void *objects[MAGAZINE_SIZE];
};

extern struct slab_cache slab_caches[SLAB_CACHES_MAX];
extern u32 slab_cache_count;
/* SLAB_CACHES_MAX magazines; null before slab_init, or on a CPU that found no memory for them. */
DECLARE_PER_CPU(struct magazine *, magazines);

/* Objects back into their slabs. Takes the cache's lock. */
void slab_give_many(struct slab_cache *cache, void **objects, unsigned count);
/* Frees a slab that is in no list. No lock is held. */
void slab_release(struct slab_cache *cache, struct page *slab);
/* Objects of the cache in the sanitizer's quarantine; none in other builds. Emptying it frees them. */
u64 slab_in_quarantine(const struct slab_cache *cache);
void slab_quarantine_empty(void);
