/* SPDX-License-Identifier: GPL-2.0-or-later */
/* madvise(2), msync(2), mincore(2). */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/aspace_priv.h>
#include <mm/memory_object.h>

#include <linux/mman.h>

/* Empties the mapping's part: what was private is lost, what an object has comes back by faults. */
static int advise_discard(struct vma *vma, vaddr_t start, vaddr_t end)
{
	struct unmap_batch batch;

	if (vma->flags & (VMA_LOCKED | VMA_DEVICE))
		return -EINVAL;
	unmap_begin(&batch, vma->aspace);
	unmap_range(&batch, vma, start, end);
	unmap_end(&batch);
	return 0;
}

static int advise_range(struct vma *vma, vaddr_t start, vaddr_t end, int advice)
{
	switch (advice) {
	case MADV_DONTNEED:
		return advise_discard(vma, start, end);
	case MADV_DONTNEED_LOCKED:
		return vma->flags & VMA_LOCKED ? 0 : advise_discard(vma, start, end);
	case MADV_FREE:
		/* Freeing at once is one of the moments that the kernel may choose. */
		return vma->object || vma->flags & VMA_SHARED ? -EINVAL
							      : advise_discard(vma, start, end);
	case MADV_REMOVE:
		if (vma->flags & VMA_LOCKED || !(vma->flags & VMA_SHARED) || !vma->object)
			return -EINVAL;
		return vma->flags & VMA_WRITE ? 0 : -EACCES;
	default:
		return 0;
	}
}

/* Flags that an advice sets and clears; false if it changes none. */
static bool advice_flags(int advice, u64 *set, u64 *clear)
{
	*set = *clear = 0;
	switch (advice) {
	case MADV_DONTFORK:
		*set = VMA_DONTFORK;
		return true;
	case MADV_DOFORK:
		*clear = VMA_DONTFORK;
		return true;
	case MADV_WIPEONFORK:
		*set = VMA_WIPEONFORK;
		return true;
	case MADV_KEEPONFORK:
		*clear = VMA_WIPEONFORK;
		return true;
	case MADV_DONTDUMP:
		*set = VMA_DONTDUMP;
		return true;
	case MADV_DODUMP:
		*clear = VMA_DONTDUMP;
		return true;
	default:
		return false;
	}
}

static bool advice_known(int advice)
{
	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
	case MADV_REMOVE:
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_WIPEONFORK:
	case MADV_KEEPONFORK:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_COLD:
	case MADV_PAGEOUT:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		return true;
	default:
		return false;
	}
}

static int advise_flags(struct aspace *as, vaddr_t start, vaddr_t end, int advice, u64 set,
			u64 clear)
{
	int err = vma_isolate(as, start, end);

	for (struct vma *vma = aspace_find(as, start); !err && vma && vma->start < end;
	     vma = vma_next(vma)) {
		if (vma->flags & VMA_SPECIAL ||
		    (advice == MADV_WIPEONFORK && (vma->object || vma->flags & VMA_SHARED)))
			return -EINVAL;
		vma_set_flags(vma, (vma->flags & ~clear) | set);
		vma = vma_merge(vma);
	}
	return err;
}

/* MADV_REMOVE: punches the object, whose locks rank with those of the mapping, so that as->lock is
 * not held. */
static int remove_from_objects(struct aspace *as, vaddr_t start, vaddr_t end)
{
	while (start < end) {
		read_lock(&as->lock);
		struct vma *vma = aspace_find(as, start);
		struct memory_object *object = vma && vma->start < end ? vma->object : nullptr;
		u64 from = 0, to = 0;

		if (object) {
			vaddr_t first = MAX(start, vma->start);

			from = vma_offset_of(vma, first);
			to = vma_offset_of(vma, MIN(end, vma->end));
			memory_object_get(object);
		}
		start = vma ? vma->end : end;
		read_unlock(&as->lock);
		if (object) {
			memory_object_punch(object, from, to);
			memory_object_put(object);
		}
	}
	return 0;
}

void aspace_reap(struct aspace *as)
{
	read_guard(&as->lock);
	for (struct vma *vma = aspace_find(as, 0); vma; vma = vma_next(vma))
		if (!(vma->flags & VMA_SHARED))
			(void)advise_discard(vma, vma->start, vma->end);
}

