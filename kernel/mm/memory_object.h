/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory objects: pages found by index, the one mechanism under shared anonymous memory, tmpfs
 * files, the page cache of every file system, memfd and System V shared memory.
 *
 * A page is in the object from its insertion until truncation or reclaim removes it; the object
 * owns one reference. PAGE_FLAG_LOCKED means that its contents are being filled: others wait.
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
	/* Fills a locked page with the contents at page->index; null: zeros. Returns 0 or -errno.
	 * May sleep. */
	int (*fill)(struct memory_object *object, struct page *page);
	/* A clean page is about to be written (block reservation). May be null. */
	int (*dirty)(struct memory_object *object, struct page *page);
	/* Writes a dirty, locked page to its home; null: pages cannot be cleaned (tmpfs). */
	int (*write_back)(struct memory_object *object, struct page *page);
	/* Asked before pages are added (> 0; -ENOSPC refuses), told after they left (< 0). May be
	 * null. */
	int (*charge)(struct memory_object *object, s64 pages);
	/* Frees the memory that holds the object, once its last reference is gone and its pages are
	 * freed. */
	void (*destroy)(struct memory_object *object);
};

struct memory_object {
	const struct memory_object_ops *ops;
	u32 refs;
	struct mutex lock;	 /* insertion, removal, resize */
	struct radix_tree pages; /* index -> struct page */
	u64 size;		 /* bytes; mappings beyond it raise SIGBUS; UINT64_MAX: no limit */
	u64 page_count;		 /* resident */
	struct list_head mappings; /* struct vma.object_node, guarded by mappings_lock */
	struct mutex mappings_lock;
	struct list_head reclaim_node; /* in reclaim's list while the object has ops->fill */
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

/* Writes dirty pages in [start, end) and waits. Returns 0 or the first error. */
[[nodiscard]] int memory_object_sync(struct memory_object *object, u64 start, u64 end);

/* For reclaim: frees up to `target` clean pages that nobody maps or holds; returns how many. Skips
 * a locked object. */
u64 memory_object_reclaim(struct memory_object *object, u64 target);

/* Boot, after slab_init. */
void memory_object_boot(void);
