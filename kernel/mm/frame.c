/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page frame allocator.
 *
 * Every frame between the lowest and the highest one of RAM has a struct page in one flat array,
 * which boot carves out of RAM itself. Free memory is a binary buddy system: a free block of order
 * n is 2^n frames, aligned to its size; its first frame alone has kind PAGE_FREE and the block's
 * order. Single frames, nearly all the traffic, come from a per-CPU stack that is filled and
 * emptied in batches, so that the common path takes no lock.
 *
 * Invariants: 1. PAGE_FREE marks exactly the first frames of blocks in the buddy's lists. 2. refs
 * is 0 in the allocator and at least 1 outside. 3. The books of a kind count its blocks' frames
 * from allocation to free, on whatever CPU each happened: only their sums over all CPUs mean
 * something.
 *
 * Locks: buddy.lock (RANK_FRAME) with interrupts masked; the per-CPU stacks are guarded by masked
 * interrupts.
 */
#include <arch/boot.h>
#include <arch/irqflags.h>
#include <core/command_line.h>
#include <core/cpu_call.h>
#include <core/lock.h>
#include <core/log.h>
#include <core/panic.h>
#include <core/percpu.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/fail.h>
#include <mm/frame.h>
#include <mm/reclaim.h>
#include <mm/shadow.h>

#define FRAME_BATCH_ORDER 4
#define FRAME_BATCH (1u << FRAME_BATCH_ORDER)
#define FRAME_CACHE_MAX (4 * FRAME_BATCH)

struct page *frame_array;
u64 frame_first, frame_count;
u64 frame_reserve_user, frame_reserve_kernel;

static struct buddy {
	struct spinlock lock;
	u64 free_pages;
	u64 free_blocks[FRAME_ORDER_MAX + 1];
	struct list_head free[FRAME_ORDER_MAX + 1];
} buddy = { .lock = SPINLOCK_INIT(RANK_FRAME) };

static u64 frame_total, frame_reserved;

/* This CPU's free single frames and its part of the books. */
struct frame_cache {
	u32 count;
	struct page *pages[FRAME_CACHE_MAX];
	s64 kinds[PAGE_KINDS];
	u64 allocated, freed;
};
static DEFINE_PER_CPU(struct frame_cache, frame_cache);

/* The first byte of the image, which lies at boot_info.kernel_start; from the linker script. */
extern const char __kernel_start[];

static u64 memory_limit = UINT64_MAX;

static int frame_set_memory_limit(const char *value)
{
	return parse_size(value, &memory_limit);
}
KERNEL_PARAMETER("mem=", frame_set_memory_limit);

/* --- buddy --- */

static struct page *buddy_of(const struct page *page, unsigned order)
{
	u64 n = frame_first + (u64)(page - frame_array);
	u64 other = (n ^ 1ul << order) - frame_first;

	return other < frame_count ? &frame_array[other] : nullptr;
}

static void buddy_insert_locked(struct page *page, unsigned order) __must_hold(&buddy.lock)
{
	page->kind = PAGE_FREE;
	page->order = order;
	list_add(&buddy.free[order], &page->node);
	buddy.free_blocks[order]++;
}

static void buddy_remove_locked(struct page *page) __must_hold(&buddy.lock)
{
	list_remove(&page->node);
	buddy.free_blocks[page->order]--;
	page->kind = PAGE_RESERVED;
}

static void buddy_free_locked(struct page *page, unsigned order) __must_hold(&buddy.lock)
{
	buddy.free_pages += 1ul << order;
	page->kind = PAGE_RESERVED;
	for (; order < FRAME_ORDER_MAX; order++) {
		struct page *other = buddy_of(page, order);
		if (!other || other->kind != PAGE_FREE || other->order != order)
			break;
		buddy_remove_locked(other);
		if (other < page)
			page = other;
	}
	buddy_insert_locked(page, order);
}

/* A block of `order`, or null; leaves at least `reserve` pages free. */
static struct page *buddy_alloc_locked(unsigned order, u64 reserve) __must_hold(&buddy.lock)
{
	unsigned have = order;

	if (buddy.free_pages < reserve + (1ul << order))
		return nullptr;
	while (have <= FRAME_ORDER_MAX && list_empty(&buddy.free[have]))
		have++;
	if (have > FRAME_ORDER_MAX)
		return nullptr;
	struct page *page = list_first(&buddy.free[have], struct page, node);
	buddy_remove_locked(page);
	while (have > order) {
		have--;
		buddy_insert_locked(page + (1ul << have), have);
	}
	buddy.free_pages -= 1ul << order;
	return page;
}

