/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which blocks are in use.
 *
 * A block may be taken when it is free in the bitmap and not busy. Busy are: claims, taken in memory but not in the bitmap
 * yet because their data is being written (E1); and blocks that were freed by a transaction that is not durable (E2): were
 * they written before that, a crash would bring back a file that names them.
 *
 * Space is counted three times: free (may be taken), reserved (of those, promised to delayed allocation), and a pool for the
 * metadata that writing back will need. What is promised is there when its pages are written.
 *
 * The search looks for one run that is long enough, near the goal first: after the last block of the file, or in the
 * group of its inode. `largest` spares groups that were searched in vain.
 */
#include <fs/ext4/ext4_priv.h>
#include <lib/bitmap.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <obj/credentials.h>

/* --- counting --- */

/* Blocks that root alone may use, for those who are not root. */
static s64 kept_for_root(const struct ext4 *fs)
{
	if (!fs->root_blocks || current_credentials()->fsuid == fs->super->s_def_resuid ||
	    capable(CAP_SYS_RESOURCE))
		return 0;
	return fs->root_blocks;
}

static s64 available(const struct ext4 *fs)
{
	return READ_ONCE(fs->free_blocks) - READ_ONCE(fs->reserved) - fs->metadata_pool -
	       kept_for_root(fs);
}

int ext4_reserve(struct ext4 *fs, u32 count)
{
	__atomic_fetch_add(&fs->reserved, (s64)count, __ATOMIC_SEQ_CST);
	if (available(fs) >= 0)
		return 0;
	__atomic_fetch_sub(&fs->reserved, (s64)count, __ATOMIC_SEQ_CST);
	return -ENOSPC;
}

void ext4_unreserve(struct ext4 *fs, u32 count)
{
	__atomic_fetch_sub(&fs->reserved, (s64)count, __ATOMIC_SEQ_CST);
}

bool ext4_wait_for_room(struct ext4 *fs)
{
	return fs->journal && READ_ONCE(fs->pending_free) > 0 &&
	       !ext4_commit(fs, journal_current_tid(fs->journal)) && READ_ONCE(fs->free_blocks) > 0;
}

/* --- searching one group --- */

static u64 used_word(const struct ext4_group *g, const u64 *map, u32 i)
{
	return map[i] | (g->busy ? g->busy[i] : 0);
}

/* The first bit from `from` on that is free (used), or `bits`. */
static u32 next_bit(const struct ext4_group *g, const u64 *map, u32 bits, u32 from, bool used)
{
	while (from < bits) {
		u64 word = used_word(g, map, from / 64);

		word = (used ? word : ~word) >> from % 64;
		if (word) {
			from += (u32)__builtin_ctzll(word);
			return MIN(from, bits);
		}
		from = (from / 64 + 1) * 64;
	}
	return bits;
}

struct run {
	u32 first, count;
};

/* The run at `goal`, or the first one of `wanted` blocks, or else the longest. */
static struct run find_run(struct ext4_group *g, const u64 *map, u32 bits, u32 goal, u32 wanted)
{
	struct run best = {};
	u32 at, end;

	if (goal < bits && next_bit(g, map, bits, goal, false) == goal) {
		end = next_bit(g, map, bits, goal, true);
		if (end - goal >= MIN(wanted, 8u))
			return (struct run){ goal, MIN(end - goal, wanted) };
	}
	for (u32 pass = 0; pass < 2 && best.count < wanted; pass++) {
		u32 limit = pass ? MIN(goal, bits) : bits;

		for (at = pass ? 0 : MIN(goal, bits); at < limit && best.count < wanted; at = end) {
			at = next_bit(g, map, bits, at, false);
			end = next_bit(g, map, bits, at, true);
			if (end - at > best.count)
				best = (struct run){ at, end - at };
		}
	}
	if (best.count < wanted)
		g->largest = best.count;
	best.count = MIN(best.count, wanted);
	return best;
}

static int make_busy(struct ext4 *fs, struct ext4_group *g, u32 first, u32 count)
	__must_hold(&g->lock)
{
	if (!g->busy)
		g->busy = kzalloc(BITMAP_WORDS(fs->block_size * 8) * sizeof(u64), 0);
	if (!g->busy)
		return -ENOMEM;
	for (u32 i = 0; i < count; i++)
		bitmap_set(g->busy, first + i);
	g->busy_count += count;
	return 0;
}

static void clear_busy(struct ext4_group *g, u32 first, u32 count) __must_hold(&g->lock)
{
	for (u32 i = 0; i < count; i++)
		bitmap_clear(g->busy, first + i);
	g->busy_count -= count;
	if (!g->busy_count) {
		kfree(g->busy);
		g->busy = nullptr;
	}
}

/* Takes a run of at least `least` blocks in a group. -ENOSPC: there is none. */
static int claim_in_group(struct ext4 *fs, u32 group, u32 goal, u32 wanted, u32 least,
			  struct ext4_claim *out)
{
	struct ext4_group *g = &fs->groups[group];
	struct buffer *bitmap;
	struct run run;
	int result;

