/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adding names to an indexed directory: leaves and nodes that are full are split, a root that is full gets a level below. */
#include <fs/ext4/htree_priv.h>
#include <lib/sort.h>
#include <lib/string.h>
#include <mm/slab.h>

static void frame_insert(struct ext4_index_frame *f, u32 hash, u32 logical)
{
	struct ext4_index_entry *e = &f->entries[f->at + 1];

	memmove(e + 1, e, (f->count - f->at - 1) * sizeof(*e));
	*e = (struct ext4_index_entry){ hash, logical };
	ext4_node_header(f->entries)->count = (u16)++f->count;
}

static void frame_changed(struct journal_handle *handle, struct ext4_inode *dir,
			  struct ext4_index_frame *f)
{
	ext4_frame_sum(dir, f);
	journal_changed(handle, f->buffer);
}

/* Dresses a new block as a node with `count` entries. */
static void make_node(struct ext4_inode *dir, struct buffer *buffer, u32 logical,
		      const struct ext4_index_entry *entries, u32 count,
		      struct ext4_index_frame *out)
{
	const struct ext4 *fs = dir->fs;
	struct ext4_directory_entry *fake = (void *)buffer->data;

	memset(buffer->data, 0, fs->block_size);
	fake->rec_len = (u16)fs->block_size;
	*out = (struct ext4_index_frame){ .buffer = buffer,
					  .logical = logical,
					  .entries =
						  (void *)(buffer->data + EXT4_INDEX_NODE_ENTRIES),
					  .count = count,
					  .limit = ext4_node_limit(fs, 1) };
	memcpy(out->entries, entries, count * sizeof(*entries));
	*ext4_node_header(out->entries) = (struct ext4_index_limit){ (u16)out->limit, (u16)count };
	buffer->verified = EXT4_KIND_INDEX;
}

/* The root is full: all of it moves into a node below it. */
static int grow(struct journal_handle *handle, struct ext4_inode *dir, struct ext4_index_probe *p)
{
	u32 levels = dir->fs->incompat & EXT4_INCOMPAT_LARGEDIR ? 2 : 1, logical;
	struct ext4_index_frame *root = &p->frames[0], node;
	struct buffer *buffer;
	int result;

	if (p->depth >= levels)
		return -ENOSPC;
	result = journal_change(handle, root->buffer);
	if (!result)
		result = ext4_directory_append(handle, dir, &logical, &buffer);
	if (result)
		return result;
	make_node(dir, buffer, logical, root->entries, root->count, &node);
	frame_changed(handle, dir, &node);
	buffer_put(buffer);
	root->count = 1;
	*ext4_node_header(root->entries) = (struct ext4_index_limit){ (u16)root->limit, 1 };
	root->entries[0].block = logical;
	ext4_probe_root_info(p)->indirect_levels++;
	frame_changed(handle, dir, root);
	return 0;
}

/* Splits a full node whose parent has room. */
static int split_node(struct journal_handle *handle, struct ext4_inode *dir,
		      struct ext4_index_frame *f)
{
	struct ext4_index_frame *parent = f - 1, fresh;
	u32 keep = f->count / 2, logical, hash = f->entries[keep].hash;
	struct buffer *buffer;
	int result = journal_change(handle, f->buffer);

	if (!result)
		result = journal_change(handle, parent->buffer);
	if (!result)
		result = ext4_directory_append(handle, dir, &logical, &buffer);
	if (result)
		return result;
	make_node(dir, buffer, logical, &f->entries[keep], f->count - keep, &fresh);
	frame_changed(handle, dir, &fresh);
	buffer_put(buffer);
	f->count = keep;
	ext4_node_header(f->entries)->count = (u16)keep;
	frame_changed(handle, dir, f);
	frame_insert(parent, hash, logical);
	frame_changed(handle, dir, parent);
	return 0;
}

/* An entry of a leaf on its way to another place. */
struct moved {
	u32 hash;
	u32 offset, size;
};

static int compare_moved(const void *a, const void *b)
{
	const struct moved *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->offset < y->offset ? -1 : 1;
}

