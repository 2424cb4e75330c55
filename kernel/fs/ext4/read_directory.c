/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading directories. Where there may be an index, entries come in the order of their hashes, and the position is a hash:
 * a split, which moves entries between blocks, then neither hides nor repeats one. Other directories never move entries,
 * and the position is an offset.
 */
#include <fs/ext4/ext4_priv.h>
#include <lib/sort.h>
#include <lib/string.h>
#include <mm/slab.h>

#include <linux/limits.h>

#define POSITION_FIRST 2u /* 0 and 1 are the dots */
#define SKIPPED_MAX 16	  /* damaged blocks in one call: a directory may claim to have millions */
#define POSITION_END ((u64)INT64_MAX)

static const u8 kinds[] = { 0, 8, 4, 2, 6, 1, 12, 10 }; /* file_type to DT_* */

static unsigned kind_of(u8 type)
{
	return type < ARRAY_SIZE(kinds) ? kinds[type] : 0;
}

static bool is_dots(const struct ext4_directory_entry *e)
{
	return e->name[0] == '.' && (e->name_len == 1 || (e->name_len == 2 && e->name[1] == '.'));
}

/* Entries of one or more blocks, copied, by position. */
struct listed {
	u64 position;
	u32 number;
	u8 type, length;
	u32 name; /* offset in the texts */
};
struct list {
	struct listed *entries;
	char *texts;
	u32 count, capacity, used, size;
};

static void list_free(struct list *list)
{
	kfree(list->entries);
	kfree(list->texts);
}

/* Room for what one more block of `space` bytes may have. */
static int list_grow(struct list *list, u32 space)
{
	u32 capacity = list->count + space / ext4_entry_size(1) + 1, size = list->used + space;
	struct listed *entries = krealloc(list->entries, capacity * sizeof(*entries), 0);
	char *texts;

	if (!entries)
		return -ENOMEM;
	list->entries = entries;
	list->capacity = capacity;
	texts = krealloc(list->texts, size, 0);
	if (!texts)
		return -ENOMEM;
	list->texts = texts;
	list->size = size;
	return 0;
}

static u64 position_of(const struct ext4 *fs, u32 version, const struct ext4_directory_entry *e)
{
	struct ext4_hash hash = ext4_name_hash(fs, version, e->name, e->name_len);

	return ((u64)(hash.major >> 1) << 32 | hash.minor) + POSITION_FIRST;
}

/* Adds the entries of a block from `from` on. */
static int list_block(struct ext4_inode *dir, const char *data, u32 space, u32 version, u64 from,
		      struct list *list)
{
	int result = list_grow(list, space);
	u32 offset = 0;

	while (offset < space && !result) {
		const struct ext4_directory_entry *e = (const void *)(data + offset);
		u64 position;

		if (!ext4_entry_is_valid(dir->fs, data, space, offset))
			return ext4_error(dir->fs, -EUCLEAN, "directory %u has a damaged entry",
					  dir->number);
		offset += e->rec_len;
		if (!e->inode || !e->name_len || is_dots(e))
			continue;
		position = position_of(dir->fs, version, e);
		if (position < from)
			continue;
		memcpy(list->texts + list->used, e->name, e->name_len);
		list->entries[list->count++] = (struct listed){ position, e->inode, e->file_type,
								e->name_len, list->used };
		list->used += e->name_len;
	}
	return result;
}

