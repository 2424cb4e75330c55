/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads as the scheduler knows them: a kernel stack, saved registers, a place in a run queue. What makes a thread a
 * user's (process, signals, credentials) is struct task (<proc/task.h>), which embeds a struct thread.
 *
 * Life: thread_init -> thread_start -> (RUNNABLE <-> SLEEPING)* -> thread_exit -> DEAD; `release` is called
 * by the scheduler once the thread's stack is no longer in use.
 */
#pragma once

#include <core/lock.h>
#include <core/rcu.h>
#include <core/thread_base.h>
#include <core/wait.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <lib/types.h>

struct aspace;
struct block_plug;
struct channel_call;
struct derivation_use;
struct object;
struct sched_group;
struct thread_deadline;

enum thread_state {
	THREAD_NEW,
	THREAD_RUNNABLE, /* on a run queue, or running */
	THREAD_SLEEPING, /* until thread_wake, in the sleep mode `sleep_mode` */
	THREAD_DEAD,
};

/* Scheduling policy and parameters (sched(7)). */
struct sched_params {
	u32 policy;	/* SCHED_OTHER, FIFO, RR, BATCH, IDLE, DEADLINE of <linux/sched.h> */
	s8 nice;	/* -20..19 */
	u8 rt_priority; /* 1..99 for FIFO and RR, LEVEL_DEADLINE */
	bool reset_on_fork;
	u64 deadline_ns; /* DEADLINE: who has less is served first */
};

#define LEVEL_DEADLINE 100

/* What a thread with SCHED_DEADLINE is promised: of each period the runtime, within the deadline (sched_setattr(2)). */
struct deadline_params {
	u64 runtime_ns, deadline_ns, period_ns;
	u64 flags; /* SCHED_FLAG_RECLAIM, DL_OVERRUN */
};

#define THREAD_NAME_MAX 16 /* with the terminator, as TASK_COMM_LEN */

/* A call of a thread that looked up a derived handle (obj/derivation.h); from the look-up to the end of the system call. */
struct derivation_use {
	struct derivation *derivation; /* holds a reference; null: free */
	struct thread *thread;
	struct list_head node;	     /* in derivation->uses */
	struct derivation_use *next; /* of the same thread */
};

struct thread {
	struct thread_base base; /* must be first */
	u32 state;		 /* enum thread_state; atomic */
	u8 sleep_mode;		 /* enum sleep_mode while SLEEPING */
	bool on_cpu;		 /* executing on `cpu`, or still switching away from it */
	bool user;		 /* embedded in a struct task */
	bool killed;		 /* atomic: a fatal signal is pending; killable sleeps end */
	u32 cpu;		 /* run queue it belongs to; changes under that queue's lock */
	bool has_rseq; /* WORK_RSEQ is set when it was preempted, or comes to a CPU other than */
	u32 rseq_cpu;  /* what it was last told */
	u64 affinity;  /* bit n: may run on CPU n */
	struct aspace *aspace; /* user mappings it runs with; null for kernel threads */

	/* From here to `counted_blocked`: owned by sched/, guarded by the lock of the run queue of `cpu`. */
	struct sched_params params;    /* as set */
	struct sched_params boost;     /* lent by who waits for it (thread_set_boost) */
	struct sched_params effective; /* the better of the two: what the scheduler goes by */
	bool boosted;
	bool on_queue; /* RUNNABLE and counted by the queue: running, or in one of its trees and lists */
	bool in_user_mode;	  /* what the last sample interrupted */
	bool counted_blocked;	  /* in run_queue.blocked */
	struct rb_node run_node;  /* fair: in run_queue.fair unless running */
	struct list_head rt_node; /* real time: in run_queue.rt unless running */
	/* See group.h; kept alive by whoever owns the thread; may be null. */
	struct sched_group *group;
	u32 weight;   /* fair: from the nice value, 1024 for 0, and the group's */
	u64 vruntime; /* fair: virtual time used */
	u64 vdeadline; /* fair: by when the present slice should be through; SCHED_DEADLINE: the deadline itself */
	u64 vruntime_min;  /* fair: smallest vruntime in this node's subtree */
	s64 lag;	   /* fair: virtual time it is owed, while not queued */
	bool rested;	   /* fair: it slept for long, and its slice since then is not through */
	u64 slice_left_ns; /* SCHED_RR */
	struct thread_deadline *deadline; /* SCHED_DEADLINE; null if it never was; see deadline.c */
	u64 exec_start_ns;		  /* up to when its CPU time is booked */
	u64 pending_ns;			  /* CPU time not yet told apart into user and system */
	u64 user_ns, system_ns;		  /* CPU time used */
	u64 voluntary_switches, involuntary_switches;

