/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc: what the kernel is made of: symbols, physical addresses, terminals, soft interrupts, page descriptors. */
#include <fs/proc/proc_priv.h>
#include <fs/proc/system_priv.h>

#include <arch/boot.h>
#include <core/panic.h>
#include <core/percpu.h>
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/vmap.h>
#include <vfs/devices.h>

#include <linux/kernel-page-flags.h>

/* kallsyms: addresses are for those who may read the kernel's log. */

u32 proc_kptr_restrict;

static int kallsyms_show(const struct synthetic_node *node, struct text_buffer *out)
{
	bool may_see = READ_ONCE(proc_kptr_restrict) < 2 && capable(CAP_SYSLOG);
	const char *name;
	vaddr_t address;
	u32 cursor = 0;

	while ((name = ksym_next(&cursor, &address)) && !out->failed)
		text_printf(out, "%016lx t %s\n", may_see ? address : 0, name);
	return 0;
}

/* iomem: memory as the boot loader described it, with the image in it. */

static void show_range(struct text_buffer *out, const char *indent, u64 start, u64 end,
		       const char *name)
{
	bool may_see = capable(CAP_SYS_ADMIN);

	text_printf(out, "%s%08llx-%08llx : %s\n", indent, may_see ? (unsigned long long)start : 0,
		    may_see ? (unsigned long long)end - 1 : 0, name);
}

static int iomem_show(const struct synthetic_node *node, struct text_buffer *out)
{
	for (unsigned i = 0; i < boot_info.memory_count; i++) {
		const struct boot_memory *m = &boot_info.memory[i];
		bool image = boot_info.kernel_start >= m->start &&
			     boot_info.kernel_start < m->start + m->size;

		show_range(out, "", m->start, m->start + m->size,
			   m->usable ? "System RAM" : "Reserved");
		if (image)
			show_range(out, "  ", boot_info.kernel_start, boot_info.kernel_end,
				   "Kernel code");
	}
	return 0;
}

static void show_vmap(vaddr_t start, size_t size, bool device, void *arg)
{
	text_printf(arg, "0x%016lx-0x%016lx %7zu pages=%zu %s\n", start, start + size, size,
		    size / PAGE_SIZE, device ? "ioremap" : "vmalloc");
}

static int vmallocinfo_show(const struct synthetic_node *node, struct text_buffer *out)
{
	vmap_for_each(show_vmap, out);
	return 0;
}

/* There is one personality, and no soft interrupt: their work is done by threads and by the interrupts themselves. */

static int execdomains_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "0-0\t%-16s\t[kernel]\n", "Linux");
	return 0;
}

static int softirqs_show(const struct synthetic_node *node, struct text_buffer *out)
{
	static const char *const names[] = { "HI",	 "TIMER",   "NET_TX", "NET_RX",	 "BLOCK",
					     "IRQ_POLL", "TASKLET", "SCHED",  "HRTIMER", "RCU" };

	text_printf(out, "                    ");
	for_each_cpu (cpu)
		text_printf(out, "CPU%-8u", cpu);
	text_printf(out, "\n");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		text_printf(out, "%12s:", names[i]);
		for_each_cpu (cpu)
			text_printf(out, " %10u", 0);
		text_printf(out, "\n");
	}
	return 0;
}

static int schedstat_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "version 15\ntimestamp %llu\n",
		    (unsigned long long)(clock_monotonic_ns() / 4000000));
	for_each_cpu (cpu) {
		struct sched_cpu_stats s;

		sched_cpu_stats(cpu, &s);
		text_printf(out, "cpu%u 0 0 %llu 0 0 0 %llu 0 %llu\n", cpu,
			    (unsigned long long)s.switches,
			    (unsigned long long)(s.user_ns + s.nice_ns + s.system_ns),
			    (unsigned long long)s.switches);
	}
	return 0;
}

static bool show_misc(struct device_node *d, void *arg)
{
	if (device_major(d->device) == 10 && d->name)
		text_printf(arg, "%3u %s\n", device_minor(d->device), device_node_base_name(d));
	return true;
}

static int misc_show(const struct synthetic_node *node, struct text_buffer *out)
{
	device_for_each(show_misc, out);
	return 0;
}

static int pagetypeinfo_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct frame_stats f;

	frame_stats(&f);
	text_printf(out,
		    "Page block order: %u\nPages per block:  %u\n\n"
		    "Free pages count per migrate type at order ",
		    FRAME_ORDER_MAX - 1, 1u << (FRAME_ORDER_MAX - 1));
	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++)
		text_printf(out, "%6u ", order);
	text_printf(out, "\nNode    0, zone   Normal, type      Movable ");
	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++)
		text_printf(out, "%6llu ", (unsigned long long)f.free_blocks[order]);
	text_printf(out, "\n\nNumber of blocks type      Movable \nNode 0, zone   Normal %12llu \n",
		    (unsigned long long)(f.total >> (FRAME_ORDER_MAX - 1)));
	return 0;
}

/* tty: kinds of terminals and of line disciplines. */

