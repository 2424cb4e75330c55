/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address spaces and the TLB.
 *
 * An address space identifier (ASID) tags user translations, so that a switch flushes nothing.
 * There are 2^8 or 2^16; when all are used a new generation begins: the TLBs are flushed and
 * everybody gets a new one at the next switch. arch_mmu.context is generation << 16 | ASID; 0 means
 * none yet. ASID 0 is for the empty table.
 *
 * A CPU that runs an address space during a roll-over keeps using its ASID, so that one is reserved
 * and passes into the new generation. active_context is what a CPU runs, 0 after a roll-over took
 * note of it: that makes the fast path of the next switch fail and take the lock.
 */
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/layout.h>
#include <arch/mmu.h>
#include <core/lock.h>
#include <core/percpu.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/frame.h>

#include "arm_priv.h"

#define ASID_MAX_BITS 16
#define ASID_MASK (BIT(ASID_MAX_BITS) - 1)
#define GENERATION_FIRST BIT(ASID_MAX_BITS)

/*
 * Above so many pages everything of the address space is flushed: each page is a broadcast in which all CPUs take part, and with two of
 * them 1 MiB page by page took longer than mapping and reading it.
 */
#define FLUSH_PAGES_MAX 64

static struct spinlock asid_lock = SPINLOCK_INIT(RANK_PAGE_TABLE);
static u64 asid_generation = GENERATION_FIRST; /* atomic */
static u64 asid_map[BIT(ASID_MAX_BITS) / 64] __guarded_by(&asid_lock);
static unsigned asid_next __guarded_by(&asid_lock) = 1;
static u64 flush_pending; /* CPUs that must flush their TLB before they use the new generation */

static DEFINE_PER_CPU(u64, active_context);
static DEFINE_PER_CPU(u64, reserved_context);

int arch_mmu_create(struct arch_mmu *mmu)
{
	void *root = page_alloc_address(0, ALLOC_ZERO);

	if (!root)
		return -ENOMEM;
	mmu->root = virt_to_phys(root);
	mmu->context = 0;
	return 0;
}

void arch_mmu_destroy(struct arch_mmu *mmu)
{
	page_free_address(phys_to_virt(mmu->root));
	mmu->root = 0;
}

static void asid_mark(u64 asid) __must_hold(&asid_lock)
{
	asid_map[asid / 64] |= BIT(asid % 64);
}

/* Marks the ASIDs that CPUs are using, and only those, as used in the new generation. */
static void asid_roll_over(void) __must_hold(&asid_lock)
{
	__atomic_store_n(&asid_generation, asid_generation + GENERATION_FIRST, __ATOMIC_RELAXED);
	memset(asid_map, 0, sizeof(asid_map));
	for_each_cpu (cpu) {
		u64 context =
			__atomic_exchange_n(&per_cpu(active_context, cpu), 0, __ATOMIC_RELAXED);

		/* A second roll-over before the CPU switched: what it runs is still the reserved
		 * one. */
		if (!context)
			context = per_cpu(reserved_context, cpu);
		per_cpu(reserved_context, cpu) = context;
		asid_mark(context & ASID_MASK);
	}
	__atomic_store_n(&flush_pending, UINT64_MAX, __ATOMIC_RELAXED);
	asid_next = 1;
}

/* If `context` is one that a CPU kept over the roll-over, moves it to the new generation. */
static bool asid_keep_reserved(u64 context, u64 renewed) __must_hold(&asid_lock)
{
	bool found = false;

	for_each_cpu (cpu) {
		if (per_cpu(reserved_context, cpu) == context) {
			per_cpu(reserved_context, cpu) = renewed;
			found = true;
		}
	}
	return found;
}

static u64 asid_find_free(void) __must_hold(&asid_lock)
{
	unsigned count = 1u << cpu_features.asid_bits;

	for (unsigned asid = asid_next; asid < count; asid++) {
		if (asid % 64 == 0 && asid_map[asid / 64] == UINT64_MAX) {
			asid += 63;
			continue;
		}
		if (!(asid_map[asid / 64] >> asid % 64 & 1)) {
			asid_next = asid + 1;
			return asid;
		}
	}
	return 0;
}

static u64 asid_allocate(u64 context) __must_hold(&asid_lock)
{
	u64 asid = context & ASID_MASK;

	if (context) {
		u64 renewed = asid_generation | asid;

		if (asid_keep_reserved(context, renewed))
			return renewed;
		if (!(asid_map[asid / 64] >> asid % 64 & 1)) {
			asid_mark(asid);
			return renewed;
		}
	}
	asid = asid_find_free();
	if (!asid) {
		asid_roll_over();
		asid = asid_find_free();
	}
	asid_mark(asid);
	return asid_generation | asid;
}

