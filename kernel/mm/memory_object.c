/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory objects: pages by index, the page cache of everything.
 *
 * A look-up takes no lock: the tree may be read under RCU, struct pages never go away, and a
 * reference is only taken from a page that still has one; then the tree is asked again, because the
 * page may have been freed and reused in between. Insertion and removal hold object.lock.
 *
 * Life of a page: inserted LOCKED and not UPTODATE by the thread that fills it (ops->fill); others
 * wait until it is unlocked. A page that could not be filled is removed again. A page without
 * ops->fill is born UPTODATE, zeroed. Truncation clears page->object before it removes page table
 * entries, so that a fault which maps the page at the same time sees, after it stored its entry,
 * that it must take it back (fault.c).
 *
 * Locks: mappings_lock, then lock; both RANK_MEMORY_OBJECT, the first taken alone or outermost.
 */
#include <core/panic.h>
#include <core/rcu.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/cache_share.h>
#include <mm/memory_object_priv.h>
#include <mm/reclaim.h>
#include <mm/slab.h>

/* Threads that wait for a page to be unlocked; few, so that pages share queues. */
#define PAGE_WAIT_QUEUES 16
static struct wait_queue page_wait_queues[PAGE_WAIT_QUEUES];

static struct slab_cache *anonymous_cache;

struct wait_queue *page_wait_queue(const struct page *page)
{
	return &page_wait_queues[(uintptr_t)page / sizeof(*page) % PAGE_WAIT_QUEUES];
}

void page_lock(struct page *page)
{
	while (__atomic_fetch_or(&page->flags, PAGE_FLAG_LOCKED, __ATOMIC_ACQ_REL) &
	       PAGE_FLAG_LOCKED)
		wait_event(page_wait_queue(page), !(page_flags(page) & PAGE_FLAG_LOCKED));
}

void page_unlock(struct page *page)
{
	page_flags_clear(page, PAGE_FLAG_LOCKED);
	wake_up(page_wait_queue(page), 0);
}

/* --- objects --- */

void memory_object_init(struct memory_object *object, const struct memory_object_ops *ops, u64 size)
{
	object->ops = ops;
	object->refs = 1;
	mutex_init(&object->lock, RANK_MEMORY_OBJECT);
	radix_init(&object->pages);
	object->size = size;
	object->page_count = 0;
	list_init(&object->mappings);
	mutex_init(&object->mappings_lock, RANK_MEMORY_OBJECT);
	list_init(&object->reclaim_node);
	object->group = nullptr;
	object->group_errors = nullptr;
	list_init(&object->dirty_node);
	object->dirty_first = UINT64_MAX;
	object->dirty_last = 0;
	object->dirty_pages = object->writing = object->error_state = 0;
	object->forgotten = object->pinned = object->paid = false;
	object->shares = nullptr;
	if (memory_object_has_home(object))
		reclaim_add_object(object);
}

static void anonymous_destroy(struct memory_object *object)
{
	slab_free(anonymous_cache, object);
}

static const struct memory_object_ops anonymous_ops = { .destroy = anonymous_destroy };

int memory_object_create_anonymous(u64 size, struct memory_object **out)
{
	struct memory_object *object = slab_alloc(anonymous_cache, 0);

	if (!object)
		return -ENOMEM;
	memory_object_init(object, &anonymous_ops, size);
	*out = object;
	return 0;
}

void memory_object_get(struct memory_object *object)
{
	__atomic_fetch_add(&object->refs, 1, __ATOMIC_RELAXED);
}

void memory_object_put(struct memory_object *object)
{
	if (__atomic_sub_fetch(&object->refs, 1, __ATOMIC_ACQ_REL))
		return;
	ASSERT(list_empty(&object->mappings));
	if (memory_object_has_home(object))
		reclaim_remove_object(object);
	memory_object_drop_pages(object, 0, UINT64_MAX);
	if (memory_object_is_written_back(object))
		write_back_leave(object);
	if (object->ops->destroy)
		object->ops->destroy(object);
}

/* --- pages --- */

/* A reference to the page at `index` in whatever state, or null. */
static struct page *object_page_get(struct memory_object *object, u64 index)
{
	rcu_read_lock();
	struct page *page = radix_load(&object->pages, index);
	if (page && !page_get_if_used(page))
		page = nullptr;
	bool stays = radix_load(&object->pages, index) == page;
	rcu_read_unlock();
	if (likely(stays) || !page)
		return page;
	/* It left the object in between, and may be another one's by now. The slow path sorts it
	 * out. */
	page_put(page);
	return nullptr;
}

