/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Metadata buffers: the blocks of a file system as windows into its device's page cache, so that what a program reads
 * from /dev/vda1 is what the file system sees. buffer.c has the rules.
 */
#pragma once

#include <core/lock.h>
#include <core/wait.h>
#include <lib/list.h>
#include <lib/radix.h>

struct block_device;
struct buffer_cache;
struct page;
struct journal_entry;

struct buffer {
	struct buffer_cache *cache;
	u64 block; /* number on the device, in blocks of the cache */
	char *data;
	struct page *page; /* holds a reference */
	u32 refs;	   /* guarded by the cache's lock */
	u32 flags;	   /* BUFFER_*, atomic */
	u32 verified; /* the file system's: as what it has checked the contents; 0 once they were read */
	struct list_head node; /* unused: in cache->unused; dirty: in cache->dirty; its lock */
	/* The journal's, guarded by its lock: what it knows of the block in the running and the committing transaction and
	 * among those that wait for their way home. */
	struct journal_entry *running, *committing, *checkpoint;
};
#define BUFFER_DIRTY BIT(0)   /* to be written home by buffer_cache_sync; holds a reference */
#define BUFFER_WRITING BIT(1) /* on its way home: must not change */

/* A cache of blocks of `block_size` bytes, at most a page. Borrows the device. -ENOMEM. */
[[nodiscard]] int buffer_cache_create(struct block_device *device, u32 block_size,
				      struct buffer_cache **out);
/* All buffers must have been put; what is dirty is forgotten. May sleep. */
void buffer_cache_destroy(struct buffer_cache *cache);
struct block_device *buffer_cache_device(const struct buffer_cache *cache);
u32 buffer_cache_block_size(const struct buffer_cache *cache);

/* The block with its contents and a reference. -EIO, -ENOMEM, -EINVAL behind the end. May sleep. */
[[nodiscard]] int buffer_get(struct buffer_cache *cache, u64 block, struct buffer **out);
/* The same for a block whose old contents do not matter: they are zeroed, as a change of the caller's. */
[[nodiscard]] int buffer_get_new(struct buffer_cache *cache, u64 block, struct buffer **out);
/* The block if it is in memory, or null. */
struct buffer *buffer_find(struct buffer_cache *cache, u64 block);
void buffer_hold(struct buffer *buffer); /* one more reference */
void buffer_put(struct buffer *buffer);	 /* null does nothing; does not sleep */

/* To be written by the next buffer_cache_sync. */
void buffer_mark_dirty(struct buffer *buffer);
/* Its contents do not matter any more: will not be written. */
void buffer_forget_dirty(struct buffer *buffer);
/* Writes all dirty buffers and waits; no flush. The first error. May sleep. */
[[nodiscard]] int buffer_cache_sync(struct buffer_cache *cache);
/* Writes buffers home and waits. The caller keeps them from changing (BUFFER_WRITING). The first error. */
[[nodiscard]] int buffer_write_all(struct buffer **buffers, unsigned count, u32 request_flags);

static inline bool buffer_test(const struct buffer *buffer, u32 flag)
{
	return __atomic_load_n(&buffer->flags, __ATOMIC_ACQUIRE) & flag;
}
static inline void buffer_set(struct buffer *buffer, u32 flag)
{
	__atomic_fetch_or(&buffer->flags, flag, __ATOMIC_ACQ_REL);
}
static inline void buffer_clear(struct buffer *buffer, u32 flag)
{
	__atomic_fetch_and(&buffer->flags, ~flag, __ATOMIC_ACQ_REL);
}
