/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading whichever partition table a disk has. */
#include <block/block_file.h>
#include <block/partition.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/memory_object.h>
#include <mm/slab.h>

int partition_read(const struct partition_reader *reader, struct partition_table *out)
{
	int error = partition_read_gpt(reader, out);

	if (error == -ENOENT)
		error = partition_read_mbr(reader, out);
	if (error == -ENOENT) {
		memset(out, 0, sizeof(*out));
		error = 0;
	}
	return error;
}

static int disk_read(const struct partition_reader *reader, u64 offset, void *to, size_t size)
{
	return block_read_kernel(reader->private, offset, to, size);
}

int block_partitions_read(struct block_device *disk)
{
	struct partition_reader reader = { .read = disk_read,
					   .sectors = block_device_sectors(disk),
					   .logical_block =
						   block_device_limits(disk)->logical_block,
					   .private = disk };
	struct partition_table *table = kvmalloc(sizeof(*table), 0);
	int error;

	if (!table)
		return -ENOMEM;
	/* What programs wrote may still be in the page cache. */
	error = memory_object_sync(block_device_object(disk), 0, UINT64_MAX);
	if (!error)
		error = partition_read(&reader, table);
	if (!error)
		error = block_disk_set_partitions(disk, table->entries, table->count);
	kvfree(table);
	return error;
}