unsigned object_find_run(struct memory_object *object, u64 index, struct page **pages, u64 count)
{
	__uninitialized void *run[PAGE_RUN_MAX], *again[PAGE_RUN_MAX];
	unsigned n = 0, stay = 0, taken = 0;

	rcu_read_lock();
	count = radix_load_run(&object->pages, index, run, (unsigned)MIN(count, PAGE_RUN_MAX));
	while (taken < count && page_get_if_used(run[taken]))
		taken++;
	if (taken)
		stay = radix_load_run(&object->pages, index, again, taken);
	rcu_read_unlock();
	for (; n < stay && again[n] == run[n]; n++) {
		u16 flags = page_flags(run[n]);

		if (!(flags & PAGE_FLAG_UPTODATE))
			break;
		if (!(flags & PAGE_FLAG_ACCESSED))
			page_flags_set(run[n], PAGE_FLAG_ACCESSED);
		pages[n] = run[n];
	}
	for (unsigned i = n; i < taken; i++)
		page_put(run[i]);
	return n;
}

struct page *memory_object_find_page(struct memory_object *object, u64 index)
{
	struct page *page = object_page_get(object, index);

	if (page && !(page_flags(page) & PAGE_FLAG_UPTODATE)) {
		page_put(page);
		return nullptr;
	}
	return page;
}

/* Takes a page out of the object; the object's reference passes to the caller. */
static void object_remove_locked(struct memory_object *object, struct page *page)
	__must_hold(&object->lock)
{
	radix_remove(&object->pages, page->index);
	__atomic_store_n(&page->object, nullptr, __ATOMIC_SEQ_CST);
	object->page_count--;
	cache_share_uncharge(page);
}

int object_charge(struct memory_object *object, s64 pages)
{
	return object->ops->charge ? object->ops->charge(object, pages) : 0;
}

/* Inserts `page`, giving the object a reference. -EEXIST when another page was faster, -ENOMEM. */
int object_insert(struct memory_object *object, u64 index, struct page *page)
{
	int error = cache_share_charge(object, page, index);

	if (unlikely(error))
		return error;
	page->object = object;
	page->index = index;
	page_get(page);
	mutex_lock(&object->lock);
	if (radix_load(&object->pages, index))
		error = -EEXIST;
	else
		error = radix_store(&object->pages, index, page, nullptr);
	if (!error)
		object->page_count++;
	mutex_unlock(&object->lock);
	if (error) {
		cache_share_uncharge(page);
		page_put(page);
	}
	return error;
}

/* Removes a page that could not be filled. */
void object_discard(struct memory_object *object, struct page *page)
{
	bool removed = false;

	mutex_lock(&object->lock);
	if (page->object == object) {
		object_remove_locked(object, page);
		removed = true;
	}
	mutex_unlock(&object->lock);
	page_unlock(page);
	if (removed) {
		(void)object_charge(object, -1);
		page_put(page);
	}
}

/* Fills a locked page and unlocks it; without contents it stays in the object for the next who tries. */
static int object_fill(struct memory_object *object, struct page *page)
{
	int error = 0;

	if (page->index << PAGE_SHIFT >= READ_ONCE(object->size)) {
		memset(page_address(page), 0, PAGE_SIZE);
	} else if (object->ops->fill_pages) {
		object->ops->fill_pages(object, &page, 1);
		wait_event(page_wait_queue(page), !(page_flags(page) & PAGE_FLAG_LOCKED));
		return page_flags(page) & PAGE_FLAG_UPTODATE ? 0 : -EIO;
	} else {
		error = object->ops->fill(object, page);
	}
	memory_object_filled(page, error);
	return error;
}

void memory_object_filled(struct page *page, int error)
{
	page_flags_set(page, error ? PAGE_FLAG_ERROR : PAGE_FLAG_UPTODATE);
	page_unlock(page);
}

/* Adds a page at an index that has none and fills it. -EEXIST: look again. */
static int object_add_page(struct memory_object *object, u64 index, struct page **out)
{
	bool fill = memory_object_has_home(object);
	int error = object_charge(object, 1);

	if (error)
		return error;
	struct page *page =
		page_alloc(0, ALLOC_USER | ALLOC_KIND(PAGE_CACHE) | (fill ? 0 : ALLOC_ZERO));
	error = -ENOMEM;
	if (!page)
		goto out_uncharge;
	page->flags = fill ? PAGE_FLAG_LOCKED : PAGE_FLAG_UPTODATE;
	error = object_insert(object, index, page);
	if (error) {
		page_put(page);
		goto out_uncharge;
	}
	if (fill) {
		error = object_fill(object, page);
		if (error) {
			page_put(page);
			return error;
		}
	}
	*out = page;
	return 0;

out_uncharge:
	(void)object_charge(object, -1);
	return error;
}

