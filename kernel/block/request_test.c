/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests on a disk that is slow, small in its limits, and sometimes broken. */
#include "../../arch/host/disk.h"
#include "../../arch/host/host.h"

#include <lib/errno.h>
#include <lib/string.h>
#include <lib/test.h>
#include <mm/frame.h>
#include <mm/slab.h>

#define SECTORS 4096u

static struct host_disk *disk_create(bool asynchronous, bool cache)
{
	struct host_disk_options options = {
		.sectors = SECTORS, .write_cache = cache, .asynchronous = asynchronous, .seed = 7
	};
	struct host_disk *disk;

	return host_disk_create("test", &options, &disk) ? nullptr : disk;
}

static struct block_request request_of(struct host_disk *disk, enum block_operation operation,
				       u64 sector, struct block_segment *segment)
{
	return (struct block_request){ .device = host_disk_device(disk),
				       .operation = operation,
				       .sector = sector,
				       .sectors = segment->length >> SECTOR_SHIFT,
				       .segments = segment,
				       .segment_count = 1 };
}

/* A block of 256 KiB is more than one segment and one request of the disk can be. */
static void split(bool asynchronous)
{
	struct host_disk *disk = disk_create(asynchronous, false);
	struct page *page = page_alloc(6, 0);

	if (disk && page) {
		struct block_segment segment = { .page = page, .length = 64 * PAGE_SIZE };
		struct block_request r = request_of(disk, BLOCK_WRITE, 24, &segment);
		struct block_stats stats;

		for (unsigned i = 0; i < segment.length; i++)
			((u8 *)page_address(page))[i] = (u8)(i * 7 + i / 256);
		EXPECT(block_execute(&r) == 0);
		EXPECT(!memcmp(host_disk_data(disk) + 24 * SECTOR_SIZE, page_address(page),
			       segment.length));
		memset(page_address(page), 0, segment.length);
		r.operation = BLOCK_READ;
		EXPECT(block_execute(&r) == 0);
		EXPECT(!memcmp(host_disk_data(disk) + 24 * SECTOR_SIZE, page_address(page),
			       segment.length));
		r.operation = BLOCK_WRITE_ZEROES;
		r.segment_count = 0;
		EXPECT(block_execute(&r) == 0);
		EXPECT(host_disk_data(disk)[24 * SECTOR_SIZE + 77] == 0);
		block_device_stats(host_disk_device(disk), &stats);
		EXPECT(stats.requests[STAT_READ] == 1 && stats.requests[STAT_WRITE] == 2);
		EXPECT(stats.sectors[STAT_READ] == 512 && stats.in_flight == 0);
	}
	if (page)
		page_put(page);
	if (disk)
		host_disk_destroy(disk);
}

TEST(block_split)
{
	split(false);
}

TEST(block_split_asynchronous)
{
	split(true);
}

struct counted {
	struct block_request request;
	struct block_segment segment;
	unsigned *done;
};

static void count_done(struct block_request *r)
{
	++*((struct counted *)r)->done;
}

/* Neighbours in a plug become one request; all are told of the end. */
TEST(block_merge)
{
	struct host_disk *disk = disk_create(true, false);
	struct page *page = page_alloc(3, 0);
	struct counted c[8];
	struct block_stats stats;
	struct block_plug plug;
	unsigned done = 0;

	if (disk && page) {
		block_plug_start(&plug);
		for (unsigned i = 0; i < 8; i++) {
			c[i].segment =
				(struct block_segment){ .page = page + i, .length = PAGE_SIZE };
			memset(page_address(page + i), 'a' + (int)i, PAGE_SIZE);
			c[i].request = request_of(disk, BLOCK_WRITE, 8 * i, &c[i].segment);
			c[i].request.done = count_done;
			c[i].done = &done;
			block_submit(&c[i].request);
		}
		block_plug_finish(&plug);
		EXPECT(block_flush(host_disk_device(disk)) == 0);
		while (done < 8 && host_disk_idle())
			;
		EXPECT(done == 8);
		block_device_stats(host_disk_device(disk), &stats);
		EXPECT(stats.merged[STAT_WRITE] == 7);
		for (unsigned i = 0; i < 8; i++)
			EXPECT(host_disk_data(disk)[i * PAGE_SIZE + 5] == 'a' + i);
	}
	if (page)
		page_put(page);
	if (disk)
		host_disk_destroy(disk);
}

TEST(block_errors)
{
	struct host_disk *disk = disk_create(false, false);
	u8 data[SECTOR_SIZE] = {};

	if (!disk)
		return;
	host_disk_fail(disk, BLOCK_WRITE, 100, 100, -EIO, 0);
	EXPECT(block_write_kernel(host_disk_device(disk), 99 * 512, data, 512) != -EIO);
	EXPECT(block_write_kernel(host_disk_device(disk), 100 * 512, data, 512) != 0);
	EXPECT(block_read_kernel(host_disk_device(disk), SECTORS * 512, data, 512) != 0);
	EXPECT(block_read_kernel(host_disk_device(disk), 100, data, 512) == -EINVAL);
	host_disk_destroy(disk);
}

/* What was flushed survives each cut; FUA needs no flush after it. */
TEST(block_power_cut)
{
	struct host_disk *disk = disk_create(false, true);
	u8 *image = kmalloc(SECTORS * SECTOR_SIZE, 0), data[SECTOR_SIZE];

	if (disk && image && host_disk_record(disk)) {
		struct block_device *d = host_disk_device(disk);
		int error = 0;

		for (unsigned i = 0; i < 20 && !error; i++) {
			memset(data, (int)i + 1, sizeof(data));
			error = block_write_kernel(d, i * 512ul, data, 512);
			if (i == 9)
				error = error ?: block_flush(d);
		}
		bool lost = false;
		for (u64 seed = 1; seed < 20 && !error; seed++) {
			host_disk_crash(disk, host_disk_recorded(disk), seed, image);
			for (unsigned i = 0; i < 10; i++)
				EXPECT(image[i * 512] == i + 1);
			for (unsigned i = 10; i < 20; i++)
				lost |= image[i * 512] == 0;
		}
		EXPECT(error || lost);
	}
	kfree(image);
	if (disk)
		host_disk_destroy(disk);
}
