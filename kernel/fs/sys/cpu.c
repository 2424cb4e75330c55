/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /sys/devices/system/cpu: which CPUs there are. */
#include <fs/sys/sys_priv.h>

#include <arch/smp.h>
#include <core/percpu.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>

void sys_show_cpu_list(struct text_buffer *out, u64 mask)
{
	text_bit_list(out, mask);
	text_printf(out, "\n");
}

static u64 possible_mask(void)
{
	unsigned n = arch_cpu_count();

	return n >= 64 ? UINT64_MAX : BIT(n) - 1;
}

static int online_show(const struct synthetic_node *node, struct text_buffer *out)
{
	sys_show_cpu_list(out, cpu_online_mask);
	return 0;
}

static int possible_show(const struct synthetic_node *node, struct text_buffer *out)
{
	sys_show_cpu_list(out, possible_mask());
	return 0;
}

static int kernel_max_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "%d\n", CPU_MAX - 1);
	return 0;
}

static int offline_show(const struct synthetic_node *node, struct text_buffer *out)
{
	sys_show_cpu_list(out, possible_mask() & ~cpu_online_mask);
	return 0;
}

static const struct synthetic_type online_file = { .mode = S_IFREG | 0444, .show = online_show };
static const struct synthetic_type possible_file = { .mode = S_IFREG | 0444,
						     .show = possible_show };
static const struct synthetic_type kernel_max_file = { .mode = S_IFREG | 0444,
						       .show = kernel_max_show };
static const struct synthetic_type offline_file = { .mode = S_IFREG | 0444, .show = offline_show };

static const struct synthetic_named fixed_names[] = {
	{ "kernel_max", &kernel_max_file, nullptr }, { "offline", &offline_file, nullptr },
	{ "online", &online_file, nullptr },	     { "possible", &possible_file, nullptr },
	{ "present", &possible_file, nullptr },
};
static const struct synthetic_table fixed_table = SYNTHETIC_TABLE(fixed_names);

/*
 * topology: every CPU is a core of its own in one package, as the machines that this runs on tell. The CPU's number is
 * KEY_CPU - 1.
 */
#define KEY_CPU 0

static unsigned cpu_of(const struct synthetic_node *node)
{
	return (unsigned)node->key[KEY_CPU] - 1;
}

void sys_show_cpu_map(struct text_buffer *out, u64 mask)
{
	if (arch_cpu_count() > 32)
		text_printf(out, "%08x,%08x\n", (u32)(mask >> 32), (u32)mask);
	else
		text_printf(out, "%0*x\n", (int)(arch_cpu_count() + 3) / 4, (u32)mask);
}

static int core_id_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "%u\n", cpu_of(node));
	return 0;
}

static int zero_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "0\n");
	return 0;
}

static int own_list_show(const struct synthetic_node *node, struct text_buffer *out)
{
	sys_show_cpu_list(out, BIT(cpu_of(node)));
	return 0;
}

static int own_map_show(const struct synthetic_node *node, struct text_buffer *out)
{
	sys_show_cpu_map(out, BIT(cpu_of(node)));
	return 0;
}

static int all_list_show(const struct synthetic_node *node, struct text_buffer *out)
{
	sys_show_cpu_list(out, cpu_online_mask);
	return 0;
}

static int all_map_show(const struct synthetic_node *node, struct text_buffer *out)
{
	sys_show_cpu_map(out, cpu_online_mask);
	return 0;
}

#define CPU_FILE(symbol, function)                                                                 \
	static const struct synthetic_type symbol = { .mode = S_IFREG | 0444, .show = function }
CPU_FILE(core_id, core_id_show);
CPU_FILE(zero, zero_show);
CPU_FILE(own_list, own_list_show);
CPU_FILE(own_map, own_map_show);
CPU_FILE(all_list, all_list_show);
CPU_FILE(all_map, all_map_show);

static const struct synthetic_named topology_names[] = {
	{ "core_cpus", &own_map, nullptr },
	{ "core_cpus_list", &own_list, nullptr },
	{ "core_id", &core_id, nullptr },
	{ "core_siblings", &all_map, nullptr },
	{ "core_siblings_list", &all_list, nullptr },
	{ "package_cpus", &all_map, nullptr },
	{ "package_cpus_list", &all_list, nullptr },
	{ "physical_package_id", &zero, nullptr },
	{ "thread_siblings", &own_map, nullptr },
	{ "thread_siblings_list", &own_list, nullptr },
};
static const struct synthetic_table topology_table = SYNTHETIC_TABLE(topology_names);
static const struct synthetic_named one_cpu_names[] = {
	{ "topology", &synthetic_directory, &topology_table },
};
static const struct synthetic_table one_cpu_table = SYNTHETIC_TABLE(one_cpu_names);

static void cpu_node(unsigned cpu, struct synthetic_node *out)
{
	*out = (struct synthetic_node){ .type = &synthetic_directory,
					.data = &one_cpu_table,
					.key = { [KEY_CPU] = cpu + 1 } };
}

static int cpu_lookup(const struct synthetic_node *dir, const char *name,
		      struct synthetic_node *out)
{
	struct synthetic_node table = { .data = &fixed_table };
	u64 cpu;

	if (synthetic_table_lookup(&table, name, out) == 0)
		return 0;
	if (!string_starts(name, "cpu") || parse_u64(name + 3, 10, &cpu) || cpu >= arch_cpu_count())
		return -ENOENT;
	cpu_node((unsigned)cpu, out);
	return 0;
}

static bool cpu_next(const struct synthetic_node *dir, u64 *cursor, char *name,
		     struct synthetic_node *out)
{
	struct synthetic_node table = { .data = &fixed_table };

	if (synthetic_table_next(&table, cursor, name, out))
		return true;
	u64 cpu = *cursor - fixed_table.count;

	if (cpu >= arch_cpu_count())
		return false;
	++*cursor;
	(void)snprintf(name, NAME_MAX + 1, "cpu%llu", (unsigned long long)cpu);
	cpu_node((unsigned)cpu, out);
	return true;
}

const struct synthetic_type sys_cpu_directory = { .mode = S_IFDIR | 0755,
						  .lookup = cpu_lookup,
						  .next = cpu_next };