/* A page that is not up to date: waits for whoever fills it, or fills it again. */
static int object_await_page(struct memory_object *object, struct page *page)
{
	if (page_flags(page) & PAGE_FLAG_LOCKED) {
		wait_event(page_wait_queue(page), !(page_flags(page) & PAGE_FLAG_LOCKED));
		return 0;
	}
	page_lock(page);
	if (page->object != object || page_flags(page) & PAGE_FLAG_UPTODATE) {
		page_unlock(page);
		return 0;
	}
	page_flags_clear(page, PAGE_FLAG_ERROR);
	return object_fill(object, page);
}

int memory_object_get_page(struct memory_object *object, u64 index, bool create, struct page **out)
{
	for (;;) {
		struct page *page = object_page_get(object, index);
		int error;

		if (likely(page)) {
			u16 flags = page_flags(page);
			if (likely(flags & PAGE_FLAG_UPTODATE)) {
				if (!(flags & PAGE_FLAG_ACCESSED))
					page_flags_set(page, PAGE_FLAG_ACCESSED);
				*out = page;
				return 0;
			}
			error = object_await_page(object, page);
			page_put(page);
			if (error)
				return error;
			continue;
		}
		if (!create && !memory_object_has_home(object))
			return -ENOENT;
		error = object_add_page(object, index, out);
		if (error != -EEXIST)
			return error;
	}
}

/* The page is locked if the object is written back. */
int object_dirty_locked(struct memory_object *object, struct page *page)
{
	if (object->ops->dirty) {
		int error = object->ops->dirty(object, page);
		if (error)
			return error;
	}
	page_flags_set(page, PAGE_FLAG_DIRTY);
	if (memory_object_is_written_back(object))
		write_back_note_dirty(object, page->index);
	return 0;
}

int memory_object_dirty_page(struct memory_object *object, struct page *page)
{
	int error = 0;

	if (page_flags(page) & PAGE_FLAG_DIRTY)
		return 0;
	if (!memory_object_is_written_back(object))
		return object_dirty_locked(object, page);
	/* Two at once must not reserve twice; write-back cleans under the lock. */
	page_lock(page);
	if (page->object == object && !(page_flags(page) & PAGE_FLAG_DIRTY))
		error = object_dirty_locked(object, page);
	page_unlock(page);
	return error;
}

/* --- removing pages --- */

/* Waits until a page is neither being filled nor written. It may have left the object afterwards. */
static void page_await_io(struct page *page)
{
	wait_event(page_wait_queue(page),
		   !(page_flags(page) & (PAGE_FLAG_LOCKED | PAGE_FLAG_WRITEBACK)));
}

/*
 * Frees the pages with indices in [first, last], which no mapping shows any more or will lose. Those that a disk is
 * busy with are waited for.
 */
void memory_object_drop_pages(struct memory_object *object, u64 first, u64 last)
{
	s64 dropped = 0;

	mutex_lock(&object->lock);
	struct page *page;
	while ((page = radix_next(&object->pages, &first, last))) {
		u16 flags = page_flags(page);

		if (unlikely(flags & (PAGE_FLAG_LOCKED | PAGE_FLAG_WRITEBACK))) {
			page_get(page);
			mutex_unlock(&object->lock);
			page_await_io(page);
			page_put(page);
			mutex_lock(&object->lock);
			continue;
		}
		object_remove_locked(object, page);
		if (memory_object_is_written_back(object) && page_take_dirty(page))
			write_back_note_clean(object);
		page_put(page);
		dropped++;
		if (first++ == last)
			break;
	}
	mutex_unlock(&object->lock);
	if (dropped)
		(void)object_charge(object, -dropped);
}

/* Zeroes the bytes [start, end) of one page if it is resident or has contents elsewhere. */
static void object_zero_part(struct memory_object *object, u64 start, u64 end)
{
	struct page *page;

	if (start == end || memory_object_get_page(object, start >> PAGE_SHIFT, false, &page))
		return;
	if (!memory_object_dirty_page(object, page)) {
		memset((char *)page_address(page) + (start & ~PAGE_MASK), 0, end - start);
		/* Write-back may have cleaned it in between. */
		(void)memory_object_dirty_page(object, page);
	}
	page_put(page);
}

void memory_object_truncate(struct memory_object *object, u64 size)
{
	mutex_lock(&object->lock);
	u64 former = object->size;
	WRITE_ONCE(object->size, size);
	mutex_unlock(&object->lock);
	if (size >= former)
		return;
	u64 first = DIV_ROUND_UP(size, PAGE_SIZE);
	object_zero_part(object, size, MIN(first << PAGE_SHIFT, former));
	memory_object_drop_pages(object, first, UINT64_MAX);
	aspace_unmap_object(object, first << PAGE_SHIFT, UINT64_MAX, true);
}

