/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setpgid, setsid and their kin (POSIX, "Process group" and "Session"). */
#include <lib/errno.h>
#include <mm/aspace.h>
#include <proc/jobs.h>
#include <proc/pid_namespace.h>
#include <proc/proc_priv.h>
#include <proc/silo.h>

int process_parent_pid(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	int pid = process->parent ? process->parent->pid : 0;

	spin_unlock_irqrestore(&process_table_lock, flags);
	return pid_to_user(pid);
}

/* The process, 0 meaning the current one; null: no such. */
static struct process *find_locked(int pid) __must_hold(&process_table_lock)
{
	struct pid_entry *entry;
	struct process *process;

	if (!pid)
		return current_process();
	entry = pid_lookup(PID_PROCESS, pid_from_user(pid));
	process = entry ? container_of(entry, struct process, pid_entry) : nullptr;
	return process && silo_sees(process) ? process : nullptr;
}

int process_job_ids(int pid, bool session)
{
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	const struct process *process = find_locked(pid);
	int id = -ESRCH;

	if (process)
		id = session ? process->group->session->id : process->group->id;
	spin_unlock_irqrestore(&process_table_lock, flags);
	return id > 0 ? pid_to_user(id) : id;
}

/* May the current process put `process` into another group? */
static int may_move_locked(const struct process *process) __must_hold(&process_table_lock)
{
	const struct process *self = current_process();

	if (process->parent == self) {
		if (process->group->session != self->group->session)
			return -EPERM;
		if (process->has_executed)
			return -EACCES;
	} else if (process != self) {
		return -ESRCH;
	}
	return process->group->session->id == process->pid ? -EPERM : 0;
}

/* Moves to the group `pgid` of the same session, which is `fresh` if there is none. */
static int move_locked(struct process *process, int pgid, struct process_group *fresh,
		       struct process_group **old) __must_hold(&process_table_lock)
{
	struct pid_entry *entry = pid_lookup(PID_GROUP, pgid);
	struct process_group *group = fresh;

	if (entry) {
		group = container_of(entry, struct process_group, pid_entry);
		if (group->session != process->group->session)
			return -EPERM;
	} else if (pgid != process->pid) {
		return -EPERM;
	}
	if (group == process->group)
		return 0;
	*old = process->group;
	process_group_leave_locked(process);
	process_group_enter_locked(process, group);
	return 0;
}

int process_set_group(int pid, int pgid)
{
	struct process_group *fresh, *old = nullptr;
	struct process *process;
	irqflags_t flags;
	int err;

	if (pgid < 0)
		return -EINVAL;
	if (!pid)
		pid = pid_to_user(current_process()->pid);
	pgid = pid_from_user(pgid ? pgid : pid);
	/* Made before the lock is taken; it belongs to the caller's session as any process that may be moved. */
	err = process_group_create(pgid, process_session(current_process()), &fresh);
	if (err)
		return err;
	flags = spin_lock_irqsave(&process_table_lock);
	process = find_locked(pid);
	err = process && process->state < PROCESS_ZOMBIE ? may_move_locked(process) : -ESRCH;
	if (!err)
		err = move_locked(process, pgid, fresh, &old);
	spin_unlock_irqrestore(&process_table_lock, flags);
	if (old)
		process_group_put(old);
	process_group_put(fresh);
	return err;
}

int process_new_session(void)
{
	struct process *process = current_process();
	struct process_group *group, *old = nullptr;
	struct session *session;
	irqflags_t flags;
	int err = session_create(process->pid, &session);

	if (err)
		return err;
	err = process_group_create(process->pid, session, &group);
	session_put(session);
	if (err)
		return err;
	flags = spin_lock_irqsave(&process_table_lock);
	if (pid_lookup(PID_GROUP, process->pid)) {
		err = -EPERM;
	} else {
		old = process->group;
		process_group_leave_locked(process);
		process_group_enter_locked(process, group);
		err = pid_to_user(process->pid);
	}
	spin_unlock_irqrestore(&process_table_lock, flags);
	process_group_put(group);
	if (old)
		process_group_put(old);
	return err;
}

int process_may_access(struct process *process)
{
	struct task *leader = process_leader_get(process);
	int err;

	if (!leader)
		return -ESRCH;
	err = trace_permission(leader, TRACE_ATTACH | TRACE_REAL);
	task_put(leader);
	return err;
}
