/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fallocate(2): unwritten blocks, holes, zeros. */
#include <fs/ext4/ext4_priv.h>
#include <proc/task.h>

#include <linux/falloc.h>

#define PIECE_MAX 8192u /* blocks in one handle */

int ext4_add_unwritten(struct ext4_inode *inode, u32 first, u32 count, u32 *done)
{
	struct ext4 *fs = inode->fs;
	struct journal_handle handle;
	struct ext4_map map;
	struct ext4_claim claim;
	s64 promised;
	int result = ext4_begin(fs, ext4_map_credits(inode) + 4, &handle);

	if (result)
		return result;
	*done = 0;
	write_lock(&inode->map_lock);
	result = ext4_map_find(inode, first, &map);
	if (result)
		goto out;
	count = MIN(map.count, count);
	if (map.block) {
		*done = count;
		goto out;
	}
	result = ext4_claim_blocks(fs, ext4_map_goal(inode, first), MIN(count, PIECE_MAX), 0,
				   &claim);
	if (result)
		goto out;
	result = ext4_commit_claim(fs, &handle, claim.block, claim.count);
	if (result) {
		ext4_cancel_claim(fs, claim.block, claim.count);
		goto out;
	}
	map = (struct ext4_map){ first, claim.count, claim.block, true };
	result = ext4_map_insert(&handle, inode, &map);
	if (!result) {
		*done = claim.count;
		promised = ext4_delayed_remove(inode, first, first + claim.count - 1);
		if (promised > 0)
			ext4_unreserve(fs, (u32)promised);
		result = ext4_inode_store(&handle, inode);
	}
out:
	write_unlock(&inode->map_lock);
	journal_end(&handle);
	return result;
}

static int allocate_range(struct ext4_inode *inode, u64 start, u64 end)
{
	u32 first = (u32)(start >> inode->fs->block_bits);
	u64 last = DIV_ROUND_UP(end, inode->fs->block_size);
	bool waited = false;
	int result = 0;

	while (first < last && !result) {
		u32 done = 0;

		if (current_task() && signal_pending())
			return -EINTR;
		result = ext4_add_unwritten(inode, first, (u32)(last - first), &done);
		if (result == -ENOSPC && !waited && ext4_wait_for_room(inode->fs)) {
			waited = true;
			result = 0;
		}
		first += done;
	}
	return result;
}

/* Frees the blocks wholly inside, zeroes the rest in memory. */
static int punch(struct ext4_inode *inode, u64 start, u64 end)
{
	struct ext4 *fs = inode->fs;
	u64 first = DIV_ROUND_UP(start, fs->block_size), last = end >> fs->block_bits;
	s64 promised;

	end = MIN(end, DIV_ROUND_UP(inode->inode.size, PAGE_SIZE) << PAGE_SHIFT);
	if (start < end)
		memory_object_punch(&inode->object, start, end);
	if (first >= last)
		return 0;
	write_lock(&inode->map_lock);
	/* Pages that are partly inside keep what they were promised. */
	promised = ext4_delayed_remove(inode, (u32)first, (u32)last - 1);
	write_unlock(&inode->map_lock);
	if (promised > 0)
		ext4_unreserve(fs, (u32)promised);
	return promised < 0 ? (int)promised : ext4_remove_blocks(inode, (u32)first, (u32)last - 1);
}

static int change_contents(struct ext4_inode *inode, int mode, u64 offset, u64 end)
{
	int result = 0;

	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		result = punch(inode, offset, end);
	if (!result && !(mode & FALLOC_FL_PUNCH_HOLE))
		result = allocate_range(inode, offset, end);
	return result;
}

static int check(const struct ext4_inode *inode, int mode, u64 end)
{
	int kind = mode & ~FALLOC_FL_KEEP_SIZE, result = ext4_inode_is_writable(inode);

	if (result)
		return result;
	if (kind & ~(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	if (kind == FALLOC_FL_PUNCH_HOLE && !(mode & FALLOC_FL_KEEP_SIZE))
		return -EOPNOTSUPP;
	if (kind == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	if (!ext4_has_extents(inode) && kind != FALLOC_FL_PUNCH_HOLE)
		return -EOPNOTSUPP;
	if ((inode->flags & EXT4_FL_APPEND) && kind)
		return -EPERM;
	if (end > ext4_max_size(inode->fs, ext4_has_extents(inode)))
		return -EFBIG;
	return mode & FALLOC_FL_KEEP_SIZE ? 0 : inode_check_new_size(&inode->inode, end);
}

int ext4_allocate(struct file *file, int mode, u64 offset, u64 length)
{
	struct ext4_inode *inode = ext4_inode_of(file->inode);
	u64 end = offset + length;
	int result, other;

	write_guard(&file->inode->lock);
	result = ext4_inline_convert(inode);
	if (!result)
		result = check(inode, mode, end);
	if (!result)
		result = change_contents(inode, mode, offset, end);
	if (!result && !(mode & FALLOC_FL_KEEP_SIZE) && end > inode->inode.size)
		result = ext4_set_size(inode, end);
	file_modified(file);
	other = ext4_inode_flush(inode);
	return result ?: other;
}
