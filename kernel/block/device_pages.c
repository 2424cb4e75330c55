/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page cache of block devices: what /dev/vda1 shows, and where file systems keep their metadata.
 * Runs of pages become one request each; without memory for that, one page after the other.
 */
#include <block/block_file.h>
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/memory_object.h>
#include <mm/slab.h>

struct block_pages {
	struct memory_object object;
	struct block_device *device; /* which owns this, and is pinned while pages are dirty */
};

struct page_io {
	struct block_request request;
	struct block_segment *segments;
	struct page **pages;
};

static struct block_device *device_of(struct memory_object *object)
{
	return container_of(object, struct block_pages, object)->device;
}

static void page_done(struct block_request *r, struct page *page)
{
	if (r->operation == BLOCK_READ)
		memory_object_filled(page, r->status);
	else
		memory_object_written(page, r->status);
}

static void io_done(struct block_request *r)
{
	struct page_io *io = (struct page_io *)r;

	for (unsigned i = 0; i < r->segment_count; i++)
		page_done(r, io->pages[i]);
	kfree(io);
}

/* The bytes of a page that are on the device; what lies behind its end reads as zeros. */
static u32 page_bytes(struct block_device *device, struct page *page)
{
	u64 at = page->index << PAGE_SHIFT, size = block_device_sectors(device) << SECTOR_SHIFT;
	u32 bytes = at < size ? (u32)MIN(PAGE_SIZE, size - at) : 0;

	if (bytes < PAGE_SIZE)
		memset((char *)page_address(page) + bytes, 0, PAGE_SIZE - bytes);
	return bytes;
}

static void prepare(struct block_request *r, struct block_device *device,
		    enum block_operation operation, struct page **pages, unsigned count,
		    struct block_segment *segments, u32 flags)
{
	*r = (struct block_request){ .device = device,
				     .operation = operation,
				     .flags = flags,
				     .sector = pages[0]->index << (PAGE_SHIFT - SECTOR_SHIFT),
				     .segments = segments };
	for (unsigned i = 0; i < count; i++) {
		u32 bytes = page_bytes(device, pages[i]);

		if (!bytes)
			break;
		segments[r->segment_count++] =
			(struct block_segment){ .page = pages[i], .length = bytes };
		r->sectors += bytes >> SECTOR_SHIFT;
	}
}

static void one_by_one(struct block_device *device, enum block_operation operation,
		       struct page **pages, unsigned count, u32 flags)
{
	for (unsigned i = 0; i < count; i++) {
		struct block_segment segment;
		struct block_request r;

		prepare(&r, device, operation, &pages[i], 1, &segment, flags);
		if (r.segment_count)
			(void)block_execute(&r);
		page_done(&r, pages[i]);
	}
}

static void transfer(struct block_device *device, enum block_operation operation,
		     struct page **pages, unsigned count, u32 flags)
{
	struct page_io *io = kmalloc(
		sizeof(*io) + count * (sizeof(struct block_segment) + sizeof(struct page *)), 0);

	if (!io) {
		one_by_one(device, operation, pages, count, flags);
		return;
	}
	io->segments = (struct block_segment *)(io + 1);
	io->pages = (struct page **)(io->segments + count);
	memcpy(io->pages, pages, count * sizeof(struct page *));
	prepare(&io->request, device, operation, pages, count, io->segments, flags);
	io->request.done = io_done;
	/* The device may have shrunk: pages behind its end have nowhere to go. */
	unsigned within = io->request.segment_count;
	if (within)
		block_submit(&io->request);
	else
		kfree(io);
	for (unsigned i = within; i < count; i++) {
		struct block_request none = { .operation = operation };

		page_done(&none, pages[i]);
	}
}

static void fill_pages(struct memory_object *object, struct page **pages, unsigned count)
{
	transfer(device_of(object), BLOCK_READ, pages, count, count > 1 ? BLOCK_READ_AHEAD : 0);
}

static void write_back_pages(struct memory_object *object, struct page **pages, unsigned count,
			     bool sync)
{
	transfer(device_of(object), BLOCK_WRITE, pages, count, sync ? BLOCK_SYNC : 0);
}

static void dirtied(struct memory_object *object)
{
	block_device_get(device_of(object));
}

static void cleaned(struct memory_object *object)
{
	block_device_put(device_of(object));
}

static void destroy(struct memory_object *object)
{
	kfree(container_of(object, struct block_pages, object));
}

static const struct memory_object_ops device_object_ops = {
	.fill_pages = fill_pages,
	.write_back_pages = write_back_pages,
	.dirtied = dirtied,
	.cleaned = cleaned,
	.destroy = destroy,
};

int block_pages_create(struct block_device *device, struct memory_object **out)
{
	struct block_pages *pages = kzalloc(sizeof(*pages), 0);

	if (!pages)
		return -ENOMEM;
	pages->device = device;
	memory_object_init(&pages->object, &device_object_ops,
			   block_device_sectors(device) << SECTOR_SHIFT);
	pages->object.group = device;
	*out = &pages->object;
	return 0;
}

void block_pages_destroy(struct block_device *device, struct memory_object *object)
{
	memory_object_put(object);
}
