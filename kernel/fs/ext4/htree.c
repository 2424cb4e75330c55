/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index of large directories: a tree of up to three levels, by hash of names, over blocks of entries. Block 0 is the
 * root, dressed as a directory of "." and ".." alone; nodes are dressed as blocks without entries: whoever does not know
 * the index still finds every name.
 *
 * (I1) Entry i of a node leads to names with hashes from its own up to that of entry i + 1. The first has no hash: all
 *      that is smaller.
 * (I2) An odd hash in entry i + 1 tells that names with the hash before it go on there.
 */
#include <fs/ext4/ext4_priv.h>
#include <lib/crc32c.h>
#include <lib/sort.h>
#include <lib/string.h>
#include <mm/slab.h>

#define FRAMES_MAX 3u

struct frame {
	struct buffer *buffer;
	u32 logical;
	struct ext4_index_entry *entries;
	u32 count, limit;
	u32 at; /* the entry that was taken */
};
struct probe {
	struct frame frames[FRAMES_MAX];
	u32 depth; /* index of the lowest frame */
	u32 version;
	struct ext4_hash hash;
};

bool ext4_directory_is_indexed(const struct ext4_inode *dir)
{
	return (dir->flags & EXT4_FL_INDEX) && (dir->fs->compat & EXT4_COMPAT_DIR_INDEX);
}

bool ext4_index_is_node(const struct ext4_inode *dir, u32 logical, const struct buffer *buffer)
{
	const struct ext4_directory_entry *e = (const void *)buffer->data;

	if (!(dir->flags & EXT4_FL_INDEX))
		return false;
	return !logical || (!e->inode && e->rec_len == dir->fs->block_size);
}

/* --- nodes --- */

static u32 entries_offset(u32 logical)
{
	return logical ? EXT4_INDEX_NODE_ENTRIES : EXT4_INDEX_ROOT_ENTRIES;
}

static u32 node_limit(const struct ext4 *fs, u32 logical)
{
	u32 tail = fs->checksums ? (u32)sizeof(struct ext4_index_tail) : 0;

	return (fs->block_size - entries_offset(logical) - tail) /
	       (u32)sizeof(struct ext4_index_entry);
}

static struct ext4_index_limit *limit_of(struct ext4_index_entry *entries)
{
	return (struct ext4_index_limit *)entries;
}

static u32 node_sum(const struct ext4_inode *dir, const struct buffer *buffer, u32 logical,
		    u32 count, u32 limit)
{
	const struct ext4_index_tail *tail =
		(const void *)(buffer->data + entries_offset(logical) +
			       limit * sizeof(struct ext4_index_entry));
	static const u32 zero;
	u32 sum = crc32c(dir->checksum_seed, buffer->data,
			 entries_offset(logical) + count * sizeof(struct ext4_index_entry));

	sum = crc32c(sum, &tail->dt_reserved, sizeof(tail->dt_reserved));
	return crc32c(sum, &zero, sizeof(zero));
}

static u32 *sum_of(struct frame *f)
{
	return &((struct ext4_index_tail *)(f->entries + f->limit))->dt_checksum;
}

static void frame_sum(struct ext4_inode *dir, struct frame *f)
{
	if (dir->fs->checksums)
		*sum_of(f) = node_sum(dir, f->buffer, f->logical, f->count, f->limit);
}

static int damaged(struct ext4_inode *dir)
{
	return ext4_error(dir->fs, -EUCLEAN, "the index of directory %u is damaged", dir->number);
}

/* Reads the node at `logical` into `f`, checked. */
static int read_frame(struct ext4_inode *dir, u32 logical, struct frame *f)
{
	u64 block;
	int result = ext4_map_block(dir, logical, &block);

	*f = (struct frame){ .logical = logical };
	if (!result && !block)
		result = damaged(dir);
	if (!result)
		result = buffer_get(dir->fs->cache, block, &f->buffer);
	if (result)
		return result;
	f->entries = (void *)(f->buffer->data + entries_offset(logical));
	f->limit = limit_of(f->entries)->limit;
	f->count = limit_of(f->entries)->count;
	if (f->limit != node_limit(dir->fs, logical) || !f->count || f->count > f->limit ||
	    (f->buffer->verified != EXT4_KIND_INDEX && dir->fs->checksums &&
	     *sum_of(f) != node_sum(dir, f->buffer, logical, f->count, f->limit))) {
		buffer_put(f->buffer);
		f->buffer = nullptr;
		return damaged(dir);
	}
	f->buffer->verified = EXT4_KIND_INDEX;
	return 0;
}

