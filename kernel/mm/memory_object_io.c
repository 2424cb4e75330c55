/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading and writing memory objects like files, and reading ahead.
 *
 * A sequential reader has a window of pages that are asked for at once; the page in its middle carries
 * PAGE_FLAG_AHEAD, and the reader who comes there starts the next, larger window, so that the disk works while
 * the reader copies. A write marks its page dirty before it copies (that may fail) and, in case write-back took the
 * page in between, again afterwards.
 */
#include <core/rcu.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/iter.h>
#include <mm/memory_object_priv.h>
#include <mm/write_back.h>

#include <linux/fadvise.h>

#define FIRST_WINDOW 4u

static bool object_has_page(struct memory_object *object, u64 index)
{
	rcu_read_lock();
	bool has = radix_load(&object->pages, index);
	rcu_read_unlock();
	return has;
}

/* --- runs of pages --- */

/* Pages with references that a transfer will come to next. */
struct page_run {
	unsigned next, count;
	struct page *pages[PAGE_RUN_MAX];
};

/* The page of `offset` from the run, or from a new one where the transfer has more than a page left; null: none is there. */
static struct page *run_next(struct page_run *run, struct memory_object *object, u64 offset,
			     u64 left)
{
	if (run->next == run->count) {
		u64 pages = DIV_ROUND_UP((offset & ~PAGE_MASK) + left, PAGE_SIZE);

		run->next = run->count = 0;
		if (pages > 1)
			run->count =
				object_find_run(object, offset >> PAGE_SHIFT, run->pages, pages);
		if (!run->count)
			return nullptr;
	}
	return run->pages[run->next++];
}

static void run_end(struct page_run *run)
{
	while (run->next < run->count)
		page_put(run->pages[run->next++]);
}

/* --- reading ahead --- */

/* A locked page in the object at an index that has none; null if it has one, or there is no memory. */
static struct page *ahead_page(struct memory_object *object, u64 index)
{
	if (object_has_page(object, index) || object_charge(object, 1))
		return nullptr;
	struct page *page = page_alloc(0, ALLOC_USER | ALLOC_KIND(PAGE_CACHE));
	if (page) {
		page->flags = PAGE_FLAG_LOCKED;
		if (!object_insert(object, index, page)) {
			/* The object's reference holds it: a locked page is not removed. */
			page_put(page);
			return page;
		}
		page_put(page);
	}
	(void)object_charge(object, -1);
	return nullptr;
}

/* Starts reading what is not there of `count` pages from `first`; `marker` gets PAGE_FLAG_AHEAD. */
static void start_fill(struct memory_object *object, u64 first, u64 count, u64 marker)
{
	u64 end = DIV_ROUND_UP(READ_ONCE(object->size), PAGE_SIZE);
	struct page *run[READ_AHEAD_PAGES];
	unsigned n = 0;

	if (!object->ops->fill_pages || first >= end)
		return;
	end = MIN(end, first + count);
	for (u64 index = first; index < end; index++) {
		struct page *page = ahead_page(object, index);

		if (page && index == marker)
			page_flags_set(page, PAGE_FLAG_AHEAD);
		if (page)
			run[n++] = page;
		if (n && (!page || n == READ_AHEAD_PAGES)) {
			object->ops->fill_pages(object, run, n);
			n = 0;
		}
	}
	if (n)
		object->ops->fill_pages(object, run, n);
}

void memory_object_prefetch(struct memory_object *object, u64 start, u64 end)
{
	if (start < end && object->ops->fill_pages)
		start_fill(object, start >> PAGE_SHIFT,
			   DIV_ROUND_UP(end, PAGE_SIZE) - (start >> PAGE_SHIFT), UINT64_MAX);
}

void memory_object_prefetch_missing(struct memory_object *object, u64 offset, u64 start, u64 end)
{
	if (object->ops->fill_pages && !object_has_page(object, offset >> PAGE_SHIFT))
		memory_object_prefetch(object, start, end);
}

