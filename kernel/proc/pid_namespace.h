/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Name spaces of process numbers (pid_namespaces(7)).
 *
 * Inside the kernel a task, process, group or session has one number, the one in the initial name space. In each other name space
 * that it is in it has an alias there. System calls translate at their edge: pid_from_user() for what a program passes, pid_to_user()
 * for what it gets; process_find() and task_find() do so themselves. In the initial name space both cost one comparison.
 */
#pragma once

#include <lib/types.h>
#include <proc/namespaces.h>
#include <proc/pid.h>
#include <proc/task.h>

#define PID_NAMESPACE_LEVELS_MAX 32 /* below the initial one, as on Linux */

#define PID_NONE PID_MAX /* a number that nothing ever has */

struct pid_namespace {
	struct namespace base;
	struct pid_namespace *parent; /* holds a reference; null: the initial one */
	unsigned level;		      /* 0: the initial one */
	/* Guarded by process_table_lock. */
	struct process *init; /* its process 1; null before and after, and where there is none */
	bool no_init;	      /* a silo's: no process is special, it lives on when number 1 ends */
	bool closed;	      /* its process 1 has ended: nobody is born here any more */
	unsigned processes;   /* not yet reaped, those of name spaces below included */
	u32 last;
	u64 used[PID_MAX / 64];
};

/* The numbers of one task in name spaces other than the initial one. */
struct pid_aliases;

extern struct pid_namespace initial_pid_namespace;

/* The one that a process is in, for all of its life; its children may be born into another. */
static inline struct pid_namespace *current_pid_namespace(void)
{
	struct task *task = current_task();

	return task ? task->process->pid_namespace : &initial_pid_namespace;
}
static inline struct pid_namespace *namespaces_pid(const struct namespaces *set)
{
	return (struct pid_namespace *)set->of[NAMESPACE_PID];
}

/* The number in `ns` of something that the kernel knows as `number`; 0: it is not seen there. Any context. */
int pid_alias(const struct pid_namespace *ns, int number);
/* The other way; PID_NONE: no such. Numbers that are not positive stay. */
int pid_resolve(const struct pid_namespace *ns, int number);

/* The same for the current task. */
static inline int pid_to_user(int number)
{
	const struct pid_namespace *ns = current_pid_namespace();

	return likely(ns == &initial_pid_namespace) ? number : pid_alias(ns, number);
}
static inline int pid_from_user(int number)
{
	const struct pid_namespace *ns = current_pid_namespace();

	return likely(ns == &initial_pid_namespace) ? number : pid_resolve(ns, number);
}

/* `inner` is `outer` or below it. */
bool pid_namespace_is_below(const struct pid_namespace *inner, const struct pid_namespace *outer);

/* Room for the aliases of a task that is born in `ns`; *out is null in the initial one. -ENOMEM. */
[[nodiscard]] int pid_aliases_create(struct pid_namespace *ns, struct pid_aliases **out);
void pid_aliases_free(struct pid_aliases *aliases); /* of a task that was not born after all */
/*
 * Gives `number` its aliases; the first of the numbers `wanted` is the one in `ns` itself, the next the one in its parent, and so on; where
 * there is none, any. The memory goes with the number. -EEXIST, -EAGAIN, -EINVAL;
 * -ENOMEM: the name space is closed.
 */
[[nodiscard]] int pid_aliases_enter_locked(struct pid_namespace *ns, struct pid_aliases *aliases,
					   int number, const int *wanted, unsigned wanted_count)
	__must_hold(&process_table_lock);
/* The number is free again. */
void pid_aliases_remove_locked(int number) __must_hold(&process_table_lock);

/* A process is born, and reaped: counts it in its name space and those above. */
void pid_namespace_join_locked(struct process *process) __must_hold(&process_table_lock);
void pid_namespace_leave_locked(struct process *process) __must_hold(&process_table_lock);

/*
 * The current process, of one task, moves from the parent of `ns` into it, where it gets a number besides those that it has. -EPERM: it is
 * somewhere else; -ENOMEM, -EAGAIN.
 */
[[nodiscard]] int pid_namespace_move(struct pid_namespace *ns);

/* The last task of process 1 of a name space exits: everything in it is killed, and waited for. */
void pid_namespace_close(struct process *init);

/*
 * reboot(2) in a name space that is not the initial one: its process 1 ends as if by `signo`, and everybody with it, the current process
 * first. -EPERM: it has no process 1 (a silo's, or it has ended).
 */
[[nodiscard]] int pid_namespace_reboot(int signo);

/* Boot: the kind of name space. */
void pid_namespace_init(void);