void ext4_htree_root_sum(struct ext4_inode *dir, struct buffer *buffer)
{
	struct frame f = { .buffer = buffer,
			   .entries = (void *)(buffer->data + EXT4_INDEX_ROOT_ENTRIES) };

	f.count = limit_of(f.entries)->count;
	f.limit = node_limit(dir->fs, 0);
	if (f.count <= f.limit)
		frame_sum(dir, &f);
}

static struct ext4_index_root_info *root_info(const struct probe *p)
{
	return (void *)(p->frames[0].buffer->data + EXT4_INDEX_ROOT_INFO);
}

/* The last entry whose hash is not above `hash`. */
static u32 frame_search(const struct frame *f, u32 hash)
{
	u32 low = 1, high = f->count;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (f->entries[middle].hash <= hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}

static void probe_end(struct probe *p)
{
	for (u32 i = 0; i < FRAMES_MAX; i++)
		buffer_put(p->frames[i].buffer);
}

/* Reads the root: how deep the tree is, and which hash it goes by. */
static int probe_root(struct ext4_inode *dir, struct probe *p)
{
	const struct ext4 *fs = dir->fs;
	const struct ext4_index_root_info *info;
	u32 levels = fs->incompat & EXT4_INCOMPAT_LARGEDIR ? 2 : 1;
	int result;

	*p = (struct probe){};
	result = read_frame(dir, 0, &p->frames[0]);
	if (result)
		return result;
	info = root_info(p);
	if (info->hash_version > EXT4_HASH_TEA || (info->unused_flags & 1) ||
	    info->info_length != sizeof(*info) || info->indirect_levels > levels)
		return damaged(dir);
	p->depth = info->indirect_levels;
	p->version = info->hash_version;
	if (fs->hash_version >= EXT4_HASH_LEGACY_UNSIGNED)
		p->version += EXT4_HASH_LEGACY_UNSIGNED;
	return 0;
}

/* From the root to the node that leads to the leaf of `hash`. probe_end in any case. */
static int probe_down(struct ext4_inode *dir, struct probe *p, u32 hash)
{
	for (u32 i = 0; i < p->depth; i++) {
		struct frame *f = &p->frames[i];
		int result;

		f->at = frame_search(f, hash);
		result = read_frame(dir, f->entries[f->at].block & 0x0fffffff, f + 1);
		if (result)
			return result;
		if (!f[1].logical)
			return damaged(dir);
	}
	p->frames[p->depth].at = frame_search(&p->frames[p->depth], hash);
	return 0;
}

static int probe(struct ext4_inode *dir, const struct ext4_name *name, struct probe *p)
{
	int result = probe_root(dir, p);

	if (result)
		return result;
	p->hash = ext4_name_hash(dir->fs, p->version, name->text, name->length);
	return probe_down(dir, p, p->hash.major);
}

static u32 probe_leaf(const struct probe *p)
{
	const struct frame *f = &p->frames[p->depth];

	return f->entries[f->at].block & 0x0fffffff;
}

/* The hash at which the leaf after the present one begins; false: there is none. */
static bool next_hash(const struct probe *p, u32 *hash)
{
	for (s32 i = (s32)p->depth; i >= 0; i--) {
		const struct frame *f = &p->frames[i];

		if (f->at + 1 < f->count) {
			*hash = f->entries[f->at + 1].hash;
			return true;
		}
	}
	return false;
}

/* Goes to the next leaf. */
static int probe_next(struct ext4_inode *dir, struct probe *p)
{
	u32 level = p->depth;

	while (p->frames[level].at + 1 >= p->frames[level].count)
		level--; /* next_hash() has found that there is one */
	p->frames[level].at++;
	for (; level < p->depth; level++) {
		struct frame *f = &p->frames[level];
		int result;

		buffer_put(f[1].buffer);
		f[1].buffer = nullptr;
		result = read_frame(dir, f->entries[f->at].block & 0x0fffffff, f + 1);
		if (result)
			return result;
	}
	return 0;
}

/* --- looking --- */

int ext4_htree_find(struct ext4_inode *dir, const struct ext4_name *name, struct ext4_slot *slot)
{
	u32 space = ext4_directory_space(dir->fs), next;
	struct probe p;
	int result;

	/* The dots are not in the index. */
	if (name->length == 2 && name->text[0] == '.' && name->text[1] == '.') {
		result = ext4_directory_parent(dir, slot);
		return result ? result : 1;
	}
	result = probe(dir, name, &p);
	while (!result) {
		u32 logical = probe_leaf(&p);

		result = logical ? ext4_directory_block(dir, logical, &slot->buffer) : damaged(dir);
		if (result)
			break;
		slot->logical = logical;
		result = ext4_block_search(dir, slot->buffer->data, space, name, slot);
		if (result)
			break;
		ext4_slot_put(slot);
		if (!next_hash(&p, &next) || next != (p.hash.major | 1))
			break;
		result = probe_next(dir, &p);
	}
	if (result < 0)
		ext4_slot_put(slot);
	probe_end(&p);
	return result;
}

int ext4_htree_leaf(struct ext4_inode *dir, u32 hash, u32 *logical, u32 *next, u32 *version)
{
	struct probe p;
	int result = probe_root(dir, &p);

	if (!result)
		result = probe_down(dir, &p, hash);
	if (!result) {
		*logical = probe_leaf(&p);
		*version = p.version;
		if (!next_hash(&p, next))
			*next = UINT32_MAX;
		if (!*logical || *next <= hash)
			result = damaged(dir);
	}
	probe_end(&p);
	return result;
}

/* --- changing --- */

static void frame_insert(struct frame *f, u32 hash, u32 logical)
{
	struct ext4_index_entry *e = &f->entries[f->at + 1];

	memmove(e + 1, e, (f->count - f->at - 1) * sizeof(*e));
	*e = (struct ext4_index_entry){ hash, logical };
	limit_of(f->entries)->count = (u16)++f->count;
}

static void frame_changed(struct journal_handle *handle, struct ext4_inode *dir, struct frame *f)
{
	frame_sum(dir, f);
	journal_changed(handle, f->buffer);
}

/* Dresses a new block as a node with `count` entries. */
static void make_node(struct ext4_inode *dir, struct buffer *buffer, u32 logical,
		      const struct ext4_index_entry *entries, u32 count, struct frame *out)
{
	const struct ext4 *fs = dir->fs;
	struct ext4_directory_entry *fake = (void *)buffer->data;

	memset(buffer->data, 0, fs->block_size);
	fake->rec_len = (u16)fs->block_size;
	*out = (struct frame){ .buffer = buffer,
			       .logical = logical,
			       .entries = (void *)(buffer->data + EXT4_INDEX_NODE_ENTRIES),
			       .count = count,
			       .limit = node_limit(fs, 1) };
	memcpy(out->entries, entries, count * sizeof(*entries));
	*limit_of(out->entries) = (struct ext4_index_limit){ (u16)out->limit, (u16)count };
	buffer->verified = EXT4_KIND_INDEX;
}

/* The root is full: all of it moves into a node below it. */
static int grow(struct journal_handle *handle, struct ext4_inode *dir, struct probe *p)
{
	u32 levels = dir->fs->incompat & EXT4_INCOMPAT_LARGEDIR ? 2 : 1, logical;
	struct frame *root = &p->frames[0], node;
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
	*limit_of(root->entries) = (struct ext4_index_limit){ (u16)root->limit, 1 };
	root->entries[0].block = logical;
	root_info(p)->indirect_levels++;
	frame_changed(handle, dir, root);
	return 0;
}

/* Splits a full node whose parent has room. */
static int split_node(struct journal_handle *handle, struct ext4_inode *dir, struct frame *f)
{
	struct frame *parent = f - 1, fresh;
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
	limit_of(f->entries)->count = (u16)keep;
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
			return damaged(dir);
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
static int split_leaf(struct journal_handle *handle, struct ext4_inode *dir, struct probe *p,
		      struct buffer *leaf, char *copy, struct moved *map)
{
	struct frame *f = &p->frames[p->depth];
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
static int make_room(struct journal_handle *handle, struct ext4_inode *dir, struct probe *p,
		     struct buffer *leaf)
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
	struct probe p;
	int result = probe(dir, name, &p);

	if (!result)
		result = probe_leaf(&p) ? ext4_directory_block(dir, probe_leaf(&p), &leaf)
					: damaged(dir);
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
	probe_end(&p);
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
	*limit_of(entries) = (struct ext4_index_limit){ (u16)node_limit(fs, 0), 1 };
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
