/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way through a tree of extents, shared by those who look and those who change. */
#pragma once

#include <fs/ext4/ext4_priv.h>

/* A node on the way from the root (level 0, in the inode) to a leaf. */
struct extent_level {
	struct buffer *buffer; /* null for the root */
	struct ext4_extent_header *header;
	s32 at; /* the entry that was taken: the last one that begins at or before the block; -1: none */
};
struct extent_path {
	struct extent_level levels[EXT4_EXTENT_DEPTH_MAX + 1];
	u32 depth; /* the leaf's level */
};

static inline struct ext4_extent *extent_entries(const struct ext4_extent_header *header)
{
	return (struct ext4_extent *)(header + 1);
}
static inline struct ext4_extent_index *index_entries(const struct ext4_extent_header *header)
{
	return (struct ext4_extent_index *)(header + 1);
}
static inline struct extent_level *extent_leaf(struct extent_path *path)
{
	return &path->levels[path->depth];
}
static inline bool extent_is_unwritten(const struct ext4_extent *e)
{
	return e->ee_len > EXT4_EXTENT_LENGTH_MAX;
}
static inline u32 extent_length(const struct ext4_extent *e)
{
	return extent_is_unwritten(e) ? e->ee_len - EXT4_EXTENT_LENGTH_MAX : e->ee_len;
}
static inline u64 extent_start(const struct ext4_extent *e)
{
	return e->ee_start_lo | (u64)e->ee_start_hi << 32;
}
static inline u32 extent_end(const struct ext4_extent *e)
{
	return e->ee_block + extent_length(e);
}
static inline void extent_set(struct ext4_extent *e, u32 logical, u64 block, u32 count,
			      bool unwritten)
{
	*e = (struct ext4_extent){ logical, (u16)(count + (unwritten ? EXT4_EXTENT_LENGTH_MAX : 0)),
				   (u16)(block >> 32), (u32)block };
}
static inline u64 index_child(const struct ext4_extent_index *index)
{
	return index->ei_leaf_lo | (u64)index->ei_leaf_hi << 32;
}
static inline struct ext4_extent_header *extent_root(const struct ext4_inode *inode)
{
	return (struct ext4_extent_header *)inode->block;
}

/* Finds the leaf for a block. extent_path_put in any case. */
[[nodiscard]] int extent_path_find(struct ext4_inode *inode, u32 logical, struct extent_path *path);
void extent_path_put(struct extent_path *path);
/* The first block that what comes after the leaf's entry `at` maps. */
u32 extent_path_next(const struct extent_path *path);
void extent_block_sum(const struct ext4_inode *inode, struct buffer *buffer);
