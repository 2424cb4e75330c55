/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fixed names of /proc: the state of the whole system, in the formats of proc(5). */
#include <fs/proc/proc_mount.h>
#include <fs/proc/system_priv.h>

#include <arch/cpu.h>
#include <block/block.h>
#include <core/command_line.h>
#include <core/irq.h>
#include <core/panic.h>
#include <core/percpu.h>
#include <core/time.h>
#include <core/version.h>
#include <dev/tty/tty.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <proc/pid.h>
#include <proc/sysrq.h>
#include <vfs/devices.h>
#include <vfs/vfs.h>

static int cmdline_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "%s\n", command_line_text());
	return 0;
}

static int cpuinfo_show(const struct synthetic_node *node, struct text_buffer *out)
{
	for_each_cpu (cpu) {
		char *buf = text_reserve(out, 4096);
		if (!buf)
			return -ENOMEM;
		int n = arch_cpuinfo(cpu, buf, 4096);
		out->size += MIN((size_t)n, (size_t)4095);
	}
	return 0;
}

static int version_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "Linux version %s (%s) (%s) %s\n", kernel_release, "cairn@cairn",
		    __VERSION__, kernel_version);
	return 0;
}

static int uptime_show(const struct synthetic_node *node, struct text_buffer *out)
{
	u64 idle = 0;
	for_each_cpu (cpu) {
		struct sched_cpu_stats s;
		sched_cpu_stats(cpu, &s);
		idle += s.idle_ns;
	}
	u64 up = clock_monotonic_ns() / 10000000;
	idle /= 10000000;
	text_printf(out, "%llu.%02llu %llu.%02llu\n", (unsigned long long)(up / 100),
		    (unsigned long long)(up % 100), (unsigned long long)(idle / 100),
		    (unsigned long long)(idle % 100));
	return 0;
}

static int loadavg_show(const struct synthetic_node *node, struct text_buffer *out)
{
	u32 load[3];
	sched_load_average(load);
	for (int i = 0; i < 3; i++)
		text_printf(out, "%u.%02u ", load[i] >> 16, ((load[i] & 0xffff) * 100) >> 16);
	const struct pid_namespace *ns = current_pid_namespace(); /* the reader's, as on Linux */
	int last = ns == &initial_pid_namespace ? pid_last() : (int)ns->last;

	text_printf(out, "%u/%u %d\n", sched_runnable_count(), task_count(), last);
	return 0;
}

static void show_cpu_line(struct text_buffer *out, const char *name,
			  const struct sched_cpu_stats *s)
{
	text_printf(out, "%s %llu %llu %llu %llu 0 %llu 0 0 0 0\n", name,
		    (unsigned long long)ticks_of_ns(s->user_ns),
		    (unsigned long long)ticks_of_ns(s->nice_ns),
		    (unsigned long long)ticks_of_ns(s->system_ns),
		    (unsigned long long)ticks_of_ns(s->idle_ns),
		    (unsigned long long)ticks_of_ns(s->irq_ns));
}

static u64 interrupts_total(void)
{
	u64 n = 0;
	for (unsigned irq = 0; irq < IRQ_COUNT; irq++) {
		if (!irq_name(irq))
			continue;
		for_each_cpu (cpu)
			n += irq_count(irq, cpu);
	}
	for_each_cpu (cpu)
		for (unsigned kind = 0; kind < OWN_INTERRUPTS; kind++)
			n += per_cpu(own_interrupts, cpu)[kind];
	return n;
}

static void show_interrupt_counts(struct text_buffer *out)
{
	unsigned last = 0;

	for (unsigned irq = 0; irq < IRQ_COUNT; irq++)
		last = irq_name(irq) ? irq : last;
	text_printf(out, "intr %llu", (unsigned long long)interrupts_total());
	for (unsigned irq = 0; irq <= last; irq++) {
		u64 n = 0;

		for_each_cpu (cpu)
			n += irq_name(irq) ? irq_count(irq, cpu) : 0;
		text_printf(out, " %llu", (unsigned long long)n);
	}
}

static void count_blocked(struct thread *thread, void *arg)
{
	unsigned *count = arg;

	if (thread->user && thread->state == THREAD_SLEEPING &&
	    thread->sleep_mode == SLEEP_UNINTERRUPTIBLE)
		++*count;
}

/* Those that wait for a disk, as ps shows them with D. */
static unsigned blocked_count(void)
{
	unsigned count = 0;

	thread_for_each(count_blocked, &count);
	return count;
}

