/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing trees of extents. Room is made before anything else changes: after extent_make_room the entries that an
 * operation needs fit into the leaf, so it cannot fail halfway.
 */
#include <core/panic.h>
#include <fs/ext4/extent_priv.h>
#include <lib/string.h>

/* --- nodes --- */

static int level_change(struct journal_handle *handle, struct extent_level *l)
{
	return l->buffer ? journal_change(handle, l->buffer) : 0;
}

/* The root is stored with the inode, which every caller of ours does. */
static void level_changed(struct journal_handle *handle, struct ext4_inode *inode,
			  struct extent_level *l)
{
	if (!l->buffer)
		return;
	extent_block_sum(inode, l->buffer);
	journal_changed(handle, l->buffer);
}

static u32 level_room(const struct extent_level *l)
{
	return l->header->eh_max - l->header->eh_entries;
}

static void insert_entry(struct ext4_extent_header *header, u32 at, const void *entry)
{
	struct ext4_extent *e = extent_entries(header);

	memmove(&e[at + 1], &e[at], (header->eh_entries - at) * sizeof(*e));
	memcpy(&e[at], entry, sizeof(*e));
	header->eh_entries++;
}

static void remove_entry(struct ext4_extent_header *header, u32 at)
{
	struct ext4_extent *e = extent_entries(header);

	header->eh_entries--;
	memmove(&e[at], &e[at + 1], (header->eh_entries - at) * sizeof(*e));
}

/* (X1): the first entry of the leaf has another key now. */
static int fix_keys(struct journal_handle *handle, struct ext4_inode *inode,
		    struct extent_path *path)
{
	for (u32 level = path->depth; level; level--) {
		struct extent_level *l = &path->levels[level], *parent = l - 1;
		u32 key = extent_entries(l->header)->ee_block;
		struct ext4_extent_index *index = &index_entries(parent->header)[parent->at];
		int result;

		if (index->ei_block == key)
			return 0;
		result = level_change(handle, parent);
		if (result)
			return result;
		index->ei_block = key;
		level_changed(handle, inode, parent);
		if (parent->at)
			return 0;
	}
	return 0;
}

/* --- making room --- */

static void count_node(struct ext4_inode *inode, s64 nodes)
{
	inode->sectors += (u64)(nodes * (s64)(inode->fs->block_size / SECTOR_SIZE));
	WRITE_ONCE(inode->inode.blocks, inode->sectors);
}

static int new_node(struct journal_handle *handle, struct ext4_inode *inode, u32 depth,
		    struct buffer **out)
{
	struct ext4 *fs = inode->fs;
	struct ext4_extent_header *header;
	u64 block;
	int result = ext4_allocate_block(fs, handle, ext4_map_goal(inode, 0), &block);

	if (result)
		return result;
	*out = nullptr;
	result = buffer_get(fs->cache, block, out);
	if (!result)
		result = journal_change(handle, *out);
	if (result) {
		buffer_put(*out);
		(void)ext4_free_blocks(fs, handle, block, 1, false);
		return result;
	}
	memset((*out)->data, 0, fs->block_size);
	header = (void *)(*out)->data;
	*header = (struct ext4_extent_header){
		.eh_magic = EXT4_EXTENT_MAGIC,
		.eh_max = (u16)((fs->block_size - sizeof(*header) - sizeof(u32)) /
				sizeof(struct ext4_extent)),
		.eh_depth = (u16)depth,
	};
	(*out)->verified = EXT4_KIND_EXTENTS;
	count_node(inode, 1);
	return 0;
}

/* The root is full: its entries move into a node of their own, and the tree is one level deeper. */
static int grow(struct journal_handle *handle, struct ext4_inode *inode)
{
	struct ext4_extent_header *root = extent_root(inode), *header;
	struct ext4_extent_index index = {};
	struct buffer *node;
	u16 max = root->eh_max;
	int result;

	if (root->eh_depth == EXT4_EXTENT_DEPTH_MAX)
		return -EFBIG;
	result = new_node(handle, inode, root->eh_depth, &node);
	if (result)
		return result;
	header = (void *)node->data;
	header->eh_entries = root->eh_entries;
	memcpy(extent_entries(header), extent_entries(root),
	       root->eh_entries * sizeof(struct ext4_extent));
	extent_block_sum(inode, node);
	journal_changed(handle, node);
	index.ei_block = extent_entries(root)->ee_block;
	index.ei_leaf_lo = (u32)node->block;
	index.ei_leaf_hi = (u16)(node->block >> 32);
	*root = (struct ext4_extent_header){ .eh_magic = EXT4_EXTENT_MAGIC,
					     .eh_entries = 1,
					     .eh_max = max,
					     .eh_depth = (u16)(root->eh_depth + 1) };
	memcpy(index_entries(root), &index, sizeof(index));
	buffer_put(node);
	return 0;
}

