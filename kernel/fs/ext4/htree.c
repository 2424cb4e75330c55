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
#include <fs/ext4/htree_priv.h>
#include <lib/crc32c.h>
#include <lib/string.h>

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

u32 ext4_node_limit(const struct ext4 *fs, u32 logical)
{
	u32 tail = fs->checksums ? (u32)sizeof(struct ext4_index_tail) : 0;

	return (fs->block_size - entries_offset(logical) - tail) /
	       (u32)sizeof(struct ext4_index_entry);
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

static u32 *sum_of(struct ext4_index_frame *f)
{
	return &((struct ext4_index_tail *)(f->entries + f->limit))->dt_checksum;
}

void ext4_frame_sum(struct ext4_inode *dir, struct ext4_index_frame *f)
{
	if (dir->fs->checksums)
		*sum_of(f) = node_sum(dir, f->buffer, f->logical, f->count, f->limit);
}

int ext4_index_damaged(struct ext4_inode *dir)
{
	return ext4_error(dir->fs, -EUCLEAN, "the index of directory %u is damaged", dir->number);
}

/* Reads the node at `logical` into `f`, checked. */
static int read_frame(struct ext4_inode *dir, u32 logical, struct ext4_index_frame *f)
{
	u64 block;
	int result = ext4_map_block(dir, logical, &block);

	*f = (struct ext4_index_frame){ .logical = logical };
	if (!result && !block)
		result = ext4_index_damaged(dir);
	if (!result)
		result = buffer_get(dir->fs->cache, block, &f->buffer);
	if (result)
		return result;
	f->entries = (void *)(f->buffer->data + entries_offset(logical));
	f->limit = ext4_node_header(f->entries)->limit;
	f->count = ext4_node_header(f->entries)->count;
	if (f->limit != ext4_node_limit(dir->fs, logical) || !f->count || f->count > f->limit ||
	    (f->buffer->verified != EXT4_KIND_INDEX && dir->fs->checksums &&
	     *sum_of(f) != node_sum(dir, f->buffer, logical, f->count, f->limit))) {
		buffer_put(f->buffer);
		f->buffer = nullptr;
		return ext4_index_damaged(dir);
	}
	f->buffer->verified = EXT4_KIND_INDEX;
	return 0;
}

void ext4_htree_root_sum(struct ext4_inode *dir, struct buffer *buffer)
{
	struct ext4_index_frame f = { .buffer = buffer,
				      .entries = (void *)(buffer->data + EXT4_INDEX_ROOT_ENTRIES) };

	f.count = ext4_node_header(f.entries)->count;
	f.limit = ext4_node_limit(dir->fs, 0);
	if (f.count <= f.limit)
		ext4_frame_sum(dir, &f);
}

/* The last entry whose hash is not above `hash`. */
static u32 frame_search(const struct ext4_index_frame *f, u32 hash)
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

void ext4_probe_end(struct ext4_index_probe *p)
{
	for (u32 i = 0; i < EXT4_INDEX_FRAMES; i++)
		buffer_put(p->frames[i].buffer);
}

/* Reads the root: how deep the tree is, and which hash it goes by. */
static int probe_root(struct ext4_inode *dir, struct ext4_index_probe *p)
{
	const struct ext4 *fs = dir->fs;
	const struct ext4_index_root_info *info;
	u32 levels = fs->incompat & EXT4_INCOMPAT_LARGEDIR ? 2 : 1;
	int result;

	*p = (struct ext4_index_probe){};
	result = read_frame(dir, 0, &p->frames[0]);
	if (result)
		return result;
	info = ext4_probe_root_info(p);
	if (info->hash_version > EXT4_HASH_TEA || (info->unused_flags & 1) ||
	    info->info_length != sizeof(*info) || info->indirect_levels > levels)
		return ext4_index_damaged(dir);
	p->depth = info->indirect_levels;
	p->version = info->hash_version;
	if (fs->hash_version >= EXT4_HASH_LEGACY_UNSIGNED)
		p->version += EXT4_HASH_LEGACY_UNSIGNED;
	return 0;
}

/* From the root to the node that leads to the leaf of `hash`. probe_end in any case. */
static int probe_down(struct ext4_inode *dir, struct ext4_index_probe *p, u32 hash)
{
	for (u32 i = 0; i < p->depth; i++) {
		struct ext4_index_frame *f = &p->frames[i];
		int result;

		f->at = frame_search(f, hash);
		result = read_frame(dir, f->entries[f->at].block & 0x0fffffff, f + 1);
		if (result)
			return result;
		if (!f[1].logical)
			return ext4_index_damaged(dir);
	}
	p->frames[p->depth].at = frame_search(&p->frames[p->depth], hash);
	return 0;
}

int ext4_probe_name(struct ext4_inode *dir, const struct ext4_name *name,
		    struct ext4_index_probe *p)
{
	int result = probe_root(dir, p);

	if (result)
		return result;
	p->hash = ext4_name_hash(dir->fs, p->version, name->text, name->length);
	return probe_down(dir, p, p->hash.major);
}

bool ext4_probe_next_hash(const struct ext4_index_probe *p, u32 *hash)
{
	for (s32 i = (s32)p->depth; i >= 0; i--) {
		const struct ext4_index_frame *f = &p->frames[i];

		if (f->at + 1 < f->count) {
			*hash = f->entries[f->at + 1].hash;
			return true;
		}
	}
	return false;
}

/* Goes to the next leaf. */
static int probe_next(struct ext4_inode *dir, struct ext4_index_probe *p)
{
	u32 level = p->depth;

	while (p->frames[level].at + 1 >= p->frames[level].count)
		level--; /* ext4_probe_next_hash() has found that there is one */
	p->frames[level].at++;
	for (; level < p->depth; level++) {
		struct ext4_index_frame *f = &p->frames[level];
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
	struct ext4_index_probe p;
	int result;

	/* The dots are not in the index. */
	if (name->length == 2 && name->text[0] == '.' && name->text[1] == '.') {
		result = ext4_directory_parent(dir, slot);
		return result ? result : 1;
	}
	result = ext4_probe_name(dir, name, &p);
	while (!result) {
		u32 logical = ext4_probe_leaf(&p);

		result = logical ? ext4_directory_block(dir, logical, &slot->buffer)
				 : ext4_index_damaged(dir);
		if (result)
			break;
		slot->logical = logical;
		result = ext4_block_search(dir, slot->buffer->data, space, name, slot);
		if (result)
			break;
		ext4_slot_put(slot);
		if (!ext4_probe_next_hash(&p, &next) || next != (p.hash.major | 1))
			break;
		result = probe_next(dir, &p);
	}
	if (result < 0)
		ext4_slot_put(slot);
	ext4_probe_end(&p);
	return result;
}

int ext4_htree_leaf(struct ext4_inode *dir, u32 hash, u32 *logical, u32 *next, u32 *version)
{
	struct ext4_index_probe p;
	int result = probe_root(dir, &p);

	if (!result)
		result = probe_down(dir, &p, hash);
	if (!result) {
		*logical = ext4_probe_leaf(&p);
		*version = p.version;
		if (!ext4_probe_next_hash(&p, next))
			*next = UINT32_MAX;
		if (!*logical || *next <= hash)
			result = ext4_index_damaged(dir);
	}
	ext4_probe_end(&p);
	return result;
}