	if (READ_ONCE(g->damaged) || READ_ONCE(g->free) < least || READ_ONCE(g->largest) < least)
		return -ENOSPC;
	mutex_guard(&g->lock);
	result = ext4_block_bitmap(fs, group, &bitmap);
	if (result)
		return result == -EUCLEAN ? -ENOSPC : result;
	run = find_run(g, (u64 *)bitmap->data, ext4_group_blocks(fs, group), goal, wanted);
	buffer_put(bitmap);
	if (run.count < least || !run.count)
		return -ENOSPC;
	result = make_busy(fs, g, run.first, run.count);
	if (result)
		return result;
	g->free -= MIN(g->free, run.count);
	__atomic_fetch_sub(&fs->free_blocks, (s64)run.count, __ATOMIC_SEQ_CST);
	*out = (struct ext4_claim){ ext4_group_first(fs, group) + run.first, run.count };
	return 0;
}

int ext4_claim_blocks(struct ext4 *fs, u64 goal, u32 wanted, u32 flags, struct ext4_claim *out)
{
	u32 group, bit, least = wanted;
	s64 room = READ_ONCE(fs->free_blocks);

	if (!(flags & EXT4_ALLOCATE_RESERVED))
		room = flags & EXT4_ALLOCATE_METADATA ? room - READ_ONCE(fs->reserved)
						      : available(fs);
	if (room <= 0)
		return -ENOSPC;
	wanted = MIN(wanted, fs->blocks_per_group);
	wanted = (u32)MIN((s64)wanted, room);
	if (goal < fs->first_block || goal >= fs->blocks)
		goal = fs->first_block;
	group = (u32)((goal - fs->first_block) / fs->blocks_per_group);
	bit = (u32)((goal - fs->first_block) % fs->blocks_per_group);
	for (least = wanted;; least = least > 8 ? least / 8 : 1) {
		for (u32 i = 0; i < fs->group_count; i++) {
			int result = claim_in_group(fs, (group + i) % fs->group_count, i ? 0 : bit,
						    wanted, least, out);

			if (result != -ENOSPC)
				return result;
		}
		if (least == 1)
			return -ENOSPC;
	}
}

/* --- bitmaps --- */

static u32 group_at(const struct ext4 *fs, u64 block)
{
	return (u32)((block - fs->first_block) / fs->blocks_per_group);
}

static u32 bit_at(const struct ext4 *fs, u64 block)
{
	return (u32)((block - fs->first_block) % fs->blocks_per_group);
}

void ext4_cancel_claim(struct ext4 *fs, u64 block, u32 count)
{
	struct ext4_group *g = &fs->groups[group_at(fs, block)];

	mutex_guard(&g->lock);
	clear_busy(g, bit_at(fs, block), count);
	g->free += count;
	g->largest = UINT32_MAX;
	__atomic_fetch_add(&fs->free_blocks, (s64)count, __ATOMIC_SEQ_CST);
}

/* Changes bits and counts of one group. */
static int change_bits(struct ext4 *fs, struct journal_handle *handle, u32 group, u32 first,
		       u32 count, bool used) __must_hold(&fs->groups[group].lock)
{
	struct ext4_group_desc *d = ext4_descriptor(fs, group);
	u32 free = ext4_free_blocks_of(fs, d);
	struct buffer *bitmap;
	int result = ext4_block_bitmap(fs, group, &bitmap);

	if (result)
		return result;
	for (u32 i = 0; i < count && !result; i++)
		if (bitmap_test((u64 *)bitmap->data, first + i) == used)
			result = ext4_error(fs, -EUCLEAN, "block %u of group %u is %s already",
					    first + i, group, used ? "used" : "free");
	if (!result)
		result = journal_change(handle, bitmap);
	if (!result)
		result = ext4_descriptor_change(fs, handle, group);
	if (result) {
		buffer_put(bitmap);
		return result;
	}
	for (u32 i = 0; i < count; i++) {
		if (used)
			bitmap_set((u64 *)bitmap->data, first + i);
		else
			bitmap_clear((u64 *)bitmap->data, first + i);
	}
	d->bg_flags &= (u16)~EXT4_BG_BLOCK_UNINIT;
	ext4_set_free_blocks(fs, d, used ? free - MIN(free, count) : free + count);
	journal_changed(handle, bitmap);
	ext4_block_bitmap_sum(fs, group, bitmap);
	ext4_descriptor_changed(fs, handle, group);
	buffer_put(bitmap);
	return 0;
}

int ext4_commit_claim(struct ext4 *fs, struct journal_handle *handle, u64 block, u32 count)
{
	u32 group = group_at(fs, block), first = bit_at(fs, block);
	int result;

	mutex_guard(&fs->groups[group].lock);
	result = change_bits(fs, handle, group, first, count, true);
	if (!result)
		clear_busy(&fs->groups[group], first, count);
	return result;
}

int ext4_allocate_block(struct ext4 *fs, struct journal_handle *handle, u64 goal, u64 *block)
{
	struct ext4_claim claim;
	int result = ext4_claim_blocks(fs, goal, 1, handle->flags, &claim);

	if (result)
		return result;
	result = ext4_commit_claim(fs, handle, claim.block, 1);
	if (result)
		ext4_cancel_claim(fs, claim.block, 1);
	*block = claim.block;
	return result;
}

