/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages of files and the disk: filling pages, promising space when one becomes dirty, writing pages back.
 *
 * (W1) A run of pages is read or written with one request for each run of blocks.
 * (W2) What has no place yet is written to claimed blocks and mapped afterwards (E1), so write-back of new blocks waits
 *      for the disk, and of old ones does not.
 * (W3) A page behind the end of the file stays dirty: whoever is making the file longer, or cutting it, is not done.
 */
#include <block/batch.h>
#include <fs/ext4/ext4_priv.h>
#include <lib/string.h>
#include <mm/slab.h>

static struct ext4_inode *inode_of_object(struct memory_object *object)
{
	return container_of(object, struct ext4_inode, object);
}

static u32 page_bits(const struct ext4 *fs)
{
	return PAGE_SHIFT - fs->block_bits;
}

/* --- transfers --- */

/* Pages that are under way in some number of requests; freed with the last. */
struct page_transfer {
	u32 pending; /* atomic: requests, and one of the submitter */
	int status;  /* atomic */
	bool write;
	struct completion *waited; /* null: the pages are told when all is done */
	unsigned count;
	struct page *pages[WRITE_BACK_PAGES];
};

struct piece {
	struct block_request request;
	struct page_transfer *transfer;
	struct block_segment segments[];
};

static struct page_transfer *transfer_create(struct page **pages, unsigned count, bool write)
{
	struct page_transfer *t = kmalloc(sizeof(*t), 0);

	if (!t)
		return nullptr;
	t->pending = 1;
	t->status = 0;
	t->write = write;
	t->waited = nullptr;
	t->count = count;
	memcpy(t->pages, pages, count * sizeof(*pages));
	return t;
}

static void tell_pages(struct page **pages, unsigned count, bool write, int status)
{
	for (unsigned i = 0; i < count; i++) {
		if (write)
			memory_object_written(pages[i], status);
		else
			memory_object_filled(pages[i], status);
	}
}

static void transfer_drop(struct page_transfer *t)
{
	if (__atomic_sub_fetch(&t->pending, 1, __ATOMIC_ACQ_REL))
		return;
	if (t->waited) {
		complete(t->waited); /* the waiter owns it now */
		return;
	}
	tell_pages(t->pages, t->count, t->write, t->status);
	kfree(t);
}

static void piece_done(struct block_request *request)
{
	struct piece *piece = container_of(request, struct piece, request);
	struct page_transfer *t = piece->transfer;

	if (request->status)
		__atomic_store_n(&t->status, request->status, __ATOMIC_RELAXED);
	kfree(piece);
	transfer_drop(t);
}

/* Submits the transfer of blocks [first, first + count) of the run of pages to or from `block`. */
static int submit(struct ext4 *fs, struct page_transfer *t, u32 first, u32 count, u64 block,
		  u32 flags)
{
	u32 bits = page_bits(fs), from = first >> bits, to = (first + count - 1) >> bits;
	u32 offset = (first & ((1u << bits) - 1)) << fs->block_bits, left = count << fs->block_bits;
	u32 segments = to - from + 1;
	struct piece *piece = kmalloc(sizeof(*piece) + segments * sizeof(struct block_segment), 0);

	if (!piece)
		return -ENOMEM;
	piece->transfer = t;
	for (u32 i = 0; i < segments; i++) {
		u32 length = MIN(left, (u32)PAGE_SIZE - offset);

		piece->segments[i] = (struct block_segment){ t->pages[from + i], offset, length };
		left -= length;
		offset = 0;
	}
	piece->request = (struct block_request){
		.device = fs->device,
		.operation = t->write ? BLOCK_WRITE : BLOCK_READ,
		.flags = flags,
		.sector = block << (fs->block_bits - SECTOR_SHIFT),
		.sectors = (u64)count << (fs->block_bits - SECTOR_SHIFT),
		.segments = piece->segments,
		.segment_count = segments,
		.done = piece_done,
	};
	list_init(&piece->request.node);
	__atomic_fetch_add(&t->pending, 1, __ATOMIC_RELAXED);
	block_submit(&piece->request);
	return 0;
}

/* --- filling --- */

/* Zeroes blocks [first, first + count) of the run. */
static void zero_blocks(const struct ext4 *fs, struct page **pages, u32 first, u32 count)
{
	for (u32 i = first; i < first + count; i++) {
		u32 in_page = i & ((1u << page_bits(fs)) - 1);

		memset((char *)page_address(pages[i >> page_bits(fs)]) +
			       (in_page << fs->block_bits),
		       0, fs->block_size);
	}
}

