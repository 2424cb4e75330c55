/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories: blocks of entries that follow each other by their lengths. A block is a list; an index over the blocks, if
 * there is one, is htree.c's.
 *
 * (D1) Every entry is checked when it is stepped on: it lies in the block, its name lies in it. So a damaged block ends
 *      a search with an error, and nothing else.
 * (D2) Entries of a block never move but in a split, and a split moves whole hashes (htree.c).
 */
#include <fs/ext4/ext4_priv.h>
#include <lib/crc32c.h>
#include <lib/string.h>

u32 ext4_directory_space(const struct ext4 *fs)
{
	return fs->block_size - (fs->checksums ? (u32)sizeof(struct ext4_directory_tail) : 0);
}

u32 ext4_entry_size(u32 name_length)
{
	return (u32)(sizeof(struct ext4_directory_entry) + name_length + 3) & ~3u;
}

u8 ext4_type_of_mode(u32 mode)
{
	static const u8 types[16] = { [S_IFREG >> 12] = 1, [S_IFDIR >> 12] = 2,
				      [S_IFCHR >> 12] = 3, [S_IFBLK >> 12] = 4,
				      [S_IFIFO >> 12] = 5, [S_IFSOCK >> 12] = 6,
				      [S_IFLNK >> 12] = 7 };

	return types[mode >> 12 & 15];
}

/* --- blocks --- */

static struct ext4_directory_tail *tail_of(const struct ext4 *fs, const struct buffer *buffer)
{
	return (void *)(buffer->data + ext4_directory_space(fs));
}

static u32 block_sum(const struct ext4_inode *dir, const struct buffer *buffer)
{
	return crc32c(dir->checksum_seed, buffer->data, ext4_directory_space(dir->fs));
}

void ext4_directory_sum(struct ext4_inode *dir, struct buffer *buffer)
{
	if (dir->fs->checksums)
		tail_of(dir->fs, buffer)->det_checksum = block_sum(dir, buffer);
}

void ext4_directory_make_tail(struct ext4_inode *dir, struct buffer *buffer)
{
	if (dir->fs->checksums)
		*tail_of(dir->fs, buffer) = (struct ext4_directory_tail){
			.det_rec_len = sizeof(struct ext4_directory_tail),
			.det_reserved_ft = EXT4_DIRECTORY_TAIL_TYPE,
		};
}

static bool sum_fits(const struct ext4_inode *dir, const struct buffer *buffer)
{
	const struct ext4_directory_tail *tail = tail_of(dir->fs, buffer);

	return !dir->fs->checksums ||
	       (!tail->det_reserved_zero1 && tail->det_rec_len == sizeof(*tail) &&
		!tail->det_reserved_zero2 && tail->det_reserved_ft == EXT4_DIRECTORY_TAIL_TYPE &&
		tail->det_checksum == block_sum(dir, buffer));
}

static int damaged(struct ext4_inode *dir, u32 logical, int error)
{
	return ext4_error(dir->fs, error, "block %u of directory %u is damaged", logical,
			  dir->number);
}

int ext4_directory_block(struct ext4_inode *dir, u32 logical, struct buffer **out)
{
	struct ext4 *fs = dir->fs;
	struct buffer *buffer;
	u64 block;
	int result = ext4_map_block(dir, logical, &block);

	if (!result && !block)
		result = damaged(dir, logical, -EUCLEAN);
	if (!result)
		result = buffer_get(fs->cache, block, &buffer);
	if (result)
		return result;
	if (buffer->verified != EXT4_KIND_DIRECTORY && !ext4_index_is_node(dir, logical, buffer)) {
		if (!sum_fits(dir, buffer)) {
			buffer_put(buffer);
			return damaged(dir, logical, -EBADMSG);
		}
		buffer->verified = EXT4_KIND_DIRECTORY;
	}
	*out = buffer;
	return 0;
}

int ext4_directory_append(struct journal_handle *handle, struct ext4_inode *dir, u32 *logical,
			  struct buffer **out)
{
	struct ext4 *fs = dir->fs;
	struct ext4_map map = { .count = 1 };
	int result;