static int stat_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct sched_cpu_stats all = { 0 }, s;
	for_each_cpu (cpu) {
		sched_cpu_stats(cpu, &s);
		all.user_ns += s.user_ns;
		all.nice_ns += s.nice_ns;
		all.system_ns += s.system_ns;
		all.idle_ns += s.idle_ns;
		all.irq_ns += s.irq_ns;
		all.switches += s.switches;
	}
	show_cpu_line(out, "cpu ", &all);
	for_each_cpu (cpu) {
		char name[16];
		sched_cpu_stats(cpu, &s);
		(void)snprintf(name, sizeof(name), "cpu%u", cpu);
		show_cpu_line(out, name, &s);
	}
	show_interrupt_counts(out);
	text_printf(
		out, "\nctxt %llu\nbtime %llu\n", (unsigned long long)all.switches,
		(unsigned long long)((clock_realtime_ns() - clock_monotonic_ns()) / NSEC_PER_SEC));
	text_printf(out, "processes %llu\nprocs_running %u\nprocs_blocked %u\n",
		    (unsigned long long)task_created_count(), sched_runnable_count(),
		    blocked_count());
	text_printf(out, "softirq 0 0 0 0 0 0 0 0 0 0 0\n");
	return 0;
}

static int interrupts_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "    ");
	for_each_cpu (cpu)
		text_printf(out, "       CPU%-2u", cpu);
	text_printf(out, "\n");
	for (unsigned irq = 0; irq < IRQ_COUNT; irq++) {
		if (!irq_name(irq))
			continue;
		text_printf(out, "%3u:", irq);
		for_each_cpu (cpu)
			text_printf(out, " %10llu", (unsigned long long)irq_count(irq, cpu));
		text_printf(out, "  %s\n", irq_name(irq));
	}
	for (unsigned kind = 0; kind < OWN_INTERRUPTS; kind++) {
		text_printf(out, "%3s:", arch_own_interrupts[kind].label);
		for_each_cpu (cpu)
			text_printf(out, " %10u", per_cpu(own_interrupts, cpu)[kind]);
		text_printf(out, "  %s\n", arch_own_interrupts[kind].text);
	}
	return 0;
}

static int filesystems_show(const struct synthetic_node *node, struct text_buffer *out)
{
	for (struct file_system_type *t = file_system_first(); t; t = t->next)
		text_printf(out, "%s\t%s\n", t->needs_device ? "" : "nodev", t->name);
	return 0;
}

struct device_lines {
	struct text_buffer *out;
	u32 last_major;
};

static bool show_device(struct device_node *d, void *arg)
{
	struct device_lines *lines = arg;
	u32 major = device_major(d->device);

	/* Drivers register the devices of a major number one after the other. */
	if (d->class_name && major != lines->last_major)
		text_printf(lines->out, "%3u %s\n", major, d->class_name);
	lines->last_major = major;
	return true;
}

struct block_lines {
	struct text_buffer *out;
	u32 next, major; /* the lowest from `next` on, UINT32_MAX: none */
	const char *name;
};

static bool find_block_major(struct block_device *device, void *arg)
{
	struct block_lines *lines = arg;
	u32 major = device_major(block_device_number(device));

	if (major < lines->next || major >= lines->major)
		return true;
	lines->major = major;
	lines->name = major == BLOCK_EXT_MAJOR ? "blkext" : block_disk_ops(device)->name;
	return true;
}

/* In the order of their numbers. */
static void show_block_majors(struct text_buffer *out)
{
	struct block_lines lines = { .out = out };

	for (;; lines.next = lines.major + 1) {
		lines.major = UINT32_MAX;
		block_for_each(find_block_major, &lines);
		if (lines.major == UINT32_MAX)
			break;
		text_printf(out, "%3u %s\n", lines.major, lines.name);
	}
}

static int devices_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct device_lines lines = { .out = out };

	text_printf(out, "Character devices:\n");
	device_for_each(show_device, &lines);
	text_printf(out, "\nBlock devices:\n");
	show_block_majors(out);
	return 0;
}

static int consoles_show(const struct synthetic_node *node, struct text_buffer *out)
{
	char names[128];
	(void)console_active_names(names, sizeof(names));
	text_printf(out, "%s\n", names);
	return 0;
}

static int empty_show(const struct synthetic_node *node, struct text_buffer *out)
{
	return 0;
}

static int swaps_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	return 0;
}

/* Links that depend on who looks. */

static int self_read_link(const struct synthetic_node *node, char **text, struct path *path)
{
	int pid = current_task() ? proc_number(node, current_process()->pid) : 0;
	char name[16];
	if (!pid)
		return -ENOENT;
	(void)snprintf(name, sizeof(name), "%d", pid);
	*text = kstrdup(name, 0);
	return *text ? 0 : -ENOMEM;
}

