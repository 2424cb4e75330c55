/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests on their way to a driver and back.
 *
 *   block_submit -> plug of the thread (neighbours merge) -> step -> driver -> block_request_finish
 *                                                             ^------ next step ------'
 *
 * (R1) A request belongs to its submitter, the plug, a disk's pending list, or the driver, one at a time.
 * (R2) The driver sees one step at a time: what the device cannot do at once (flush and write, more
 * than its limits) is done one after the other, the next step being started where the former ended, so nothing is
 * allocated. (R3) Requests that were merged hang on the first one and share its one step. (R4) When the driver is
 * full, requests wait in order in `pending`; `room` counts the driver's calls that there is room again, so that
 * one between its refusal and our look is not lost.
 */
#include <block/block_priv.h>
#include <core/irq.h>
#include <core/panic.h>
#include <core/time.h>
#include <core/wait.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <sched/thread.h>

#define PLUG_MAX 64u

enum stage { STAGE_BEFORE, STAGE_DATA, STAGE_AFTER };

/* A page of zeros for devices that cannot write them by themselves. */
static const char zeros[PAGE_SIZE] __aligned(PAGE_SIZE);

/* --- statistics --- */

static enum block_statistic statistic_of(enum block_operation operation)
{
	switch (operation) {
	case BLOCK_READ:
		return STAT_READ;
	case BLOCK_DISCARD:
		return STAT_DISCARD;
	case BLOCK_FLUSH:
		return STAT_FLUSH;
	case BLOCK_WRITE:
	case BLOCK_WRITE_ZEROES:
		break;
	}
	return STAT_WRITE;
}

static void count_start_locked(struct block_device *d, const struct block_request *r, u64 now)
{
	d->stats.writes_in_flight += r->operation != BLOCK_READ;
	if (!d->stats.in_flight++)
		d->busy_since_ns = now;
}

static void count_end_locked(struct block_device *d, const struct block_request *r, u64 now)
{
	enum block_statistic s = statistic_of(r->operation);

	d->stats.requests[s]++;
	d->stats.sectors[s] += r->sectors;
	d->stats.ns[s] += now - r->started_ns;
	d->stats.weighted_ns += now - r->started_ns;
	d->stats.writes_in_flight -= r->operation != BLOCK_READ;
	if (!--d->stats.in_flight)
		d->stats.busy_ns += now - d->busy_since_ns;
}

static void count_start(struct block_request *r)
{
	struct block_disk *disk = r->device->disk;
	irqflags_t flags = spin_lock_irqsave(&disk->lock);

	r->started_ns = clock_monotonic_ns();
	count_start_locked(r->device, r, r->started_ns);
	if (r->device != disk->whole)
		count_start_locked(disk->whole, r, r->started_ns);
	spin_unlock_irqrestore(&disk->lock, flags);
}

static void count_end(struct block_request *r)
{
	struct block_disk *disk = r->device->disk;
	irqflags_t flags = spin_lock_irqsave(&disk->lock);
	u64 now = clock_monotonic_ns();

	count_end_locked(r->device, r, now);
	if (r->device != disk->whole)
		count_end_locked(disk->whole, r, now);
	spin_unlock_irqrestore(&disk->lock, flags);
}

void block_device_stats(struct block_device *device, struct block_stats *out)
{
	struct block_disk *disk = device->disk;
	irqflags_t flags = spin_lock_irqsave(&disk->lock);

	*out = device->stats;
	if (out->in_flight)
		out->busy_ns += clock_monotonic_ns() - device->busy_since_ns;
	spin_unlock_irqrestore(&disk->lock, flags);
}

void block_device_stats_columns(struct block_device *device, u64 columns[BLOCK_STATS_COLUMNS])
{
	struct block_stats s;
	unsigned at = 0;

	block_device_stats(device, &s);
	for (unsigned kind = STAT_READ; kind <= STAT_DISCARD; kind++) {
		if (kind == STAT_DISCARD) {
			columns[at++] = s.in_flight;
			columns[at++] = s.busy_ns / NSEC_PER_MSEC;
			columns[at++] = s.weighted_ns / NSEC_PER_MSEC;
		}
		columns[at++] = s.requests[kind];
		columns[at++] = s.merged[kind];
		columns[at++] = s.sectors[kind];
		columns[at++] = s.ns[kind] / NSEC_PER_MSEC;
	}
	columns[at++] = s.requests[STAT_FLUSH];
	columns[at] = s.ns[STAT_FLUSH] / NSEC_PER_MSEC;
}

static void request_end(struct block_request *r, int status)
{
	r->status = status;
	count_end(r);
	r->done(r);
}

/* --- steps --- */

static void step_flush(struct block_request *r, enum stage stage)
{
	r->stage = stage;
	r->step = BLOCK_FLUSH;
	r->step_fua = false;
	r->step_sectors = 0;
}

