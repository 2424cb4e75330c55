/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counting what of a mapping is in memory, by a walk of its page tables. */
#include <mm/residency.h>

#include <mm/frame.h>
#include <mm/pagetable.h>

static void count_page(pte_t pte, struct mapping_residency *out)
{
	struct page *page = phys_to_page(pte_address(pte));
	if (!page)
		return;
	/* A page of a memory object has a reference of the object besides those of the page tables.
	 */
	u32 users = page_refs(page);
	if (page->kind == PAGE_CACHE && users > 1)
		users--;
	bool dirty = pte_dirty(pte) || page->flags & PAGE_FLAG_DIRTY;
	if (pte_accessed(pte))
		out->referenced++;
	if (page->kind == PAGE_ANON)
		out->anonymous++;
	if (users > 1) {
		*(dirty ? &out->shared_dirty : &out->shared_clean) += 1;
		out->proportional_shared_bytes += PAGE_SIZE / users;
	} else {
		*(dirty ? &out->private_dirty : &out->private_clean) += 1;
	}
}

void aspace_mapping_residency(const struct aspace *as, const struct vma *vma,
			      struct mapping_residency *out)
{
	*out = (struct mapping_residency){ 0 };
	if (vma->flags & VMA_DEVICE)
		return;
	unsigned count;
	for (vaddr_t va = vma->start; va < vma->end; va += count * PAGE_SIZE) {
		pte_t *pte = pagetable_next(as->mmu.root, &va, vma->end, &count);
		if (!pte)
			return;
		for (unsigned i = 0; i < count; i++) {
			pte_t entry = pte_load(pte + i);
			if (pte_present(entry))
				count_page(entry, out);
		}
	}
}

u64 aspace_pagemap_entry(struct aspace *as, vaddr_t address, bool frames)
{
	u64 word = 0;
	read_lock(&as->lock);
	const struct vma *vma = aspace_find(as, address);
	if (vma && vma->start <= address) {
		const pte_t *pte = pagetable_find(as->mmu.root, address);
		pte_t entry = pte ? pte_load(pte) : (pte_t){ 0 };
		if (pte_present(entry))
			word = BIT(63) | (vma->object ? BIT(61) : 0) |
			       (frames ? pte_address(entry) >> PAGE_SHIFT : 0);
	}
	read_unlock(&as->lock);
	return word;
}

static void clear_mapping(struct aspace *as, const struct vma *vma)
{
	unsigned count;

	for (vaddr_t va = vma->start; va < vma->end; va += count * PAGE_SIZE) {
		pte_t *pte = pagetable_next(as->mmu.root, &va, vma->end, &count);

		if (!pte)
			return;
		for (unsigned i = 0; i < count; i++) {
			pte_t entry = pte_load(pte + i);

			/* One that changes meanwhile was used just now. */
			if (pte_present(entry) && pte_accessed(entry))
				(void)pte_replace(pte + i, entry, pte_clear_accessed(entry));
		}
	}
}

void aspace_clear_referenced(struct aspace *as, bool anonymous, bool files)
{
	read_guard(&as->lock);
	for (struct vma *vma = aspace_find(as, 0); vma; vma = vma_next(vma)) {
		if (!(vma->flags & VMA_DEVICE) && (vma->object ? files : anonymous))
			clear_mapping(as, vma);
	}
}