/* The entries of a leaf by hash; their number, or -errno. `map` has room for all. */
static s32 collect(struct ext4_inode *dir, const char *data, u32 version, struct moved *map)
{
	u32 space = ext4_directory_space(dir->fs), offset = 0;
	s32 n = 0;

	while (offset < space) {
		const struct ext4_directory_entry *e = (const void *)(data + offset);

		if (!ext4_entry_is_valid(dir->fs, data, space, offset))
			return ext4_index_damaged(dir);
		if (e->inode)
			map[n++] = (struct moved){
				ext4_name_hash(dir->fs, version, e->name, e->name_len).major,
				offset, ext4_entry_size(e->name_len)
			};
		offset += e->rec_len;
	}
	sort(map, (size_t)n, sizeof(*map), compare_moved);
	return n;
}

/* Fills a block with the entries of `map`, copied from `from`. */
static void fill(struct ext4_inode *dir, struct buffer *to, const char *from,
		 const struct moved *map, u32 count)
{
	u32 space = ext4_directory_space(dir->fs), offset = 0;
	struct ext4_directory_entry *e = nullptr;

	memset(to->data, 0, space);
	for (u32 i = 0; i < count; i++) {
		memcpy(to->data + offset, from + map[i].offset, map[i].size);
		e = (void *)(to->data + offset);
		e->rec_len = (u16)map[i].size;
		offset += map[i].size;
	}
	if (!e)
		((struct ext4_directory_entry *)to->data)->rec_len = (u16)space;
	else
		e->rec_len = (u16)(e->rec_len + space - offset);
	ext4_directory_make_tail(dir, to);
	ext4_directory_sum(dir, to);
}

/* How many of the sorted entries stay: about half of the bytes. */
static u32 split_point(const struct moved *map, u32 count)
{
	u32 total = 0, size = 0, i = 0;

	for (u32 n = 0; n < count; n++)
		total += map[n].size;
	while (i < count - 1 && size + map[i].size / 2 < total / 2)
		size += map[i++].size;
	return MAX(i, 1u);
}

/* Splits a full leaf, whose node has room. `copy` has room for a block, `map` for its entries. */
static int split_leaf(struct journal_handle *handle, struct ext4_inode *dir,
		      struct ext4_index_probe *p, struct buffer *leaf, char *copy,
		      struct moved *map)
{
	struct ext4_index_frame *f = &p->frames[p->depth];
	struct buffer *fresh;
	u32 keep, hash, logical;
	s32 count;
	int result;

	memcpy(copy, leaf->data, dir->fs->block_size);
	count = collect(dir, copy, p->version, map);
	if (count < 2)
		return count < 0 ? count : -ENOSPC;
	result = journal_change(handle, leaf);
	if (!result)
		result = journal_change(handle, f->buffer);
	if (!result)
		result = ext4_directory_append(handle, dir, &logical, &fresh);
	if (result)
		return result;
	keep = split_point(map, (u32)count);
	hash = map[keep].hash;
	if (hash == map[keep - 1].hash)
		hash |= 1; /* (I2) */
	fill(dir, fresh, copy, map + keep, (u32)count - keep);
	fill(dir, leaf, copy, map, keep);
	journal_changed(handle, fresh);
	journal_changed(handle, leaf);
	buffer_put(fresh);
	frame_insert(f, hash, logical);
	frame_changed(handle, dir, f);
	return 0;
}

/* The leaf is full: makes room somewhere on the way to it. */
static int make_room(struct journal_handle *handle, struct ext4_inode *dir,
		     struct ext4_index_probe *p, struct buffer *leaf)
{
	u32 entries = dir->fs->block_size / ext4_entry_size(1) + 1, level = p->depth;
	struct moved *map;
	char *copy;
	int result;

	if (p->frames[level].count < p->frames[level].limit) {
		map = kmalloc(entries * sizeof(*map), 0);
		copy = kmalloc(dir->fs->block_size, 0);
		result = map && copy ? split_leaf(handle, dir, p, leaf, copy, map) : -ENOMEM;
		kfree(map);
		kfree(copy);
		return result;
	}
	while (level && p->frames[level - 1].count == p->frames[level - 1].limit)
		level--;
	return level ? split_node(handle, dir, &p->frames[level]) : grow(handle, dir, p);
}