/* Zeroes what lies behind `size` in the run, whose first page is `index`. */
static void zero_behind(struct page **pages, unsigned count, u64 index, u64 size)
{
	for (unsigned i = 0; i < count; i++) {
		u64 start = (index + i) << PAGE_SHIFT;

		if (start + PAGE_SIZE > size) {
			u64 keep = size > start ? size - start : 0;

			memset((char *)page_address(pages[i]) + keep, 0, PAGE_SIZE - keep);
		}
	}
}

static void fill_inline(struct ext4_inode *inode, struct page **pages, unsigned count, u64 index)
{
	zero_blocks(inode->fs, pages, 0, count << page_bits(inode->fs));
	if (!index)
		memcpy(page_address(pages[0]), inode->inline_data,
		       MIN((size_t)inode->inode.size, (size_t)PAGE_SIZE));
}

/* Submits what is on the disk of [0, blocks) of the run that begins at block `logical`, zeroes the rest. */
static int fill_run(struct ext4_inode *inode, struct page_transfer *t, u64 logical, u32 blocks)
{
	struct ext4 *fs = inode->fs;
	u32 done = 0;
	int result = 0;

	while (done < blocks && !result) {
		struct ext4_map map = { .count = blocks - done };

		if (logical + done < EXT4_BLOCK_LIMIT)
			result = ext4_map_find(inode, (u32)(logical + done), &map);
		if (result)
			break;
		map.count = MIN(map.count, blocks - done);
		if (map.block && !map.unwritten)
			result = submit(fs, t, done, map.count, map.block, 0);
		else
			zero_blocks(fs, t->pages, done, map.count);
		done += map.count;
	}
	return result;
}

/* The page that the end of the file lies in may have something else behind it on the disk: it must read as zeros. */
static bool has_end(const struct memory_object *object, u64 index, unsigned count)
{
	u64 size = READ_ONCE(object->size);

	return size & ~PAGE_MASK && size >> PAGE_SHIFT >= index &&
	       size >> PAGE_SHIFT < index + count;
}

static void fill_and_wait(struct ext4_inode *inode, struct page_transfer *t, u64 logical,
			  u32 blocks, u64 index)
{
	struct completion done;
	int result;

	completion_init(&done);
	t->waited = &done;
	result = fill_run(inode, t, logical, blocks);
	transfer_drop(t);
	(void)wait_for_completion(&done, SLEEP_UNINTERRUPTIBLE);
	zero_behind(t->pages, t->count, index, READ_ONCE(inode->object.size));
	tell_pages(t->pages, t->count, false, result ? result : t->status);
	kfree(t);
}

void ext4_fill_pages(struct memory_object *object, struct page **pages, unsigned count)
{
	struct ext4_inode *inode = inode_of_object(object);
	u64 index = pages[0]->index, logical = index << page_bits(inode->fs);
	struct page_transfer *t;
	int result;

	read_lock(&inode->map_lock);
	if (inode->flags & EXT4_FL_INLINE_DATA) {
		fill_inline(inode, pages, count, index);
		read_unlock(&inode->map_lock);
		tell_pages(pages, count, false, 0);
		return;
	}
	t = transfer_create(pages, count, false);
	if (!t) {
		read_unlock(&inode->map_lock);
		tell_pages(pages, count, false, -ENOMEM);
		return;
	}
	if (has_end(object, index, count)) {
		fill_and_wait(inode, t, logical, count << page_bits(inode->fs), index);
	} else {
		result = fill_run(inode, t, logical, count << page_bits(inode->fs));
		if (result)
			__atomic_store_n(&t->status, result, __ATOMIC_RELAXED);
		transfer_drop(t);
	}
	read_unlock(&inode->map_lock);
}

/* --- promising --- */

/* Promises what [first, first + count) lacks. *missing: how many blocks that are. */
static int reserve_range(struct ext4_inode *inode, u32 first, u32 count)
	__must_hold(&inode->map_lock)
{
	u32 end = first + count;
	int result = 0;

	while (first < end && !result) {
		struct ext4_map map;
		u32 run;

		if (ext4_delayed_has(inode, first, &run)) {
			first += MIN(run, end - first);
			continue;
		}
		run = MIN(run, end - first);
		result = ext4_map_find(inode, first, &map);
		if (result)
			break;
		run = MIN(run, map.count);
		if (!map.block) {
			result = ext4_reserve(inode->fs, run);
			if (!result) {
				result = ext4_delayed_add(inode, first, run);
				if (result)
					ext4_unreserve(inode->fs, run);
			}
		}
		first += run;
	}
	return result;
}

