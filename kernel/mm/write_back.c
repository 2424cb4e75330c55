/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Write-back: dirty pages on their way to the disk.
 *
 * A page is taken under its lock: DIRTY becomes WRITEBACK, mappings are made read only, and it is
 * handed to the object's operation with its neighbours, so that a file system allocates and writes large
 * extents. A write that comes meanwhile makes it dirty again. When the disk is done WRITEBACK goes
 * (memory_object_written), and an error is kept in the object.
 *
 * (W1) DIRTY changes under the page's lock, or by whoever removes the page from its object.
 * (W2) A page with WRITEBACK stays in its object, and the object in memory: removal waits.
 * (W3) dirty_pages counts pages with DIRTY; all of them lie in [dirty_first, dirty_last].
 * (W4) An object is in the list of dirty objects while it has dirty pages or pages being written. It is
 * `pinned` (ops->dirtied) meanwhile unless it was forgotten; whoever takes it out calls ops->cleaned.
 *
 * The flusher wakes when something has been dirty for long, when dirty pages are many, and when memory is short.
 * Writers who make pages dirty faster than the disk takes them wait in write_back_balance.
 */
#include <core/panic.h>
#include <core/time.h>
#include <core/wait.h>
#include <lib/errno.h>
#include <lib/refs.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/memory_object_priv.h>
#include <mm/write_back.h>

#define THROTTLE_NS (20 * NSEC_PER_MSEC)
#define ERROR_MASK 0xfffu
#define ERROR_SEEN BIT(12)
#define ERROR_STEP BIT(13)

struct write_back_settings write_back_settings = {
	.background_ratio = 10,
	.ratio = 20,
	.expire_centiseconds = 3000,
	.writeback_centiseconds = 500,
};

static struct spinlock list_lock = SPINLOCK_INIT(RANK_INODE_STATE);
static struct list_head dirty_objects __guarded_by(&list_lock) = LIST_INIT(dirty_objects);
static u64 dirty_total, writing_total, dirtied_ever, written_ever; /* atomic, pages */
static u64 pages_asked_for;					   /* atomic: for reclaim */
static struct wait_queue flusher_wait = WAIT_QUEUE_INIT(flusher_wait);
static struct wait_queue progress = WAIT_QUEUE_INIT(progress); /* pages have been written */
static bool flusher_wanted;				       /* atomic */
static bool flusher_runs;

