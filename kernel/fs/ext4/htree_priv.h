/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way through the index of a directory, shared by those who look and those who add. */
#pragma once

#include <fs/ext4/ext4_priv.h>

#define EXT4_INDEX_FRAMES 3u

/* A node on the way down. */
struct ext4_index_frame {
	struct buffer *buffer;
	u32 logical;
	struct ext4_index_entry *entries;
	u32 count, limit;
	u32 at; /* the entry that was taken */
};
/* The way from the root of an index to a leaf. */
struct ext4_index_probe {
	struct ext4_index_frame frames[EXT4_INDEX_FRAMES];
	u32 depth; /* index of the lowest frame */
	u32 version;
	struct ext4_hash hash;
};

static inline struct ext4_index_limit *ext4_node_header(struct ext4_index_entry *entries)
{
	return (struct ext4_index_limit *)entries;
}
static inline struct ext4_index_root_info *ext4_probe_root_info(const struct ext4_index_probe *p)
{
	return (void *)(p->frames[0].buffer->data + EXT4_INDEX_ROOT_INFO);
}
static inline u32 ext4_probe_leaf(const struct ext4_index_probe *p)
{
	const struct ext4_index_frame *f = &p->frames[p->depth];

	return f->entries[f->at].block & 0x0fffffff;
}

/* How many entries the node at `logical` has room for. */
u32 ext4_node_limit(const struct ext4 *fs, u32 logical);
/* Renews the checksum of a node that has changed. */
void ext4_frame_sum(struct ext4_inode *dir, struct ext4_index_frame *f);
/* Reports a damaged index; -EUCLEAN. */
int ext4_index_damaged(struct ext4_inode *dir);
/* Goes from the root to the node that leads to the leaf for `name`; ext4_probe_end in any case. -errno. May sleep. */
[[nodiscard]] int ext4_probe_name(struct ext4_inode *dir, const struct ext4_name *name,
				  struct ext4_index_probe *p);
void ext4_probe_end(struct ext4_index_probe *p);
/* The hash at which the leaf after the present one begins; false: there is none. */
bool ext4_probe_next_hash(const struct ext4_index_probe *p, u32 *hash);
