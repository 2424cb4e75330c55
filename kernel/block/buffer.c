/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Metadata buffers.
 *
 * A buffer names one block and pins the page of the device's page cache that holds it. It exists while somebody holds a
 * reference, while it is dirty, and for a while after that in a list of unused ones that saves look-ups and checks;
 * then only the page is left, which reclaim may take.
 *
 * (U1) There is at most one buffer of a block; the tree and the counts are guarded by cache->lock.
 * (U2) BUFFER_DIRTY holds a reference. Without a journal it is set by whoever changes the block; with one, nothing is
 *      dirty here but what the journal itself asks to be written.
 * (U3) A buffer that is being written (BUFFER_WRITING) does not change: changers wait (buffer_write_all's caller sets
 *      the flag under a lock of its own).
 */
#include <block/batch.h>
#include <block/buffer.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/memory_object.h>
#include <mm/slab.h>

#define UNUSED_MAX 1024u /* buffers kept for their next use */

struct buffer_cache {
	struct block_device *device;
	u32 block_size, block_bits;
	u64 blocks;
	struct spinlock lock;
	struct radix_tree tree __guarded_by(&lock);  /* block -> struct buffer */
	struct list_head unused __guarded_by(&lock); /* refs 0, oldest first */
	u32 unused_count __guarded_by(&lock);
	struct list_head dirty __guarded_by(&lock);
};

int buffer_cache_create(struct block_device *device, u32 block_size,
			struct buffer_cache **out) __no_lock_analysis /* nobody else has it yet */
{
	struct buffer_cache *cache = kzalloc(sizeof(*cache), 0);

	if (!cache)
		return -ENOMEM;
	cache->device = device;
	cache->block_size = block_size;
	cache->block_bits = (u32)__builtin_ctz(block_size);
	cache->blocks = block_device_sectors(device) >> (cache->block_bits - SECTOR_SHIFT);
	spin_init(&cache->lock, RANK_DENTRY);
	radix_init(&cache->tree);
	list_init(&cache->unused);
	list_init(&cache->dirty);
	*out = cache;
	return 0;
}

struct block_device *buffer_cache_device(const struct buffer_cache *cache)
{
	return cache->device;
}

u32 buffer_cache_block_size(const struct buffer_cache *cache)
{
	return cache->block_size;
}

static void buffer_free(struct buffer *buffer)
{
	page_put(buffer->page);
	kfree(buffer);
}

/* Takes the oldest unused buffer out; null: none. */
static struct buffer *take_unused_locked(struct buffer_cache *cache) __must_hold(&cache->lock)
{
	struct buffer *buffer;

	if (list_empty(&cache->unused))
		return nullptr;
	buffer = list_first(&cache->unused, struct buffer, node);
	list_remove(&buffer->node);
	cache->unused_count--;
	radix_remove(&cache->tree, buffer->block);
	return buffer;
}

void buffer_cache_destroy(struct buffer_cache *cache)
	__no_lock_analysis /* nobody else has it any more */
{
	struct buffer *buffer;

	for (;;) {
		spin_lock(&cache->lock);
		if (!list_empty(&cache->dirty)) {
			buffer = list_first(&cache->dirty, struct buffer, node);
			spin_unlock(&cache->lock);
			buffer_forget_dirty(buffer);
			continue;
		}
		buffer = take_unused_locked(cache);
		spin_unlock(&cache->lock);
		if (!buffer)
			break;
		buffer_free(buffer);
	}
	radix_destroy(&cache->tree, nullptr);
	kfree(cache);
}

/* --- look-up --- */

static struct buffer *find_locked(struct buffer_cache *cache, u64 block) __must_hold(&cache->lock)
{
	struct buffer *buffer = radix_load(&cache->tree, block);

	if (buffer && !buffer->refs++) {
		list_remove(&buffer->node);
		cache->unused_count--;
	}
	return buffer;
}

struct buffer *buffer_find(struct buffer_cache *cache, u64 block)
{
	spin_guard(&cache->lock);
	return find_locked(cache, block);
}

/* Enters a new buffer for `page`, whose reference moves in, or gives back the one that was faster. */
static int enter(struct buffer_cache *cache, u64 block, struct page *page, struct buffer **out)
{
	struct buffer *fresh = kzalloc(sizeof(*fresh), 0), *buffer;
	int result = 0;

	if (!fresh) {
		page_put(page);
		return -ENOMEM;
	}
	fresh->cache = cache;
	fresh->block = block;
	fresh->page = page;
	fresh->data = (char *)page_address(page) + (block << cache->block_bits & (PAGE_SIZE - 1));
	fresh->refs = 1;
	list_init(&fresh->node);
	spin_lock(&cache->lock);
	buffer = find_locked(cache, block);
	if (!buffer) {
		result = radix_store(&cache->tree, block, fresh, nullptr);
		if (!result) {
			buffer = fresh;
			fresh = nullptr;
		}
	}
	spin_unlock(&cache->lock);
	if (fresh)
		buffer_free(fresh);
	*out = buffer;
	return result;
}

