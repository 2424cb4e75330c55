/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /sys/block/<disk>/queue: limits of a disk (sysfs-block of Linux's ABI documentation). All are told, none can be set here. */
#include <fs/sys/block.h>

static const struct block_limits *limits_of(struct block_device *d)
{
	return block_device_limits(d);
}

static u64 logical_block(struct block_device *d)
{
	return limits_of(d)->logical_block;
}
static u64 physical_block(struct block_device *d)
{
	return limits_of(d)->physical_block;
}
static u64 discard_bytes(struct block_device *d)
{
	return limits_of(d)->max_discard_sectors << SECTOR_SHIFT;
}
static u64 discard_granularity(struct block_device *d)
{
	return limits_of(d)->max_discard_sectors ? limits_of(d)->physical_block : 0;
}
static u64 zeroes_bytes(struct block_device *d)
{
	return limits_of(d)->max_write_zeroes_sectors << SECTOR_SHIFT;
}
static u64 has_fua(struct block_device *d)
{
	return limits_of(d)->fua;
}
static u64 max_kib(struct block_device *d)
{
	return limits_of(d)->max_sectors / 2;
}
static u64 max_segments(struct block_device *d)
{
	return limits_of(d)->max_segments;
}
static u64 max_segment_size(struct block_device *d)
{
	return limits_of(d)->max_segment_size;
}
static u64 rotational(struct block_device *d)
{
	return limits_of(d)->rotational;
}
static u64 read_ahead_kib(struct block_device *d)
{
	return block_device_read_ahead(d) / 2;
}
static void write_cache_text(struct block_device *d, struct text_buffer *out)
{
	text_printf(out, "%s\n", limits_of(d)->write_cache ? "write back" : "write through");
}

SYS_BLOCK_TEXT(zero, "0");
SYS_BLOCK_TEXT(one, "1");
SYS_BLOCK_TEXT(none, "none");
SYS_BLOCK_TEXT(scheduler, "[none]");
SYS_BLOCK_TEXT(minus_one, "-1");
SYS_BLOCK_TEXT(requests, "128");
SYS_BLOCK_TEXT(alignment, "511");
SYS_BLOCK_NUMBER(logical, logical_block);
SYS_BLOCK_NUMBER(physical, physical_block);
SYS_BLOCK_NUMBER(discard_max, discard_bytes);
SYS_BLOCK_NUMBER(discard_grain, discard_granularity);
SYS_BLOCK_NUMBER(zeroes_max, zeroes_bytes);
SYS_BLOCK_NUMBER(fua, has_fua);
SYS_BLOCK_NUMBER(sectors_kib, max_kib);
SYS_BLOCK_NUMBER(segments, max_segments);
SYS_BLOCK_NUMBER(segment_size, max_segment_size);
SYS_BLOCK_NUMBER(turns, rotational);
SYS_BLOCK_NUMBER(ahead, read_ahead_kib);
SYS_BLOCK_SHOW(cache, write_cache_text);

static const struct synthetic_named names[] = {
	{ "add_random", &sys_block_file, &zero },
	{ "chunk_sectors", &sys_block_file, &zero },
	{ "dax", &sys_block_file, &zero },
	{ "discard_granularity", &sys_block_file, &discard_grain },
	{ "discard_max_bytes", &sys_block_file, &discard_max },
	{ "discard_max_hw_bytes", &sys_block_file, &discard_max },
	{ "discard_zeroes_data", &sys_block_file, &zero },
	{ "dma_alignment", &sys_block_file, &alignment },
	{ "fua", &sys_block_file, &fua },
	{ "hw_sector_size", &sys_block_file, &logical },
	{ "io_poll", &sys_block_file, &zero },
	{ "io_poll_delay", &sys_block_file, &minus_one },
	{ "iostats", &sys_block_file, &one },
	{ "logical_block_size", &sys_block_file, &logical },
	{ "max_discard_segments", &sys_block_file, &one },
	{ "max_hw_sectors_kb", &sys_block_file, &sectors_kib },
	{ "max_integrity_segments", &sys_block_file, &zero },
	{ "max_sectors_kb", &sys_block_file, &sectors_kib },
	{ "max_segment_size", &sys_block_file, &segment_size },
	{ "max_segments", &sys_block_file, &segments },
	{ "minimum_io_size", &sys_block_file, &physical },
	{ "nomerges", &sys_block_file, &zero },
	{ "nr_requests", &sys_block_file, &requests },
	{ "nr_zones", &sys_block_file, &zero },
	{ "optimal_io_size", &sys_block_file, &zero },
	{ "physical_block_size", &sys_block_file, &physical },
	{ "read_ahead_kb", &sys_block_file, &ahead },
	{ "rotational", &sys_block_file, &turns },
	{ "rq_affinity", &sys_block_file, &one },
	{ "scheduler", &sys_block_file, &scheduler },
	{ "stable_writes", &sys_block_file, &zero },
	{ "virt_boundary_mask", &sys_block_file, &zero },
	{ "write_cache", &sys_block_file, &cache },
	{ "write_same_max_bytes", &sys_block_file, &zero },
	{ "write_zeroes_max_bytes", &sys_block_file, &zeroes_max },
	{ "zone_append_max_bytes", &sys_block_file, &zero },
	{ "zone_write_granularity", &sys_block_file, &zero },
	{ "zoned", &sys_block_file, &none },
};
const struct synthetic_table sys_block_queue_table = SYNTHETIC_TABLE(names);