	u64 start_ns; /* clock_monotonic_ns() at creation */
	void *kstack;
	struct list_head all_node; /* in the list of all threads */
	char name[THREAD_NAME_MAX];
	void (*release)(
		struct thread *thread); /* last use; frees the memory that holds the struct */
	struct rcu_head rcu;
	/* Private to obj/object.c: to be destroyed by the outermost object_put. */
	struct object *dead_objects;
	bool draining_objects;
	/* Private to ipc/channel.c: the one it makes; kept for the next. */
	struct channel_call *channel_call;
	struct channel_call *channel_held;	/* the one it has to reply to */
	struct derivation_use *derivation_uses; /* private to obj/derivation.c, as the next */
	struct derivation_use first_use;
	bool writes_for_disk; /* cleans pages by making others dirty: many dirty pages do not hold it up */
	struct list_head *ending_untypeds; /* private to obj/untyped.c; null outside of it */
	struct block_plug *block_plug;	   /* private to the block layer: requests that gather */
};

static inline struct thread *current_thread(void)
{
	return arch_current();
}

/*
 * Prepares `thread` (zeroed memory of the caller) to call entry(arg) on a new kernel stack. It does not run before
 * thread_start. Returns 0 or -ENOMEM; on failure nothing is left. May sleep.
 */
[[nodiscard]] int thread_init(struct thread *thread, const char *name, void (*entry)(void *),
			      void *arg, void (*release)(struct thread *thread));

/* Frees what thread_init made, for a thread that was never started. */
void thread_destroy_unstarted(struct thread *thread);

/* Makes a new thread runnable, placing it on a CPU. Any context. */
void thread_start(struct thread *thread);

/* Creates and starts a kernel thread. Returns 0 or -ENOMEM. May sleep. */
[[nodiscard]] int kthread_start(const char *name, void (*entry)(void *), void *arg);

/*
 * Ends the current thread; `release` runs later in another thread's context, after an RCU grace period: a pointer to a
 * running thread stays valid in a reader section.
 */
[[noreturn]] void thread_exit(void);

/*
 * Wakes `next` and sleeps, in one switch, on the CPU time of the current thread; after wait_prepare(SLEEP_INTERRUPTIBLE),
 * with interrupts masked. True: the current thread was woken again, and interrupts are as `flags` says. False: nothing
 * happened (the current thread need not sleep, or `next` does not), and they are still masked.
 */
[[nodiscard]] bool thread_hand_over(struct thread *next, irqflags_t flags);

/*
 * Wake a sleeping thread: thread_wake in any mode (the event came), thread_interrupt because of a signal
 * (SLEEP_INTERRUPTIBLE, and SLEEP_KILLABLE if `fatal`). Return true if it slept. Any context.
 */
bool thread_wake(struct thread *thread);
bool thread_interrupt(struct thread *thread, bool fatal);

/*
 * Makes a thread notice its work bits soon: if it runs on another CPU, interrupts that CPU. Use
 * after thread_work_set. Any context.
 */
void thread_kick(struct thread *thread);

/* Gives up the CPU; the thread stays runnable (sched_yield(2)). */
void thread_yield(void);

/* Switches to the next thread. Called with preemption enabled and interrupts on. */
void schedule(void);

/*
 * Makes the current thread run with another address space (null: none), and loads it. The caller owns the references of
 * `aspace` that thread.aspace stands for, of the old one too.
 */
void thread_use_aspace(struct aspace *aspace);

/* Names a thread, cut to fit. Readers may see a mixture of old and new. */
void thread_set_name(struct thread *thread, const char *name);

/* Starts the other CPUs, as many as cpus= and maxcpus= allow. May sleep. */
void sched_start_cpus(void);

