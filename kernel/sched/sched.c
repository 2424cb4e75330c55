/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler.
 *
 * Every CPU has a run queue (run_queue.h). Threads with a deadline (deadline.c) run before real-time
 * ones (SCHED_FIFO, SCHED_RR), these before fair ones (fair.c), these before the idle thread. The kernel is preemptible: a thread that should give
 * way has WORK_RESCHEDULE set and does so at the return to user mode, at the end of an interrupt,
 * or when it enables preemption again, whichever comes first.
 *
 * Invariants:
 *  1. A thread's scheduler fields change only under the lock of the queue of its `cpu`.
 *  2. That lock is held across a switch. A thread that is not on_queue is therefore switched out
 * for good, and whoever wakes it may run it on any CPU.
 *  3. A thread leaves the queue only in switch_thread() of its own, with its state not RUNNABLE.
 * Being preempted between wait_prepare and wait_sleep does not put it to sleep.
 *  4. `state` goes to SLEEPING without a lock, by the thread itself, and back to RUNNABLE by itself
 * or under the lock.
 *
 * Nothing ticks on an idle CPU. On a busy one a timer fires once per slice when threads wait, and
 * every SAMPLE_NS when one runs alone: that tells user from system time, and keeps grace periods
 * going.
 *
 * Lock order: RANK_RUN_QUEUE < RANK_TIMER. Two queues are never waited for at once (balance.c tries
 * the second).
 */
#include <arch/trap.h>
#include <core/irq.h>
#include <core/panic.h>
#include <sched/run_queue.h>

#include <linux/sched.h>

DEFINE_PER_CPU(struct run_queue, run_queue) = { .lock = SPINLOCK_INIT(RANK_RUN_QUEUE) };

struct sched_hooks sched_hooks;
s64 sched_rt_period_us = 1000000, sched_rt_runtime_us = 950000;

struct run_queue *lock_thread_queue(struct thread *t, irqflags_t *flags) __no_lock_analysis
{
	*flags = arch_irq_save();
	for (;;) {
		unsigned cpu = __atomic_load_n(&t->cpu, __ATOMIC_RELAXED);
		struct run_queue *rq = &per_cpu(run_queue, cpu);

		spin_lock_raw(&rq->lock);
		if (t->cpu == cpu)
			return rq;
		spin_unlock_raw(&rq->lock);
	}
}

void unlock_queue(struct run_queue *rq, irqflags_t flags) __no_lock_analysis
{
	spin_unlock_raw(&rq->lock);
	arch_irq_restore(flags);
}

/* --- time --- */

void commit_times_locked(struct run_queue *rq, struct thread *t)
{
	u64 ns = t->pending_ns;

	t->pending_ns = 0;
	if (t == rq->idle) {
		rq->stats.idle_ns += ns;
	} else if (!t->in_user_mode) {
		t->system_ns += ns;
		rq->stats.system_ns += ns;
	} else {
		t->user_ns += ns;
		*(t->effective.nice > 0 ? &rq->stats.nice_ns : &rq->stats.user_ns) += ns;
	}
}

/* Real-time threads: a SCHED_RR thread whose slice is over goes to the end of its list. */
static bool rt_run(struct run_queue *rq, struct thread *t, u64 delta_ns) __must_hold(&rq->lock)
{
	if (policy_is_deadline(t))
		deadline_run(rq, t, delta_ns);
	if (t->effective.policy != SCHED_RR)
		return false;
	if (t->slice_left_ns > delta_ns) {
		t->slice_left_ns -= delta_ns;
		return false;
	}
	t->slice_left_ns = 0;
	return true;
}

void update_current_locked(struct run_queue *rq, u64 now)
{
	struct thread *t = rq->current;
	u64 delta = now - t->exec_start_ns;

	t->exec_start_ns = now;
	t->pending_ns += delta;
	if (policy_is_rt(t))
		rq->rt_used_ns += delta;
	if (t == rq->idle)
		commit_times_locked(rq, t);
	else if (t->on_queue && (policy_is_rt(t) ? rt_run(rq, t, delta) : fair_run(t, delta)) &&
		 rq->runnable > 1)
		resched_locked(rq);
	if (unlikely(t->group) && sched_group_charge(t->group, delta, now))
		thread_work_set(&t->base, WORK_NOTIFY);
}

/* Sees to it that somebody looks at `running` within the time it may have. */
static void arm_sample(struct run_queue *rq, const struct thread *running, u64 now)
	__must_hold(&rq->lock)
{
	u64 due = now + (rq->runnable > 1 ? SLICE_NS : SAMPLE_NS);

	if (unlikely(policy_is_deadline(running)))
		due = deadline_sample_due(running, now, due);
	/* Firing too early is cheaper than moving the timer at each switch. */
	if (!timer_armed(&rq->sample) || rq->sample.deadline_ns > due)
		timer_set(&rq->sample, due);
}

