/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page tables of both architectures: four levels of 512 entries (<arch/mmu.h> encodes the entries).
 * Level 0 entries map 4 KiB pages, and nothing else is used in user space.
 *
 * Table frames are added under the caller's shared lock, by compare and swap, and freed under its
 * exclusive lock, so that a walk needs no lock of its own.
 */
#pragma once

#include <arch/layout.h>
#include <arch/mmu.h>
#include <lib/types.h>

struct aspace;

#define PAGETABLE_ENTRIES 512u
/* What one leaf table maps. */
#define PAGETABLE_SPAN (PAGE_SIZE * PAGETABLE_ENTRIES)

/* Entries change under other CPUs and the MMU, which sets dirty and accessed: these are atomic. */
static inline pte_t pte_load(const pte_t *pte)
{
	return (pte_t){ __atomic_load_n(&pte->value, __ATOMIC_ACQUIRE) };
}
static inline void pte_store(pte_t *pte, pte_t value)
{
	__atomic_store_n(&pte->value, value.value, __ATOMIC_RELEASE);
}
/* Stores `value` if the entry is still `expected`. */
static inline bool pte_replace(pte_t *pte, pte_t expected, pte_t value)
{
	return __atomic_compare_exchange_n(&pte->value, &expected.value, value.value, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}
static inline pte_t pte_take(pte_t *pte)
{
	return (pte_t){ __atomic_exchange_n(&pte->value, 0, __ATOMIC_ACQ_REL) };
}
static inline bool pte_empty(pte_t pte)
{
	return pte.value == 0;
}

/* True when the eight entries from `pte` on are empty: most of most tables is. */
static inline bool pte_group_empty(const pte_t *pte)
{
	u64 all = 0;

	for (unsigned i = 0; i < 8; i++)
		all |= __atomic_load_n(&pte[i].value, __ATOMIC_RELAXED);
	return !all;
}

/* The level 0 entry of `va`, or null when its leaf table does not exist. */
pte_t *pagetable_find(paddr_t root, vaddr_t va);

/*
 * The level 0 entry of `va`, adding tables where needed. Null without memory. `flags` are ALLOC_*;
 * `tables` counts the frames added.
 */
[[nodiscard]] pte_t *pagetable_make(paddr_t root, vaddr_t va, u32 flags, u64 *tables);

/*
 * The first leaf table that overlaps [*va, end): returns its entry of the address that is stored in
 * *va, and in *count how many entries follow up to the end of the table or of the range. Null when
 * there is none.
 */
pte_t *pagetable_next(paddr_t root, vaddr_t *va, vaddr_t end, unsigned *count);

/*
 * Frees the tables that map nothing outside [floor, ceiling) and something of [start, end). All
 * entries of the range are empty, and nobody else walks it. Returns the number of frames freed.
 * `flush` (null: no CPU can use the tables) makes all CPUs forget them, before the first one is
 * freed.
 */
u64 pagetable_free(paddr_t root, vaddr_t start, vaddr_t end, vaddr_t floor, vaddr_t ceiling,
		   struct aspace *flush);

/*
 * A zeroed table frame, and its return when all its entries are zero again: some are kept, so that they need not be
 * cleared anew. Null without memory.
 */
[[nodiscard]] struct page *pagetable_frame_alloc(u32 flags);
void pagetable_frame_free(struct page *page);
/* Frees the kept frames of this CPU; how many. */
u64 pagetable_shrink(void);

/* Kernel mappings. Maps [va, va + size) to the frames from `pa`. Returns 0 or -ENOMEM (nothing
 * stays mapped). */
[[nodiscard]] int pagetable_map_kernel(vaddr_t va, paddr_t pa, size_t size, u32 prot);
/* Removes kernel mappings and flushes; the frames are the caller's. Tables stay. */
void pagetable_unmap_kernel(vaddr_t va, size_t size);
/* The same without the flush, for callers that flush once for many ranges. */
void pagetable_clear_kernel(vaddr_t va, size_t size);

/* The physical address behind a kernel address mapped with level 0 entries, or 0. */
paddr_t pagetable_kernel_lookup(vaddr_t va);
