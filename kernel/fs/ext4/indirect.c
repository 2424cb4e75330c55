/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The block maps of ext2 and ext3: twelve blocks in the inode, then blocks of block numbers, one, two and three levels
 * deep. A number 0 is a hole.
 */
#include <fs/ext4/ext4_priv.h>
#include <lib/string.h>

#define LEVELS_MAX 4u

/* The way to a block's number: slots from the inode down. */
struct indirect_path {
	u32 slots[LEVELS_MAX];
	u32 depth;	      /* slots */
	u32 run;	      /* blocks whose numbers follow in the last array, with this one */
	u64 span[LEVELS_MAX]; /* blocks that one slot of each level stands for */
	u64 skip[LEVELS_MAX]; /* blocks of that before the one looked for */
};

static u32 pointers(const struct ext4 *fs)
{
	return fs->block_size / (u32)sizeof(u32);
}

static int find_path(const struct ext4 *fs, u32 logical, struct indirect_path *path)
{
	u64 n = pointers(fs), rest = logical, span = 1;

	*path = (struct indirect_path){ .depth = 1, .span = { 1 } };
	if (rest < EXT4_DIRECT_BLOCKS) {
		path->slots[0] = logical;
		path->run = EXT4_DIRECT_BLOCKS - logical;
		return 0;
	}
	rest -= EXT4_DIRECT_BLOCKS;
	for (u32 level = 1; level < LEVELS_MAX; level++) {
		span *= n;
		if (rest >= span) {
			rest -= span;
			continue;
		}
		path->depth = level + 1;
		path->slots[0] = EXT4_DIRECT_BLOCKS + level - 1;
		path->span[0] = span;
		path->skip[0] = rest;
		for (u32 i = 1; i <= level; i++) {
			span /= n;
			path->slots[i] = (u32)(rest / span);
			path->span[i] = span;
			rest %= span;
			path->skip[i] = rest;
		}
		path->run = (u32)n - path->slots[level];
		return 0;
	}
	return -EFBIG;
}

/* The arrays on the way, as far as they are there. */
struct indirect_walk {
	struct indirect_path path;
	struct buffer *buffers[LEVELS_MAX]; /* [0] is null: the inode */
	u32 reached;			    /* levels whose array is there */
};

static u32 *slot_of(struct ext4_inode *inode, struct indirect_walk *w, u32 level)
{
	u32 *array = level ? (u32 *)w->buffers[level]->data : inode->block;

	return &array[w->path.slots[level]];
}

static void walk_end(struct indirect_walk *w)
{
	for (u32 level = 1; level < LEVELS_MAX; level++)
		buffer_put(w->buffers[level]);
}

static int walk(struct ext4_inode *inode, u32 logical, struct indirect_walk *w)
{
	struct ext4 *fs = inode->fs;
	int result;

	*w = (struct indirect_walk){ .reached = 1 };
	result = find_path(fs, logical, &w->path);
	while (!result && w->reached < w->path.depth) {
		u32 block = *slot_of(inode, w, w->reached - 1);

		if (!block)
			break;
		if (!ext4_range_is_valid(fs, block, 1))
			result = ext4_error(fs, -EUCLEAN, "the block map of inode %u is damaged",
					    inode->number);
		else
			result = buffer_get(fs->cache, block, &w->buffers[w->reached]);
		if (!result)
			w->reached++;
	}
	return result;
}

int ext4_indirect_find(struct ext4_inode *inode, u32 logical, struct ext4_map *out)
{
	struct indirect_walk w;
	int result = walk(inode, logical, &w);
	u32 *slot, count = 1;

	if (result) {
		walk_end(&w);
		return result;
	}
	if (w.reached < w.path.depth) {
		/* Nothing below this slot: a hole to the end of what it stands for. */
		u32 level = w.reached - 1;

		count = (u32)MIN(w.path.span[level] - w.path.skip[level],
				 (u64)(EXT4_BLOCK_LIMIT - logical));
		*out = (struct ext4_map){ logical, count, 0, false };
		walk_end(&w);
		return 0;
	}
	slot = slot_of(inode, &w, w.path.depth - 1);
	if (*slot)
		while (count < w.path.run && slot[count] == *slot + count)
			count++;
	else
		while (count < w.path.run && !slot[count])
			count++;
	*out = (struct ext4_map){ logical, count, *slot, false };
	if (*slot && !ext4_range_is_valid(inode->fs, *slot, count))
		result = ext4_error(inode->fs, -EUCLEAN, "the block map of inode %u is damaged",
				    inode->number);
	walk_end(&w);
	return result;
}

static int slot_change(struct journal_handle *handle, struct indirect_walk *w, u32 level)
{
	return level ? journal_change(handle, w->buffers[level]) : 0;
}

static void slot_changed(struct journal_handle *handle, struct indirect_walk *w, u32 level)
{
	if (level)
		journal_changed(handle, w->buffers[level]);
}