/* Splits the node at `level`, whose parent has room. What is appended at the end of a tree leaves full nodes behind. */
static int split(struct journal_handle *handle, struct ext4_inode *inode, struct extent_path *path,
		 u32 level, u32 logical)
{
	struct extent_level *l = &path->levels[level], *parent = l - 1;
	u32 entries = l->header->eh_entries, keep = entries / 2;
	struct ext4_extent *e = extent_entries(l->header);
	struct ext4_extent_index index = {};
	struct ext4_extent_header *header;
	struct buffer *node;
	int result = level_change(handle, l);

	if (!result)
		result = level_change(handle, parent);
	if (!result)
		result = new_node(handle, inode, l->header->eh_depth, &node);
	if (result)
		return result;
	if (logical > e[entries - 1].ee_block && extent_path_next(path) == EXT4_BLOCK_LIMIT)
		keep = entries - 1;
	header = (void *)node->data;
	header->eh_entries = (u16)(entries - keep);
	memcpy(extent_entries(header), &e[keep], (entries - keep) * sizeof(*e));
	l->header->eh_entries = (u16)keep;
	extent_block_sum(inode, node);
	journal_changed(handle, node);
	level_changed(handle, inode, l);
	index.ei_block = extent_entries(header)->ee_block;
	index.ei_leaf_lo = (u32)node->block;
	index.ei_leaf_hi = (u16)(node->block >> 32);
	insert_entry(parent->header, (u32)parent->at + 1, &index);
	level_changed(handle, inode, parent);
	buffer_put(node);
	return 0;
}

/* One step on the way to room in the leaf of `logical`: 0 tells to look again. */
static int make_some_room(struct journal_handle *handle, struct ext4_inode *inode,
			  struct extent_path *path, u32 logical)
{
	for (u32 level = path->depth; level; level--)
		if (level_room(&path->levels[level - 1]))
			return split(handle, inode, path, level, logical);
	return grow(handle, inode);
}

/* The way to the leaf for `logical`, which has room for `entries` more. extent_path_put after success only. */
static int extent_make_room(struct journal_handle *handle, struct ext4_inode *inode, u32 logical,
			    u32 entries, struct extent_path *path)
{
	for (;;) {
		int result = extent_path_find(inode, logical, path);

		if (!result && level_room(extent_leaf(path)) >= entries) {
			result = level_change(handle, extent_leaf(path));
			if (!result)
				return 0;
		} else if (!result) {
			result = make_some_room(handle, inode, path, logical);
		}
		extent_path_put(path);
		if (result)
			return result;
	}
}

/* --- merging --- */

static bool can_merge(const struct ext4_extent *a, const struct ext4_extent *b)
{
	u32 limit = EXT4_EXTENT_LENGTH_MAX - extent_is_unwritten(a);

	return extent_is_unwritten(a) == extent_is_unwritten(b) && extent_end(a) == b->ee_block &&
	       extent_start(a) + extent_length(a) == extent_start(b) &&
	       extent_length(a) + extent_length(b) <= limit;
}

/* Merges entry `at` of a leaf with the one behind it if they are one. */
static bool merge(struct ext4_extent_header *leaf, s32 at)
{
	struct ext4_extent *e = extent_entries(leaf) + at;

	if (at < 0 || at + 1 >= leaf->eh_entries || !can_merge(e, e + 1))
		return false;
	extent_set(e, e->ee_block, extent_start(e), extent_length(e) + extent_length(e + 1),
		   extent_is_unwritten(e));
	remove_entry(leaf, (u32)at + 1);
	return true;
}

static void merge_around(struct ext4_extent_header *leaf, s32 at)
{
	(void)merge(leaf, at);
	(void)merge(leaf, at - 1);
}

