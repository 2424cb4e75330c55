/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking pages out of address spaces: munmap, truncation, exit.
 *
 * A frame may be released only when no CPU can reach it any more. So entries are emptied first,
 * then the TLBs are flushed for the range, then the references that the entries held are dropped; a
 * batch bounds how many wait.
 */
#include <core/panic.h>
#include <core/percpu.h>
#include <mm/aspace_priv.h>
#include <mm/budget.h>
#include <mm/memory_object.h>

static void flush_tlb(struct aspace *as, vaddr_t start, vaddr_t end, bool tables)
{
	preempt_disable();
	u64 active = __atomic_load_n(&as->cpus_active, __ATOMIC_SEQ_CST);
	if (arch_tlb_broadcasts || active & BIT(cpu_id()))
		arch_tlb_flush_user(&as->mmu, start, end);
	if (!arch_tlb_broadcasts && active & ~BIT(cpu_id()))
		tlb_shoot_down(as, active & ~BIT(cpu_id()), start, end, tables);
	preempt_enable();
}

void aspace_flush_tlb(struct aspace *as, vaddr_t start, vaddr_t end)
{
	flush_tlb(as, start, end, false);
}

void aspace_flush_tables(struct aspace *as, vaddr_t start, vaddr_t end)
{
	flush_tlb(as, start, end, true);
}

void unmap_begin(struct unmap_batch *batch, struct aspace *as)
{
	batch->as = as;
	batch->start = UINTPTR_MAX;
	batch->end = 0;
	batch->dead = false;
	batch->keep_anon = false;
	batch->count = 0;
	batch->anon = batch->file = batch->shared = 0;
}

/* Flushes what was emptied so far and releases the frames. */
static void unmap_commit(struct unmap_batch *batch)
{
	if (batch->start < batch->end && !batch->dead)
		aspace_flush_tlb(batch->as, batch->start, batch->end);
	batch->start = UINTPTR_MAX;
	batch->end = 0;
	while (batch->count)
		page_put(batch->pages[--batch->count]);
}

static void unmap_count(struct unmap_batch *batch, const struct vma *vma, const struct page *page)
{
	if (page->kind == PAGE_ANON)
		batch->anon++;
	else if (vma->flags & VMA_SHARED && !vma->file)
		batch->shared++;
	else
		batch->file++;
}

static bool entry_is_anon(pte_t pte)
{
	struct page *page = phys_to_page(pte_address(pte));

	return page && page->kind == PAGE_ANON;
}

/* One leaf table's worth of entries. */
static void unmap_entries(struct unmap_batch *batch, struct vma *vma, vaddr_t at, pte_t *pte,
			  unsigned count)
{
	bool counted = !(vma->flags & VMA_DEVICE);

	for (unsigned i = 0; i < count; i++, at += PAGE_SIZE) {
		if (i + 8 <= count && pte_group_empty(&pte[i])) {
			i += 7;
			at += 7 * PAGE_SIZE;
			continue;
		}
		pte_t old = pte_load(&pte[i]);
		if (pte_empty(old) || (batch->keep_anon && entry_is_anon(old)))
			continue;
		if (batch->dead) {
			pte[i] = (pte_t){ 0 };
		} else {
			old = pte_take(&pte[i]);
			if (batch->start > at)
				batch->start = at;
			batch->end = at + PAGE_SIZE;
		}
		if (!counted || pte_address(old) == zero_page)
			continue;
		struct page *page = phys_to_page(pte_address(old));
		unmap_count(batch, vma, page);
		if (batch->dead) {
			page_put(page);
			continue;
		}
		batch->pages[batch->count++] = page;
		if (batch->count == ARRAY_SIZE(batch->pages))
			unmap_commit(batch);
	}
}

void unmap_range(struct unmap_batch *batch, struct vma *vma, vaddr_t start, vaddr_t end)
{
	vaddr_t at = start;
	unsigned count;
	pte_t *pte;

	while ((pte = pagetable_next(batch->as->mmu.root, &at, end, &count))) {
		/* Ranges of one batch need not be adjacent or rise. */
		if (batch->end > at)
			unmap_commit(batch);
		unmap_entries(batch, vma, at, pte, count);
		at += (vaddr_t)count << PAGE_SHIFT;
	}
}

void unmap_end(struct unmap_batch *batch)
{
	struct aspace *as = batch->as;

	unmap_commit(batch);
	aspace_note_peak(as);
	if (batch->anon) {
		__atomic_fetch_sub(&as->resident_anon, batch->anon, __ATOMIC_RELAXED);
		memory_budget_release(as->budget, batch->anon << PAGE_SHIFT);
	}
	if (batch->file)
		__atomic_fetch_sub(&as->resident_file, batch->file, __ATOMIC_RELAXED);
	if (batch->shared)
		__atomic_fetch_sub(&as->resident_shared, batch->shared, __ATOMIC_RELAXED);
}

void aspace_remove_range(struct aspace *as, vaddr_t start, vaddr_t end)
{
	struct vma *vma = aspace_find(as, start);
	struct unmap_batch batch;

	if (!vma || vma->start >= end)
		return;
	struct vma *prev = vma_prev(vma);
	vaddr_t floor = prev ? prev->end : 0;

	unmap_begin(&batch, as);
	while (vma && vma->start < end) {
		struct vma *next = vma_next(vma);
		unmap_range(&batch, vma, vma->start, vma->end);
		vma_remove(vma);
		vma_destroy(vma);
		vma = next;
	}
	unmap_end(&batch);
	u64 freed =
		pagetable_free(as->mmu.root, start, end, floor, vma ? vma->start : USER_MAX, as);
	as->page_table_pages -= freed;
	memory_budget_release(as->budget, freed << PAGE_SHIFT);
}

