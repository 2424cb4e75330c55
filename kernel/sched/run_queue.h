/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the scheduler: the run queue of a CPU and the functions of its two classes. */
#pragma once

#include <core/percpu.h>
#include <core/time.h>
#include <sched/group.h>
#include <sched/thread.h>

typedef unsigned __int128 u128;
typedef __int128 s128;

#define SLICE_NS (3 * NSEC_PER_MSEC) /* what a fair thread is given at a time when others wait */
#define RR_SLICE_NS SCHED_RR_SLICE_NS
#define SAMPLE_NS (10 * NSEC_PER_MSEC) /* how often a lone running thread is looked at */
#define RT_LEVELS 100

/*
 * One per CPU. `lock` guards everything here and the scheduler's fields of the threads whose `cpu` this is. It is taken
 * with interrupts masked and held across a switch: the next thread releases it. So whoever holds it sees each of
 * those threads either running or completely switched out.
 */
struct run_queue {
	struct spinlock lock;
	struct thread *current, *idle;
	struct thread *previous; /* during a switch */
	struct thread *homeless; /* during a switch: `previous`, if it may not stay on this CPU */
	unsigned cpu;
	unsigned
		runnable; /* threads that are RUNNABLE, the running one included, the idle one not */
	unsigned blocked; /* user threads in uninterruptible sleep, for the load average */

	/* Fair class: the threads in the tree, without the running one. */
	struct rb_tree fair; /* by vdeadline, augmented with vruntime_min */
	u128 fair_sum;	     /* sum of vruntime * weight */
	u64 fair_weight;     /* sum of weight */
	u64 fair_time;	     /* virtual time when the class was last busy */

	/* Real-time classes: a list per priority, and above them the threads with a deadline. Without the running one. */
	struct list_head rt[RT_LEVELS];
	struct rb_tree deadline; /* by vdeadline */
	u64 rt_present[2];	 /* bit p: rt[p] is not empty; LEVEL_DEADLINE: the tree */
	u64 rt_period_start_ns,
		rt_used_ns; /* what they have had of the period, see sched_rt_runtime_us */
	bool rt_throttled;  /* fair threads come first until the period is over */

	/* What the MMU goes by; kept alive by the running thread whose own it is, or by a reference of this queue. */
	struct aspace *loaded;
	bool loaded_held;	   /* it is the queue that keeps it */
	struct aspace *to_release; /* reference to drop after the switch */
	struct timer sample;	   /* the next look at the running thread */
	struct sched_cpu_stats stats;
};

DECLARE_PER_CPU(struct run_queue, run_queue);

static inline bool policy_is_deadline(const struct thread *t)
{
	return t->effective.rt_priority == LEVEL_DEADLINE;
}

/* Ahead of the fair class. */
static inline bool policy_is_rt(const struct thread *t)
{
	return t->effective.rt_priority != 0;
}

/* Books the CPU time of the running thread up to `now`. */
void update_current_locked(struct run_queue *rq, u64 now) __must_hold(&rq->lock);

/* Tells the pending CPU time of a thread apart, by its last sample. */
void commit_times_locked(struct run_queue *rq, struct thread *t) __must_hold(&rq->lock);

/* Adds a thread that became runnable (one that is throttled is added later); takes out one that is queued or running. */
void enqueue_locked(struct run_queue *rq, struct thread *t) __must_hold(&rq->lock);
void dequeue_locked(struct run_queue *rq, struct thread *t) __must_hold(&rq->lock);

/* Makes a thread that is RUNNABLE but not queued wait for its turn on the best CPU. Releases `rq`, its old queue. */
void place_thread(struct run_queue *rq, struct thread *t) __releases(&rq->lock);

/* Has the running thread of `rq` give way soon. */
void resched_locked(struct run_queue *rq) __must_hold(&rq->lock);

/* Locks the queue that a thread belongs to, interrupts masked. */
struct run_queue *lock_thread_queue(struct thread *t, irqflags_t *flags);
void unlock_queue(struct run_queue *rq, irqflags_t flags);

