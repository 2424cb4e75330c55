/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Block devices as files: reading and writing through the page cache or around it, and their names in /dev. */
#include <block/block_file.h>
#include <block/block_priv.h>
#include <core/log.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/memory_object.h>
#include <mm/slab.h>
#include <mm/write_back.h>
#include <sched/thread.h>
#include <vfs/vfs.h>

#include <linux/fcntl.h>
#include <linux/fs.h>

static struct block_device *device_of(struct file *file)
{
	return file->private;
}

static u64 device_size(struct block_device *device)
{
	return block_device_sectors(device) << SECTOR_SHIFT;
}

static int write_out(struct block_device *device, u64 offset, u64 size)
{
	return memory_object_sync(block_device_object(device), offset, offset + size);
}

static ssize_t read_file(struct file *file, struct iter *it, u64 *offset)
{
	struct block_device *device = device_of(file);
	struct memory_object *object = block_device_object(device);
	ssize_t n;

	if (file->flags & O_DIRECT) {
		u64 size = device_size(device);

		if (*offset >= size)
			return 0;
		u64 wanted = MIN((u64)it->remaining, size - *offset);
		n = write_out(device, *offset, wanted);
		if (!n)
			n = block_direct(device, *offset, it, wanted, false);
	} else {
		n = device->read_ahead
			    ? memory_object_read_ahead(object, *offset, it, &file->read_ahead)
			    : memory_object_read(object, *offset, it);
	}
	if (n > 0)
		*offset += (u64)n;
	return n;
}

/* The cache must not show what was there before. */
static ssize_t write_direct(struct block_device *device, struct iter *it, u64 offset, size_t size)
{
	struct memory_object *object = block_device_object(device);
	ssize_t n = write_out(device, offset, size);

	if (!n)
		n = block_direct(device, offset, it, size, true);
	(void)memory_object_drop_clean(object, ALIGN_DOWN(offset, PAGE_SIZE),
				       ALIGN_UP(offset + size, PAGE_SIZE));
	return n;
}

static ssize_t write_file(struct file *file, struct iter *it, u64 *offset)
{
	struct block_device *device = device_of(file);
	u64 size = device_size(device);
	size_t all = it->remaining;
	ssize_t n;

	if (block_device_read_only(device))
		return -EPERM;
	if (*offset >= size)
		return all ? -ENOSPC : 0;
	it->remaining = MIN((u64)all, size - *offset);
	size_t wanted = it->remaining;
	n = file->flags & O_DIRECT ? write_direct(device, it, *offset, wanted)
				   : memory_object_write(block_device_object(device), *offset, it);
	it->remaining = all - (n > 0 ? (size_t)n : 0);
	if (n <= 0)
		return n;
	u64 start = *offset;
	*offset += (u64)n;
	if (file->flags & O_DSYNC) {
		int error = write_out(device, start, (u64)n) ?: block_flush(device);

		if (error)
			return error;
	}
	return n;
}

static s64 seek_file(struct file *file, s64 offset, int whence)
{
	s64 size = (s64)device_size(device_of(file)), base = 0;

	mutex_guard(&file->offset_lock);
	if (whence == SEEK_CUR)
		base = (s64)file->offset;
	else if (whence == SEEK_END)
		base = size;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (add_overflows(base, offset, &base) || base < 0)
		return -EINVAL;
	file->offset = (u64)base;
	return base;
}

static int map_file(struct file *file, struct map_request *req)
{
	req->object = block_device_object(device_of(file));
	return 0;
}

static int sync_file(struct file *file, bool data_only, u64 start, u64 end)
{
	struct block_device *device = device_of(file);
	struct memory_object *object = block_device_object(device);
	int error;

	(void)memory_object_write_start(object, start, end, true);
	memory_object_write_wait(object, start, end);
	error = write_error_check(&object->error_state, &file->write_error_seen);
	return error ?: block_flush(device);
}

static long ioctl_file(struct file *file, unsigned request, unsigned long argument)
{
	return block_ioctl(device_of(file), request, argument, file->mode & FILE_MODE_WRITE);
}

static void destroy_file(struct file *file)
{
	bool write = file->mode & FILE_MODE_WRITE;

	if (write)
		(void)write_out(device_of(file), 0, device_size(device_of(file)));
	block_device_close(device_of(file), write, nullptr);
}

static const struct file_ops block_file_ops = {
	FILE_OPS_DEFAULTS,	 .read = read_file, .write = write_file, .seek = seek_file,
	.map = map_file,	 .sync = sync_file, .ioctl = ioctl_file, .allocate = block_allocate,
	.destroy = destroy_file,
};

static int open_file(struct inode *inode, struct file *file)
{
	struct block_device *device;
	int error = block_device_find(inode->device_number, &device);

	if (error)
		return error;
	error = block_device_open(device, file->mode & FILE_MODE_WRITE, nullptr);
	if (!error) {
		file->ops = &block_file_ops;
		file->private = device;
		file->write_error_seen =
			write_error_sample(&block_device_object(device)->error_state);
	}
	block_device_put(device);
	return error;
}

/* --- names in /dev, and what udev is told --- */

struct named_node {
	struct device_node node;
	char name[24];
};

static void added(struct block_device *device)
{
	struct named_node *n = kzalloc(sizeof(*n), 0);

	if (!n) {
		log_warning("%s: no memory for its name in /dev", device->name);
		return;
	}
	(void)string_copy(n->name, device->name, sizeof(n->name));
	n->node = (struct device_node){
		.name = n->name, .mode = S_IFBLK | 0600, .device = device->number, .open = open_file
	};
	device->node_private = n;
	device_register(&n->node);
	block_device_event(device, "add", nullptr, nullptr);
}

static void removed(struct block_device *device)
{
	struct named_node *n = device->node_private;

	if (!n)
		return;
	block_device_event(device, "remove", nullptr, nullptr);
	device->node_private = nullptr;
	device_unregister(&n->node);
	kfree(n);
}

static void scan(struct block_device *disk)
{
	int error = block_partitions_read(disk);

	if (error)
		log_warning("%s: cannot read the partition table: error %d", disk->name, -error);
}

static bool writes_for_disk(void)
{
	return current_thread()->writes_for_disk;
}

void block_init(void)
{
	mm_hooks.writes_for_disk = writes_for_disk;
	block_hooks = (struct block_hooks){ .added = added,
					    .removed = removed,
					    .scan = scan,
					    .object_create = block_pages_create,
					    .object_destroy = block_pages_destroy };
	sched_hooks.plug_flush = block_plug_flush;
}
