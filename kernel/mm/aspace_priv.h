/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files that implement address spaces. Functions need as->lock exclusively unless
 * they say otherwise. */
#pragma once

#include <mm/aspace.h>
#include <mm/frame.h>
#include <mm/pagetable.h>

/* Kept free below a mapping that grows down. */
#define STACK_GUARD_GAP (256 * PAGE_SIZE)

/* The one page of zeros that read faults map; not counted by references. */
extern paddr_t zero_page;

static inline u32 vma_mmu_prot(const struct vma *vma)
{
	static_assert(VMA_READ == MMU_READ && VMA_WRITE == MMU_WRITE && VMA_EXEC == MMU_EXEC);
	return (u32)(vma->flags & VMA_PROT_MASK) | MMU_USER;
}

/* The mapping's pages are brought in at once. */
static inline bool vma_flags_populate(u64 flags)
{
	return (flags & (VMA_LOCKED | VMA_LOCK_ON_FAULT)) == VMA_LOCKED;
}

static inline u64 vma_pages(const struct vma *vma)
{
	return (vma->end - vma->start) >> PAGE_SHIFT;
}

static inline bool vma_is_private_writable(u64 flags)
{
	return (flags & (VMA_SHARED | VMA_WRITE)) == VMA_WRITE;
}

/* The byte of the object behind `address`. */
static inline u64 vma_offset_of(const struct vma *vma, vaddr_t address)
{
	return vma->offset + (address - vma->start);
}

/* --- vma.c: the set of mappings --- */

/* A zeroed structure in no set. Null without memory. No lock. */
struct vma *vma_create(struct aspace *as);
/* Drops what the vma refers to, and the structure. It is in no set. No lock needed; may sleep. */
void vma_destroy(struct vma *vma);
/* A copy in `as`, with references of its own, in no set. Null without memory. */
struct vma *vma_copy(struct aspace *as, const struct vma *vma);

/* Puts a vma into the set (its range is free) and its object's list, and counts it; the reverse. */
void vma_insert(struct vma *vma);
void vma_remove(struct vma *vma);
/* Destroys all mappings, whose entries are empty, without keeping the tree in order meanwhile. */
void vma_destroy_all(struct aspace *as);

/* Moves the ends of a vma within the free room around it. `offset` follows `start`. */
void vma_resize(struct vma *vma, vaddr_t start, vaddr_t end);

/* Splits at `at` (page aligned, inside): `vma` keeps the lower part. Returns 0 or -ENOMEM. */
[[nodiscard]] int vma_split(struct vma *vma, vaddr_t at);
/* Splits the mappings that contain `start` and `end`, so that the range's mappings lie inside. 0 or
 * -ENOMEM. */
[[nodiscard]] int vma_isolate(struct aspace *as, vaddr_t start, vaddr_t end);
/* Joins the vma with equal neighbours; returns the one that covers it now. */
struct vma *vma_merge(struct vma *vma);
/* Changes flags and keeps the books. */
void vma_set_flags(struct vma *vma, u64 flags);

/* The highest free range of `length` bytes within [low, high); -ENOMEM if none. */
[[nodiscard]] int vma_find_gap(struct aspace *as, size_t length, vaddr_t low, vaddr_t high,
			       vaddr_t *out);

/* The lowest address that a new mapping in front of `vma` must keep free: its guard gap. */
vaddr_t vma_lowest(const struct vma *vma);

struct vma *vma_prev(struct vma *vma);

/* True if every address of the range is mapped. Shared lock. */
bool vma_range_is_mapped(struct aspace *as, vaddr_t start, vaddr_t end);

/* Boot. */
void vma_boot(void);

/* Calls set_flags for the mappings of the range, which become separate first and are joined afterwards; `entries`: their
 * page table entries follow the new protection. -ENOMEM. */
[[nodiscard]] int vma_change_range(struct aspace *as, vaddr_t start, vaddr_t end, u64 clear,
				   u64 set, bool entries);

/* --- unmap.c: taking entries out --- */

/*
 * Collects what leaves page tables: the TLB is flushed before frames are released, and both are
 * done in batches.
 */
struct unmap_batch {
	struct aspace *as;
	vaddr_t start, end; /* to flush; empty when start >= end */
	bool dead;	    /* no CPU uses the tables any more: nothing to flush */
	bool keep_anon;	    /* leave private copies alone */
	u32 count;
	u64 anon, file, shared; /* pages gone, for the books */
	struct page *pages[64];
};
void unmap_begin(struct unmap_batch *batch, struct aspace *as);
/* Empties the entries of [start, end), which lies in `vma`. */
void unmap_range(struct unmap_batch *batch, struct vma *vma, vaddr_t start, vaddr_t end);
void unmap_end(struct unmap_batch *batch);

/* Unmaps and forgets all mappings inside [start, end), which were isolated; frees tables. May
 * sleep. */
void aspace_remove_range(struct aspace *as, vaddr_t start, vaddr_t end);
/* Everything, when the last user is gone. */
void aspace_remove_all(struct aspace *as);

/* Stops using the loaded address space on this CPU. Preemption is off. */
void aspace_unload(void);

/* Makes changed entries of the range effective wherever the address space is in use. Any lock. */
void aspace_flush_tlb(struct aspace *as, vaddr_t start, vaddr_t end);
/* The same, and no CPU uses the tables that mapped it any more: they may be freed. */
void aspace_flush_tables(struct aspace *as, vaddr_t start, vaddr_t end);

/* --- tlb.c --- */

/* Flushes [start, end) of `as` on the other CPUs of the mask; idle ones do so when they wake up, unless `tables` go. Preemption is off. */
void tlb_shoot_down(struct aspace *as, u64 cpus, vaddr_t start, vaddr_t end, bool tables);

/* Makes all CPUs forget kernel mappings that were changed or removed. No lock that is taken with interrupts masked is held. */
void tlb_flush_kernel(vaddr_t start, vaddr_t end);

/* --- fault.c --- */

#define FAULT_FORCE BIT(16) /* beyond the protection, as ptrace does; private mappings only */

/*
 * Makes the page at `address` accessible. Shared lock. Returns as aspace_fault; -EAGAIN: an entry
 * changed meanwhile, try again.
 */
[[nodiscard]] int vma_fault(struct vma *vma, vaddr_t address, u32 fault_flags);

/* The entry for an address, made if need be and charged. Null: no memory. */
pte_t *aspace_make_entry(struct aspace *as, vaddr_t address);

/* --- map.c --- */

/* -ENOMEM if `pages` more would exceed RLIMIT_AS or, for private writable ones, RLIMIT_DATA. */
[[nodiscard]] int aspace_may_grow(const struct aspace *as, u64 flags, u64 pages);
/* May so many pages be locked in all, by RLIMIT_MEMLOCK and who asks? as->lock is held. */
[[nodiscard]] bool aspace_may_lock(const struct aspace *as, u64 pages);
