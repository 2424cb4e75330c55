/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loop devices (loop(4), losetup(8)): disks whose contents are files or other disks.
 *
 *   loop.c  binding, ioctl, /sys     serve.c  requests     control.c  /dev/loop-control
 *
 * (O1) A device is bound from LOOP_SET_FD or LOOP_CONFIGURE until LOOP_CLR_FD, or until its last user is gone if it clears
 * itself; loop_lock orders all of that. (O2) Requests are served by a thread of the device while it is bound; others fail
 * with -EIO. (O3) What a device is bound to never leads back to it: files on loop devices may be bound, but not a loop
 * device that is bound, through others, to this one.
 */
#include <dev/loop/loop_priv.h>

#include <block/block_file.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/memory_object.h>
#include <mm/ucopy.h>
#include <obj/file.h>
#include <obj/inode.h>
#include <proc/task.h>
#include <vfs/vfs.h>

#include <linux/capability.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>

#define SETTABLE_FLAGS (LO_FLAGS_AUTOCLEAR | LO_FLAGS_PARTSCAN)
#define CONFIGURE_FLAGS                                                                            \
	(LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR | LO_FLAGS_PARTSCAN | LO_FLAGS_DIRECT_IO)
#define SECTORS_MAX 2048u

struct mutex loop_lock = MUTEX_INIT(RANK_LOOP);

/* --- the size and what else the file decides --- */

static u64 file_size(struct file *file)
{
	struct block_device *device;

	if (!S_ISBLK(file->inode->mode))
		return READ_ONCE(file->inode->size);
	if (block_device_find(file->inode->device_number, &device))
		return 0;
	u64 size = block_device_sectors(device) << SECTOR_SHIFT;
	block_device_put(device);
	return size;
}

static u64 sectors_of(const struct loop *loop) __must_hold(&loop_lock)
{
	u64 size = file_size(loop->file);

	size = size > loop->offset ? size - loop->offset : 0;
	if (loop->size_limit)
		size = MIN(size, loop->size_limit);
	return ALIGN_DOWN(size, loop->block_size) >> SECTOR_SHIFT;
}

static struct block_limits limits_of(const struct loop *loop) __must_hold(&loop_lock)
{
	bool punches = S_ISREG(loop->file->inode->mode) &&
		       loop->file->ops->allocate != file_allocate_eopnotsupp;

	return (struct block_limits){
		.logical_block = (u32)loop->block_size,
		.physical_block = (u32)loop->block_size,
		.max_segments = 128,
		.max_segment_size = BIT(20),
		.max_sectors = SECTORS_MAX,
		.max_discard_sectors = punches ? UINT32_MAX >> SECTOR_SHIFT : 0,
		.max_write_zeroes_sectors = punches ? UINT32_MAX >> SECTOR_SHIFT : 0,
		.write_cache = true,
		.read_only = loop->flags & LO_FLAGS_READ_ONLY,
	};
}

static void new_medium(struct loop *loop) __must_hold(&loop_lock)
{
	struct block_limits limits = limits_of(loop);

	block_disk_new_medium(loop->disk, &limits, sectors_of(loop));
	block_device_event(loop->disk, "change", "DISK_MEDIA_CHANGE", "1");
}

static void scan(struct loop *loop) __must_hold(&loop_lock)
{
	block_disk_scan_partitions(loop->disk, true);
	/* The device is bound whatever the table says. */
	(void)block_partitions_read(loop->disk);
}

/* --- binding --- */

/* The loop device that a file is, or null. */
static struct loop *loop_of_file(struct file *file)
{
	struct block_device *device;
	struct loop *loop = nullptr;

	if (!S_ISBLK(file->inode->mode) || block_device_find(file->inode->device_number, &device))
		return nullptr;
	if (block_disk_ops(device) == &loop_block_ops)
		loop = block_disk_private(device);
	block_device_put(device);
	return loop;
}

/* Devices do not go while one is bound to them: each is held open by the file. */
static int check_file(const struct loop *loop, struct file *file) __must_hold(&loop_lock)
{
	if (!S_ISREG(file->inode->mode) && !S_ISBLK(file->inode->mode))
		return -EINVAL;
	for (struct loop *at = loop_of_file(file); at; at = loop_of_file(at->file)) {
		if (at == loop)
			return -EBADF;
		if (!at->file)
			return -EINVAL;
	}
	return 0;
}