static int thread_self_read_link(const struct synthetic_node *node, char **text, struct path *path)
{
	int pid = current_task() ? proc_number(node, current_process()->pid) : 0;
	char name[48];
	if (!pid)
		return -ENOENT;
	(void)snprintf(name, sizeof(name), "%d/task/%d", pid,
		       proc_number(node, current_task()->tid));
	*text = kstrdup(name, 0);
	return *text ? 0 : -ENOMEM;
}

static int fixed_read_link(const struct synthetic_node *node, char **text, struct path *path)
{
	*text = kstrdup(node->data, 0);
	return *text ? 0 : -ENOMEM;
}

static const struct synthetic_type self_link = { .mode = S_IFLNK | 0777,
						 .read_link = self_read_link };
static const struct synthetic_type thread_self_link = { .mode = S_IFLNK | 0777,
							.read_link = thread_self_read_link };
static const struct synthetic_type fixed_link = { .mode = S_IFLNK | 0777,
						  .read_link = fixed_read_link };

static int sysrq_store(const struct synthetic_node *node, char *text, size_t size)
{
	if (size)
		sysrq_command(text[0]);
	return 0;
}

#define TEXT_FILE(symbol, function)                                                                \
	static const struct synthetic_type symbol = { .mode = S_IFREG | 0444, .show = function }
TEXT_FILE(cmdline_file, cmdline_show);
TEXT_FILE(cpuinfo_file, cpuinfo_show);
TEXT_FILE(version_file, version_show);
TEXT_FILE(uptime_file, uptime_show);
TEXT_FILE(loadavg_file, loadavg_show);
TEXT_FILE(stat_file, stat_show);
TEXT_FILE(interrupts_file, interrupts_show);
TEXT_FILE(filesystems_file, filesystems_show);
TEXT_FILE(devices_file, devices_show);
TEXT_FILE(consoles_file, consoles_show);
TEXT_FILE(empty_file, empty_show);
TEXT_FILE(swaps_file, swaps_show);
static const struct synthetic_type sysrq_file = { .mode = S_IFREG | 0200, .store = sysrq_store };

static const struct synthetic_named names[] = {
	{ "buddyinfo", &proc_buddyinfo, nullptr },
	{ "cairn", &synthetic_directory, &proc_cairn_table },
	{ "cmdline", &cmdline_file, nullptr },
	{ "consoles", &consoles_file, nullptr },
	{ "cpuinfo", &cpuinfo_file, nullptr },
	{ "devices", &devices_file, nullptr },
	{ "diskstats", &proc_diskstats, nullptr },
	{ "execdomains", &proc_execdomains, nullptr },
	{ "filesystems", &filesystems_file, nullptr },
	{ "interrupts", &interrupts_file, nullptr },
	{ "iomem", &proc_iomem, nullptr },
	{ "irq", &proc_irq_directory, nullptr },
	{ "kmsg", &proc_kmsg, nullptr },
	{ "loadavg", &loadavg_file, nullptr },
	{ "meminfo", &proc_meminfo, nullptr },
	{ "kallsyms", &proc_kallsyms, nullptr },
	{ "kpagecount", &proc_frames, nullptr },
	{ "kpageflags", &proc_frames, &proc_frames_flags },
	{ "locks", &proc_locks, nullptr },
	{ "misc", &proc_misc, nullptr },
	{ "modules", &empty_file, nullptr },
	{ "mounts", &fixed_link, "self/mounts" },
	{ "net", &fixed_link, "self/net" },
	{ "pagetypeinfo", &proc_pagetypeinfo, nullptr },
	{ "partitions", &proc_partitions, nullptr },
	{ "schedstat", &proc_schedstat, nullptr },
	{ "self", &self_link, nullptr },
	{ "slabinfo", &proc_slabinfo, nullptr },
	{ "softirqs", &proc_softirqs, nullptr },
	{ "stat", &stat_file, nullptr },
	{ "swaps", &swaps_file, nullptr },
	{ "sys", &synthetic_directory, &proc_sys_table },
	{ "sysrq-trigger", &sysrq_file, nullptr },
	{ "sysvipc", &synthetic_directory, &proc_sysvipc_table },
	{ "thread-self", &thread_self_link, nullptr },
	{ "tty", &synthetic_directory, &proc_tty_table },
	{ "uptime", &uptime_file, nullptr },
	{ "version", &version_file, nullptr },
	{ "vmallocinfo", &proc_vmallocinfo, nullptr },
	{ "vmstat", &proc_vmstat, nullptr },
	{ "zoneinfo", &proc_zoneinfo, nullptr },
};
const struct synthetic_table proc_system_table = SYNTHETIC_TABLE(names);
