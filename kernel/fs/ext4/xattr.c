/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended attributes: entries from the front and values from the back of an area. There are two: the rest of the inode in
 * its table, and a block, which several inodes may share (h_refcount; a shared one is copied before it changes).
 *
 * A change makes a new image of an area in memory and puts it in place as a whole. A new value goes into the inode if it
 * fits there, else into the block.
 */
#include <fs/ext4/xattr_priv.h>
#include <lib/crc32c.h>
#include <lib/string.h>
#include <mm/slab.h>

#include <linux/xattr.h>

struct attribute {
	u8 index;
	const char *name;
	u32 name_length;
	const void *value; /* null: to be removed */
	u32 size;
};

static bool area_is_valid(const struct ext4_xattr_area *a)
{
	const struct ext4_xattr_entry *e = (void *)a->first;
	size_t room = (size_t)(a->end - a->base);

	for (;; e = ext4_xattr_next(e)) {
		if ((const char *)e + sizeof(u32) > a->end)
			return false;
		if (ext4_xattr_is_last(e))
			return true;
		if ((const char *)e + sizeof(*e) > a->end ||
		    (const char *)ext4_xattr_next(e) + sizeof(u32) > a->end || e->e_value_inum ||
		    (e->e_value_size && (e->e_value_offs > room || e->e_value_offs % 4 ||
					 e->e_value_size > room - e->e_value_offs)))
			return false;
	}
}

static int order(const struct ext4_xattr_entry *e, const struct attribute *a)
{
	if (e->e_name_index != a->index)
		return e->e_name_index < a->index ? -1 : 1;
	if (e->e_name_len != a->name_length)
		return e->e_name_len < a->name_length ? -1 : 1;
	return memcmp(e->e_name, a->name, a->name_length);
}

static struct ext4_xattr_entry *area_find(const struct ext4_xattr_area *area,
					  const struct attribute *a)
{
	struct ext4_xattr_entry *e = (void *)area->first;

	for (; !ext4_xattr_is_last(e); e = ext4_xattr_next(e))
		if (order(e, a) == 0)
			return e;
	return nullptr;
}

/* --- the two areas --- */

/* The attributes in the inode; false: it has no room for any. */
static bool inode_area(const struct ext4_inode *inode, struct ext4_disk_inode *raw,
		       struct ext4_xattr_area *out)
{
	u32 at = EXT4_GOOD_OLD_INODE_SIZE + inode->extra_size;
	char *p = (char *)raw + at;

	if (inode->fs->inode_size < at + 3 * sizeof(u32) || !inode->extra_size)
		return false;
	*out = (struct ext4_xattr_area){ p + sizeof(u32), p + sizeof(u32),
					 (char *)raw + inode->fs->inode_size, false };
	return true;
}

static bool inode_area_is_used(const struct ext4_xattr_area *area)
{
	u32 magic;

	memcpy(&magic, area->first - sizeof(magic), sizeof(magic));
	return magic == EXT4_XATTR_MAGIC;
}

static u32 block_sum(const struct ext4 *fs, const struct buffer *buffer)
{
	const size_t at = offsetof(struct ext4_xattr_header, h_checksum);
	u64 number = buffer->block;
	static const u32 zero;
	u32 sum = crc32c(fs->checksum_seed, &number, sizeof(number));

	sum = crc32c(sum, buffer->data, at);
	sum = crc32c(sum, &zero, sizeof(zero));
	return crc32c(sum, buffer->data + at + 4, fs->block_size - at - 4);
}

static struct ext4_xattr_area block_area(const struct ext4 *fs, char *data)
{
	return (struct ext4_xattr_area){ data, data + sizeof(struct ext4_xattr_header),
					 data + fs->block_size, true };
}

static int read_block(struct ext4_inode *inode, struct buffer **out)
{
	struct ext4 *fs = inode->fs;
	const struct ext4_xattr_header *header;
	struct ext4_xattr_area area;
	int result = buffer_get(fs->cache, inode->xattr_block, out);

	if (result || (*out)->verified == EXT4_KIND_XATTR)
		return result;
	header = (void *)(*out)->data;
	area = block_area(fs, (*out)->data);
	if (header->h_magic == EXT4_XATTR_MAGIC && header->h_blocks == 1 && header->h_refcount &&
	    header->h_refcount <= EXT4_XATTR_REFCOUNT_MAX &&
	    (!fs->checksums || header->h_checksum == block_sum(fs, *out)) && area_is_valid(&area)) {
		(*out)->verified = EXT4_KIND_XATTR;
		return 0;
	}
	buffer_put(*out);
	return ext4_error(fs, -EUCLEAN, "the attributes of inode %u are damaged", inode->number);
}

