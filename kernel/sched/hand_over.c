/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Switching from one thread straight to another that it wakes, as a call through a channel does.
 *
 * The thread that is woken takes the place of the one that goes to sleep: its virtual time, its slice, its CPU. So the
 * queue's trees and sums stay as they are, nobody is chosen, and a server runs on the time of who calls it.
 */
#include <core/time.h>
#include <sched/run_queue.h>

/* Moves a sleeping thread here from the queue of another CPU; false if that would need waiting. */
static bool bring_here(struct run_queue *rq, struct thread *next) __no_lock_analysis
{
	unsigned cpu = __atomic_load_n(&next->cpu, __ATOMIC_RELAXED);
	struct run_queue *other = &per_cpu(run_queue, cpu);
	bool moved;

	if (cpu == rq->cpu)
		return true;
	if (!(next->affinity >> rq->cpu & 1) ||
	    __atomic_exchange_n(&other->lock.word, 1,
				__ATOMIC_ACQUIRE)) /* two queues: the second is only tried */
		return false;
	moved = next->cpu == cpu && next->state == THREAD_SLEEPING && !next->on_queue &&
		!next->counted_blocked;
	if (moved)
		__atomic_store_n(&next->cpu, rq->cpu, __ATOMIC_RELAXED);
	spin_unlock_raw(&other->lock);
	return moved;
}

/* The running thread sleeps already, nothing wants its attention, and `next` can take its place. */
static bool may_hand_over(struct run_queue *rq, struct thread *prev, struct thread *next)
	__must_hold(&rq->lock)
{
	return prev->state == THREAD_SLEEPING && prev->sleep_mode == SLEEP_INTERRUPTIBLE &&
	       !(thread_work(&prev->base) & (WORK_SIGNAL | WORK_RESCHEDULE)) &&
	       !policy_is_rt(prev) && !policy_is_rt(next) && bring_here(rq, next) &&
	       next->state == THREAD_SLEEPING && !next->on_queue && !next->counted_blocked;
}

bool thread_hand_over(struct thread *next, irqflags_t flags) __no_lock_analysis
{
	struct run_queue *rq = &this_cpu(run_queue);
	struct thread *prev = rq->current;

	spin_lock_raw(&rq->lock);
	if (!may_hand_over(rq, prev, next)) {
		spin_unlock_raw(&rq->lock);
		return false;
	}
	rcu_quiescent();
	update_current_locked(rq, clock_monotonic_ns());
	__atomic_store_n(&next->state, THREAD_RUNNABLE, __ATOMIC_RELAXED);
	next->vruntime = prev->vruntime;
	next->vdeadline = prev->vdeadline;
	next->on_queue = true;
	if (unlikely(prev->group != next->group)) {
		sched_group_count(prev->group, -1);
		sched_group_count(next->group, 1);
	}
	prev->lag = 0;
	prev->on_queue = false;
	switch_threads(rq, prev, next, true, prev->exec_start_ns, flags);
	return true;
}
