/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCHED_DEADLINE (sched(7)): the earliest deadline first, and a constant-bandwidth server around each thread (Abeni and
 * Buttazzo, 1998).
 *
 * A thread asks for a runtime within a deadline, once in a period. It runs ahead of the real-time priorities, as the level
 * LEVEL_DEADLINE above them, where the tree is ordered by absolute deadlines. Its budget, the runtime, goes down while it
 * runs. At its end it is throttled: RUNNABLE, but not queued, until a timer gives it the budget of its next period. (A budget of less than a millisecond is looked at after one, and what
 * was overdrawn is paid for by as many periods: a machine that only switches threads gets nothing else done.) So it
 * never has more than its bandwidth, runtime / period, whatever it does; and because the sum of the bandwidths is limited
 * (sched_rt_runtime_us of each sched_rt_period_us, times the CPUs), each gets what it was promised.
 *
 * A thread that wakes up goes on with its deadline and budget if they suffice: if what is left of the budget would not
 * exceed its bandwidth until the deadline. Otherwise its next instance begins now. But what it has overdrawn it pays for
 * asleep too: then it is throttled as it wakes up.
 *
 * Who owns what a deadline thread waits for runs on this level too (thread_set_boost), with the deadline lent to it and
 * without a budget.
 *
 * Invariants: `throttled` threads are not on_queue; all but the timer's own state is guarded by the queue's lock.
 */
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <sched/run_queue.h>

#include <linux/sched.h>

#define BANDWIDTH_SHIFT 20 /* bandwidths are in 1/2^20 of a CPU */
#define RUNTIME_MIN_NS 1024
#define LOOK_MIN_NS ((s64)NSEC_PER_MSEC)

struct thread_deadline {
	struct deadline_params params;
	u64 bandwidth;
	s64 budget_ns;	  /* of the present instance */
	u64 until_ns;	  /* its deadline */
	u64 replenish_ns; /* throttled: until then */
	bool throttled;
	bool overrun; /* the thread asked to be told, and was not yet */
	struct timer timer;
	struct thread *thread;
};

s64 sched_deadline_period_min_us = 100, sched_deadline_period_max_us = 1 << 22;
static u64 bandwidth_used; /* of all threads; atomic */

#define thread_of(n) rb_entry(n, struct thread, run_node)

static u64 bandwidth_of(u64 runtime, u64 period)
{
	return (runtime << BANDWIDTH_SHIFT) / period;
}

static u64 bandwidth_limit(void)
{
	s64 runtime = READ_ONCE(sched_rt_runtime_us);

	if (runtime < 0)
		return UINT64_MAX;
	return bandwidth_of((u64)runtime, (u64)READ_ONCE(sched_rt_period_us)) *
	       (u64)__builtin_popcountll(cpu_online_mask);
}

/* Is it this thread's own turn, not that of somebody who waits for it? */
static bool on_its_own(const struct thread *t)
{
	return t->params.policy == SCHED_DEADLINE &&
	       t->effective.deadline_ns == t->params.deadline_ns;
}

/* --- the tree --- */

void deadline_insert(struct run_queue *rq, struct thread *t)
{
	struct rb_node **link = &rq->deadline.root, *parent = nullptr;

	while (*link) {
		parent = *link;
		link = t->vdeadline < thread_of(parent)->vdeadline ? &parent->left : &parent->right;
	}
	rb_insert(&rq->deadline, &t->run_node, parent, link, nullptr);
}

struct thread *deadline_first(struct run_queue *rq)
{
	return rq->deadline.root ? thread_of(rb_first(&rq->deadline)) : nullptr;
}

/* --- budgets --- */

static void begin_instance(struct thread_deadline *d, u64 now)
{
	d->until_ns = now + d->params.deadline_ns;
	d->budget_ns = (s64)d->params.runtime_ns;
}

/* Would what is left exceed the bandwidth until the deadline? */
static bool exceeds_bandwidth(const struct thread_deadline *d, u64 now)
{
	return d->budget_ns > 0 && (u128)(u64)d->budget_ns * d->params.deadline_ns >
					   (u128)(d->until_ns - now) * d->params.runtime_ns;
}