ssize_t ext4_xattr_for_each_area(struct ext4_inode *inode,
				 ssize_t (*visit)(struct ext4_inode *inode,
						  const struct ext4_xattr_area *area, void *arg),
				 void *arg)
{
	struct ext4_disk_inode *raw;
	struct buffer *buffer;
	struct ext4_xattr_area area;
	ssize_t result = ext4_inode_raw(inode, &buffer, &raw);

	if (result)
		return result;
	if (inode_area(inode, raw, &area) && inode_area_is_used(&area))
		result = area_is_valid(&area) ? visit(inode, &area, arg)
					      : ext4_error(inode->fs, -EUCLEAN,
							   "the attributes of inode %u are damaged",
							   inode->number);
	buffer_put(buffer);
	if (result || !inode->xattr_block)
		return result;
	result = read_block(inode, &buffer);
	if (result)
		return result;
	area = block_area(inode->fs, buffer->data);
	result = visit(inode, &area, arg);
	buffer_put(buffer);
	return result;
}

/* --- reading --- */

struct get_request {
	struct attribute a;
	void *value;
	size_t size;
};

/* The value's length + 1, since 0 goes on. */
static ssize_t get_visit(struct ext4_inode *inode, const struct ext4_xattr_area *area, void *arg)
{
	struct get_request *r = arg;
	const struct ext4_xattr_entry *e = area_find(area, &r->a);

	if (!e)
		return 0;
	if (r->size) {
		if (e->e_value_size > r->size)
			return -ERANGE;
		memcpy(r->value, area->base + e->e_value_offs, e->e_value_size);
	}
	return (ssize_t)e->e_value_size + 1;
}

ssize_t ext4_xattr_get(struct ext4_inode *inode, u8 index, const char *name, void *value,
		       size_t size)
{
	struct get_request r = { { index, name, (u32)strlen(name), nullptr, 0 }, value, size };
	ssize_t result = ext4_xattr_for_each_area(inode, get_visit, &r);

	return result > 0 ? result - 1 : result ? result : -ENODATA;
}

/* --- hashes of entries and blocks, which e2fsck checks --- */

static u32 entry_hash(const struct attribute *a)
{
	u32 hash = 0, word;

	for (u32 i = 0; i < a->name_length; i++)
		hash = hash << 5 ^ hash >> 27 ^ (u8)a->name[i];
	for (u32 at = 0; at < a->size; at += 4) {
		word = 0;
		memcpy(&word, (const char *)a->value + at, MIN(a->size - at, 4u));
		hash = hash << 16 ^ hash >> 16 ^ word;
	}
	return hash;
}

static u32 block_hash(const struct ext4_xattr_area *area)
{
	const struct ext4_xattr_entry *e = (void *)area->first;
	u32 hash = 0;

	for (; !ext4_xattr_is_last(e); e = ext4_xattr_next(e)) {
		if (!e->e_hash)
			return 0;
		hash = hash << 16 ^ hash >> 16 ^ e->e_hash;
	}
	return hash;
}

/* --- making a new image --- */

struct image {
	struct ext4_xattr_area area;
	char *next;   /* entry */
	char *values; /* the last one written begins here */
};

static int image_add(struct image *image, const struct attribute *a, u32 hash)
{
	u32 entry = (u32)(sizeof(struct ext4_xattr_entry) + a->name_length + 3) & ~3u;
	u32 size = (a->size + 3) & ~3u;
	struct ext4_xattr_entry *e = (void *)image->next;

	/* An empty word ends the entries. */
	if (image->values - image->next < (ssize_t)(entry + size + sizeof(u32)))
		return -ENOSPC;
	image->values -= size;
	*e = (struct ext4_xattr_entry){
		.e_name_len = (u8)a->name_length,
		.e_name_index = a->index,
		.e_value_offs = (u16)(a->size ? image->values - image->area.base : 0),
		.e_value_size = a->size,
		.e_hash = hash,
	};
	memcpy(e->e_name, a->name, a->name_length);
	memcpy(image->values, a->value, a->size);
	image->next += entry;
	return 0;
}

