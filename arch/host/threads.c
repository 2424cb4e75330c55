/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several threads on the host: sleeping, and RCU by quiescent states. Each says at the end of what stands for a system call
 * (host_call_end), and while it sleeps, that it reads nothing; callbacks run once all have said so. What orders things is
 * seen by ThreadSanitizer, since it is all done with atomic operations.
 */
#include "host.h"
#include <host/threads.h>

#include <core/panic.h>
#include <core/percpu.h>
#include <core/rcu.h>
#include <core/wait.h>
#include <lib/errno.h>
#include <mm/aspace.h>
#include <obj/derivation.h>
#include <sched/thread.h>

#define THREADS_MAX 16u
#define RCU_BATCH 64u

DEFINE_PER_CPU(unsigned, cpu_number);

static struct thread threads[THREADS_MAX];
static unsigned thread_count;
static void (*thread_body)(unsigned);

/* --- RCU --- */

static u64 epoch = 1; /* atomic */
static u64 seen
	[THREADS_MAX]; /* atomic: the epoch of each thread's last quiescent state; UINT64_MAX: it has ended */
static struct rcu_head *pending; /* atomic */
static u32 pending_count;	 /* atomic */
static struct mutex batch_lock = MUTEX_INIT(RANK_ALLOCATOR_SLEEP);

static void quiescent(void)
{
	if (host_thread != &boot_thread)
		__atomic_store_n(&seen[host_thread - threads],
				 __atomic_load_n(&epoch, __ATOMIC_SEQ_CST), __ATOMIC_SEQ_CST);
}

void rcu_call(struct rcu_head *head, void (*fn)(struct rcu_head *head))
{
	head->fn = fn;
	head->next = __atomic_load_n(&pending, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&pending, &head->next, head, false, __ATOMIC_ACQ_REL,
					    __ATOMIC_RELAXED))
		;
	__atomic_fetch_add(&pending_count, 1, __ATOMIC_RELAXED);
}

/* Takes what is pending, waits until every thread has been outside since, and runs it. */
void rcu_barrier(void)
{
	struct rcu_head *list = __atomic_exchange_n(&pending, nullptr, __ATOMIC_ACQ_REL);
	u64 now = __atomic_add_fetch(&epoch, 1, __ATOMIC_SEQ_CST);

	__atomic_store_n(&pending_count, 0, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < thread_count; i++)
		while (__atomic_load_n(&seen[i], __ATOMIC_SEQ_CST) < now) {
			quiescent(); /* others may wait for this one */
			host_yield();
		}
	while (list) {
		struct rcu_head *head = list;

		list = head->next;
		head->fn(head);
	}
	if (host_thread == &boot_thread && __atomic_load_n(&pending, __ATOMIC_ACQUIRE))
		rcu_barrier();
}

void rcu_synchronize(void)
{
	rcu_barrier();
}

/* --- sleeping --- */

void preempt_reschedule(void)
{
}

void wait_prepare(enum sleep_mode mode)
{
	host_thread->sleep_mode = mode;
	__atomic_store_n(&host_thread->state, THREAD_SLEEPING, __ATOMIC_SEQ_CST);
}

void wait_cancel(void)
{
	__atomic_store_n(&host_thread->state, THREAD_RUNNABLE, __ATOMIC_SEQ_CST);
}

bool wait_interrupted(enum sleep_mode mode)
{
	return mode == SLEEP_INTERRUPTIBLE && thread_work(&host_thread->base) & WORK_SIGNAL;
}

int wait_sleep(u64 deadline_ns)
{
	ASSERT(!host_thread->base.preempt_count);
	while (__atomic_load_n(&host_thread->state, __ATOMIC_ACQUIRE) == THREAD_SLEEPING) {
		if (wait_interrupted(host_thread->sleep_mode)) {
			wait_cancel();
			return -ERESTARTSYS;
		}
		quiescent();
		host_yield();
	}
	return 0;
}

bool thread_wake(struct thread *thread)
{
	u32 sleeping = THREAD_SLEEPING;

	return __atomic_compare_exchange_n(&thread->state, &sleeping, THREAD_RUNNABLE, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

bool thread_interrupt(struct thread *thread, bool fatal)
{
	return true; /* wait_sleep looks for the work that was set before */
}

void thread_kick(struct thread *thread)
{
}

bool thread_is_running(const struct thread *thread)
{
	return false;
}

/* --- threads --- */

bool host_call_end(void)
{
	bool revoked = derivation_leave_all();

	ASSERT(!host_thread->base.preempt_count && host_irq_on);
	thread_work_clear(&host_thread->base, WORK_SIGNAL);
	quiescent();
	if (__atomic_load_n(&pending_count, __ATOMIC_RELAXED) > RCU_BATCH &&
	    mutex_trylock(&batch_lock)) {
		rcu_barrier();
		mutex_unlock(&batch_lock);
	}
	return revoked;
}

static void enter(unsigned number)
{
	host_thread = &threads[number];
	thread_body(number);
	(void)host_call_end();
	__atomic_store_n(&seen[number], UINT64_MAX, __ATOMIC_SEQ_CST);
}

void host_race(unsigned count, void (*body)(unsigned number))
{
	ASSERT(count <= THREADS_MAX);
	for (unsigned i = 0; i < count; i++) {
		threads[i] = (struct thread){ .state = THREAD_RUNNABLE };
		seen[i] = epoch;
	}
	thread_count = count;
	thread_body = body;
	host_run_threads(count, enter);
	thread_count = 0;
}

/* --- what the code under test calls and has no part in it --- */

void aspace_get(struct aspace *as)
{
}

void aspace_put(struct aspace *as)
{
}

void aspace_unmap_derived(struct aspace *as, const struct derivation *derivation)
{
}
