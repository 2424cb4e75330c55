/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contract: page table entries and the MMU. Both architectures use four levels of 512 entries with
 * 4 KiB granules, so <mm/pagetable.h> walks them; the architecture only encodes and decodes entries
 * and flushes. Level 0 is the leaf table (4 KiB), level 1 maps 2 MiB, level 2 1 GiB, level 3 the root.
 *
 * <arch/impl/mmu.h> defines as inlines:
 *
 *   typedef struct { u64 value; } pte_t;
 *   pte_t   pte_leaf(paddr_t pa, u32 prot, unsigned level)   a page or block mapping
 *   pte_t   pte_table(paddr_t pa)                            a pointer to the next level
 *   bool    pte_present(pte_t), pte_is_leaf(pte_t, unsigned level)
 *   paddr_t pte_address(pte_t)
 *   u32     pte_prot(pte_t)                                  the MMU_* bits it was made with
 *   bool    pte_dirty(pte_t), pte_accessed(pte_t)            written / used since last cleared
 *   pte_t   pte_with_prot(pte_t, u32 prot)                   same address, other protection
 *   pte_t   pte_set_accessed(pte_t), pte_clear_accessed(pte_t), pte_clear_dirty(pte_t)
 *
 * An entry that is zero is not present. Software never needs other non-present encodings yet.
 * Accessed and dirty are managed by hardware or emulated by the architecture: on a CPU without
 * hardware dirty state pte_leaf makes writable entries dirty from the start.
 */
#pragma once

#include <lib/types.h>

#define MMU_READ 1u
#define MMU_WRITE 2u
#define MMU_EXEC 4u
#define MMU_USER 8u
#define MMU_GLOBAL 16u	 /* kernel mappings, the same in every address space */
#define MMU_DEVICE 32u	 /* uncached, strongly ordered */
#define MMU_UNCACHED 64u /* uncached normal memory (write combining) */

#include <arch/impl/mmu.h>

/* Per address space: root table and address space identifier. */
struct arch_mmu {
	paddr_t root;
	u64 context; /* ASID or PCID with its generation; owned by the architecture */
};

/*
 * Allocates the root table of a user address space; on x86_64 its upper half refers to the kernel's
 * tables. Returns 0 or -ENOMEM.
 */
[[nodiscard]] int arch_mmu_create(struct arch_mmu *mmu);

/* Frees the root table. The user half must be empty, and no CPU may be using it. */
void arch_mmu_destroy(struct arch_mmu *mmu);

/* Makes this CPU use `mmu` (null: kernel mappings only). Interrupts may be on; preemption is off. */
void arch_mmu_switch(struct arch_mmu *mmu);

/* The root table of the kernel's own half. */
paddr_t arch_mmu_kernel_root(void);

/*
 * Makes changed user mappings of [start, end) effective on this CPU, and on every CPU when
 * `arch_tlb_broadcasts` is true (aarch64). Needed after a present entry was changed or removed.
 */
void arch_tlb_flush_user(struct arch_mmu *mmu, vaddr_t start, vaddr_t end);
void arch_tlb_flush_kernel(vaddr_t start, vaddr_t end);
/* All user mappings, on this CPU. */
void arch_tlb_flush_all_users(void);
extern const bool arch_tlb_broadcasts;

/* Orders writes of page table entries before later accesses through them (aarch64: dsb + isb). */
void arch_pte_publish(void);

/* Makes code that was just written to memory at [start, start+size) executable (I-cache). */
void arch_sync_icache(const void *start, size_t size);
