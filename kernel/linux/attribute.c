/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls: limits, resource usage and other attributes of processes. */
#include <arch/thread.h>
#include <core/time.h>
#include <lib/errno.h>
#include <mm/aspace.h>
#include <mm/ucopy.h>
#include <proc/inspect.h>
#include <proc/jobs.h>
#include <proc/namespaces.h>
#include <proc/pid_namespace.h>
#include <proc/pidfd.h>
#include <proc/task.h>
#include <proc/timers.h>
#include <syscall_prototypes.h>
#include <vfs/namespace_file.h>

#include <linux/kcmp.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/times.h>

#define NOFILE_MAX 1048576 /* /proc/sys/fs/nr_open */

/* The address space has its own copy of the limits that it enforces. */
static void limit_changed(struct process *process, unsigned resource, u64 limit)
{
	struct aspace *as;

	if (resource == RLIMIT_CPU) {
		process_timers_watch_cpu(process);
		return;
	}
	if (resource != RLIMIT_AS && resource != RLIMIT_DATA && resource != RLIMIT_STACK &&
	    resource != RLIMIT_MEMLOCK)
		return;
	as = process_aspace_get(process);
	if (!as)
		return;
	if (resource == RLIMIT_AS)
		as->limit_as = limit;
	else if (resource == RLIMIT_DATA)
		as->limit_data = limit;
	else if (resource == RLIMIT_STACK)
		as->limit_stack = limit;
	else
		as->limit_memlock = limit;
	process_aspace_put(as);
}

static int check_limit(unsigned resource, const struct rlimit64 *new, const struct rlimit64 *old)
{
	if (new->rlim_cur > new->rlim_max)
		return -EINVAL;
	if (resource == RLIMIT_NOFILE && new->rlim_max > NOFILE_MAX)
		return -EPERM;
	return new->rlim_max > old->rlim_max && !capable(CAP_SYS_RESOURCE) ? -EPERM : 0;
}

static int exchange_limit(struct process *process, unsigned resource, const struct rlimit64 *new,
			  struct rlimit64 *old)
{
	irqflags_t flags;
	int err = 0;

	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	flags = spin_lock_irqsave(&process->lock);
	*old = process->limits[resource];
	if (new)
		err = check_limit(resource, new, old);
	if (new && !err)
		process->limits[resource] = *new;
	spin_unlock_irqrestore(&process->lock, flags);
	if (new && !err)
		limit_changed(process, resource, new->rlim_cur);
	return err;
}

long sys_getrlimit(unsigned resource, struct rlimit64 __user *out)
{
	struct rlimit64 old;
	int err = exchange_limit(current_process(), resource, nullptr, &old);

	return err ? err : copy_to_user(out, &old, sizeof(old));
}

long sys_setrlimit(unsigned resource, const struct rlimit64 __user *ulimit)
{
	struct rlimit64 new, old;

	if (copy_from_user(&new, ulimit, sizeof(new)))
		return -EFAULT;
	return exchange_limit(current_process(), resource, &new, &old);
}

/* prlimit(2): all three user and group ids of the other process match, or CAP_SYS_RESOURCE. */
static int may_limit(struct process *process)
{
	const struct credentials *mine = current_credentials(), *theirs;
	struct task *leader;
	bool allowed;

	if (process == current_process() || capable(CAP_SYS_RESOURCE))
		return 0;
	leader = process_leader_get(process);
	if (!leader)
		return -ESRCH;
	theirs = task_credentials_get(leader);
	task_put(leader);
	allowed = mine->uid == theirs->euid && mine->uid == theirs->suid &&
		  mine->uid == theirs->uid && mine->gid == theirs->egid &&
		  mine->gid == theirs->sgid && mine->gid == theirs->gid;
	credentials_put(theirs);
	return allowed ? 0 : -EPERM;
}

/* The process of any of its tasks, 0 meaning the current one; with a reference. */
static int process_of_task(int tid, struct process **out)
{
	struct task *task;
	int err;

	if (!tid) {
		*out = current_process();
		object_get(&(*out)->object);
		return 0;
	}
	err = task_find(tid, &task);
	if (err)
		return process_find(tid, out);
	*out = task->process;
	object_get(&(*out)->object);
	task_put(task);
	return 0;
}

long sys_prlimit64(int pid, unsigned resource, const struct rlimit64 __user *unew,
		   struct rlimit64 __user *uold)
{
	struct rlimit64 new, old;
	struct process *process;
	int err;

	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	if (unew && copy_from_user(&new, unew, sizeof(new)))
		return -EFAULT;
	err = process_of_task(pid, &process);
	if (err)
		return err;
	err = may_limit(process);
	if (!err)
		err = exchange_limit(process, resource, unew ? &new : nullptr, &old);
	process_put(process);
	return err || !uold ? err : copy_to_user(uold, &old, sizeof(old));
}

long sys_getrusage(int who, struct rusage __user *out)
{
	struct rusage usage;

	if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN && who != RUSAGE_THREAD)
		return -EINVAL;
	process_rusage(current_process(), who, &usage);
	return copy_to_user(out, &usage, sizeof(usage));
}

#define NSEC_PER_CLOCK_TICK (NSEC_PER_SEC / 100)

long sys_times(struct tms __user *out)
{
	struct process *process = current_process();
	u64 user, system;
	struct tms tms;

	if (out) {
		process_times(process, &user, &system);
		tms = (struct tms){
			.tms_utime = (long)(user / NSEC_PER_CLOCK_TICK),
			.tms_stime = (long)(system / NSEC_PER_CLOCK_TICK),
			.tms_cutime = (long)(process->children_user_ns / NSEC_PER_CLOCK_TICK),
			.tms_cstime = (long)(process->children_system_ns / NSEC_PER_CLOCK_TICK),
		};
		if (copy_to_user(out, &tms, sizeof(tms)))
			return -EFAULT;
	}
	return (long)(clock_monotonic_ns() / NSEC_PER_CLOCK_TICK);
}