/* The page at `index` is not there, and `wanted` pages from it on will be read now. */
static void ahead_miss(struct memory_object *object, struct read_ahead *state, u64 index,
		       u64 wanted)
{
	bool sequential = index == state->expected || state->advice == POSIX_FADV_SEQUENTIAL;
	u64 count = MIN(wanted, READ_AHEAD_PAGES);

	if (!sequential || state->advice == POSIX_FADV_RANDOM) {
		state->window = 0;
		start_fill(object, index, count, UINT64_MAX);
		return;
	}
	state->window = MIN(MAX(2 * state->window, FIRST_WINDOW), READ_AHEAD_PAGES);
	if (state->advice == POSIX_FADV_SEQUENTIAL)
		state->window = READ_AHEAD_PAGES;
	count = MAX(count, (u64)state->window);
	state->ahead = index + count;
	start_fill(object, index, count, index + count / 2);
}

/* The reader came to the marker: the next window. */
static void ahead_hit(struct memory_object *object, struct read_ahead *state, struct page *page,
		      u64 index)
{
	page_flags_clear(page, PAGE_FLAG_AHEAD);
	if (state->advice == POSIX_FADV_RANDOM)
		return;
	u64 first = state->ahead > index && state->ahead <= index + 2 * READ_AHEAD_PAGES
			    ? state->ahead
			    : index + 1;
	state->window = MIN(MAX(2 * state->window, FIRST_WINDOW), READ_AHEAD_PAGES);
	state->ahead = first + state->window;
	start_fill(object, first, state->window, first);
}

/* --- reading --- */

/* One piece of a page to the iterator, and the page's reference back; bytes copied, or -EFAULT. */
static ssize_t object_read_page(struct memory_object *object, struct page *page, u64 offset,
				size_t size, struct iter *it, struct read_ahead *state)
{
	if (state) {
		u64 index = offset >> PAGE_SHIFT;
		if (page_flags(page) & PAGE_FLAG_AHEAD)
			ahead_hit(object, state, page, index);
		state->expected = index + 1;
	}
	size_t copied = iter_copy_to(it, (char *)page_address(page) + (offset & ~PAGE_MASK), size);
	page_put(page);
	return copied ?: -EFAULT;
}

/* The same of a page that has to be found. -errno. `left`: bytes that will be read from here on. */
static ssize_t object_read_piece(struct memory_object *object, u64 offset, size_t size,
				 struct iter *it, struct read_ahead *state, u64 left)
{
	u64 index = offset >> PAGE_SHIFT;
	struct page *page;

	if (state && !object_has_page(object, index))
		ahead_miss(object, state, index,
			   DIV_ROUND_UP((offset & ~PAGE_MASK) + left, PAGE_SIZE));
	int error = memory_object_get_page(object, index, false, &page);
	if (error == -ENOENT)
		return iter_zero(it, size) ?: -EFAULT;
	if (error)
		return error;
	return object_read_page(object, page, offset, size, it, state);
}

ssize_t memory_object_read_ahead(struct memory_object *object, u64 offset, struct iter *it,
				 struct read_ahead *state)
{
	__uninitialized struct page_run run;
	size_t done = 0;

	run.next = run.count = 0;
	/* A reader who goes on within a page is sequential too. */
	if (state && state->expected == (offset >> PAGE_SHIFT) + 1)
		state->expected--;
	while (it->remaining) {
		u64 size = READ_ONCE(object->size);
		if (offset >= size)
			break;
		u64 left = MIN((u64)it->remaining, size - offset);
		size_t piece = MIN(left, PAGE_SIZE - (offset & ~PAGE_MASK));
		struct page *page = run_next(&run, object, offset, left);
		ssize_t copied = page ? object_read_page(object, page, offset, piece, it, state)
				      : object_read_piece(object, offset, piece, it, state, left);
		if (copied < 0) {
			run_end(&run);
			return done ? (ssize_t)done : copied;
		}
		done += copied;
		offset += copied;
		if ((size_t)copied < piece)
			break;
	}
	run_end(&run);
	return done;
}

ssize_t memory_object_read(struct memory_object *object, u64 offset, struct iter *it)
{
	return memory_object_read_ahead(object, offset, it, nullptr);
}

/* --- writing --- */

