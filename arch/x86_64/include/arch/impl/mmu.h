/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page table entries of x86_64 (Intel SDM volume 3, 4.5). The PAT is set up so that PWT alone means
 * write combining. */
#pragma once

#define PTE_PRESENT BIT(0)
#define PTE_WRITE BIT(1)
#define PTE_USER BIT(2)
#define PTE_PWT BIT(3)
#define PTE_PCD BIT(4)
#define PTE_ACCESSED BIT(5)
#define PTE_DIRTY BIT(6)
#define PTE_LARGE BIT(7)
#define PTE_GLOBAL BIT(8)
#define PTE_NX BIT(63)
#define PTE_ADDRESS 0x000ffffffffff000ul

typedef struct {
	u64 value;
} pte_t;

static inline u64 x86_pte_prot_bits(u32 prot)
{
	/* An entry without any right keeps its page but is not present for the MMU. */
	u64 bits = prot & (MMU_READ | MMU_WRITE | MMU_EXEC) ? PTE_PRESENT | PTE_ACCESSED
							    : PTE_ACCESSED;
	if (prot & MMU_WRITE)
		bits |= PTE_WRITE;
	if (!(prot & MMU_EXEC))
		bits |= PTE_NX;
	if (prot & MMU_USER)
		bits |= PTE_USER;
	else
		bits |= PTE_DIRTY; /* nobody asks, so spare the walker the update */
	if (prot & MMU_GLOBAL)
		bits |= PTE_GLOBAL;
	if (prot & MMU_DEVICE)
		bits |= PTE_PCD | PTE_PWT;
	else if (prot & MMU_UNCACHED)
		bits |= PTE_PWT;
	return bits;
}
static inline pte_t pte_leaf(paddr_t pa, u32 prot, unsigned level)
{
	return (pte_t){ pa | x86_pte_prot_bits(prot) | (level ? PTE_LARGE : 0) };
}
static inline pte_t pte_table(paddr_t pa)
{
	return (pte_t){ pa | PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED };
}
static inline bool pte_present(pte_t pte)
{
	return pte.value & PTE_PRESENT;
}
static inline bool pte_is_leaf(pte_t pte, unsigned level)
{
	return level == 0 || (pte.value & PTE_LARGE);
}
static inline paddr_t pte_address(pte_t pte)
{
	return pte.value & PTE_ADDRESS;
}
static inline u32 pte_prot(pte_t pte)
{
	u32 prot = pte.value & PTE_PRESENT ? MMU_READ : 0;
	if (pte.value & PTE_WRITE)
		prot |= MMU_WRITE;
	if (!(pte.value & PTE_NX))
		prot |= MMU_EXEC;
	if (pte.value & PTE_USER)
		prot |= MMU_USER;
	if (pte.value & PTE_GLOBAL)
		prot |= MMU_GLOBAL;
	if (pte.value & PTE_PCD)
		prot |= MMU_DEVICE;
	else if (pte.value & PTE_PWT)
		prot |= MMU_UNCACHED;
	return prot;
}
static inline bool pte_dirty(pte_t pte)
{
	return pte.value & PTE_DIRTY;
}
static inline bool pte_accessed(pte_t pte)
{
	return pte.value & PTE_ACCESSED;
}
static inline pte_t pte_with_prot(pte_t pte, u32 prot)
{
	u64 keep = PTE_ADDRESS | PTE_LARGE | PTE_DIRTY | PTE_ACCESSED;
	return (pte_t){ (pte.value & keep) | x86_pte_prot_bits(prot) };
}
static inline pte_t pte_set_accessed(pte_t pte)
{
	return (pte_t){ pte.value | PTE_ACCESSED };
}

static inline pte_t pte_clear_accessed(pte_t pte)
{
	return (pte_t){ pte.value & ~PTE_ACCESSED };
}
static inline pte_t pte_clear_dirty(pte_t pte)
{
	return (pte_t){ pte.value & ~PTE_DIRTY };
}