static bool valid_block_size(u64 size)
{
	return size >= SECTOR_SIZE && size <= PAGE_SIZE && !(size & (size - 1));
}

static int take_info(struct loop *loop, const struct loop_info64 *info) __must_hold(&loop_lock)
{
	if (info->lo_offset > INT64_MAX || info->lo_sizelimit > INT64_MAX)
		return -EOVERFLOW;
	if (info->lo_encrypt_key_size || info->lo_encrypt_type > 1)
		return -EINVAL;
	loop->offset = info->lo_offset;
	loop->size_limit = info->lo_sizelimit;
	memcpy(loop->file_name, info->lo_file_name, LO_NAME_SIZE);
	loop->file_name[LO_NAME_SIZE - 1] = 0;
	return 0;
}

static int bind_locked(struct loop *loop, const struct loop_config *config, struct file *file,
		       bool may_write) __must_hold(&loop_lock)
{
	int error;

	if (loop->file || loop->dying)
		return loop->file ? -EBUSY : -ENXIO;
	error = check_file(loop, file) ?: take_info(loop, &config->info);
	if (error)
		return error;
	loop->flags = config->info.lo_flags & CONFIGURE_FLAGS & ~(u32)LO_FLAGS_DIRECT_IO;
	if (!(file->mode & FILE_MODE_WRITE) || !may_write)
		loop->flags |= LO_FLAGS_READ_ONLY;
	loop->block_size = config->block_size ? config->block_size : SECTOR_SIZE;
	loop->file = file;
	error = loop_serve(loop);
	if (error) {
		loop->file = nullptr;
		return error;
	}
	file_get(file);
	new_medium(loop);
	block_disk_scan_partitions(loop->disk, false);
	if (loop->flags & LO_FLAGS_PARTSCAN)
		scan(loop);
	return 0;
}

static long bind_file(struct loop *loop, const struct loop_config *config, bool may_write)
{
	struct file *file;

	if (config->info.lo_flags & ~(u32)CONFIGURE_FLAGS)
		return -EINVAL;
	if (config->block_size && !valid_block_size(config->block_size))
		return -EINVAL;
	int error = file_from_handle(current_task()->pool, (int)config->fd, RIGHT_READ, &file);
	if (error)
		return error;
	mutex_lock(&loop_lock);
	error = bind_locked(loop, config, file, may_write);
	mutex_unlock(&loop_lock);
	file_put(file);
	return error;
}

static long configure(struct loop *loop, unsigned long argument, bool may_write)
{
	struct loop_config config;

	if (copy_from_user(&config, __force_user(void __user *, argument), sizeof(config)))
		return -EFAULT;
	return bind_file(loop, &config, may_write);
}

/* The file, which the caller puts without the lock; null: not bound. */
static struct file *unbind_locked(struct loop *loop) __must_hold(&loop_lock)
{
	struct file *file = loop->file;

	if (!file)
		return nullptr;
	(void)memory_object_sync(block_device_object(loop->disk), 0, UINT64_MAX);
	/* Only unused partitions can go; who has the disk open keeps them. */
	block_disk_scan_partitions(loop->disk, false);
	(void)block_disk_set_partitions(loop->disk, nullptr, 0);
	loop_serve_end(loop);
	loop->file = nullptr;
	loop->flags = 0;
	loop->offset = loop->size_limit = 0;
	memset(loop->file_name, 0, sizeof(loop->file_name));
	struct block_limits limits = *block_device_limits(loop->disk);
	limits.read_only = false;
	block_disk_new_medium(loop->disk, &limits, 0);
	block_device_event(loop->disk, "change", nullptr, nullptr);
	return file;
}

static long clear(struct loop *loop)
{
	struct file *file = nullptr;
	int error = 0;

	mutex_lock(&loop_lock);
	if (!loop->file)
		error = -ENXIO;
	else if (block_disk_opens(loop->disk) > 1)
		loop->flags |= LO_FLAGS_AUTOCLEAR; /* when the others are done */
	else
		file = unbind_locked(loop);
	mutex_unlock(&loop_lock);
	if (file)
		file_put(file);
	return error;
}

void loop_closed(struct block_device *disk)
{
	struct loop *loop = block_disk_private(disk);
	struct file *file = nullptr;

	mutex_lock(&loop_lock);
	if (loop->flags & LO_FLAGS_AUTOCLEAR && !block_disk_opens(disk))
		file = unbind_locked(loop);
	mutex_unlock(&loop_lock);
	if (file)
		file_put(file);
}

