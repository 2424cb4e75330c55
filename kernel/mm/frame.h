/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page frames: one struct page per frame of RAM, a buddy allocator in blocks of 2^order frames, per-CPU caches for
 * single frames.
 */
#pragma once

#include <arch/layout.h>
#include <lib/list.h>
#include <lib/types.h>

#define FRAME_ORDER_MAX 10 /* largest block: 4 MiB */

/* Allocation flags, for frames and for the slab. */
#define ALLOC_ZERO BIT(0)
#define ALLOC_ATOMIC BIT(1) /* must not sleep or reclaim: interrupt context, under a spinlock */
#define ALLOC_USER BIT(2)   /* on behalf of a user's demand: may start the OOM killer, leaves the reserve alone */
#define ALLOC_BOOT BIT(3)   /* boot only: panics instead of failing */

enum page_kind {
	PAGE_FREE,
	PAGE_RESERVED, /* firmware, kernel image, holes */
	PAGE_KERNEL,   /* page tables, stacks, large kmalloc */
	PAGE_SLAB,
	PAGE_ANON,  /* anonymous user memory, owned by page tables */
	PAGE_CACHE, /* in a memory object */
};

struct memory_object;

struct page { /* 32 bytes */
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
	u64 private; /* the owner's: slab free list, file system block, ... */
};
static_assert(sizeof(struct page) == 32);

#define PAGE_FLAG_DIRTY BIT(0)
#define PAGE_FLAG_LOCKED BIT(1)	  /* being filled or written back */
#define PAGE_FLAG_UPTODATE BIT(2) /* contents valid */
#define PAGE_FLAG_ACCESSED BIT(3)
#define PAGE_FLAG_WRITEBACK BIT(4)
#define PAGE_FLAG_ERROR BIT(5)

/*
 * Allocates 2^order frames, aligned to their size, with one reference. Null when there are none. May sleep
 * unless ALLOC_ATOMIC.
 */
[[nodiscard]] struct page *page_alloc(unsigned order, u32 flags);

/* References. The last page_put frees the block (of the order it was allocated with). Any context. */
void page_get(struct page *page);
void page_put(struct page *page);
u32 page_refs(const struct page *page);

/* Conversions. page_address is valid for every frame of RAM (direct map). */
paddr_t page_to_phys(const struct page *page);
struct page *phys_to_page(paddr_t pa); /* null if pa is not RAM */
void *page_address(const struct page *page);
void *phys_to_virt(paddr_t pa);
paddr_t virt_to_phys(const void *va); /* direct map or kernel image addresses only */
struct page *virt_to_page(const void *va);

/* Kernel pages by direct map address. */
[[nodiscard]] void *page_alloc_address(unsigned order, u32 flags);
void page_free_address(void *va);

/* Books, in pages. */
struct frame_stats {
	u64 total, free, reserved;
	u64 anon, cache, slab, kernel;
	u64 page_tables, kernel_stacks; /* parts of kernel */
	u64 allocated_ever, freed_ever;
	u64 free_blocks[FRAME_ORDER_MAX + 1];
};
void frame_stats(struct frame_stats *out);

/*
 * Boot: takes boot_info.memory (honouring mem=) into the allocator. Needs arch_direct_map_init to have run.
 * After it page_alloc works.
 */
void frame_init(void);

/* Gives memory that only boot needed (initrd) to the allocator. Page aligned. */
void frame_release_range(paddr_t start, paddr_t end);
