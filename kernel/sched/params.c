/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies, priorities and affinity of threads; the books of the scheduler. */
#include <core/irq.h>
#include <core/panic.h>
#include <lib/errno.h>
#include <sched/run_queue.h>

#include <linux/sched.h>

void thread_apply_locked(struct run_queue *rq, struct thread *t)
{
	const struct sched_params *params =
		t->boosted && sched_params_compare(&t->boost, &t->params) > 0 ? &t->boost
									      : &t->params;
	bool queued = t->on_queue;

	update_current_locked(rq, clock_monotonic_ns());
	if (queued)
		dequeue_locked(rq, t);
	else
		queued = deadline_release_locked(t);
	t->effective = *params;
	t->weight = fair_weight_of(params);
	t->slice_left_ns = 0;
	if (!queued)
		return;
	enqueue_locked(rq, t);
	resched_locked(rq);
}

int sched_params_compare(const struct sched_params *a, const struct sched_params *b)
{
	bool a_idle = a->policy == SCHED_IDLE, b_idle = b->policy == SCHED_IDLE;

	if (a->rt_priority != b->rt_priority)
		return a->rt_priority - b->rt_priority;
	if (a->rt_priority == LEVEL_DEADLINE && a->deadline_ns != b->deadline_ns)
		return a->deadline_ns < b->deadline_ns ? 1 : -1;
	return a_idle != b_idle ? b_idle - a_idle : b->nice - a->nice;
}

static bool params_valid(const struct sched_params *p)
{
	if (p->nice < -20 || p->nice > 19)
		return false;
	switch (p->policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		return p->rt_priority >= 1 && p->rt_priority <= 99;
	case SCHED_NORMAL:
	case SCHED_BATCH:
	case SCHED_IDLE:
		return p->rt_priority == 0;
	case SCHED_DEADLINE:
		return p->rt_priority == LEVEL_DEADLINE; /* as the thread has it */
	default:
		return false;
	}
}

int thread_set_params(struct thread *thread, const struct sched_params *params) __no_lock_analysis
{
	struct run_queue *rq;
	irqflags_t flags;

	if (!params_valid(params))
		return -EINVAL;
	rq = lock_thread_queue(thread, &flags);
	if (params->policy == SCHED_DEADLINE) {
		thread->params.nice = params->nice;
		thread->params.reset_on_fork = params->reset_on_fork;
	} else {
		if (thread->params.policy == SCHED_DEADLINE)
			deadline_leave_locked(thread);
		thread->params = *params;
		thread->params.deadline_ns = 0;
	}
	thread_apply_locked(rq, thread);
	unlock_queue(rq, flags);
	if (READ_ONCE(current_base()->work) & WORK_RESCHEDULE)
		preempt_reschedule();
	return 0;
}

void thread_set_boost(struct thread *thread, const struct sched_params *boost) __no_lock_analysis
{
	irqflags_t flags;
	struct run_queue *rq = lock_thread_queue(thread, &flags);

	if (boost)
		thread->boost = *boost;
	if (boost || thread->boosted) {
		thread->boosted = boost;
		thread_apply_locked(rq, thread);
	}
	unlock_queue(rq, flags);
}

int thread_set_affinity(struct thread *thread, u64 mask) __no_lock_analysis
{
	struct run_queue *rq;
	irqflags_t flags;

	if (!(mask & __atomic_load_n(&cpu_online_mask, __ATOMIC_RELAXED)))
		return -EINVAL;
	rq = lock_thread_queue(thread, &flags);
	if (thread->params.policy == SCHED_DEADLINE && sched_rt_runtime_us >= 0 &&
	    cpu_online_mask & ~mask) {
		unlock_queue(rq, flags);
		return -EBUSY;
	}
	thread->affinity = mask;
	if (!thread->on_queue || mask >> rq->cpu & 1) {
		unlock_queue(rq, flags);
	} else if (thread == rq->current) {
		resched_locked(rq); /* the switch sends it away */
		unlock_queue(rq, flags);
	} else {
		dequeue_locked(rq, thread);
		place_thread(rq, thread);
		arch_irq_restore(flags);
	}
	if (READ_ONCE(current_base()->work) & WORK_RESCHEDULE)
		preempt_reschedule();
	return 0;
}

/* --- books --- */

void thread_times(const struct thread *thread, u64 *user_ns, u64 *system_ns) __no_lock_analysis
{
	struct thread *t = (struct thread *)thread; /* the books are brought up to date */
	irqflags_t flags;
	struct run_queue *rq = lock_thread_queue(t, &flags);

	if (t == rq->current)
		update_current_locked(rq, clock_monotonic_ns());
	commit_times_locked(rq, t);
	*user_ns = t->user_ns;
	*system_ns = t->system_ns;
	unlock_queue(rq, flags);
}

void sched_cpu_stats(unsigned cpu, struct sched_cpu_stats *out) __no_lock_analysis
{
	struct run_queue *rq = &per_cpu(run_queue, cpu);
	irqflags_t flags = arch_irq_save();

	spin_lock_raw(&rq->lock);
	update_current_locked(rq, clock_monotonic_ns());
	*out = rq->stats;
	spin_unlock_raw(&rq->lock);
	arch_irq_restore(flags);
	out->irq_ns = irq_time_ns(cpu);
}

unsigned sched_runnable_count(void)
{
	unsigned n = 0;

	for_each_cpu (cpu)
		n += __atomic_load_n(&per_cpu(run_queue, cpu).runnable, __ATOMIC_RELAXED);
	return n;
}

/* --- load averages --- */

#define LOAD_INTERVAL_NS (5 * NSEC_PER_SEC)
#define LOAD_ONE 65536u

static u32 load_average[3]; /* written by the timer only */
static struct timer load_timer;

static unsigned active_count(void)
{
	unsigned n = sched_runnable_count();

	for_each_cpu (cpu)
		n += __atomic_load_n(&per_cpu(run_queue, cpu).blocked, __ATOMIC_RELAXED);
	return n;
}

/* Exponential averages over 1, 5 and 15 minutes: e^(-5 s / minutes) of the old value stays. */
static void sample_load(struct timer *timer)
{
	static const u32 keep[3] = { 60296, 64453, 65173 };
	u64 now = (u64)active_count() * LOAD_ONE;

	for (int i = 0; i < 3; i++)
		load_average[i] =
			(u32)((load_average[i] * (u64)keep[i] + now * (LOAD_ONE - keep[i])) /
			      LOAD_ONE);
	timer_set(timer, timer->deadline_ns + LOAD_INTERVAL_NS);
}

void sched_load_average(u32 out[3])
{
	for (int i = 0; i < 3; i++)
		out[i] = __atomic_load_n(&load_average[i], __ATOMIC_RELAXED);
}

void load_average_start(void)
{
	timer_init(&load_timer, sample_load);
	timer_set(&load_timer, clock_monotonic_ns() + LOAD_INTERVAL_NS);
}
