/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /sys/devices/system/node: all memory and all CPUs are one node. */
#include <fs/sys/sys_priv.h>

#include <arch/smp.h>
#include <core/percpu.h>
#include <mm/frame.h>
#include <mm/reclaim.h>

static int node_list_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "0\n");
	return 0;
}

static int cpu_list_show(const struct synthetic_node *node, struct text_buffer *out)
{
	sys_show_cpu_list(out, cpu_online_mask);
	return 0;
}

static int cpu_map_show(const struct synthetic_node *node, struct text_buffer *out)
{
	sys_show_cpu_map(out, cpu_online_mask);
	return 0;
}

static int distance_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "10\n");
	return 0;
}

static int meminfo_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct memory_counts m;
	struct frame_stats f;

	frame_stats(&f);
	memory_counts(&m);
	const struct {
		const char *name;
		u64 pages;
	} lines[] = {
		{ "MemTotal:       ", f.total - f.reserved },
		{ "MemFree:        ", f.free },
		{ "MemUsed:        ", f.total - f.reserved - f.free },
		{ "FilePages:      ", f.cache },
		{ "AnonPages:      ", f.anon },
		{ "Shmem:          ", m.shmem },
		{ "KernelStack:    ", f.kernel_stacks },
		{ "PageTables:     ", f.page_tables },
		{ "Slab:           ", f.slab },
	};
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		text_printf(out, "Node 0 %s%8llu kB\n", lines[i].name,
			    (unsigned long long)lines[i].pages * (PAGE_SIZE / 1024));
	return 0;
}

#define NODE_FILE(symbol, function)                                                                \
	static const struct synthetic_type symbol = { .mode = S_IFREG | 0444, .show = function }
NODE_FILE(node_list, node_list_show);
NODE_FILE(cpu_list, cpu_list_show);
NODE_FILE(cpu_map, cpu_map_show);
NODE_FILE(distance, distance_show);
NODE_FILE(meminfo, meminfo_show);

static const struct synthetic_named node0_names[] = {
	{ "cpulist", &cpu_list, nullptr },
	{ "cpumap", &cpu_map, nullptr },
	{ "distance", &distance, nullptr },
	{ "meminfo", &meminfo, nullptr },
};
static const struct synthetic_table node0_table = SYNTHETIC_TABLE(node0_names);

static const struct synthetic_named names[] = {
	{ "has_cpu", &node_list, nullptr },
	{ "has_memory", &node_list, nullptr },
	{ "has_normal_memory", &node_list, nullptr },
	{ "node0", &synthetic_directory, &node0_table },
	{ "online", &node_list, nullptr },
	{ "possible", &node_list, nullptr },
};
const struct synthetic_table sys_node_table = SYNTHETIC_TABLE(names);