/* Budget for as many periods as the thread has overdrawn. */
static void replenish(struct thread_deadline *d, u64 now)
{
	u64 periods = (u64)-MIN(d->budget_ns, 0) / d->params.runtime_ns + 1;

	d->until_ns += periods * d->params.period_ns;
	d->budget_ns += (s64)(periods * d->params.runtime_ns);
	d->budget_ns = MIN(d->budget_ns, (s64)d->params.runtime_ns);
	if (d->until_ns <= now)
		begin_instance(d, now);
}

static u64 next_period(const struct thread_deadline *d)
{
	return d->until_ns - d->params.deadline_ns + d->params.period_ns;
}

static void throttle(struct thread_deadline *d)
{
	d->throttled = true;
	d->replenish_ns = next_period(d);
	timer_set(&d->timer, d->replenish_ns);
}

bool deadline_join(struct run_queue *rq, struct thread *t)
{
	struct thread_deadline *d = t->deadline;
	u64 now = clock_monotonic_ns();

	if (!on_its_own(t)) {
		t->vdeadline = now + t->effective.deadline_ns;
		return true;
	}
	/* Nothing is left, or its time is over, and the next period has not begun. The running one stops by itself. */
	if ((d->budget_ns <= 0 || now >= d->until_ns) && now < next_period(d)) {
		if (t != rq->current) {
			throttle(d);
			return false;
		}
	} else if (d->budget_ns <= 0) {
		replenish(d, now);
	} else if (now >= d->until_ns || exceeds_bandwidth(d, now)) {
		begin_instance(d, now);
	}
	t->vdeadline = d->until_ns;
	return true;
}

/* The time of a thread that reclaims goes by the slower, the less of the CPUs has been promised. */
static u64 charge_of(const struct thread_deadline *d, u64 ns)
{
	u64 limit = bandwidth_limit(), share;

	if (!(d->params.flags & SCHED_FLAG_RECLAIM) || limit == UINT64_MAX || !limit)
		return ns;
	share = MAX(READ_ONCE(bandwidth_used), d->bandwidth);
	return ns * MIN(share, limit) / limit;
}

void deadline_run(struct run_queue *rq, struct thread *t, u64 delta_ns)
{
	struct thread_deadline *d = t->deadline;

	if (!on_its_own(t))
		return;
	d->budget_ns -= (s64)charge_of(d, delta_ns);
	if (d->budget_ns <= 0)
		resched_locked(rq);
}

u64 deadline_sample_due(const struct thread *t, u64 now, u64 due)
{
	return on_its_own(t) ? MIN(due, now + (u64)MAX(t->deadline->budget_ns, LOOK_MIN_NS)) : due;
}

bool deadline_throttle(struct run_queue *rq, struct thread *t, bool yield, u64 now)
{
	struct thread_deadline *d = t->deadline;

	if (!on_its_own(t))
		return false;
	if (yield)
		d->budget_ns = MIN(d->budget_ns, 0);
	if (d->budget_ns > 0)
		return false;
	if (!yield && d->params.flags & SCHED_FLAG_DL_OVERRUN) {
		d->overrun = true;
		thread_work_set(&t->base, WORK_NOTIFY);
	}
	if (next_period(d) <= now) {
		replenish(d, now);
		t->vdeadline = d->until_ns;
		return false;
	}
	dequeue_locked(rq, t);
	throttle(d);
	return true;
}

static void period_begins(struct timer *timer) __no_lock_analysis
{
	struct thread_deadline *d = container_of(timer, struct thread_deadline, timer);
	u64 now = clock_monotonic_ns();
	irqflags_t flags;
	struct run_queue *rq = lock_thread_queue(d->thread, &flags);

	/* It may have been let go, and throttled once more, since the timer fired. */
	if (!d->throttled || now < d->replenish_ns) {
		unlock_queue(rq, flags);
		return;
	}
	d->throttled = false;
	replenish(d, now);
	place_thread(rq, d->thread);
	arch_irq_restore(flags);
}

bool deadline_release_locked(struct thread *t)
{
	struct thread_deadline *d = t->deadline;
	bool throttled = d && d->throttled;

	if (throttled)
		d->throttled = false;
	return throttled;
}

bool thread_take_overrun(struct thread *t)
{
	struct thread_deadline *d = t->deadline;

	return d && __atomic_exchange_n(&d->overrun, false, __ATOMIC_RELAXED);
}

