/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page faults.
 *
 * A fault looks its mapping up under the shared lock of the address space and installs one page
 * table entry with a compare and swap against the entry that it looked at. If that entry changed
 * meanwhile (another thread's fault, the dirty bit set by hardware), nothing is lost: the access is
 * made again and faults again if it has to.
 *
 * What an entry may show: the page of zeros (read only, not counted); an anonymous page (writable
 * only while the entry holds its one reference, else copied on a write); a page of a memory object
 * (writable only in shared mappings, and then only once the page is dirty in the books).
 */
#include <arch/frame.h>
#include <arch/irqflags.h>
#include <arch/trap.h>
#include <arch/ucopy.h>
#include <core/panic.h>
#include <core/rcu.h>
#include <core/thread_base.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/aspace_priv.h>
#include <mm/budget.h>
#include <mm/memory_object.h>

#include <asm/siginfo.h>
#include <asm/signal.h>

/* Resident neighbours are mapped with the page that was asked for, in windows of this many pages.
 */
#define FAULT_AROUND_PAGES 16u

/* --- one page --- */

static void count_resident(u64 *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static u64 *file_counter(const struct vma *vma)
{
	struct aspace *as = vma->aspace;

	return vma->flags & VMA_SHARED && !vma->file ? &as->resident_shared : &as->resident_file;
}

/* Puts an entry in place of an empty one; the caller's reference to the page goes with it. */
static int install(pte_t *pte, struct page *page, u32 prot, u64 *counter)
{
	if (prot & MMU_EXEC && !(page->flags & PAGE_FLAG_CODE)) {
		arch_sync_icache(page_address(page), PAGE_SIZE);
		__atomic_fetch_or(&page->flags, PAGE_FLAG_CODE, __ATOMIC_RELAXED);
	}
	if (!pte_replace(pte, (pte_t){ 0 }, pte_leaf(page_to_phys(page), prot, 0))) {
		page_put(page);
		return -EAGAIN;
	}
	count_resident(counter);
	return 0;
}

static int fault_anonymous(struct vma *vma, pte_t *pte, bool write)
{
	u32 prot = vma_mmu_prot(vma);

	if (!write) {
		pte_t zero = pte_leaf(zero_page, prot & ~MMU_WRITE, 0);
		return pte_replace(pte, (pte_t){ 0 }, zero) ? 0 : -EAGAIN;
	}
	struct memory_budget *budget = vma->aspace->budget;
	if (!memory_budget_charge(budget, PAGE_SIZE))
		return -ENOMEM;
	struct page *page = page_alloc(0, ALLOC_ZERO | ALLOC_USER | ALLOC_KIND(PAGE_ANON));
	int error = page ? install(pte, page, prot, &vma->aspace->resident_anon) : -ENOMEM;
	if (unlikely(error))
		memory_budget_release(budget, PAGE_SIZE);
	return error;
}

/* Frames of a device or of the kernel image. */
static int fault_device(struct vma *vma, pte_t *pte, vaddr_t address)
{
	paddr_t pa = vma->device + (address - vma->start);
	bool memory = phys_to_page(pa);
	u32 prot = vma_mmu_prot(vma) | (memory ? 0 : MMU_DEVICE);

	return pte_replace(pte, (pte_t){ 0 }, pte_leaf(pa, prot, 0)) ? 0 : -EAGAIN;
}

/* The protection that a page of the object may be mapped with. */
static u32 object_prot(const struct vma *vma, const struct page *page)
{
	u32 prot = vma_mmu_prot(vma);

	if (!(vma->flags & VMA_SHARED))
		return prot & ~MMU_WRITE;
	/* Writes are watched only where somebody wants to know which pages to write back. */
	if (memory_object_is_written_back(vma->object) && !(page->flags & PAGE_FLAG_DIRTY))
		return prot & ~MMU_WRITE;
	return prot;
}

/*
 * A writable entry was installed while the page was dirty. If write-back has cleaned it since, it may not have seen the
 * entry: the page is made dirty again.
 */
static void object_keep_dirty(struct vma *vma, struct page *page)
{
	if (memory_object_is_written_back(vma->object) &&
	    unlikely(!(__atomic_load_n(&page->flags, __ATOMIC_SEQ_CST) & PAGE_FLAG_DIRTY)))
		(void)memory_object_dirty_page(vma->object, page);
}

/* Maps resident pages of the object around `address`, all in one leaf table. */
static void fault_around(struct vma *vma, pte_t *pte, vaddr_t address)
{
	vaddr_t base = ALIGN_DOWN(address, FAULT_AROUND_PAGES * PAGE_SIZE);
	vaddr_t from = MAX(base, vma->start);
	vaddr_t to = MIN(base + FAULT_AROUND_PAGES * PAGE_SIZE, vma->end);
	u64 size = READ_ONCE(vma->object->size);

	pte -= (address - from) >> PAGE_SHIFT;
	for (vaddr_t at = from; at < to; at += PAGE_SIZE, pte++) {
		u64 offset = vma_offset_of(vma, at);
		if (!pte_empty(pte_load(pte)) || offset >= size)
			continue;
		struct page *page = memory_object_find_page(vma->object, offset >> PAGE_SHIFT);
		if (!page)
			continue;
		u32 prot = object_prot(vma, page);
		if (install(pte, page, prot, file_counter(vma)))
			continue;
		if (prot & MMU_WRITE)
			object_keep_dirty(vma, page);
		if (unlikely(!READ_ONCE(page->object)))
			aspace_unmap_object(vma->object, offset, offset + PAGE_SIZE, false);
	}
}

/* A private copy of `from` in place of the entry `old`. */
static int fault_copy(struct vma *vma, pte_t *pte, pte_t old, struct page *from, vaddr_t address,
		      u32 prot)
{
	struct aspace *as = vma->aspace;
	struct page *copy;

	if (!memory_budget_charge(as->budget, PAGE_SIZE))
		return -ENOMEM;
	copy = page_alloc(0, ALLOC_USER | ALLOC_KIND(PAGE_ANON) | (from ? 0 : ALLOC_ZERO));
	if (!copy) {
		memory_budget_release(as->budget, PAGE_SIZE);
		return -ENOMEM;
	}
	if (from)
		memcpy(page_address(copy), page_address(from), PAGE_SIZE);
	if (prot & MMU_EXEC)
		arch_sync_icache(page_address(copy), PAGE_SIZE);
	WRITE_ONCE(vma->private_pages, true);
	if (!pte_replace(pte, old, pte_leaf(page_to_phys(copy), prot, 0))) {
		page_put(copy);
		memory_budget_release(as->budget, PAGE_SIZE);
		return -EAGAIN;
	}
	count_resident(&as->resident_anon);
	return 0;
}

/* The object's page is not mapped. */
static int fault_object(struct vma *vma, pte_t *pte, vaddr_t address, bool write)
{
	struct memory_object *object = vma->object;
	u64 offset = vma_offset_of(vma, address);
	struct page *page;

	if (offset >= READ_ONCE(object->size))
		return -ENXIO;
	/* What lies around it on the disk is likely to be wanted too. */
	u64 around = ALIGN_DOWN(offset, FAULT_AROUND_PAGES * PAGE_SIZE);
	memory_object_prefetch_missing(object, offset, around,
				       around + FAULT_AROUND_PAGES * PAGE_SIZE);
	int error = memory_object_get_page(object, offset >> PAGE_SHIFT, true, &page);
	if (error)
		return error == -ENOMEM ? error : -ENXIO;
	if (write && !(vma->flags & VMA_SHARED)) {
		error = fault_copy(vma, pte, (pte_t){ 0 }, page, address, vma_mmu_prot(vma));
		page_put(page);
		return error;
	}
	if (write) {
		error = memory_object_dirty_page(object, page);
		if (error) {
			page_put(page);
			return -ENXIO;
		}
	}
	u32 prot = object_prot(vma, page);
	error = install(pte, page, prot, file_counter(vma));
	if (error)
		return error;
	if (prot & MMU_WRITE)
		object_keep_dirty(vma, page);
	if (unlikely(!READ_ONCE(page->object))) {
		/* Truncated meanwhile, perhaps after truncation had looked at this entry. */
		aspace_unmap_object(object, offset, offset + PAGE_SIZE, true);
		return -EAGAIN;
	}
	if (!write)
		fault_around(vma, pte, address);
	return 0;
}

/* A write to a present entry that does not allow it. */
static int fault_write_protected(struct vma *vma, pte_t *pte, pte_t old, vaddr_t address, u32 prot)
{
	struct page *page =
		pte_address(old) == zero_page ? nullptr : phys_to_page(pte_address(old));
	int error;

	if (page && page->kind == PAGE_ANON && page_refs(page) == 1) {
		if (!pte_replace(pte, old, pte_with_prot(old, prot)))
			return -EAGAIN;
	} else if (vma->flags & VMA_SHARED && page) {
		error = memory_object_dirty_page(vma->object, page);
		if (error)
			return -ENXIO;
		if (!pte_replace(pte, old, pte_with_prot(old, prot)))
			return -EAGAIN;
		object_keep_dirty(vma, page);
	} else {
		error = fault_copy(vma, pte, old, page, address, prot);
		if (error)
			return error;
		if (page && page->kind != PAGE_ANON)
			__atomic_fetch_sub(file_counter(vma), 1, __ATOMIC_RELAXED);
		else if (page) {
			__atomic_fetch_sub(&vma->aspace->resident_anon, 1, __ATOMIC_RELAXED);
			memory_budget_release(vma->aspace->budget, PAGE_SIZE);
		}
		aspace_flush_tlb(vma->aspace, address, address + PAGE_SIZE);
		if (page)
			page_put(page);
		return 0;
	}
	aspace_flush_tlb(vma->aspace, address, address + PAGE_SIZE);
	return 0;
}

static int fault_missing(struct vma *vma, pte_t *pte, vaddr_t address, bool write)
{
	if (vma->flags & VMA_DEVICE)
		return fault_device(vma, pte, address);
	if (vma->object)
		return fault_object(vma, pte, address, write);
	return fault_anonymous(vma, pte, write);
}

pte_t *aspace_make_entry(struct aspace *as, vaddr_t address)
{
	u64 made = 0;
	pte_t *pte = pagetable_make(as->mmu.root, address, ALLOC_USER, &made);

	if (likely(!made))
		return pte;
	__atomic_fetch_add(&as->page_table_pages, made, __ATOMIC_RELAXED);
	return memory_budget_charge_existing(as->budget, made << PAGE_SHIFT) ? pte : nullptr;
}

int vma_fault(struct vma *vma, vaddr_t address, u32 fault_flags)
{
	struct aspace *as = vma->aspace;
	bool write = fault_flags & FAULT_WRITE;
	u32 need = write ? VMA_WRITE : fault_flags & FAULT_EXEC ? VMA_EXEC : VMA_READ;
	u32 prot = vma_mmu_prot(vma);

	address &= PAGE_MASK;
	if (unlikely(!(vma->flags & need))) {
		/* Writable implies readable, and so does executable, on the hardware we have. */
		bool readable = need == VMA_READ && vma->flags & (VMA_WRITE | VMA_EXEC);
		if (!readable && !(fault_flags & FAULT_FORCE))
			return -EACCES;
		if (write && vma->flags & VMA_SHARED)
			return -EACCES;
	}
	pte_t *pte = aspace_make_entry(as, address);
	if (!pte)
		return -ENOMEM;
	pte_t old = pte_load(pte);
	if (pte_empty(old))
		return fault_missing(vma, pte, address, write);
	if (vma->flags & VMA_DEVICE) /* present: another thread was faster, or the kernel looks */
		return write && !(pte_prot(old) & MMU_WRITE) ? -EACCES : 0;
	if (write && !(pte_prot(old) & MMU_WRITE))
		return fault_write_protected(vma, pte, old, address, prot);
	/*
	 * Nothing to do: another thread was faster, or this CPU's TLB is behind. Dirty and accessed
	 * are set in case the hardware asks for that.
	 */
	pte_t used = write ? pte_leaf(pte_address(old), pte_prot(old), 0) : pte_set_accessed(old);
	if (used.value != old.value)
		(void)pte_replace(pte, old, used);
	aspace_flush_tlb(as, address, address + PAGE_SIZE);
	return 0;
}

/* --- finding the mapping --- */

/* The mapping of `address`, tried first where the last fault was. */
static struct vma *fault_find(struct aspace *as, vaddr_t address)
{
	struct vma *vma = __atomic_load_n(&as->last_found, __ATOMIC_RELAXED);

	if (vma && address >= vma->start && address < vma->end)
		return vma;
	vma = aspace_find(as, address);
	if (vma && address >= vma->start)
		__atomic_store_n(&as->last_found, vma, __ATOMIC_RELAXED);
	return vma;
}

/* Extends the stack mapping above `address` down to it. */
static int stack_grow(struct aspace *as, vaddr_t address)
{
	int error = 0;

	write_lock(&as->lock);
	struct vma *vma = aspace_find(as, address);
	if (!vma || address >= vma->start)
		goto out; /* unmapped or grown meanwhile: look again */
	vaddr_t start = address & PAGE_MASK;
	struct vma *prev = vma_prev(vma);
	error = -EFAULT;
	if (!(vma->flags & VMA_GROWSDOWN) || start < MMAP_MIN_ADDRESS)
		goto out;
	if (vma->end - start > as->limit_stack)
		goto out;
	if (prev && !(prev->flags & VMA_GROWSDOWN) && start - prev->end < STACK_GUARD_GAP &&
	    prev->flags & VMA_PROT_MASK)
		goto out;
	if (aspace_may_grow(as, vma->flags, (vma->start - start) >> PAGE_SHIFT))
		goto out;
	vma_resize(vma, start, vma->end);
	error = 0;
out:
	write_unlock(&as->lock);
	return error;
}

int aspace_fault(struct aspace *as, vaddr_t address, u32 fault_flags)
{
	for (;;) {
		read_lock(&as->lock);
		struct vma *vma = fault_find(as, address);
		int error = -EFAULT;
		bool grow = false;
		if (likely(vma && address >= vma->start))
			error = vma_fault(vma, address, fault_flags);
		else if (vma && vma->flags & VMA_GROWSDOWN)
			grow = true;
		read_unlock(&as->lock);
		if (grow)
			error = stack_grow(as, address) ?: -EAGAIN;
		if (likely(error != -EAGAIN))
			return error;
	}
}

int aspace_populate(struct aspace *as, vaddr_t start, vaddr_t end, bool write)
{
	for (vaddr_t at = start; at < end; at += PAGE_SIZE) {
		if (mm_hooks.fatal_signal_pending && mm_hooks.fatal_signal_pending())
			return -EINTR;
		int error = aspace_fault(as, at, FAULT_USER | (write ? FAULT_WRITE : 0));
		if (error)
			return error;
	}
	return 0;
}

/* --- the trap --- */

static void fault_deliver(vaddr_t address, u32 flags, int error)
{
	/* A dying thread ends on its way out. */
	if (error == -EINTR || (mm_hooks.fatal_signal_pending && mm_hooks.fatal_signal_pending()))
		return;
	switch (error) {
	case -ENOMEM: /* and the OOM killer found nothing better */
		mm_hooks.fault_signal(SIGKILL, SI_KERNEL, address, flags);
		break;
	case -ENXIO:
		mm_hooks.fault_signal(SIGBUS, BUS_ADRERR, address, flags);
		break;
	case -EACCES:
		mm_hooks.fault_signal(SIGSEGV, SEGV_ACCERR, address, flags);
		break;
	default:
		mm_hooks.fault_signal(SIGSEGV, SEGV_MAPERR, address, flags);
		break;
	}
}

static DEFINE_PER_CPU(u64, faults);

static void count_fault(struct aspace *as)
{
	count_resident(&as->minor_faults);
	/* One that is lost to a migration in between does no harm. */
	this_cpu(faults)++;
}

u64 fault_count(void)
{
	u64 sum = 0;

	for_each_cpu (cpu)
		sum += per_cpu(faults, cpu);
	return sum;
}

/* A kernel mode access: to user memory through an instruction of the exception table, or a bug. */
static void fault_in_kernel(struct trap_frame *frame, vaddr_t address, u32 flags)
{
	vaddr_t fixup = arch_exception_fixup(frame_pc(frame));
	struct aspace *as = current_aspace();

	if (!fixup)
		trap_kernel_exception(frame, "page fault", address);
	if (address < USER_MAX && as && !current_base()->nofault_count && arch_irq_enabled()) {
		count_fault(as);
		if (!aspace_fault(as, address, flags))
			return;
	}
	frame_set_pc(frame, fixup);
}

void trap_page_fault(struct trap_frame *frame, vaddr_t address, u32 flags)
{
	if (!(flags & FAULT_USER)) {
		fault_in_kernel(frame, address, flags);
		return;
	}
	struct aspace *as = current_aspace();
	int error = -EFAULT;
	if (likely(as && address < USER_MAX)) {
		count_fault(as);
		error = aspace_fault(as, address, flags);
	}
	if (unlikely(error)) {
		if (error == -EFAULT && as && READ_ONCE(as->pager) &&
		    mm_hooks.ask_pager(as, address, flags))
			return;
		fault_deliver(address, flags, error);
	}
}