int buffer_get(struct buffer_cache *cache, u64 block, struct buffer **out)
{
	struct page *page;
	int result;

	if (block >= cache->blocks)
		return -EINVAL;
	*out = buffer_find(cache, block);
	if (*out)
		return 0;
	result = memory_object_get_page(block_device_object(cache->device),
					block << cache->block_bits >> PAGE_SHIFT, true, &page);
	return result ? result : enter(cache, block, page, out);
}

int buffer_get_new(struct buffer_cache *cache, u64 block, struct buffer **out)
{
	int result = buffer_get(cache, block, out);

	if (!result)
		memset((*out)->data, 0, cache->block_size);
	return result;
}

void buffer_hold(struct buffer *buffer)
{
	spin_guard(&buffer->cache->lock);
	buffer->refs++;
}

void buffer_put(struct buffer *buffer)
{
	struct buffer_cache *cache;
	struct buffer *oldest = nullptr;

	if (!buffer)
		return;
	cache = buffer->cache;
	spin_lock(&cache->lock);
	if (!--buffer->refs) {
		list_add_tail(&cache->unused, &buffer->node);
		if (++cache->unused_count > UNUSED_MAX)
			oldest = take_unused_locked(cache);
	}
	spin_unlock(&cache->lock);
	if (oldest)
		buffer_free(oldest);
}

/* --- writing --- */

void buffer_mark_dirty(struct buffer *buffer)
{
	struct buffer_cache *cache = buffer->cache;

	spin_guard(&cache->lock);
	if (buffer->flags & BUFFER_DIRTY)
		return;
	buffer_set(buffer, BUFFER_DIRTY);
	buffer->refs++;
	list_add_tail(&cache->dirty, &buffer->node);
}

void buffer_forget_dirty(struct buffer *buffer)
{
	struct buffer_cache *cache = buffer->cache;
	bool was;

	spin_lock(&cache->lock);
	was = buffer->flags & BUFFER_DIRTY;
	if (was) {
		buffer_clear(buffer, BUFFER_DIRTY);
		list_remove(&buffer->node);
	}
	spin_unlock(&cache->lock);
	if (was)
		buffer_put(buffer);
}

struct buffer_request {
	struct block_request request;
	struct block_segment segment;
};

static void request_init(struct buffer_request *r, struct buffer *buffer, u32 flags)
{
	struct buffer_cache *cache = buffer->cache;

	r->segment = (struct block_segment){
		.page = buffer->page,
		.offset = (u32)(buffer->data - (char *)page_address(buffer->page)),
		.length = cache->block_size,
	};
	r->request = (struct block_request){
		.device = cache->device,
		.operation = BLOCK_WRITE,
		.flags = flags | BLOCK_META,
		.sector = buffer->block << (cache->block_bits - SECTOR_SHIFT),
		.sectors = cache->block_size >> SECTOR_SHIFT,
		.segments = &r->segment,
		.segment_count = 1,
	};
	list_init(&r->request.node);
}

#define WRITE_BATCH 64u

/* Requests of one batch; without memory for them, one after the other. */
static int write_batch(struct buffer **buffers, unsigned count, u32 flags)
{
	struct buffer_request *requests = kmalloc(count * sizeof(*requests), 0), single;
	struct block_batch batch;
	int result = 0;

	if (!requests) {
		for (unsigned i = 0; i < count; i++) {
			request_init(&single, buffers[i], flags);
			result = block_execute(&single.request) ?: result;
		}
		return result;
	}
	block_batch_start(&batch);
	for (unsigned i = 0; i < count; i++) {
		request_init(&requests[i], buffers[i], flags);
		block_batch_submit(&batch, &requests[i].request);
	}
	result = block_batch_finish(&batch);
	kfree(requests);
	return result;
}

int buffer_write_all(struct buffer **buffers, unsigned count, u32 request_flags)
{
	int result = 0;

	while (count) {
		unsigned n = MIN(count, WRITE_BATCH);

		result = write_batch(buffers, n, request_flags) ?: result;
		buffers += n;
		count -= n;
	}
	return result;
}

/* Takes up to WRITE_BATCH dirty buffers, with the reference that being dirty was. */
static unsigned take_dirty(struct buffer_cache *cache, struct buffer **buffers)
{
	unsigned n = 0;

	spin_guard(&cache->lock);
	while (n < WRITE_BATCH && !list_empty(&cache->dirty)) {
		struct buffer *buffer = list_first(&cache->dirty, struct buffer, node);

		list_remove(&buffer->node);
		buffer_clear(buffer, BUFFER_DIRTY);
		buffers[n++] = buffer;
	}
	return n;
}

int buffer_cache_sync(struct buffer_cache *cache)
{
	struct buffer *buffers[WRITE_BATCH];
	int result = 0;
	unsigned n;

	while ((n = take_dirty(cache, buffers))) {
		result = buffer_write_all(buffers, n, BLOCK_SYNC) ?: result;
		for (unsigned i = 0; i < n; i++)
			buffer_put(buffers[i]);
	}
	return result;
}
