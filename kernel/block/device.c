/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block devices: disks and their partitions, found by number and name, opened and claimed.
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

static struct mutex list_lock = MUTEX_INIT(RANK_BLOCK_DEVICES);
static struct list_head devices __guarded_by(&list_lock) = LIST_INIT(devices);

void block_device_get(struct block_device *device)
{
	__atomic_fetch_add(&device->refs, 1, __ATOMIC_RELAXED);
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
		kfree(disk);
	kfree(device);
}

/* --- finding --- */

static int find(bool (*matches)(const struct block_device *device, const void *what),
		const void *what, struct block_device **out)
{
	struct block_device *d;

	mutex_guard(&list_lock);
	list_for_each (d, &devices, node) {
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

	mutex_guard(&list_lock);
	list_for_each (d, &devices, node)
		if (!visit(d, arg))
			break;
}

/* --- opening --- */

static bool claim_conflicts_locked(const struct block_device *device, const void *holder)
	__must_hold(&list_lock)
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
	if (write && device->disk->limits.read_only)
		return -EROFS;
	mutex_guard(&list_lock);
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
	device->writers += write;
	block_device_get(device);
	return 0;
}

void block_device_close(struct block_device *device, bool write, const void *holder)
{
	mutex_lock(&list_lock);
	device->opens--;
	device->writers -= write;
	if (holder) {
		ASSERT(device->holder == holder);
		device->holder = nullptr;
		if (device->partition)
			device->disk->partition_holders--;
		else
			device->disk->holder = nullptr;
	}
	mutex_unlock(&list_lock);
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

const char *block_device_label(const struct block_device *device)
{
	return device->label;
}

/* --- coming and going --- */

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

/* Lists a device behind `after` (null: at the end); the caller's reference becomes the list's. */
static int device_list(struct block_device *d, struct block_device *after)
{
	struct block_device *other;

	mutex_lock(&list_lock);
	list_for_each (other, &devices, node) {
		if (strcmp(other->name, d->name) == 0 || other->number == d->number) {
			mutex_unlock(&list_lock);
			return -EEXIST;
		}
	}
	if (after)
		list_add(&after->node, &d->node);
	else
		list_add_tail(&devices, &d->node);
	d->listed = true;
	mutex_unlock(&list_lock);
	if (block_hooks.added)
		block_hooks.added(d);
	return 0;
}

static void device_unlist(struct block_device *d)
{
	mutex_lock(&list_lock);
	list_remove(&d->node);
	d->listed = false;
	mutex_unlock(&list_lock);
	if (block_hooks.removed)
		block_hooks.removed(d);
	block_device_put(d);
}

/* A partition of the disk, with a reference; null if there is none. */
static struct block_device *any_partition(struct block_disk *disk)
{
	struct block_device *d;

	mutex_guard(&list_lock);
	list_for_each (d, &devices, node) {
		if (d->disk == disk && d->partition)
			return d;
	}
	return nullptr;
}

static bool partitions_in_use(struct block_disk *disk)
{
	struct block_device *d;

	mutex_guard(&list_lock);
	list_for_each (d, &devices, node) {
		if (d->disk == disk && d->partition && d->opens)
			return true;
	}
	return false;
}

static int partition_add(struct block_device *whole, unsigned number,
			 const struct block_partition *p, struct block_device *after,
			 struct block_device **out)
{
	struct block_device *d;
	size_t length = strlen(whole->name);
	bool digit = whole->name[length - 1] >= '0' && whole->name[length - 1] <= '9';
	char name[24];

	(void)snprintf(name, sizeof(name), "%s%s%u", whole->name, digit ? "p" : "", number);
	int error =
		device_create(whole->disk, name, whole->number + number, p->start, p->sectors, &d);
	if (error)
		return error;
	d->partition = number;
	memcpy(d->uuid, p->uuid, sizeof(d->uuid));
	memcpy(d->label, p->label, sizeof(d->label));
	block_device_get(whole);
	error = device_list(d, after);
	if (error)
		block_device_put(d);
	else
		*out = d;
	return error;
}

int block_disk_set_partitions(struct block_device *disk, const struct block_partition *partitions,
			      unsigned count)
{
	struct block_device *last = disk, *d;
	int result = 0;

	if (partitions_in_use(disk->disk))
		return -EBUSY;
	while ((d = any_partition(disk->disk)))
		device_unlist(d);
	for (unsigned i = 0; i < count && i + 1 < disk->disk->minors; i++) {
		const struct block_partition *p = &partitions[i];
		u64 end;

		if (!p->sectors || add_overflows(p->start, p->sectors, &end) || end > disk->sectors)
			continue;
		int error = partition_add(disk, i + 1, p, last, &last);
		result = result ?: error;
	}
	return result;
}

/* Nobody else knows of the disk. */
static void disk_init(struct block_disk *disk) __no_lock_analysis
{
	spin_init(&disk->lock, RANK_BLOCK_QUEUE);
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
	static u64 sequence; /* atomic */
	disk->minors = minors;
	disk->sequence = __atomic_add_fetch(&sequence, 1, __ATOMIC_RELAXED);
	error = device_create(disk, name, number, 0, sectors, &disk->whole);
	if (error) {
		kfree(disk);
		return error;
	}
	*out = disk->whole;
	block_device_get(disk->whole); /* the list's; the first one is the driver's */
	error = device_list(disk->whole, nullptr);
	if (error) {
		block_device_put(disk->whole);
		block_device_put(disk->whole);
		return error;
	}
	if (block_hooks.scan && sectors && minors > 1)
		block_hooks.scan(disk->whole);
	return 0;
}

void block_disk_remove(struct block_device *whole)
{
	struct block_disk *disk = whole->disk;
	struct block_device *d;

	WRITE_ONCE(disk->removed, true);
	block_queue_room(whole);
	while ((d = any_partition(disk)))
		device_unlist(d);
	device_unlist(whole);
	block_device_put(whole);
}

void block_disk_resize(struct block_device *device, u64 sectors)
{
	WRITE_ONCE(device->sectors, sectors);
	if (device->object)
		WRITE_ONCE(device->object->size, sectors << SECTOR_SHIFT);
}