/* --- operations --- */

/* Lengthens the neighbour before or behind by the new extent. 1: done. */
static int insert_into_neighbour(struct journal_handle *handle, struct ext4_inode *inode,
				 struct extent_path *path, const struct ext4_extent *fresh)
{
	struct extent_level *leaf = extent_leaf(path);
	struct ext4_extent *e = extent_entries(leaf->header) + leaf->at;
	bool before = leaf->at >= 0 && can_merge(e, fresh);
	bool after = leaf->at + 1 < leaf->header->eh_entries && can_merge(fresh, e + 1);
	int result;

	if (!before && !after)
		return 0;
	result = level_change(handle, leaf);
	if (result)
		return result;
	if (before) {
		extent_set(e, e->ee_block, extent_start(e), extent_length(e) + extent_length(fresh),
			   extent_is_unwritten(e));
		(void)merge(leaf->header, leaf->at);
	} else {
		extent_set(e + 1, fresh->ee_block, extent_start(fresh),
			   extent_length(e + 1) + extent_length(fresh), extent_is_unwritten(fresh));
		result = fix_keys(handle, inode, path);
	}
	level_changed(handle, inode, leaf);
	return result ? result : 1;
}

static int insert_one(struct journal_handle *handle, struct ext4_inode *inode,
		      const struct ext4_extent *fresh)
{
	struct extent_path path;
	int result = extent_path_find(inode, fresh->ee_block, &path);

	if (!result)
		result = insert_into_neighbour(handle, inode, &path, fresh);
	extent_path_put(&path);
	if (result)
		return MIN(result, 0);
	result = extent_make_room(handle, inode, fresh->ee_block, 1, &path);
	if (result)
		return result;
	insert_entry(extent_leaf(&path)->header, (u32)(extent_leaf(&path)->at + 1), fresh);
	level_changed(handle, inode, extent_leaf(&path));
	result = fix_keys(handle, inode, &path);
	extent_path_put(&path);
	return result;
}

int ext4_extent_insert(struct journal_handle *handle, struct ext4_inode *inode,
		       const struct ext4_map *map)
{
	u32 done = 0;

	while (done < map->count) {
		u32 count = MIN(map->count - done, EXT4_EXTENT_LENGTH_MAX - 1);
		struct ext4_extent fresh;
		int result;

		extent_set(&fresh, map->logical + done, map->block + done, count, map->unwritten);
		result = insert_one(handle, inode, &fresh);
		if (result)
			return result;
		done += count;
	}
	return 0;
}

/* The leaf has become empty: it goes, and so do the nodes above that have nothing else. */
static int remove_leaf(struct journal_handle *handle, struct ext4_inode *inode,
		       struct extent_path *path)
{
	u32 level = path->depth;
	int result;

	for (; level && !path->levels[level].header->eh_entries; level--) {
		struct extent_level *parent = &path->levels[level - 1];

		result = level_change(handle, parent);
		if (!result)
			result = ext4_free_blocks(inode->fs, handle,
						  path->levels[level].buffer->block, 1, true);
		if (result)
			return result;
		count_node(inode, -1);
		remove_entry(parent->header, (u32)parent->at);
		level_changed(handle, inode, parent);
	}
	if (!level && !extent_root(inode)->eh_entries) {
		extent_root(inode)->eh_depth = 0;
		return 0;
	}
	path->depth = level; /* what was below is gone; its keys are this node's now */
	result = level && !path->levels[level].at ? fix_keys(handle, inode, path) : 0;
	return result;
}

/* Cuts [first, last] out of entry `at` of the leaf, which has room for what is left behind it. */
static void cut_entry(struct ext4_extent_header *leaf, u32 at, u32 first, u32 last)
{
	struct ext4_extent *e = extent_entries(leaf) + at, tail;
	u32 end = extent_end(e), skip = last + 1 - e->ee_block;
	bool unwritten = extent_is_unwritten(e);

	if (end > last + 1) {
		extent_set(&tail, last + 1, extent_start(e) + skip, end - last - 1, unwritten);
		if (first > e->ee_block)
			insert_entry(leaf, at + 1, &tail);
	}
	if (first > e->ee_block)
		extent_set(e, e->ee_block, extent_start(e), first - e->ee_block, unwritten);
	else if (end > last + 1)
		*e = tail;
	else
		remove_entry(leaf, at);
}

