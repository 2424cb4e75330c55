/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel memory: typed caches with per-CPU magazines, and kmalloc on top of them. Everything can
 * fail below system calls; a test build fails the Nth allocation.
 */
#pragma once

#include <mm/frame.h>

struct slab_cache;

/*
 * Makes a cache of objects of `size` bytes aligned to `align` (0: natural). `name` outlives it.
 * Boot only: panics without memory.
 */
struct slab_cache *slab_cache_create(const char *name, size_t size, size_t align);

[[nodiscard]] void *slab_alloc(struct slab_cache *cache, u32 flags);
void slab_free(struct slab_cache *cache, void *object);

/* Variable sizes; larger than a page are whole frames. kfree(null) does nothing. kmalloc(0) is
 * valid to free. */
[[nodiscard]] void *kmalloc(size_t size, u32 flags) __attribute__((alloc_size(1)));
[[nodiscard]] void *kzalloc(size_t size, u32 flags) __attribute__((alloc_size(1)));
/* A zeroed array, with the multiplication checked. */
[[nodiscard]] void *kcalloc(size_t n, size_t size, u32 flags) __attribute__((alloc_size(1, 2)));
/* Keeps the contents; on failure returns null and the old block stays. */
[[nodiscard]] void *krealloc(void *old, size_t size, u32 flags);
void kfree(const void *p);
[[nodiscard]] char *kstrdup(const char *s, u32 flags);
/* Large tables, not contiguous in physical memory: kmalloc when small, mapped pages otherwise. May
 * sleep. */
[[nodiscard]] void *kvmalloc(size_t size, u32 flags);
void kvfree(const void *p);

/* What an allocation of this size takes out of the allocator, for budgets. */
size_t kmalloc_size(size_t size);
size_t kvmalloc_size(size_t size);
size_t slab_object_size(const struct slab_cache *cache);

/* Books for /proc/slabinfo and leak checks. visit returns false to end. */
struct slab_stats {
	const char *name;
	size_t object_size;
	u64 objects_in_use, objects_total, pages;
};
void slab_for_each(bool (*visit)(const struct slab_stats *stats, void *arg), void *arg);

/* Returns empty slabs and magazines to the frame allocator. May sleep. */
void slab_shrink(void);

/* Boot, after frame_init. */
void slab_init(void);

/* Gives a secondary CPU its magazines, before it runs; without, it works but slowly. */
void slab_cpu_init(unsigned cpu);