/* One try: 0, or 1 to try again. */
static int try_add(struct journal_handle *handle, struct ext4_inode *dir,
		   const struct ext4_name *name, struct ext4_inode *inode)
{
	struct buffer *leaf = nullptr;
	struct ext4_index_probe p;
	int result = ext4_probe_name(dir, name, &p);

	if (!result)
		result = ext4_probe_leaf(&p) ? ext4_directory_block(dir, ext4_probe_leaf(&p), &leaf)
					     : ext4_index_damaged(dir);
	if (!result)
		result = journal_change(handle, leaf);
	if (!result)
		result = ext4_block_add(dir, leaf->data, ext4_directory_space(dir->fs), name,
					inode->number, ext4_type_of_mode(inode->inode.mode));
	if (!result) {
		ext4_directory_sum(dir, leaf);
		journal_changed(handle, leaf);
	} else if (result == -ENOSPC) {
		result = make_room(handle, dir, &p, leaf);
		result = result ? result : 1;
	}
	buffer_put(leaf);
	ext4_probe_end(&p);
	return result;
}

int ext4_htree_add(struct journal_handle *handle, struct ext4_inode *dir,
		   const struct ext4_name *name, struct ext4_inode *inode)
{
	int result;

	do
		result = try_add(handle, dir, name, inode);
	while (result > 0);
	return result;
}

/* Block 0 becomes the root; its entries, but for the dots, are in `leaf` then. */
static void make_root(struct ext4_inode *dir, struct buffer *root, u32 leaf)
{
	const struct ext4 *fs = dir->fs;
	struct ext4_directory_entry *dots = (void *)(root->data + ext4_entry_size(1));
	struct ext4_index_root_info *info = (void *)(root->data + EXT4_INDEX_ROOT_INFO);
	struct ext4_index_entry *entries = (void *)(root->data + EXT4_INDEX_ROOT_ENTRIES);

	memset(root->data + EXT4_INDEX_ROOT_INFO, 0, fs->block_size - EXT4_INDEX_ROOT_INFO);
	dots->rec_len = (u16)(fs->block_size - ext4_entry_size(1));
	info->hash_version = (u8)(fs->hash_version % EXT4_HASH_LEGACY_UNSIGNED);
	info->info_length = sizeof(*info);
	*ext4_node_header(entries) = (struct ext4_index_limit){ (u16)ext4_node_limit(fs, 0), 1 };
	entries[0].block = leaf;
	root->verified = EXT4_KIND_INDEX;
	ext4_htree_root_sum(dir, root);
}

/* Moves the entries behind the dots of block 0 into a new leaf. */
static int move_entries(struct journal_handle *handle, struct ext4_inode *dir, struct buffer *root,
			struct moved *map)
{
	struct buffer *leaf;
	u32 logical;
	s32 count = collect(dir, root->data, dir->fs->hash_version, map), n = 0;
	int result;

	if (count < 0)
		return count;
	for (s32 i = 0; i < count; i++)
		if (map[i].offset > ext4_entry_size(1))
			map[n++] = map[i];
	result = ext4_directory_append(handle, dir, &logical, &leaf);
	if (result)
		return result;
	fill(dir, leaf, root->data, map, (u32)n);
	journal_changed(handle, leaf);
	buffer_put(leaf);
	dir->flags |= EXT4_FL_INDEX;
	make_root(dir, root, logical);
	journal_changed(handle, root);
	return 0;
}

int ext4_htree_make(struct journal_handle *handle, struct ext4_inode *dir,
		    const struct ext4_name *name, struct ext4_inode *inode)
{
	u32 entries = dir->fs->block_size / ext4_entry_size(1) + 1;
	struct moved *map = kmalloc(entries * sizeof(*map), 0);
	struct ext4_slot dots;
	int result = -ENOMEM;

	if (!map)
		return result;
	result = ext4_directory_parent(dir, &dots);
	if (!result)
		result = journal_change(handle, dots.buffer);
	if (!result)
		result = move_entries(handle, dir, dots.buffer, map);
	ext4_slot_put(&dots);
	kfree(map);
	return result ? result : ext4_htree_add(handle, dir, name, inode);
}
