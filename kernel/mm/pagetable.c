/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page table walks. <mm/pagetable.h> has the theory. */
#include <core/cpu_call.h>
#include <core/panic.h>
#include <core/percpu.h>
#include <lib/errno.h>
#include <mm/aspace_priv.h>
#include <mm/frame.h>
#include <mm/pagetable.h>

#define LEVELS 4u

static pte_t *table_of(paddr_t pa)
{
	return phys_to_virt(pa);
}

static unsigned entry_shift(unsigned level)
{
	return PAGE_SHIFT + 9 * level;
}

static unsigned entry_index(vaddr_t va, unsigned level)
{
	return va >> entry_shift(level) & (PAGETABLE_ENTRIES - 1);
}

pte_t *pagetable_find(paddr_t root, vaddr_t va)
{
	pte_t *table = table_of(root);

	for (unsigned level = LEVELS - 1; level; level--) {
		pte_t entry = pte_load(&table[entry_index(va, level)]);
		if (pte_empty(entry) || pte_is_leaf(entry, level))
			return nullptr;
		table = table_of(pte_address(entry));
	}
	return &table[entry_index(va, 0)];
}

/* Empty tables; nearly every process gives back what the next one needs. */
#define FRAMES_KEPT 16
struct frame_stack {
	u32 count;
	struct page *frames[FRAMES_KEPT];
};
static DEFINE_PER_CPU(struct frame_stack, kept_frames);

struct page *pagetable_frame_alloc(u32 flags)
{
	struct page *page = nullptr;

	irqflags_t irq = arch_irq_save();
	struct frame_stack *kept = &this_cpu(kept_frames);
	if (likely(kept->count))
		page = kept->frames[--kept->count];
	arch_irq_restore(irq);
	if (page)
		return page;
	return page_alloc(0, (flags & (ALLOC_ATOMIC | ALLOC_USER | ALLOC_BOOT)) | ALLOC_ZERO |
				     ALLOC_KIND(PAGE_TABLE));
}

void pagetable_frame_free(struct page *page)
{
	irqflags_t irq = arch_irq_save();
	struct frame_stack *kept = &this_cpu(kept_frames);
	if (kept->count < FRAMES_KEPT) {
		kept->frames[kept->count++] = page;
		page = nullptr;
	}
	arch_irq_restore(irq);
	if (page)
		page_put(page);
}

static void release_kept_frames(void *freed)
{
	irqflags_t irq = arch_irq_save();
	struct frame_stack *kept = &this_cpu(kept_frames);

	__atomic_fetch_add((u64 *)freed, kept->count, __ATOMIC_RELAXED);
	while (kept->count)
		page_put(kept->frames[--kept->count]);
	arch_irq_restore(irq);
}

u64 pagetable_shrink(void)
{
	u64 freed = 0;

	preempt_disable();
	release_kept_frames(&freed);
	cpu_call(~0ull, release_kept_frames, &freed);
	preempt_enable();
	return freed;
}

/* Puts a new table behind an empty entry, or finds the one that another CPU put there. */
static bool table_add(pte_t *entry, u32 flags, u64 *tables)
{
	struct page *page = pagetable_frame_alloc(flags);

	if (!page)
		return false;
	if (pte_replace(entry, (pte_t){ 0 }, pte_table(page_to_phys(page))))
		__atomic_fetch_add(tables, 1, __ATOMIC_RELAXED);
	else
		pagetable_frame_free(page);
	return true;
}

pte_t *pagetable_make(paddr_t root, vaddr_t va, u32 flags, u64 *tables)
{
	pte_t *table = table_of(root);

	for (unsigned level = LEVELS - 1; level; level--) {
		pte_t *entry = &table[entry_index(va, level)];
		if (unlikely(pte_empty(pte_load(entry))) && !table_add(entry, flags, tables))
			return nullptr;
		table = table_of(pte_address(pte_load(entry)));
	}
	return &table[entry_index(va, 0)];
}

