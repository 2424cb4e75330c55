/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The MMU of x86_64.
 *
 * All root entries of the kernel half exist from arch_direct_map_init on and never change: the
 * direct map's, the one of the run-time mappings, and the image's. A user root gets copies of them
 * when it is made. Address space identifiers (PCID) are not used: QEMU's own CPUs lack them.
 */
#include <arch/boot.h>
#include <arch/layout.h>
#include <arch/mmu.h>
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/frame.h>

#include "boot.h"
#include "cpu_features.h"
#include "mmu.h"
#include "x86.h"

#define SIZE_2M 0x200000ul
#define SIZE_1G 0x40000000ul
#define SIZE_512G 0x8000000000ul
#define ROOT_USER_ENTRIES 256
#define BOOT_DIRECT_SIZE (4 * SIZE_1G) /* what the tables of head.S span */
#define DIRECT_PROT (MMU_READ | MMU_WRITE | MMU_GLOBAL)

/* Above this many pages one reload of CR3 is cheaper than INVLPG for each. */
#define FLUSH_PAGES_MAX 32

const bool arch_tlb_broadcasts = false;

static void tlb_flush_all(void)
{
	u64 cr4 = cr4_read();
	/* Global entries go when PGE changes. */
	cr4_write(cr4 ^ CR4_PGE);
	cr4_write(cr4);
}

static void page_invalidate(vaddr_t va)
{
	asm volatile("invlpg (%0)" : : "r"(va) : "memory");
}

/* --- The direct map --- */

static paddr_t table_pool, table_pool_end;

static bool overlaps_memory(paddr_t start, u64 size)
{
	for (unsigned i = 0; i < boot_info.memory_count; i++) {
		const struct boot_memory *m = &boot_info.memory[i];
		if (m->start < start + size && start < m->start + m->size)
			return true;
	}
	return false;
}

static bool all_memory(paddr_t start, u64 size)
{
	for (unsigned i = 0; i < boot_info.memory_count; i++) {
		const struct boot_memory *m = &boot_info.memory[i];
		if (m->start <= start && start + size <= m->start + m->size)
			return true;
	}
	return false;
}

static pte_t *table_take(void)
{
	ASSERT(table_pool < table_pool_end);
	pte_t *table = (pte_t *)(DIRECT_MAP_BASE + table_pool);
	table_pool += PAGE_SIZE;
	memset(table, 0, PAGE_SIZE);
	return table;
}

static pte_t *table_below(pte_t *entry)
{
	if (!pte_present(*entry))
		*entry = pte_table((u64)table_take() - DIRECT_MAP_BASE);
	return (pte_t *)(DIRECT_MAP_BASE + pte_address(*entry));
}

static void map_gigabyte(paddr_t start)
{
	pte_t *root_entry = &kernel_root[(DIRECT_MAP_BASE + start) >> 39 & 511];
	pte_t *entry = &table_below(root_entry)[start >> 30 & 511];

	if (pte_present(*entry))
		return;
	if (x86_features.page1g && all_memory(start, SIZE_1G)) {
		*entry = pte_leaf(start, DIRECT_PROT, 2);
		return;
	}
	pte_t *table = table_below(entry);
	for (unsigned i = 0; i < 512; i++) {
		paddr_t pa = start + i * SIZE_2M;
		if (overlaps_memory(pa, SIZE_2M))
			table[i] = pte_leaf(pa, DIRECT_PROT, 1);
	}
}

/*
 * Sets aside frames for the tables, from the end of the highest usable range that head.S mapped and
 * no boot data is in. They stay in boot_info.memory as not usable.
 */
static void table_pool_reserve(u64 size)
{
	for (unsigned i = boot_info.memory_count; i-- > 0;) {
		struct boot_memory *m = &boot_info.memory[i];
		paddr_t end = m->start + m->size, start = end - size;
		if (!m->usable || m->size < size || end > BOOT_DIRECT_SIZE ||
		    (start < boot_info.initrd_end && boot_info.initrd_start < end) ||
		    (start < boot_info.kernel_end && boot_info.kernel_start < end) ||
		    boot_info.memory_count == BOOT_MEMORY_MAX)
			continue;
		m->size -= size;
		memmove(m + 2, m + 1, (boot_info.memory_count - i - 1) * sizeof(*m));
		m[1] = (struct boot_memory){ start, size, false };
		boot_info.memory_count++;
		table_pool = start;
		table_pool_end = end;
		return;
	}
	panic("no room below 4 GiB for %llu bytes of page tables", (unsigned long long)size);
}

static u64 tables_needed(void)
{
	u64 gigabytes = 0;
	paddr_t top = 0;

	for (unsigned i = 0; i < boot_info.memory_count; i++) {
		const struct boot_memory *m = &boot_info.memory[i];
		paddr_t end = m->start + m->size;
		if (end > BOOT_DIRECT_SIZE)
			gigabytes += m->size / SIZE_1G + 2;
		top = MAX(top, end);
	}
	return gigabytes ? gigabytes + top / SIZE_512G : 0;
}

