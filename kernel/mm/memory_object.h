/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory objects: pages found by index, the one mechanism under shared anonymous memory, tmpfs
 * files, the page cache of every file system, memfd and System V shared memory.
 *
 * A page is in the object from its insertion until truncation or reclaim removes it; the object
 * owns one reference. PAGE_FLAG_LOCKED means that its contents are being filled, or that it is being
 * handed to write-back: others wait. PAGE_FLAG_WRITEBACK: its contents are on their way to the disk;
 * truncation waits for that, so a file system frees blocks after memory_object_truncate returned.
 *
 * An object with fill or fill_pages has a home: its pages can be read again, are read ahead, and go
 * back by age, by pressure and by sync (mm/write_back.h).
 */
#pragma once

#include <core/lock.h>
#include <core/wait.h>
#include <lib/list.h>
#include <lib/radix.h>
#include <mm/frame.h>

struct memory_object;
struct iter;

struct memory_object_ops {
	/* Fills a locked page with the contents at page->index; null: zeros, or fill_pages. Returns 0
	 * or -errno. May sleep. */
	int (*fill)(struct memory_object *object, struct page *page);
	/*
	 * Starts reading `count` locked pages of consecutive indices (read-ahead: some may lie behind
	 * the end: zeros). Calls memory_object_filled once for each, in any context, perhaps before it
	 * returns. Preferred to fill. May sleep; must not take inode->lock.
	 */
	void (*fill_pages)(struct memory_object *object, struct page **pages, unsigned count);
	/* A clean page is about to be written (block reservation: -ENOSPC). May be null. May sleep; in
	 * a fault with aspace.lock shared, in a write with inode->lock. */
	int (*dirty)(struct memory_object *object, struct page *page);
	/* Writes a dirty, locked page to its home and waits; null: pages cannot be cleaned (tmpfs), or
	 * write_back_pages. */
	int (*write_back)(struct memory_object *object, struct page *page);
	/*
	 * Starts writing `count` (at most WRITE_BACK_PAGES) locked pages of consecutive indices, marked
	 * WRITEBACK, no longer dirty. Calls memory_object_written once for each, in any context, perhaps
	 * before it returns; the caller unlocks them afterwards. `sync`: somebody waits. Preferred to
	 * write_back. Called by the flusher, syncs and throttled writers, some of whom hold inode->lock:
	 * must not take it. May sleep. Locks of the file system come after the lock of a page.
	 */
	void (*write_back_pages)(struct memory_object *object, struct page **pages, unsigned count,
				 bool sync);
	/* The first page became dirty (a reference that keeps the object's inode; must not sleep); all
	 * pages have been written (drops it; may sleep, no lock is held). In turns. May be null. */
	void (*dirtied)(struct memory_object *object);
	void (*cleaned)(struct memory_object *object);
	/* Asked before pages are added (> 0; -ENOSPC refuses), told after they left (< 0). May be
	 * null. */
	int (*charge)(struct memory_object *object, s64 pages);
	/* Frees the memory that holds the object, once its last reference is gone and its pages are
	 * freed. */
	void (*destroy)(struct memory_object *object);
};

/* Most pages of one call of write_back_pages: 1 MiB. */
#define WRITE_BACK_PAGES 256u
/* Most pages that are read ahead at once: 128 KiB, as Linux. */
#define READ_AHEAD_PAGES 32u

struct memory_object {
	const struct memory_object_ops *ops;
	u32 refs;
	struct mutex lock;	 /* insertion, removal, resize */
	struct radix_tree pages; /* index -> struct page */
	u64 size;		 /* bytes; mappings beyond it raise SIGBUS; UINT64_MAX: no limit */
	u64 page_count;		 /* resident */
	struct list_head mappings; /* struct vma.object_node, guarded by mappings_lock */
	struct mutex mappings_lock;
	struct list_head reclaim_node; /* in reclaim's list while the object has a home */
	/* Of objects with a home: */
	const void *group;	     /* the file system's: whom memory_object_sync_group finds */
	struct list_head dirty_node; /* in write-back's list from the first dirty page on */
	u64 dirtied_ns;		     /* when it joined that list */
	u64 dirty_first, dirty_last; /* no page outside of these indices is dirty */
	u32 dirty_pages;	     /* atomic */
	u32 writing;		     /* pages under WRITEBACK; atomic */
	u32 error_state;	     /* of write_error_*; atomic */
	u32 *group_errors; /* where the file system collects those of all; null: nowhere */
	bool forgotten;	   /* memory_object_forget */
	bool pinned;	   /* ops->dirtied was called, ops->cleaned not yet */
	bool paid; /* ops->charge charges a budget: pages are not charged to who brings them */
	struct cache_share *shares; /* of mm/cache_share.c: who pays for its pages */
};

