/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Transfers between user memory and a device without the page cache: O_DIRECT (open(2)). */
#include <block/block_file.h>
#include <core/wait.h>
#include <lib/errno.h>
#include <mm/aspace.h>
#include <mm/frame.h>
#include <mm/iter.h>
#include <mm/memory_object.h>

#define PIECES 64u

/* One request's worth of pinned pages. */
struct direct_batch {
	struct block_segment segments[PIECES];
	unsigned count;
	size_t bytes;
};

/* The page behind an address with a reference; a page of zeros of our own for memory that was never written. */
static int pin(vaddr_t at, bool write, struct page **out)
{
	struct memory_object *object;
	u64 index;
	int error = aspace_pin_page(current_aspace(), at, write, out, &object, &index);

	if (error)
		return error;
	if (object)
		memory_object_put(object);
	if (!*out)
		*out = write ? nullptr : page_alloc(0, ALLOC_ZERO | ALLOC_USER);
	return *out ? 0 : -ENOMEM;
}

/* Pins the pages of the iterator's next bytes, at most `size`; moves it on. 0 or -errno. */
static int batch_pin(struct direct_batch *batch, struct iter *it, size_t size, u32 grain, bool read)
{
	batch->count = 0;
	batch->bytes = 0;
	while (size && batch->count < PIECES) {
		iter_next_segment(it);
		u32 offset = (u32)((vaddr_t)it->address & ~PAGE_MASK);
		size_t most = MIN(size, it->segment);
		u32 length = (u32)MIN(most, PAGE_SIZE - offset);
		struct page *page;
		int error = -EINVAL;

		if (!((offset | length) & (grain - 1)))
			error = pin((vaddr_t)it->address, read, &page);
		if (error)
			return batch->bytes ? 0 : error;
		batch->segments[batch->count++] =
			(struct block_segment){ .page = page, .offset = offset, .length = length };
		batch->bytes += length;
		iter_advance(it, length);
		size -= length;
	}
	return 0;
}

ssize_t block_direct(struct block_device *device, u64 offset, struct iter *it, size_t size,
		     bool write)
{
	u32 grain = block_device_limits(device)->logical_block;
	struct direct_batch batch;
	size_t done = 0;
	int error = 0;

	if (it->kind != ITER_USER || (offset | size) & (grain - 1))
		return -EINVAL;
	while (done < size && !error) {
		error = batch_pin(&batch, it, size - done, grain, !write);
		if (error || !batch.bytes)
			break;
		struct block_request r = { .device = device,
					   .operation = write ? BLOCK_WRITE : BLOCK_READ,
					   .flags = BLOCK_SYNC,
					   .sector = (offset + done) >> SECTOR_SHIFT,
					   .sectors = batch.bytes >> SECTOR_SHIFT,
					   .segments = batch.segments,
					   .segment_count = batch.count };
		error = block_execute(&r);
		for (unsigned i = 0; i < batch.count; i++)
			page_put(batch.segments[i].page);
		if (!error)
			done += batch.bytes;
	}
	return done ? (ssize_t)done : error;
}
