/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioctl(2) of block devices: sizes, partition tables, discarding. */
#include <block/block_file.h>
#include <block/block_priv.h>
#include <lib/errno.h>
#include <mm/memory_object.h>
#include <mm/ucopy.h>
#include <obj/file.h>
#include <proc/task.h>

#include <linux/blkpg.h>
#include <linux/capability.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/hdreg.h>

/* A range of bytes that the user names, in sectors. */
static int get_range(struct block_device *device, unsigned long argument, u64 *sector, u64 *sectors)
{
	u64 range[2], end, grain = device->disk->limits.logical_block;

	if (copy_from_user(range, __force_user(void __user *, argument), sizeof(range)))
		return -EFAULT;
	if ((range[0] | range[1]) & (grain - 1) || add_overflows(range[0], range[1], &end) ||
	    end > device->sectors << SECTOR_SHIFT)
		return -EINVAL;
	*sector = range[0] >> SECTOR_SHIFT;
	*sectors = range[1] >> SECTOR_SHIFT;
	return 0;
}

/* Discards or zeroes a range of the device and of its page cache. */
static int change_range(struct block_device *device, enum block_operation operation, u64 sector,
			u64 sectors)
{
	struct block_request r = {
		.device = device, .operation = operation, .sector = sector, .sectors = sectors
	};

	if (block_device_read_only(device))
		return -EPERM;
	memory_object_write_wait(device->object, sector << SECTOR_SHIFT,
				 (sector + sectors) << SECTOR_SHIFT);
	memory_object_punch(device->object, sector << SECTOR_SHIFT,
			    (sector + sectors) << SECTOR_SHIFT);
	return block_execute(&r);
}

static long change_named_range(struct block_device *device, enum block_operation operation,
			       unsigned long argument, bool may_write)
{
	u64 sector, sectors;
	int error = may_write ? get_range(device, argument, &sector, &sectors) : -EBADF;

	return error ?: change_range(device, operation, sector, sectors);
}

int block_allocate(struct file *file, int mode, u64 offset, u64 length)
{
	struct block_device *device = file->private;
	const struct block_limits *l = &device->disk->limits;
	u64 size = device->sectors << SECTOR_SHIFT;
	bool punch = mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);

	if (mode & ~(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE))
		return -EOPNOTSUPP;
	if (offset >= size || (length > size - offset && !(mode & FALLOC_FL_KEEP_SIZE)))
		return -EINVAL;
	length = MIN(length, size - offset);
	if ((offset | length) & (l->logical_block - 1))
		return -EINVAL;
	if (!punch && (mode & ~FALLOC_FL_KEEP_SIZE) != FALLOC_FL_ZERO_RANGE)
		return -EOPNOTSUPP;
	if (punch && !l->max_write_zeroes_sectors)
		return -EOPNOTSUPP;
	return change_range(device, BLOCK_WRITE_ZEROES, offset >> SECTOR_SHIFT,
			    length >> SECTOR_SHIFT);
}

static long flush_buffers(struct block_device *device)
{
	int error;

	if (!capable(CAP_SYS_ADMIN))
		return -EACCES;
	error = memory_object_sync(device->object, 0, UINT64_MAX);
	(void)memory_object_drop_clean(device->object, 0, UINT64_MAX);
	return error;
}

static long reread(struct block_device *device)
{
	if (device->partition || !READ_ONCE(device->disk->scans))
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EACCES;
	return block_partitions_read(device);
}

/* BLKPG: one partition, whatever the table on the disk says. */
static long change_partition(struct block_device *device, unsigned long argument)
{
	struct blkpg_ioctl_arg arg;
	struct blkpg_partition p;

	if (copy_from_user(&arg, __force_user(void __user *, argument), sizeof(arg)) ||
	    copy_from_user(&p, __force_user(void __user *, arg.data), sizeof(p)))
		return -EFAULT;
	if (device->partition || p.pno <= 0)
		return -EINVAL;
	if (arg.op == BLKPG_DEL_PARTITION)
		return block_partition_delete(device, (unsigned)p.pno);
	if (arg.op != BLKPG_ADD_PARTITION && arg.op != BLKPG_RESIZE_PARTITION)
		return -EINVAL;
	if (p.start < 0 || p.length <= 0 ||
	    (p.start | p.length) & (device->disk->limits.logical_block - 1))
		return -EINVAL;
	u64 start = (u64)p.start >> SECTOR_SHIFT, sectors = (u64)p.length >> SECTOR_SHIFT;
	return arg.op == BLKPG_ADD_PARTITION
		       ? block_partition_add(device, (unsigned)p.pno, start, sectors)
		       : block_partition_resize(device, (unsigned)p.pno, start, sectors);
}