/* How much of the segments from the step's begin on fits into one step; sectors. */
static u64 fitting_sectors(const struct block_request *r, const struct block_limits *limits)
{
	u64 bytes = 0, most = limits->max_sectors << SECTOR_SHIFT;
	u32 offset = r->step_offset;
	unsigned pieces = 0;

	for (unsigned i = r->step_segment; i < r->segment_count && bytes < most; i++, offset = 0) {
		u32 length = r->segments[i].length - offset;
		unsigned needed = DIV_ROUND_UP(length, limits->max_segment_size);

		if (pieces + needed > limits->max_segments) {
			bytes += (u64)(limits->max_segments - pieces) * limits->max_segment_size;
			break;
		}
		pieces += needed;
		bytes += length;
	}
	return MIN(bytes, most) >> SECTOR_SHIFT;
}

/* The next part of the data, `sectors_left` being what is still to be done. */
static void step_data(struct block_request *r)
{
	const struct block_limits *limits = &r->device->disk->limits;
	u64 most;

	r->stage = STAGE_DATA;
	r->step = r->operation;
	r->step_fua = r->operation == BLOCK_WRITE && r->flags & BLOCK_FUA && limits->fua &&
		      limits->write_cache;
	r->step_sector = r->device->start + r->sector + (r->sectors - r->sectors_left);
	if (r->operation == BLOCK_DISCARD) {
		most = limits->max_discard_sectors;
	} else if (r->operation == BLOCK_WRITE_ZEROES) {
		most = limits->max_write_zeroes_sectors;
		if (!most) {
			u64 piece = MIN((u64)limits->max_segment_size, PAGE_SIZE) >> SECTOR_SHIFT;

			r->step = BLOCK_WRITE;
			most = MIN(limits->max_segments * piece, limits->max_sectors);
		}
	} else {
		most = fitting_sectors(r, limits);
	}
	r->step_sectors = MIN(r->sectors_left, most);
	r->sectors_left -= r->step_sectors;
}

/* Moves the begin of the next step behind this one. */
static void step_advance(struct block_request *r)
{
	u64 bytes = r->step_sectors << SECTOR_SHIFT;

	while (bytes && r->step_segment < r->segment_count) {
		u32 left = r->segments[r->step_segment].length - r->step_offset;

		if (bytes < left) {
			r->step_offset += (u32)bytes;
			return;
		}
		bytes -= left;
		r->step_segment++;
		r->step_offset = 0;
	}
}

/* Prepares what follows the step that has ended. False: nothing, the request is complete. */
static bool step_next(struct block_request *r)
{
	bool cache = r->device->disk->limits.write_cache;

	switch ((enum stage)r->stage) {
	case STAGE_BEFORE:
		if (!r->sectors)
			return false;
		step_data(r);
		return true;
	case STAGE_DATA:
		if (r->sectors_left) {
			step_advance(r);
			step_data(r);
			return true;
		}
		if (r->operation != BLOCK_WRITE || !(r->flags & BLOCK_FUA) || !cache || r->step_fua)
			return false;
		step_flush(r, STAGE_AFTER);
		return true;
	case STAGE_AFTER:
		break;
	}
	return false;
}

static void step_first(struct block_request *r)
{
	bool cache = r->device->disk->limits.write_cache;

	r->merged = nullptr;
	r->sectors_left = r->sectors;
	r->step_segment = r->step_offset = 0;
	if (r->operation == BLOCK_FLUSH || (r->flags & BLOCK_PREFLUSH && cache))
		step_flush(r, STAGE_BEFORE);
	else
		step_data(r);
}

void block_cursor_init(struct block_cursor *cursor, const struct block_request *request)
{
	*cursor = (struct block_cursor){ .request = request,
					 .segment = request->step_segment,
					 .offset = request->step_offset,
					 .bytes_left = request->step_sectors << SECTOR_SHIFT };
}

bool block_cursor_next(struct block_cursor *c, paddr_t *address, u32 *length)
{
	const struct block_request *r = c->request;
	u64 most = MIN(c->bytes_left, (u64)r->device->disk->limits.max_segment_size);

	if (!c->bytes_left)
		return false;
	if (r->operation == BLOCK_WRITE_ZEROES) {
		*length = (u32)MIN(most, PAGE_SIZE);
		*address = virt_to_phys(zeros);
		c->bytes_left -= *length;
		return true;
	}
	while (c->segment == r->segment_count) {
		r = c->request = r->merged;
		c->segment = c->offset = 0;
	}
	const struct block_segment *s = &r->segments[c->segment];
	*length = (u32)MIN(most, (u64)(s->length - c->offset));
	*address = page_to_phys(s->page) + s->offset + c->offset;
	c->offset += *length;
	c->bytes_left -= *length;
	if (c->offset == s->length) {
		c->segment++;
		c->offset = 0;
	}
	return true;
}

