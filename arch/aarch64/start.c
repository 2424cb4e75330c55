/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first C code: turns what the device tree says into boot_info and calls kernel_main. Runs on
 * the boot stack with the kernel image mapped and nothing else.
 */
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/impl/asm.h>
#include <arch/layout.h>
#include <core/panic.h>
#include <core/thread_base.h>
#include <lib/string.h>

#include "arm_priv.h"

static_assert(offsetof(struct thread_base, preempt_count) == THREAD_PREEMPT_COUNT);
static_assert(offsetof(struct thread_base, work) == THREAD_WORK);
static_assert(offsetof(struct thread_base, kstack_top) == THREAD_KSTACK_TOP);
static_assert(offsetof(struct thread_base, arch) == THREAD_ARCH);
static_assert(WORK_EXIT_MASK == (WORK_RESCHEDULE | WORK_SIGNAL | WORK_NOTIFY | WORK_RSEQ));

#define DEVICE_TREE_MAX BIT(21) /* by the boot protocol */

struct boot_info boot_info;
struct device_tree firmware_tree;

void arch_start(paddr_t tree, paddr_t image);

/* Inserts a range, keeping the list sorted. Ranges do not overlap yet. */
static void memory_insert(unsigned at, paddr_t start, u64 size, bool usable)
{
	struct boot_memory *m = boot_info.memory;

	if (!size || boot_info.memory_count == BOOT_MEMORY_MAX)
		return;
	memmove(&m[at + 1], &m[at], (boot_info.memory_count - at) * sizeof(*m));
	m[at] = (struct boot_memory){ .start = start, .size = size, .usable = usable };
	boot_info.memory_count++;
}

/* Adds RAM that no earlier entry covers; of an overlapping entry nothing is taken. */
static void memory_add(paddr_t start, u64 size)
{
	unsigned at = 0;
	u64 end;

	if (start >= DIRECT_MAP_SIZE || add_overflows(start, size, &end))
		return;
	end = MIN(end, (u64)DIRECT_MAP_SIZE);
	for (; at < boot_info.memory_count; at++) {
		const struct boot_memory *m = &boot_info.memory[at];

		if (m->start >= end)
			break;
		if (m->start + m->size > start)
			return;
	}
	memory_insert(at, start, end - start, true);
}

/* Takes [start, end) out of the usable ranges; whole pages. */
static void memory_reserve(paddr_t start, u64 size)
{
	u64 end;

	if (!size || add_overflows(start, size, &end) || end > UINT64_MAX - PAGE_SIZE)
		return;
	start = ALIGN_DOWN(start, PAGE_SIZE);
	end = ALIGN_UP(end, PAGE_SIZE);
	for (unsigned i = 0; i < boot_info.memory_count; i++) {
		struct boot_memory *m = &boot_info.memory[i];
		paddr_t m_end = m->start + m->size;
		paddr_t from = MAX(start, m->start), to = MIN(end, m_end);

		if (!m->usable || from >= to || boot_info.memory_count + 2 > BOOT_MEMORY_MAX)
			continue;
		memory_insert(i + 1, to, m_end - to, true);
		if (from == m->start) {
			m->size = to - from;
			m->usable = false;
		} else {
			m->size = from - m->start;
			memory_insert(i + 1, from, to - from, false);
			i++;
		}
	}
}

static void read_memory(const struct device_tree *dt)
{
	dt_node root = device_tree_root(dt), node = device_tree_first_child(dt, root);
	u64 address, size;

	for (; node != DT_NONE; node = device_tree_next_sibling(dt, node)) {
		const char *type = device_tree_string(dt, node, "device_type");

		if (!type || strcmp(type, "memory") != 0 || !device_tree_enabled(dt, node))
			continue;
		for (unsigned i = 0; device_tree_reg(dt, node, i, &address, &size); i++)
			memory_add(address, size);
	}
	for (unsigned i = 0; device_tree_reservation(dt, i, &address, &size); i++)
		memory_reserve(address, size);
	node = device_tree_first_child(dt, device_tree_find_path(dt, "/reserved-memory"));
	for (; node != DT_NONE; node = device_tree_next_sibling(dt, node))
		for (unsigned i = 0;
		     device_tree_enabled(dt, node) && device_tree_reg(dt, node, i, &address, &size);
		     i++)
			memory_reserve(address, size);
}

static void read_chosen(const struct device_tree *dt)
{
	dt_node chosen = device_tree_find_path(dt, "/chosen");
	const char *arguments = device_tree_string(dt, chosen, "bootargs");
	u64 start, end;

	if (arguments)
		(void)string_copy(boot_info.command_line, arguments,
				  sizeof(boot_info.command_line));
	if (device_tree_number(dt, chosen, "linux,initrd-start", &start) &&
	    device_tree_number(dt, chosen, "linux,initrd-end", &end) && start < end) {
		boot_info.initrd_start = start;
		boot_info.initrd_end = end;
	}
}

/* A tree has at most 2 MiB but may cross a boundary of the blocks that it is mapped with. */
static void open_tree(paddr_t tree)
{
	size_t size = DEVICE_TREE_MAX - (tree & (DEVICE_TREE_MAX - 1));
	const void *blob;

	if (!tree || tree % 8)
		return;
	blob = early_map(tree, size, MMU_READ);
	if (blob && device_tree_open(&firmware_tree, blob, size)) {
		size += DEVICE_TREE_MAX;
		blob = early_map(tree, size, MMU_READ);
		if (!blob || device_tree_open(&firmware_tree, blob, size))
			return;
	}
	boot_info.device_tree = tree;
	boot_info.device_tree_size = device_tree_used(&firmware_tree);
}

void arch_start(paddr_t tree, paddr_t image)
{
	kernel_phys_offset = image - KERNEL_BASE;
	mmu_hardware_dirty = read_sysreg(tcr_el1) >> 40 & 1;
	boot_info.kernel_start = image_to_phys(__kernel_start);
	boot_info.kernel_end = image_to_phys(__early_pool_start);
	open_tree(tree);
	early_console_init();
	psci_init();
	read_memory(&firmware_tree);
	read_chosen(&firmware_tree);
	memory_reserve(boot_info.device_tree, boot_info.device_tree_size);
	cpu_features_init();
	smp_init();
	kernel_main();
}