static int reserve_page(struct ext4_inode *inode, u64 index)
{
	u64 first = index << page_bits(inode->fs);
	int result;

	if (first + (1u << page_bits(inode->fs)) > EXT4_BLOCK_LIMIT)
		return -EFBIG;
	write_lock(&inode->map_lock);
	result = reserve_range(inode, (u32)first, 1u << page_bits(inode->fs));
	write_unlock(&inode->map_lock);
	return result;
}

int ext4_dirty_page(struct memory_object *object, struct page *page)
{
	struct ext4_inode *inode = inode_of_object(object);
	int result;

	if (!inode->fs->writable || READ_ONCE(inode->fs->failed))
		return -EROFS;
	if (inode->flags & EXT4_FL_INLINE_DATA) {
		result = ext4_inline_convert(inode);
		if (result)
			return result;
	}
	result = reserve_page(inode, page->index);
	if (result == -ENOSPC && ext4_wait_for_room(inode->fs))
		result = reserve_page(inode, page->index);
	return result;
}

/* --- writing back --- */

/* Some pages of one inode on their way. */
struct write_run {
	struct ext4_inode *inode;
	struct page **pages;
	unsigned count;
	u32 logical; /* the first block */
	u32 blocks;  /* up to the end of the file */
	u32 flags;   /* of requests */
};

/* True if nothing of the run is new: it can be written without waiting. */
static int is_mapped(const struct write_run *w)
{
	u32 done = 0;

	while (done < w->blocks) {
		struct ext4_map map;
		int result = ext4_map_find(w->inode, w->logical + done, &map);

		if (result)
			return result;
		if (!map.block || map.unwritten)
			return 0;
		done += map.count;
	}
	return 1;
}

static int submit_mapped(const struct write_run *w, struct page_transfer *t)
{
	u32 done = 0;
	int result = 0;

	while (done < w->blocks && !result) {
		struct ext4_map map;

		result = ext4_map_find(w->inode, w->logical + done, &map);
		if (result)
			break;
		map.count = MIN(map.count, w->blocks - done);
		result = submit(w->inode->fs, t, done, map.count, map.block, w->flags);
		done += map.count;
	}
	return result;
}

/* A part of the run with its place: an old one, an unwritten one, or a claim (`fresh`). */
struct placed {
	struct ext4_map map;
	bool fresh;
};

/* Finds or claims a place for what begins at block `done` of the run. Under map_lock. */
static int place(const struct write_run *w, u32 done, u64 *goal, struct placed *out)
{
	struct ext4_inode *inode = w->inode;
	struct ext4_claim claim;
	int result = ext4_map_find(inode, w->logical + done, &out->map);

	if (result)
		return result;
	out->fresh = !out->map.block;
	out->map.count = MIN(out->map.count, w->blocks - done);
	if (out->fresh) {
		if (!*goal)
			*goal = ext4_map_goal(inode, w->logical + done);
		result = ext4_claim_blocks(inode->fs, *goal, out->map.count, EXT4_ALLOCATE_RESERVED,
					   &claim);
		if (result)
			return result;
		out->map.block = claim.block;
		out->map.count = claim.count;
		*goal = claim.block + claim.count;
	}
	return 0;
}

static void cancel_placed(const struct write_run *w, const struct placed *p)
{
	if (p->fresh)
		ext4_cancel_claim(w->inode->fs, p->map.block, p->map.count);
}

