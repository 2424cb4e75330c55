/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mremap(2): growing, shrinking and moving a mapping by moving its page table entries. */
#include <lib/errno.h>
#include <mm/aspace_priv.h>
#include <mm/memory_object.h>

#include <linux/mman.h>

/* Makes the tables at `to` for what is present in [from, from + length). */
static int move_prepare(struct aspace *as, vaddr_t from, vaddr_t to, size_t length)
{
	vaddr_t at = from, made = 0; /* made: the end of the last table */
	unsigned count;
	pte_t *pte;

	while ((pte = pagetable_next(as->mmu.root, &at, from + length, &count))) {
		for (unsigned i = 0; i < count; i++, at += PAGE_SIZE) {
			vaddr_t there = to + (at - from);
			if (there < made || pte_empty(pte_load(&pte[i])))
				continue;
			if (!aspace_make_entry(as, there))
				return -ENOMEM;
			made = ALIGN_DOWN(there, PAGETABLE_SPAN) + PAGETABLE_SPAN;
		}
	}
	return 0;
}

/* Moves the entries of [from, from + length) to `to`. Fails only before anything moved. */
static int move_entries(struct aspace *as, vaddr_t from, vaddr_t to, size_t length)
{
	vaddr_t at = from;
	unsigned count;
	pte_t *pte, *target = nullptr;
	int err = move_prepare(as, from, to, length);

	if (err)
		return err;
	while ((pte = pagetable_next(as->mmu.root, &at, from + length, &count))) {
		target = nullptr;
		for (unsigned i = 0; i < count; i++, at += PAGE_SIZE) {
			vaddr_t there = to + (at - from);
			if (!target || IS_ALIGNED(there, PAGETABLE_SPAN))
				target = pagetable_find(as->mmu.root, there);
			if (!target)
				continue;
			if (!pte_empty(pte_load(&pte[i])))
				pte_store(target, pte_take(&pte[i]));
			target++;
		}
	}
	aspace_flush_tlb(as, from, from + length);
	arch_pte_publish();
	return 0;
}

/* A vma like `vma` for its part [from, from + old_size), at `to` and of `new_size`. */
static struct vma *vma_at(struct vma *vma, vaddr_t from, vaddr_t to, size_t new_size)
{
	struct vma *moved = vma_copy(vma->aspace, vma);

	if (moved) {
		moved->offset = vma_offset_of(vma, from);
		moved->device = vma->device + (from - vma->start);
		moved->start = to;
		moved->end = to + new_size;
		moved->private_pages = vma->private_pages;
	}
	return moved;
}

/* Moves [old, old + old_size), inside `vma`, to the free range at `to`. */
static int move_mapping(struct aspace *as, struct vma *vma, vaddr_t old, size_t old_size,
			size_t new_size, vaddr_t to, bool keep_old)
{
	struct vma *moved = vma_at(vma, old, to, new_size);

	if (!moved)
		return -ENOMEM;
	int err = keep_old ? 0 : vma_isolate(as, old, old + old_size);

	if (!err && vma->flags & VMA_SHARED && !vma->private_pages) {
		/* The object has the pages: they are mapped again by faults. */
		vma_insert(moved);
	} else if (!err) {
		/* Both are in the object's list while entries move, so that truncation meets each
		 * of them. */
		vma_insert(moved);
		err = move_entries(as, old, to, MIN(old_size, new_size));
		if (err) {
			vma_remove(moved);
			vma_destroy(moved);
			return err;
		}
	} else {
		vma_destroy(moved);
		return err;
	}
	if (!keep_old)
		aspace_remove_range(as, old, old + old_size);
	(void)vma_merge(moved);
	return 0;
}

static int expand_in_place(struct aspace *as, struct vma *vma, size_t grow)
{
	struct vma *next = vma_next(vma);
	vaddr_t limit = next ? vma_lowest(next) : USER_MAX;

	if (vma->end > limit || limit - vma->end < grow)
		return -ENOMEM;
	vma_resize(vma, vma->start, vma->end + grow);
	(void)vma_merge(vma);
	return 0;
}