/* --- parameters and bandwidth --- */

bool deadline_params_valid(struct deadline_params *p)
{
	u64 us;

	if (!p->period_ns)
		p->period_ns = p->deadline_ns;
	us = p->period_ns / 1000;
	return p->deadline_ns && !((p->deadline_ns | p->period_ns) >> 63) &&
	       p->runtime_ns >= RUNTIME_MIN_NS && p->runtime_ns <= p->deadline_ns &&
	       p->deadline_ns <= p->period_ns && us >= (u64)sched_deadline_period_min_us &&
	       us <= (u64)sched_deadline_period_max_us;
}

/* Takes `more` in the place of `less`, both being of one thread. */
static int exchange_bandwidth(u64 less, u64 more)
{
	u64 used = READ_ONCE(bandwidth_used);

	do {
		if (more > less && used - less + more > bandwidth_limit())
			return -EBUSY;
	} while (!__atomic_compare_exchange_n(&bandwidth_used, &used, used - less + more, true,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return 0;
}

int sched_set_rt_limits(s64 period_us, s64 runtime_us)
{
	u64 used = READ_ONCE(bandwidth_used);

	if (period_us < 1 || runtime_us < -1 || runtime_us > period_us)
		return -EINVAL;
	if (runtime_us >= 0 && used > bandwidth_of((u64)runtime_us, (u64)period_us) *
					       (u64)__builtin_popcountll(cpu_online_mask))
		return -EBUSY;
	WRITE_ONCE(sched_rt_period_us, period_us);
	WRITE_ONCE(sched_rt_runtime_us, runtime_us);
	return 0;
}

void deadline_leave_locked(struct thread *t)
{
	struct thread_deadline *d = t->deadline;

	if (!d)
		return;
	(void)exchange_bandwidth(d->bandwidth, 0); /* less is always there */
	d->bandwidth = 0;
}

/* Puts the new parameters in force, with the queue locked. */
static int set_locked(struct run_queue *rq, struct thread *t, const struct sched_params *params,
		      const struct deadline_params *new) __must_hold(&rq->lock)
{
	struct thread_deadline *d = t->deadline;
	u64 bandwidth = bandwidth_of(new->runtime_ns, new->period_ns);
	int err;

	if (t->state == THREAD_DEAD)
		return -ESRCH;
	if (sched_rt_runtime_us >= 0 && cpu_online_mask & ~t->affinity)
		return -EPERM;
	err = exchange_bandwidth(d->bandwidth, bandwidth);
	if (err)
		return err;
	d->bandwidth = bandwidth;
	d->params = *new;
	begin_instance(d, clock_monotonic_ns());
	t->params = *params;
	t->params.rt_priority = LEVEL_DEADLINE;
	t->params.deadline_ns = new->deadline_ns;
	thread_apply_locked(rq, t);
	return 0;
}

int thread_set_deadline(struct thread *t, const struct sched_params *params,
			const struct deadline_params *new) __no_lock_analysis
{
	struct thread_deadline *fresh = kzalloc(sizeof(*fresh), 0);
	irqflags_t flags;
	struct run_queue *rq;
	int err;

	if (!fresh)
		return -ENOMEM;
	fresh->thread = t;
	timer_init(&fresh->timer, period_begins);
	rq = lock_thread_queue(t, &flags);
	if (!t->deadline) {
		t->deadline = fresh;
		fresh = nullptr;
	}
	err = set_locked(rq, t, params, new);
	unlock_queue(rq, flags);
	kfree(fresh);
	if (READ_ONCE(current_base()->work) & WORK_RESCHEDULE)
		preempt_reschedule();
	return err;
}

void thread_get_deadline(struct thread *t, struct deadline_params *out) __no_lock_analysis
{
	irqflags_t flags;
	struct run_queue *rq = lock_thread_queue(t, &flags);

	*out = t->deadline ? t->deadline->params : (struct deadline_params){};
	unlock_queue(rq, flags);
}

void deadline_thread_ends(struct thread *t)
{
	deadline_leave_locked(t); /* nobody changes a dead thread */
	if (t->deadline)
		(void)timer_cancel_wait(&t->deadline->timer);
}