static long set(struct block_device *device, unsigned request, unsigned long argument)
{
	const int __user *user = __force_user(const int __user *, argument);
	int value;

	if (request == BLKRASET || request == BLKFRASET) {
		WRITE_ONCE(device->read_ahead, (u32)argument);
		return 0;
	}
	if (get_user(value, user))
		return -EFAULT;
	if (request == BLKROSET) {
		WRITE_ONCE(device->read_only, value != 0);
		return 0;
	}
	if (value < (int)device->disk->limits.logical_block || value > (int)PAGE_SIZE ||
	    value & (value - 1))
		return -EINVAL;
	device->block_size = (u32)value;
	return 0;
}

static long geometry(struct block_device *device, unsigned long argument)
{
	struct hd_geometry g = { .heads = 16, .sectors = 63, .start = device->start };

	g.cylinders = (unsigned short)(device->disk->whole->sectors / (16 * 63));
	return copy_to_user(__force_user(void __user *, argument), &g, sizeof(g));
}

static long put_int(unsigned long argument, int value)
{
	return put_user(value, __force_user(int __user *, argument));
}

static long put_long(unsigned long argument, long value)
{
	return put_user(value, __force_user(long __user *, argument));
}

static long tell(struct block_device *device, unsigned request, unsigned long argument)
{
	const struct block_limits *l = &device->disk->limits;

	switch (request) {
	case BLKGETSIZE:
		return put_long(argument, (long)device->sectors);
	case BLKGETSIZE64:
		return put_user(device->sectors << SECTOR_SHIFT,
				__force_user(u64 __user *, argument));
	case BLKSSZGET:
		return put_int(argument, (int)l->logical_block);
	case BLKPBSZGET:
	case BLKIOMIN:
		return put_int(argument, (int)l->physical_block);
	case BLKBSZGET:
		return put_int(argument, (int)device->block_size);
	case BLKIOOPT:
	case BLKALIGNOFF:
	case BLKDISCARDZEROES:
		return put_int(argument, 0);
	case BLKROGET:
		return put_int(argument, block_device_read_only(device));
	case BLKRAGET:
	case BLKFRAGET:
		return put_long(argument, (long)device->read_ahead);
	case BLKSECTGET:
		return put_user((u16)MIN(l->max_sectors, 65535ull),
				__force_user(u16 __user *, argument));
	case BLKROTATIONAL:
		return put_user((u16)l->rotational, __force_user(u16 __user *, argument));
	case BLKGETDISKSEQ:
		return put_user(device->disk->sequence, __force_user(u64 __user *, argument));
	case HDIO_GETGEO:
		return geometry(device, argument);
	default:
		return -ENOTTY;
	}
}

long block_ioctl(struct block_device *device, unsigned request, unsigned long argument,
		 bool may_write)
{
	long result = tell(device, request, argument);

	if (result != -ENOTTY)
		return result;
	switch (request) {
	case BLKFLSBUF:
		return flush_buffers(device);
	case BLKRRPART:
		return reread(device);
	case BLKDISCARD:
		return change_named_range(device, BLOCK_DISCARD, argument, may_write);
	case BLKZEROOUT:
		return change_named_range(device, BLOCK_WRITE_ZEROES, argument, may_write);
	case BLKROSET:
	case BLKBSZSET:
	case BLKRASET:
	case BLKFRASET:
		return capable(CAP_SYS_ADMIN) ? set(device, request, argument) : -EACCES;
	case BLKPG:
		return capable(CAP_SYS_ADMIN) ? change_partition(device, argument) : -EACCES;
	default:
		break;
	}
	if (!device->disk->ops->ioctl)
		return -ENOTTY;
	return device->disk->ops->ioctl(device->disk->whole, request, argument, may_write);
}
