/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks of host tests. */
#include "disk.h"
#include "host.h"

#include <core/panic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/slab.h>

struct event {
	struct event *next;
	enum block_operation step;
	bool durable; /* FUA */
	u64 sector, sectors;
	u8 data[];
};

struct host_disk {
	struct block_device *device;
	struct host_disk_options options;
	u8 *data, *before;	  /* before: contents when recording began */
	struct list_head waiting; /* asynchronous: by block_request.node */
	unsigned waiting_count;
	u64 random;
	struct {
		enum block_operation operation;
		u64 first, last;
		int status;
		unsigned skip;
	} fault;
	struct event *events, **events_end;
	unsigned event_count;
};

static struct host_disk *idle_disk; /* the one whose requests complete while the thread sleeps */

static u64 random_next(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void record(struct host_disk *disk, const struct block_request *r)
{
	size_t size = r->step == BLOCK_WRITE ? r->step_sectors << SECTOR_SHIFT : 0;
	struct event *e;

	if (!disk->before || r->step == BLOCK_READ)
		return;
	e = host_alloc(sizeof(*e) + size);
	*e = (struct event){ .step = r->step,
			     .durable = r->step_fua || !disk->options.write_cache,
			     .sector = r->step_sector,
			     .sectors = r->step_sectors };
	memcpy(e->data, disk->data + (r->step_sector << SECTOR_SHIFT), size);
	*disk->events_end = e;
	disk->events_end = &e->next;
	disk->event_count++;
}

static int injected(struct host_disk *disk, const struct block_request *r)
{
	if (!disk->fault.status || r->step != disk->fault.operation)
		return 0;
	if (r->step != BLOCK_FLUSH && (r->step_sector + r->step_sectors <= disk->fault.first ||
				       r->step_sector > disk->fault.last))
		return 0;
	if (disk->fault.skip) {
		disk->fault.skip--;
		return 0;
	}
	return disk->fault.status;
}

static void transfer(struct host_disk *disk, const struct block_request *r)
{
	u8 *at = disk->data + (r->step_sector << SECTOR_SHIFT);
	struct block_cursor cursor;
	paddr_t address;
	u32 length;

	ASSERT(r->step_sector + r->step_sectors <= disk->options.sectors);
	if (r->step == BLOCK_WRITE_ZEROES || r->step == BLOCK_DISCARD) {
		memset(at, r->step == BLOCK_DISCARD ? 0xdd : 0, r->step_sectors << SECTOR_SHIFT);
		return;
	}
	block_cursor_init(&cursor, r);
	while (block_cursor_next(&cursor, &address, &length)) {
		if (r->step == BLOCK_READ)
			memcpy(phys_to_virt(address), at, length);
		else
			memcpy(at, phys_to_virt(address), length);
		at += length;
	}
}

static void carry_out(struct host_disk *disk, struct block_request *r)
{
	int status = injected(disk, r);

	if (!status && r->step != BLOCK_FLUSH)
		transfer(disk, r);
	if (!status)
		record(disk, r);
	block_request_finish(r, status);
}

static int start(struct block_device *device, struct block_request *r)
{
	struct host_disk *disk = block_disk_private(device);

	if (!disk->options.asynchronous) {
		carry_out(disk, r);
		return 0;
	}
	if (disk->waiting_count == 32)
		return -EBUSY;
	list_add_tail(&disk->waiting, &r->node);
	disk->waiting_count++;
	return 0;
}

/* The thread sleeps: one of the waiting requests completes. False: there is none. */
bool host_disk_idle(void)
{
	struct host_disk *disk = idle_disk;

	if (!disk || !disk->waiting_count)
		return false;
	struct list_head *node = disk->waiting.next;
	for (u64 n = random_next(&disk->random) % disk->waiting_count; n; n--)
		node = node->next;
	list_remove(node);
	disk->waiting_count--;
	carry_out(disk, list_entry(node, struct block_request, node));
	block_queue_room(disk->device);
	return true;
}

static const struct block_driver_ops ops = { .start = start };

int host_disk_create(const char *name, const struct host_disk_options *options,
		     struct host_disk **out)
{
	static unsigned minor;
	struct block_limits limits = {
		.logical_block = options->logical_block ?: SECTOR_SIZE,
		.physical_block = 4096,
		.max_segments = 32,
		.max_segment_size = 65536,
		.max_sectors = 2048,
		.max_discard_sectors = 8192,
		.max_write_zeroes_sectors = options->asynchronous ? 0 : 4096,
		.write_cache = options->write_cache,
		.fua = options->fua,
		.read_only = options->read_only,
	};
	struct host_disk *disk = kzalloc(sizeof(*disk), 0);
	int error;

	if (!disk)
		return -ENOMEM;
	disk->options = *options;
	disk->random = options->seed * 2654435761u + 88172645463325252ull;
	disk->data = kzalloc(options->sectors << SECTOR_SHIFT, 0);
	list_init(&disk->waiting);
	disk->events_end = &disk->events;
	error = disk->data ? block_disk_add(name, 0x100 + 16 * minor++, 16, &limits,
					    options->sectors, &ops, disk, &disk->device)
			   : -ENOMEM;
	if (error) {
		kfree(disk->data);
		kfree(disk);
		return error;
	}
	idle_disk = disk;
	*out = disk;
	return 0;
}

void host_disk_destroy(struct host_disk *disk)
{
	while (idle_disk == disk && host_disk_idle())
		;
	ASSERT(!disk->waiting_count);
	if (idle_disk == disk)
		idle_disk = nullptr;
	block_disk_remove(disk->device);
	while (disk->events) {
		struct event *e = disk->events;

		disk->events = e->next;
		host_free(e);
	}
	kfree(disk->before);
	kfree(disk->data);
	kfree(disk);
}

struct block_device *host_disk_device(struct host_disk *disk)
{
	return disk->device;
}

u8 *host_disk_data(struct host_disk *disk)
{
	return disk->data;
}

long host_disk_load(struct host_disk *disk, const char *path)
{
	return host_file_read(path, disk->data, (long)(disk->options.sectors << SECTOR_SHIFT));
}

int host_disk_save(struct host_disk *disk, const char *path)
{
	return host_file_write(path, disk->data, (long)(disk->options.sectors << SECTOR_SHIFT));
}

void host_disk_fail(struct host_disk *disk, enum block_operation operation, u64 first, u64 last,
		    int status, unsigned skip)
{
	disk->fault.operation = operation;
	disk->fault.first = first;
	disk->fault.last = last;
	disk->fault.status = status;
	disk->fault.skip = skip;
}

bool host_disk_record(struct host_disk *disk)
{
	size_t size = disk->options.sectors << SECTOR_SHIFT;

	ASSERT(!disk->before);
	disk->before = kmalloc(size, 0);
	if (disk->before)
		memcpy(disk->before, disk->data, size);
	return disk->before;
}

unsigned host_disk_recorded(const struct host_disk *disk)
{
	return disk->event_count;
}

/* Where the last flush before event `events` lies: writes in front of it are on the medium. */
static unsigned last_flush(const struct host_disk *disk, unsigned events)
{
	unsigned at = 0, last = 0;

	for (const struct event *e = disk->events; e && at < events; e = e->next, at++)
		if (e->step == BLOCK_FLUSH)
			last = at;
	return last;
}

static void apply(const struct event *e, u8 *image, bool whole, u64 *random)
{
	for (u64 i = 0; i < e->sectors; i++) {
		u8 *to = image + ((e->sector + i) << SECTOR_SHIFT);

		if (!whole && random_next(random) % 8 == 0)
			continue;
		if (e->step == BLOCK_WRITE)
			memcpy(to, e->data + (i << SECTOR_SHIFT), SECTOR_SIZE);
		else
			memset(to, e->step == BLOCK_DISCARD ? 0xdd : 0, SECTOR_SIZE);
	}
}

void host_disk_crash(const struct host_disk *disk, unsigned events, u64 seed, u8 *image)
{
	unsigned flushed = last_flush(disk, events), at = 0;
	u64 random = seed * 2654435761u + 88172645463325252ull;

	memcpy(image, disk->before, disk->options.sectors << SECTOR_SHIFT);
	for (const struct event *e = disk->events; e && at < events; e = e->next, at++) {
		bool sure = at < flushed || e->durable;

		if (e->step == BLOCK_FLUSH || (!sure && random_next(&random) % 3 == 0))
			continue;
		apply(e, image, sure || random_next(&random) % 4, &random);
	}
}