/* --- the driver's queue --- */

static void chain_end(struct block_request *r, int status)
{
	while (r) {
		struct block_request *next = r->merged;

		r->merged = nullptr;
		request_end(r, status);
		r = next;
	}
}

/* Hands pending requests to the driver as long as it takes them. */
static void queue_run(struct block_disk *disk)
{
	irqflags_t flags = spin_lock_irqsave(&disk->lock);
	bool started = false;

	while (!list_empty(&disk->pending)) {
		struct block_request *r = list_first(&disk->pending, struct block_request, node);
		u64 room = disk->room;

		list_remove(&r->node);
		spin_unlock_irqrestore(&disk->lock, flags);
		int error = disk->removed ? -EIO : disk->ops->start(disk->whole, r);
		started |= !error;
		if (error && error != -EBUSY)
			chain_end(r, error);
		flags = spin_lock_irqsave(&disk->lock);
		if (error != -EBUSY)
			continue;
		list_add(&disk->pending, &r->node);
		if (room == disk->room)
			break;
	}
	spin_unlock_irqrestore(&disk->lock, flags);
	if (started && disk->ops->kick)
		disk->ops->kick(disk->whole);
}

static void queue_add(struct block_request *r)
{
	struct block_disk *disk = r->device->disk;
	irqflags_t flags = spin_lock_irqsave(&disk->lock);

	list_add_tail(&disk->pending, &r->node);
	spin_unlock_irqrestore(&disk->lock, flags);
}

void block_queue_room(struct block_device *device)
{
	struct block_disk *disk = device->disk;
	irqflags_t flags = spin_lock_irqsave(&disk->lock);
	bool waiting = !list_empty(&disk->pending);

	disk->room++;
	spin_unlock_irqrestore(&disk->lock, flags);
	if (waiting)
		queue_run(disk);
}

void block_request_finish(struct block_request *r, int status)
{
	/* Merged requests have one step each, and no flushes. */
	if (status || r->merged || !step_next(r)) {
		chain_end(r, status);
		return;
	}
	queue_add(r);
	queue_run(r->device->disk);
}

/* --- plugs --- */

/* The last request of a chain, whose end is the chain's. */
static struct block_request *chain_last(struct block_request *r)
{
	while (r->merged)
		r = r->merged;
	return r;
}

static unsigned chain_segments(const struct block_request *r)
{
	unsigned n = 0;

	for (; r; r = r->merged)
		n += r->segment_count;
	return n;
}

/* Appends `r` to the chain `to` if both are whole steps of the same kind that touch each other. */
static bool try_merge(struct block_request *to, struct block_request *r)
{
	struct block_disk *disk = to->device->disk;
	const struct block_limits *limits = &disk->limits;

	if (r->device != to->device || r->step != to->step || r->step_fua != to->step_fua ||
	    (r->step != BLOCK_READ && r->step != BLOCK_WRITE) || r->operation != to->operation ||
	    r->operation == BLOCK_WRITE_ZEROES || r->sectors_left || to->sectors_left ||
	    (r->flags | to->flags) & (BLOCK_PREFLUSH | BLOCK_FUA) ||
	    to->step_sector + to->step_sectors != r->step_sector ||
	    to->step_sectors + r->step_sectors > limits->max_sectors ||
	    chain_segments(to) + r->segment_count > limits->max_segments)
		return false;
	for (unsigned i = 0; i < r->segment_count; i++)
		if (r->segments[i].length > limits->max_segment_size)
			return false;
	chain_last(to)->merged = r;
	to->step_sectors += r->step_sectors;
	irqflags_t flags = spin_lock_irqsave(&disk->lock);
	r->device->stats.merged[statistic_of(r->operation)]++;
	if (r->device != disk->whole)
		disk->whole->stats.merged[statistic_of(r->operation)]++;
	spin_unlock_irqrestore(&disk->lock, flags);
	return true;
}

static void plug_add(struct block_plug *plug, struct block_request *r)
{
	/* Streams end in one of the last few requests. */
	struct list_head *at = plug->requests.prev;

	for (unsigned i = 0; i < 4 && at != &plug->requests; i++, at = at->prev)
		if (try_merge(list_entry(at, struct block_request, node), r))
			return;
	list_add_tail(&plug->requests, &r->node);
	plug->count++;
}

static void plug_submit(struct block_plug *plug)
{
	while (!list_empty(&plug->requests)) {
		struct block_disk *disk =
			list_first(&plug->requests, struct block_request, node)->device->disk;
		struct list_head *node = plug->requests.next;

		while (node != &plug->requests) {
			struct block_request *r = list_entry(node, struct block_request, node);

			node = node->next;
			if (r->device->disk != disk)
				continue;
			list_remove(&r->node);
			plug->count--;
			queue_add(r);
		}
		queue_run(disk);
	}
}

