/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Block devices as files, and what comes with them: page cache, partitions, names. */
#pragma once

#include <block/block.h>

struct device_node;
struct file;
struct iter;

/* For block_hooks: the page cache of a device. */
[[nodiscard]] int block_pages_create(struct block_device *device, struct memory_object **out);
void block_pages_destroy(struct block_device *device, struct memory_object *object);

/*
 * Transfers between the memory of an iterator and consecutive sectors, without the page cache (O_DIRECT): user pages
 * are pinned and given to the device. Addresses and sizes are multiples of the logical block, else -EINVAL. Bytes
 * transferred, or -errno if none was. May sleep.
 */
[[nodiscard]] ssize_t block_direct(struct block_device *device, u64 offset, struct iter *it,
				   size_t size, bool write);

/* Reads the partition table of a disk again (BLKRRPART). 0, -EBUSY, -EIO, -ENOMEM. May sleep. */
[[nodiscard]] int block_partitions_read(struct block_device *disk);

/*
 * Announces a device to udev (netlink): `action` "add", "remove", "change", and one more variable unless `name` is null. May
 * sleep.
 */
void block_device_event(struct block_device *device, const char *action, const char *name,
			const char *value);
/* The path of its directory below /sys, "/devices/virtual/block/vda/vda1"; returns the length. */
#define BLOCK_SYS_PATH_MAX 96
int block_device_sys_path(struct block_device *device, char path[BLOCK_SYS_PATH_MAX]);

/* fallocate(2) of an open block device: zeroes or discards a range. -EINVAL, -EOPNOTSUPP, -EPERM, -EIO. May sleep. */
int block_allocate(struct file *file, int mode, u64 offset, u64 length);
/* ioctl(2) of block devices. */
long block_ioctl(struct block_device *device, unsigned request, unsigned long argument,
		 bool may_write);

/* Boot, before drivers: hooks, plugs of threads. */
void block_init(void);