static int check_growth(struct aspace *as, const struct vma *vma, u64 pages)
{
	int err = aspace_may_grow(as, vma->flags, pages);

	if (!err && vma->flags & VMA_LOCKED && !aspace_may_lock(as, as->locked_pages + pages))
		err = -EAGAIN;
	return err;
}

static int check_remap(struct aspace *as, const struct vma *vma, vaddr_t old, size_t old_size,
		       size_t new_size, bool keep_old)
{
	if (!vma || vma->start > old)
		return -EFAULT;
	if (vma->flags & VMA_SPECIAL)
		return -EINVAL;
	/* old_size 0 makes a second view of a shared mapping. */
	if (!old_size && !(vma->flags & VMA_SHARED))
		return -EINVAL;
	if (keep_old && (vma->object || vma->flags & (VMA_SHARED | VMA_DEVICE)))
		return -EINVAL;
	if (old_size > vma->end - old)
		return -EFAULT;
	if (new_size <= old_size && !keep_old)
		return 0;
	return check_growth(as, vma, (new_size - (keep_old ? 0 : old_size)) >> PAGE_SHIFT);
}

/* Without a new address: -ENOMEM if it does not fit where it is. */
static int resize_in_place(struct aspace *as, struct vma *vma, vaddr_t old, size_t old_size,
			   size_t new_size)
{
	int err;

	if (old_size == new_size)
		return 0;
	if (old_size && new_size < old_size) {
		err = vma_isolate(as, old + new_size, old + old_size);
		if (!err)
			aspace_remove_range(as, old + new_size, old + old_size);
		return err;
	}
	if (!old_size || old + old_size != vma->end)
		return -ENOMEM;
	return expand_in_place(as, vma, new_size - old_size);
}

static int remap_locked(struct aspace *as, vaddr_t old, size_t old_size, size_t new_size, u32 flags,
			vaddr_t new, vaddr_t *out)
{
	struct vma *vma = aspace_find(as, old);
	bool keep_old = flags & MREMAP_DONTUNMAP, grows = new_size > old_size;
	int err = check_remap(as, vma, old, old_size, new_size, keep_old);

	if (err)
		return err;
	if (!(flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))) {
		*out = old;
		err = resize_in_place(as, vma, old, old_size, new_size);
		if (!err || !grows || !(flags & MREMAP_MAYMOVE))
			return err;
	}
	if (flags & MREMAP_FIXED) {
		err = vma_isolate(as, new, new + new_size);
		if (err)
			return err;
		aspace_remove_range(as, new, new + new_size);
		vma = aspace_find(as, old);
	} else if (vma_find_gap(as, new_size, MMAP_MIN_ADDRESS, as->mmap_base, &new) &&
		   vma_find_gap(as, new_size, MMAP_MIN_ADDRESS, USER_MAX, &new)) {
		return -ENOMEM;
	}
	*out = new;
	return move_mapping(as, vma, old, old_size, new_size, new, keep_old || !old_size);
}

int aspace_remap(struct aspace *as, vaddr_t old, size_t old_size, size_t new_size, u32 flags,
		 vaddr_t new_address, vaddr_t *out)
{
	if (flags & ~(u32)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return -EINVAL;
	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if (flags & MREMAP_DONTUNMAP && old_size != new_size)
		return -EINVAL;
	if (old & ~PAGE_MASK || !new_size || old_size > USER_MAX || new_size > USER_MAX ||
	    old > USER_MAX - old_size)
		return -EINVAL;
	old_size = ALIGN_UP(old_size, PAGE_SIZE);
	new_size = ALIGN_UP(new_size, PAGE_SIZE);
	if (flags & MREMAP_FIXED) {
		if (new_address & ~PAGE_MASK || new_address > USER_MAX - new_size ||
		    new_address < MMAP_MIN_ADDRESS)
			return -EINVAL;
		if (old < new_address + new_size && new_address < old + old_size)
			return -EINVAL;
	}
	write_lock(&as->lock);
	int err = remap_locked(as, old, old_size, new_size, flags, new_address, out);
	bool locked = vma_flags_populate(as->default_flags);

	write_unlock(&as->lock);
	if (!err && locked && new_size > old_size)
		(void)aspace_populate(as, *out, *out + new_size, false);
	return err;
}
