/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks and partitions that come and go. Changes of the partitions of one disk exclude each other by disk->partition_lock; a
 * device leaves the list while nobody has it open, in one step with that check, and is then taken out of /dev.
 */
#include <block/block_file.h>
#include <block/block_priv.h>
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/memory_object.h>
#include <mm/slab.h>
#include <obj/inode.h>

static int device_create(struct block_disk *disk, const char *name, u64 number, u64 start,
			 u64 sectors, struct block_device **out)
{
	struct block_device *d = kzalloc(sizeof(*d), 0);
	int error = -ENOMEM;

	if (!d)
		return error;
	d->disk = disk;
	d->refs = 1;
	d->number = number;
	d->start = start;
	d->sectors = sectors;
	d->block_size = PAGE_SIZE;
	d->read_ahead = BLOCK_READ_AHEAD_DEFAULT;
	list_init(&d->node);
	(void)string_copy(d->name, name, sizeof(d->name));
	if (block_hooks.object_create) {
		error = block_hooks.object_create(d, &d->object);
		if (error) {
			kfree(d);
			return error;
		}
	}
	*out = d;
	return 0;
}

/* Where a device stands: behind the partitions of its disk with lower numbers. */
static struct list_head *place_locked(struct block_device *d) __must_hold(&block_list_lock)
{
	struct list_head *at = block_devices.prev;
	struct block_device *other;

	if (!d->partition)
		return at;
	list_for_each (other, &block_devices, node)
		if (other->disk == d->disk && other->partition < d->partition)
			at = &other->node;
	return at;
}

static bool number_taken_locked(u64 number) __must_hold(&block_list_lock)
{
	struct block_device *d;

	list_for_each (d, &block_devices, node)
		if (d->number == number)
			return true;
	return false;
}

static u64 free_number_locked(void) __must_hold(&block_list_lock)
{
	u32 minor = 0;

	while (number_taken_locked(device_make(BLOCK_EXT_MAJOR, minor)))
		minor++;
	return device_make(BLOCK_EXT_MAJOR, minor);
}

/* Lists a device, with a number of the common major if it has none; the caller's reference becomes the list's. */
static int device_list(struct block_device *d)
{
	struct block_device *other;

	mutex_lock(&block_list_lock);
	if (!d->number)
		d->number = free_number_locked();
	list_for_each (other, &block_devices, node) {
		if (strcmp(other->name, d->name) == 0 || other->number == d->number) {
			mutex_unlock(&block_list_lock);
			return -EEXIST;
		}
	}
	list_add(place_locked(d), &d->node);
	d->listed = true;
	mutex_unlock(&block_list_lock);
	if (block_hooks.added)
		block_hooks.added(d);
	return 0;
}

/* It has left the list. */
static void device_gone(struct block_device *d)
{
	if (block_hooks.removed)
		block_hooks.removed(d);
	block_device_put(d);
}

static void unlist_locked(struct block_device *d) __must_hold(&block_list_lock)
{
	list_remove(&d->node);
	d->listed = false;
}

/*
 * Takes a partition of the disk from the list into *out: the one with this number, or any (0). -ENXIO: there is none; -EBUSY,
 * unless forced: it is open.
 */
static int partition_take(struct block_disk *disk, unsigned number, bool force,
			  struct block_device **out)
{
	struct block_device *d;

	mutex_guard(&block_list_lock);
	list_for_each (d, &block_devices, node) {
		if (d->disk != disk || !d->partition || (number && d->partition != number))
			continue;
		if (d->opens && !force)
			return -EBUSY;
		unlist_locked(d);
		*out = d;
		return 0;
	}
	return -ENXIO;
}

static bool partitions_in_use(struct block_disk *disk)
{
	struct block_device *d;

	mutex_guard(&block_list_lock);
	list_for_each (d, &block_devices, node) {
		if (d->disk == disk && d->partition && d->opens)
			return true;
	}
	return false;
}

static int partition_add_locked(struct block_device *whole, unsigned number,
				const struct block_partition *p)
	__must_hold(&whole->disk->partition_lock)
{
	struct block_device *d;
	size_t length = strlen(whole->name);
	bool digit = whole->name[length - 1] >= '0' && whole->name[length - 1] <= '9';
	char name[24];

	(void)snprintf(name, sizeof(name), "%s%s%u", whole->name, digit ? "p" : "", number);
	int error = device_create(whole->disk, name,
				  number < whole->disk->minors ? whole->number + number : 0,
				  p->start, p->sectors, &d);
	if (error)
		return error;
	d->partition = number;
	memcpy(d->uuid, p->uuid, sizeof(d->uuid));
	memcpy(d->label, p->label, sizeof(d->label));
	block_device_get(whole);
	error = device_list(d);
	if (error)
		block_device_put(d);
	return error;
}

int block_disk_set_partitions(struct block_device *whole, const struct block_partition *partitions,
			      unsigned count)
{
	struct block_disk *disk = whole->disk;
	struct block_device *d;
	int result = 0, error;

	mutex_guard(&disk->partition_lock);
	if (partitions_in_use(disk))
		return -EBUSY;
	while (!(error = partition_take(disk, 0, false, &d)))
		device_gone(d);
	if (error == -EBUSY)
		return error;
	for (unsigned i = 0; i < count && i < BLOCK_PARTITIONS_MAX; i++) {
		const struct block_partition *p = &partitions[i];
		u64 end;

		if (!p->sectors || add_overflows(p->start, p->sectors, &end) ||
		    end > whole->sectors)
			continue;
		error = partition_add_locked(whole, i + 1, p);
		result = result ?: error;
	}
	return result;
}

