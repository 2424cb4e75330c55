/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reclaim: getting page frames back when they run out. First what can be made again (clean pages of
 * memory objects that have a home, empty slabs), then, for a user's demand, the OOM killer's
 * choice.
 */
#include <mm/reclaim.h>

#include <core/lock.h>
#include <core/rcu.h>
#include <core/thread_base.h>
#include <core/time.h>
#include <core/wait.h>
#include <core/work.h>
#include <lib/list.h>
#include <lib/refs.h>
#include <mm/aspace.h>
#include <mm/frame.h>
#include <mm/memory_object.h>
#include <mm/pagetable.h>
#include <mm/slab.h>
#include <mm/vmap.h>
#include <mm/write_back.h>

#define RECLAIM_BATCH 64u

static struct spinlock list_lock = SPINLOCK_INIT(RANK_INODE_STATE);
static struct list_head objects __guarded_by(&list_lock) = LIST_INIT(objects);
static u64 oom_kills; /* atomic */
static struct work shrink_work;
static struct wait_queue caches_shrunk = WAIT_QUEUE_INIT(caches_shrunk);
static u64 caches_freed, caches_rounds; /* atomic: objects of the last round; rounds */

void reclaim_add_object(struct memory_object *object)
{
	spin_lock(&list_lock);
	list_add_tail(&objects, &object->reclaim_node);
	spin_unlock(&list_lock);
}

void reclaim_remove_object(struct memory_object *object)
{
	spin_lock(&list_lock);
	list_remove(&object->reclaim_node);
	spin_unlock(&list_lock);
}

/* The next object in turn, with a reference; it moves to the end of the list. Null: none. */
static struct memory_object *next_object(void)
{
	struct memory_object *found = nullptr;

	spin_lock(&list_lock);
	if (!list_empty(&objects)) {
		struct memory_object *object =
			list_first(&objects, struct memory_object, reclaim_node);

		list_remove(&object->reclaim_node);
		list_add_tail(&objects, &object->reclaim_node);
		found = refs_get_unless_zero(&object->refs) ? object : nullptr;
	}
	spin_unlock(&list_lock);
	return found;
}

static unsigned object_total(void)
{
	unsigned n = 0;
	struct list_head *node;

	spin_lock(&list_lock);
	for (node = objects.next; node != &objects; node = node->next)
		n++;
	spin_unlock(&list_lock);
	return n;
}

u64 reclaim_pages(u64 target)
{
	struct frame_stats before, after;
	u64 freed = 0;

	for (unsigned left = object_total(); left && freed < target; left--) {
		struct memory_object *object = next_object();

		if (!object)
			break;
		freed += memory_object_reclaim(object, target - freed);
		memory_object_put(object);
	}
	if (freed < target)
		freed += vmap_shrink() + pagetable_shrink();
	if (freed < target) {
		frame_stats(&before);
		slab_shrink();
		frame_stats(&after);
		freed += after.free > before.free ? after.free - before.free : 0;
	}
	return freed;
}

void reclaim_drop_page_cache(void)
{
	for (unsigned left = object_total(); left; left--) {
		struct memory_object *object = next_object();

		if (!object)
			break;
		(void)memory_object_drop_clean(object, 0, UINT64_MAX);
		memory_object_put(object);
	}
}

/* --- caches of the upper layers --- */

/*
 * Their locks may be held by the thread that needs memory, so that another thread asks them. It is waited for, but
 * not for ever: it may need memory itself.
 */
static void shrink_caches(struct work *work)
{
	u64 freed = mm_hooks.shrink_caches(UINT64_MAX);

	slab_shrink();
	__atomic_store_n(&caches_freed, freed, __ATOMIC_RELEASE);
	__atomic_fetch_add(&caches_rounds, 1, __ATOMIC_RELEASE);
	wake_up(&caches_shrunk, 0);
}

static bool reclaim_caches(void)
{
	u64 round = __atomic_load_n(&caches_rounds, __ATOMIC_ACQUIRE);

	if (!mm_hooks.shrink_caches)
		return false;
	work_queue(&shrink_work);
	if (wait_event_until(&caches_shrunk,
			     __atomic_load_n(&caches_rounds, __ATOMIC_ACQUIRE) != round,
			     SLEEP_UNINTERRUPTIBLE, clock_monotonic_ns() + 50 * NSEC_PER_MSEC))
		return false;
	return __atomic_load_n(&caches_freed, __ATOMIC_ACQUIRE);
}

bool reclaim_for(unsigned order, u32 flags)
{
	if (flags & ALLOC_ATOMIC || current_base()->preempt_count)
		return false;
	if (reclaim_pages(MAX(RECLAIM_BATCH, 1u << order)))
		return true;
	if (write_back_progress(RECLAIM_BATCH, clock_monotonic_ns() + 50 * NSEC_PER_MSEC))
		return true;
	if (reclaim_caches())
		return true;
	if (!(flags & ALLOC_USER) || !mm_hooks.out_of_memory)
		return false;
	if (mm_hooks.fatal_signal_pending && mm_hooks.fatal_signal_pending())
		return false;
	if (!mm_hooks.out_of_memory())
		return false;
	__atomic_fetch_add(&oom_kills, 1, __ATOMIC_RELAXED);
	/* Let the victim run to its end. */
	wait_prepare(SLEEP_UNINTERRUPTIBLE);
	(void)wait_sleep(clock_monotonic_ns() + NSEC_PER_MSEC);
	return true;
}

void memory_counts(struct memory_counts *out)
{
	*out = (struct memory_counts){ .oom_kills = __atomic_load_n(&oom_kills, __ATOMIC_RELAXED) };
	struct frame_stats frames;

	frame_stats(&frames);
	struct list_head *node;

	spin_lock(&list_lock);
	for (node = objects.next; node != &objects; node = node->next)
		out->cache_clean +=
			list_entry(node, struct memory_object, reclaim_node)->page_count;
	spin_unlock(&list_lock);
	/* What no object can read again is memory of its own. */
	out->shmem = frames.cache > out->cache_clean ? frames.cache - out->cache_clean : 0;
}

void reclaim_boot(void)
{
	work_init(&shrink_work, shrink_caches);
}
