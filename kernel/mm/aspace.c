/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address spaces: life, loading, copying.
 *
 * Two counts: `users` are the processes that run in it, and when the last one leaves, the mappings
 * go; `refs` keep the structure and the root table, all users together holding one. A kernel thread
 * that runs on with the tables that the thread before it had loaded holds a reference too.
 */
#include <arch/irqflags.h>
#include <core/command_line.h>
#include <core/panic.h>
#include <core/percpu.h>
#include <core/random.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/aspace_priv.h>
#include <mm/budget.h>
#include <mm/memory_object.h>
#include <mm/reclaim.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <sched/thread.h>

struct mm_hooks mm_hooks;
paddr_t zero_page;

static struct slab_cache *aspace_cache;

/* What this CPU's MMU uses; null: only the kernel's mappings. */
static DEFINE_PER_CPU(struct aspace *, aspace_loaded);

/* --- loading --- */

void aspace_activate(struct aspace *as)
{
	struct aspace *former = this_cpu(aspace_loaded);

	if (former == as)
		return;
	/* First this: an entry changed from now on is flushed here too, perhaps for nothing. */
	if (as)
		__atomic_fetch_or(&as->cpus_active, BIT(cpu_id()), __ATOMIC_SEQ_CST);
	/* For membarrier: whoever does not see the bit has made its stores visible here. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	this_cpu(aspace_loaded) = as;
	arch_mmu_switch(as ? &as->mmu : nullptr);
	if (former)
		__atomic_fetch_and(&former->cpus_active, ~BIT(cpu_id()), __ATOMIC_SEQ_CST);
}

void aspace_unload(void)
{
	irqflags_t irq = arch_irq_save();

	aspace_activate(nullptr);
	arch_irq_restore(irq);
}

/* --- life --- */

int aspace_create(struct aspace **out)
{
	struct aspace *as = slab_alloc(aspace_cache, ALLOC_ZERO);

	if (!as)
		return -ENOMEM;
	int error = arch_mmu_create(&as->mmu);
	if (error) {
		slab_free(aspace_cache, as);
		return error;
	}
	as->refs = as->users = 1;
	as->page_table_pages = 1;
	as->limit_as = as->limit_data = as->limit_stack = as->limit_memlock = UINT64_MAX;
	as->mmap_base = USER_MAX - STACK_GUARD_GAP;
	rwsem_init(&as->lock, RANK_ASPACE);
	*out = as;
	return 0;
}

/* What it takes when nothing is mapped. */
static u64 aspace_own_bytes(void)
{
	return slab_object_size(aspace_cache) + PAGE_SIZE;
}

/* A CPU may keep the root table loaded for a while after the end: nobody is charged for that. */
static void discharge(struct aspace *as)
{
	if (!__atomic_exchange_n(&as->discharged, true, __ATOMIC_RELAXED))
		memory_budget_release(as->budget, aspace_own_bytes());
}

int aspace_set_budget(struct aspace *as, struct memory_budget *budget)
{
	if (!budget)
		return 0;
	memory_budget_get(budget);
	as->budget = budget;
	return memory_budget_charge_existing(budget, aspace_own_bytes()) ? 0 : -ENOMEM;
}

static int aspace_set_budget_or_put(struct aspace *as, struct memory_budget *budget)
{
	int error = aspace_set_budget(as, budget);

	if (error) {
		aspace_user_put(as);
		aspace_put(as);
	}
	return error;
}

void aspace_get(struct aspace *as)
{
	__atomic_fetch_add(&as->refs, 1, __ATOMIC_RELAXED);
}

void aspace_put(struct aspace *as)
{
	if (__atomic_sub_fetch(&as->refs, 1, __ATOMIC_ACQ_REL))
		return;
	ASSERT(!as->users && !as->vmas.root);
	preempt_disable();
	if (as->cpus_active & BIT(cpu_id()))
		aspace_unload();
	preempt_enable();
	ASSERT(!as->cpus_active);
	arch_mmu_destroy(&as->mmu);
	discharge(as);
	memory_budget_put(as->budget);
	slab_free(aspace_cache, as);
}

void aspace_user_get(struct aspace *as)
{
	__atomic_fetch_add(&as->users, 1, __ATOMIC_RELAXED);
}

void aspace_user_put(struct aspace *as)
{
	if (__atomic_sub_fetch(&as->users, 1, __ATOMIC_ACQ_REL))
		return;
	write_lock(&as->lock);
	aspace_remove_all(as);
	write_unlock(&as->lock);
	discharge(as);
	if (as->pager)
		mm_hooks.drop_pager(as);
	if (as->exe)
		mm_hooks.file_put(as->exe);
	as->exe = nullptr;
}

void aspace_end(struct aspace *as)
{
	write_lock(&as->lock);
	aspace_remove_range(as, 0, USER_MAX);
	write_unlock(&as->lock);
	discharge(as);
}

/* --- fork --- */

/* Copies the entries of one leaf table; true if one of the parent's was write protected. */
static bool fork_entries(pte_t *to, pte_t *from, unsigned count, u32 shared_prot, u64 *anon,
			 u64 *file)
{
	bool protected = false;

	for (unsigned i = 0; i < count; i++) {
		if (i + 8 <= count && pte_group_empty(&from[i])) {
			i += 7;
			continue;
		}
		pte_t entry = pte_load(&from[i]);
		if (pte_empty(entry))
			continue;
		if (pte_address(entry) != zero_page) {
			struct page *page = phys_to_page(pte_address(entry));
			page_get(page);
			*(page->kind == PAGE_ANON ? anon : file) += 1;
		}
		/* Only hardware changes the entry under us, and only its accessed and dirty bits.
		 */
		while (pte_prot(entry) & MMU_WRITE) {
			pte_t readable = pte_with_prot(entry, shared_prot);
			if (pte_replace(&from[i], entry, readable)) {
				protected = true;
				entry = readable;
				break;
			}
			entry = pte_load(&from[i]);
		}
		pte_store(&to[i], entry);
	}
	return protected;
}

/* Shares the private pages of `from` with its copy `to`. Returns 0 or -ENOMEM. */
static int fork_pages(struct vma *to, struct vma *from, bool *protected)
{
	u32 prot = vma_mmu_prot(from) & ~MMU_WRITE;
	u64 anon = 0, file = 0;
	vaddr_t at = from->start;
	unsigned count;
	pte_t *source;
	int error = 0;

	while ((source = pagetable_next(from->aspace->mmu.root, &at, from->end, &count))) {
		pte_t *pte = aspace_make_entry(to->aspace, at);
		if (!pte) {
			error = -ENOMEM;
			break;
		}
		*protected |= fork_entries(pte, source, count, prot, &anon, &file);
		at += (vaddr_t)count << PAGE_SHIFT;
	}
	to->aspace->resident_anon += anon;
	if (!memory_budget_charge_existing(to->aspace->budget, anon << PAGE_SHIFT))
		error = -ENOMEM;
	to->aspace->resident_file += file;
	return error;
}

static int fork_vma(struct aspace *child, struct vma *vma, bool *protected)
{
	if (vma->flags & VMA_DONTFORK)
		return 0;
	struct vma *copy = vma_copy(child, vma);
	if (!copy)
		return -ENOMEM;
	copy->flags &= ~(VMA_LOCKED | VMA_LOCK_ON_FAULT);
	vma_insert(copy);
	if (vma->flags & (VMA_SHARED | VMA_DEVICE | VMA_WIPEONFORK)) {
		copy->private_pages = false;
		return 0;
	}
	/* The pages of a file that was not written to are found again by faults. */
	if (vma->object && !vma->private_pages)
		return 0;
	return fork_pages(copy, vma, protected);
}

static void fork_layout(struct aspace *child, const struct aspace *parent)
{
	child->mmap_base = parent->mmap_base;
	child->brk_start = parent->brk_start;
	child->brk_end = parent->brk_end;
	child->stack_top = parent->stack_top;
	child->arg_start = parent->arg_start;
	child->arg_end = parent->arg_end;
	child->env_start = parent->env_start;
	child->env_end = parent->env_end;
	child->code_start = parent->code_start;
	child->code_end = parent->code_end;
	child->data_start = parent->data_start;
	child->data_end = parent->data_end;
	child->vdso = parent->vdso;
	child->limit_as = parent->limit_as;
	child->limit_data = parent->limit_data;
	child->limit_stack = parent->limit_stack;
	child->limit_memlock = parent->limit_memlock;
	child->dumpable = parent->dumpable;
	memcpy(child->auxv, parent->auxv, sizeof(child->auxv));
	child->exe = parent->exe;
	if (child->exe)
		mm_hooks.file_get(child->exe);
	child->membarrier = parent->membarrier;
}

int aspace_fork(struct aspace *parent, struct aspace **out)
{
	struct aspace *child;
	bool protected = false;
	int error = aspace_create(&child);

	if (!error)
		error = aspace_set_budget_or_put(child, parent->budget);
	if (error)
		return error;
	write_lock(&parent->lock);
	fork_layout(child, parent);
	struct rb_node *first = rb_first(&parent->vmas);
	for (struct vma *vma = first ? rb_entry(first, struct vma, node) : nullptr; vma && !error;
	     vma = vma_next(vma))
		error = fork_vma(child, vma, &protected);
	if (protected)
		aspace_flush_tlb(parent, 0, USER_MAX);
	write_unlock(&parent->lock);
	if (error) {
		aspace_user_put(child);
		aspace_put(child);
		return error;
	}
	*out = child;
	return 0;
}

/* --- randomness --- */

static u32 randomize_level = 2;

static int set_norandmaps(const char *value)
{
	randomize_level = 0;
	return 0;
}
KERNEL_PARAMETER("norandmaps", set_norandmaps);

u32 aspace_randomize_level(void)
{
	return randomize_level;
}

void aspace_set_randomize_level(u32 level)
{
	randomize_level = level;
}

static u64 random_pages(u64 random, unsigned bits)
{
	return (random & (BIT(bits) - 1)) << PAGE_SHIFT;
}

void aspace_randomize(struct aspace_randomness *out)
{
	u64 random[3];

	*out = (struct aspace_randomness){};
	if (!randomize_level)
		return;
	random_bytes(random, sizeof(random));
	/* As many bits as Linux uses by default on x86_64 (proc(5), mmap_rnd_bits). */
	out->mmap = random_pages(random[0], 28);
	out->pie = random_pages(random[1], 28);
	out->stack = random_pages(random[2], 22);
	if (randomize_level > 1)
		out->brk = random_pages(random[2] >> 32, 13);
}

/* --- boot --- */

struct aspace *current_aspace(void)
{
	return current_thread()->aspace;
}

void aspace_init(void)
{
	sched_hooks = (struct sched_hooks){
		.aspace_activate = aspace_activate,
		.aspace_hold = aspace_get,
		.aspace_release = aspace_put,
	};
	zero_page = page_to_phys(page_alloc(0, ALLOC_BOOT | ALLOC_ZERO));
	aspace_cache = slab_cache_create("aspace", sizeof(struct aspace), 0);
	vma_boot();
	memory_object_boot();
	ucopy_boot();
	reclaim_boot();
}