/* Real-time threads that never sleep leave the others a part of each period (sched(7), "Limiting the CPU usage"). */
static void rt_throttle_locked(struct run_queue *rq, u64 now) __must_hold(&rq->lock)
{
	bool throttled = rq->rt_throttled;

	if (now - rq->rt_period_start_ns >= (u64)sched_rt_period_us * 1000) {
		rq->rt_period_start_ns = now;
		rq->rt_used_ns = 0;
		rq->rt_throttled = false;
	} else if (sched_rt_runtime_us >= 0) {
		rq->rt_throttled = rq->rt_used_ns >= (u64)sched_rt_runtime_us * 1000;
	}
	if (throttled != rq->rt_throttled && rq->runnable > 1)
		resched_locked(rq);
}

static void sample_locked(struct run_queue *rq) __must_hold(&rq->lock)
{
	struct thread *t = rq->current;
	u64 now = clock_monotonic_ns();

	update_current_locked(rq, now);
	if (t == rq->idle)
		return;
	t->in_user_mode = interrupted_user_mode();
	commit_times_locked(rq, t);
	rt_throttle_locked(rq, now);
	if (rq->runnable < 2)
		(void)steal_locked(rq);
	arm_sample(rq, t, now);
}

static void sample(struct timer *timer) __no_lock_analysis
{
	struct run_queue *rq = container_of(timer, struct run_queue, sample);

	spin_lock_raw(&rq->lock);
	sample_locked(rq);
	spin_unlock_raw(&rq->lock);
}

void sched_init_sample_timer(struct run_queue *rq)
{
	timer_init(&rq->sample, sample);
	rq->sample.cpu = rq->cpu;
}

/* --- queues --- */

static void rt_enter(struct run_queue *rq, struct thread *t, bool at_head) __must_hold(&rq->lock)
{
	unsigned level = t->effective.rt_priority;

	if (level == LEVEL_DEADLINE)
		deadline_insert(rq, t);
	else if (at_head)
		list_add(&rq->rt[level], &t->rt_node);
	else
		list_add_tail(&rq->rt[level], &t->rt_node);
	rq->rt_present[level / 64] |= 1ull << level % 64;
}

static void rt_leave(struct run_queue *rq, struct thread *t) __must_hold(&rq->lock)
{
	unsigned level = t->effective.rt_priority;

	if (level == LEVEL_DEADLINE)
		rb_erase(&rq->deadline, &t->run_node, nullptr);
	else
		list_remove(&t->rt_node);
	if (level == LEVEL_DEADLINE ? !rq->deadline.root : list_empty(&rq->rt[level]))
		rq->rt_present[level / 64] &= ~(1ull << level % 64);
}

static unsigned rt_highest(const struct run_queue *rq) __must_hold(&rq->lock)
{
	if (rq->rt_present[1])
		return 127 - (unsigned)__builtin_clzll(rq->rt_present[1]);
	return rq->rt_present[0] ? 63 - (unsigned)__builtin_clzll(rq->rt_present[0]) : 0;
}

void enqueue_locked(struct run_queue *rq, struct thread *t)
{
	if (unlikely(policy_is_deadline(t)) && !deadline_join(rq, t))
		return;
	rq->runnable++;
	if (unlikely(t->group))
		sched_group_count(t->group, 1);
	if (!policy_is_rt(t))
		fair_enter(rq, t);
	else if (t != rq->current)
		rt_enter(rq, t, false);
	t->on_queue = true;
}

void dequeue_locked(struct run_queue *rq, struct thread *t)
{
	rq->runnable--;
	if (!policy_is_rt(t))
		fair_leave(rq, t);
	else if (t != rq->current)
		rt_leave(rq, t);
	if (unlikely(t->group))
		sched_group_count(t->group, -1);
	t->on_queue = false;
}

void resched_locked(struct run_queue *rq)
{
	struct thread_base *running = &rq->current->base;

	if (READ_ONCE(running->work) & WORK_RESCHEDULE)
		return;
	thread_work_set(running, WORK_RESCHEDULE);
	if (rq->cpu != cpu_id())
		arch_ipi_send(rq->cpu, IPI_RESCHEDULE);
}

/* Should `t`, just queued, run instead of a thread of the same real-time level? */
static bool deadline_preempts(const struct thread *t, const struct thread *running)
{
	return policy_is_deadline(t) && policy_is_deadline(running) &&
	       t->vdeadline < running->vdeadline;
}