/* Makes in `image` what `area` (null: nothing) is with `a` set, or without it. */
static int image_make(struct image *image, const struct ext4_xattr_area *area,
		      const struct attribute *a)
{
	const struct ext4_xattr_entry *e = area ? (void *)area->first : nullptr;
	bool placed = !a->value;
	int result = 0;

	image->next = image->area.first;
	image->values = image->area.end;
	for (; e && !ext4_xattr_is_last(e) && !result; e = ext4_xattr_next(e)) {
		struct attribute old = { e->e_name_index, e->e_name, e->e_name_len,
					 area->base + e->e_value_offs, e->e_value_size };
		int compared = order(e, a);

		if (!placed && image->area.sorted && compared > 0) {
			result = image_add(image, a, entry_hash(a));
			placed = true;
		}
		if (!result && compared)
			result = image_add(image, &old, e->e_hash);
	}
	if (!result && !placed)
		result = image_add(image, a, entry_hash(a));
	return result;
}

/* --- writing --- */

static void store_block_sum(const struct ext4 *fs, struct buffer *buffer)
{
	struct ext4_xattr_header *header = (void *)buffer->data;

	if (fs->checksums)
		header->h_checksum = block_sum(fs, buffer);
}

/* Lets go of the inode's block, which others may share. */
static int drop_block(struct journal_handle *handle, struct ext4_inode *inode,
		      struct buffer *buffer)
{
	struct ext4 *fs = inode->fs;
	struct ext4_xattr_header *header = (void *)buffer->data;
	int result = journal_change(handle, buffer);

	if (result)
		return result;
	if (header->h_refcount > 1) {
		header->h_refcount--;
		store_block_sum(fs, buffer);
		journal_changed(handle, buffer);
	} else {
		buffer->verified = EXT4_KIND_NONE;
		result = ext4_free_blocks(fs, handle, buffer->block, 1, true);
	}
	inode->sectors -= fs->block_size / SECTOR_SIZE;
	WRITE_ONCE(inode->inode.blocks, inode->sectors);
	inode->xattr_block = 0;
	return result;
}

static int new_block(struct journal_handle *handle, struct ext4_inode *inode, struct buffer **out)
{
	struct ext4 *fs = inode->fs;
	u64 block;
	int result = ext4_allocate_block(fs, handle, ext4_map_goal(inode, 0), &block);

	if (!result)
		result = buffer_get(fs->cache, block, out);
	if (result)
		return result;
	inode->xattr_block = block;
	inode->sectors += fs->block_size / SECTOR_SIZE;
	WRITE_ONCE(inode->inode.blocks, inode->sectors);
	return 0;
}

/* Puts an image of a block in the place of the inode's block `old` (null: none). */
static int write_block(struct journal_handle *handle, struct ext4_inode *inode, struct buffer *old,
		       char *data)
{
	struct ext4_xattr_header *header = (void *)data;
	struct ext4_xattr_area area = block_area(inode->fs, data);
	struct buffer *buffer = old;
	int result = 0;

	if (old && ((struct ext4_xattr_header *)old->data)->h_refcount > 1) {
		result = drop_block(handle, inode, old);
		buffer = nullptr;
	}
	if (!result && !buffer)
		result = new_block(handle, inode, &buffer);
	else if (!result)
		buffer_hold(buffer);
	if (result)
		return result;
	result = journal_change(handle, buffer);
	if (!result) {
		*header = (struct ext4_xattr_header){ .h_magic = EXT4_XATTR_MAGIC,
						      .h_refcount = 1,
						      .h_blocks = 1,
						      .h_hash = block_hash(&area) };
		memcpy(buffer->data, data, inode->fs->block_size);
		store_block_sum(inode->fs, buffer);
		buffer->verified = EXT4_KIND_XATTR;
		journal_changed(handle, buffer);
	}
	buffer_put(buffer);
	return result;
}

/* Everything that a change looks at and makes. */
struct change {
	struct ext4_inode *inode;
	const struct attribute *a;
	struct buffer *table, *block; /* block: null if there is none */
	struct ext4_xattr_area in_inode, in_block;
	bool has_inode_area;
	const struct ext4_xattr_area *inode_old, *block_old; /* null: empty */
	char *data;					     /* block_size bytes for images */
};