pte_t *pagetable_next(paddr_t root, vaddr_t *va, vaddr_t end, unsigned *count)
{
	vaddr_t at = *va;

	while (at < end) {
		pte_t *table = table_of(root);
		unsigned level = LEVELS - 1;
		for (; level; level--) {
			pte_t entry = pte_load(&table[entry_index(at, level)]);
			if (pte_empty(entry) || pte_is_leaf(entry, level))
				break;
			table = table_of(pte_address(entry));
		}
		if (!level) {
			unsigned index = entry_index(at, 0);
			*va = at;
			*count = MIN((u64)(PAGETABLE_ENTRIES - index), (end - at) >> PAGE_SHIFT);
			return &table[index];
		}
		vaddr_t next = (at | (BIT(entry_shift(level)) - 1)) + 1;
		if (next <= at)
			break;
		at = next;
	}
	return nullptr;
}

/* --- freeing --- */

struct free_walk {
	vaddr_t start, end, floor, last; /* last: of the bytes that nobody else maps */
	struct list_head tables;	 /* unlinked */
};

static void table_unlink(struct free_walk *walk, pte_t *entry)
{
	paddr_t table = pte_address(pte_take(entry));

	list_add_tail(&walk->tables, &phys_to_page(table)->node);
}

/* Unlinks the tables below one of `level`, which maps from `base` on. */
static void table_unlink_below(struct free_walk *walk, pte_t *table, unsigned level, vaddr_t base)
{
	u64 span = BIT(entry_shift(level));
	vaddr_t from = MAX(walk->start, base);
	vaddr_t last = MIN(walk->end - 1, base + (span << 9) - 1);

	unsigned end = entry_index(last, level);
	for (unsigned i = entry_index(from, level); i <= end; i++) {
		if (i + 8 <= end && pte_group_empty(&table[i])) {
			i += 7;
			continue;
		}
		pte_t entry = pte_load(&table[i]);
		vaddr_t at = base + i * span;
		if (pte_empty(entry) || pte_is_leaf(entry, level))
			continue;
		if (level > 1)
			table_unlink_below(walk, table_of(pte_address(entry)), level - 1, at);
		if (at >= walk->floor && at + span - 1 <= walk->last)
			table_unlink(walk, &table[i]);
	}
}

u64 pagetable_free(paddr_t root, vaddr_t start, vaddr_t end, vaddr_t floor, vaddr_t ceiling,
		   struct aspace *flush)
{
	struct free_walk walk = { .start = start, .end = end, .floor = floor, .last = ceiling - 1 };
	/* The tables of the last addresses reach beyond USER_MAX, where there is nothing of ours. */
	if (ceiling == USER_MAX)
		walk.last = UINTPTR_MAX;
	u64 freed = 0;

	list_init(&walk.tables);
	if (start < end)
		table_unlink_below(&walk, table_of(root), LEVELS - 1, 0);
	if (flush && !list_empty(&walk.tables))
		aspace_flush_tables(flush, start, end);
	while (!list_empty(&walk.tables)) {
		struct page *page = list_first(&walk.tables, struct page, node);
		list_remove(&page->node);
		pagetable_frame_free(page);
		freed++;
	}
	return freed;
}

/* --- kernel mappings --- */

int pagetable_map_kernel(vaddr_t va, paddr_t pa, size_t size, u32 prot)
{
	u64 tables = 0;

	for (size_t done = 0; done < size; done += PAGE_SIZE) {
		pte_t *pte = pagetable_make(arch_mmu_kernel_root(), va + done, 0, &tables);
		if (!pte) {
			pagetable_unmap_kernel(va, done);
			return -ENOMEM;
		}
		DASSERT(pte_empty(pte_load(pte)));
		pte_store(pte, pte_leaf(pa + done, prot | MMU_GLOBAL, 0));
	}
	arch_pte_publish();
	return 0;
}

void pagetable_clear_kernel(vaddr_t va, size_t size)
{
	vaddr_t at = va;
	pte_t *pte;
	unsigned count;

	while ((pte = pagetable_next(arch_mmu_kernel_root(), &at, va + size, &count))) {
		for (unsigned i = 0; i < count; i++)
			pte_store(&pte[i], (pte_t){ 0 });
		at += (vaddr_t)count << PAGE_SHIFT;
	}
}

void pagetable_unmap_kernel(vaddr_t va, size_t size)
{
	pagetable_clear_kernel(va, size);
	if (size)
		tlb_flush_kernel(va, va + size);
}

paddr_t pagetable_kernel_lookup(vaddr_t va)
{
	pte_t *pte = pagetable_find(arch_mmu_kernel_root(), va);

	return pte && !pte_empty(pte_load(pte)) ? pte_address(pte_load(pte)) : 0;
}
