/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel mappings made at run time.
 *
 * The upper half of the VMAP range holds kernel stacks in slots of twice their size, the lower half
 * of a slot being the guard. Freed stacks stay mapped in a small cache, because fork and exit take
 * and give one each; beyond that their frames go and the slot is remembered for reuse. The lower
 * half of the range is given out first fit, in order of address; such mappings are few.
 */
#include <arch/layout.h>
#include <core/lock.h>
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/list.h>
#include <mm/aspace_priv.h>
#include <mm/fail.h>
#include <mm/pagetable.h>
#include <mm/slab.h>
#include <mm/vmap.h>

#define KSTACK_PAGES (KSTACK_SIZE / PAGE_SIZE)
#define KSTACK_SLOT (2ul * KSTACK_SIZE)
#define KSTACK_AREA (VMAP_BASE + VMAP_SIZE / 2)
#define KSTACKS_CACHED 32
#define KSTACK_BATCH 16 /* stacks that are released at once when the cache is full */

/* A free stack slot: mapped (then its struct lies in the stack's first bytes) or not (allocated).
 */
struct kstack_slot {
	struct kstack_slot *next;
	vaddr_t address; /* of the stack's lowest byte */
};

static struct {
	struct spinlock lock;
	struct kstack_slot *mapped, *unmapped;
	u32 mapped_count;
	u64 slots; /* ever used */
} kstacks = { .lock = SPINLOCK_INIT(RANK_SLAB) };

struct vmap_area {
	struct list_head node; /* in vmap.areas, by address */
	vaddr_t start;
	size_t size; /* mapped; a page more is reserved */
	vaddr_t result;
	bool owns_frames;
};

static struct {
	struct mutex lock;
	struct list_head areas;
} vmap;

/* --- frames behind a mapping --- */

static void frames_unmap_free(vaddr_t va, size_t size)
{
	/* The frames are found through the entries, so collect them before those go. */
	while (size) {
		struct page *pages[KSTACK_PAGES];
		unsigned n = 0;
		size_t chunk = MIN(size, (size_t)KSTACK_SIZE);
		for (size_t at = 0; at < chunk; at += PAGE_SIZE)
			pages[n++] = phys_to_page(pagetable_kernel_lookup(va + at));
		pagetable_unmap_kernel(va, chunk);
		while (n)
			page_put(pages[--n]);
		va += chunk;
		size -= chunk;
	}
}

static int frames_alloc_map(vaddr_t va, size_t size, u32 flags)
{
	for (size_t at = 0; at < size; at += PAGE_SIZE) {
		struct page *page = page_alloc(0, flags);
		if (page && pagetable_map_kernel(va + at, page_to_phys(page), PAGE_SIZE,
						 MMU_READ | MMU_WRITE)) {
			page_put(page);
			page = nullptr;
		}
		if (!page) {
			frames_unmap_free(va, at);
			return -ENOMEM;
		}
	}
	return 0;
}

/* --- stacks --- */

/* A slot without frames: one that was used before, or a new one. 0 without memory. */
static struct kstack_slot *kstack_slot_get(void)
{
	spin_lock(&kstacks.lock);
	struct kstack_slot *slot = kstacks.unmapped;
	if (slot)
		kstacks.unmapped = slot->next;
	spin_unlock(&kstacks.lock);
	if (slot)
		return slot;

	slot = kmalloc(sizeof(*slot), 0);
	if (!slot)
		return nullptr;
	spin_lock(&kstacks.lock);
	slot->address = KSTACK_AREA + kstacks.slots++ * KSTACK_SLOT + KSTACK_SIZE;
	spin_unlock(&kstacks.lock);
	ASSERT(slot->address < VMAP_BASE + VMAP_SIZE);
	return slot;
}

static void kstack_slot_put(struct kstack_slot *slot)
{
	spin_lock(&kstacks.lock);
	slot->next = kstacks.unmapped;
	kstacks.unmapped = slot;
	spin_unlock(&kstacks.lock);
}

void *kstack_alloc(void)
{
	if (allocation_fails(0))
		return nullptr;
	spin_lock(&kstacks.lock);
	struct kstack_slot *cached = kstacks.mapped;
	if (cached) {
		kstacks.mapped = cached->next;
		kstacks.mapped_count--;
	}
	spin_unlock(&kstacks.lock);
	if (cached)
		return cached;

	struct kstack_slot *slot = kstack_slot_get();
	if (!slot)
		return nullptr;
	if (frames_alloc_map(slot->address, KSTACK_SIZE, ALLOC_USER | ALLOC_KIND(PAGE_STACK))) {
		kstack_slot_put(slot);
		return nullptr;
	}
	/* The slot's struct is found again through the frame. */
	phys_to_page(pagetable_kernel_lookup(slot->address))->private = (uintptr_t)slot;
	return (void *)slot->address;
}

/* Takes up to KSTACK_BATCH stacks out of the cache. */
static unsigned kstacks_take(struct kstack_slot **stacks)
{
	unsigned n = 0;

	spin_lock(&kstacks.lock);
	while (n < KSTACK_BATCH && kstacks.mapped) {
		stacks[n++] = kstacks.mapped;
		kstacks.mapped = kstacks.mapped->next;
		kstacks.mapped_count--;
	}
	spin_unlock(&kstacks.lock);
	return n;
}