/*
 * Where an address space has tables: ranges with no more than a table's span between two areas of one. What lies between
 * the ranges need not be searched; when there are too many, the last one reaches to the last area.
 */
struct table_ranges {
	unsigned count;
	struct {
		vaddr_t start, end;
	} range[8];
};

static void table_ranges_add(struct table_ranges *ranges, const struct vma *vma)
{
	unsigned n = ranges->count;

	if (n && (vma->start - ranges->range[n - 1].end < PAGETABLE_SPAN ||
		  n == ARRAY_SIZE(ranges->range))) {
		ranges->range[n - 1].end = vma->end;
		return;
	}
	ranges->range[n].start = vma->start;
	ranges->range[n].end = vma->end;
	ranges->count++;
}

/* Frees all tables but the root; what is below the ranges already done is gone, so that nothing there keeps a table. */
static void free_tables(struct aspace *as, const struct table_ranges *ranges, struct aspace *flush)
{
	u64 freed = 0;

	for (unsigned i = 0; i < ranges->count; i++) {
		vaddr_t ceiling = i + 1 < ranges->count ? ranges->range[i + 1].start : USER_MAX;
		freed += pagetable_free(as->mmu.root, ranges->range[i].start, ranges->range[i].end,
					0, ceiling, flush);
	}
	as->page_table_pages -= freed;
	memory_budget_release(as->budget, freed << PAGE_SHIFT);
}

void aspace_remove_all(struct aspace *as)
{
	__uninitialized struct table_ranges ranges;
	struct unmap_batch batch;
	struct rb_node *node;

	/* Whoever lends the tables to a kernel thread keeps them loaded; this CPU need not. */
	preempt_disable();
	if (as->cpus_active == BIT(cpu_id()))
		aspace_unload();
	preempt_enable();

	unmap_begin(&batch, as);
	batch.dead = !as->cpus_active;
	ranges.count = 0;
	for (node = rb_first(&as->vmas); node; node = rb_next(node)) {
		struct vma *vma = rb_entry(node, struct vma, node);
		unmap_range(&batch, vma, vma->start, vma->end);
		table_ranges_add(&ranges, vma);
	}
	vma_destroy_all(as);
	unmap_end(&batch);
	free_tables(as, &ranges, batch.dead ? nullptr : as);
	DASSERT(as->page_table_pages == 1); /* the root */
	as->brk_start = as->brk_end = 0;
}

/* --- mappings of an object, in all address spaces --- */

/* The part of `vma` that shows bytes [start, end) of its object; false if there is none. */
static bool vma_window(const struct vma *vma, u64 start, u64 end, vaddr_t *from, vaddr_t *to)
{
	u64 first = MAX(start, vma->offset);
	u64 last = MIN(end, vma->offset + (vma->end - vma->start));

	if (first >= last)
		return false;
	*from = vma->start + (first - vma->offset);
	*to = MIN(vma->start + ALIGN_UP(last - vma->offset, PAGE_SIZE), vma->end);
	return true;
}

void aspace_unmap_object(struct memory_object *object, u64 start, u64 end, bool private_copies)
{
	struct vma *vma;
	vaddr_t from, to;

	mutex_lock(&object->mappings_lock);
	list_for_each (vma, &object->mappings, object_node) {
		if (!vma_window(vma, start, end, &from, &to))
			continue;
		struct unmap_batch batch;
		unmap_begin(&batch, vma->aspace);
		batch.keep_anon = !private_copies;
		unmap_range(&batch, vma, from, to);
		unmap_end(&batch);
	}
	mutex_unlock(&object->mappings_lock);
}

/* Write protects the shared entries of [from, to). */
static void vma_clean(struct vma *vma, vaddr_t from, vaddr_t to)
{
	vaddr_t at = from;
	unsigned count;
	pte_t *pte;
	bool changed = false;

	while ((pte = pagetable_next(vma->aspace->mmu.root, &at, to, &count))) {
		for (unsigned i = 0; i < count; i++) {
			pte_t old = pte_load(&pte[i]);
			while (!pte_empty(old) && pte_prot(old) & MMU_WRITE) {
				pte_t clean = pte_clear_dirty(
					pte_with_prot(old, pte_prot(old) & ~MMU_WRITE));
				changed = true;
				if (pte_replace(&pte[i], old, clean))
					break;
				old = pte_load(&pte[i]);
			}
		}
		at += (vaddr_t)count << PAGE_SHIFT;
	}
	if (changed)
		aspace_flush_tlb(vma->aspace, from, to);
}

void aspace_clean_object(struct memory_object *object, u64 start, u64 end)
{
	struct vma *vma;
	vaddr_t from, to;

	mutex_lock(&object->mappings_lock);
	list_for_each (vma, &object->mappings, object_node)
		if (vma->flags & VMA_SHARED && vma_window(vma, start, end, &from, &to))
			vma_clean(vma, from, to);
	mutex_unlock(&object->mappings_lock);
}

void aspace_unmap_derived(struct aspace *as, const struct derivation *derivation)
{
	vaddr_t at = 0;
	struct vma *vma;

	write_lock(&as->lock);
	while ((vma = aspace_find(as, at))) {
		at = vma->end;
		if (vma->derivation == derivation)
			aspace_remove_range(as, vma->start, vma->end);
	}
	write_unlock(&as->lock);
}