static int populate(struct aspace *as, vaddr_t start, vaddr_t end, bool write)
{
	int err = aspace_populate(as, start, end, write);

	return err == -EFAULT ? -ENOMEM : err == -EACCES ? -EINVAL : err == -ENXIO ? -EFAULT : err;
}

int aspace_advise(struct aspace *as, vaddr_t start, size_t length, int advice)
{
	u64 set, clear;

	if (!advice_known(advice) || start & ~PAGE_MASK)
		return -EINVAL;
	if (length > USER_MAX || start > USER_MAX - ALIGN_UP(length, PAGE_SIZE))
		return -EINVAL;
	vaddr_t end = start + ALIGN_UP(length, PAGE_SIZE);

	if (start == end)
		return 0;
	if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
		return populate(as, start, end, advice == MADV_POPULATE_WRITE);
	int result, err = 0;

	/* Holes are skipped and reported at the end. */
	if (advice_flags(advice, &set, &clear)) {
		write_lock(&as->lock);
		result = vma_range_is_mapped(as, start, end) ? 0 : -ENOMEM;
		err = advise_flags(as, start, end, advice, set, clear);
		write_unlock(&as->lock);
	} else {
		read_lock(&as->lock);
		result = vma_range_is_mapped(as, start, end) ? 0 : -ENOMEM;
		for (struct vma *vma = aspace_find(as, start); !err && vma && vma->start < end;
		     vma = vma_next(vma))
			err = advise_range(vma, MAX(start, vma->start), MIN(end, vma->end), advice);
		read_unlock(&as->lock);
	}
	if (!err && advice == MADV_REMOVE)
		err = remove_from_objects(as, start, end);
	return err ? err : result;
}

int aspace_sync(struct aspace *as, vaddr_t start, size_t length, u32 flags)
{
	if (start & ~PAGE_MASK || flags & ~(u32)(MS_ASYNC | MS_INVALIDATE | MS_SYNC) ||
	    (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	if (length > USER_MAX || start > USER_MAX - ALIGN_UP(length, PAGE_SIZE))
		return -ENOMEM;
	vaddr_t end = start + ALIGN_UP(length, PAGE_SIZE);
	int result = 0;

	while (start < end) {
		struct memory_object *object = nullptr;
		u64 from = 0, to = 0;

		read_lock(&as->lock);
		struct vma *vma = aspace_find(as, start);

		if (!vma || vma->start > start)
			result = -ENOMEM;
		if (vma && vma->start < end) {
			vaddr_t first = MAX(start, vma->start), last = MIN(end, vma->end);

			if (flags & MS_INVALIDATE && vma->flags & VMA_LOCKED)
				result = -EBUSY;
			if (flags & MS_SYNC && vma->flags & VMA_SHARED && vma->object) {
				object = vma->object;
				memory_object_get(object);
				from = vma_offset_of(vma, first);
				to = vma_offset_of(vma, last);
			}
			start = last;
		} else {
			start = end;
		}
		read_unlock(&as->lock);
		if (object) {
			int err = memory_object_sync(object, from, to);

			memory_object_put(object);
			result = err ? err : result;
		}
	}
	return result;
}

static u8 page_resident(struct vma *vma, vaddr_t address)
{
	const pte_t *pte = pagetable_find(vma->aspace->mmu.root, address);

	if (pte && !pte_empty(pte_load(pte)))
		return 1;
	if (!vma->object)
		return 0;
	struct page *page =
		memory_object_find_page(vma->object, vma_offset_of(vma, address) >> PAGE_SHIFT);

	if (!page)
		return 0;
	page_put(page);
	return 1;
}

int aspace_mincore(struct aspace *as, vaddr_t start, size_t length, u8 *vec)
{
	vaddr_t end = start + ALIGN_UP(length, PAGE_SIZE);
	int err = 0;

	read_lock(&as->lock);
	if (!vma_range_is_mapped(as, start, end))
		err = -ENOMEM;
	for (struct vma *vma = aspace_find(as, start); !err && start < end; start += PAGE_SIZE) {
		if (start >= vma->end)
			vma = vma_next(vma);
		*vec++ = page_resident(vma, start);
	}
	read_unlock(&as->lock);
	return err;
}