/* --- per-CPU caches; interrupts are masked --- */

static u64 frame_reserve(u32 flags)
{
	if (flags & ALLOC_USER)
		return frame_reserve_user;
	return flags & (ALLOC_ATOMIC | ALLOC_BOOT) ? 0 : frame_reserve_kernel;
}

static bool frame_cache_refill(struct frame_cache *cache, u64 reserve)
{
	spin_lock(&buddy.lock);
	struct page *block = buddy_alloc_locked(FRAME_BATCH_ORDER, reserve);
	if (block) {
		/* Backwards, so that they are handed out in rising order. */
		for (unsigned i = FRAME_BATCH; i-- > 0;) {
			block[i].order = 0;
			cache->pages[cache->count++] = &block[i];
		}
	} else {
		while (cache->count < FRAME_BATCH) {
			struct page *page = buddy_alloc_locked(0, reserve);
			if (!page)
				break;
			page->order = 0;
			cache->pages[cache->count++] = page;
		}
	}
	spin_unlock(&buddy.lock);
	return cache->count;
}

static void frame_cache_drain(struct frame_cache *cache, u32 keep)
{
	spin_lock(&buddy.lock);
	while (cache->count > keep)
		buddy_free_locked(cache->pages[--cache->count], 0);
	spin_unlock(&buddy.lock);
}

static struct page *frame_alloc_once(unsigned order, u32 flags, bool drain)
{
	enum page_kind kind = flags >> ALLOC_KIND_SHIFT;
	struct page *page = nullptr;
	irqflags_t irq = arch_irq_save();
	struct frame_cache *cache = &this_cpu(frame_cache);

	if (unlikely(drain))
		frame_cache_drain(cache, 0);
	if (!order) {
		if (likely(cache->count) || frame_cache_refill(cache, frame_reserve(flags)))
			page = cache->pages[--cache->count];
	} else {
		spin_lock(&buddy.lock);
		page = buddy_alloc_locked(order, frame_reserve(flags));
		spin_unlock(&buddy.lock);
		if (page)
			page->order = order;
	}
	if (likely(page)) {
		page->kind = kind ?: PAGE_KERNEL;
		cache->kinds[page->kind] += 1l << order;
		cache->allocated += 1ul << order;
	}
	arch_irq_restore(irq);
	return page;
}

static void frame_drain_here(void *unused)
{
	irqflags_t irq = arch_irq_save();

	(void)unused;
	frame_cache_drain(&this_cpu(frame_cache), 0);
	arch_irq_restore(irq);
}

/* The other CPUs' caches too; they are asked by interrupt, and whoever cannot wait for them goes without. */
static void frame_drain_all(u32 flags)
{
	if (flags & ALLOC_ATOMIC || current_base()->preempt_count || !arch_irq_enabled())
		return;
	preempt_disable();
	cpu_call(~0ull, frame_drain_here, nullptr);
	preempt_enable();
}

static struct page *frame_alloc_slow(unsigned order, u32 flags)
{
	struct page *page;

	frame_drain_all(flags);
	page = frame_alloc_once(order, flags, true);
	while (!page && !(flags & ALLOC_ATOMIC) && reclaim_for(order, flags))
		page = frame_alloc_once(order, flags, true);
	/* Better the reserve than a failure inside the kernel; users wait for the OOM killer
	 * instead. */
	if (!page && !(flags & ALLOC_USER))
		page = frame_alloc_once(order, flags | ALLOC_ATOMIC, true);
	if (!page && (flags & ALLOC_BOOT))
		panic("out of memory while booting (order %u)", order);
	return page;
}

struct page *page_alloc(unsigned order, u32 flags)
{
	DASSERT(order <= FRAME_ORDER_MAX);
	if (allocation_fails(flags))
		return nullptr;
	struct page *page = frame_alloc_once(order, flags, false);
	if (unlikely(!page)) {
		page = frame_alloc_slow(order, flags);
		if (!page)
			return nullptr;
	}
	DASSERT(page->refs == 0);
	page->flags = 0;
	page->private = 0;
	shadow_unpoison(page_address(page), PAGE_SIZE << order);
	if (flags & ALLOC_ZERO)
		memset(page_address(page), 0, PAGE_SIZE << order);
	__atomic_store_n(&page->refs, 1, __ATOMIC_RELEASE);
	return page;
}

