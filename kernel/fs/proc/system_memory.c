/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/meminfo, vmstat, slabinfo, buddyinfo, zoneinfo and /proc/cairn: the books of memory. */
#include <fs/proc/proc_priv.h>
#include <fs/proc/system_priv.h>

#include <mm/aspace.h>
#include <mm/frame.h>
#include <mm/reclaim.h>
#include <mm/slab.h>
#include <mm/write_back.h>
#include <obj/object.h>
#include <proc/task.h>

#define KIB(pages) ((unsigned long long)(pages) * (PAGE_SIZE / 1024))

static void meminfo_line(struct text_buffer *out, const char *name, u64 pages)
{
	text_kib_line(out, name, KIB(pages));
}

/* How many pages are mapped is not counted, and not told. */
static int meminfo_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct frame_stats f;
	frame_stats(&f);
	struct memory_counts m;
	memory_counts(&m);
	struct write_back_counts w;
	write_back_counts(&w);
	u64 available = f.free + m.cache_clean - MIN(m.cache_clean, w.dirty);
	const struct {
		const char *name;
		u64 pages;
	} lines[] = {
		{ "MemTotal", f.total - f.reserved },
		{ "MemFree", f.free },
		{ "MemAvailable", available },
		{ "Buffers", 0 },
		{ "Cached", f.cache },
		{ "SwapCached", 0 },
		{ "Active", f.anon + f.cache },
		{ "Inactive", 0 },
		{ "Active(anon)", f.anon + m.shmem },
		{ "Inactive(anon)", 0 },
		{ "Active(file)", f.cache - m.shmem },
		{ "Inactive(file)", 0 },
		{ "Unevictable", 0 },
		{ "Mlocked", 0 },
		{ "SwapTotal", 0 },
		{ "SwapFree", 0 },
		{ "Dirty", w.dirty },
		{ "Writeback", w.writing },
		{ "AnonPages", f.anon },
		{ "Shmem", m.shmem },
		{ "KReclaimable", 0 },
		{ "Slab", f.slab },
		{ "SReclaimable", 0 },
		{ "SUnreclaim", f.slab },
		{ "KernelStack", f.kernel_stacks },
		{ "PageTables", f.page_tables },
		{ "NFS_Unstable", 0 },
		{ "Bounce", 0 },
		{ "WritebackTmp", 0 },
		{ "CommitLimit", (f.total - f.reserved) / 2 },
		{ "Committed_AS", f.anon + m.shmem },
		{ "VmallocTotal", VMAP_SIZE / PAGE_SIZE },
		{ "VmallocUsed", f.kernel_stacks },
		{ "VmallocChunk", 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		meminfo_line(out, lines[i].name, lines[i].pages);
	return 0;
}

static int vmstat_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct frame_stats f;
	frame_stats(&f);
	struct memory_counts m;
	memory_counts(&m);
	struct write_back_counts w;
	write_back_counts(&w);
	const struct {
		const char *name;
		u64 value;
	} lines[] = {
		{ "nr_free_pages", f.free },
		{ "nr_anon_pages", f.anon },
		{ "nr_file_pages", f.cache },
		{ "nr_dirty", w.dirty },
		{ "nr_writeback", w.writing },
		{ "nr_dirtied", w.dirtied_ever },
		{ "nr_written", w.written_ever },
		{ "nr_dirty_threshold", w.limit },
		{ "nr_dirty_background_threshold", w.background_limit },
		{ "nr_slab_unreclaimable", f.slab },
		{ "nr_page_table_pages", f.page_tables },
		{ "nr_kernel_stack", f.kernel_stacks * (PAGE_SIZE / 1024) },
		{ "nr_shmem", m.shmem },
		{ "pgpgin", 0 },
		{ "pgpgout", 0 },
		{ "pswpin", 0 },
		{ "pswpout", 0 },
		{ "pgalloc_normal", f.allocated_ever },
		{ "pgfree", f.freed_ever },
		{ "pgfault", fault_count() },
		{ "pgmajfault", 0 }, /* what is read from a device is not counted yet */
		{ "oom_kill", m.oom_kills },
	};
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		text_printf(out, "%s %llu\n", lines[i].name, (unsigned long long)lines[i].value);
	return 0;
}

static bool show_slab(const struct slab_stats *s, void *arg)
{
	struct text_buffer *out = arg;
	u64 per_slab = s->pages ? s->objects_total / s->pages : 0;
	text_printf(out,
		    "%-17s %6llu %6llu %6zu %4llu %4d : tunables    0    0    0 : slabdata %6llu "
		    "%6llu      0\n",
		    s->name, (unsigned long long)s->objects_in_use,
		    (unsigned long long)s->objects_total, s->object_size,
		    (unsigned long long)per_slab, 1, (unsigned long long)s->pages,
		    (unsigned long long)s->pages);
	return true;
}

static int slabinfo_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> "
			 "<objsize> <objperslab> "
			 "<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata "
			 "<active_slabs> "
			 "<num_slabs> <sharedavail>\n");
	slab_for_each(show_slab, out);
	return 0;
}

static int buddyinfo_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct frame_stats f;
	frame_stats(&f);
	text_printf(out, "Node 0, zone   Normal ");
	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++)
		text_printf(out, "%6llu ", (unsigned long long)f.free_blocks[order]);
	text_printf(out, "\n");
	return 0;
}

static int zoneinfo_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct frame_stats f;
	frame_stats(&f);
	text_printf(out,
		    "Node 0, zone   Normal\n  pages free     %llu\n        spanned  %llu\n        "
		    "present  %llu\n"
		    "        managed  %llu\n",
		    (unsigned long long)f.free, (unsigned long long)f.total,
		    (unsigned long long)f.total, (unsigned long long)(f.total - f.reserved));
	return 0;
}

/* What the tests compare before and after: nothing may be left behind. */
static int counts_show(const struct synthetic_node *node, struct text_buffer *out)
{
	rcu_barrier();
	slab_shrink();
	struct frame_stats f;
	frame_stats(&f);
	text_printf(out,
		    "pages_used %llu\npages_anon %llu\npages_cache %llu\npages_slab "
		    "%llu\npages_kernel %llu\n",
		    (unsigned long long)(f.total - f.reserved - f.free), (unsigned long long)f.anon,
		    (unsigned long long)f.cache, (unsigned long long)f.slab,
		    (unsigned long long)f.kernel);
	text_printf(out, "page_tables %llu\nkernel_stacks %llu\nobjects %llu\ntasks %u\n",
		    (unsigned long long)f.page_tables, (unsigned long long)f.kernel_stacks,
		    (unsigned long long)object_count(), task_count());
	return 0;
}

#define MEMORY_TEXT(symbol, file_mode, function)                                                   \
	const struct synthetic_type symbol = { .mode = S_IFREG | (file_mode), .show = function }
MEMORY_TEXT(proc_meminfo, 0444, meminfo_show);
MEMORY_TEXT(proc_vmstat, 0444, vmstat_show);
MEMORY_TEXT(proc_slabinfo, 0400, slabinfo_show);
MEMORY_TEXT(proc_buddyinfo, 0444, buddyinfo_show);
MEMORY_TEXT(proc_zoneinfo, 0444, zoneinfo_show);
static MEMORY_TEXT(counts_file, 0444, counts_show);

static const struct synthetic_named cairn_names[] = {
	{ "counts", &counts_file, nullptr },
};
const struct synthetic_table proc_cairn_table = SYNTHETIC_TABLE(cairn_names);
