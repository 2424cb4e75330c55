/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/partitions and /proc/diskstats (proc(5), and iostats.rst of Linux's documentation). */
#include <block/block.h>
#include <fs/proc/system_priv.h>
#include <obj/inode.h>

static bool partition_line(struct block_device *device, void *arg)
{
	u64 number = block_device_number(device);

	if (block_device_sectors(device))
		text_printf(arg, "%4u %8u %10llu %s\n", device_major(number), device_minor(number),
			    (unsigned long long)(block_device_sectors(device) / 2),
			    block_device_name(device));
	return true;
}

static int partitions_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "major minor  #blocks  name\n\n");
	block_for_each(partition_line, out);
	return 0;
}

static bool diskstats_line(struct block_device *device, void *arg)
{
	u64 number = block_device_number(device), columns[BLOCK_STATS_COLUMNS];

	text_printf(arg, "%4u %7u %s", device_major(number), device_minor(number),
		    block_device_name(device));
	block_device_stats_columns(device, columns);
	for (unsigned i = 0; i < BLOCK_STATS_COLUMNS; i++)
		text_printf(arg, " %llu", (unsigned long long)columns[i]);
	text_printf(arg, "\n");
	return true;
}

static int diskstats_show(const struct synthetic_node *node, struct text_buffer *out)
{
	block_for_each(diskstats_line, out);
	return 0;
}

const struct synthetic_type proc_partitions = { .mode = S_IFREG | 0444, .show = partitions_show };
const struct synthetic_type proc_diskstats = { .mode = S_IFREG | 0444, .show = diskstats_show };
