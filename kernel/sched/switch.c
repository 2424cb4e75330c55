/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leaving the CPU to another thread: one that the scheduler chose, or one that the running thread wakes, as a call through a
 * channel does.
 *
 * In a hand-over the thread that is woken takes the place of the one that goes to sleep: its virtual time, its slice, its CPU. So
 * the queue's trees and sums stay as they are, nobody is chosen, and a server runs on the time of who calls it.
 *
 * The address space that a CPU has loaded is kept alive by the running thread, whose own it is; or by a reference of the queue
 * (rq->loaded_held) from the moment on when a thread without one runs with it.
 */
#include <core/panic.h>
#include <core/time.h>
#include <sched/run_queue.h>

/* Loads the mappings of `next`. A thread without any runs with what is there. */
static inline void switch_aspace(struct run_queue *rq, struct aspace *next) __must_hold(&rq->lock)
{
	if (next == rq->loaded)
		return;
	if (!next) {
		if (!rq->loaded_held)
			sched_hooks.aspace_hold(rq->loaded);
		rq->loaded_held = true;
		return;
	}
	sched_hooks.aspace_activate(next);
	if (unlikely(rq->loaded_held)) {
		rq->to_release = rq->loaded;
		rq->loaded_held = false;
	}
	rq->loaded = next;
}

void thread_use_aspace(struct aspace *aspace) __no_lock_analysis
{
	irqflags_t flags = arch_irq_save();
	struct run_queue *rq = &this_cpu(run_queue);
	struct aspace *to_release = rq->loaded_held ? rq->loaded : nullptr;

	current_thread()->aspace = aspace;
	if (aspace == rq->loaded) {
		arch_irq_restore(flags);
		return;
	}
	/* Unlike a switch this lets go of the old one even for null: it may be about to be destroyed. */
	sched_hooks.aspace_activate(aspace);
	rq->loaded = aspace;
	rq->loaded_held = false;
	arch_irq_restore(flags);
	if (to_release)
		sched_hooks.aspace_release(to_release);
}

/* What the thread before left: its place elsewhere, its mappings, itself. */
static __noinline void finish_rest(struct run_queue *rq, struct thread *previous,
				   irqflags_t flags) __no_lock_analysis
{
	struct thread *homeless = rq->homeless;
	struct aspace *to_release = rq->to_release;
	bool dead = previous->state == THREAD_DEAD;

	rq->to_release = nullptr;
	__atomic_store_n(&previous->on_cpu, false, __ATOMIC_RELEASE);
	if (homeless) {
		rq->homeless = nullptr;
		place_thread(rq, homeless);
	} else {
		spin_unlock_raw(&rq->lock);
	}
	preempt_disable();
	arch_irq_restore(flags);
	if (to_release)
		sched_hooks.aspace_release(to_release);
	if (dead)
		thread_reap(previous);
	preempt_enable();
}

/*
 * The second half of a switch, on the stack of the thread that runs now: lets the queue go, which the thread before has locked, and
 * disposes of what that one left. Interrupts are masked; then they are as `flags` says.
 */
static inline void finish_switch(irqflags_t flags) __no_lock_analysis
{
	struct run_queue *rq = &this_cpu(run_queue);
	struct thread *previous = rq->previous;

	if (unlikely(rq->homeless || rq->to_release || previous->state == THREAD_DEAD)) {
		finish_rest(rq, previous, flags);
		return;
	}
	__atomic_store_n(&previous->on_cpu, false, __ATOMIC_RELEASE);
	spin_unlock_raw(&rq->lock);
	arch_irq_restore(flags);
}

void thread_entered(void)
{
	finish_switch(arch_irq_save());
	arch_irq_enable();
}

/* `next`, not the idle thread, takes over. */
static inline void note_next(struct run_queue *rq, struct thread *prev, struct thread *next,
			     u64 now) __must_hold(&rq->lock)
{
	if (next->has_rseq && next->rseq_cpu != rq->cpu)
		thread_work_set(&next->base, WORK_RSEQ);
	rq->stats.switches++;
	rq->previous = prev;
	rq->current = next;
	next->exec_start_ns = now;
	next->on_cpu = true;
}

/* Counts and books around the moment when `next` takes over from `prev`. */
static void note_switch(struct run_queue *rq, struct thread *prev, struct thread *next,
			bool voluntary, u64 now) __must_hold(&rq->lock)
{
	if (voluntary) {
		prev->voluntary_switches++;
	} else {
		prev->involuntary_switches++;
		if (prev->has_rseq)
			thread_work_set(&prev->base, WORK_RSEQ);
	}
	note_next(rq, prev, next, now);
	if (next == rq->idle)
		__atomic_fetch_or(&idle_cpus, 1ull << rq->cpu, __ATOMIC_RELAXED);
	else if (prev == rq->idle)
		__atomic_fetch_and(&idle_cpus, ~(1ull << rq->cpu), __ATOMIC_RELAXED);
}

void switch_threads(struct run_queue *rq, struct thread *prev, struct thread *next, bool voluntary,
		    u64 now, irqflags_t flags) __no_lock_analysis
{
	note_switch(rq, prev, next, voluntary, now);
	switch_aspace(rq, next->aspace);
	(void)arch_switch(prev, next);
	finish_switch(flags);
}

/* --- handing over --- */

/* Moves a sleeping thread here from the queue of another CPU; false if that would need waiting. */
static __noinline bool bring_here(struct run_queue *rq, struct thread *next) __no_lock_analysis
{
	unsigned cpu = __atomic_load_n(&next->cpu, __ATOMIC_RELAXED);
	struct run_queue *other = &per_cpu(run_queue, cpu);
	bool moved;

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
static inline bool may_hand_over(struct run_queue *rq, struct thread *prev, struct thread *next)
	__must_hold(&rq->lock)
{
	return prev->state == THREAD_SLEEPING && prev->sleep_mode == SLEEP_INTERRUPTIBLE &&
	       !(thread_work(&prev->base) & (WORK_SIGNAL | WORK_RESCHEDULE)) &&
	       !policy_is_rt(prev) && !policy_is_rt(next) &&
	       (likely(next->cpu == rq->cpu) || bring_here(rq, next)) &&
	       next->state == THREAD_SLEEPING && !next->on_queue && !next->counted_blocked;
}

/* As update_current_locked, of a fair thread that sleeps anyway when its slice is over. */
static inline void book_current(struct run_queue *rq, struct thread *t, u64 now)
	__must_hold(&rq->lock)
{
	u64 delta = now - t->exec_start_ns;

	if (unlikely(t->group || t->weight != SCHED_GROUP_WEIGHT ||
		     t->vruntime + delta >= t->vdeadline)) {
		update_current_locked(rq, now);
		return;
	}
	t->pending_ns += delta;
	t->vruntime += delta;
}

/* `next` joins the queue in the place of `prev`. */
static inline void take_place(struct thread *prev, struct thread *next)
{
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
	prev->voluntary_switches++;
}

bool thread_hand_over(struct thread *next, irqflags_t flags) __no_lock_analysis
{
	struct run_queue *rq = &this_cpu(run_queue);
	struct thread *prev = current_thread();
	u64 now;

	spin_lock_raw(&rq->lock);
	if (unlikely(!may_hand_over(rq, prev, next))) {
		spin_unlock_raw(&rq->lock);
		return false;
	}
	rcu_quiescent();
	now = clock_monotonic_ns();
	book_current(rq, prev, now);
	take_place(prev, next);
	note_next(rq, prev, next, now);
	switch_aspace(rq, next->aspace);
	(void)arch_switch(prev, next);
	finish_switch(flags);
	return true;
}
