/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /dev/null, zero, full, random and urandom (null(4), full(4), random(4)). */
#include <dev/mem/mem.h>

#include <core/random.h>
#include <dev/mem/kmsg.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/memory_object.h>
#include <mm/ucopy.h>
#include <proc/signal.h>
#include <vfs/vfs.h>

#include <linux/major.h>
#include <linux/mman.h>
#include <linux/random.h>

static ssize_t read_nothing(struct file *file, struct iter *it, u64 *offset)
{
	return 0;
}

static ssize_t write_everything(struct file *file, struct iter *it, u64 *offset)
{
	ssize_t n = (ssize_t)it->remaining;
	iter_advance(it, it->remaining);
	return n;
}

static ssize_t write_full(struct file *file, struct iter *it, u64 *offset)
{
	return it->remaining ? -ENOSPC : 0;
}

static ssize_t read_zeros(struct file *file, struct iter *it, u64 *offset)
{
	ssize_t total = 0;
	while (it->remaining) {
		size_t step = MIN(it->remaining, (size_t)65536);
		size_t n = iter_zero(it, step);
		total += (ssize_t)n;
		if (n < step)
			return total ? total : -EFAULT;
		if (signal_fatal_pending())
			break;
	}
	return total;
}

/* A private mapping of /dev/zero is anonymous memory; a shared one is a new shared object. */
static int map_zeros(struct file *file, struct map_request *req)
{
	if (!(req->flags & MAP_SHARED))
		return 0;
	struct memory_object *object;
	int err = memory_object_create_anonymous(req->length, &object);
	if (!err) {
		req->object = object;
		req->offset = 0;
		req->object_owned = true;
	}
	return err;
}

static ssize_t read_random(struct file *file, struct iter *it, u64 *offset)
{
	ssize_t total = 0;
	while (it->remaining) {
		u8 buf[256];
		size_t step = MIN(it->remaining, sizeof(buf));
		random_bytes(buf, step);
		size_t n = iter_copy_to(it, buf, step);
		total += (ssize_t)n;
		if (n < step)
			return total ? total : -EFAULT;
		if (signal_pending())
			break;
	}
	return total;
}

static ssize_t write_random(struct file *file, struct iter *it, u64 *offset)
{
	ssize_t total = 0;
	while (it->remaining) {
		u8 buf[256];
		size_t step = MIN(it->remaining, sizeof(buf));
		size_t n = iter_copy_from(it, buf, step);
		if (!n)
			return total ? total : -EFAULT;
		random_add(buf, n);
		total += (ssize_t)n;
	}
	return total;
}

static long random_ioctl(struct file *file, unsigned request, unsigned long argument)
{
	int __user *user = __force_user(int __user *, argument);
	switch (request) {
	case RNDGETENTCNT:
		return put_user(256, user);
	case RNDADDTOENTCNT:
	case RNDZAPENTCNT:
	case RNDCLEARPOOL:
	case RNDRESEEDCRNG:
		/* The pool does not count: what is asked for is always true of it. */
		return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
	default:
		return -ENOTTY;
	}
}

static const struct file_ops null_ops = {
	FILE_OPS_DEFAULTS,
	.read = read_nothing,
	.write = write_everything,
	.seek = file_seek_noop,
};
static const struct file_ops zero_ops = {
	FILE_OPS_DEFAULTS,	.read = read_zeros, .write = write_everything,
	.seek = file_seek_noop, .map = map_zeros,
};
static const struct file_ops full_ops = {
	FILE_OPS_DEFAULTS,
	.read = read_zeros,
	.write = write_full,
	.seek = file_seek_noop,
};
static const struct file_ops random_ops = {
	FILE_OPS_DEFAULTS,	.read = read_random,   .write = write_random,
	.seek = file_seek_noop, .ioctl = random_ioctl,
};

static int memory_device_open(struct inode *inode, struct file *file);

/* Minor numbers of MEM_MAJOR, as Linux's list of devices has them. */
static struct memory_device {
	u32 minor;
	const struct file_ops *ops;
	struct device_node node;
} devices[] = {
	{ 3, &null_ops, { .name = "null", .mode = S_IFCHR | 0666 } },
	{ 5, &zero_ops, { .name = "zero", .mode = S_IFCHR | 0666 } },
	{ 7, &full_ops, { .name = "full", .mode = S_IFCHR | 0666 } },
	{ 8, &random_ops, { .name = "random", .mode = S_IFCHR | 0666 } },
	{ 9, &random_ops, { .name = "urandom", .mode = S_IFCHR | 0666 } },
	{ 11, &kmsg_ops, { .name = "kmsg", .mode = S_IFCHR | 0644 } },
};

static int memory_device_open(struct inode *inode, struct file *file)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		if (devices[i].node.device != inode->device_number)
			continue;
		file->ops = devices[i].ops;
		return file->ops == &kmsg_ops ? kmsg_open(file) : 0;
	}
	return -ENXIO;
}

void memory_devices_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		devices[i].node.device = device_make(MEM_MAJOR, devices[i].minor);
		devices[i].node.open = memory_device_open;
		devices[i].node.class_name = "mem";
		device_register(&devices[i].node);
	}
}