	*out = nullptr;
	if (dir->inode.size >> fs->block_bits >= EXT4_BLOCK_LIMIT - 1)
		return -ENOSPC;
	map.logical = (u32)(dir->inode.size >> fs->block_bits);
	write_lock(&dir->map_lock);
	result = ext4_allocate_block(fs, handle, ext4_map_goal(dir, map.logical), &map.block);
	if (!result)
		result = ext4_map_insert(handle, dir, &map);
	write_unlock(&dir->map_lock);
	if (!result)
		result = buffer_get(fs->cache, map.block, out);
	if (!result)
		result = journal_change(handle, *out);
	if (result) {
		buffer_put(*out);
		return result;
	}
	memset((*out)->data, 0, fs->block_size);
	((struct ext4_directory_entry *)(*out)->data)->rec_len = (u16)ext4_directory_space(fs);
	ext4_directory_make_tail(dir, *out);
	(*out)->verified = EXT4_KIND_DIRECTORY;
	dir->inode.size += fs->block_size;
	dir->disk_size = dir->inode.size;
	*logical = map.logical;
	return 0;
}

/* --- entries --- */

static struct ext4_directory_entry *entry_at(char *data, u32 offset)
{
	return (struct ext4_directory_entry *)(data + offset);
}

bool ext4_entry_is_valid(const struct ext4 *fs, const char *data, u32 space, u32 offset)
{
	const struct ext4_directory_entry *e = (const void *)(data + offset);

	if (space - offset < ext4_entry_size(1))
		return false;
	return e->rec_len >= ext4_entry_size(1) && e->rec_len % 4 == 0 &&
	       e->rec_len <= space - offset && ext4_entry_size(e->name_len) <= e->rec_len &&
	       e->inode <= fs->inodes;
}

/* Where the entries of a block end: inline data and blocks of others have no tail. */
int ext4_block_search(struct ext4_inode *dir, char *data, u32 space, const struct ext4_name *name,
		      struct ext4_slot *slot)
{
	u32 offset = 0, previous = UINT32_MAX;

	while (offset < space) {
		const struct ext4_directory_entry *e = entry_at(data, offset);

		if (!ext4_entry_is_valid(dir->fs, data, space, offset))
			return ext4_error(dir->fs, -EUCLEAN, "directory %u has a damaged entry",
					  dir->number);
		if (e->inode && e->name_len == name->length &&
		    memcmp(e->name, name->text, name->length) == 0) {
			slot->offset = offset;
			slot->previous = previous;
			slot->number = e->inode;
			slot->type = e->file_type;
			return 1;
		}
		previous = offset;
		offset += e->rec_len;
	}
	return 0;
}

static void write_entry(const struct ext4 *fs, struct ext4_directory_entry *e, u32 length,
			const struct ext4_name *name, u32 number, u8 type)
{
	e->inode = number;
	e->rec_len = (u16)length;
	e->name_len = (u8)name->length;
	e->file_type = fs->incompat & EXT4_INCOMPAT_FILETYPE ? type : 0;
	memcpy(e->name, name->text, name->length);
}

int ext4_block_add(struct ext4_inode *dir, char *data, u32 space, const struct ext4_name *name,
		   u32 number, u8 type)
{
	u32 need = ext4_entry_size(name->length), offset = 0;

	while (offset < space) {
		struct ext4_directory_entry *e = entry_at(data, offset);
		u32 used, length;

		if (!ext4_entry_is_valid(dir->fs, data, space, offset))
			return ext4_error(dir->fs, -EUCLEAN, "directory %u has a damaged entry",
					  dir->number);
		used = e->inode ? ext4_entry_size(e->name_len) : 0;
		length = e->rec_len;
		if (length - used >= need) {
			if (used) {
				e->rec_len = (u16)used;
				e = entry_at(data, offset + used);
			}
			write_entry(dir->fs, e, length - used, name, number, type);
			return 0;
		}
		offset += length;
	}
	return -ENOSPC;
}

void ext4_slot_put(struct ext4_slot *slot)
{
	buffer_put(slot->buffer);
	slot->buffer = nullptr;
}

/* --- directories without an index --- */

/* Inline entries are in two places: behind the parent's number in i_block, and in an attribute. */
static int inline_search(struct ext4_inode *dir, const struct ext4_name *name,
			 struct ext4_slot *slot)
{
	u32 size = (u32)dir->inode.size, first = sizeof(dir->block);
	int result = 0;

	if (size > sizeof(u32))
		result = ext4_block_search(dir, dir->inline_data + sizeof(u32),
					   MIN(size, first) - (u32)sizeof(u32), name, slot);
	if (!result && size > first)
		result = ext4_block_search(dir, dir->inline_data + first, size - first, name, slot);
	return result;
}

static u32 block_count(const struct ext4_inode *dir)
{
	return (u32)(dir->inode.size >> dir->fs->block_bits);
}

