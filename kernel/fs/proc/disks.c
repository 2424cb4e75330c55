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

/* For each kind: requests, merged ones, sectors, milliseconds. */
static void kind_text(struct text_buffer *out, const struct block_stats *s,
		      enum block_statistic kind)
{
	text_printf(out, " %llu %llu %llu %llu", (unsigned long long)s->requests[kind],
		    (unsigned long long)s->merged[kind], (unsigned long long)s->sectors[kind],
		    (unsigned long long)(s->ns[kind] / 1000000));
}

static void block_stats_text(struct text_buffer *out, struct block_device *device)
{
	struct block_stats s;

	block_device_stats(device, &s);
	kind_text(out, &s, STAT_READ);
	kind_text(out, &s, STAT_WRITE);
	text_printf(out, " %llu %llu %llu", (unsigned long long)s.in_flight,
		    (unsigned long long)(s.busy_ns / 1000000),
		    (unsigned long long)(s.weighted_ns / 1000000));
	kind_text(out, &s, STAT_DISCARD);
	text_printf(out, " %llu %llu\n", (unsigned long long)s.requests[STAT_FLUSH],
		    (unsigned long long)(s.ns[STAT_FLUSH] / 1000000));
}

static bool diskstats_line(struct block_device *device, void *arg)
{
	u64 number = block_device_number(device);

	text_printf(arg, "%4u %7u %s", device_major(number), device_minor(number),
		    block_device_name(device));
	block_stats_text(arg, device);
	return true;
}

static int diskstats_show(const struct synthetic_node *node, struct text_buffer *out)
{
	block_for_each(diskstats_line, out);
	return 0;
}

const struct synthetic_type proc_partitions = { .mode = S_IFREG | 0444, .show = partitions_show };
const struct synthetic_type proc_diskstats = { .mode = S_IFREG | 0444, .show = diskstats_show };
