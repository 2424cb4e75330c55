/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks at rest: stopped by whoever holds a handle of them, apart from signals and tracers, so that their parts can be exchanged.
 *
 * A task is asked to rest (`held`), and rests when it is about to enter user mode: there its registers are all in its frame. A task made
 * by hand begins at rest. Only the end of the process gets it away from there; while somebody works on it (`frozen`) not even that.
 *
 * (R1) Between task_rest_begin and task_rest_end the task does not run, and its stack and registers do not change.
 * (R2) A task made by hand makes only calls that name nothing but its handles and its memory.
 */
#pragma once

#include <core/lock.h>
#include <sched/group.h>

struct aspace;
struct memory_budget;
struct pool;
struct task;

struct task_rest {
	struct mutex lock;	/* RANK_TASK_REST: one at a time works on it */
	bool by_hand;		/* constant */
	bool started;		/* guarded by lock */
	struct sched_group cpu; /* its own budget, in that of its silo; in use once it is set */
	bool held, frozen, at_rest, step; /* atomic */
};

/* A process of one task, held, with an empty pool and address space, charged to the budget; with a reference. -EAGAIN: too many tasks;
 * -ENOMEM. May sleep. */
[[nodiscard]] int task_make(struct memory_budget *budget, struct task **out);

/* Waits until a task that was just made is at rest, or ends. May sleep. */
void task_await_rest(struct task *task);

/* Takes hold of a task at rest; task_rest_end must follow on success. -ESRCH: it ends; -EBUSY: it is not at rest. May sleep. */
[[nodiscard]] int task_rest_begin(struct task *task);
void task_rest_end(struct task *task);

/* Of a task between the two that was not started: its table, its address space; takes a user and a reference of its own. */
void task_rest_set_pool(struct task *task, struct pool *pool);
void task_rest_set_aspace(struct task *task, struct aspace *aspace);

/* Gives a task made by hand `time_ns` of CPU time in each period (0: no limit). Any time. May sleep. */
void task_rest_set_quota(struct task *task, u64 time_ns, u64 period_ns);

/* Lets a task go that is between the two; with `step` for one instruction. */
void task_rest_leave(struct task *task, bool step);

/* Asks a task to rest, and waits until it does. -ESRCH, -ERESTARTSYS. May sleep. */
[[nodiscard]] int task_suspend(struct task *task);

/* Ends its process and waits for the end, unless it is the current one; then nothing is charged for it. May sleep. */
void task_end(struct task *task);

/* True once its process has ended. */
bool task_has_ended(const struct task *task);

/* The current task, on its way to user mode. */
void task_rest_check(void);
/* The current task trapped after one instruction: true if that was asked for here. */
bool task_rest_stepped(void);

/* (R2) May the current task, made by hand, make this call of Linux's? */
bool task_call_allowed(u64 number);