/* Unmaps stacks and frees their frames: one TLB flush on all CPUs for a whole batch. */
static void kstacks_release(struct kstack_slot **stacks, unsigned n)
{
	struct page *pages[KSTACK_BATCH * KSTACK_PAGES];
	vaddr_t start = UINTPTR_MAX, end = 0;
	unsigned count = 0;

	for (unsigned i = 0; i < n; i++) {
		vaddr_t stack = (vaddr_t)stacks[i];

		for (size_t at = 0; at < KSTACK_SIZE; at += PAGE_SIZE)
			pages[count++] = phys_to_page(pagetable_kernel_lookup(stack + at));
		stacks[i] = (struct kstack_slot *)pages[i * KSTACK_PAGES]->private;
		pagetable_clear_kernel(stack, KSTACK_SIZE);
		start = MIN(start, stack);
		end = MAX(end, stack + KSTACK_SIZE);
	}
	tlb_flush_kernel(start, end);
	while (count)
		page_put(pages[--count]);
	for (unsigned i = 0; i < n; i++)
		kstack_slot_put(stacks[i]);
}

void kstack_free(void *stack)
{
	struct kstack_slot *slot = stack, *surplus[KSTACK_BATCH];
	bool full;

	spin_lock(&kstacks.lock);
	slot->next = kstacks.mapped;
	kstacks.mapped = slot;
	full = ++kstacks.mapped_count > KSTACKS_CACHED;
	spin_unlock(&kstacks.lock);
	if (full)
		kstacks_release(surplus, kstacks_take(surplus));
}

u64 vmap_shrink(void)
{
	struct kstack_slot *stacks[KSTACK_BATCH];
	u64 freed = 0;
	unsigned n;

	while ((n = kstacks_take(stacks))) {
		kstacks_release(stacks, n);
		freed += n * KSTACK_PAGES;
	}
	return freed;
}

/* --- other mappings --- */

static struct vmap_area *vmap_area_create(size_t size)
{
	struct vmap_area *area = kzalloc(sizeof(*area), 0);
	struct vmap_area *next;

	if (!area)
		return nullptr;
	area->size = ALIGN_UP(size, PAGE_SIZE);
	area->start = VMAP_BASE;
	mutex_lock(&vmap.lock);
	list_for_each (next, &vmap.areas, node) {
		if (next->start - area->start > area->size)
			break;
		area->start = next->start + next->size + PAGE_SIZE;
	}
	bool fits = area->size < KSTACK_AREA - area->start;
	if (fits)
		list_add_tail(&next->node, &area->node);
	mutex_unlock(&vmap.lock);
	if (!fits) {
		kfree(area);
		return nullptr;
	}
	return area;
}

static void vmap_area_destroy(struct vmap_area *area)
{
	mutex_lock(&vmap.lock);
	list_remove(&area->node);
	mutex_unlock(&vmap.lock);
	kfree(area);
}

void vmap_for_each(void (*visit)(vaddr_t start, size_t size, bool device, void *arg), void *arg)
{
	struct vmap_area *area;

	mutex_guard(&vmap.lock);
	list_for_each (area, &vmap.areas, node)
		visit(area->start, area->size, !area->owns_frames, arg);
}

static struct vmap_area *vmap_area_find(const void *va)
{
	struct vmap_area *area, *found = nullptr;

	mutex_lock(&vmap.lock);
	list_for_each (area, &vmap.areas, node)
		if (area->result == (vaddr_t)va)
			found = area;
	mutex_unlock(&vmap.lock);
	return found;
}

void *vmap_device(paddr_t pa, size_t size)
{
	u64 lead = pa & ~PAGE_MASK;
	struct vmap_area *area = vmap_area_create(size + lead);

	if (!area)
		return nullptr;
	if (pagetable_map_kernel(area->start, pa - lead, area->size,
				 MMU_READ | MMU_WRITE | MMU_DEVICE)) {
		vmap_area_destroy(area);
		return nullptr;
	}
	area->result = area->start + lead;
	return (void *)area->result;
}

void vunmap_device(void *va)
{
	struct vmap_area *area = vmap_area_find(va);

	ASSERT(area && !area->owns_frames);
	pagetable_unmap_kernel(area->start, area->size);
	vmap_area_destroy(area);
}

void *vmap_alloc(size_t size, u32 flags)
{
	if (!size || size > VMAP_SIZE / 4)
		return nullptr;
	struct vmap_area *area = vmap_area_create(size);
	if (!area)
		return nullptr;
	if (frames_alloc_map(area->start, area->size, flags | ALLOC_ZERO)) {
		vmap_area_destroy(area);
		return nullptr;
	}
	area->owns_frames = true;
	area->result = area->start;
	return (void *)area->result;
}

void vmap_free(void *va)
{
	struct vmap_area *area = vmap_area_find(va);

	ASSERT(area && area->owns_frames);
	frames_unmap_free(area->start, area->size);
	vmap_area_destroy(area);
}

bool vmap_contains(const void *va)
{
	return (vaddr_t)va - VMAP_BASE < VMAP_SIZE;
}

void vmap_init(void)
{
	u64 tables = 0;

	mutex_init(&vmap.lock, RANK_ALLOCATOR_SLEEP);
	list_init(&vmap.areas);
	/*
	 * User address spaces may copy the kernel's root entries when they are made, so those must
	 * exist by then.
	 */
	for (u64 at = 0; at < VMAP_SIZE; at += PAGETABLE_SPAN << 18)
		if (!pagetable_make(arch_mmu_kernel_root(), VMAP_BASE + at, ALLOC_BOOT, &tables))
			panic("no memory for the kernel's page tables");
}