/* Prepares rq->sample. */
void sched_init_sample_timer(struct run_queue *rq);

/*
 * Leaves the CPU to `next`, which is on the queue, out of its trees. Releases the queue's lock. Returns when `prev` runs
 * again, with interrupts as `flags` says.
 */
void switch_threads(struct run_queue *rq, struct thread *prev, struct thread *next, bool voluntary,
		    u64 now, irqflags_t flags) __releases(&rq->lock);

/* The first act of a new thread: ends the switch to it. Unmasks interrupts. */
void thread_entered(void);

/* --- fair.c --- */

u32 fair_weight_of(const struct sched_params *params);
/* A thread joins with the lag it left with; it leaves and its lag is noted. The running one is not in the tree. */
void fair_enter(struct run_queue *rq, struct thread *t) __must_hold(&rq->lock);
void fair_leave(struct run_queue *rq, struct thread *t) __must_hold(&rq->lock);
/* Puts the running thread back into the tree; takes the best one out of it, null if the tree is empty. */
void fair_put(struct run_queue *rq, struct thread *t) __must_hold(&rq->lock);
struct thread *fair_take_best(struct run_queue *rq, struct thread *running, bool yield)
	__must_hold(&rq->lock);
/* Advances the running thread's virtual time; true when its slice is over. */
bool fair_run(struct thread *t, u64 delta_ns);
/* True if `t`, just queued, should run instead of the running thread. */
bool fair_preempts(struct run_queue *rq, struct thread *t, struct thread *running)
	__must_hold(&rq->lock);

/* --- deadline.c --- */

/* A thread joins: decides with which deadline. False: it is throttled instead, and is not to be queued. */
bool deadline_join(struct run_queue *rq, struct thread *t) __must_hold(&rq->lock);
/* Into the tree, as it is; the one whose deadline comes first, or null. */
void deadline_insert(struct run_queue *rq, struct thread *t) __must_hold(&rq->lock);
struct thread *deadline_first(struct run_queue *rq) __must_hold(&rq->lock);
/* Books time of the running thread; asks for a switch when its budget is used up. */
void deadline_run(struct run_queue *rq, struct thread *t, u64 delta_ns) __must_hold(&rq->lock);
/* When to look at a thread that begins to run: at `due`, or sooner, when its budget is used up. */
u64 deadline_sample_due(const struct thread *t, u64 now, u64 due);
/* Takes the running thread off the queue until its next period, if its budget is used up or it yields. */
bool deadline_throttle(struct run_queue *rq, struct thread *t, bool yield, u64 now)
	__must_hold(&rq->lock);
/* Ends that; true if the thread was throttled, and has to be queued by the caller. Lock of its queue held. */
bool deadline_release_locked(struct thread *t);
/* The thread has another policy now: what it was promised is free for others. Lock of its queue held. */
void deadline_leave_locked(struct thread *t);
/* The same for a thread that has ended, and is switched out. */
void deadline_thread_ends(struct thread *t);

/* --- balance.c --- */

/* The CPU on which a thread that wakes up should run. */
unsigned select_cpu(struct thread *t);
/* Takes a waiting thread from a busier CPU; true if one came. */
bool steal_locked(struct run_queue *rq) __must_hold(&rq->lock);
/* CPUs that idle; bit n is CPU n. Atomic. */
extern u64 idle_cpus;

/* --- params.c --- */

/* Has the scheduler go by t->params and t->boost, as if the thread left its queue before and joined it afterwards. */
void thread_apply_locked(struct run_queue *rq, struct thread *t) __must_hold(&rq->lock);

void load_average_start(void);

/* --- thread.c --- */

/* Adds a thread to the list of all. */
void thread_list_add(struct thread *t);

/* Switched away from for the last time: frees the stack, and after a grace period calls release. */
void thread_reap(struct thread *t);