static u64 load(const u64 *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* --- the list of dirty objects --- */

void write_back_note_dirty(struct memory_object *object, u64 index)
{
	bool pin = false;

	__atomic_fetch_add(&dirty_total, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&dirtied_ever, 1, __ATOMIC_RELAXED);
	spin_lock(&list_lock);
	object->dirty_pages++;
	object->dirty_first = MIN(object->dirty_first, index);
	object->dirty_last = MAX(object->dirty_last, index);
	if (list_empty(&object->dirty_node)) {
		object->dirtied_ns = clock_monotonic_ns();
		list_add_tail(&dirty_objects, &object->dirty_node);
		pin = object->ops->dirtied && !object->forgotten;
		object->pinned = pin;
		if (pin)
			object->ops->dirtied(object);
	}
	spin_unlock(&list_lock);
}

void write_back_note_clean(struct memory_object *object)
{
	__atomic_fetch_sub(&dirty_total, 1, __ATOMIC_RELAXED);
	spin_lock(&list_lock);
	object->dirty_pages--;
	spin_unlock(&list_lock);
}

void write_back_leave(struct memory_object *object)
{
	spin_lock(&list_lock);
	ASSERT(!object->pinned);
	list_remove(&object->dirty_node);
	spin_unlock(&list_lock);
}

/* Takes an object that has become clean out of the list. */
static void object_try_leave(struct memory_object *object)
{
	bool unpin = false;

	spin_lock(&list_lock);
	if (!list_empty(&object->dirty_node) && !object->dirty_pages &&
	    !__atomic_load_n(&object->writing, __ATOMIC_ACQUIRE)) {
		list_remove(&object->dirty_node);
		object->dirty_first = UINT64_MAX;
		object->dirty_last = 0;
		unpin = object->pinned;
		object->pinned = false;
	}
	spin_unlock(&list_lock);
	if (unpin && object->ops->cleaned)
		object->ops->cleaned(object);
}

void memory_object_forget(struct memory_object *object)
{
	bool unpin;

	spin_lock(&list_lock);
	object->forgotten = true;
	unpin = object->pinned;
	object->pinned = false;
	spin_unlock(&list_lock);
	if (unpin && object->ops->cleaned)
		object->ops->cleaned(object);
}

/* --- writing the pages of one object --- */

/* A page that was taken from the object's tree, locked for write-back; false: not dirty, or not at once. */
static bool page_take_for_write(struct memory_object *object, struct page *page, bool wait)
{
	for (;;) {
		if (wait)
			page_lock(page);
		else if (!page_trylock(page))
			return false;
		if (page->object != object || !(page_flags(page) & PAGE_FLAG_DIRTY))
			break;
		if (!(page_flags(page) & PAGE_FLAG_WRITEBACK)) {
			__atomic_fetch_add(&object->writing, 1, __ATOMIC_RELAXED);
			__atomic_fetch_add(&writing_total, 1, __ATOMIC_RELAXED);
			page_flags_set(page, PAGE_FLAG_WRITEBACK);
			(void)page_take_dirty(page);
			write_back_note_clean(object);
			return true;
		}
		/* Written, and dirty again: one write at a time. */
		if (!wait)
			break;
		page_unlock(page);
		wait_event(page_wait_queue(page), !(page_flags(page) & PAGE_FLAG_WRITEBACK));
	}
	page_unlock(page);
	return false;
}

/* Collects neighbours that look dirty from *index on, with references; advances *index behind the last one looked at. */
static unsigned find_dirty_run(struct memory_object *object, u64 *index, u64 last,
			       struct page **run)
{
	struct page *page;
	unsigned n = 0;

	mutex_lock(&object->lock);
	while (n < WRITE_BACK_PAGES && (page = radix_next(&object->pages, index, last))) {
		bool dirty = page_flags(page) & PAGE_FLAG_DIRTY;

		if (n && (!dirty || *index != run[n - 1]->index + 1))
			break;
		if (dirty) {
			page_get(page);
			run[n++] = page;
		}
		if ((*index)++ == last)
			break;
	}
	mutex_unlock(&object->lock);
	return n;
}

static int write_one_by_one(struct memory_object *object, struct page **pages, unsigned count)
{
	int result = 0;

	for (unsigned i = 0; i < count; i++) {
		int error = object->ops->write_back(object, pages[i]);

		memory_object_written(pages[i], error);
		result = result ?: error;
	}
	return result;
}

/* Writes locked pages with WRITEBACK, which are neighbours, and drops the locks and references. */
static void write_run(struct memory_object *object, struct page **pages, unsigned count, bool sync)
{
	if (!count)
		return;
	aspace_clean_object(object, pages[0]->index << PAGE_SHIFT,
			    (pages[count - 1]->index + 1) << PAGE_SHIFT);
	if (object->ops->write_back_pages)
		object->ops->write_back_pages(object, pages, count, sync);
	else
		(void)write_one_by_one(object, pages, count);
	for (unsigned i = 0; i < count; i++) {
		page_unlock(pages[i]);
		page_put(pages[i]);
	}
}

static u64 write_range(struct memory_object *object, u64 index, u64 last, u64 most, bool sync)
{
	struct page *run[WRITE_BACK_PAGES];
	u64 written = 0;
	unsigned n;

	while (written < most && index <= last && (n = find_dirty_run(object, &index, last, run))) {
		unsigned first = 0;

		for (unsigned i = 0; i < n; i++) {
			/* Nobody waits for a lock while he holds another one. */
			bool wait = sync && i == first;

			if (!page_take_for_write(object, run[i], wait)) {
				bool retry = sync && !wait && page_flags(run[i]) & PAGE_FLAG_DIRTY;

				write_run(object, run + first, i - first, sync);
				written += i - first;
				first = retry ? i : i + 1;
				if (retry)
					i--;
				else
					page_put(run[i]);
			}
		}
		write_run(object, run + first, n - first, sync);
		written += n - first;
		if (!index)
			break; /* the last index there is */
	}
	return written;
}

int memory_object_write_start(struct memory_object *object, u64 start, u64 end, bool sync)
{
	if (!memory_object_is_written_back(object) || start >= end)
		return 0;
	u64 first = MAX(start >> PAGE_SHIFT, READ_ONCE(object->dirty_first));
	u64 last = MIN((end - 1) >> PAGE_SHIFT, READ_ONCE(object->dirty_last));
	if (READ_ONCE(object->dirty_pages) && first <= last)
		(void)write_range(object, first, last, UINT64_MAX, sync);
	return 0;
}

void memory_object_written(struct page *page, int error)
{
	struct memory_object *object = page->object;

	if (error) {
		page_flags_set(page, PAGE_FLAG_ERROR);
		write_error_set(&object->error_state, error);
		if (object->group_errors)
			write_error_set(object->group_errors, error);
	}
	__atomic_fetch_add(&written_ever, 1, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&writing_total, 1, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&object->writing, 1, __ATOMIC_RELEASE);
	/* From here on the page, and with it the object, may go. */
	page_flags_clear(page, PAGE_FLAG_WRITEBACK);
	wake_up(page_wait_queue(page), 0);
	wake_up(&progress, 0);
}

void memory_object_write_wait(struct memory_object *object, u64 start, u64 end)
{
	u64 index = start >> PAGE_SHIFT, last = (end - 1) >> PAGE_SHIFT;
	struct page *page;

	if (start >= end)
		return;
	while (__atomic_load_n(&object->writing, __ATOMIC_ACQUIRE)) {
		mutex_lock(&object->lock);
		while ((page = radix_next(&object->pages, &index, last)) &&
		       !(page_flags(page) & PAGE_FLAG_WRITEBACK))
			if (index++ == last) {
				page = nullptr;
				break;
			}
		if (page)
			page_get(page);
		mutex_unlock(&object->lock);
		if (!page)
			break;
		wait_event(page_wait_queue(page), !(page_flags(page) & PAGE_FLAG_WRITEBACK));
		page_put(page);
		if (index++ == last)
			break;
	}
}

int memory_object_sync(struct memory_object *object, u64 start, u64 end)
{
	u32 before = __atomic_load_n(&object->error_state, __ATOMIC_ACQUIRE);

	if (!memory_object_is_written_back(object) || start >= end)
		return 0;
	int error = memory_object_write_start(object, start, end, true);
	memory_object_write_wait(object, start, end);
	object_try_leave(object);
	u32 after = __atomic_load_n(&object->error_state, __ATOMIC_ACQUIRE);
	if (!error && (before & ~(u32)ERROR_SEEN) != (after & ~(u32)ERROR_SEEN))
		error = -(int)(after & ERROR_MASK);
	return error;
}

/* --- errors --- */

void write_error_set(u32 *state, int error)
{
	u32 old = __atomic_load_n(state, __ATOMIC_RELAXED), new;

	/* The count advances, so that whoever saw the last error sees this one too. */
	do
		new = ((old & ~(u32)(ERROR_MASK | ERROR_SEEN)) + (u32)ERROR_STEP) |
		      ((u32)-error & ERROR_MASK);
	while (!__atomic_compare_exchange_n(state, &old, new, true, __ATOMIC_ACQ_REL,
					    __ATOMIC_RELAXED));
}

u32 write_error_sample(const u32 *state)
{
	u32 now = __atomic_load_n(state, __ATOMIC_ACQUIRE);

	/* An error that nobody has been told of yet is told to the next who asks. */
	return now & ERROR_SEEN ? now : 0;
}

int write_error_check(u32 *state, u32 *sample)
{
	u32 now = __atomic_load_n(state, __ATOMIC_ACQUIRE);

	if (!now || (now | ERROR_SEEN) == *sample)
		return 0;
	__atomic_fetch_or(state, (u32)ERROR_SEEN, __ATOMIC_ACQ_REL);
	*sample = now | ERROR_SEEN;
	return -(int)(now & ERROR_MASK);
}

/* --- the flusher --- */

static u64 limit_of(u64 bytes, u32 ratio)
{
	struct frame_stats stats;

	if (bytes)
		return bytes >> PAGE_SHIFT;
	frame_stats(&stats);
	return (stats.free + stats.cache) * MIN(ratio, 100u) / 100;
}

static u64 limit_background(void)
{
	return limit_of(write_back_settings.background_bytes, write_back_settings.background_ratio);
}

static u64 limit_throttle(void)
{
	return limit_of(write_back_settings.bytes, write_back_settings.ratio);
}

/* The object that has been dirty longest of those that `group` and `before_ns` choose; it goes to the end of the list. */
static struct memory_object *next_dirty(const void *group, u64 before_ns, u64 *left)
{
	struct memory_object *found = nullptr;

	spin_lock(&list_lock);
	for (struct list_head *node = dirty_objects.next; node != &dirty_objects && *left;) {
		struct memory_object *object = list_entry(node, struct memory_object, dirty_node);

		node = node->next;
		--*left;
		list_remove(&object->dirty_node);
		list_add_tail(&dirty_objects, &object->dirty_node);
		if ((!group || object->group == group) && object->dirtied_ns <= before_ns &&
		    refs_get_unless_zero(&object->refs)) {
			found = object;
			break;
		}
	}
	spin_unlock(&list_lock);
	return found;
}

static u64 dirty_object_count(void)
{
	u64 n = 0;

	spin_lock(&list_lock);
	for (struct list_head *node = dirty_objects.next; node != &dirty_objects; node = node->next)
		n++;
	spin_unlock(&list_lock);
	return n;
}

/* Starts writing at most `most` pages; how many. */
static u64 flush_objects(u64 before_ns, u64 most)
{
	u64 left = dirty_object_count(), written = 0;
	struct memory_object *object;

	while (written < most && (object = next_dirty(nullptr, before_ns, &left))) {
		if (READ_ONCE(object->dirty_pages))
			written +=
				write_range(object, READ_ONCE(object->dirty_first),
					    READ_ONCE(object->dirty_last), most - written, false);
		/* What is dirty now has been so for a moment only. */
		object->dirtied_ns = clock_monotonic_ns();
		object_try_leave(object);
		memory_object_put(object);
	}
	return written;
}

/* Lets go of objects that have become clean. */
static void release_clean(void)
{
	u64 left = dirty_object_count();
	struct memory_object *object;

	while ((object = next_dirty(nullptr, UINT64_MAX, &left))) {
		object_try_leave(object);
		memory_object_put(object);
	}
}

static void flusher(void *unused)
{
	u64 expire, period;

	(void)unused;
	for (;;) {
		period = write_back_settings.writeback_centiseconds * 10 * NSEC_PER_MSEC;
		(void)wait_event_until(
			&flusher_wait,
			__atomic_exchange_n(&flusher_wanted, false, __ATOMIC_ACQ_REL),
			SLEEP_UNINTERRUPTIBLE, clock_monotonic_ns() + (period ?: NSEC_PER_SEC));
		u64 now = clock_monotonic_ns();
		u64 asked = __atomic_exchange_n(&pages_asked_for, 0, __ATOMIC_RELAXED);
		expire = write_back_settings.expire_centiseconds * 10 * NSEC_PER_MSEC;
		if (asked)
			(void)flush_objects(UINT64_MAX, asked);
		while (load(&dirty_total) > limit_background() &&
		       flush_objects(UINT64_MAX, 4 * WRITE_BACK_PAGES))
			;
		if (period && now > expire)
			(void)flush_objects(now - expire, UINT64_MAX);
		release_clean();
	}
}

static void wake_flusher(void)
{
	if (!__atomic_exchange_n(&flusher_wanted, true, __ATOMIC_ACQ_REL))
		wake_up(&flusher_wait, 0);
}

void write_back_wake(u64 pages)
{
	__atomic_fetch_add(&pages_asked_for, pages, __ATOMIC_RELAXED);
	wake_flusher();
}

void write_back_balance(struct memory_object *object, unsigned pages)
{
	static u64 since_checked; /* atomic: pages */

	if (!flusher_runs || __atomic_add_fetch(&since_checked, pages, __ATOMIC_RELAXED) < 16)
		return;
	__atomic_store_n(&since_checked, 0, __ATOMIC_RELAXED);
	if (load(&dirty_total) <= limit_background())
		return;
	wake_flusher();
	if (mm_hooks.writes_for_disk && mm_hooks.writes_for_disk())
		return;
	while (load(&dirty_total) + load(&writing_total) > limit_throttle()) {
		u64 before = load(&written_ever);

		if (mm_hooks.fatal_signal_pending && mm_hooks.fatal_signal_pending())
			break;
		wake_flusher();
		(void)wait_event_until(&progress, load(&written_ever) != before,
				       SLEEP_UNINTERRUPTIBLE, clock_monotonic_ns() + THROTTLE_NS);
	}
}

int write_back_group(const void *group, bool wait)
{
	u64 left = dirty_object_count();
	struct memory_object *object;
	int result = 0;

	while ((object = next_dirty(group, UINT64_MAX, &left))) {
		(void)memory_object_write_start(object, 0, UINT64_MAX, wait);
		memory_object_put(object);
	}
	if (!wait)
		return 0;
	left = dirty_object_count();
	while ((object = next_dirty(group, UINT64_MAX, &left))) {
		int error = memory_object_sync(object, 0, UINT64_MAX);

		result = result ?: error;
		memory_object_put(object);
	}
	return result;
}

void write_back_counts(struct write_back_counts *out)
{
	*out = (struct write_back_counts){ .dirty = load(&dirty_total),
					   .writing = load(&writing_total),
					   .dirtied_ever = load(&dirtied_ever),
					   .written_ever = load(&written_ever),
					   .background_limit = limit_background(),
					   .limit = limit_throttle() };
}

bool write_back_progress(u64 pages, u64 deadline_ns)
{
	u64 before = load(&written_ever);

	if (!flusher_runs || (!load(&dirty_total) && !load(&writing_total)))
		return false;
	write_back_wake(pages);
	return !wait_event_until(&progress, load(&written_ever) != before, SLEEP_UNINTERRUPTIBLE,
				 deadline_ns);
}

void write_back_init(int (*start_thread)(const char *name, void (*entry)(void *), void *arg))
{
	if (start_thread("flusher", flusher, nullptr))
		panic("no memory for the thread flusher");
	flusher_runs = true;
}
