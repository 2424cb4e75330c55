/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects: their two counts and what happens when one of them reaches zero.
 *
 * A destroy often drops references to other objects (a file its inode, a pool its files, a message
 * the handles in it), so chains as long as user space likes exist. object_put() therefore never
 * calls a destroy from within another one: the first put that finds a zero on this thread becomes
 * the drainer, puts that it causes append to the thread's list, and the stack stays flat. The list
 * belongs to the thread, so it needs no lock.
 */
#include <core/panic.h>
#include <core/percpu.h>
#include <lib/refs.h>
#include <obj/derivation.h>
#include <obj/object.h>
#include <obj/untyped.h>
#include <sched/thread.h>

#include <linux/eventpoll.h>

void (*object_watches_hook)(struct object *object);

/* Created minus destroyed on this CPU: only the sum over all CPUs means something. */
static DEFINE_PER_CPU(u64, objects_balance);

/* An atomic add: the thread may move between finding the copy and adding to it. */
static void balance_add(u64 n)
{
	__atomic_fetch_add(&this_cpu(objects_balance), n, __ATOMIC_RELAXED);
}

u64 object_count(void)
{
	u64 sum = 0;

	for_each_cpu (cpu)
		sum += __atomic_load_n(&per_cpu(objects_balance, cpu), __ATOMIC_RELAXED);
	return sum;
}

void object_init(struct object *object, const struct object_type *type)
{
	object->type = type;
	object->refs = 1;
	object->handles = 0;
	object->dead_next = nullptr;
	object->watches = nullptr;
	object->derivation_root = nullptr;
	object->origin = nullptr;
	object->waiters = &object->own_waiters;
	wait_queue_init(&object->own_waiters);
	balance_add(1);
}

bool object_get_unless_zero(struct object *object)
{
	return refs_get_unless_zero(&object->refs);
}

static void object_destroy(struct object *object)
{
	ASSERT(object->handles == 0);
	if (unlikely(object->watches))
		object_watches_hook(object);
	if (unlikely(object->derivation_root))
		derivation_object_gone(object);
	if (unlikely(object->origin))
		untyped_object_gone(object);
	if (object->type->detach)
		object->type->detach(object);
	ASSERT(wait_queue_empty(&object->own_waiters));
	balance_add(-1ul);
	object->type->destroy(object);
}

/* Destroys `object` and everything whose last reference that drops. */
static void drain(struct thread *self, struct object *object)
{
	self->draining_objects = true;
	for (;;) {
		object_destroy(object);
		object = self->dead_objects;
		if (!object)
			break;
		self->dead_objects = object->dead_next;
	}
	self->draining_objects = false;
}

void object_put_last(struct object *object)
{
	struct thread *self = current_thread();

	(void)__atomic_load_n(&object->refs,
			      __ATOMIC_ACQUIRE); /* all that others did before their puts */
	if (self->draining_objects) {
		object->dead_next = self->dead_objects;
		self->dead_objects = object;
		return;
	}
	drain(self, object);
}

void object_handle_opened(struct object *object)
{
	object_get(object);
	__atomic_fetch_add(&object->handles, 1, __ATOMIC_RELAXED);
}

void object_handle_closed(struct object *object)
{
	u32 handles = __atomic_fetch_sub(&object->handles, 1, __ATOMIC_ACQ_REL);

	DASSERT(handles > 0);
	if (handles == 1 && object->type->closed)
		object->type->closed(object);
	object_put(object);
}

void object_notify(struct object *object, u32 events)
{
	wake_up_some(object->waiters, events, events & (EPOLLERR | EPOLLHUP) ? 0 : 1);
}

struct object_waiter {
	struct wait_entry entry;
	u32 events;
	bool woken;
};

static bool object_waiter_wake(struct wait_entry *entry, u32 events)
{
	struct object_waiter *waiter = container_of(entry, struct object_waiter, entry);

	if (events && !(events & waiter->events))
		return false;
	WRITE_ONCE(waiter->woken, true);
	return thread_wake(entry->thread);
}

/* Readiness is asked while the thread is not marked as sleeping, since asking may take locks. */
int object_wait(struct object *object, u32 events, u64 deadline_ns)
{
	struct object_waiter waiter = { .events = events | EPOLLERR | EPOLLHUP };
	int error = 0;

	wait_entry_init(&waiter.entry);
	waiter.entry.wake = object_waiter_wake;
	wait_queue_add(object->waiters, &waiter.entry);
	for (;;) {
		WRITE_ONCE(waiter.woken, false);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (object_ready(object) & waiter.events) {
			error = 0;
			break;
		}
		if (error)
			break;
		wait_prepare(SLEEP_INTERRUPTIBLE);
		if (READ_ONCE(waiter.woken))
			wait_cancel();
		else
			error = wait_sleep(deadline_ns);
	}
	wait_queue_remove(object->waiters, &waiter.entry);
	return error;
}
