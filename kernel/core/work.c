/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deferred work: one queue and one kernel thread, first come, first served. */
#include <core/lock.h>
#include <core/wait.h>
#include <core/work.h>

static struct spinlock work_lock = SPINLOCK_INIT(RANK_WORK);
static struct list_head queue __guarded_by(&work_lock) = LIST_INIT(queue);
static u64 queued_count __guarded_by(&work_lock); /* ever queued, */
static u64 done_count;				  /* and ever run; atomic */
static struct wait_queue work_came = WAIT_QUEUE_INIT(work_came);
static struct wait_queue work_done = WAIT_QUEUE_INIT(work_done);

void work_init(struct work *work, void (*fn)(struct work *work))
{
	*work = (struct work){ .fn = fn };
	list_init(&work->node);
}

bool work_queue(struct work *work)
{
	irqflags_t flags = spin_lock_irqsave(&work_lock);
	bool added = !work->queued;

	if (added) {
		work->queued = true;
		list_add_tail(&queue, &work->node);
		queued_count++;
	}
	spin_unlock_irqrestore(&work_lock, flags);
	if (added)
		wake_up(&work_came, 0);
	return added;
}

static struct work *take(void)
{
	irqflags_t flags = spin_lock_irqsave(&work_lock);
	struct work *work = nullptr;

	if (!list_empty(&queue)) {
		work = list_first(&queue, struct work, node);
		list_remove(&work->node);
		work->queued = false; /* before it runs, so that it may queue itself again */
	}
	spin_unlock_irqrestore(&work_lock, flags);
	return work;
}

void work_flush(void)
{
	irqflags_t flags = spin_lock_irqsave(&work_lock);
	u64 target = queued_count;

	spin_unlock_irqrestore(&work_lock, flags);
	wait_event(&work_done, __atomic_load_n(&done_count, __ATOMIC_ACQUIRE) >= target);
}

void work_thread(void *unused)
{
	struct work *work;

	(void)unused;
	for (;;) {
		wait_event(&work_came, (work = take()));
		work->fn(work); /* may free the work */
		__atomic_add_fetch(&done_count, 1, __ATOMIC_RELEASE);
		wake_up(&work_done, 0);
	}
}