static int change_begin(struct change *c, struct ext4_inode *inode, const struct attribute *a)
{
	struct ext4_disk_inode *raw;
	int result = ext4_inode_raw(inode, &c->table, &raw);

	if (result)
		return result;
	c->inode = inode;
	c->a = a;
	c->has_inode_area = inode_area(inode, raw, &c->in_inode);
	if (c->has_inode_area && inode_area_is_used(&c->in_inode)) {
		if (!area_is_valid(&c->in_inode))
			return ext4_error(inode->fs, -EUCLEAN,
					  "the attributes of inode %u are damaged", inode->number);
		c->inode_old = &c->in_inode;
	}
	if (inode->xattr_block) {
		result = read_block(inode, &c->block);
		if (result)
			return result;
		c->in_block = block_area(inode->fs, c->block->data);
		c->block_old = &c->in_block;
	}
	c->data = kmalloc(inode->fs->block_size, 0);
	return c->data ? 0 : -ENOMEM;
}

static void change_end(struct change *c)
{
	kfree(c->data);
	buffer_put(c->block);
	buffer_put(c->table);
}

/* Sets (or with `a` without a value, removes) in the inode. -ENOSPC: no room. */
static int set_in_inode(struct journal_handle *handle, struct change *c, const struct attribute *a)
{
	size_t size = (size_t)(c->in_inode.end - c->in_inode.first);
	struct image image = { .area = { c->data, c->data, c->data + size, false } };
	u32 magic = EXT4_XATTR_MAGIC;
	int result;

	if (!c->has_inode_area)
		return -ENOSPC;
	memset(c->data, 0, size);
	result = image_make(&image, c->inode_old, a);
	if (!result)
		result = journal_change(handle, c->table);
	if (result)
		return result;
	memcpy(c->in_inode.first - sizeof(magic), &magic, sizeof(magic));
	memcpy(c->in_inode.first, c->data, size);
	journal_changed(handle,
			c->table); /* the inode is stored, with its checksum, by the caller */
	c->inode_old = &c->in_inode;
	return 0;
}

static int set_in_block(struct journal_handle *handle, struct change *c, const struct attribute *a)
{
	struct image image = { .area = block_area(c->inode->fs, c->data) };
	int result;

	memset(c->data, 0, c->inode->fs->block_size);
	result = image_make(&image, c->block_old, a);
	if (result)
		return result;
	if (image.next == image.area.first)
		return c->block ? drop_block(handle, c->inode, c->block) : 0;
	return write_block(handle, c->inode, c->block, c->data);
}

static int change_apply(struct journal_handle *handle, struct change *c, int flags)
{
	struct attribute none = { c->a->index, c->a->name, c->a->name_length, nullptr, 0 };
	bool in_inode = c->inode_old && area_find(c->inode_old, c->a);
	bool in_block = c->block_old && area_find(c->block_old, c->a);
	int result;

	if ((flags & XATTR_CREATE) && (in_inode || in_block))
		return -EEXIST;
	if (((flags & XATTR_REPLACE) || !c->a->value) && !in_inode && !in_block)
		return -ENODATA;
	if (!c->a->value) {
		result = in_inode ? set_in_inode(handle, c, &none) : 0;
		return result || !in_block ? result : set_in_block(handle, c, &none);
	}
	result = set_in_inode(handle, c, c->a);
	if (!result)
		return in_block ? set_in_block(handle, c, &none) : 0;
	if (result != -ENOSPC)
		return result;
	result = set_in_block(handle, c, c->a);
	return result || !in_inode ? result : set_in_inode(handle, c, &none);
}

int ext4_xattr_set(struct journal_handle *handle, struct ext4_inode *inode, u8 index,
		   const char *name, const void *value, size_t size, int flags)
{
	struct attribute a = { index, name, (u32)strlen(name), value, (u32)size };
	struct change c = {};
	int result;

	if (a.name_length > 255)
		return -ERANGE;
	if (size > inode->fs->block_size)
		return -ENOSPC;
	result = change_begin(&c, inode, &a);
	if (!result)
		result = change_apply(handle, &c, flags);
	change_end(&c);
	if (result)
		return result;
	inode->inode.changed = inode_time_now();
	return ext4_inode_store(handle, inode);
}

int ext4_xattr_release(struct journal_handle *handle, struct ext4_inode *inode)
{
	struct buffer *buffer;
	int result;

	if (!inode->xattr_block)
		return 0;
	result = read_block(inode, &buffer);
	if (result)
		return result;
	result = drop_block(handle, inode, buffer);
	buffer_put(buffer);
	return result;
}
