/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /sys/devices/system/cpu: which CPUs there are. */
#include <fs/sys/sys_priv.h>

#include <arch/smp.h>
#include <core/percpu.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>

/* "0-3,6" and a newline. */
static void show_mask(struct text_buffer *out, u64 mask)
{
	const char *separator = "";

	for (unsigned cpu = 0; cpu < CPU_MAX; cpu++) {
		unsigned last = cpu;

		if (!(mask >> cpu & 1))
			continue;
		while (last + 1 < CPU_MAX && (mask >> (last + 1) & 1))
			last++;
		text_printf(out, last > cpu ? "%s%u-%u" : "%s%u", separator, cpu, last);
		separator = ",";
		cpu = last;
	}
	text_printf(out, "\n");
}

static u64 possible_mask(void)
{
	unsigned n = arch_cpu_count();

	return n >= 64 ? UINT64_MAX : BIT(n) - 1;
}

static int online_show(const struct synthetic_node *node, struct text_buffer *out)
{
	show_mask(out, cpu_online_mask);
	return 0;
}

static int possible_show(const struct synthetic_node *node, struct text_buffer *out)
{
	show_mask(out, possible_mask());
	return 0;
}

static int kernel_max_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "%d\n", CPU_MAX - 1);
	return 0;
}

static int offline_show(const struct synthetic_node *node, struct text_buffer *out)
{
	show_mask(out, possible_mask() & ~cpu_online_mask);
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
static const struct synthetic_table one_cpu_table = { 0 };

static void cpu_node(unsigned cpu, struct synthetic_node *out)
{
	*out = (struct synthetic_node){ .type = &synthetic_directory,
					.data = &one_cpu_table,
					.key = { cpu + 1 } };
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