void block_plug_start(struct block_plug *plug)
{
	struct thread *t = current_thread();

	list_init(&plug->requests);
	plug->count = 0;
	plug->outer = t->block_plug;
	if (!plug->outer)
		t->block_plug = plug;
}

void block_plug_finish(struct block_plug *plug)
{
	if (plug->outer)
		return;
	current_thread()->block_plug = nullptr;
	plug_submit(plug);
}

void block_plug_flush(void)
{
	struct block_plug *plug = current_thread()->block_plug;

	if (!plug)
		return;
	/* What completes at once may submit more. */
	current_thread()->block_plug = nullptr;
	plug_submit(plug);
	current_thread()->block_plug = plug;
}

/* --- submitting --- */

static int request_check(const struct block_request *r)
{
	const struct block_device *d = r->device;
	const struct block_limits *limits = &d->disk->limits;
	u64 grain = limits->logical_block >> SECTOR_SHIFT;

	if (r->operation != BLOCK_READ && r->operation != BLOCK_FLUSH && limits->read_only)
		return -EROFS;
	if (d->disk->removed)
		return -EIO;
	if (r->operation == BLOCK_DISCARD && !limits->max_discard_sectors)
		return -EOPNOTSUPP;
	if (r->sector > d->sectors || r->sectors > d->sectors - r->sector)
		return -EIO;
	if ((r->sector | r->sectors) & (grain - 1))
		return -EINVAL;
	return 0;
}

void block_submit(struct block_request *r)
{
	struct block_plug *plug = in_interrupt() ? nullptr : current_thread()->block_plug;
	int error = request_check(r);
	bool nothing = r->operation == BLOCK_FLUSH ? !r->device->disk->limits.write_cache
						   : !r->sectors && !(r->flags & BLOCK_PREFLUSH);

	count_start(r);
	if (error || nothing) {
		request_end(r, error);
		return;
	}
	step_first(r);
	if (r->step != BLOCK_FLUSH && !r->step_sectors) {
		/* A write without sectors that needs no flush before it. */
		request_end(r, 0);
		return;
	}
	if (plug) {
		plug_add(plug, r);
		if (plug->count >= PLUG_MAX)
			block_plug_flush();
		return;
	}
	queue_add(r);
	queue_run(r->device->disk);
}

static void execute_done(struct block_request *r)
{
	complete(r->private);
}

int block_execute(struct block_request *r)
{
	struct completion done;

	completion_init(&done);
	r->done = execute_done;
	r->private = &done;
	block_submit(r);
	block_plug_flush();
	(void)wait_for_completion(&done, SLEEP_UNINTERRUPTIBLE);
	return r->status;
}

static int execute_kernel(struct block_device *device, enum block_operation operation, u64 offset,
			  void *memory, size_t size)
{
	int error = -EINVAL;

	if ((offset | size) & (device->disk->limits.logical_block - 1))
		return error;
	/* Through a page of our own: the caller's memory may be anywhere. */
	struct page *page = page_alloc(0, 0);
	if (!page)
		return -ENOMEM;
	for (error = 0; size && !error;) {
		u32 piece = (u32)MIN(size, PAGE_SIZE);
		struct block_segment segment = { .page = page, .length = piece };
		struct block_request r = { .device = device,
					   .operation = operation,
					   .flags = BLOCK_SYNC,
					   .sector = offset >> SECTOR_SHIFT,
					   .sectors = piece >> SECTOR_SHIFT,
					   .segments = &segment,
					   .segment_count = 1 };

		if (operation == BLOCK_WRITE)
			memcpy(page_address(page), memory, piece);
		error = block_execute(&r);
		if (!error && operation == BLOCK_READ)
			memcpy(memory, page_address(page), piece);
		memory = (char *)memory + piece;
		offset += piece;
		size -= piece;
	}
	page_put(page);
	return error;
}

int block_read_kernel(struct block_device *device, u64 offset, void *to, size_t size)
{
	return execute_kernel(device, BLOCK_READ, offset, to, size);
}

int block_write_kernel(struct block_device *device, u64 offset, const void *from, size_t size)
{
	return execute_kernel(device, BLOCK_WRITE, offset, (void *)from, size);
}

int block_flush(struct block_device *device)
{
	struct block_request r = { .device = device, .operation = BLOCK_FLUSH };

	return block_execute(&r);
}

int block_discard(struct block_device *device, u64 sector, u64 sectors)
{
	struct block_request r = {
		.device = device, .operation = BLOCK_DISCARD, .sector = sector, .sectors = sectors
	};

	return block_execute(&r);
}
