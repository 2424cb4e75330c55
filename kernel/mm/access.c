/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reaching into an address space that need not be loaded: by page tables, through the direct map.
 */
#include <arch/mmu.h>
#include <arch/trap.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/aspace_priv.h>
#include <mm/memory_object.h>

/* The page behind `address` with a reference, made accessible first. */
static int page_for(struct aspace *as, vaddr_t address, bool write, bool force, struct page **out,
		    paddr_t *pa)
{
	for (;;) {
		u32 flags = FAULT_USER | (write ? FAULT_WRITE : 0) | (force ? FAULT_FORCE : 0);
		int err = aspace_fault(as, address, flags);

		if (err)
			return err;
		read_lock(&as->lock);
		pte_t *entry = pagetable_find(as->mmu.root, address);
		pte_t pte = entry ? pte_load(entry) : (pte_t){ 0 };
		bool usable = !pte_empty(pte) && (!write || force || pte_prot(pte) & MMU_WRITE);
		bool held = false, registers = false;

		*out = nullptr;
		if (usable) {
			*pa = pte_address(pte);
			*out = phys_to_page(*pa);
			registers = !*out;
			/* The zero page and frames of the kernel image have no count to raise. */
			if (*pa == zero_page || registers || (*out)->kind == PAGE_RESERVED)
				*out = nullptr;
			else
				held = page_get_if_used(*out);
		}
		read_unlock(&as->lock);
		if (registers) /* of a device: they are in no direct map */
			return -EFAULT;
		if (usable && (held || !*out))
			return 0;
	}
}

static ssize_t transfer(struct aspace *as, vaddr_t at, void *buffer, size_t size, bool write,
			bool force)
{
	size_t done = 0;

	while (done < size && at < USER_MAX) {
		size_t step = MIN(size - done, PAGE_SIZE - (at & ~PAGE_MASK));
		struct page *page;
		paddr_t pa;

		if (page_for(as, at, write, force, &page, &pa))
			break;
		char *mapped = (char *)phys_to_virt(pa) + (at & ~PAGE_MASK);

		if (write) {
			memcpy(mapped, (char *)buffer + done, step);
			/* It may be code: a debugger's breakpoint. */
			arch_sync_icache(mapped, step);
		} else {
			memcpy((char *)buffer + done, mapped, step);
		}
		if (page)
			page_put(page);
		done += step;
		at += step;
	}
	return done || !size ? (ssize_t)done : -EFAULT;
}

ssize_t aspace_read(struct aspace *as, vaddr_t from, void *to, size_t size, bool force)
{
	return transfer(as, from, to, size, false, force);
}

ssize_t aspace_write(struct aspace *as, vaddr_t to, const void *from, size_t size, bool force)
{
	return transfer(as, to, (void *)(uintptr_t)from, size, true, force);
}

int aspace_pin_page(struct aspace *as, vaddr_t address, bool write, struct page **page,
		    struct memory_object **object, u64 *index)
{
	paddr_t pa;
	int err = address < USER_MAX ? page_for(as, address, write, false, page, &pa) : -EFAULT;

	if (err)
		return -EFAULT;
	*object = nullptr;
	*index = 0;
	read_lock(&as->lock);
	struct vma *vma = aspace_find(as, address);

	if (vma && vma->start <= address && vma->flags & VMA_SHARED && vma->object) {
		memory_object_get(vma->object);
		*object = vma->object;
		*index = vma_offset_of(vma, address) >> PAGE_SHIFT;
	}
	read_unlock(&as->lock);
	return 0;
}
