/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the blocks of a file are, whichever way its inode says it: extents, or the indirect blocks of ext2. */
#include <fs/ext4/ext4_priv.h>
#include <lib/string.h>

int ext4_map_find(struct ext4_inode *inode, u32 logical, struct ext4_map *out)
{
	if (logical >= EXT4_BLOCK_LIMIT)
		return -EFBIG;
	if (inode->flags & EXT4_FL_INLINE_DATA) {
		*out = (struct ext4_map){ logical, EXT4_BLOCK_LIMIT - logical, 0, false };
		return 0;
	}
	return ext4_has_extents(inode) ? ext4_extent_find(inode, logical, out)
				       : ext4_indirect_find(inode, logical, out);
}

static void count_blocks(struct ext4_inode *inode, s64 blocks)
{
	inode->sectors += (u64)(blocks * (s64)(inode->fs->block_size / SECTOR_SIZE));
	WRITE_ONCE(inode->inode.blocks, inode->sectors);
}

/* An insertion failed, perhaps half way: what is mapped counts, the rest is free again. The tree may have grown. */
static void give_back(struct journal_handle *handle, struct ext4_inode *inode,
		      const struct ext4_map *map)
{
	struct ext4_map now;
	u32 kept = 0;

	if (ext4_map_find(inode, map->logical, &now))
		return;
	if (now.block == map->block)
		kept = MIN(now.count, map->count);
	count_blocks(inode, kept);
	if (kept < map->count)
		(void)ext4_free_blocks(inode->fs, handle, map->block + kept, map->count - kept,
				       false);
	(void)ext4_inode_store(handle, inode);
}

int ext4_map_insert(struct journal_handle *handle, struct ext4_inode *inode,
		    const struct ext4_map *map)
{
	int result = ext4_has_extents(inode) ? ext4_extent_insert(handle, inode, map)
					     : ext4_indirect_insert(handle, inode, map);

	if (result) {
		give_back(handle, inode, map);
		return result;
	}
	count_blocks(inode, map->count);
	WRITE_ONCE(inode->data_sync_tid, handle->tid);
	return 0;
}

int ext4_map_remove(struct journal_handle *handle, struct ext4_inode *inode, u32 first, u32 last,
		    u32 *next)
{
	WRITE_ONCE(inode->data_sync_tid, handle->tid);
	return ext4_has_extents(inode) ? ext4_extent_remove(handle, inode, first, last, next)
				       : ext4_indirect_remove(handle, inode, first, last, next);
}

int ext4_map_convert(struct journal_handle *handle, struct ext4_inode *inode, u32 first, u32 count)
{
	WRITE_ONCE(inode->data_sync_tid, handle->tid);
	return ext4_extent_convert(handle, inode, first, count);
}

/* Blocks that one insertion may change: the tree from top to bottom with a split at each level, and the inode. */
u32 ext4_map_credits(const struct ext4_inode *inode)
{
	u32 levels = ext4_has_extents(inode) ? ext4_extent_depth(inode) + 2 : 4;

	return 2 + levels * (2 + EXT4_CREDITS_ALLOCATE) + EXT4_CREDITS_ALLOCATE;
}

int ext4_map_block(struct ext4_inode *inode, u32 logical, u64 *block)
{
	struct ext4_map map;
	int result;

	read_lock(&inode->map_lock);
	result = ext4_map_find(inode, logical, &map);
	read_unlock(&inode->map_lock);
	*block = result || map.unwritten ? 0 : map.block;
	return result;
}

/* Behind the block before, or where the inode's group begins. */
u64 ext4_map_goal(struct ext4_inode *inode, u32 logical)
{
	const struct ext4 *fs = inode->fs;
	u32 group = (inode->number - 1) / fs->inodes_per_group;
	struct ext4_map map;

	if (logical && !ext4_map_find(inode, logical - 1, &map) && map.block)
		return map.block + 1;
	return ext4_group_first(fs, group);
}

int ext4_remove_blocks(struct ext4_inode *inode, u32 first, u32 last)
{
	u32 credits = ext4_map_credits(inode) + 24, next = first;
	struct journal_handle handle;
	int result = 0;

	while (first <= last && !result) {
		result = ext4_begin(inode->fs, credits, &handle);
		if (result)
			return result;
		handle.flags = EXT4_ALLOCATE_METADATA;
		write_lock(&inode->map_lock);
		result = ext4_map_remove(&handle, inode, first, last, &next);
		if (!result)
			result = ext4_inode_store(&handle, inode);
		write_unlock(&inode->map_lock);
		journal_end(&handle);
		if (next <= first && !result)
			return ext4_error(inode->fs, -EUCLEAN, "inode %u cannot be cut",
					  inode->number);
		first = next;
	}
	return result;
}