static void count_array(struct ext4_inode *inode, s64 n)
{
	inode->sectors += (u64)(n * (s64)(inode->fs->block_size / SECTOR_SIZE));
	WRITE_ONCE(inode->inode.blocks, inode->sectors);
}

/* Adds the array that the last reached slot lacks. */
static int add_array(struct journal_handle *handle, struct ext4_inode *inode,
		     struct indirect_walk *w, u64 goal)
{
	struct ext4 *fs = inode->fs;
	u32 level = w->reached;
	u64 block;
	int result = slot_change(handle, w, level - 1);

	if (!result)
		result = ext4_allocate_block(fs, handle, goal, &block);
	if (!result && block > UINT32_MAX)
		result = -EFBIG;
	if (!result)
		result = buffer_get(fs->cache, block, &w->buffers[level]);
	if (!result)
		result = journal_change(handle, w->buffers[level]);
	if (result)
		return result;
	memset(w->buffers[level]->data, 0, fs->block_size);
	w->buffers[level]->verified = EXT4_KIND_NONE;
	journal_changed(handle, w->buffers[level]);
	*slot_of(inode, w, level - 1) = (u32)block;
	slot_changed(handle, w, level - 1);
	count_array(inode, 1);
	w->reached++;
	return 0;
}

int ext4_indirect_insert(struct journal_handle *handle, struct ext4_inode *inode,
			 const struct ext4_map *map)
{
	u32 done = 0;

	if (map->unwritten || map->block + map->count > UINT32_MAX)
		return -EOPNOTSUPP;
	while (done < map->count) {
		struct indirect_walk w;
		u32 n = 0, *slot;
		int result = walk(inode, map->logical + done, &w);

		while (!result && w.reached < w.path.depth)
			result = add_array(handle, inode, &w, map->block);
		if (!result)
			result = slot_change(handle, &w, w.path.depth - 1);
		if (!result) {
			n = MIN(w.path.run, map->count - done);
			slot = slot_of(inode, &w, w.path.depth - 1);
			for (u32 i = 0; i < n; i++)
				slot[i] = (u32)(map->block + done + i);
			slot_changed(handle, &w, w.path.depth - 1);
		}
		walk_end(&w);
		if (result)
			return result;
		done += n;
	}
	return 0;
}

static bool is_empty(const struct ext4 *fs, const struct buffer *array)
{
	const u32 *p = (const u32 *)array->data;

	for (u32 i = 0; i < pointers(fs); i++)
		if (p[i])
			return false;
	return true;
}

/* Frees arrays that have become empty, from the bottom up. */
static int prune(struct journal_handle *handle, struct ext4_inode *inode, struct indirect_walk *w)
{
	for (u32 level = w->path.depth - 1; level && is_empty(inode->fs, w->buffers[level]);
	     level--) {
		int result = slot_change(handle, w, level - 1);

		if (!result)
			result = ext4_free_blocks(inode->fs, handle, w->buffers[level]->block, 1,
						  true);
		if (result)
			return result;
		*slot_of(inode, w, level - 1) = 0;
		slot_changed(handle, w, level - 1);
		count_array(inode, -1);
	}
	return 0;
}

/* Removes one run of blocks, whose numbers are in one array. */
static int remove_run(struct journal_handle *handle, struct ext4_inode *inode,
		      const struct ext4_map *map)
{
	struct indirect_walk w;
	int result = walk(inode, map->logical, &w);
	u32 *slot;

	if (!result)
		result = slot_change(handle, &w, w.path.depth - 1);
	if (!result)
		result = ext4_free_blocks(inode->fs, handle, map->block, map->count,
					  !S_ISREG(inode->inode.mode));
	if (!result) {
		slot = slot_of(inode, &w, w.path.depth - 1);
		memset(slot, 0, map->count * sizeof(*slot));
		slot_changed(handle, &w, w.path.depth - 1);
		count_array(inode, -(s64)map->count);
		result = prune(handle, inode, &w);
	}
	walk_end(&w);
	return result;
}

int ext4_indirect_remove(struct journal_handle *handle, struct ext4_inode *inode, u32 first,
			 u32 last, u32 *next)
{
	u64 end = ext4_max_size(inode->fs, false) >> inode->fs->block_bits;
	u32 begin = first;

	if (last >= end)
		last = (u32)(end - 1);
	for (*next = first; first <= last; *next = first) {
		struct ext4_map map;
		int result = ext4_indirect_find(inode, first, &map);
		u32 credits = ext4_map_credits(inode) + 8;

		if (result)
			return result;
		map.count = MIN(map.count, last - first + 1);
		if (map.block) {
			if (handle->journal && handle->credits < credits &&
			    !journal_extend(handle, credits - handle->credits) && first > begin)
				return 0;
			result = remove_run(handle, inode, &map);
			if (result)
				return result;
		}
		first += map.count;
	}
	*next = UINT32_MAX;
	return 0;
}
