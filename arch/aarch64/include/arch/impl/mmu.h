/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page table entries, VMSAv8-64 with a 4 KiB granule (Arm ARM, D8.3).
 *
 * Dirty state: a writable entry has PTE_WRITABLE, which is the DBM bit of the hardware. It is dirty
 * when PTE_READ_ONLY is clear (the hardware clears it at the first write if it can) or when
 * PTE_DIRTY is set, which remembers it while the entry is write protected.
 */
#pragma once

#include <lib/types.h>

#define PTE_VALID BIT(0)
#define PTE_TABLE BIT(1) /* level 0: page */
#define PTE_ATTR(index) ((u64)(index) << 2)
#define PTE_ATTR_MASK PTE_ATTR(7)
#define PTE_EL0 BIT(6)
#define PTE_READ_ONLY BIT(7)
#define PTE_SHARED (3ul << 8)
#define PTE_ACCESSED BIT(10)
#define PTE_NOT_GLOBAL BIT(11)
#define PTE_WRITABLE BIT(51)
#define PTE_PXN BIT(53)
#define PTE_UXN BIT(54)
#define PTE_DIRTY BIT(55)
#define PTE_SOFT_USER BIT(56)
#define PTE_SOFT_READ BIT(57)
/* Indices into MAIR_EL1, which head.S sets. */
#define ATTR_NORMAL 0
#define ATTR_DEVICE 1
#define ATTR_UNCACHED 2
#define PTE_ADDRESS_MASK 0x0000fffffffff000ul
#define PTE_PROT_BITS                                                                              \
	(PTE_VALID | PTE_ATTR_MASK | PTE_EL0 | PTE_READ_ONLY | PTE_NOT_GLOBAL | PTE_WRITABLE |     \
	 PTE_PXN | PTE_UXN | PTE_SOFT_USER | PTE_SOFT_READ)

typedef struct {
	u64 value;
} pte_t;

/* TCR_EL1.HD is set: the hardware clears PTE_READ_ONLY of entries with PTE_WRITABLE. */
extern bool mmu_hardware_dirty;

/* The bits of an entry that stand for `prot`; writable ones clean if the hardware can make them
 * dirty. */
static inline u64 pte_prot_bits(u32 prot)
{
	u64 bits = PTE_PXN | PTE_UXN | PTE_READ_ONLY;

	/* An entry without any right keeps its page but does not exist for the MMU. */
	if (prot & (MMU_READ | MMU_WRITE | MMU_EXEC))
		bits |= PTE_VALID;
	if (prot & MMU_USER) {
		bits |= PTE_SOFT_USER | PTE_EL0;
		if (prot & MMU_EXEC)
			bits &= ~PTE_UXN;
	} else if (prot & MMU_EXEC) {
		bits &= ~PTE_PXN;
	}
	if (prot & MMU_READ)
		bits |= PTE_SOFT_READ;
	if (prot & MMU_WRITE) {
		bits |= PTE_WRITABLE;
		if (!mmu_hardware_dirty || !(prot & MMU_USER))
			bits &= ~PTE_READ_ONLY;
	}
	if (!(prot & MMU_GLOBAL))
		bits |= PTE_NOT_GLOBAL;
	if (prot & MMU_DEVICE)
		bits |= PTE_ATTR(ATTR_DEVICE);
	else if (prot & MMU_UNCACHED)
		bits |= PTE_ATTR(ATTR_UNCACHED);
	return bits;
}

static inline pte_t pte_leaf(paddr_t pa, u32 prot, unsigned level)
{
	u64 type = level ? 0 : PTE_TABLE;

	return (pte_t){ pa | type | PTE_SHARED | PTE_ACCESSED | pte_prot_bits(prot) };
}

static inline pte_t pte_table(paddr_t pa)
{
	return (pte_t){ pa | PTE_VALID | PTE_TABLE };
}

static inline bool pte_present(pte_t pte)
{
	return pte.value & PTE_VALID;
}

static inline bool pte_is_leaf(pte_t pte, unsigned level)
{
	return level == 0 || !(pte.value & PTE_TABLE);
}

static inline paddr_t pte_address(pte_t pte)
{
	return pte.value & PTE_ADDRESS_MASK;
}

static inline u32 pte_prot(pte_t pte)
{
	u64 v = pte.value;
	u32 prot = 0;

	if (v & PTE_SOFT_READ)
		prot |= MMU_READ;
	if (v & PTE_WRITABLE)
		prot |= MMU_WRITE;
	if (v & PTE_SOFT_USER)
		prot |= MMU_USER;
	if (!(v & PTE_UXN) || !(v & PTE_PXN))
		prot |= MMU_EXEC;
	if (!(v & PTE_NOT_GLOBAL))
		prot |= MMU_GLOBAL;
	if ((v & PTE_ATTR_MASK) == PTE_ATTR(ATTR_DEVICE))
		prot |= MMU_DEVICE;
	else if ((v & PTE_ATTR_MASK) == PTE_ATTR(ATTR_UNCACHED))
		prot |= MMU_UNCACHED;
	return prot;
}

static inline bool pte_dirty(pte_t pte)
{
	return (pte.value & PTE_DIRTY) ||
	       ((pte.value & PTE_WRITABLE) && !(pte.value & PTE_READ_ONLY));
}

static inline bool pte_accessed(pte_t pte)
{
	return pte.value & PTE_ACCESSED;
}

static inline pte_t pte_with_prot(pte_t pte, u32 prot)
{
	u64 v = pte.value & ~PTE_PROT_BITS;

	if (pte_dirty(pte))
		v |= PTE_DIRTY;
	v |= pte_prot_bits(prot);
	if ((prot & MMU_WRITE) && (v & PTE_DIRTY))
		v &= ~PTE_READ_ONLY;
	return (pte_t){ v };
}

static inline pte_t pte_set_accessed(pte_t pte)
{
	return (pte_t){ pte.value | PTE_ACCESSED };
}

static inline pte_t pte_clear_accessed(pte_t pte)
{
	return (pte_t){ pte.value & ~PTE_ACCESSED };
}

/* Without hardware dirty state the next write faults; the fault handler then makes the entry anew.
 */
static inline pte_t pte_clear_dirty(pte_t pte)
{
	return (pte_t){ (pte.value & ~PTE_DIRTY) | PTE_READ_ONLY };
}
