/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAM disks (ram(4)): pages that are made when something is written to them and stay until they are discarded. Requests are
 * carried out where they are submitted, under the disk's lock.
 */
#include <dev/ram/ram.h>

#include <block/block.h>
#include <core/command_line.h>
#include <core/log.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/radix.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <obj/inode.h>

#include <linux/major.h>

#define COUNT_DEFAULT 16u
#define COUNT_MAX 256u
#define SIZE_DEFAULT 16384u /* KiB */

struct ram_disk {
	struct spinlock lock;
	struct radix_tree pages __guarded_by(&lock);
	struct block_device *disk;
};

static u64 disk_count = COUNT_DEFAULT, disk_kib = SIZE_DEFAULT;

static int set_count(const char *text)
{
	u64 n;

	if (parse_u64(text, 10, &n))
		return -EINVAL;
	disk_count = MIN(n, (u64)COUNT_MAX);
	return 0;
}
KERNEL_PARAMETER("rd_nr=", set_count);

static int set_size(const char *text)
{
	u64 n;

	if (parse_u64(text, 10, &n) || !n || n > INT64_MAX >> 10)
		return -EINVAL;
	disk_kib = n;
	return 0;
}
KERNEL_PARAMETER("ramdisk_size=", set_size);

/* The page at an index; made if it is missing and `make`. Null: zeros, or no memory. */
static struct page *page_locked(struct ram_disk *ram, u64 index, bool make) __must_hold(&ram->lock)
{
	struct page *page = radix_load(&ram->pages, index);

	if (page || !make)
		return page;
	page = page_alloc(0, ALLOC_ZERO | ALLOC_ATOMIC);
	if (page && radix_store(&ram->pages, index, page, nullptr)) {
		page_put(page);
		page = nullptr;
	}
	return page;
}

/* Up to the end of a page of the disk. */
static int copy_locked(struct ram_disk *ram, bool write, u64 position, void *memory, u32 length)
	__must_hold(&ram->lock)
{
	struct page *page = page_locked(ram, position >> PAGE_SHIFT, write);

	if (!page && write)
		return -ENOSPC;
	if (!page) {
		memset(memory, 0, length);
		return 0;
	}
	char *at = (char *)page_address(page) + (position & ~PAGE_MASK);
	memcpy(write ? at : memory, write ? memory : at, length);
	return 0;
}

static int transfer_locked(struct ram_disk *ram, const struct block_request *r)
	__must_hold(&ram->lock)
{
	u64 position = r->step_sector << SECTOR_SHIFT;
	struct block_cursor cursor;
	paddr_t address;
	u32 length;
	int error = 0;

	block_cursor_init(&cursor, r);
	while (!error && block_cursor_next(&cursor, &address, &length)) {
		char *memory = phys_to_virt(address);

		while (length && !error) {
			u32 piece = (u32)MIN((u64)length, PAGE_SIZE - (position & ~PAGE_MASK));

			error = copy_locked(ram, r->step == BLOCK_WRITE, position, memory, piece);
			memory += piece;
			position += piece;
			length -= piece;
		}
	}
	return error;
}

/* Whole pages go; the rest becomes zeros. */
static void discard_locked(struct ram_disk *ram, u64 start, u64 end) __must_hold(&ram->lock)
{
	u64 index = start >> PAGE_SHIFT, last = (end - 1) >> PAGE_SHIFT;
	struct page *page;

	while ((page = radix_next(&ram->pages, &index, last))) {
		u64 base = index << PAGE_SHIFT;
		u64 from = MAX(start, base) - base, to = MIN(end, base + PAGE_SIZE) - base;

		if (to - from == PAGE_SIZE) {
			(void)radix_remove(&ram->pages, index);
			page_put(page);
		} else {
			memset((char *)page_address(page) + from, 0, to - from);
		}
		if (index++ == last)
			break;
	}
}

static int start(struct block_device *disk, struct block_request *r)
{
	struct ram_disk *ram = block_disk_private(disk);
	irqflags_t flags = spin_lock_irqsave(&ram->lock);
	int error = 0;

	if (r->step == BLOCK_READ || r->step == BLOCK_WRITE)
		error = transfer_locked(ram, r);
	else if (r->step != BLOCK_FLUSH)
		discard_locked(ram, r->step_sector << SECTOR_SHIFT,
			       (r->step_sector + r->step_sectors) << SECTOR_SHIFT);
	spin_unlock_irqrestore(&ram->lock, flags);
	block_request_finish(r, error);
	return 0;
}

static const struct block_driver_ops ops = { .name = "ramdisk", .start = start };

/* Nobody else knows of it. */
static void init(struct ram_disk *ram) __no_lock_analysis
{
	spin_init(&ram->lock, RANK_VIRTIO_QUEUE);
	radix_init(&ram->pages);
}

static int add(unsigned index)
{
	static const struct block_limits limits = { .logical_block = SECTOR_SIZE,
						    .physical_block = PAGE_SIZE,
						    .max_segments = 128,
						    .max_segment_size = BIT(16),
						    .max_sectors = 256,
						    .max_discard_sectors = BIT(20),
						    .max_write_zeroes_sectors = BIT(20) };
	struct ram_disk *ram = kzalloc(sizeof(*ram), 0);
	char name[8];

	if (!ram)
		return -ENOMEM;
	init(ram);
	(void)snprintf(name, sizeof(name), "ram%u", index);
	int error = block_disk_add(name, device_make(RAMDISK_MAJOR, index), 1, &limits,
				   disk_kib * 2, &ops, ram, &ram->disk);
	if (error)
		kfree(ram);
	return error;
}

void ram_disk_init(void)
{
	for (unsigned i = 0; i < disk_count; i++) {
		int error = add(i);

		if (error)
			log_error("ram%u: error %d", i, -error);
	}
}