static int linear_find(struct ext4_inode *dir, const struct ext4_name *name, struct ext4_slot *slot)
{
	u32 space = ext4_directory_space(dir->fs);

	for (u32 n = 0; n < block_count(dir); n++) {
		struct buffer *buffer;
		int result = ext4_directory_block(dir, n, &buffer);

		if (result)
			return result;
		/* An index node looks like a block without entries that has no tail. */
		result = ext4_index_is_node(dir, n, buffer)
				 ? 0
				 : ext4_block_search(dir, buffer->data, space, name, slot);
		if (result > 0) {
			slot->buffer = buffer;
			slot->logical = n;
			return 1;
		}
		buffer_put(buffer);
		if (result)
			return result;
	}
	return 0;
}

int ext4_directory_find(struct ext4_inode *dir, const struct ext4_name *name,
			struct ext4_slot *slot)
{
	*slot = (struct ext4_slot){};
	if (dir->flags & EXT4_FL_INLINE_DATA)
		return inline_search(dir, name, slot);
	return ext4_directory_is_indexed(dir) ? ext4_htree_find(dir, name, slot)
					      : linear_find(dir, name, slot);
}

/* Tries the blocks one after the other. -ENOSPC: all are full. */
static int linear_add(struct journal_handle *handle, struct ext4_inode *dir,
		      const struct ext4_name *name, u32 number, u8 type)
{
	u32 space = ext4_directory_space(dir->fs);
	int result = -ENOSPC;

	for (u32 n = 0; n < block_count(dir) && result == -ENOSPC; n++) {
		struct buffer *buffer;

		result = ext4_directory_block(dir, n, &buffer);
		if (result)
			return result;
		result = journal_change(handle, buffer);
		if (!result)
			result = ext4_block_add(dir, buffer->data, space, name, number, type);
		if (!result) {
			ext4_directory_sum(dir, buffer);
			journal_changed(handle, buffer);
		}
		buffer_put(buffer);
	}
	return result;
}

int ext4_directory_add(struct journal_handle *handle, struct ext4_inode *dir,
		       const struct ext4_name *name, struct ext4_inode *inode)
{
	u8 type = ext4_type_of_mode(inode->inode.mode);
	struct buffer *buffer;
	u32 logical;
	int result = 0;

	if (dir->flags & EXT4_FL_INLINE_DATA)
		result = ext4_inline_to_blocks(handle, dir);
	if (result)
		return result;
	if (ext4_directory_is_indexed(dir))
		return ext4_htree_add(handle, dir, name, inode);
	result = linear_add(handle, dir, name, inode->number, type);
	if (result != -ENOSPC)
		return result;
	if (block_count(dir) == 1 && (dir->fs->compat & EXT4_COMPAT_DIR_INDEX))
		return ext4_htree_make(handle, dir, name, inode);
	result = ext4_directory_append(handle, dir, &logical, &buffer);
	if (result)
		return result;
	result = ext4_block_add(dir, buffer->data, ext4_directory_space(dir->fs), name,
				inode->number, type);
	ext4_directory_sum(dir, buffer);
	journal_changed(handle, buffer);
	buffer_put(buffer);
	return result;
}

/* The slot may be of inline data, which are blocks from now on. */
static int slot_to_blocks(struct journal_handle *handle, struct ext4_inode *dir,
			  struct ext4_slot *slot, const struct ext4_name *name)
{
	int result;

	if (slot->buffer)
		return 0;
	result = ext4_inline_to_blocks(handle, dir);
	if (!result)
		result = ext4_directory_find(dir, name, slot);
	return result > 0 ? 0 : result ? result : -ENOENT;
}

int ext4_directory_delete(struct journal_handle *handle, struct ext4_inode *dir,
			  struct ext4_slot *slot)
{
	struct ext4_directory_entry *e, *before;
	int result = journal_change(handle, slot->buffer);

	if (result)
		return result;
	e = entry_at(slot->buffer->data, slot->offset);
	if (slot->previous != UINT32_MAX) {
		before = entry_at(slot->buffer->data, slot->previous);
		before->rec_len = (u16)(before->rec_len + e->rec_len);
	} else {
		e->inode = 0;
	}
	ext4_directory_sum(dir, slot->buffer);
	journal_changed(handle, slot->buffer);
	return 0;
}

int ext4_directory_set(struct journal_handle *handle, struct ext4_inode *dir,
		       struct ext4_slot *slot, struct ext4_inode *inode)
{
	struct ext4_directory_entry *e;
	int result = journal_change(handle, slot->buffer);

