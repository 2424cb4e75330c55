/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which inode a new file gets. Files go where their directory is. Directories go to the group of their parent as long as
 * there is room for what will be in them; those of the root are spread (after Orlov's allocator).
 */
#include <fs/ext4/ext4_priv.h>
#include <lib/bitmap.h>

#define NO_GROUP UINT32_MAX

static u32 group_of(const struct ext4 *fs, u32 number)
{
	return (number - 1) / fs->inodes_per_group;
}

static bool has_room(const struct ext4 *fs, u32 group, u32 inodes, u32 blocks)
{
	const struct ext4_group *g = &fs->groups[group];

	return !READ_ONCE(g->damaged) && READ_ONCE(g->free_inodes) > inodes &&
	       READ_ONCE(g->free) >= blocks;
}

/* For a directory in the root: the next group in turn that has its share of free inodes and blocks. */
static u32 spread(struct ext4 *fs)
{
	u32 step = 1u << fs->flex_bits, n = DIV_ROUND_UP(fs->group_count, step);
	u32 start = __atomic_fetch_add(&fs->directory_group, 1, __ATOMIC_RELAXED);
	u32 blocks = (u32)(MAX(READ_ONCE(fs->free_blocks), (s64)0) / fs->group_count);

	for (u32 i = 0; i < n; i++) {
		u32 group = (start + i) % n * step;

		if (has_room(fs, group, fs->inodes_per_group / 8, blocks / 2))
			return group;
	}
	return NO_GROUP;
}

/* Near `parent`: first with some room for contents, then where there is an inode at all. */
static u32 near(const struct ext4 *fs, u32 parent)
{
	u32 n = fs->group_count;

	if (has_room(fs, parent, 0, 1))
		return parent;
	for (u32 step = 1; step < n; step <<= 1) {
		u32 group = (parent + step) % n;

		if (has_room(fs, group, 0, 1))
			return group;
	}
	for (u32 i = 0; i < n; i++)
		if (has_room(fs, (parent + i) % n, 0, 0))
			return (parent + i) % n;
	return NO_GROUP;
}

static u32 choose(struct ext4 *fs, const struct ext4_inode *dir, bool directory)
{
	u32 parent = group_of(fs, dir->number), group = NO_GROUP;

	if (directory && dir->number == EXT4_ROOT_INODE)
		group = spread(fs);
	else if (directory && has_room(fs, parent, fs->inodes_per_group / 16, 64))
		group = parent;
	return group == NO_GROUP ? near(fs, parent) : group;
}

static int take_bit(struct ext4 *fs, struct journal_handle *handle, u32 group,
		    struct buffer *bitmap, u32 bit, bool directory)
	__must_hold(&fs->groups[group].lock)
{
	struct ext4_group_desc *d = ext4_descriptor(fs, group);
	u32 unused = ext4_unused_inodes_of(fs, d);
	int result = journal_change(handle, bitmap);

	if (!result)
		result = ext4_descriptor_change(fs, handle, group);
	if (result)
		return result;
	bitmap_set((u64 *)bitmap->data, bit);
	journal_changed(handle, bitmap);
	ext4_set_free_inodes(fs, d, ext4_free_inodes_of(fs, d) - 1);
	if (directory)
		ext4_set_used_directories(fs, d, ext4_used_directories_of(fs, d) + 1);
	if (fs->checksums || fs->group_checksums) {
		if (d->bg_flags & EXT4_BG_INODE_UNINIT)
			unused = fs->inodes_per_group;
		d->bg_flags &= (u16)~EXT4_BG_INODE_UNINIT;
		if (fs->inodes_per_group - unused <= bit)
			ext4_set_unused_inodes(fs, d, fs->inodes_per_group - bit - 1);
		else
			ext4_set_unused_inodes(fs, d, unused);
	}
	ext4_inode_bitmap_sum(fs, group, bitmap);
	ext4_descriptor_changed(fs, handle, group);
	fs->groups[group].free_inodes--;
	return 0;
}

/* Takes the first free inode of a group. -ENOSPC: another one was faster. */
static int take(struct ext4 *fs, struct journal_handle *handle, u32 group, bool directory,
		u32 *number)
{
	struct buffer *bitmap;
	int result;
	u32 bit;

	mutex_guard(&fs->groups[group].lock);
	if (!fs->groups[group].free_inodes)
		return -ENOSPC;
	result = ext4_inode_bitmap(fs, group, &bitmap);
	if (result)
		return result;
	/* The reserved ones are marked as used; a hostile image may say otherwise. */
	bit = (u32)bitmap_next_clear((u64 *)bitmap->data, fs->inodes_per_group,
				     group ? 0 : fs->first_inode - 1);
	if (bit >= fs->inodes_per_group) {
		fs->groups[group].free_inodes = 0;
		result = ext4_error(fs, -ENOSPC, "group %u has fewer free inodes than it says",
				    group);
	} else {
		result = take_bit(fs, handle, group, bitmap, bit, directory);
	}
	buffer_put(bitmap);
	*number = group * fs->inodes_per_group + bit + 1;
	return result;
}

int ext4_allocate_inode(struct ext4 *fs, struct journal_handle *handle, struct ext4_inode *dir,
			u32 mode, u32 *number)
{
	for (;;) {
		u32 group = choose(fs, dir, S_ISDIR(mode));
		int result;

		if (group == NO_GROUP)
			return -ENOSPC;
		result = take(fs, handle, group, S_ISDIR(mode), number);
		if (result != -ENOSPC && result != -EUCLEAN)
			return result;
	}
}

int ext4_inode_is_used(struct ext4 *fs, u32 number, bool *used)
{
	u32 group = group_of(fs, number);
	struct buffer *bitmap;
	int result;

	mutex_guard(&fs->groups[group].lock);
	result = ext4_inode_bitmap(fs, group, &bitmap);
	if (result)
		return result;
	*used = bitmap_test((u64 *)bitmap->data, (number - 1) % fs->inodes_per_group);
	buffer_put(bitmap);
	return 0;
}

int ext4_release_inode(struct ext4 *fs, struct journal_handle *handle, u32 number, bool directory)
{
	u32 group = group_of(fs, number), bit = (number - 1) % fs->inodes_per_group;
	struct ext4_group_desc *d = ext4_descriptor(fs, group);
	struct buffer *bitmap;
	int result;

	mutex_guard(&fs->groups[group].lock);
	result = ext4_inode_bitmap(fs, group, &bitmap);
	if (result)
		return result;
	if (number < fs->first_inode || !bitmap_test((u64 *)bitmap->data, bit))
		result = ext4_error(fs, -EUCLEAN, "inode %u is free already", number);
	if (!result)
		result = journal_change(handle, bitmap);
	if (!result)
		result = ext4_descriptor_change(fs, handle, group);
	if (!result) {
		bitmap_clear((u64 *)bitmap->data, bit);
		journal_changed(handle, bitmap);
		ext4_set_free_inodes(fs, d, ext4_free_inodes_of(fs, d) + 1);
		if (directory && ext4_used_directories_of(fs, d))
			ext4_set_used_directories(fs, d, ext4_used_directories_of(fs, d) - 1);
		ext4_inode_bitmap_sum(fs, group, bitmap);
		ext4_descriptor_changed(fs, handle, group);
		fs->groups[group].free_inodes++;
	}
	buffer_put(bitmap);
	return result;
}
