/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of memory objects and write-back. */
#pragma once

#include <core/wait.h>
#include <mm/memory_object.h>

static inline u16 page_flags(const struct page *page)
{
	return __atomic_load_n(&page->flags, __ATOMIC_ACQUIRE);
}
static inline void page_flags_set(struct page *page, u16 flags)
{
	__atomic_fetch_or(&page->flags, flags, __ATOMIC_ACQ_REL);
}
static inline void page_flags_clear(struct page *page, u16 flags)
{
	__atomic_fetch_and(&page->flags, (u16)~flags, __ATOMIC_ACQ_REL);
}
/* Clears DIRTY; true for the one who did. */
static inline bool page_take_dirty(struct page *page)
{
	return page_flags(page) & PAGE_FLAG_DIRTY &&
	       __atomic_fetch_and(&page->flags, (u16)~PAGE_FLAG_DIRTY, __ATOMIC_ACQ_REL) &
		       PAGE_FLAG_DIRTY;
}
static inline bool page_trylock(struct page *page)
{
	return !(__atomic_fetch_or(&page->flags, PAGE_FLAG_LOCKED, __ATOMIC_ACQ_REL) &
		 PAGE_FLAG_LOCKED);
}
void page_lock(struct page *page);
void page_unlock(struct page *page);
/* Where those wait who wait for a flag of the page to go. */
struct wait_queue *page_wait_queue(const struct page *page);

#define PAGE_RUN_MAX 16u
/*
 * The pages at `index` and after it, up to the first one that is not there or not up to date, but at most `count` and
 * PAGE_RUN_MAX, each with a reference; how many. One look at the tree instead of one for each. Does not sleep.
 */
unsigned object_find_run(struct memory_object *object, u64 index, struct page **pages, u64 count);
int object_charge(struct memory_object *object, s64 pages);
/* Inserts `page`, giving the object a reference. -EEXIST when another page was faster, -ENOMEM. */
[[nodiscard]] int object_insert(struct memory_object *object, u64 index, struct page *page);
/* Removes a locked page that did not become what it should. */
void object_discard(struct memory_object *object, struct page *page);
/* Makes a page dirty that is locked (if the object is written back) and clean. */
[[nodiscard]] int object_dirty_locked(struct memory_object *object, struct page *page);
void memory_object_drop_pages(struct memory_object *object, u64 first, u64 last);
/* A look at some of the pages that are charged to a share. */
#define SCAN_PAGES 512u
struct share_scan {
	const struct cache_share *share;
	u64 next, last; /* indices; `next` advances */
	bool ended;	/* the scan came to `last` */
	bool dirty,
		held; /* there are pages that would be free once they were written; once nobody mapped them */
};
/* memory_object_reclaim of the share's pages, SCAN_PAGES of the object at a time. Skips a locked object. */
u64 memory_object_scan_share(struct memory_object *object, struct share_scan *scan, u64 target);

/* write_back.c: a page at `index` became dirty; a dirty page left; the object ends. */
void write_back_note_dirty(struct memory_object *object, u64 index);
void write_back_note_clean(struct memory_object *object);
void write_back_leave(struct memory_object *object);
