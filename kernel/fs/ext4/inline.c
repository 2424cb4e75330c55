/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inline data: the contents of small files and directories in the inode itself, the first 60 bytes in i_block, the rest in
 * the attribute system.data. They are read as they are; what changes moves to blocks first.
 */
#include <fs/ext4/ext4_priv.h>
#include <lib/string.h>
#include <mm/slab.h>

#define INLINE_NAME "data"

int ext4_inline_load(struct ext4_inode *inode)
{
	size_t first = sizeof(inode->block), all = MAX(first, (size_t)inode->inode.size);
	ssize_t rest;

	inode->inline_data = kzalloc(MAX(all, (size_t)inode->fs->inode_size), 0);
	if (!inode->inline_data)
		return -ENOMEM;
	memcpy(inode->inline_data, inode->block, first);
	if (inode->inode.size <= first)
		return 0;
	rest = ext4_xattr_get(inode, EXT4_XATTR_SYSTEM, INLINE_NAME, inode->inline_data + first,
			      inode->fs->inode_size - first);
	if (rest >= 0 && (u64)rest + first >= inode->inode.size)
		return 0;
	return ext4_error(inode->fs, -EUCLEAN, "the contents of inode %u are damaged",
			  inode->number);
}

/* The inode has blocks from now on. */
static int leave_inline(struct journal_handle *handle, struct ext4_inode *inode)
{
	int result = ext4_xattr_set(handle, inode, EXT4_XATTR_SYSTEM, INLINE_NAME, nullptr, 0, 0);

	if (result && result != -ENODATA)
		return result;
	inode->flags &= ~EXT4_FL_INLINE_DATA;
	if (inode->fs->incompat & EXT4_INCOMPAT_EXTENTS) {
		inode->flags |= EXT4_FL_EXTENTS;
		ext4_extent_init(inode);
	} else {
		memset(inode->block, 0, sizeof(inode->block));
	}
	return 0;
}

/* Adds all entries of a part of an inline directory to a block. */
static int add_entries(struct ext4_inode *dir, char *from, u32 size, struct buffer *to)
{
	u32 space = ext4_directory_space(dir->fs), offset = 0;
	int result = 0;

	while (offset < size && !result) {
		const struct ext4_directory_entry *e = (void *)(from + offset);
		struct ext4_name name = { e->name, e->name_len };

		if (!ext4_entry_is_valid(dir->fs, from, size, offset))
			return ext4_error(dir->fs, -EUCLEAN, "directory %u has a damaged entry",
					  dir->number);
		if (e->inode)
			result =
				ext4_block_add(dir, to->data, space, &name, e->inode, e->file_type);
		offset += e->rec_len;
	}
	return result;
}

int ext4_inline_to_blocks(struct journal_handle *handle, struct ext4_inode *dir)
{
	u32 size = (u32)dir->inode.size, first = sizeof(dir->block), parent;
	struct buffer *buffer;
	u64 block;
	int result = leave_inline(handle, dir);

	if (result)
		return result;
	memcpy(&parent, dir->inline_data, sizeof(parent));
	dir->inode.size = 0;
	result = ext4_directory_make(handle, dir, parent);
	if (!result)
		result = ext4_map_block(dir, 0, &block);
	if (!result)
		result = buffer_get(dir->fs->cache, block, &buffer);
	if (result)
		return result;
	if (size > sizeof(parent))
		result = add_entries(dir, dir->inline_data + sizeof(parent),
				     MIN(size, first) - (u32)sizeof(parent), buffer);
	if (!result && size > first)
		result = add_entries(dir, dir->inline_data + first, size - first, buffer);
	ext4_directory_sum(dir, buffer);
	journal_changed(handle, buffer);
	buffer_put(buffer);
	return result ? result : ext4_inode_store(handle, dir);
}

/* The new place of a file's contents, in one handle, after they were written there (E1). The claim is gone in any case. */
static int map_contents(struct ext4_inode *inode, u64 block)
{
	struct ext4_map map = { .count = 1, .block = block };
	struct journal_handle handle;
	int result = ext4_begin(inode->fs, EXT4_CREDITS_XATTR + ext4_map_credits(inode), &handle);

	if (result) {
		if (block)
			ext4_cancel_claim(inode->fs, block, 1);
		return result;
	}
	write_lock(&inode->map_lock);
	result = leave_inline(&handle, inode);
	if (!result && block)
		result = ext4_commit_claim(inode->fs, &handle, block, 1);
	if (result && block)
		ext4_cancel_claim(inode->fs, block, 1);
	else if (!result && block)
		result = ext4_map_insert(&handle, inode, &map);
	if (!result)
		result = ext4_inode_store(&handle, inode);
	write_unlock(&inode->map_lock);
	journal_end(&handle);
	return result;
}

int ext4_inline_convert(struct ext4_inode *inode)
{
	struct ext4 *fs = inode->fs;
	struct ext4_claim claim = {};
	char *data;
	int result;

	if (!(inode->flags & EXT4_FL_INLINE_DATA))
		return 0;
	if (!inode->inode.size)
		return map_contents(inode, 0);
	data = kzalloc(fs->block_size, 0);
	if (!data)
		return -ENOMEM;
	memcpy(data, inode->inline_data, (size_t)inode->inode.size);
	result = ext4_claim_blocks(fs, ext4_map_goal(inode, 0), 1, 0, &claim);
	if (!result) {
		result = block_write_kernel(fs->device, claim.block << fs->block_bits, data,
					    fs->block_size);
		if (!result)
			result = map_contents(inode, claim.block);
		else
			ext4_cancel_claim(fs, claim.block, 1);
	}
	kfree(data);
	return result;
}
