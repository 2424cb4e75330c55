/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls: I/O priorities (ioprio_set(2)). They are kept and told; no I/O scheduler reads them yet. */
#include <lib/errno.h>
#include <proc/pid_namespace.h>
#include <proc/task.h>
#include <syscall_prototypes.h>

#include <linux/ioprio.h>

/* Calls visit for each task that (which, who) means; visit returns an error to end. -ESRCH: there is none. */
static long for_each_target(int which, int who, long (*visit)(struct task *task, long *value),
			    long *value)
{
	struct task *task;
	long result = -ESRCH;

	if (which == IOPRIO_WHO_PROCESS) {
		if (task_find(who ? who : pid_to_user(current_task()->tid), &task))
			return -ESRCH;
		result = visit(task, value);
		task_put(task);
		return result;
	}
	if (which != IOPRIO_WHO_PGRP && which != IOPRIO_WHO_USER)
		return -EINVAL;
	u32 uid = who ? (u32)who : current_credentials()->uid;
	int group = who ? pid_from_user(who) : process_group_id(current_process());
	int pid = 1;

	for (struct process *p; (p = process_next(pid)); process_put(p)) {
		pid = p->pid + 1;
		task = process_leader_get(p);
		if (!task)
			continue;
		const struct credentials *c = task_credentials_get(task);
		bool meant =
			which == IOPRIO_WHO_USER ? c->uid == uid : process_group_id(p) == group;

		credentials_put(c);
		if (meant)
			result = visit(task, value);
		task_put(task);
		if (meant && result < 0) {
			process_put(p);
			break;
		}
	}
	return result;
}

static long set_one(struct task *task, long *value)
{
	const struct credentials *mine = current_credentials(),
				 *theirs = task_credentials_get(task);
	bool allowed = theirs->uid == mine->euid || theirs->uid == mine->uid;

	credentials_put(theirs);
	if (!allowed && !capable(CAP_SYS_NICE))
		return -EPERM;
	task->io_priority = (u16)*value;
	return 0;
}

/* The best of all: the lowest number of a class that is set. */
static long get_one(struct task *task, long *value)
{
	long priority = task->io_priority;

	if (*value < 0 || (priority && (!*value || priority < *value)))
		*value = priority;
	return 0;
}

long sys_ioprio_set(int which, int who, int priority)
{
	unsigned class = (unsigned)IOPRIO_PRIO_CLASS(priority),
		 level = (unsigned)IOPRIO_PRIO_DATA(priority);
	long value = priority;

	switch (class) {
	case IOPRIO_CLASS_RT:
		if (!capable(CAP_SYS_ADMIN) && !capable(CAP_SYS_NICE))
			return -EPERM;
		[[fallthrough]];
	case IOPRIO_CLASS_BE:
		if (level >= IOPRIO_NR_LEVELS)
			return -EINVAL;
		break;
	case IOPRIO_CLASS_IDLE:
		break;
	case IOPRIO_CLASS_NONE:
		if (level)
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	return for_each_target(which, who, set_one, &value);
}

long sys_ioprio_get(int which, int who)
{
	long value = -1;
	long result = for_each_target(which, who, get_one, &value);

	return result ? result : value;
}
