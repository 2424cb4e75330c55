/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mprotect(2), mlock(2). */
#include <lib/errno.h>
#include <mm/aspace_priv.h>

#include <linux/mman.h>

/*
 * Takes rights away from present entries, and gives those back that need no fault to become true.
 * Writing is never given here: the fault decides between copy, dirty tracking and plain permission.
 */
static void change_entries(struct vma *vma)
{
	u32 prot = vma_mmu_prot(vma) & ~MMU_WRITE;
	vaddr_t at = vma->start;
	unsigned count;
	pte_t *pte;

	while ((pte = pagetable_next(vma->aspace->mmu.root, &at, vma->end, &count))) {
		for (unsigned i = 0; i < count; i++) {
			pte_t old = pte_load(&pte[i]);

			while (!pte_empty(old) &&
			       !pte_replace(&pte[i], old, pte_with_prot(old, prot)))
				old = pte_load(&pte[i]);
		}
		at += (vaddr_t)count << PAGE_SHIFT;
	}
	aspace_flush_tlb(vma->aspace, vma->start, vma->end);
}

/* Everything in [start, end) is mapped and may have `prot`. */
static int check_range(struct aspace *as, vaddr_t start, vaddr_t end, u64 prot)
{
	u64 pages = 0;

	if (!vma_range_is_mapped(as, start, end))
		return -ENOMEM;
	for (struct vma *vma = aspace_find(as, start); vma && vma->start < end;
	     vma = vma_next(vma)) {
		if (prot & ~(vma->flags / VMA_MAY_READ))
			return -EACCES;
		if (!vma_is_private_writable(vma->flags) &&
		    vma_is_private_writable((vma->flags & ~VMA_PROT_MASK) | prot))
			pages += (MIN(vma->end, end) - MAX(vma->start, start)) >> PAGE_SHIFT;
	}
	if (pages && as->data_pages + pages > as->limit_data >> PAGE_SHIFT)
		return -ENOMEM;
	return 0;
}

int vma_change_range(struct aspace *as, vaddr_t start, vaddr_t end, u64 clear, u64 set,
		     bool entries)
{
	int err = vma_isolate(as, start, end);

	if (err)
		return err;
	for (struct vma *vma = aspace_find(as, start); vma && vma->start < end;) {
		u64 flags = (vma->flags & ~clear) | set;

		if (flags != vma->flags) {
			vma_set_flags(vma, flags);
			if (entries)
				change_entries(vma);
		}
		vma = vma_next(vma_merge(vma));
	}
	return 0;
}

int aspace_protect(struct aspace *as, vaddr_t start, size_t length, u32 prot)
{
	u64 flags = prot & VMA_PROT_MASK;
	bool grows_down = prot & PROT_GROWSDOWN;
	vaddr_t end;

	if (start & ~PAGE_MASK)
		return -EINVAL;
	if (prot & ~(u32)(VMA_PROT_MASK | PROT_SEM | PROT_GROWSDOWN | PROT_GROWSUP) ||
	    prot & PROT_GROWSUP)
		return -EINVAL;
	if (!length)
		return 0;
	if (length > USER_MAX || start > USER_MAX - length)
		return -ENOMEM;
	end = start + ALIGN_UP(length, PAGE_SIZE);
	if (flags & VMA_WRITE)
		flags |= VMA_READ;
	write_lock(&as->lock);
	int err = 0;

	if (grows_down) {
		struct vma *vma = aspace_find(as, start);

		if (!vma || vma->start > start || !(vma->flags & VMA_GROWSDOWN))
			err = -EINVAL;
		else
			start = vma->start;
	}
	if (!err)
		err = check_range(as, start, end, flags);
	if (!err)
		err = vma_change_range(as, start, end, VMA_PROT_MASK, flags, true);
	write_unlock(&as->lock);
	return err;
}

static u64 unlocked_pages(struct aspace *as, vaddr_t start, vaddr_t end)
{
	u64 pages = 0;

	for (struct vma *vma = aspace_find(as, start); vma && vma->start < end; vma = vma_next(vma))
		if (!(vma->flags & VMA_LOCKED))
			pages += (MIN(vma->end, end) - MAX(vma->start, start)) >> PAGE_SHIFT;
	return pages;
}

bool aspace_may_lock(const struct aspace *as, u64 pages)
{
	return pages <= as->limit_memlock >> PAGE_SHIFT ||
	       (mm_hooks.locks_without_limit && mm_hooks.locks_without_limit());
}

int aspace_lock_range(struct aspace *as, vaddr_t start, size_t length, u64 flags)
{
	vaddr_t end;

	if (flags && !as->limit_memlock && !aspace_may_lock(as, 1))
		return -EPERM;
	if (add_overflows(start, length, &end))
		return -EINVAL;
	start = ALIGN_DOWN(start, PAGE_SIZE);
	end = ALIGN_UP(end, PAGE_SIZE);
	if (start == end)
		return 0;
	if (end > USER_MAX || end < start)
		return -ENOMEM;
	write_lock(&as->lock);
	int err = vma_range_is_mapped(as, start, end) ? 0 : -ENOMEM;

	if (!err && flags &&
	    !aspace_may_lock(as, as->locked_pages + unlocked_pages(as, start, end)))
		err = -ENOMEM;
	if (!err)
		err = vma_change_range(as, start, end, VMA_LOCKED | VMA_LOCK_ON_FAULT, flags,
				       false);
	write_unlock(&as->lock);
	if (!err && vma_flags_populate(flags)) {
		/* Mappings without access stay empty. */
		err = aspace_populate(as, start, end, false);
		err = err == -EACCES || err == -EFAULT ? -ENOMEM : err == -ENXIO ? 0 : err;
	}
	return err;
}

/* Faults in what can be; holes and mappings without access stay as they are. */
static int aspace_populate_all(struct aspace *as)
{
	for (vaddr_t at = 0;;) {
		read_lock(&as->lock);
		struct vma *vma = aspace_find(as, at);
		vaddr_t start = vma ? vma->start : 0, end = vma ? vma->end : 0;
		bool wanted = vma && vma_flags_populate(vma->flags);
		read_unlock(&as->lock);
		if (!end)
			return 0;
		if (wanted && aspace_populate(as, start, end, false) == -EINTR)
			return -EINTR;
		at = end;
	}
}

int aspace_lock_all(struct aspace *as, u64 present, u64 future)
{
	int err = 0;

	if ((present || future) && !as->limit_memlock && !aspace_may_lock(as, 1))
		return -EPERM;
	write_lock(&as->lock);
	if (present && !aspace_may_lock(as, as->mapped_pages))
		err = -ENOMEM;
	if (!err) {
		as->default_flags = future;
		if (present)
			err = vma_change_range(as, 0, USER_MAX, VMA_LOCKED | VMA_LOCK_ON_FAULT,
					       present, false);
	}
	write_unlock(&as->lock);
	return err ? err : present ? aspace_populate_all(as) : 0;
}

int aspace_unlock_all(struct aspace *as)
{
	write_lock(&as->lock);
	as->default_flags = 0;
	int err = vma_change_range(as, 0, USER_MAX, VMA_LOCKED | VMA_LOCK_ON_FAULT, 0, false);
	write_unlock(&as->lock);
	return err;
}