long sys_personality(unsigned persona)
{
	struct task *task = current_task();
	u32 old = task->personality;

	if (persona != 0xffffffff)
		task->personality = persona;
	return old;
}

long sys_arch_prctl(unsigned option, unsigned long address)
{
	return arch_prctl((int)option, address);
}

long sys_unshare(unsigned long flags)
{
	const u64 known = CLONE_FILES | CLONE_FS | CLONE_SYSVSEM | CLONE_VM | CLONE_SIGHAND |
			  CLONE_THREAD | namespace_flags();

	if (flags & ~known)
		return -EINVAL;
	/* What nobody else uses is unshared already. */
	if (flags & (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)) {
		const struct process *process = current_process();

		if (process->task_count > 1 || process->actions->refs > 1 ||
		    process->aspace->users > 1)
			return -EINVAL;
	}
	return task_unshare(flags);
}

/* The name spaces of a process that a pidfd stands for; a set with a reference. */
static int process_namespaces(struct process *process, struct namespaces **set)
{
	struct task *leader = process_leader_get(process);
	int err;

	if (!leader)
		return -ESRCH;
	err = trace_permission(leader, TRACE_READ | TRACE_REAL);
	*set = err ? nullptr : task_namespaces_get(leader);
	task_put(leader);
	return err ? err : *set ? 0 : -ESRCH;
}

static long enter_those_of(struct process *process, unsigned flags)
{
	struct namespace *wanted[NAMESPACE_KINDS] = {};
	struct namespaces *set;
	u64 known = 0;
	long err;

	for (unsigned i = 0; i < NAMESPACE_KINDS; i++)
		known |= namespace_type(i) ? namespace_type(i)->clone_flag : 0;
	if (!flags || flags & ~known)
		return -EINVAL;
	err = process_namespaces(process, &set);
	if (err)
		return err;
	for (unsigned i = 0; i < NAMESPACE_KINDS; i++)
		if (namespace_type(i) && (flags & namespace_type(i)->clone_flag))
			wanted[i] = set->of[i];
	if (wanted[NAMESPACE_PID])
		wanted[NAMESPACE_PID] = &process->pid_namespace->base;
	err = namespaces_enter(wanted);
	namespaces_put(set);
	return err;
}

static long enter_that_of_file(const struct file *file, unsigned flags)
{
	struct namespace *wanted[NAMESPACE_KINDS] = {}, *ns = namespace_of_file(file);

	if (!ns || (flags && flags != ns->type->clone_flag))
		return -EINVAL;
	for (unsigned i = 0; i < NAMESPACE_KINDS; i++)
		if (namespace_type(i) == ns->type)
			wanted[i] = ns;
	return namespaces_enter(wanted);
}

long sys_setns(int fd, unsigned flags)
{
	struct process *process;
	struct file *file;
	long err;

	if (!pidfd_process(current_task()->pool, fd, &process, nullptr)) {
		err = enter_those_of(process, flags);
		process_put(process);
		return err;
	}
	err = file_from_handle(current_task()->pool, fd, 0, &file);
	if (err)
		return err;
	err = enter_that_of_file(file, flags);
	file_put(file);
	return err;
}

static int compare(const void *a, const void *b)
{
	return a == b ? 0 : a < b ? 1 : 2;
}

static int compare_files(struct task *one, struct task *two, unsigned long fd1, unsigned long fd2)
{
	struct pool *pools[2] = { task_pool_get(one), task_pool_get(two) };
	struct object *objects[2] = {};
	unsigned long fds[2] = { fd1, fd2 };
	int result = 0;

	for (unsigned i = 0; i < 2; i++) {
		if (!pools[i] || fds[i] > INT32_MAX ||
		    handle_get(pools[i], (int)fds[i], nullptr, 0, &objects[i]))
			result = -EBADF;
	}
	if (!result)
		result = compare(objects[0], objects[1]);
	for (unsigned i = 0; i < 2; i++) {
		if (objects[i])
			object_put(objects[i]);
		if (pools[i])
			object_put(&pools[i]->object);
	}
	return result;
}

/* Whose adjustments of semaphores SEM_UNDO would take back; null: there are none. */
static const void *undo_list(const struct task *task)
{
	return task->process->has_semaphore_undo ? task->process : nullptr;
}

static int compare_tasks(struct task *one, struct task *two, int type, unsigned long index1,
			 unsigned long index2)
{
	switch (type) {
	case KCMP_FILE:
		return compare_files(one, two, index1, index2);
	case KCMP_VM:
		return compare(one->process->aspace, two->process->aspace);
	case KCMP_FILES:
		return compare(one->pool, two->pool);
	case KCMP_FS:
		return compare(one->fs, two->fs);
	case KCMP_SIGHAND:
		return compare(one->process->actions, two->process->actions);
	case KCMP_IO: /* nobody has a context of I/O of its own */
		return 0;
	case KCMP_SYSVSEM:
		return compare(undo_list(one), undo_list(two));
	default:
		return -EINVAL;
	}
}

long sys_kcmp(int pid1, int pid2, int type, unsigned long index1, unsigned long index2)
{
	struct task *one, *two;
	int err = task_find(pid1, &one);

	if (err)
		return err;
	err = task_find(pid2, &two);
	if (err) {
		task_put(one);
		return err;
	}
	err = process_may_access(one->process);
	if (!err)
		err = process_may_access(two->process);
	if (!err)
		err = compare_tasks(one, two, type, index1, index2);
	task_put(one);
	task_put(two);
	return err;
}