static int ldiscs_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "n_tty       0\n");
	return 0;
}

static bool show_tty_driver(struct device_node *d, void *arg)
{
	u32 major = device_major(d->device), minor = device_minor(d->device);

	if (!d->class_name || strcmp(d->class_name, "tty") != 0 || !d->name)
		return true;
	text_printf(arg, "%-20s /dev/%-8s %3u %7u %s\n", d->name, d->name, major, minor,
		    major == 5 ? "system" : "serial");
	return true;
}

static int tty_drivers_show(const struct synthetic_node *node, struct text_buffer *out)
{
	device_for_each(show_tty_driver, out);
	text_printf(out, "%-20s /dev/%-8s %3u %7s %s\n", "pty_slave", "pts", 136, "0-1048575",
		    "pty:slave");
	text_printf(out, "%-20s /dev/%-8s %3u %7s %s\n", "pty_master", "ptm", 128, "0-1048575",
		    "pty:master");
	return 0;
}

/* kpagecount, kpageflags: a 64-bit word for each frame of physical memory. */

static u64 count_word(const struct page *page)
{
	return page->kind == PAGE_ANON || page->kind == PAGE_CACHE ? page_refs(page) : 0;
}

static u64 flags_word(const struct page *page)
{
	u64 word = 0;

	switch (page->kind) {
	case PAGE_RESERVED:
		return BIT(KPF_NOPAGE);
	case PAGE_FREE:
		return BIT(KPF_BUDDY);
	case PAGE_SLAB:
		return BIT(KPF_SLAB);
	case PAGE_TABLE:
		return BIT(KPF_PGTABLE);
	case PAGE_ANON:
		word = BIT(KPF_ANON) | BIT(KPF_MMAP) | BIT(KPF_SWAPBACKED) | BIT(KPF_UPTODATE);
		break;
	case PAGE_CACHE:
		word = page->flags & PAGE_FLAG_UPTODATE ? BIT(KPF_UPTODATE) : 0;
		word |= page_refs(page) > 1 ? BIT(KPF_MMAP) : 0;
		break;
	default:
		break;
	}
	word |= page->flags & PAGE_FLAG_DIRTY ? BIT(KPF_DIRTY) : 0;
	word |= page->flags & PAGE_FLAG_LOCKED ? BIT(KPF_LOCKED) : 0;
	word |= page->flags & PAGE_FLAG_WRITEBACK ? BIT(KPF_WRITEBACK) : 0;
	word |= page->flags & PAGE_FLAG_ACCESSED ? BIT(KPF_REFERENCED) : 0;
	return word;
}

static ssize_t frames_read(struct file *file, struct iter *it, u64 *offset)
{
	bool flags = file->private;
	ssize_t total = 0;

	if (*offset % sizeof(u64) || it->remaining % sizeof(u64))
		return -EINVAL;
	while (it->remaining) {
		u64 frame = *offset / sizeof(u64), word = flags ? BIT(KPF_NOPAGE) : 0;

		if (frame >= frame_first + frame_count)
			break;
		if (frame >= frame_first)
			word = flags ? flags_word(&frame_array[frame - frame_first])
				     : count_word(&frame_array[frame - frame_first]);
		if (iter_copy_to(it, &word, sizeof(word)) != sizeof(word))
			return total ? total : -EFAULT;
		*offset += sizeof(word);
		total += sizeof(word);
	}
	return total;
}

static const struct file_ops frames_ops = {
	FILE_OPS_DEFAULTS,
	.read = frames_read,
	.seek = file_seek_generic,
};

static int frames_open(const struct synthetic_node *node, struct inode *inode, struct file *file)
{
	file->ops = &frames_ops;
	file->private = (void *)node->data;
	return 0;
}

const bool proc_frames_flags = true;
const struct synthetic_type proc_frames = { .mode = S_IFREG | 0400, .open = frames_open };

#define TEXT_FILE(symbol, permissions, function)                                                   \
	const struct synthetic_type symbol = { .mode = S_IFREG | (permissions), .show = function }
TEXT_FILE(proc_kallsyms, 0444, kallsyms_show);
TEXT_FILE(proc_iomem, 0444, iomem_show);
TEXT_FILE(proc_vmallocinfo, 0400, vmallocinfo_show);
TEXT_FILE(proc_execdomains, 0444, execdomains_show);
TEXT_FILE(proc_softirqs, 0444, softirqs_show);
TEXT_FILE(proc_schedstat, 0444, schedstat_show);
TEXT_FILE(proc_misc, 0444, misc_show);
TEXT_FILE(proc_pagetypeinfo, 0400, pagetypeinfo_show);
static TEXT_FILE(ldiscs_file, 0444, ldiscs_show);
static TEXT_FILE(drivers_file, 0444, tty_drivers_show);

static const struct synthetic_named tty_names[] = {
	{ "drivers", &drivers_file, nullptr },
	{ "ldiscs", &ldiscs_file, nullptr },
};
const struct synthetic_table proc_tty_table = SYNTHETIC_TABLE(tty_names);