void page_free(struct page *page)
{
	unsigned order = page->order;
	irqflags_t irq = arch_irq_save();
	struct frame_cache *cache = &this_cpu(frame_cache);

	DASSERT(page->kind != PAGE_FREE && page->kind != PAGE_RESERVED);
	shadow_poison(page_address(page), PAGE_SIZE << order, SHADOW_FREE_PAGE);
	cache->kinds[page->kind] -= 1l << order;
	cache->freed += 1ul << order;
	page->kind = PAGE_RESERVED;
	if (likely(!order)) {
		if (unlikely(cache->count == FRAME_CACHE_MAX))
			frame_cache_drain(cache, FRAME_CACHE_MAX - 2 * FRAME_BATCH);
		cache->pages[cache->count++] = page;
	} else {
		spin_lock(&buddy.lock);
		buddy_free_locked(page, order);
		spin_unlock(&buddy.lock);
	}
	arch_irq_restore(irq);
}

void page_set_kind(struct page *page, enum page_kind kind)
{
	irqflags_t irq = arch_irq_save();
	struct frame_cache *cache = &this_cpu(frame_cache);

	cache->kinds[page->kind] -= 1l << page->order;
	cache->kinds[kind] += 1l << page->order;
	page->kind = kind;
	arch_irq_restore(irq);
}

void *page_alloc_address(unsigned order, u32 flags)
{
	struct page *page = page_alloc(order, flags);

	return page ? page_address(page) : nullptr;
}

void page_free_address(void *va)
{
	page_put(virt_to_page(va));
}

paddr_t virt_to_phys(const void *va)
{
	vaddr_t address = (vaddr_t)va;

	if (address >= KERNEL_BASE)
		return address - (vaddr_t)__kernel_start + boot_info.kernel_start;
	return address - DIRECT_MAP_BASE;
}

/* --- books --- */

u64 frame_free_count(void)
{
	u64 free = READ_ONCE(buddy.free_pages);

	for_each_cpu (cpu)
		free += READ_ONCE(per_cpu(frame_cache, cpu).count);
	return free;
}

void frame_stats(struct frame_stats *out)
{
	s64 kinds[PAGE_KINDS] = {};

	*out = (struct frame_stats){ .total = frame_total, .reserved = frame_reserved };
	for_each_cpu (cpu) {
		const struct frame_cache *cache = &per_cpu(frame_cache, cpu);
		out->free += cache->count;
		out->allocated_ever += cache->allocated;
		out->freed_ever += cache->freed;
		for (unsigned kind = 0; kind < PAGE_KINDS; kind++)
			kinds[kind] += cache->kinds[kind];
	}
	irqflags_t irq = spin_lock_irqsave(&buddy.lock);
	out->free += buddy.free_pages;
	memcpy(out->free_blocks, buddy.free_blocks, sizeof(out->free_blocks));
	spin_unlock_irqrestore(&buddy.lock, irq);
	out->anon = kinds[PAGE_ANON];
	out->cache = kinds[PAGE_CACHE];
	out->slab = kinds[PAGE_SLAB];
	out->page_tables = kinds[PAGE_TABLE];
	out->kernel_stacks = kinds[PAGE_STACK];
	out->kernel = kinds[PAGE_KERNEL] + out->page_tables + out->kernel_stacks;
}

/* --- boot --- */

struct frame_range {
	u64 start, end; /* frames */
};
#define FRAME_RANGES_MAX (BOOT_MEMORY_MAX + 8)

static void frame_free_range(u64 start, u64 end)
{
	irqflags_t irq = spin_lock_irqsave(&buddy.lock);

	while (start < end) {
		unsigned order = 0;
		while (order < FRAME_ORDER_MAX && !(start & 1ul << order) &&
		       start + (2ul << order) <= end)
			order++;
		buddy_free_locked(&frame_array[start - frame_first], order);
		start += 1ul << order;
	}
	spin_unlock_irqrestore(&buddy.lock, irq);
}

