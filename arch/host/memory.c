/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page frames on the host: an arena whose addresses are the frames' physical addresses. Each block
 * holds a marker from the counted allocator, so that leaks are found and allocations fail on request.
 */
#include "host.h"

#include <core/lock.h>
#include <core/panic.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/frame.h>
#include <mm/reclaim.h>
#include <mm/slab.h>
#include <mm/write_back.h>
#include <sched/thread.h>

#define ARENA_FRAMES 32768ul

static char arena[ARENA_FRAMES * PAGE_SIZE] __aligned(PAGE_SIZE);
static struct page frames[ARENA_FRAMES];
static void *markers[ARENA_FRAMES];
static u64 next_frame;
static struct spinlock arena_lock = SPINLOCK_INIT(RANK_FRAME);
struct page *frame_array;
u64 frame_first, frame_count;

static void arena_init(void)
{
	frame_array = frames;
	frame_first = (paddr_t)arena >> PAGE_SHIFT;
	frame_count = ARENA_FRAMES;
}

static bool range_is_free(u64 first, u64 count)
{
	for (u64 i = 0; i < count; i++)
		if (frames[first + i].refs || frames[first + i].kind == PAGE_KERNEL)
			return false;
	return true;
}

/* First fit from where the last search ended. Frames of a block behind its first are marked by their kind. */
struct page *page_alloc(unsigned order, u32 flags)
{
	u64 count = 1ul << order;
	void *marker;

	if (!frame_array)
		arena_init();
	marker = kmalloc(1, 0);
	if (!marker)
		return nullptr;
	spin_guard(&arena_lock);
	for (u64 tries = 0; tries < 2 * ARENA_FRAMES / count; tries++, next_frame += count) {
		u64 first = ALIGN_UP(next_frame, count);

		if (first + count > ARENA_FRAMES) {
			next_frame = first = 0;
		}
		if (!range_is_free(first, count))
			continue;
		for (u64 i = 0; i < count; i++)
			frames[first + i] = (struct page){ .kind = PAGE_KERNEL };
		frames[first].refs = 1;
		frames[first].order = (u8)order;
		markers[first] = marker;
		next_frame = first + count;
		memset(page_address(&frames[first]), flags & ALLOC_ZERO ? 0 : 0xa5,
		       PAGE_SIZE << order);
		return &frames[first];
	}
	panic("the arena of page frames is full");
}

void page_free(struct page *page)
{
	u64 first = (u64)(page - frames);

	spin_guard(&arena_lock);
	ASSERT(!page->refs && markers[first]);
	kfree(markers[first]);
	markers[first] = nullptr;
	memset(page_address(page), 0x5a, PAGE_SIZE << page->order);
	for (u64 i = 1ul << page->order; i-- > 0;)
		frames[first + i] = (struct page){};
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
	return (paddr_t)va;
}

struct mm_hooks mm_hooks;

void frame_stats(struct frame_stats *out)
{
	*out = (struct frame_stats){ .total = ARENA_FRAMES, .free = ARENA_FRAMES };
}

u64 frame_free_count(void)
{
	return ARENA_FRAMES;
}

/* There are no mappings of objects, and nothing is ever short. */

struct aspace *current_aspace(void)
{
	return current_thread()->aspace;
}

void aspace_clean_object(struct memory_object *object, u64 start, u64 end)
{
}

void aspace_unmap_object(struct memory_object *object, u64 start, u64 end, bool private_copies)
{
}

void reclaim_add_object(struct memory_object *object)
{
}

void reclaim_remove_object(struct memory_object *object)
{
}
