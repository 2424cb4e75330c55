/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which loop devices there are: /dev/loop-control (loop(4)), and what /sys tells of each. */
#include <dev/loop/loop.h>
#include <dev/loop/loop_priv.h>

#include <core/log.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <obj/file.h>
#include <obj/inode.h>
#include <vfs/vfs.h>

#include <linux/limits.h>
#include <linux/major.h>

#define CONTROL_MINOR 237 /* devices.txt of Linux's documentation */
#define AT_BOOT 8u
#define INDEX_MAX 0xfffffu

static struct list_head loops __guarded_by(&loop_lock) = LIST_INIT(loops);

/* --- /sys/block/loopN/loop --- */

static bool is_bound(struct block_device *disk)
{
	return READ_ONCE(((struct loop *)block_disk_private(disk))->file);
}

static int flag_text(struct block_device *disk, u32 flag, char *buf, size_t size)
{
	const struct loop *loop = block_disk_private(disk);

	return scnprintf(buf, size, "%d\n", (READ_ONCE(loop->flags) & flag) != 0);
}
static int autoclear_text(struct block_device *disk, char *buf, size_t size)
{
	return flag_text(disk, LO_FLAGS_AUTOCLEAR, buf, size);
}
static int partscan_text(struct block_device *disk, char *buf, size_t size)
{
	return flag_text(disk, LO_FLAGS_PARTSCAN, buf, size);
}
static int direct_text(struct block_device *disk, char *buf, size_t size)
{
	return flag_text(disk, LO_FLAGS_DIRECT_IO, buf, size);
}
static int offset_text(struct block_device *disk, char *buf, size_t size)
{
	const struct loop *loop = block_disk_private(disk);

	return scnprintf(buf, size, "%llu\n", (unsigned long long)READ_ONCE(loop->offset));
}
static int size_limit_text(struct block_device *disk, char *buf, size_t size)
{
	const struct loop *loop = block_disk_private(disk);

	return scnprintf(buf, size, "%llu\n", (unsigned long long)READ_ONCE(loop->size_limit));
}

static int backing_file_text(struct block_device *disk, char *buf, size_t size)
{
	const struct loop *loop = block_disk_private(disk);
	struct file *file;
	struct path path;

	mutex_lock(&loop_lock);
	file = loop->file;
	if (file)
		file_get(file);
	mutex_unlock(&loop_lock);
	if (!file)
		return -ENODEV;
	int error = file_path(file, &path);
	if (!error) {
		char *text = path_text(&path, nullptr, buf, size - 1);
		size_t length = text ? strlen(text) : 0;

		path_put(&path);
		error = text ? (int)length + 1 : -ENAMETOOLONG;
		if (text) {
			memmove(buf, text, length);
			buf[length] = '\n';
		}
	}
	file_put(file);
	return error;
}

static const struct block_attribute attributes[] = {
	{ "autoclear", autoclear_text },
	{ "backing_file", backing_file_text },
	{ "dio", direct_text },
	{ "offset", offset_text },
	{ "partscan", partscan_text },
	{ "sizelimit", size_limit_text },
	{},
};

static void destroy(void *loop)
{
	kfree(loop);
}

const struct block_driver_ops loop_block_ops = {
	.name = "loop",
	.attributes = attributes,
	.has_attributes = is_bound,
	.start = loop_start,
	.ioctl = loop_ioctl,
	.closed = loop_closed,
	.destroy = destroy,
};

/* --- which there are --- */

static struct loop *find_locked(u32 index) __must_hold(&loop_lock)
{
	struct loop *loop;

	list_for_each (loop, &loops, node)
		if (loop->index == index)
			return loop;
	return nullptr;
}

/* Nobody else knows of it. */
static void init(struct loop *loop, u32 index) __no_lock_analysis
{
	loop->index = index;
	loop->block_size = SECTOR_SIZE;
	spin_init(&loop->queue_lock, RANK_BLOCK_QUEUE);
	list_init(&loop->requests);
	wait_queue_init(&loop->work);
}

static int add_locked(u32 index) __must_hold(&loop_lock)
{
	static const struct block_limits limits = { .logical_block = SECTOR_SIZE,
						    .physical_block = SECTOR_SIZE,
						    .max_segments = 128,
						    .max_segment_size = BIT(20),
						    .max_sectors = 2048,
						    .write_cache = true };
	struct loop *loop = kzalloc(sizeof(*loop), 0);
	char name[16];

	if (!loop)
		return -ENOMEM;
	init(loop, index);
	(void)snprintf(name, sizeof(name), "loop%u", index);
	int error = block_disk_add(name, device_make(LOOP_MAJOR, index), 1, &limits, 0,
				   &loop_block_ops, loop, &loop->disk);
	if (error)
		kfree(loop);
	else
		list_add_tail(&loops, &loop->node);
	return error;
}

static long add(long index)
{
	if (index < 0 || index > (long)INDEX_MAX)
		return -EINVAL;
	mutex_guard(&loop_lock);
	int error = find_locked((u32)index) ? -EEXIST : add_locked((u32)index);
	return error ?: index;
}

/* A request or an open that has found the disk ends with its last reference; the loop's memory goes with them. */
static long remove_device(long index)
{
	if (index < 0)
		return -EINVAL;
	mutex_guard(&loop_lock);
	struct loop *loop = index <= (long)INDEX_MAX ? find_locked((u32)index) : nullptr;
	if (!loop)
		return -ENODEV;
	if (loop->file || block_disk_opens(loop->disk))
		return -EBUSY;
	list_remove(&loop->node);
	loop->dying = true;
	block_disk_remove(loop->disk);
	return 0;
}

static long get_free(void)
{
	struct loop *loop;
	u32 index = 0;

	mutex_guard(&loop_lock);
	list_for_each (loop, &loops, node)
		if (!loop->file)
			return loop->index;
	while (find_locked(index))
		index++;
	int error = add_locked(index);
	return error ?: (long)index;
}

static long control_ioctl(struct file *file, unsigned request, unsigned long argument)
{
	switch (request) {
	case LOOP_CTL_ADD:
		return (long)argument == -1 ? get_free() : add((long)argument);
	case LOOP_CTL_REMOVE:
		return remove_device((long)argument);
	case LOOP_CTL_GET_FREE:
		return get_free();
	default:
		return -ENOSYS; /* as Linux */
	}
}

static const struct file_ops control_ops = { FILE_OPS_DEFAULTS, .ioctl = control_ioctl,
					     .seek = file_seek_noop };

static int control_open(struct inode *inode, struct file *file)
{
	file->ops = &control_ops;
	return 0;
}

void loop_init(void)
{
	static struct device_node node = { .name = "loop-control",
					   .mode = S_IFCHR | 0660,
					   .open = control_open,
					   .class_name = "misc" };

	node.device = device_make(MISC_MAJOR, CONTROL_MINOR);
	device_register(&node);
	for (u32 i = 0; i < AT_BOOT; i++) {
		long error = add(i);

		if (error < 0)
			log_error("loop%u: error %ld", i, -error);
	}
}