/* Removes the part of one extent that lies in [first, last]. */
static int remove_from_extent(struct journal_handle *handle, struct ext4_inode *inode, u32 first,
			      u32 last)
{
	struct extent_path path;
	struct extent_level *leaf;
	struct ext4_extent *e;
	int result = extent_make_room(handle, inode, first, 1, &path);
	u64 block;

	if (result)
		return result;
	leaf = extent_leaf(&path);
	e = extent_entries(leaf->header) + leaf->at;
	block = extent_start(e) + (first - e->ee_block);
	result = ext4_free_blocks(inode->fs, handle, block, last - first + 1,
				  !S_ISREG(inode->inode.mode));
	if (!result) {
		cut_entry(leaf->header, (u32)leaf->at, first, last);
		inode->sectors -= (u64)(last - first + 1) * (inode->fs->block_size / SECTOR_SIZE);
		WRITE_ONCE(inode->inode.blocks, inode->sectors);
		level_changed(handle, inode, leaf);
		if (!leaf->header->eh_entries)
			result = remove_leaf(handle, inode, &path);
		else if (!leaf->at)
			result = fix_keys(handle, inode, &path);
	}
	extent_path_put(&path);
	return result;
}

/* Blocks that removing `count` blocks in one go may change. */
static u32 remove_credits(const struct ext4_inode *inode, u32 count)
{
	u32 groups = count / inode->fs->blocks_per_group + 2;

	return ext4_map_credits(inode) + groups * 2;
}

int ext4_extent_remove(struct journal_handle *handle, struct ext4_inode *inode, u32 first, u32 last,
		       u32 *next)
{
	u32 begin = first;

	for (*next = first; first <= last; *next = first) {
		struct ext4_map map;
		u32 credits;
		int result = ext4_extent_find(inode, first, &map);

		if (result)
			return result;
		map.count = MIN(map.count, last - first + 1);
		if (!map.block) {
			first += map.count;
			continue;
		}
		credits = remove_credits(inode, map.count);
		if (handle->journal && handle->credits < credits &&
		    !journal_extend(handle, credits - handle->credits)) {
			if (first > begin)
				return 0; /* the rest in another handle */
			/* A journal too small for one extent: a piece of it. */
			map.count = MIN(map.count, inode->fs->blocks_per_group);
		}
		result = remove_from_extent(handle, inode, first, first + map.count - 1);
		if (result)
			return result;
		first += map.count;
	}
	return 0;
}

/* Marks [first, last] of entry `at`, which is unwritten, as written. The leaf has room for two more. */
static void convert_entry(struct ext4_extent_header *leaf, u32 at, u32 first, u32 last)
{
	struct ext4_extent *e = extent_entries(leaf) + at, middle, tail;
	u32 begin = e->ee_block, end = extent_end(e);
	u64 start = extent_start(e);

	extent_set(&middle, first, start + (first - begin), last - first + 1, false);
	if (end > last + 1) {
		extent_set(&tail, last + 1, start + (last + 1 - begin), end - last - 1, true);
		insert_entry(leaf, at + 1, &tail);
	}
	if (first > begin) {
		extent_set(e, begin, start, first - begin, true);
		insert_entry(leaf, ++at, &middle);
	} else {
		*e = middle;
	}
	merge_around(leaf, (s32)at);
}

int ext4_extent_convert(struct journal_handle *handle, struct ext4_inode *inode, u32 first,
			u32 count)
{
	u32 end = first + count;

	while (first < end) {
		struct extent_path path;
		struct extent_level *leaf;
		struct ext4_extent *e;
		u32 last;
		int result = extent_make_room(handle, inode, first, 2, &path);

		if (result)
			return result;
		leaf = extent_leaf(&path);
		e = extent_entries(leaf->header) + leaf->at;
		if (leaf->at < 0 || first >= extent_end(e)) {
			extent_path_put(&path);
			return -EINVAL; /* a hole: the caller looked before, under map_lock */
		}
		last = MIN(end, extent_end(e)) - 1;
		if (extent_is_unwritten(e)) {
			convert_entry(leaf->header, (u32)leaf->at, first, last);
			level_changed(handle, inode, leaf);
		}
		extent_path_put(&path);
		first = last + 1;
	}
	return 0;
}
