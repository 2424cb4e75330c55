/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Regular files: reading and writing, sizes, fsync(2). */
#include <fs/ext4/ext4_priv.h>
#include <mm/aspace.h>
#include <mm/slab.h>

#include <linux/fcntl.h>
#include <linux/fs.h>

static int open_file(struct inode *v, struct file *file)
{
	struct ext4_inode *inode = ext4_inode_of(v);
	bool writes = (file->flags & O_ACCMODE) != O_RDONLY;

	if (writes && (inode->flags & EXT4_FL_IMMUTABLE))
		return -EPERM;
	if (writes && (inode->flags & EXT4_FL_APPEND) &&
	    (!(file->flags & O_APPEND) || (file->flags & O_TRUNC)))
		return -EPERM;
	file->mode |= FILE_MODE_DIRECT;
	return 0;
}

/* --- reading and writing --- */

static bool is_direct(const struct file *file)
{
	return file->flags & O_DIRECT;
}

static ssize_t read_file(struct file *file, struct iter *it, u64 *offset)
{
	struct inode *v = file->inode;
	ssize_t n;

	/* Under the lock, because a write makes the file longer before it fills in what it has. */
	read_lock(&v->lock);
	n = is_direct(file) ? ext4_direct_read(ext4_inode_of(v), it, *offset)
			    : memory_object_read_ahead(v->object, *offset, it, &file->read_ahead);
	read_unlock(&v->lock);
	if (n > 0)
		*offset += (u64)n;
	file_accessed(file);
	return n;
}

/* The bytes of the last block behind the end must be zeros before the file grows over them. */
static int zero_tail(struct ext4_inode *inode)
{
	u64 size = inode->inode.size;
	struct page *page;
	int result;

	if (!(size & (PAGE_SIZE - 1)))
		return 0;
	result = memory_object_get_page(&inode->object, size >> PAGE_SHIFT, true, &page);
	if (result)
		return result;
	result = memory_object_dirty_page(&inode->object, page);
	page_put(page);
	return result;
}

static void grow(struct ext4_inode *inode, u64 size)
{
	memory_object_truncate(&inode->object, size);
	WRITE_ONCE(inode->inode.size, size);
}

static ssize_t write_locked(struct file *file, struct iter *it, u64 offset)
	__must_hold(&file->inode->lock)
{
	struct ext4_inode *inode = ext4_inode_of(file->inode);
	u64 former = inode->inode.size, end = offset + it->remaining;
	ssize_t n = ext4_inline_convert(inode);

	if (!n && is_direct(file) && !ext4_direct_is_aligned(inode, it, offset))
		n = -EINVAL;
	if (!n && offset > former)
		n = zero_tail(inode);
	if (n)
		return n;
	file_modified(file);
	if (is_direct(file) && ext4_direct_fits(inode, it, offset)) {
		n = ext4_direct_write(inode, it, offset);
		if (n > 0 && offset + (u64)n > former)
			grow(inode, offset + (u64)n);
		return n;
	}
	if (end > former)
		grow(inode, end);
	n = memory_object_write(&inode->object, offset, it);
	end = offset + (n > 0 ? (u64)n : 0);
	if (inode->inode.size > MAX(end, former))
		grow(inode, MAX(end, former));
	return n;
}

/* O_SYNC, O_DSYNC, and O_DIRECT through the cache: the write is on the disk when it returns. */
static int write_through(struct file *file, u64 offset, u64 n)
{
	bool sync = file->flags & (O_DSYNC | O_SYNC);
	int result = 0;

	if (sync)
		result = ext4_sync_file(file, !(file->flags & __O_SYNC), offset, offset + n);
	else if (is_direct(file))
		result = memory_object_sync(file->inode->object, offset, offset + n);
	return result;
}

static ssize_t write_file(struct file *file, struct iter *it, u64 *offset)
{
	struct ext4_inode *inode = ext4_inode_of(file->inode);
	size_t all = it->remaining;
	ssize_t n = ext4_inode_is_writable(inode);
	int result;

	if (n)
		return n;
	write_lock(&file->inode->lock);
	n = file_write_checks(file, it, offset);
	if (n > 0) {
		it->remaining = (size_t)n;
		n = write_locked(file, it, *offset);
		it->remaining = all - (n > 0 ? (size_t)n : 0);
	}
	write_unlock(&file->inode->lock);
	if (n <= 0)
		return n;
	result = write_through(file, *offset, (u64)n);
	*offset += (u64)n;
	return result ? result : n;
}

/* --- sizes --- */

static int shrink(struct ext4_inode *inode, u64 size)
{
	struct ext4 *fs = inode->fs;
	u64 keep = DIV_ROUND_UP(size, fs->block_size);
	struct journal_handle handle;
	s64 promised = 0;
	int result = ext4_begin(fs, 8, &handle);

	if (result)
		return result;
	write_lock(&inode->map_lock);
	inode->disk_size = MIN(inode->disk_size, size);
	write_unlock(&inode->map_lock);
	WRITE_ONCE(inode->inode.size, size);
	result = ext4_orphan_add(&handle, inode);
	if (!result)
		result = ext4_inode_store(&handle, inode);
	journal_end(&handle);
	memory_object_truncate(&inode->object, size);
	if (keep < EXT4_BLOCK_LIMIT) {
		write_lock(&inode->map_lock);
		promised = ext4_delayed_remove(inode, (u32)keep, EXT4_BLOCK_LIMIT - 1);
		write_unlock(&inode->map_lock);
		if (promised > 0)
			ext4_unreserve(fs, (u32)promised);
		if (!result)
			result = ext4_remove_blocks(inode, (u32)keep, EXT4_BLOCK_LIMIT - 1);
	}
	if (!result && inode->inode.links) {
		result = ext4_begin(fs, 8, &handle);
		if (result)
			return result;
		result = ext4_orphan_remove(&handle, inode);
		journal_end(&handle);
	}
	return result;
}