/* Makes a page that is in nobody's hands yet a dirty one of the object. -EEXIST, -ENOMEM, -ENOSPC. */
static int object_enter_dirty(struct memory_object *object, u64 index, struct page *page)
{
	bool watched = memory_object_is_written_back(object);
	int error;

	page->flags = PAGE_FLAG_UPTODATE | (watched ? PAGE_FLAG_LOCKED : PAGE_FLAG_DIRTY);
	error = object_insert(object, index, page);
	if (error || !watched)
		return error;
	error = object_dirty_locked(object, page);
	if (!error) {
		page_unlock(page);
		return 0;
	}
	/* The charge is given back with the page; the caller's part of it is taken again. */
	object_discard(object, page);
	(void)object_charge(object, 1);
	return error;
}

/*
 * Writes a whole page that is not there yet: it is filled before it is inserted, so it needs no
 * zeroing. Returns the bytes written, -EEXIST when a page has appeared, or must be read first (nothing
 * was consumed), or -errno.
 */
static ssize_t object_write_new_page(struct memory_object *object, u64 index, struct iter *it)
{
	ssize_t result = object_charge(object, 1);
	if (result)
		return result;
	struct page *page = page_alloc(0, ALLOC_USER | ALLOC_KIND(PAGE_CACHE));
	result = -ENOMEM;
	if (!page)
		goto out_uncharge;
	struct iter before = *it;
	size_t copied = iter_copy_from(it, page_address(page), PAGE_SIZE);
	result = -EFAULT;
	if (!copied)
		goto out_put;
	result = -EEXIST;
	if (copied < PAGE_SIZE && memory_object_has_home(object))
		goto out_again;
	memset((char *)page_address(page) + copied, 0, PAGE_SIZE - copied);
	result = object_enter_dirty(object, index, page);
	if (result)
		goto out_again;
	page_put(page);
	return copied;

out_again:
	*it = before;
out_put:
	page_put(page);
out_uncharge:
	(void)object_charge(object, -1);
	return result;
}

/* One piece into a page, and the page's reference back; bytes copied, or -errno. */
static ssize_t object_write_page(struct memory_object *object, struct page *page, u64 offset,
				 size_t size, struct iter *it)
{
	int error = memory_object_dirty_page(object, page);

	if (error) {
		page_put(page);
		return error;
	}
	size_t copied =
		iter_copy_from(it, (char *)page_address(page) + (offset & ~PAGE_MASK), size);
	if (page_flags(page) & PAGE_FLAG_CODE)
		page_flags_clear(page, PAGE_FLAG_CODE);
	/* Its blocks are there now, whatever they were before: this does not fail. */
	if (unlikely(!(page_flags(page) & PAGE_FLAG_DIRTY)))
		(void)memory_object_dirty_page(object, page);
	page_put(page);
	return copied ?: -EFAULT;
}

/* The same of a page that has to be found, or made. */
static ssize_t object_write_piece(struct memory_object *object, u64 offset, size_t size,
				  struct iter *it)
{
	u64 index = offset >> PAGE_SHIFT;
	struct page *page;

	if (size == PAGE_SIZE && !object_has_page(object, index)) {
		ssize_t result = object_write_new_page(object, index, it);
		if (result != -EEXIST)
			return result;
	}
	int error = memory_object_get_page(object, index, true, &page);
	return error ?: object_write_page(object, page, offset, size, it);
}

ssize_t memory_object_write(struct memory_object *object, u64 offset, struct iter *it)
{
	__uninitialized struct page_run run;
	size_t done = 0;
	unsigned pages = 0;

	run.next = run.count = 0;
	while (it->remaining) {
		size_t piece = MIN(it->remaining, PAGE_SIZE - (offset & ~PAGE_MASK));
		struct page *page = run_next(&run, object, offset, it->remaining);
		ssize_t copied = page ? object_write_page(object, page, offset, piece, it)
				      : object_write_piece(object, offset, piece, it);
		if (copied < 0) {
			run_end(&run);
			if (!done)
				return copied;
			break;
		}
		done += copied;
		offset += copied;
		pages++;
		if ((size_t)copied < piece)
			break;
	}
	run_end(&run);
	if (memory_object_is_written_back(object))
		write_back_balance(object, pages);
	return done;
}
