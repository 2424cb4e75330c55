/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page frames: one struct page per frame of RAM, a buddy allocator in blocks of 2^order frames,
 * per-CPU caches for single frames.
 */
#pragma once

#include <arch/layout.h>
#include <lib/list.h>
#include <lib/refs.h>
#include <lib/types.h>

#define FRAME_ORDER_MAX 10 /* largest block: 4 MiB */

/* Allocation flags, for frames and for the slab. */
#define ALLOC_ZERO BIT(0)
#define ALLOC_ATOMIC BIT(1) /* must not sleep or reclaim: interrupt context, under a spinlock */
#define ALLOC_USER                                                                                 \
	BIT(2) /* on behalf of a user's demand: may start the OOM killer, leaves the reserve alone \
		*/
#define ALLOC_BOOT BIT(3) /* boot only: panics instead of failing */

/* What the frames are for, in the books: page_alloc(0, ALLOC_USER | ALLOC_KIND(PAGE_ANON)). Default
 * PAGE_KERNEL. */
#define ALLOC_KIND_SHIFT 8
#define ALLOC_KIND(kind) ((u32)(kind) << ALLOC_KIND_SHIFT)

enum page_kind {
	PAGE_RESERVED, /* firmware, kernel image, holes; also the frames of a block behind its first
			  one */
	PAGE_FREE,     /* first frame of a free block */
	PAGE_KERNEL,   /* large kmalloc and the like */
	PAGE_SLAB,
	PAGE_TABLE,
	PAGE_STACK, /* kernel stacks */
	PAGE_ANON,  /* anonymous user memory, owned by page tables */
	PAGE_CACHE, /* in a memory object */
	PAGE_KINDS,
};

struct memory_object;

struct page {	   /* 32 bytes */
	u32 refs;  /* atomic; 0 in the allocator */
	u8 kind;   /* enum page_kind */
	u8 order;  /* of the block, in its first page */
	u16 flags; /* PAGE_FLAG_*, atomic */
	union {
		struct list_head node; /* free lists, slab lists, whatever the owner likes */
		struct {
			struct memory_object *object; /* PAGE_CACHE */
			u64 index;		      /* in pages */
		};
	};
	union {
		u64 private;		/* the owner's: file system block, ... */
		struct {		/* PAGE_SLAB, owned by slab.c */
			u16 slab_cache; /* in every frame of the slab, as is: */
			u16 slab_head;	/* frames between this one and the slab's first */
			u16 slab_free;	/* index of the first free object, or SLAB_NONE */
			u16 slab_used;	/* objects handed out */
		};
	};
};
static_assert(sizeof(struct page) == 32);

#define PAGE_FLAG_DIRTY BIT(0)
#define PAGE_FLAG_LOCKED BIT(1)	  /* being filled or written back */
#define PAGE_FLAG_UPTODATE BIT(2) /* contents valid */
#define PAGE_FLAG_ACCESSED BIT(3)
#define PAGE_FLAG_WRITEBACK BIT(4)
#define PAGE_FLAG_ERROR BIT(5)
#define PAGE_FLAG_AHEAD BIT(7) /* read ahead: whoever comes here wants more of it soon */
#define PAGE_FLAG_CODE BIT(6)  /* the instruction caches have seen its present contents */

/*
 * Allocates 2^order frames, aligned to their size, with one reference. Null when there are none.
 * May sleep unless ALLOC_ATOMIC.
 */
[[nodiscard]] struct page *page_alloc(unsigned order, u32 flags);

/* The array of descriptors: frame n of memory is frame_array[n - frame_first]. Owned by frame.c. */
extern struct page *frame_array;
extern u64 frame_first, frame_count;

/* Returns a block whose last reference is gone. For page_put only. */
void page_free(struct page *page);

/* References. The last page_put frees the block (of the order it was allocated with). Any context.
 */
static inline void page_get(struct page *page)
{
	__atomic_fetch_add(&page->refs, 1, __ATOMIC_RELAXED);
}
static inline void page_put(struct page *page)
{
	if (__atomic_sub_fetch(&page->refs, 1, __ATOMIC_ACQ_REL) == 0)
		page_free(page);
}
/* Adds a reference unless there is none: for pages found through structures that do not hold still.
 */
static inline bool page_get_if_used(struct page *page)
{
	return refs_get_unless_zero(&page->refs);
}
/* Drops the last reference if it is the caller's; then page_free is the caller's to call. */
static inline bool page_take_last(struct page *page)
{
	u32 one = 1;

	return __atomic_compare_exchange_n(&page->refs, &one, 0, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}
static inline u32 page_refs(const struct page *page)
{
	return __atomic_load_n(&page->refs, __ATOMIC_ACQUIRE);
}

/* Conversions. phys_to_virt and page_address are valid for every frame of RAM (direct map). */
static inline paddr_t page_to_phys(const struct page *page)
{
	return (frame_first + (u64)(page - frame_array)) << PAGE_SHIFT;
}
static inline struct page *phys_to_page(paddr_t pa) /* null if pa is not RAM */
{
	u64 n = (pa >> PAGE_SHIFT) - frame_first;

	return n < frame_count ? &frame_array[n] : nullptr;
}
static inline void *phys_to_virt(paddr_t pa)
{
	return (void *)(DIRECT_MAP_BASE + pa);
}
static inline void *page_address(const struct page *page)
{
	return phys_to_virt(page_to_phys(page));
}
/* Of an address in the direct map or in the kernel image. */
paddr_t virt_to_phys(const void *va);
/* Of an address in the direct map. */
static inline struct page *virt_to_page(const void *va)
{
	return phys_to_page((paddr_t)va - DIRECT_MAP_BASE);
}

/* Changes what an allocated block is for, in the books. */
void page_set_kind(struct page *page, enum page_kind kind);

/* Kernel pages by direct map address. */
[[nodiscard]] void *page_alloc_address(unsigned order, u32 flags);
void page_free_address(void *va);

/* Books, in pages. */
struct frame_stats {
	u64 total, free, reserved;
	u64 anon, cache, slab, kernel;
	u64 page_tables, kernel_stacks; /* parts of kernel */
	u64 allocated_ever, freed_ever; /* since boot */
	u64 free_blocks[FRAME_ORDER_MAX + 1];
};
void frame_stats(struct frame_stats *out);

/* Free pages now, about. Cheap; any context. */
u64 frame_free_count(void);

/*
 * Watermarks, in pages: an ALLOC_USER allocation reclaims rather than leave less than
 * frame_reserve_user, another one that may sleep rather than leave less than frame_reserve_kernel;
 * ALLOC_ATOMIC takes the last frame.
 */
extern u64 frame_reserve_user, frame_reserve_kernel;

/*
 * Boot: takes boot_info.memory (honouring mem=) into the allocator. Needs arch_direct_map_init to
 * have run. After it page_alloc works.
 */
void frame_init(void);

/* Gives memory that only boot needed (initrd) to the allocator. Page aligned. */
void frame_release_range(paddr_t start, paddr_t end);