void memory_object_punch(struct memory_object *object, u64 start, u64 end)
{
	u64 first = DIV_ROUND_UP(start, PAGE_SIZE), last = end >> PAGE_SHIFT;

	if (start >= end)
		return;
	if (first > last) {
		object_zero_part(object, start, end);
		return;
	}
	object_zero_part(object, start, first << PAGE_SHIFT);
	object_zero_part(object, last << PAGE_SHIFT, end);
	if (first < last) {
		memory_object_drop_pages(object, first, last - 1);
		aspace_unmap_object(object, first << PAGE_SHIFT, last << PAGE_SHIFT, false);
	}
}

/* --- reclaim --- */

/* Removes and frees a page that nobody uses and that is not dirty. */
static bool object_reclaim_page_locked(struct memory_object *object, struct page *page)
	__must_hold(&object->lock)
{
	u16 busy = PAGE_FLAG_DIRTY | PAGE_FLAG_LOCKED | PAGE_FLAG_WRITEBACK;

	if (page_flags(page) & busy || !page_take_last(page))
		return false;
	/* Nobody can find it any more. Whoever held it a moment ago may have made it dirty. */
	if (page_flags(page) & busy) {
		__atomic_store_n(&page->refs, 1, __ATOMIC_RELEASE);
		return false;
	}
	object_remove_locked(object, page);
	page_free(page);
	return true;
}

u64 memory_object_drop_clean(struct memory_object *object, u64 start, u64 end)
{
	u64 index = DIV_ROUND_UP(start, PAGE_SIZE), last = end >> PAGE_SHIFT, freed = 0;
	struct page *page;

	/* The last page of the file counts as a whole one. */
	if (end < READ_ONCE(object->size) && !last--)
		return 0;
	mutex_lock(&object->lock);
	while ((page = radix_next(&object->pages, &index, last))) {
		freed += object_reclaim_page_locked(object, page);
		if (index++ == last)
			break;
	}
	mutex_unlock(&object->lock);
	if (freed)
		(void)object_charge(object, -(s64)freed);
	return freed;
}

u64 memory_object_reclaim(struct memory_object *object, u64 target)
{
	u64 index = 0, freed = 0;
	struct page *page;

	if (!mutex_trylock(&object->lock))
		return 0;
	while (freed < target && (page = radix_next(&object->pages, &index, UINT64_MAX))) {
		if (page_flags(page) & PAGE_FLAG_ACCESSED)
			page_flags_clear(page, PAGE_FLAG_ACCESSED); /* a second chance */
		else
			freed += object_reclaim_page_locked(object, page);
		if (index++ == UINT64_MAX)
			break;
	}
	mutex_unlock(&object->lock);
	if (freed)
		(void)object_charge(object, -(s64)freed);
	return freed;
}

/* The same for one page of the share that a scan comes to. */
static u64 scan_page_locked(struct memory_object *object, struct page *page,
			    struct share_scan *scan) __must_hold(&object->lock)
{
	u16 flags = page_flags(page);

	if (page->private != (uintptr_t)scan->share)
		return 0;
	if (flags & PAGE_FLAG_ACCESSED) {
		page_flags_clear(page, PAGE_FLAG_ACCESSED);
		return 0;
	}
	if (object_reclaim_page_locked(object, page))
		return 1;
	if (flags & (PAGE_FLAG_DIRTY | PAGE_FLAG_WRITEBACK))
		scan->dirty = true;
	else if (page_refs(page) > 1)
		scan->held = true;
	return 0;
}

u64 memory_object_scan_share(struct memory_object *object, struct share_scan *scan, u64 target)
{
	struct page *page = nullptr;
	u64 freed = 0;

	if (!mutex_trylock(&object->lock))
		return 0;
	for (unsigned looks = 0; looks < SCAN_PAGES && freed < target; looks++) {
		page = radix_next(&object->pages, &scan->next, scan->last);
		if (!page || scan->next == scan->last)
			break;
		freed += scan_page_locked(object, page, scan);
		scan->next++;
	}
	if (page && scan->next == scan->last) {
		freed += scan_page_locked(object, page, scan);
		page = nullptr;
	}
	scan->ended = !page;
	mutex_unlock(&object->lock);
	if (freed)
		(void)object_charge(object, -(s64)freed);
	return freed;
}

void memory_object_boot(void)
{
	for (unsigned i = 0; i < PAGE_WAIT_QUEUES; i++)
		wait_queue_init(&page_wait_queues[i]);
	anonymous_cache = slab_cache_create("memory_object", sizeof(struct memory_object), 0);
	cache_share_init();
}