/* Keeps the entries of head.S that show memory, without execute permission, and drops the rest. */
static void trim_boot_tables(void)
{
	memset(boot_direct_pd, 0, sizeof(pte_t) * 2048);
	for (unsigned i = 0; i < boot_info.memory_count; i++) {
		const struct boot_memory *m = &boot_info.memory[i];
		paddr_t end = MIN(m->start + m->size, BOOT_DIRECT_SIZE);
		for (paddr_t pa = ALIGN_DOWN(m->start, SIZE_2M); pa < end; pa += SIZE_2M)
			boot_direct_pd[pa / SIZE_2M] = pte_leaf(pa, DIRECT_PROT, 1);
	}
	/* The BIOS area, for ACPI's root pointer, and the start-up page of other CPUs. */
	boot_direct_pd[0] = pte_leaf(0, DIRECT_PROT, 1);
	kernel_root[0] = (pte_t){ 0 };
}

void arch_direct_map_init(void)
{
	u64 tables = tables_needed();
	if (tables)
		table_pool_reserve(tables * PAGE_SIZE);
	trim_boot_tables();
	tlb_flush_all();
	for (unsigned i = 0; i < boot_info.memory_count; i++) {
		const struct boot_memory *m = &boot_info.memory[i];
		paddr_t start = MAX(ALIGN_DOWN(m->start, SIZE_1G), (paddr_t)BOOT_DIRECT_SIZE);
		for (; start < m->start + m->size; start += SIZE_1G)
			map_gigabyte(start);
	}
}

/* --- Early mappings --- */

static unsigned fixmap_used;

static bool in_direct_map(paddr_t pa)
{
	pte_t entry = kernel_root[(DIRECT_MAP_BASE + pa) >> 39 & 511];
	for (unsigned level = 2; level >= 1 && pte_present(entry); level--) {
		const pte_t *table = (pte_t *)(DIRECT_MAP_BASE + pte_address(entry));
		/* The boot tables lie in the image, which is memory too. */
		entry = table[pa >> (PAGE_SHIFT + 9 * level) & 511];
		if (pte_present(entry) && pte_is_leaf(entry, level))
			return true;
	}
	return false;
}

static void *fixmap_map(paddr_t pa, size_t size, u32 prot)
{
	paddr_t first = ALIGN_DOWN(pa, PAGE_SIZE);
	unsigned pages = (ALIGN_UP(pa + size, PAGE_SIZE) - first) / PAGE_SIZE;
	vaddr_t va = FIXMAP_BASE + fixmap_used * PAGE_SIZE;

	if (fixmap_used + pages > FIXMAP_PAGES)
		panic("too many early mappings");
	for (unsigned i = 0; i < pages; i++)
		fixmap_pt[fixmap_used++] = pte_leaf(first + i * PAGE_SIZE, prot, 0);
	return (void *)(va + (pa - first));
}

void *x86_map_device(paddr_t pa, size_t size)
{
	return fixmap_map(pa, size, MMU_READ | MMU_WRITE | MMU_DEVICE | MMU_GLOBAL);
}

const void *x86_map_table(paddr_t pa, size_t size)
{
	if (in_direct_map(pa) && in_direct_map(pa + size - 1))
		return (void *)(DIRECT_MAP_BASE + pa);
	return fixmap_map(pa, size, MMU_READ | MMU_GLOBAL);
}

/* --- Address spaces --- */

paddr_t arch_mmu_kernel_root(void)
{
	return (u64)kernel_root + x86_image_to_phys;
}

int arch_mmu_create(struct arch_mmu *mmu)
{
	pte_t *root = page_alloc_address(0, ALLOC_KIND(PAGE_TABLE));
	if (!root)
		return -ENOMEM;
	memset(root, 0, ROOT_USER_ENTRIES * sizeof(pte_t));
	memcpy(root + ROOT_USER_ENTRIES, kernel_root + ROOT_USER_ENTRIES,
	       (512 - ROOT_USER_ENTRIES) * sizeof(pte_t));
	*mmu = (struct arch_mmu){ .root = (u64)root - DIRECT_MAP_BASE };
	return 0;
}

void arch_mmu_destroy(struct arch_mmu *mmu)
{
	page_free_address((void *)(DIRECT_MAP_BASE + mmu->root));
	mmu->root = 0;
}

void arch_mmu_switch(struct arch_mmu *mmu)
{
	paddr_t root = mmu ? mmu->root : arch_mmu_kernel_root();
	if (cr3_read() != root)
		cr3_write(root);
}

void arch_tlb_flush_user(struct arch_mmu *mmu, vaddr_t start, vaddr_t end)
{
	if (cr3_read() != mmu->root)
		return; /* without PCIDs nothing of it is left in the TLB */
	if (end - start > FLUSH_PAGES_MAX * PAGE_SIZE) {
		cr3_write(mmu->root);
		return;
	}
	for (; start < end; start += PAGE_SIZE)
		page_invalidate(start);
}

void arch_tlb_flush_all_users(void)
{
	cr3_write(cr3_read());
}

void arch_tlb_flush_kernel(vaddr_t start, vaddr_t end)
{
	if (end - start > FLUSH_PAGES_MAX * PAGE_SIZE) {
		tlb_flush_all();
		return;
	}
	for (; start < end; start += PAGE_SIZE)
		page_invalidate(start);
}

void arch_pte_publish(void)
{
	/* The walker sees stores in program order. */
	asm volatile("" ::: "memory");
}

void arch_sync_icache(const void *start, size_t size)
{
	/* Instruction fetch is coherent with stores. */
	asm volatile("" ::: "memory");
}