/* True if the pages can be read again. */
static inline bool memory_object_has_home(const struct memory_object *object)
{
	return object->ops->fill || object->ops->fill_pages;
}
/* True if pages can be cleaned, and so writes to mappings are watched. */
static inline bool memory_object_is_written_back(const struct memory_object *object)
{
	return object->ops->write_back || object->ops->write_back_pages;
}

/* How one open file reads: sequential readers get pages before they ask. Zeroed at open. */
struct read_ahead {
	u64 expected; /* index that a sequential reader asks for next */
	u64 ahead;    /* first index that was not asked for from the disk yet */
	u32 window;   /* pages; 0: not sequential so far */
	u8 advice;    /* POSIX_FADV_NORMAL, _RANDOM, _SEQUENTIAL */
};

void memory_object_init(struct memory_object *object, const struct memory_object_ops *ops,
			u64 size);

/* A zero-filled object of its own: MAP_SHARED | MAP_ANONYMOUS, memfd. -ENOMEM. */
[[nodiscard]] int memory_object_create_anonymous(u64 size, struct memory_object **out);

void memory_object_get(struct memory_object *object);
void memory_object_put(struct memory_object *object);

/*
 * The page at `index`, filled, with a reference for the caller. With `create` false a page that is
 * not resident is -ENOENT when the object has no fill operation (a hole). -ENOMEM, -EIO, -ENOSPC.
 * May sleep.
 */
[[nodiscard]] int memory_object_get_page(struct memory_object *object, u64 index, bool create,
					 struct page **out);

/* A resident and up-to-date page with a reference, or null. Does not sleep. */
struct page *memory_object_find_page(struct memory_object *object, u64 index);

/* Marks the page dirty, calling ops->dirty when it was clean. */
[[nodiscard]] int memory_object_dirty_page(struct memory_object *object, struct page *page);

/*
 * File-like access at `offset`, as long as the iterator. Reads end at object->size, holes read as
 * zeros; writes do not extend object->size (the file system does that first or after). Bytes
 * copied, or -errno if none was.
 */
[[nodiscard]] ssize_t memory_object_read(struct memory_object *object, u64 offset, struct iter *it);
[[nodiscard]] ssize_t memory_object_write(struct memory_object *object, u64 offset,
					  struct iter *it);

/* Sets the size. Shrinking zeroes the tail of the last page, unmaps and frees the pages behind. May
 * sleep. */
void memory_object_truncate(struct memory_object *object, u64 size);

/* Frees pages wholly inside [start, end) bytes and zeroes partial ones (fallocate punch). Unmaps
 * them. */
void memory_object_punch(struct memory_object *object, u64 start, u64 end);

/* For ops->fill_pages: the page has its contents, or could not be read (-EIO). Any context. */
void memory_object_filled(struct page *page, int error);
/* For ops->write_back_pages: the page is on its disk, or could not be written. Any context. */
void memory_object_written(struct page *page, int error);

/* memory_object_read of an open file: reads ahead. */
[[nodiscard]] ssize_t memory_object_read_ahead(struct memory_object *object, u64 offset,
					       struct iter *it, struct read_ahead *state);
/* Starts reading [start, end) bytes without waiting: readahead(2), POSIX_FADV_WILLNEED. May sleep. */
void memory_object_prefetch(struct memory_object *object, u64 start, u64 end);
/* The same if the page of byte `offset` is not there: for faults. */
void memory_object_prefetch_missing(struct memory_object *object, u64 offset, u64 start, u64 end);

/* Frees clean, unmapped pages of the range: POSIX_FADV_DONTNEED, drop_caches. Returns how many. */
u64 memory_object_drop_clean(struct memory_object *object, u64 start, u64 end);

/* Writes dirty pages in [start, end) and waits. Returns 0 or the first error. May sleep. */
[[nodiscard]] int memory_object_sync(struct memory_object *object, u64 start, u64 end);
/* Its two halves: starts writing dirty pages of [start, end) (`sync`: somebody will wait); waits for
 * those that are being written. */
[[nodiscard]] int memory_object_write_start(struct memory_object *object, u64 start, u64 end,
					    bool sync);
void memory_object_write_wait(struct memory_object *object, u64 start, u64 end);

/*
 * Errors of write-back are reported once to each open file: open samples the state of what it opens, and fsync asks with
 * the file's sample, which it brings up to date. Returns 0 or the -errno of the last failed write since then. An object has
 * such a state, and a file system one for syncfs. Any context.
 */
u32 write_error_sample(const u32 *state);
[[nodiscard]] int write_error_check(u32 *state, u32 *sample);
void write_error_set(u32 *state, int error);

/* The file has no name any more: its pages are written only under memory pressure; calls ops->cleaned
 * if pages were dirty. May sleep. */
void memory_object_forget(struct memory_object *object);

/* For reclaim: frees up to `target` clean pages that nobody maps or holds; returns how many. Skips
 * a locked object. */
u64 memory_object_reclaim(struct memory_object *object, u64 target);

/* Boot, after slab_init. */
void memory_object_boot(void);