/* 0 if the range is on the disk and no partition but `except` has a part of it or the number. */
static int check_free(struct block_device *whole, unsigned number, u64 start, u64 sectors,
		      bool resize)
{
	struct block_device *d;
	u64 end;

	if (!sectors || add_overflows(start, sectors, &end) || end > whole->sectors)
		return -EINVAL;
	mutex_guard(&block_list_lock);
	list_for_each (d, &block_devices, node) {
		if (d->disk != whole->disk || !d->partition || (resize && d->partition == number))
			continue;
		if (d->partition == number || (d->start < end && start < d->start + d->sectors))
			return -EBUSY;
	}
	return 0;
}

int block_partition_add(struct block_device *whole, unsigned number, u64 start, u64 sectors)
{
	struct block_partition p = { .start = start, .sectors = sectors };

	if (!number || number > BLOCK_PARTITIONS_MAX)
		return -EINVAL;
	mutex_guard(&whole->disk->partition_lock);
	int error = check_free(whole, number, start, sectors, false);
	return error ?: partition_add_locked(whole, number, &p);
}

int block_partition_delete(struct block_device *whole, unsigned number)
{
	struct block_device *d;

	mutex_guard(&whole->disk->partition_lock);
	int error = number ? partition_take(whole->disk, number, false, &d) : -ENXIO;
	if (!error)
		device_gone(d);
	return error;
}

int block_partition_resize(struct block_device *whole, unsigned number, u64 start, u64 sectors)
{
	struct block_device *d;
	bool found = false;

	mutex_guard(&whole->disk->partition_lock);
	mutex_lock(&block_list_lock);
	list_for_each (d, &block_devices, node) {
		if (d->disk == whole->disk && d->partition == number && number) {
			block_device_get(d);
			found = true;
			break;
		}
	}
	mutex_unlock(&block_list_lock);
	if (!found)
		return -ENXIO;
	int error = d->start == start ? check_free(whole, number, start, sectors, true) : -EINVAL;
	if (!error)
		block_disk_resize(d, sectors);
	block_device_put(d);
	return error;
}

static void sequence_next(struct block_disk *disk)
{
	static u64 sequence; /* atomic */

	WRITE_ONCE(disk->sequence, __atomic_add_fetch(&sequence, 1, __ATOMIC_RELAXED));
}

/* Nobody else knows of the disk. */
static void disk_init(struct block_disk *disk) __no_lock_analysis
{
	spin_init(&disk->lock, RANK_BLOCK_QUEUE);
	mutex_init(&disk->partition_lock, RANK_BLOCK_PARTITIONS);
	list_init(&disk->pending);
}

int block_disk_add(const char *name, u64 number, unsigned minors, const struct block_limits *limits,
		   u64 sectors, const struct block_driver_ops *ops, void *driver_private,
		   struct block_device **out)
{
	struct block_disk *disk = kzalloc(sizeof(*disk), 0);
	int error;

	ASSERT(limits->max_segments && limits->max_segment_size >= PAGE_SIZE &&
	       limits->max_sectors);
	if (!disk)
		return -ENOMEM;
	disk_init(disk);
	disk->ops = ops;
	disk->private = driver_private;
	disk->limits = *limits;
	disk->minors = minors;
	disk->scans = minors > 1;
	sequence_next(disk);
	error = device_create(disk, name, number, 0, sectors, &disk->whole);
	if (error) {
		kfree(disk);
		return error;
	}
	*out = disk->whole;
	block_device_get(disk->whole); /* the list's; the first one is the driver's */
	error = device_list(disk->whole);
	if (error) {
		block_device_put(disk->whole);
		block_device_put(disk->whole);
		return error;
	}
	if (block_hooks.scan && sectors && disk->scans)
		block_hooks.scan(disk->whole);
	return 0;
}

void block_disk_remove(struct block_device *whole)
{
	struct block_disk *disk = whole->disk;
	struct block_device *d;

	WRITE_ONCE(disk->removed, true);
	block_queue_room(whole);
	mutex_lock(&disk->partition_lock);
	while (!partition_take(disk, 0, true, &d))
		device_gone(d);
	mutex_unlock(&disk->partition_lock);
	mutex_lock(&block_list_lock);
	unlist_locked(whole);
	mutex_unlock(&block_list_lock);
	device_gone(whole);
	block_device_put(whole);
}

void block_disk_new_medium(struct block_device *whole, const struct block_limits *limits,
			   u64 sectors)
{
	whole->disk->limits = *limits;
	WRITE_ONCE(whole->read_only, false);
	sequence_next(whole->disk);
	block_disk_resize(whole, sectors);
}

void block_disk_resize(struct block_device *device, u64 sectors)
{
	u64 old = device->sectors << SECTOR_SHIFT, size = sectors << SECTOR_SHIFT;

	WRITE_ONCE(device->sectors, sectors);
	if (!device->object)
		return;
	/* A page that was cached across the old end has zeros behind it. */
	if (size > old)
		(void)memory_object_drop_clean(device->object, ALIGN_DOWN(old, PAGE_SIZE), size);
	memory_object_truncate(device->object, size);
}