/* --- freeing --- */

struct pending_free {
	struct journal_callback callback;
	struct ext4 *fs;
	u64 block;
	u32 count;
};

/* What was freed is so durably: it may be taken. */
static void free_is_durable(struct journal_callback *callback, int status)
{
	struct pending_free *p = container_of(callback, struct pending_free, callback);
	struct ext4 *fs = p->fs;

	if (!status && fs->discard)
		(void)block_discard(fs->device, p->block << (fs->block_bits - SECTOR_SHIFT),
				    (u64)p->count << (fs->block_bits - SECTOR_SHIFT));
	__atomic_fetch_sub(&fs->pending_free, (s64)p->count, __ATOMIC_SEQ_CST);
	ext4_cancel_claim(fs, p->block, p->count);
	kfree(p);
}

static int free_in_group(struct ext4 *fs, struct journal_handle *handle, u64 block, u32 count)
{
	u32 group = group_at(fs, block), first = bit_at(fs, block);
	struct pending_free *p = kmalloc(sizeof(*p), 0);
	struct ext4_group *g = &fs->groups[group];
	int result;

	if (!p)
		return -ENOMEM;
	*p = (struct pending_free){ { .run = free_is_durable }, fs, block, count };
	mutex_lock(&g->lock);
	result = make_busy(fs, g, first, count);
	if (!result) {
		result = change_bits(fs, handle, group, first, count, false);
		if (result)
			clear_busy(g, first, count);
	}
	mutex_unlock(&g->lock);
	if (result) {
		kfree(p);
		return result;
	}
	__atomic_fetch_add(&fs->pending_free, (s64)count, __ATOMIC_SEQ_CST);
	if (!journal_after_commit(handle, &p->callback))
		free_is_durable(&p->callback, 0);
	return 0;
}

int ext4_free_blocks(struct ext4 *fs, struct journal_handle *handle, u64 block, u64 count,
		     bool metadata)
{
	int result = 0;

	if (!ext4_range_is_valid(fs, block, count))
		return ext4_error(fs, -EUCLEAN, "blocks %lu + %lu are to be freed",
				  (unsigned long)block, (unsigned long)count);
	for (u64 i = 0; i < count && metadata && !result; i++) {
		struct buffer *buffer = buffer_find(fs->cache, block + i);

		if (buffer) {
			buffer_forget_dirty(buffer);
			buffer_put(buffer);
		}
		result = journal_revoke(handle, block + i);
	}
	while (count && !result) {
		u32 room = fs->blocks_per_group - bit_at(fs, block);
		u32 n = (u32)MIN(count, (u64)room);

		result = free_in_group(fs, handle, block, n);
		block += n;
		count -= n;
	}
	return result;
}

/* --- fstrim --- */

/* Discards one free run of [from, bits) of a group; returns where to go on. */
static int trim_run(struct ext4 *fs, u32 group, u32 *from, u32 end, u64 minimum, u64 *trimmed)
{
	struct ext4_group *g = &fs->groups[group];
	u64 block = ext4_group_first(fs, group);
	struct buffer *bitmap;
	u32 first, last;
	int result;

	mutex_lock(&g->lock);
	result = ext4_block_bitmap(fs, group, &bitmap);
	if (!result) {
		first = next_bit(g, (u64 *)bitmap->data, end, *from, false);
		last = next_bit(g, (u64 *)bitmap->data, end, first, true);
		buffer_put(bitmap);
		*from = last;
		result = last - first >= minimum && last > first
				 ? make_busy(fs, g, first, last - first)
				 : 1;
	}
	if (!result)
		g->free -= MIN(g->free, last - first);
	mutex_unlock(&g->lock);
	if (result)
		return MIN(result, 0);
	__atomic_fetch_sub(&fs->free_blocks, (s64)(last - first), __ATOMIC_SEQ_CST);
	block += first;
	result = block_discard(fs->device, block << (fs->block_bits - SECTOR_SHIFT),
			       (u64)(last - first) << (fs->block_bits - SECTOR_SHIFT));
	ext4_cancel_claim(fs, block, last - first);
	*trimmed += result ? 0 : last - first;
	return result;
}

int ext4_trim(struct ext4 *fs, u64 start, u64 length, u64 minimum, u64 *trimmed)
{
	u64 end = length > fs->blocks - start ? fs->blocks : start + length;
	int result = 0;

	*trimmed = 0;
	start = MAX(start, (u64)fs->first_block);
	while (start < end && !result) {
		u32 group = group_at(fs, start), bit = bit_at(fs, start);
		u32 bits = (u32)MIN((u64)ext4_group_blocks(fs, group),
				    end - ext4_group_first(fs, group));

		while (bit < bits && !result)
			result = trim_run(fs, group, &bit, bits, minimum, trimmed);
		start = ext4_group_first(fs, group) + fs->blocks_per_group;
	}
	return result;
}
