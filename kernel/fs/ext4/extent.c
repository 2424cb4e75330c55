/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extents: runs of blocks in a tree whose root is in the inode. Looking; extent_change.c changes.
 *
 * (X1) Entries of a node ascend and do not overlap; the key of an index entry is the key of the first entry below it.
 * (X2) A node on the disk is checked whenever it is reached: its header always, its entries once since it was read.
 */
#include <fs/ext4/extent_priv.h>
#include <lib/crc32c.h>
#include <lib/string.h>

#define ROOT_ENTRIES                                                                               \
	((sizeof(((struct ext4_inode *)0)->block) - sizeof(struct ext4_extent_header)) /           \
	 sizeof(struct ext4_extent))

void ext4_extent_init(struct ext4_inode *inode)
{
	memset(inode->block, 0, sizeof(inode->block));
	*extent_root(inode) = (struct ext4_extent_header){ .eh_magic = EXT4_EXTENT_MAGIC,
							   .eh_max = ROOT_ENTRIES };
}

u32 ext4_extent_depth(const struct ext4_inode *inode)
{
	return extent_root(inode)->eh_depth;
}

/* --- checks --- */

static bool leaf_is_valid(const struct ext4 *fs, const struct ext4_extent_header *header)
{
	const struct ext4_extent *e = extent_entries(header);
	u64 end = 0;

	for (u32 i = 0; i < header->eh_entries; i++, e++) {
		u32 length = extent_length(e);

		if (!length || e->ee_block < end || (u64)e->ee_block + length > EXT4_BLOCK_LIMIT ||
		    !ext4_range_is_valid(fs, extent_start(e), length))
			return false;
		end = (u64)e->ee_block + length;
	}
	return true;
}

static bool node_is_valid(const struct ext4 *fs, const struct ext4_extent_header *header)
{
	const struct ext4_extent_index *index = index_entries(header);

	for (u32 i = 0; i < header->eh_entries; i++)
		if ((i && index[i].ei_block <= index[i - 1].ei_block) ||
		    !ext4_range_is_valid(fs, index_child(&index[i]), 1))
			return false;
	return header->eh_entries;
}

static bool entries_are_valid(const struct ext4 *fs, const struct ext4_extent_header *header)
{
	return header->eh_depth ? node_is_valid(fs, header) : leaf_is_valid(fs, header);
}

static bool header_is_valid(const struct ext4_extent_header *header, u32 depth, u32 max)
{
	return header->eh_magic == EXT4_EXTENT_MAGIC && header->eh_depth == depth &&
	       header->eh_max && header->eh_max <= max && header->eh_entries <= header->eh_max;
}

bool ext4_extent_root_is_valid(const struct ext4_inode *inode)
{
	const struct ext4_extent_header *root = extent_root(inode);

	return root->eh_depth <= EXT4_EXTENT_DEPTH_MAX &&
	       header_is_valid(root, root->eh_depth, ROOT_ENTRIES) &&
	       entries_are_valid(inode->fs, root);
}

/* The checksum stands behind the last entry that there could be. */
static u32 *sum_of(const struct buffer *buffer)
{
	const struct ext4_extent_header *header = (void *)buffer->data;

	return (u32 *)(extent_entries(header) + header->eh_max);
}

void extent_block_sum(const struct ext4_inode *inode, struct buffer *buffer)
{
	u32 *sum = sum_of(buffer);

	if (inode->fs->checksums)
		*sum = crc32c(inode->checksum_seed, buffer->data,
			      (size_t)((char *)sum - buffer->data));
}

static bool sum_fits(const struct ext4_inode *inode, const struct buffer *buffer)
{
	const u32 *sum = sum_of(buffer);

	return !inode->fs->checksums || *sum == crc32c(inode->checksum_seed, buffer->data,
						       (size_t)((const char *)sum - buffer->data));
}

static int read_node(struct ext4_inode *inode, u64 block, u32 depth, struct buffer **out)
{
	struct ext4 *fs = inode->fs;
	u32 max = (fs->block_size - (u32)sizeof(struct ext4_extent_header) - (u32)sizeof(u32)) /
		  (u32)sizeof(struct ext4_extent);
	struct buffer *buffer;
	int result;

	if (!ext4_range_is_valid(fs, block, 1))
		return ext4_error(fs, -EUCLEAN, "extents of inode %u are damaged", inode->number);
	result = buffer_get(fs->cache, block, &buffer);
	if (result)
		return result;
	if (header_is_valid((void *)buffer->data, depth, max) &&
	    (buffer->verified == EXT4_KIND_EXTENTS ||
	     (sum_fits(inode, buffer) && entries_are_valid(fs, (void *)buffer->data)))) {
		buffer->verified = EXT4_KIND_EXTENTS;
		*out = buffer;
		return 0;
	}
	buffer_put(buffer);
	return ext4_error(fs, -EUCLEAN, "extents of inode %u are damaged", inode->number);
}

/* --- looking --- */

/* The last entry whose key is not above `logical`; keys are the first word of entries of both kinds. */
static s32 search(const struct ext4_extent_header *header, u32 logical)
{
	const struct ext4_extent *e = extent_entries(header);
	u32 low = 0, high = header->eh_entries;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (e[middle].ee_block <= logical)
			low = middle + 1;
		else
			high = middle;
	}
	return (s32)low - 1;
}

int extent_path_find(struct ext4_inode *inode, u32 logical, struct extent_path *path)
{
	struct ext4_extent_header *header = extent_root(inode);
	struct buffer *buffer = nullptr;

	*path = (struct extent_path){ .depth = header->eh_depth };
	for (u32 level = 0;; level++) {
		struct extent_level *l = &path->levels[level];
		int result;

		*l = (struct extent_level){ buffer, header, search(header, logical) };
		if (level == path->depth)
			return 0;
		if (!header->eh_entries)
			return ext4_error(inode->fs, -EUCLEAN, "extents of inode %u are damaged",
					  inode->number);
		l->at = MAX(l->at, 0);
		result = read_node(inode, index_child(&index_entries(header)[l->at]),
				   path->depth - level - 1, &buffer);
		if (result)
			return result;
		header = (void *)buffer->data;
	}
}

void extent_path_put(struct extent_path *path)
{
	for (u32 level = 1; level <= path->depth; level++)
		buffer_put(path->levels[level].buffer);
}

u32 extent_path_next(const struct extent_path *path)
{
	for (s32 level = (s32)path->depth; level >= 0; level--) {
		const struct extent_level *l = &path->levels[level];

		if (l->at + 1 < l->header->eh_entries)
			return extent_entries(l->header)[l->at + 1].ee_block;
	}
	return EXT4_BLOCK_LIMIT;
}

int ext4_extent_find(struct ext4_inode *inode, u32 logical, struct ext4_map *out)
{
	struct extent_path path;
	const struct extent_level *leaf;
	const struct ext4_extent *e;
	int result = extent_path_find(inode, logical, &path);

	if (result) {
		extent_path_put(&path);
		return result;
	}
	leaf = extent_leaf(&path);
	e = &extent_entries(leaf->header)[MAX(leaf->at, 0)];
	if (leaf->at >= 0 && logical < extent_end(e)) {
		u32 skip = logical - e->ee_block;

		*out = (struct ext4_map){ logical, extent_length(e) - skip, extent_start(e) + skip,
					  extent_is_unwritten(e) };
	} else {
		u32 next = extent_path_next(&path);

		*out = (struct ext4_map){ logical, next > logical ? next - logical : 1, 0, false };
	}
	extent_path_put(&path);
	return 0;
}
