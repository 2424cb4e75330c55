/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wait queues. Exclusive entries stand behind the others, so that wake_up can stop early. */
#include <core/wait.h>

static bool wake_thread(struct wait_entry *entry, u32 events)
{
	(void)events;
	return thread_wake(entry->thread);
}

void wait_queue_init(struct wait_queue *q) __no_lock_analysis
{
	spin_init(&q->lock, RANK_WAIT_QUEUE);
	list_init(&q->entries);
}

void wait_entry_init(struct wait_entry *e)
{
	*e = (struct wait_entry){ .thread = arch_current(), .wake = wake_thread };
	list_init(&e->node);
}

void wait_queue_add(struct wait_queue *q, struct wait_entry *e)
{
	irqflags_t flags = spin_lock_irqsave(&q->lock);

	if (list_empty(&e->node)) {
		e->exclusive = false;
		list_add(&q->entries, &e->node);
	}
	spin_unlock_irqrestore(&q->lock, flags);
}

void wait_queue_add_exclusive(struct wait_queue *q, struct wait_entry *e)
{
	irqflags_t flags = spin_lock_irqsave(&q->lock);

	if (list_empty(&e->node)) {
		e->exclusive = true;
		list_add_tail(&q->entries, &e->node);
	}
	spin_unlock_irqrestore(&q->lock, flags);
}

void wait_queue_remove(struct wait_queue *q, struct wait_entry *e)
{
	irqflags_t flags = spin_lock_irqsave(&q->lock);

	list_remove(&e->node);
	spin_unlock_irqrestore(&q->lock, flags);
}

/* Without the lock: a racing change is as good before as after. */
bool wait_queue_empty(const struct wait_queue *q) __no_lock_analysis
{
	return list_empty(&q->entries);
}

void wake_up_locked(struct wait_queue *q, u32 events, unsigned nr_exclusive)
{
	struct wait_entry *e, *next;

	list_for_each_safe (e, next, &q->entries, node) {
		bool exclusive = e->exclusive; /* the entry may be gone after its function */

		if (e->wake(e, events) && exclusive && !--nr_exclusive)
			return;
	}
}

void wake_up_some(struct wait_queue *q, u32 events, unsigned nr_exclusive)
{
	irqflags_t flags;

	/* Pairs with wait_prepare: either we see the entry, or the waiter sees the caller's change.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (wait_queue_empty(q))
		return;
	flags = spin_lock_irqsave(&q->lock);
	wake_up_locked(q, events, nr_exclusive);
	spin_unlock_irqrestore(&q->lock, flags);
}

void wake_up(struct wait_queue *q, u32 events)
{
	wake_up_some(q, events, 0);
}

void wake_up_one(struct wait_queue *q, u32 events)
{
	wake_up_some(q, events, 1);
}

void completion_init(struct completion *c)
{
	c->done = false;
	wait_queue_init(&c->waiters);
}

void complete(struct completion *c)
{
	irqflags_t flags = spin_lock_irqsave(&c->waiters.lock);

	__atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
	wake_up_locked(&c->waiters, 0, 0);
	spin_unlock_irqrestore(&c->waiters.lock, flags);
}

int wait_for_completion(struct completion *c, enum sleep_mode mode)
{
	int r = wait_event_until(&c->waiters, __atomic_load_n(&c->done, __ATOMIC_ACQUIRE), mode,
				 NO_DEADLINE);

	/* The completer may still hold the lock of what the caller is about to free. */
	if (!r)
		spin_unlock_irqrestore(&c->waiters.lock, spin_lock_irqsave(&c->waiters.lock));
	return r;
}