static void preempt_if_better(struct run_queue *rq, struct thread *t) __must_hold(&rq->lock)
{
	struct thread *running = rq->current;

	if (running == rq->idle || t->effective.rt_priority > running->effective.rt_priority ||
	    (policy_is_rt(running) ? deadline_preempts(t, running) : fair_preempts(rq, t, running)))
		resched_locked(rq);
}

/* --- placing --- */

void place_thread(struct run_queue *rq, struct thread *t) __no_lock_analysis
{
	unsigned cpu = select_cpu(t);

	if (t->counted_blocked) {
		t->counted_blocked = false;
		rq->blocked--;
	}
	if (cpu != rq->cpu) {
		__atomic_store_n(&t->cpu, cpu, __ATOMIC_RELAXED);
		spin_unlock_raw(&rq->lock);
		rq = &per_cpu(run_queue, cpu);
		spin_lock_raw(&rq->lock);
	}
	update_current_locked(rq, clock_monotonic_ns());
	enqueue_locked(rq, t);
	preempt_if_better(rq, t);
	/* A lone thread is looked at seldom; now that another waits, sooner. */
	if (rq->runnable == 2 && rq->cpu == cpu_id())
		arm_sample(rq, rq->current, rq->current->exec_start_ns);
	spin_unlock_raw(&rq->lock);
}

/* --- switching --- */

/* Does the running real-time thread go on, before the others of its level? `level` is that of the best that waits. */
static bool rt_goes_on(struct run_queue *rq, struct thread *running, unsigned level, bool turn_over)
	__must_hold(&rq->lock)
{
	if (running->effective.rt_priority != level)
		return running->effective.rt_priority > level;
	return level == LEVEL_DEADLINE ? running->vdeadline <= deadline_first(rq)->vdeadline
				       : !turn_over;
}

static struct thread *rt_take_first(struct run_queue *rq, unsigned level) __must_hold(&rq->lock)
{
	struct thread *next = level == LEVEL_DEADLINE
				      ? deadline_first(rq)
				      : list_first(&rq->rt[level], struct thread, rt_node);

	rt_leave(rq, next);
	next->slice_left_ns = next->slice_left_ns ?: RR_SLICE_NS;
	return next;
}

/* The thread to run; the running one, if it is still runnable, is put back unless it goes on. */
static struct thread *pick_next(struct run_queue *rq, struct thread *running, bool yield, u64 now)
	__must_hold(&rq->lock)
{
	unsigned level = rt_highest(rq);
	bool fair_first;
	struct thread *next;

	if (running && unlikely(policy_is_deadline(running)) &&
	    deadline_throttle(rq, running, yield, now))
		running = nullptr;
	fair_first = unlikely(rq->rt_throttled) && level != LEVEL_DEADLINE &&
		     (rq->fair.root || (running && !policy_is_rt(running)));
	if (running && policy_is_rt(running)) {
		bool turn_over =
			yield || (running->effective.policy == SCHED_RR && !running->slice_left_ns);

		if ((!fair_first || policy_is_deadline(running)) &&
		    rt_goes_on(rq, running, level, turn_over)) {
			running->slice_left_ns = running->slice_left_ns ?: RR_SLICE_NS;
			return running;
		}
		rt_enter(rq, running, !turn_over);
		running = nullptr;
	}
	if (level && !fair_first) {
		next = rt_take_first(rq, level);
		if (running)
			fair_put(rq, running);
		return next;
	}
	next = fair_take_best(rq, running, yield);
	if (!next)
		return running ? running : rq->idle;
	if (running)
		fair_put(rq, running);
	return next;
}

/* The running thread sleeps or is dead. */
static void block_locked(struct run_queue *rq, struct thread *t) __must_hold(&rq->lock)
{
	dequeue_locked(rq, t);
	if (t->user && t->state == THREAD_SLEEPING && t->sleep_mode != SLEEP_INTERRUPTIBLE) {
		t->counted_blocked = true;
		rq->blocked++;
	}
}

enum switch_reason { SWITCH_SLEEP, SWITCH_YIELD, SWITCH_PREEMPT };