static u64 context_renew(struct arch_mmu *mmu)
{
	u64 context;
	u64 self = BIT(cpu_id());

	spin_lock(&asid_lock);
	context = __atomic_load_n(&mmu->context, __ATOMIC_RELAXED);
	if (!context || (context ^ asid_generation) >> ASID_MAX_BITS) {
		context = asid_allocate(context);
		__atomic_store_n(&mmu->context, context, __ATOMIC_RELAXED);
	}
	if (__atomic_load_n(&flush_pending, __ATOMIC_RELAXED) & self) {
		__atomic_fetch_and(&flush_pending, ~self, __ATOMIC_RELAXED);
		asm volatile("tlbi vmalle1\n\tdsb nsh" ::: "memory");
	}
	__atomic_store_n(&this_cpu(active_context), context, __ATOMIC_RELAXED);
	spin_unlock(&asid_lock);
	return context;
}

void arch_mmu_switch(struct arch_mmu *mmu)
{
	irqflags_t flags = arch_irq_save();
	u64 root = image_to_phys(empty_root), context, active;

	if (mmu) {
		context = __atomic_load_n(&mmu->context, __ATOMIC_RELAXED);
		active = __atomic_load_n(&this_cpu(active_context), __ATOMIC_RELAXED);
		/* The exchange fails if a roll-over on another CPU comes in between. */
		if (!active || !context ||
		    (context ^ __atomic_load_n(&asid_generation, __ATOMIC_RELAXED)) >>
			    ASID_MAX_BITS ||
		    !__atomic_compare_exchange_n(&this_cpu(active_context), &active, context, false,
						 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			context = context_renew(mmu);
		root = mmu->root | (context & ASID_MASK) << 48;
	}
	write_sysreg(ttbr0_el1, root);
	isb();
	arch_irq_restore(flags);
}

void arch_tlb_flush_user(struct arch_mmu *mmu, vaddr_t start, vaddr_t end)
{
	u64 asid = (__atomic_load_n(&mmu->context, __ATOMIC_RELAXED) & ASID_MASK) << 48;

	asm volatile("dsb ishst" ::: "memory");
	if (end - start > FLUSH_PAGES_MAX * PAGE_SIZE) {
		asm volatile("tlbi aside1is, %0" : : "r"(asid) : "memory");
	} else {
		for (vaddr_t va = start; va < end; va += PAGE_SIZE)
			asm volatile("tlbi vae1is, %0" : : "r"(asid | va >> PAGE_SHIFT) : "memory");
	}
	asm volatile("dsb ish" ::: "memory");
}

void arch_tlb_flush_all_users(void)
{
	asm volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
}

void arch_tlb_flush_kernel(vaddr_t start, vaddr_t end)
{
	asm volatile("dsb ishst" ::: "memory");
	if (end - start > FLUSH_PAGES_MAX * PAGE_SIZE) {
		asm volatile("tlbi vmalle1is" ::: "memory");
	} else {
		for (vaddr_t va = start; va < end; va += PAGE_SIZE)
			asm volatile("tlbi vaae1is, %0"
				     :
				     : "r"(va >> PAGE_SHIFT & (BIT(44) - 1))
				     : "memory");
	}
	asm volatile("dsb ish\n\tisb" ::: "memory");
}

/* CTR_EL0: caches that need no maintenance for this. */
#define CTR_DATA_CLEAN_UNNEEDED BIT(28)
#define CTR_CODE_INVALIDATE_UNNEEDED BIT(29)

void arch_sync_icache(const void *start, size_t size)
{
	u64 type = read_sysreg(ctr_el0);
	u64 data_line = 4ul << (type >> 16 & 0xf), code_line = 4ul << (type & 0xf);
	uintptr_t first = (uintptr_t)start, end = first + size;

	if (!(type & CTR_DATA_CLEAN_UNNEEDED))
		for (uintptr_t p = ALIGN_DOWN(first, data_line); p < end; p += data_line)
			asm volatile("dc cvau, %0" : : "r"(p) : "memory");
	asm volatile("dsb ish" ::: "memory");
	if (!(type & CTR_CODE_INVALIDATE_UNNEEDED))
		for (uintptr_t p = ALIGN_DOWN(first, code_line); p < end; p += code_line)
			asm volatile("ic ivau, %0" : : "r"(p) : "memory");
	asm volatile("dsb ish\n\tisb" ::: "memory");
}