/* Where a secondary CPU enters, on the stack of its idle thread with interrupts masked. */
[[noreturn]] void sched_secondary_entry(unsigned cpu);

/* What CPU 0's boot thread becomes when kernel_main is through. */
[[noreturn]] void sched_idle(void);

/* Logs every thread, or the blocked ones only: name, state, the lock it waits for and its holder, its calls. Any context. */
void thread_dump_all(bool blocked_only);

/*
 * Changes policy, priority or nice value. Returns 0 or -EINVAL. Of parameters with SCHED_DEADLINE, which were the thread's own, it
 * takes only the nice value and reset_on_fork.
 */
[[nodiscard]] int thread_set_params(struct thread *thread, const struct sched_params *params);

/*
 * SCHED_DEADLINE (sched_setattr(2)): `params` with what is promised to the thread. -EPERM: its affinity leaves out a CPU;
 * -EBUSY: too much has been promised already; -ESRCH: it has ended; -ENOMEM. deadline_params_valid has said yes. May sleep.
 */
[[nodiscard]] int thread_set_deadline(struct thread *thread, const struct sched_params *params,
				      const struct deadline_params *deadline);
void thread_get_deadline(struct thread *thread, struct deadline_params *out);

/* A period of 0 becomes the deadline. */
bool deadline_params_valid(struct deadline_params *params);

/* Has it used up its budget since the last call, and asked to be told (SCHED_FLAG_DL_OVERRUN)? */
bool thread_take_overrun(struct thread *thread);

/*
 * Priority inheritance: the thread runs with the better of its own parameters and `boost`, null: with its own. Any
 * context.
 */
void thread_set_boost(struct thread *thread, const struct sched_params *boost);

/* Above zero if `a` is served before `b`, below if after. */
int sched_params_compare(const struct sched_params *a, const struct sched_params *b);

/*
 * Restricts a thread to CPUs and moves it if it must. -EINVAL if no online CPU is left, -EBUSY for a thread with SCHED_DEADLINE
 * that is to have fewer than all.
 */
[[nodiscard]] int thread_set_affinity(struct thread *thread, u64 mask);

/* CPU time used so far, up to date even for a running thread. */
void thread_times(const struct thread *thread, u64 *user_ns, u64 *system_ns);

/* Sleeps for a time, not interruptible. */
void thread_sleep_ns(u64 ns);

/* Per-CPU totals for /proc/stat, and load averages in 1/65536 (1, 5, 15 minutes). */
/* How much of each period real-time threads may have of a CPU while others wait; a runtime of -1: all. sysctls. */
extern s64 sched_rt_period_us, sched_rt_runtime_us;
/* Sets both. -EINVAL, or -EBUSY if threads with SCHED_DEADLINE were promised more. */
[[nodiscard]] int sched_set_rt_limits(s64 period_us, s64 runtime_us);
/* What a period of SCHED_DEADLINE may be. sysctls. */
extern s64 sched_deadline_period_min_us, sched_deadline_period_max_us;

#define SCHED_RR_SLICE_NS (100 * NSEC_PER_MSEC) /* as sched_rr_get_interval(2) reports */

struct sched_cpu_stats {
	u64 user_ns, nice_ns, system_ns, idle_ns, irq_ns;
	u64 switches;
};
void sched_cpu_stats(unsigned cpu, struct sched_cpu_stats *out);
void sched_load_average(u32 out[3]);
unsigned sched_runnable_count(void);

/* Calls visit for every thread in the system under the list's lock; it must not sleep. */
void thread_for_each(void (*visit)(struct thread *thread, void *arg), void *arg);

/* Boot: makes the boot flow the idle thread of CPU 0. After slab_init and vmap_init. */
void sched_init(void);

/*
 * Calls into mm, set by it at boot. A CPU on which a kernel thread runs holds a reference to the address space that it has still
 * loaded, so that the next thread of the same process finds it there.
 */
struct sched_hooks {
	void (*aspace_activate)(
		struct aspace *next); /* interrupts masked; null: kernel mappings only */
	void (*aspace_hold)(struct aspace *aspace);    /* interrupts masked */
	void (*aspace_release)(struct aspace *aspace); /* does not sleep */
	void (*plug_flush)(void); /* the thread has a block_plug and is about to sleep */
};
extern struct sched_hooks sched_hooks;