/* The data is on the disk: the map may say so. The claim is gone afterwards, whatever the result. */
static int map_placed(const struct write_run *w, const struct placed *p)
{
	struct ext4_inode *inode = w->inode;
	u64 end = (u64)(p->map.logical + p->map.count) << inode->fs->block_bits;
	struct journal_handle handle;
	s64 promised;
	int result = ext4_begin(inode->fs, ext4_map_credits(inode) + 3, &handle);

	if (result) {
		cancel_placed(w, p);
		return result;
	}
	handle.flags = EXT4_ALLOCATE_METADATA | EXT4_ALLOCATE_RESERVED;
	write_lock(&inode->map_lock);
	if (p->fresh) {
		result = ext4_commit_claim(inode->fs, &handle, p->map.block, p->map.count);
		if (result)
			cancel_placed(w, p);
		else
			result = ext4_map_insert(&handle, inode, &p->map);
		if (!result) {
			promised = ext4_delayed_remove(inode, p->map.logical,
						       p->map.logical + p->map.count - 1);
			if (promised > 0)
				ext4_unreserve(inode->fs, (u32)promised);
		}
	} else if (p->map.unwritten) {
		result = ext4_map_convert(&handle, inode, p->map.logical, p->map.count);
	}
	end = MIN(end, READ_ONCE(inode->object.size));
	if (!result && end > inode->disk_size)
		inode->disk_size = end;
	if (!result)
		result = ext4_inode_store(&handle, inode);
	write_unlock(&inode->map_lock);
	journal_end(&handle);
	return result;
}

#define PLACED_MAX 32u

/* Writes as much of the run as PLACED_MAX places take, waits, maps. *done moves on. */
static int write_some(const struct write_run *w, u32 *done)
{
	struct ext4 *fs = w->inode->fs;
	struct placed placed[PLACED_MAX];
	struct page_transfer *t = transfer_create(w->pages, w->count, true);
	struct completion completion;
	u32 n = 0, mapped = 0;
	u64 goal = 0;
	int result = 0;

	if (!t)
		return -ENOMEM;
	completion_init(&completion);
	t->waited = &completion;
	while (n < PLACED_MAX && *done < w->blocks && !result) {
		write_lock(&w->inode->map_lock);
		result = place(w, *done, &goal, &placed[n]);
		write_unlock(&w->inode->map_lock);
		if (result)
			break;
		result = submit(fs, t, *done, placed[n].map.count, placed[n].map.block, w->flags);
		*done += placed[n++].map.count;
	}
	transfer_drop(t);
	(void)wait_for_completion(&completion, SLEEP_UNINTERRUPTIBLE);
	if (t->status)
		result = t->status;
	kfree(t);
	while (!result && mapped < n)
		result = map_placed(w, &placed[mapped++]);
	while (mapped < n)
		cancel_placed(w, &placed[mapped++]);
	return result;
}

static int write_new(const struct write_run *w)
{
	u32 done = 0;
	int result = 0;

	while (done < w->blocks && !result)
		result = write_some(w, &done);
	return result;
}

static void write_run(const struct write_run *w)
{
	struct page_transfer *t;
	int mapped, result;

	read_lock(&w->inode->map_lock);
	mapped = is_mapped(w);
	if (mapped > 0) {
		t = transfer_create(w->pages, w->count, true);
		result = t ? submit_mapped(w, t) : -ENOMEM;
		read_unlock(&w->inode->map_lock);
		if (t) {
			if (result)
				__atomic_store_n(&t->status, result, __ATOMIC_RELAXED);
			transfer_drop(t);
			return;
		}
	} else {
		read_unlock(&w->inode->map_lock);
		result = mapped ? mapped : write_new(w);
	}
	tell_pages(w->pages, w->count, true, result);
}

void ext4_write_back_pages(struct memory_object *object, struct page **pages, unsigned count,
			   bool sync)
{
	struct ext4_inode *inode = inode_of_object(object);
	struct ext4 *fs = inode->fs;
	u64 size = READ_ONCE(object->size), index = pages[0]->index, last, inside;
	struct write_run w = { .inode = inode,
			       .pages = pages,
			       .logical = (u32)(index << page_bits(fs)),
			       .flags = sync ? BLOCK_SYNC : 0 };

	if (!fs->writable || READ_ONCE(fs->failed)) {
		tell_pages(pages, count, true, -EROFS);
		return;
	}
	inside = DIV_ROUND_UP(size, PAGE_SIZE);
	inside = inside > index ? MIN(inside - index, (u64)count) : 0;
	for (unsigned i = (unsigned)inside; i < count; i++) { /* (W3) */
		int result = memory_object_dirty_page(object, pages[i]);

		memory_object_written(pages[i], result);
	}
	if (!inside)
		return;
	w.count = (unsigned)inside;
	last = MIN(size, (index + inside) << PAGE_SHIFT);
	w.blocks = (u32)(DIV_ROUND_UP(last, fs->block_size) - w.logical);
	write_run(&w);
}
