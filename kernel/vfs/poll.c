/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting for several objects: look at all, and if none is ready, stand in all their queues until
 * one calls.
 *
 * An entry's wake function sets a flag; the thread sleeps only if it is still clear. So readiness
 * is asked with the thread running, and no call is lost between asking and sleeping.
 */
#include <core/time.h>
#include <lib/errno.h>
#include <vfs/poll.h>

#include <linux/eventpoll.h>

struct poll_wait_state {
	bool woken;
};

static bool poll_entry_wake(struct wait_entry *entry, u32 events)
{
	struct poll_item *item = container_of(entry, struct poll_item, entry);

	if (events && !(events & item->events))
		return false;
	WRITE_ONCE(item->state->woken, true);
	return thread_wake(entry->thread);
}

static int look(struct poll_item *items, unsigned n)
{
	int ready = 0;

	for (unsigned i = 0; i < n; i++) {
		struct poll_item *item = &items[i];

		if (item->object)
			item->ready = object_ready(item->object) & item->events;
		ready += item->ready != 0;
	}
	return ready;
}

static void queue_all(struct poll_item *items, unsigned n, struct poll_wait_state *state)
{
	for (unsigned i = 0; i < n; i++) {
		struct poll_item *item = &items[i];

		if (!item->object)
			continue;
		item->state = state;
		wait_entry_init(&item->entry);
		item->entry.wake = poll_entry_wake;
		wait_queue_add(item->object->waiters, &item->entry);
	}
}

static void unqueue_all(struct poll_item *items, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (items[i].object)
			wait_queue_remove(items[i].object->waiters, &items[i].entry);
}

int poll_wait(struct poll_item *items, unsigned n, u64 deadline_ns)
{
	struct poll_wait_state state = {};
	int ready, error = 0;

	for (unsigned i = 0; i < n; i++)
		items[i].events |= EPOLLERR | EPOLLHUP;
	ready = look(items, n);
	if (ready || deadline_ns == 0)
		return ready;
	queue_all(items, n, &state);
	for (;;) {
		WRITE_ONCE(state.woken, false);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		ready = look(items, n);
		if (ready || error)
			break;
		wait_prepare(SLEEP_INTERRUPTIBLE);
		if (READ_ONCE(state.woken))
			wait_cancel();
		else
			error = wait_sleep(deadline_ns);
	}
	unqueue_all(items, n);
	if (ready)
		return ready;
	return error == -ETIMEDOUT ? 0 : error;
}
