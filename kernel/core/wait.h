/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wait queues: the one way to sleep until something happens.
 *
 * A waiter adds a wait_entry to a queue, checks its condition, sleeps, and removes the entry. A wake-up calls
 * every entry's function; the default one makes the thread runnable. epoll and poll attach entries
 * with functions of their own. Because the entry is added before the condition is checked, no wake-up is lost.
 */
#pragma once

#include <core/lock.h>
#include <lib/list.h>
#include <lib/types.h>

struct thread;

struct wait_queue {
	struct spinlock lock;
	struct list_head entries __guarded_by(&lock);
};

struct wait_entry {
	struct list_head node; /* in wait_queue.entries, or self-linked */
	struct thread *thread; /* the sleeper, for wait_entry_wake */
	/*
	 * Called by wake_up() with the queue's lock held and interrupts masked: no sleeping, no locks ranked below
	 * RANK_WAIT_QUEUE. `events` are the EPOLL* bits that became true, 0 if unknown. Returns true if it consumed
	 * the wake-up (counts against an exclusive limit).
	 */
	bool (*wake)(struct wait_entry *entry, u32 events);
	bool exclusive; /* wake_up() ends at `nr` exclusive entries; they queue at the tail */
};

void wait_queue_init(struct wait_queue *q);
#define WAIT_QUEUE_INIT(name)                                                                      \
	{                                                                                          \
		.lock = SPINLOCK_INIT(RANK_WAIT_QUEUE), .entries = {                               \
			&(name).entries,                                                           \
			&(name).entries                                                            \
		}                                                                                  \
	}

/* Makes an entry for the current thread with the default wake function. Not yet queued. */
void wait_entry_init(struct wait_entry *e);

/* Adds (once; adding a queued entry does nothing) and removes an entry. Any context. */
void wait_queue_add(struct wait_queue *q, struct wait_entry *e);
void wait_queue_add_exclusive(struct wait_queue *q, struct wait_entry *e);
void wait_queue_remove(struct wait_queue *q, struct wait_entry *e);
bool wait_queue_empty(const struct wait_queue *q);

/*
 * Calls the entries: all that are not exclusive and at most `nr_exclusive` (0: all) that are. Any context. Costs a
 * fence and a load when nobody waits.
 */
void wake_up(struct wait_queue *q, u32 events);
void wake_up_one(struct wait_queue *q, u32 events);
void wake_up_some(struct wait_queue *q, u32 events, unsigned nr_exclusive);

/* The same for a queue whose lock also guards what its waiters wait for; interrupts masked. */
void wake_up_locked(struct wait_queue *q, u32 events, unsigned nr_exclusive) __must_hold(&q->lock);

/* How a sleep may end besides a wake-up. */
enum sleep_mode {
	SLEEP_UNINTERRUPTIBLE, /* only by the wake-up */
	SLEEP_KILLABLE,	       /* also by a fatal signal */
	SLEEP_INTERRUPTIBLE,   /* also by any deliverable signal */
};

#define NO_DEADLINE UINT64_MAX

/* Makes a sleeping thread runnable; true if it slept. Any context; the caller keeps the thread alive. */
bool thread_wake(struct thread *thread);
/* True while it executes on some CPU, by the time of the look. Any context; the caller keeps the thread alive. */
bool thread_is_running(const struct thread *thread);

/*
 * One sleep of a wait loop. Before the first, call wait_prepare(); then check the condition; then
 * wait_sleep(). A wake-up between the two makes wait_sleep return at once. A sleep may also end without a reason, so
 * always in a loop. All implemented in sched/sleep.c.
 *
 *   wait_prepare(mode): marks the current thread as about to sleep.
 *   wait_sleep(deadline_ns): sleeps until a wake-up. Returns 0; -ETIMEDOUT when clock_monotonic_ns() reached
 *       `deadline_ns`; -ERESTARTSYS when a signal ended it. The thread is running again in each case.
 *   wait_cancel(): undoes wait_prepare without sleeping.
 */
void wait_prepare(enum sleep_mode mode);
[[nodiscard]] int wait_sleep(u64 deadline_ns);
void wait_cancel(void);

/* True if a sleep in this mode would end at once because of a signal. */
bool wait_interrupted(enum sleep_mode mode);

/*
 * Sleeps until `condition` (evaluated again after each wake-up, no lock held) is true. The value is 0, -ETIMEDOUT or
 * -ERESTARTSYS.
 */
#define wait_event_until(q, condition, mode, deadline_ns)                                          \
	({                                                                                         \
		int wait_result_ = 0;                                                              \
		if (!(condition)) {                                                                \
			struct wait_entry wait_entry_;                                             \
			wait_entry_init(&wait_entry_);                                             \
			wait_queue_add((q), &wait_entry_);                                         \
			for (;;) {                                                                 \
				wait_prepare(mode);                                                \
				if (condition) {                                                   \
					wait_cancel();                                             \
					wait_result_ = 0;                                          \
					break;                                                     \
				}                                                                  \
				if (wait_result_) {                                                \
					wait_cancel();                                             \
					break;                                                     \
				}                                                                  \
				wait_result_ = wait_sleep(deadline_ns);                            \
			}                                                                          \
			wait_queue_remove((q), &wait_entry_);                                      \
		}                                                                                  \
		wait_result_;                                                                      \
	})
#define wait_event(q, condition)                                                                   \
	((void)wait_event_until(q, condition, SLEEP_UNINTERRUPTIBLE, NO_DEADLINE))
#define wait_event_interruptible(q, condition)                                                     \
	wait_event_until(q, condition, SLEEP_INTERRUPTIBLE, NO_DEADLINE)
#define wait_event_killable(q, condition)                                                          \
	wait_event_until(q, condition, SLEEP_KILLABLE, NO_DEADLINE)

/* A one-time event: complete() lets every present and future wait_for_completion() through. */
struct completion {
	bool done;
	struct wait_queue waiters;
};
void completion_init(struct completion *c);
void complete(struct completion *c);
/* 0, or -ERESTARTSYS if the mode allows signals to end it. */
[[nodiscard]] int wait_for_completion(struct completion *c, enum sleep_mode mode);
