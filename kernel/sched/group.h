/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Groups of threads that share CPU time: silos. A group weighs as much as one thread of its weight, however many of its threads run,
 * and may have a quota of CPU time per period. Groups nest.
 *
 * (G1) `runnable` counts the threads that are on a queue, those of groups below included.
 * (G2) A fair thread of a group has its own weight times the group's, divided by `runnable`; with several groups around it, the
 *      smallest result. It is computed anew whenever the thread goes into a tree, so shares follow within a slice.
 * (G3) A thread of a group that used up its quota runs on in the kernel, where it may hold locks; it waits for the next period on its way
 *      to user mode (WORK_NOTIFY, sched_group_wait).
 */
#pragma once

#include <lib/types.h>

#define SCHED_GROUP_WEIGHT 1024u /* of a thread with nice value 0 */

struct thread;

struct sched_group {
	struct sched_group *parent; /* outlives this one; null: none */
	u32 weight;
	u32 runnable;		   /* atomic */
	u64 quota_ns;		   /* of CPU time per period, of all CPUs together; 0: no limit */
	u64 period_ns;		   /* not 0 */
	u64 period_start, used_ns; /* atomic */
	u64 total_ns;		   /* atomic: CPU time used so far */
	u64 throttled;		   /* atomic: how often a thread had to wait */
};

/* No quota, the weight of one thread. */
void sched_group_init(struct sched_group *group, struct sched_group *parent);
/* Within what there is for all: 0 means no limit. Any time. */
void sched_group_set_quota(struct sched_group *group, u64 quota_ns, u64 period_ns);

/* The thread, and what it forks, belongs to the group, which lives longer than they do. */
void thread_set_group(struct thread *thread, struct sched_group *group);

/* Waits as long as the current thread's groups have no CPU time left, or until it is killed. */
void sched_group_wait(void);

/* --- for the scheduler --- */

/* One runnable thread more or less. */
void sched_group_count(struct sched_group *group, int change);
/* The weight of a thread of its group that by itself has `weight`. */
u32 sched_group_share(const struct sched_group *group, u32 weight);
/* Books CPU time of a running thread; true when a quota is used up. */
bool sched_group_charge(struct sched_group *group, u64 delta_ns, u64 now);
