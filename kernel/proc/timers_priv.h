/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The timers of a process, shared by itimers, POSIX timers and the watch over CPU time. */
#pragma once

#include <core/time.h>
#include <proc/proc_priv.h>
#include <proc/timers.h>

struct cpu_itimer {
	u64 deadline, interval; /* of the process's CPU time; deadline 0: disarmed */
};

struct process_timers {
	struct process *process; /* borrowed: the timers end before it */
	struct spinlock lock; /* RANK_TIMER_USER, with interrupts masked; guards all that follows */
	struct timer real;    /* ITIMER_REAL */
	u64 real_deadline, real_interval;
	struct cpu_itimer virtual, prof;
	u64 next_xcpu_ns;	/* CPU time of the next SIGXCPU */
	struct timer cpu_watch; /* looks at the CPU time when some could be due */
	struct list_head posix;
	unsigned posix_count;
	int next_id;
	struct rcu_head rcu;
};

struct posix_timer {
	struct list_head node;
	u32 refs;
	int id;
	int clock;
	int notify;
	bool deleted;
	struct process *process;
	struct task *target; /* SIGEV_THREAD_ID: holds a reference */
	/* Whose CPU time it counts: holds a reference; null: the process's. */
	struct task *measured;
	u64 deadline; /* on its clock; 0: disarmed */
	u64 interval;
	s64 overrun, last_overrun;
	struct timer timer;
	struct queued_signal queued;
};

/* The timers of the current process, made at the first use. -ENOMEM. */
[[nodiscard]] int process_timers_get(struct process_timers **out);

/* A deadline on CPU time was set: look at it in time. */
void cpu_watch_start(struct process_timers *timers);

/* CPU time that the timer counts. */
u64 posix_timer_cpu_time(const struct posix_timer *timer);
bool posix_timer_counts_cpu(const struct posix_timer *timer);
/* The timer's time has come. Any context, timers->lock not held. */
void posix_timer_expired(struct posix_timer *timer);
void posix_timer_put(struct posix_timer *timer);
void posix_timers_delete_all(struct process_timers *timers);
