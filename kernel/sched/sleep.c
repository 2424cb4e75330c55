/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sleeping until woken: the thread's half of core/wait.h. */
#include <core/irq.h>
#include <core/panic.h>
#include <core/time.h>
#include <core/wait.h>
#include <lib/errno.h>
#include <sched/thread.h>

struct sleep_timer {
	struct timer timer;
	struct thread *thread;
};

static void time_is_up(struct timer *timer)
{
	thread_wake(container_of(timer, struct sleep_timer, timer)->thread);
}

void wait_prepare(enum sleep_mode mode)
{
	struct thread *t = current_thread();

	t->sleep_mode = (u8)mode;
	/* Pairs with the fences of wake_up and thread_wake. */
	__atomic_store_n(&t->state, THREAD_SLEEPING, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void wait_cancel(void)
{
	__atomic_store_n(&current_thread()->state, THREAD_RUNNABLE, __ATOMIC_RELAXED);
}

bool wait_interrupted(enum sleep_mode mode)
{
	struct thread *t = current_thread();

	switch (mode) {
	case SLEEP_UNINTERRUPTIBLE:
		return false;
	case SLEEP_KILLABLE:
		return __atomic_load_n(&t->killed, __ATOMIC_RELAXED);
	case SLEEP_INTERRUPTIBLE:
		return thread_work(&t->base) & WORK_SIGNAL;
	}
	return false;
}

static int sleep_with_deadline(u64 deadline_ns)
{
	struct sleep_timer sleep = { .thread = current_thread() };

	if (clock_monotonic_ns() >= deadline_ns) {
		wait_cancel();
		return -ETIMEDOUT;
	}
	timer_init(&sleep.timer, time_is_up);
	timer_set(&sleep.timer, deadline_ns);
	schedule();
	return timer_cancel_wait(&sleep.timer) ? 0 : -ETIMEDOUT;
}

int wait_sleep(u64 deadline_ns)
{
	struct thread *t = current_thread();
	enum sleep_mode mode = t->sleep_mode;
	int r = 0;

	lock_debug_may_sleep("wait_sleep");
	if (wait_interrupted(mode)) {
		wait_cancel();
		return -ERESTARTSYS;
	}
	if (unlikely(t->block_plug))
		sched_hooks.plug_flush();
	if (deadline_ns == NO_DEADLINE)
		schedule();
	else
		r = sleep_with_deadline(deadline_ns);
	if (wait_interrupted(mode))
		r = -ERESTARTSYS;
	return r;
}

void thread_sleep_ns(u64 ns)
{
	u64 deadline;

	if (add_overflows(clock_monotonic_ns(), ns, &deadline))
		deadline = NO_DEADLINE;
	while (clock_monotonic_ns() < deadline) {
		wait_prepare(SLEEP_UNINTERRUPTIBLE);
		(void)wait_sleep(deadline); /* the loop tells why it ended */
	}
}
