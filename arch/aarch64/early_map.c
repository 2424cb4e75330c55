/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mappings made before the page allocator works: the device tree, the devices that the kernel
 * cannot boot without, and the direct map of all memory.
 */
#include <arch/boot.h>
#include <arch/layout.h>
#include <arch/mmu.h>
#include <core/panic.h>
#include <lib/string.h>

#include "arm_priv.h"

#define BLOCK_SIZE BIT(21)
#define EARLY_SLOT (EARLY_MAP_BASE >> 21 & 511)

u64 kernel_phys_offset;
bool mmu_hardware_dirty;
const bool arch_tlb_broadcasts = true;

static unsigned early_blocks_used;

void arch_pte_publish(void)
{
	asm volatile("dsb ishst\n\tisb" ::: "memory");
}

paddr_t arch_mmu_kernel_root(void)
{
	return image_to_phys(kernel_root);
}

/* The block of the window that maps `pa` with `prot`, made if need be; window index or -1. */
static int early_block(paddr_t pa, u32 prot, unsigned from)
{
	pte_t want = pte_leaf(pa, prot, 1);

	for (unsigned i = from; i < early_blocks_used; i++)
		if (kernel_l2[EARLY_SLOT + i] == want.value)
			return (int)i;
	if (early_blocks_used == EARLY_MAP_BLOCKS)
		return -1;
	kernel_l2[EARLY_SLOT + early_blocks_used] = want.value;
	arch_pte_publish();
	return (int)early_blocks_used++;
}

void *early_map(paddr_t pa, size_t size, u32 prot)
{
	paddr_t start = ALIGN_DOWN(pa, BLOCK_SIZE), end = ALIGN_UP(pa + size, BLOCK_SIZE);
	unsigned blocks = (unsigned)((end - start) >> 21);
	int first;

	if (!size || end <= start || blocks > EARLY_MAP_BLOCKS - early_blocks_used)
		return nullptr;
	prot |= MMU_GLOBAL | MMU_READ;
	/* One block may share what is mapped already; several must be adjacent, so they are new. */
	first = early_block(start, prot, blocks == 1 ? 0 : early_blocks_used);
	for (unsigned i = 1; i < blocks && first >= 0; i++)
		(void)early_block(start + i * BLOCK_SIZE, prot, early_blocks_used);
	if (first < 0)
		return nullptr;
	return (char *)(EARLY_MAP_BASE + (unsigned)first * BLOCK_SIZE) + (pa - start);
}

void *early_map_view(paddr_t pa, size_t size)
{
	unsigned used = early_blocks_used;
	void *view = early_map(pa, size, MMU_WRITE);

	/* The slots stay free for the next mapping, which must not come before early_unmap_view().
	 */
	early_blocks_used = used;
	return view;
}

void early_unmap_view(void)
{
	for (unsigned i = early_blocks_used; i < EARLY_MAP_BLOCKS; i++)
		kernel_l2[EARLY_SLOT + i] = 0;
	arch_tlb_flush_kernel(EARLY_MAP_BASE, EARLY_MAP_BASE + EARLY_MAP_BLOCKS * BLOCK_SIZE);
}

volatile void *early_map_registers(dt_node node, unsigned index)
{
	u64 address, size;

	if (!device_tree_reg(&firmware_tree, node, index, &address, &size))
		return nullptr;
	return early_map(address, size, MMU_WRITE | MMU_DEVICE);
}

/*
 * A page for a table of the direct map, out of the pool at the end of the image. What is left of
 * the pool goes to the page allocator with all other memory, because boot_info.kernel_end is moved
 * up only over what is used.
 */
static u64 *pool_table(void)
{
	paddr_t pa = boot_info.kernel_end;
	u64 *table = (u64 *)(pa - kernel_phys_offset);

	if ((char *)table >= __kernel_end)
		panic("direct map: the memory map is too scattered for the early page tables");
	boot_info.kernel_end += PAGE_SIZE;
	memset(table, 0, PAGE_SIZE);
	return table;
}

/* The table below entry `entry`; all tables are in the image. */
static u64 *table_below(u64 *entry)
{
	pte_t pte = { *entry };

	if (!pte_present(pte)) {
		u64 *table = pool_table();

		pte = pte_table(image_to_phys(table));
		*entry = pte.value;
		return table;
	}
	return (u64 *)(pte_address(pte) - kernel_phys_offset);
}

static void direct_map_one(paddr_t pa, unsigned level, u32 prot)
{
	vaddr_t va = DIRECT_MAP_BASE + pa;
	u64 *table = kernel_root;

	for (unsigned l = 3; l > level; l--)
		table = table_below(&table[va >> (PAGE_SHIFT + 9 * l) & 511]);
	table[va >> (PAGE_SHIFT + 9 * level) & 511] = pte_leaf(pa, prot | MMU_GLOBAL, level).value;
}

/* Maps page aligned [start, end) with the largest blocks that fit. */
static void direct_map_range(paddr_t start, paddr_t end, u32 prot)
{
	while (start < end) {
		unsigned level = 2;

		while (level && (!IS_ALIGNED(start, BIT(PAGE_SHIFT + 9 * level)) ||
				 end - start < BIT(PAGE_SHIFT + 9 * level)))
			level--;
		direct_map_one(start, level, prot);
		start += BIT(PAGE_SHIFT + 9 * level);
	}
}

/*
 * The kernel's code and constants are mapped read only here too: no page is writable through one
 * address and executable through another.
 */
void arch_direct_map_init(void)
{
	paddr_t fixed_start = image_to_phys(__text_start), fixed_end = image_to_phys(__rodata_end);

	for (unsigned i = 0; i < boot_info.memory_count; i++) {
		const struct boot_memory *m = &boot_info.memory[i];
		paddr_t start = ALIGN_UP(m->start, PAGE_SIZE);
		paddr_t end = ALIGN_DOWN(m->start + m->size, PAGE_SIZE);

		if (!m->usable || start >= end)
			continue;
		if (fixed_start >= start && fixed_end <= end) {
			direct_map_range(start, fixed_start, MMU_READ | MMU_WRITE);
			direct_map_range(fixed_start, fixed_end, MMU_READ);
			start = fixed_end;
		}
		direct_map_range(start, end, MMU_READ | MMU_WRITE);
	}
	arch_pte_publish();
}