/* --- settings --- */

static void tell_status(struct loop *loop, struct loop_info64 *info, const struct kstat *stat)
	__must_hold(&loop_lock)
{
	*info = (struct loop_info64){ .lo_device = stat->device,
				      .lo_inode = stat->inode,
				      .lo_rdevice = stat->rdevice,
				      .lo_offset = loop->offset,
				      .lo_sizelimit = loop->size_limit,
				      .lo_number = loop->index,
				      .lo_flags = loop->flags };
	memcpy(info->lo_file_name, loop->file_name, LO_NAME_SIZE);
}

static long get_status(struct loop *loop, unsigned long argument)
{
	struct loop_info64 info;
	struct kstat stat;
	int error = -ENXIO;

	mutex_lock(&loop_lock);
	if (loop->file)
		error = vfs_file_stat(loop->file, &stat);
	if (!error)
		tell_status(loop, &info, &stat);
	mutex_unlock(&loop_lock);
	return error ?: copy_to_user(__force_user(void __user *, argument), &info, sizeof(info));
}

static int set_status_locked(struct loop *loop, const struct loop_info64 *info)
	__must_hold(&loop_lock)
{
	u64 offset = loop->offset, limit = loop->size_limit;
	u32 clears = LO_FLAGS_AUTOCLEAR, had = loop->flags;

	if (!loop->file)
		return -ENXIO;
	int error = take_info(loop, info);
	if (error)
		return error;
	loop->flags = (had & ~clears) | (info->lo_flags & SETTABLE_FLAGS);
	if (loop->offset != offset || loop->size_limit != limit) {
		struct memory_object *object = block_device_object(loop->disk);

		(void)memory_object_sync(object, 0, UINT64_MAX);
		(void)memory_object_drop_clean(object, 0, UINT64_MAX);
		block_disk_resize(loop->disk, sectors_of(loop));
	}
	if (loop->flags & ~had & LO_FLAGS_PARTSCAN)
		scan(loop);
	return 0;
}

static long set_status(struct loop *loop, unsigned long argument)
{
	struct loop_info64 info;

	if (copy_from_user(&info, __force_user(void __user *, argument), sizeof(info)))
		return -EFAULT;
	mutex_guard(&loop_lock);
	return set_status_locked(loop, &info);
}

static long set_one(struct loop *loop, unsigned request, unsigned long argument)
{
	mutex_guard(&loop_lock);
	if (!loop->file)
		return -ENXIO;
	switch (request) {
	case LOOP_SET_CAPACITY:
		block_disk_resize(loop->disk, sectors_of(loop));
		block_device_event(loop->disk, "change", "RESIZE", "1");
		return 0;
	case LOOP_SET_DIRECT_IO: /* the file is read through its cache always */
		return argument ? -EINVAL : 0;
	default: /* LOOP_SET_BLOCK_SIZE */
		break;
	}
	if (!valid_block_size(argument))
		return -EINVAL;
	int error = memory_object_sync(block_device_object(loop->disk), 0, UINT64_MAX);
	if (error)
		return error;
	loop->block_size = argument;
	struct block_limits limits = limits_of(loop);
	block_disk_new_medium(loop->disk, &limits, sectors_of(loop));
	return 0;
}

long loop_ioctl(struct block_device *disk, unsigned request, unsigned long argument, bool may_write)
{
	struct loop *loop = block_disk_private(disk);
	struct loop_config config = { .fd = (u32)argument };

	switch (request) {
	case LOOP_SET_FD:
		return bind_file(loop, &config, may_write);
	case LOOP_CONFIGURE:
		return configure(loop, argument, may_write);
	case LOOP_CLR_FD:
		return clear(loop);
	case LOOP_GET_STATUS64:
		return get_status(loop, argument);
	case LOOP_SET_STATUS64:
		return may_write || capable(CAP_SYS_ADMIN) ? set_status(loop, argument) : -EPERM;
	case LOOP_SET_CAPACITY:
	case LOOP_SET_DIRECT_IO:
	case LOOP_SET_BLOCK_SIZE:
		return may_write || capable(CAP_SYS_ADMIN) ? set_one(loop, request, argument)
							   : -EPERM;
	default:
		return -EINVAL; /* as Linux, whatever the request */
	}
}
