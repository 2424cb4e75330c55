/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who pays for pages of memory objects: the page cache, tmpfs files, shared memory.
 *
 * A page that comes into an object is charged to the budget of the task that brought it, from that moment until it leaves the object. What
 * a budget pays for in one object is a share; a page knows its share (page->private).
 *
 * (S1) A page that can be read again never fails for its charge: what is clean of the budget's own makes room, what was not used lately
 * first, and where that is not enough the page is charged to nobody. Other pages fail with ENOMEM.
 * (S2) Every other charge to a budget (memory_budget_charge) takes room from its clean pages before it fails, and has dirty ones written.
 * (S3) When a budget ends its pages stay where they are, charged to nobody. Their number costs nothing then, only that of the objects.
 *
 * Lock: RANK_CACHE_SHARE, a leaf; taken only for pages that somebody pays for.
 */
#pragma once

#include <lib/types.h>

struct cache_share;
struct memory_budget;
struct memory_object;
struct page;

/* A page is about to enter the object, at `index`, on behalf of the current task. -ENOMEM: (S1). May sleep. */
[[nodiscard]] int cache_share_charge(struct memory_object *object, struct page *page, u64 index);

/* The page left its object, or did not get there. */
void cache_share_uncharge_slow(struct page *page);
#define cache_share_uncharge(page) ((page)->private ? cache_share_uncharge_slow(page) : (void)0)

/*
 * For a charge of so many bytes that does not fit a budget: frees page cache that it, or one below it, pays for. True if trying again may
 * succeed. With `anyhow` dirty pages are written for it. May sleep; does nothing where that is not allowed.
 */
[[nodiscard]] bool cache_share_make_room(struct memory_budget *budget, u64 bytes, bool anyhow);

/* The budget pays for no page any more (S3). */
void cache_share_forget(struct memory_budget *budget);

/* Boot, after slab_init. */
void cache_share_init(void);