/* Under inode->lock. */
int ext4_set_size(struct ext4_inode *inode, u64 size)
{
	u64 former = inode->inode.size;
	int result = ext4_inline_convert(inode);

	if (result)
		return result;
	if (size > ext4_max_size(inode->fs, ext4_has_extents(inode)))
		return -EFBIG;
	if (size < former) {
		inode->replaced = !size;
		return shrink(inode, size);
	}
	if (size == former) {
		/* Blocks that fallocate put behind the end go with any truncate(2). */
		return size ? 0 : shrink(inode, 0);
	}
	result = zero_tail(inode);
	if (result)
		return result;
	grow(inode, size);
	write_lock(&inode->map_lock);
	inode->disk_size =
		size; /* stored by the caller; (E3) a hole up to there is what was asked for */
	write_unlock(&inode->map_lock);
	return 0;
}

static int truncate_file(struct file *file, u64 size)
{
	return inode_truncate(file->inode, size);
}

/* --- fsync --- */

/* All that was dirty has been written: the size on the disk follows. */
static int settle(struct ext4_inode *inode, u64 size)
{
	bool behind;

	write_lock(&inode->map_lock);
	size = MIN(size, inode->inode.size);
	behind = size > inode->disk_size;
	if (behind)
		inode->disk_size = size;
	write_unlock(&inode->map_lock);
	return ext4_inode_flush(inode);
}

int ext4_sync_file(struct file *file, bool data_only, u64 start, u64 end)
{
	struct ext4_inode *inode = ext4_inode_of(file->inode);
	struct ext4 *fs = inode->fs;
	u64 size = READ_ONCE(inode->inode.size);
	int result = 0, other;

	if (!fs->writable)
		return READ_ONCE(fs->failed) ? -EIO : 0;
	if (S_ISREG(inode->inode.mode)) {
		result = memory_object_sync(&inode->object, start, end ? end : INT64_MAX);
		other = settle(inode, size);
		result = result ?: other;
		other = write_error_check(&inode->object.error_state, &file->write_error_seen);
		result = result ?: other;
	} else {
		result = ext4_inode_flush(inode);
	}
	other = ext4_commit(fs, READ_ONCE(inode->sync_tid));
	return result ?: other;
}

/* A file that was cut to nothing and written anew is likely to be somebody's only copy. */
static void closed(struct file *file)
{
	struct ext4_inode *inode = ext4_inode_of(file->inode);

	if (inode->replaced && (file->mode & FILE_MODE_WRITE)) {
		inode->replaced = false;
		(void)memory_object_write_start(&inode->object, 0, INT64_MAX, false);
	}
}

void ext4_object_cleaned(struct memory_object *object)
{
	struct ext4_inode *inode = container_of(object, struct ext4_inode, object);

	if (inode->inode.links && inode->fs->writable && !READ_ONCE(inode->fs->failed))
		(void)settle(inode, READ_ONCE(inode->inode.size));
	inode_put(&inode->inode);
}

/* --- other operations --- */

static int map_file(struct file *file, struct map_request *req)
{
	req->object = file->inode->object;
	file_accessed(file);
	return 0;
}

/* SEEK_DATA and SEEK_HOLE; what was written in memory only is data as well. */
static s64 seek_hole_or_data(struct ext4_inode *inode, u64 offset, int whence)
{
	u64 size = READ_ONCE(inode->inode.size);
	u32 bits = inode->fs->block_bits;

	if (offset >= size)
		return -ENXIO;
	if (inode->flags & EXT4_FL_INLINE_DATA)
		return (s64)(whence == SEEK_DATA ? offset : size);
	read_guard(&inode->map_lock);
	for (u64 at = offset; at < size;) {
		u32 logical = (u32)(at >> bits), run;
		struct ext4_map map;
		bool data = ext4_delayed_has(inode, logical, &run);

		if (!data) {
			int result = ext4_map_find(inode, logical, &map);

			if (result)
				return result;
			data = map.block && !map.unwritten;
			run = MIN(run, map.count);
		}
		if (data == (whence == SEEK_DATA))
			return (s64)at;
		at = ((u64)logical + run) << bits;
	}
	return whence == SEEK_DATA ? -ENXIO : (s64)size;
}

static s64 seek_file(struct file *file, s64 offset, int whence)
{
	s64 target;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return file_seek_generic(file, offset, whence);
	if (offset < 0)
		return -ENXIO;
	target = seek_hole_or_data(ext4_inode_of(file->inode), (u64)offset, whence);
	return target < 0 ? target : file_seek_generic(file, target, SEEK_SET);
}

const struct inode_ops ext4_file_inode_ops = {
	.open = open_file,
	.set_acl = ext4_set_acl,
	EXT4_ATTRIBUTE_OPS,
};

const struct file_ops ext4_file_ops = {
	FILE_OPS_DEFAULTS,	   .read = read_file,	      .write = write_file,
	.seek = seek_file,	   .map = map_file,	      .sync = ext4_sync_file,
	.truncate = truncate_file, .allocate = ext4_allocate, .ioctl = ext4_ioctl,
	.closed = closed,
};