static int compare(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	if (x->position != y->position)
		return x->position < y->position ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

/* Hands the list out; false: the reader's buffer is full. */
static bool emit(struct file *file, struct directory_context *ctx, struct list *list)
{
	u64 begin = file->offset;
	bool some = false;

	sort(list->entries, list->count, sizeof(*list->entries), compare);
	for (u32 i = 0; i < list->count; i++) {
		const struct listed *e = &list->entries[i];
		bool twin = i + 1 < list->count && e[1].position == e->position;

		/* Names with the same hash share a position; better one comes twice than never. */
		if (!ctx->emit(ctx, list->texts + e->name, e->length, e->number, kind_of(e->type),
			       e->position + !twin)) {
			/* More twins than a buffer holds, as only damage makes them: what follows must not wait for ever. */
			if (some && file->offset == begin)
				file->offset++;
			return false;
		}
		some = true;
		file->offset = e->position + !twin;
	}
	return true;
}

/* The blocks with the names of `hash`: more than one if the last hash of a block goes on in the next. */
static int list_leaves(struct ext4_inode *dir, u32 *hash, u64 from, struct list *list)
{
	do {
		u32 logical, version;
		struct buffer *buffer;
		int result = ext4_htree_leaf(dir, *hash, &logical, hash, &version);

		if (!result)
			result = ext4_directory_block(dir, logical, &buffer);
		if (result)
			return result;
		result = list_block(dir, buffer->data, ext4_directory_space(dir->fs), version, from,
				    list);
		buffer_put(buffer);
		if (result)
			return result;
	} while (*hash != UINT32_MAX && (*hash & 1));
	return 0;
}

static int read_indexed(struct file *file, struct directory_context *ctx, struct ext4_inode *dir)
{
	u32 hash = (u32)((file->offset - POSITION_FIRST) >> 32) << 1;
	bool more = true;
	int result = 0;

	while (more && hash != UINT32_MAX && !result) {
		struct list list = {};

		result = list_leaves(dir, &hash, file->offset, &list);
		if (!result)
			more = emit(file, ctx, &list);
		list_free(&list);
	}
	if (!result && more)
		file->offset = POSITION_END;
	return result;
}

/* A directory of one block, or of none: in the order of hashes as well, for it may grow an index. */
static int read_small(struct file *file, struct directory_context *ctx, struct ext4_inode *dir)
{
	const struct ext4 *fs = dir->fs;
	u32 size = (u32)dir->inode.size, first = sizeof(dir->block);
	struct buffer *buffer = nullptr;
	struct list list = {};
	int result = 0;

	if (!(dir->flags & EXT4_FL_INLINE_DATA)) {
		result = ext4_directory_block(dir, 0, &buffer);
		if (!result)
			result = list_block(dir, buffer->data, ext4_directory_space(fs),
					    fs->hash_version, file->offset, &list);
	} else if (size > sizeof(u32)) {
		result = list_block(dir, dir->inline_data + sizeof(u32),
				    MIN(size, first) - (u32)sizeof(u32), fs->hash_version,
				    file->offset, &list);
		if (!result && size > first)
			result = list_block(dir, dir->inline_data + first, size - first,
					    fs->hash_version, file->offset, &list);
	}
	if (!result && emit(file, ctx, &list))
		file->offset = POSITION_END;
	list_free(&list);
	buffer_put(buffer);
	return result;
}

/* One block of a directory without an index. 1: the reader's buffer is full. */
static int read_block(struct file *file, struct directory_context *ctx, struct ext4_inode *dir,
		      char *data, u64 base)
{
	u32 space = ext4_directory_space(dir->fs), offset = 0;

	while (offset < space) {
		const struct ext4_directory_entry *e = (void *)(data + offset);
		u64 next;

		if (!ext4_entry_is_valid(dir->fs, data, space, offset))
			return ext4_error(dir->fs, -EUCLEAN, "directory %u has a damaged entry",
					  dir->number);
		next = base + offset + e->rec_len;
		if (base + offset >= file->offset - POSITION_FIRST) {
			if (e->inode && e->name_len && !is_dots(e) &&
			    !ctx->emit(ctx, e->name, e->name_len, e->inode, kind_of(e->file_type),
				       next + POSITION_FIRST))
				return 1;
			file->offset = next + POSITION_FIRST;
		}
		offset += e->rec_len;
	}
	return 0;
}

static int read_linear(struct file *file, struct directory_context *ctx, struct ext4_inode *dir)
{
	const struct ext4 *fs = dir->fs;
	u32 blocks = (u32)(dir->inode.size >> fs->block_bits);
	u64 first = (file->offset - POSITION_FIRST) >> fs->block_bits;
	int result = 0, skipped = 0;

	for (u32 n = (u32)MIN(first, (u64)blocks); n < blocks && !result; n++) {
		struct buffer *buffer = nullptr;

		result = ext4_directory_block(dir, n, &buffer);
		if (!result && !ext4_index_is_node(dir, n, buffer))
			result = read_block(file, ctx, dir, buffer->data, (u64)n << fs->block_bits);
		buffer_put(buffer);
		/* The names after a damaged block are worth more than the end of the listing. */
		if (result == -EUCLEAN || result == -EBADMSG) {
			file->offset = ((u64)(n + 1) << fs->block_bits) + POSITION_FIRST;
			result = ++skipped < SKIPPED_MAX ? 0 : result;
		}
	}
	return MIN(result, 0);
}

int ext4_read_directory(struct file *file, struct directory_context *ctx)
{
	struct ext4_inode *dir = ext4_inode_of(file->inode);

	if (!directory_emit_dots(file, ctx) || file->offset >= POSITION_END)
		return 0;
	file_accessed(file);
	if (ext4_directory_is_indexed(dir) && !(dir->flags & EXT4_FL_INLINE_DATA))
		return read_indexed(file, ctx, dir);
	if ((dir->flags & EXT4_FL_INLINE_DATA) ||
	    ((dir->fs->compat & EXT4_COMPAT_DIR_INDEX) && dir->inode.size == dir->fs->block_size))
		return read_small(file, ctx, dir);
	return read_linear(file, ctx, dir);
}