/* Interrupts are masked on entry, and as `flags` says on return. */
static void switch_thread(enum switch_reason reason, irqflags_t flags) __no_lock_analysis
{
	struct run_queue *rq = &this_cpu(run_queue);
	struct thread *prev = rq->current, *next, *running = prev;
	u64 now;

	rcu_quiescent();
	spin_lock_raw(&rq->lock);
	now = clock_monotonic_ns();
	update_current_locked(rq, now);
	thread_work_clear(&prev->base, WORK_RESCHEDULE);
	if (prev == rq->idle) {
		running = nullptr;
	} else if (reason == SWITCH_SLEEP && prev->state != THREAD_RUNNABLE) {
		block_locked(rq, prev);
		running = nullptr;
	} else if (unlikely(!(prev->affinity >> rq->cpu & 1))) {
		dequeue_locked(rq, prev);
		rq->homeless = prev;
		running = nullptr;
	}
	if (!running && !rq->runnable && cpu_online_mask != 1)
		(void)steal_locked(rq);
	next = pick_next(rq, running, reason == SWITCH_YIELD, now);
	if (next != rq->idle)
		arm_sample(rq, next, now);
	if (next == prev) {
		spin_unlock_raw(&rq->lock);
		arch_irq_restore(flags);
		return;
	}
	switch_threads(rq, prev, next, !running && prev != rq->idle, now, flags);
}

void schedule(void)
{
	irqflags_t flags = arch_irq_save();

	DASSERT(!current_base()->preempt_count);
	switch_thread(SWITCH_SLEEP, flags);
}

void thread_yield(void)
{
	switch_thread(SWITCH_YIELD, arch_irq_save());
}

void preempt_reschedule(void)
{
	if (current_base()->preempt_count || !arch_irq_enabled())
		return;
	while (thread_work(current_base()) & WORK_RESCHEDULE)
		switch_thread(SWITCH_PREEMPT, arch_irq_save());
}

void trap_preempt_kernel(void)
{
	irqflags_t flags = arch_irq_save(); /* masked, and stays so */

	while (thread_work(current_base()) & WORK_RESCHEDULE)
		switch_thread(SWITCH_PREEMPT, flags);
}

/* --- waking --- */

/* May the wake-up end a sleep in this mode? */
enum wake_kind { WAKE_EVENT, WAKE_SIGNAL, WAKE_FATAL };

static bool wake(struct thread *t, enum wake_kind kind) __no_lock_analysis
{
	struct run_queue *rq;
	irqflags_t flags;

	/* Pairs with wait_prepare: either we see SLEEPING, or the sleeper sees what the caller has
	 * changed. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&t->state, __ATOMIC_RELAXED) != THREAD_SLEEPING)
		return false;
	rq = lock_thread_queue(t, &flags);
	if (t->state != THREAD_SLEEPING ||
	    (kind == WAKE_SIGNAL && t->sleep_mode != SLEEP_INTERRUPTIBLE) ||
	    (kind == WAKE_FATAL && t->sleep_mode == SLEEP_UNINTERRUPTIBLE)) {
		unlock_queue(rq, flags);
		return false;
	}
	__atomic_store_n(&t->state, THREAD_RUNNABLE, __ATOMIC_RELAXED);
	if (t->on_queue) /* it has not got to sleep yet */
		unlock_queue(rq, flags);
	else
		place_thread(rq, t);
	arch_irq_restore(flags);
	if (READ_ONCE(current_base()->work) & WORK_RESCHEDULE)
		preempt_reschedule();
	return true;
}

bool thread_wake(struct thread *thread)
{
	return wake(thread, WAKE_EVENT);
}

bool thread_interrupt(struct thread *thread, bool fatal)
{
	if (fatal)
		__atomic_store_n(&thread->killed, true, __ATOMIC_RELAXED);
	return wake(thread, fatal ? WAKE_FATAL : WAKE_SIGNAL);
}

void thread_start(struct thread *thread) __no_lock_analysis
{
	struct run_queue *rq;
	irqflags_t flags;

	ASSERT(thread->state == THREAD_NEW);
	thread->effective = thread->params;
	thread->weight = fair_weight_of(&thread->effective);
	thread->in_user_mode =
		thread->user; /* what a thread too short-lived for a sample counts as */
	thread->state = THREAD_RUNNABLE;
	rq = lock_thread_queue(thread, &flags);
	place_thread(rq, thread);
	arch_irq_restore(flags);
	if (READ_ONCE(current_base()->work) & WORK_RESCHEDULE)
		preempt_reschedule();
}

bool thread_is_running(const struct thread *thread)
{
	return __atomic_load_n(&thread->on_cpu, __ATOMIC_RELAXED);
}

void thread_kick(struct thread *thread)
{
	unsigned cpu = __atomic_load_n(&thread->cpu, __ATOMIC_RELAXED);

	if (__atomic_load_n(&thread->on_cpu, __ATOMIC_ACQUIRE) && cpu != cpu_id())
		arch_ipi_send(cpu, IPI_RESCHEDULE);
}