	if (result)
		return result;
	e = entry_at(slot->buffer->data, slot->offset);
	e->inode = inode->number;
	if (dir->fs->incompat & EXT4_INCOMPAT_FILETYPE)
		e->file_type = ext4_type_of_mode(inode->inode.mode);
	if (ext4_directory_is_indexed(dir) && !slot->logical)
		ext4_htree_root_sum(dir, slot->buffer);
	else
		ext4_directory_sum(dir, slot->buffer);
	journal_changed(handle, slot->buffer);
	return 0;
}

int ext4_directory_open(struct journal_handle *handle, struct ext4_inode *dir,
			const struct ext4_name *name, struct ext4_slot *slot)
{
	int result = ext4_directory_find(dir, name, slot);

	if (result <= 0)
		return result ? result : -ENOENT;
	return slot_to_blocks(handle, dir, slot, name);
}

/* --- whole directories --- */

int ext4_directory_make(struct journal_handle *handle, struct ext4_inode *dir, u32 parent)
{
	u32 space = ext4_directory_space(dir->fs), logical, dot = ext4_entry_size(1);
	struct buffer *buffer;
	int result = ext4_directory_append(handle, dir, &logical, &buffer);

	if (result)
		return result;
	write_entry(dir->fs, entry_at(buffer->data, 0), dot, &(struct ext4_name){ ".", 1 },
		    dir->number, 2);
	write_entry(dir->fs, entry_at(buffer->data, dot), space - dot,
		    &(struct ext4_name){ "..", 2 }, parent, 2);
	ext4_directory_sum(dir, buffer);
	journal_changed(handle, buffer);
	buffer_put(buffer);
	return 0;
}

static bool is_dots(const struct ext4_directory_entry *e)
{
	return (e->name_len == 1 && e->name[0] == '.') ||
	       (e->name_len == 2 && e->name[0] == '.' && e->name[1] == '.');
}

/* 1: no entries but dots. */
static int block_is_empty(struct ext4_inode *dir, char *data, u32 space)
{
	u32 offset = 0;

	while (offset < space) {
		const struct ext4_directory_entry *e = entry_at(data, offset);

		if (!ext4_entry_is_valid(dir->fs, data, space, offset))
			return ext4_error(dir->fs, -EUCLEAN, "directory %u has a damaged entry",
					  dir->number);
		if (e->inode && !is_dots(e))
			return 0;
		offset += e->rec_len;
	}
	return 1;
}

int ext4_directory_is_empty(struct ext4_inode *dir)
{
	u32 space = ext4_directory_space(dir->fs), first = sizeof(dir->block);
	u32 size = (u32)dir->inode.size;
	int result = 1;

	if (dir->flags & EXT4_FL_INLINE_DATA) {
		if (size > sizeof(u32))
			result = block_is_empty(dir, dir->inline_data + sizeof(u32),
						MIN(size, first) - (u32)sizeof(u32));
		if (result == 1 && size > first)
			result = block_is_empty(dir, dir->inline_data + first, size - first);
		return result;
	}
	for (u32 n = 0; n < block_count(dir) && result == 1; n++) {
		struct buffer *buffer;

		result = ext4_directory_block(dir, n, &buffer);
		if (result)
			return result;
		result = ext4_index_is_node(dir, n, buffer)
				 ? 1
				 : block_is_empty(dir, buffer->data, space);
		buffer_put(buffer);
	}
	return result;
}

int ext4_directory_parent(struct ext4_inode *dir, struct ext4_slot *slot)
{
	struct buffer *buffer;
	int result;

	*slot = (struct ext4_slot){};
	result = ext4_directory_block(dir, 0, &buffer);
	if (result)
		return result;
	/* In an index ".." is where it always is, but its length reaches over the root of the index. */
	slot->offset = ext4_entry_size(1);
	slot->previous = 0;
	slot->buffer = buffer;
	if (!ext4_entry_is_valid(dir->fs, buffer->data, dir->fs->block_size, 0) ||
	    !ext4_entry_is_valid(dir->fs, buffer->data, dir->fs->block_size, slot->offset) ||
	    entry_at(buffer->data, slot->offset)->name_len != 2) {
		ext4_slot_put(slot);
		return damaged(dir, 0, -EUCLEAN);
	}
	slot->number = entry_at(buffer->data, slot->offset)->inode;
	return 0;
}