/* Takes bytes [start, end) out of the ranges. */
static unsigned frame_ranges_exclude(struct frame_range *ranges, unsigned count, paddr_t start,
				     paddr_t end)
{
	struct frame_range cut = { start >> PAGE_SHIFT, DIV_ROUND_UP(end, PAGE_SIZE) };

	for (unsigned i = 0; start < end && i < count; i++) {
		struct frame_range *r = &ranges[i];
		if (cut.end <= r->start || cut.start >= r->end)
			continue;
		if (cut.start > r->start && cut.end < r->end) {
			ASSERT(count < FRAME_RANGES_MAX);
			ranges[count++] = (struct frame_range){ cut.end, r->end };
			r->end = cut.start;
		} else if (cut.start > r->start) {
			r->end = cut.start;
		} else {
			r->start = MIN(cut.end, r->end);
		}
	}
	return count;
}

/* The usable ranges of boot_info within mem=, whole frames, before exclusions. */
static unsigned frame_ranges_collect(struct frame_range *ranges)
{
	u64 left = memory_limit >> PAGE_SHIFT;
	unsigned count = 0;

	for (unsigned i = 0; i < boot_info.memory_count; i++) {
		const struct boot_memory *m = &boot_info.memory[i];
		u64 start = DIV_ROUND_UP(m->start, PAGE_SIZE);
		u64 end = (m->start + m->size) >> PAGE_SHIFT;
		if (!m->usable || start >= end)
			continue;
		end = MIN(end, start + left);
		left -= end - start;
		if (start == end)
			continue;
		ranges[count++] = (struct frame_range){ start, end };
		frame_total += end - start;
		if (!frame_count)
			frame_first = start;
		frame_count = end - frame_first;
	}
	return count;
}

/* Takes `size` bytes for `what` from the end of the highest range that can hold them. */
static void *frame_ranges_take(struct frame_range *ranges, unsigned count, u64 size,
			       const char *what)
{
	u64 pages = DIV_ROUND_UP(size, PAGE_SIZE);

	struct frame_range *best = nullptr;
	for (unsigned i = 0; i < count; i++)
		if (ranges[i].end - ranges[i].start >= pages &&
		    (!best || ranges[i].end > best->end))
			best = &ranges[i];
	if (!best)
		panic("no room for the %s of %llu page frames", what,
		      (unsigned long long)frame_count);
	best->end -= pages;
	return phys_to_virt(best->end << PAGE_SHIFT);
}

/* The tables that describe each frame. */
static void frame_tables_place(struct frame_range *ranges, unsigned count)
{
	u64 size = frame_count * sizeof(struct page), shadow = SHADOW_BYTES(frame_count);

	frame_array = frame_ranges_take(ranges, count, size, "descriptors");
	memset(frame_array, 0, size);
	static_assert(PAGE_RESERVED == 0);
	if (shadow)
		shadow_init(frame_ranges_take(ranges, count, shadow, "shadow"),
			    phys_to_virt(frame_first << PAGE_SHIFT), frame_count);
}

void frame_init(void)
{
	struct frame_range ranges[FRAME_RANGES_MAX];
	unsigned count = frame_ranges_collect(ranges);

	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++)
		list_init(&buddy.free[order]);
	/* Frame 0 stays unused, so that a physical address of 0 can mean "none". */
	count = frame_ranges_exclude(ranges, count, 0, PAGE_SIZE);
	count = frame_ranges_exclude(ranges, count, boot_info.kernel_start, boot_info.kernel_end);
	count = frame_ranges_exclude(ranges, count, boot_info.initrd_start, boot_info.initrd_end);
	count = frame_ranges_exclude(ranges, count, boot_info.device_tree,
				     boot_info.device_tree + boot_info.device_tree_size);
	frame_tables_place(ranges, count);
	for (unsigned i = 0; i < count; i++)
		if (ranges[i].start < ranges[i].end)
			frame_free_range(ranges[i].start, ranges[i].end);

	frame_reserved = frame_total - buddy.free_pages;
	frame_reserve_kernel = MIN(MAX(buddy.free_pages / 128, 16ul), 2048ul);
	frame_reserve_user = 2 * frame_reserve_kernel;
	log_info("memory: %llu KiB available of %llu KiB",
		 (unsigned long long)buddy.free_pages << (PAGE_SHIFT - 10),
		 (unsigned long long)frame_total << (PAGE_SHIFT - 10));
}

void frame_release_range(paddr_t start, paddr_t end)
{
	u64 first = MAX(start >> PAGE_SHIFT, frame_first);
	u64 last = MIN(end >> PAGE_SHIFT, frame_first + frame_count);

	if (first >= last)
		return;
	frame_free_range(first, last);
	frame_reserved -= last - first;
}
