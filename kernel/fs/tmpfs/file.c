/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tmpfs regular files: contents, sizes, holes. */
#include <fs/tmpfs/tmpfs_priv.h>
#include <lib/errno.h>
#include <mm/aspace.h>
#include <mm/iter.h>
#include <proc/task.h>

#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/mman.h>

static int charge(struct memory_object *object, s64 pages)
{
	struct tmpfs *fs = container_of(object, struct tmpfs_inode, object)->fs;
	u64 used = __atomic_add_fetch(&fs->pages_used, (u64)pages, __ATOMIC_RELAXED);

	if (pages <= 0 || !fs->pages_max || used <= fs->pages_max)
		return 0;
	__atomic_fetch_sub(&fs->pages_used, (u64)pages, __ATOMIC_RELAXED);
	return -ENOSPC;
}

static void destroy_object(struct memory_object *object)
{
	tmpfs_inode_free_memory(container_of(object, struct tmpfs_inode, object));
}

const struct memory_object_ops tmpfs_object_ops = { .charge = charge, .destroy = destroy_object };

static ssize_t read_file(struct file *file, struct iter *it, u64 *offset)
{
	ssize_t n = memory_object_read(file->inode->object, *offset, it);

	if (n > 0)
		*offset += (u64)n;
	file_accessed(file);
	return n;
}

static void set_size(struct inode *inode, u64 size)
{
	memory_object_truncate(inode->object, size);
	WRITE_ONCE(inode->size, size);
}

/* A sealed file takes no writes at all, or none behind its end. */
static ssize_t check_write_seals(struct inode *inode, u64 offset, ssize_t n)
{
	u32 seals = tmpfs_inode_of(inode)->seals;

	if (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if (!(seals & F_SEAL_GROW) || offset + (u64)n <= inode->size)
		return n;
	return offset >= inode->size ? -EPERM : (ssize_t)(inode->size - offset);
}

static ssize_t write_file(struct file *file, struct iter *it, u64 *offset)
{
	struct inode *inode = file->inode;
	size_t all = it->remaining;
	ssize_t n;

	write_guard(&inode->lock);
	n = file_write_checks(file, it, offset);
	if (n > 0 && unlikely(tmpfs_inode_of(inode)->seals))
		n = check_write_seals(inode, *offset, n);
	if (n <= 0)
		return n;
	it->remaining = (size_t)n;
	file_modified(file);
	n = memory_object_write(inode->object, *offset, it);
	it->remaining = all - (n > 0 ? (size_t)n : 0);
	if (n <= 0)
		return n;
	*offset += (u64)n;
	if (*offset > inode->size)
		set_size(inode, *offset);
	return n;
}

/* SEEK_DATA and SEEK_HOLE by the pages that are there. */
static s64 seek_hole_or_data(struct inode *inode, s64 offset, int whence)
{
	struct memory_object *object = inode->object;
	u64 size = inode->size, index, last;

	if (offset < 0 || (u64)offset >= size)
		return -ENXIO;
	index = (u64)offset / PAGE_SIZE;
	last = (size - 1) / PAGE_SIZE;
	mutex_guard(&object->lock);
	if (whence == SEEK_DATA) {
		if (!radix_next(&object->pages, &index, last))
			return -ENXIO;
	} else if (radix_next_free(&object->pages, index, last, &index)) {
		return (s64)size;
	}
	return MAX(offset, (s64)(index * PAGE_SIZE));
}

static s64 seek_file(struct file *file, s64 offset, int whence)
{
	s64 target;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return file_seek_generic(file, offset, whence);
	target = seek_hole_or_data(file->inode, offset, whence);
	return target < 0 ? target : file_seek_generic(file, target, SEEK_SET);
}

static int map_file(struct file *file, struct map_request *req)
{
	u32 seals = READ_ONCE(tmpfs_inode_of(file->inode)->seals);

	if ((seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) && (req->flags & MAP_SHARED)) {
		if (req->prot & PROT_WRITE)
			return -EPERM;
		req->may &= ~(u64)VMA_MAY_WRITE;
	}
	req->object = file->inode->object;
	file_accessed(file);
	return 0;
}

static int truncate_file(struct file *file, u64 size)
{
	return inode_truncate(file->inode, size);
}

static int allocate_pages(struct inode *inode, u64 start, u64 end)
{
	for (u64 index = start / PAGE_SIZE; index < (end + PAGE_SIZE - 1) / PAGE_SIZE; index++) {
		struct page *page;
		int result;

		if (current_task() && signal_pending())
			return -EINTR;
		result = memory_object_get_page(inode->object, index, true, &page);
		if (result)
			return result;
		page_put(page);
	}
	return 0;
}

static int allocate(struct file *file, int mode, u64 offset, u64 length)
{
	struct inode *inode = file->inode;
	struct tmpfs *fs = tmpfs_inode_of(inode)->fs;
	u32 seals = tmpfs_inode_of(inode)->seals;
	u64 end = offset + length;
	int result;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	write_guard(&inode->lock);
	if ((mode & FALLOC_FL_PUNCH_HOLE) && (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))
		return -EPERM;
	if ((seals & F_SEAL_GROW) && !(mode & FALLOC_FL_KEEP_SIZE) && end > inode->size)
		return -EPERM;
	if (mode & FALLOC_FL_PUNCH_HOLE) {
		memory_object_punch(inode->object, offset, end);
		file_modified(file);
		return 0;
	}
	if (!(mode & FALLOC_FL_KEEP_SIZE)) {
		result = inode_check_new_size(inode, end);
		if (result)
			return result;
	}
	/* Before the first page: what cannot fit at all should not fill memory on its way to failure. */
	if (fs->pages_max && length / PAGE_SIZE > fs->pages_max)
		return -ENOSPC;
	result = allocate_pages(inode, offset, end);
	if (!result && !(mode & FALLOC_FL_KEEP_SIZE) && end > inode->size)
		set_size(inode, end);
	file_modified(file);
	return result;
}

int tmpfs_set_attributes(struct inode *inode, const struct inode_attributes *attr)
{
	u32 seals = tmpfs_inode_of(inode)->seals;

	if (attr->valid & ATTR_SIZE) {
		if ((attr->size < inode->size && (seals & F_SEAL_SHRINK)) ||
		    (attr->size > inode->size && (seals & F_SEAL_GROW)))
			return -EPERM;
		set_size(inode, attr->size);
	}
	inode_apply_attributes(inode, attr);
	return 0;
}

int tmpfs_get_attributes(struct inode *inode, struct kstat *out)
{
	if (S_ISREG(inode->mode))
		out->blocks = READ_ONCE(inode->object->page_count) * (PAGE_SIZE / 512);
	out->has_created = true;
	return 0;
}

const struct inode_ops tmpfs_file_inode_ops = { TMPFS_ATTRIBUTE_OPS };

const struct file_ops tmpfs_file_ops = {
	FILE_OPS_DEFAULTS, .read = read_file,	   .write = write_file,	      .seek = seek_file,
	.map = map_file,   .sync = file_sync_noop, .truncate = truncate_file, .allocate = allocate,
};
