/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Read-copy-update.
 *
 * rcu_call pushes on a list of its CPU without a lock. One kernel thread serves all CPUs in
 * batches: it takes the lists, waits for a grace period, runs the callbacks. It is woken when a
 * CPU's list grows long, at the latest RCU_DELAY after the first callback, or at once by somebody
 * who waits; so a fork or an exit pays for a few instructions, not for a switch to the thread.
 *
 * Grace period: after the lists were taken, the thread asks every CPU that runs (rcu_wanted) and
 * waits until each has reported from the scheduler, from an interrupt of preemptible code, or from
 * the idle loop. Idle CPUs are not asked: rcu_idle tells that they read nothing, and they clear it
 * before they do. The CPU of the thread itself has just been through the scheduler, so with one CPU
 * a grace period costs nothing.
 *
 * Ordering: a reader that began before the lists were taken is inside its section, hence its CPU
 * cannot report; the fence below pairs with the one of rcu_idle_exit (a CPU leaving idle is seen
 * busy, or sees what was published before), and rcu_pending counts down with release, read with
 * acquire.
 */
#include <core/panic.h>
#include <core/percpu.h>
#include <core/rcu.h>
#include <core/time.h>
#include <core/wait.h>

#define RCU_DELAY (10 * NSEC_PER_MSEC)
#define RCU_BATCH 128 /* callbacks on one CPU that are worth waking the thread */

struct rcu_cpu {
	struct rcu_head *list; /* atomic; newest first */
	u32 count;	       /* since the list was last taken, about */
};

DEFINE_PER_CPU(struct rcu_cpu, rcu_cpu);
DEFINE_PER_CPU(bool, rcu_wanted);
DEFINE_PER_CPU(bool, rcu_idle);

static struct wait_queue rcu_work = WAIT_QUEUE_INIT(rcu_work);	     /* the thread, for callbacks */
static struct wait_queue rcu_done = WAIT_QUEUE_INIT(rcu_done);	     /* the thread, for reports */
static struct wait_queue rcu_waiters = WAIT_QUEUE_INIT(rcu_waiters); /* rcu_barrier */
static u64 batches_begun, batches_done;				     /* atomic */
static bool rcu_urgent;						     /* atomic: run a batch now */
static u64 rcu_pending; /* atomic: CPUs that have not reported */
static bool rcu_armed;	/* atomic: rcu_delay is or will be armed */

static void delay_over(struct timer *timer);
static struct timer rcu_delay = { .expire = delay_over };

static void kick(void)
{
	if (__atomic_exchange_n(&rcu_urgent, true, __ATOMIC_SEQ_CST))
		return;
	wake_up(&rcu_work, 0);
}

static void delay_over(struct timer *timer)
{
	(void)timer;
	kick();
}

void rcu_call(struct rcu_head *head, void (*fn)(struct rcu_head *head))
{
	irqflags_t flags = arch_irq_save();
	struct rcu_cpu *c = &this_cpu(rcu_cpu);
	u32 count = ++c->count;

	head->fn = fn;
	head->next = __atomic_load_n(&c->list, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&c->list, &head->next, head, false, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		;
	arch_irq_restore(flags);
	if (count == RCU_BATCH)
		kick();
	else if (!__atomic_load_n(&rcu_armed, __ATOMIC_RELAXED) &&
		 !__atomic_exchange_n(&rcu_armed, true, __ATOMIC_ACQ_REL))
		timer_set(&rcu_delay, clock_monotonic_ns() + RCU_DELAY);
}

/* Takes the callbacks of all CPUs, oldest first within each CPU. */
static struct rcu_head *take_callbacks(void)
{
	struct rcu_head *all = nullptr, **end = &all;

	for (unsigned cpu = 0; cpu < CPU_MAX; cpu++) {
		struct rcu_cpu *c;
		struct rcu_head *list, *reversed = nullptr, *last;

		if (!(cpu_online_mask >> cpu & 1))
			continue;
		c = &per_cpu(rcu_cpu, cpu);
		list = __atomic_exchange_n(&c->list, nullptr, __ATOMIC_ACQUIRE);
		c->count = 0;
		last = list;
		while (list) {
			struct rcu_head *next = list->next;

			list->next = reversed;
			reversed = list;
			list = next;
		}
		if (reversed) {
			*end = reversed;
			end = &last->next;
		}
	}
	return all;
}

void rcu_report(void)
{
	u64 bit;

	this_cpu(rcu_wanted) = false;
	bit = 1ull << cpu_id();
	if (__atomic_fetch_and(&rcu_pending, ~bit, __ATOMIC_ACQ_REL) == bit)
		wake_up(&rcu_done, 0);
}

void rcu_idle_enter(void)
{
	rcu_quiescent();
	__atomic_store_n(&this_cpu(rcu_idle), true, __ATOMIC_RELEASE);
}

/* Waits until every CPU has been outside of reader sections. On the way some idle ones are reported
 * for. */
static void grace_period(void)
{
	unsigned self;
	u64 others;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	preempt_disable();
	self = cpu_id();
	others = cpu_online_mask & ~(1ull << self);
	__atomic_store_n(&rcu_pending, others, __ATOMIC_RELEASE);
	for_each_cpu (cpu) {
		u64 bit = 1ull << cpu;

		if (!(others & bit))
			continue;
		if (__atomic_load_n(&per_cpu(rcu_idle, cpu), __ATOMIC_ACQUIRE)) {
			__atomic_fetch_and(&rcu_pending, ~bit, __ATOMIC_ACQ_REL);
			continue;
		}
		__atomic_store_n(&per_cpu(rcu_wanted, cpu), true, __ATOMIC_RELEASE);
		arch_ipi_send(cpu, IPI_CALL);
	}
	preempt_enable();
	wait_event(&rcu_done, !__atomic_load_n(&rcu_pending, __ATOMIC_ACQUIRE));
}

static void run_callbacks(struct rcu_head *list)
{
	while (list) {
		struct rcu_head *head = list;

		list = head->next; /* the callback may free the head */
		head->fn(head);
	}
}

void rcu_thread(void *unused)
{
	(void)unused;
	for (;;) {
		struct rcu_head *list;

		wait_event(&rcu_work, __atomic_load_n(&rcu_urgent, __ATOMIC_ACQUIRE));
		__atomic_store_n(&rcu_urgent, false, __ATOMIC_SEQ_CST);
		/* A callback from here on arms the timer again, even if this batch still takes it.
		 */
		__atomic_store_n(&rcu_armed, false, __ATOMIC_SEQ_CST);
		__atomic_add_fetch(&batches_begun, 1, __ATOMIC_SEQ_CST);
		list = take_callbacks();
		grace_period();
		run_callbacks(list);
		__atomic_add_fetch(&batches_done, 1, __ATOMIC_RELEASE);
		wake_up(&rcu_waiters, 0);
	}
}

/* The next batch to begin takes all callbacks made before, and its grace period begins after now.
 */
void rcu_barrier(void)
{
	u64 target;

	lock_debug_may_sleep("rcu_barrier");
	target = __atomic_add_fetch(&batches_begun, 0, __ATOMIC_SEQ_CST) + 1;
	kick();
	wait_event(&rcu_waiters, __atomic_load_n(&batches_done, __ATOMIC_ACQUIRE) >= target);
}

void rcu_synchronize(void)
{
	rcu_barrier();
}
