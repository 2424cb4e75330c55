/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block devices: disks and their partitions, found by number and name, opened and claimed. How they come and go: disk.c.
 *
 * A device is listed from block_disk_add or the reading of a partition table until it is removed; the
 * list owns a reference. Its disk lives as long as any of its devices. Claims: a holder (a mount)
 * has a device to itself; the whole disk and its partitions exclude each other.
 */
#include <block/block_priv.h>
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/memory_object.h>
#include <mm/slab.h>
#include <obj/inode.h>

struct block_hooks block_hooks;

struct mutex block_list_lock = MUTEX_INIT(RANK_BLOCK_DEVICES);
struct list_head block_devices __guarded_by(&block_list_lock) = LIST_INIT(block_devices);

void block_device_get(struct block_device *device)
{
	__atomic_fetch_add(&device->refs, 1, __ATOMIC_RELAXED);
}

static void disk_destroy(struct block_disk *disk)
{
	if (disk->ops->destroy)
		disk->ops->destroy(disk->private);
	kfree(disk);
}

void block_device_put(struct block_device *device)
{
	struct block_disk *disk = device->disk;

	if (__atomic_sub_fetch(&device->refs, 1, __ATOMIC_ACQ_REL))
		return;
	if (device->object)
		block_hooks.object_destroy(device, device->object);
	if (device->partition)
		block_device_put(disk->whole);
	else
		disk_destroy(disk);
	kfree(device);
}

/* --- finding --- */

static int find(bool (*matches)(const struct block_device *device, const void *what),
		const void *what, struct block_device **out)
{
	struct block_device *d;

	mutex_guard(&block_list_lock);
	list_for_each (d, &block_devices, node) {
		if (!matches(d, what))
			continue;
		block_device_get(d);
		*out = d;
		return 0;
	}
	return -ENXIO;
}

static bool number_matches(const struct block_device *device, const void *number)
{
	return device->number == *(const u64 *)number;
}

static bool name_matches(const struct block_device *device, const void *name)
{
	return strcmp(device->name, name) == 0;
}

static bool same_letters(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if ((*a | 0x20) != (*b | 0x20))
			return false;
	return !*a && !*b;
}

static bool uuid_matches(const struct block_device *device, const void *uuid)
{
	return device->uuid[0] && same_letters(device->uuid, uuid);
}

static bool label_matches(const struct block_device *device, const void *label)
{
	return device->partition && device->label[0] && strcmp(device->label, label) == 0;
}

int block_device_find(u64 number, struct block_device **out)
{
	return find(number_matches, &number, out);
}

/* "8:1", or Linux's old form: major and minor in hexadecimal digits without a separator. */
static int find_number_text(const char *text, struct block_device **out)
{
	char copy[24];
	u64 major, minor;

	if (string_copy(copy, text, sizeof(copy)) < 0)
		return -ENODEV;
	char *colon = strchr(copy, ':');
	if (colon) {
		*colon++ = 0;
		if (parse_u64(copy, 10, &major) || parse_u64(colon, 10, &minor))
			return -ENODEV;
		return block_device_find(device_make((u32)major, (u32)minor), out);
	}
	if (parse_u64(copy, 16, &minor) || minor > UINT32_MAX)
		return -ENODEV;
	return block_device_find(minor, out);
}

int block_device_find_name(const char *name, struct block_device **out)
{
	if (!strncmp(name, "PARTUUID=", 9))
		return find(uuid_matches, name + 9, out);
	if (!strncmp(name, "PARTLABEL=", 10))
		return find(label_matches, name + 10, out);
	if (!strncmp(name, "/dev/", 5))
		name += 5;
	return find(name_matches, name, out) ? find_number_text(name, out) : 0;
}

void block_for_each(bool (*visit)(struct block_device *device, void *arg), void *arg)
{
	struct block_device *d;

	mutex_guard(&block_list_lock);
	list_for_each (d, &block_devices, node)
		if (!visit(d, arg))
			break;
}

/* --- opening --- */

static bool claim_conflicts_locked(const struct block_device *device, const void *holder)
	__must_hold(&block_list_lock)
{
	const struct block_disk *disk = device->disk;

	if (device->holder && device->holder != holder)
		return true;
	if (device->partition)
		return disk->holder && disk->holder != holder;
	return disk->partition_holders;
}

int block_device_open(struct block_device *device, bool write, const void *holder)
{
	if (write && holder && block_device_read_only(device))
		return -EACCES;
	mutex_guard(&block_list_lock);
	if (!device->listed)
		return -ENXIO;
	if (holder) {
		if (device->holder || claim_conflicts_locked(device, holder))
			return -EBUSY;
		device->holder = holder;
		if (device->partition)
			device->disk->partition_holders++;
		else
			device->disk->holder = holder;
	}
	device->opens++;
	device->disk->opens++;
	device->writers += write;
	block_device_get(device);
	return 0;
}

void block_device_close(struct block_device *device, bool write, const void *holder)
{
	struct block_disk *disk = device->disk;
	mutex_lock(&block_list_lock);
	device->opens--;
	bool last = !--disk->opens;
	device->writers -= write;
	if (holder) {
		ASSERT(device->holder == holder);
		device->holder = nullptr;
		if (device->partition)
			device->disk->partition_holders--;
		else
			device->disk->holder = nullptr;
	}
	mutex_unlock(&block_list_lock);
	if (last && disk->ops->closed)
		disk->ops->closed(disk->whole);
	block_device_put(device);
}

/* --- what they are --- */

u64 block_device_sectors(const struct block_device *device)
{
	return READ_ONCE(device->sectors);
}

const struct block_limits *block_device_limits(const struct block_device *device)
{
	return &device->disk->limits;
}

const char *block_device_name(const struct block_device *device)
{
	return device->name;
}

u64 block_device_number(const struct block_device *device)
{
	return device->number;
}

struct memory_object *block_device_object(struct block_device *device)
{
	return device->object;
}

const struct block_driver_ops *block_disk_ops(const struct block_device *device)
{
	return device->disk->ops;
}

unsigned block_disk_opens(const struct block_device *device)
{
	return READ_ONCE(device->disk->opens);
}

void block_disk_scan_partitions(struct block_device *device, bool scan)
{
	WRITE_ONCE(device->disk->scans, scan);
}

void *block_disk_private(const struct block_device *device)
{
	return device->disk->private;
}

struct block_device *block_device_whole(struct block_device *device)
{
	return device->disk->whole;
}

unsigned block_device_partition(const struct block_device *device)
{
	return device->partition;
}

u64 block_device_start(const struct block_device *device)
{
	return device->start;
}

const char *block_device_uuid(const struct block_device *device)
{
	return device->uuid;
}

bool block_device_read_only(const struct block_device *device)
{
	return device->disk->limits.read_only || READ_ONCE(device->read_only) ||
	       READ_ONCE(device->disk->whole->read_only);
}

u32 block_device_read_ahead(const struct block_device *device)
{
	return READ_ONCE(device->read_ahead);
}

u64 block_device_sequence(const struct block_device *device)
{
	return device->disk->sequence;
}

unsigned block_device_minors(const struct block_device *device)
{
	return device->disk->minors;
}

const char *block_device_label(const struct block_device *device)
{
	return device->label;
}
