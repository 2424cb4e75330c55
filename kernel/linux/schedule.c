/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls: scheduling policies and priorities (sched(7)), affinity, nice values. */
#include <core/percpu.h>
#include <core/time.h>
#include <ipc/futex.h>
#include <lib/errno.h>
#include <linux/time_priv.h>
#include <mm/ucopy.h>
#include <proc/pid_namespace.h>
#include <proc/task.h>
#include <syscall_prototypes.h>

#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/sched/types.h>

#define RR_INTERVAL (100 * NSEC_PER_MSEC)

struct sched_param {
	int sched_priority;
};

/* The task, 0 meaning the current one; with a reference. */
static int find_task(int tid, struct task **out)
{
	if (tid < 0)
		return -EINVAL;
	return task_find(tid ? tid : pid_to_user(current_task()->tid), out);
}

/* May the current task change the scheduling of another? */
static bool same_owner(struct task *task)
{
	const struct credentials *mine = current_credentials(),
				 *theirs = task_credentials_get(task);
	bool same = mine->euid == theirs->euid || mine->euid == theirs->uid;

	credentials_put(theirs);
	return same;
}

static bool is_realtime(u32 policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

/* The nice value below which RLIMIT_NICE does not let the process go. */
static bool may_nice(struct task *task, int nice)
{
	return nice >= task->thread.params.nice ||
	       (u64)(20 - nice) <= task->process->limits[RLIMIT_NICE].rlim_cur ||
	       capable(CAP_SYS_NICE);
}

static bool may_set(struct task *task, const struct sched_params *new)
{
	const struct sched_params *old = &task->thread.params;
	u64 limit = task->process->limits[RLIMIT_RTPRIO].rlim_cur;

	if (capable(CAP_SYS_NICE))
		return true;
	if (!same_owner(task) || (old->reset_on_fork && !new->reset_on_fork))
		return false;
	if (new->policy == SCHED_DEADLINE)
		return false;
	if (is_realtime(new->policy)) {
		if (new->policy != old->policy && !limit)
			return false;
		return new->rt_priority <= old->rt_priority || new->rt_priority <= limit;
	}
	return new->nice >= old->nice || may_nice(task, new->nice);
}

static int check_params(const struct sched_params *p)
{
	switch (p->policy) {
	case SCHED_NORMAL:
	case SCHED_BATCH:
	case SCHED_IDLE:
		return p->rt_priority ? -EINVAL : 0;
	case SCHED_FIFO:
	case SCHED_RR:
		return p->rt_priority < 1 || p->rt_priority > 99 ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

static int set_params(struct task *task, const struct sched_params *p)
{
	int err = thread_set_params(&task->thread, p);

	if (!err)
		futex_priority_changed(task);
	return err;
}

static int change(struct task *task, const struct sched_params *p)
{
	int err = check_params(p);

	if (!err && !may_set(task, p))
		err = -EPERM;
	if (!err)
		err = set_params(task, p);
	return err;
}

long sys_sched_yield(void)
{
	thread_yield();
	return 0;
}

#define SAME_POLICY (-1)

static long set_policy(int pid, int policy, const struct sched_param __user *uparam)
{
	struct sched_param param;
	struct sched_params p;
	struct task *task;
	int err;

	if (!uparam || pid < 0)
		return -EINVAL;
	if (copy_from_user(&param, uparam, sizeof(param)))
		return -EFAULT;
	if (param.sched_priority < 0 || param.sched_priority > 99)
		return -EINVAL;
	err = find_task(pid, &task);
	if (err)
		return err;
	p = task->thread.params;
	if (policy != SAME_POLICY) {
		p.policy = (u32)policy & ~(u32)SCHED_RESET_ON_FORK;
		p.reset_on_fork = policy & SCHED_RESET_ON_FORK;
	}
	p.rt_priority = (u8)param.sched_priority;
	err = change(task, &p);
	task_put(task);
	return err;
}

long sys_sched_setscheduler(int pid, int policy, const struct sched_param __user *uparam)
{
	return policy < 0 ? -EINVAL : set_policy(pid, policy, uparam);
}

long sys_sched_setparam(int pid, const struct sched_param __user *uparam)
{
	return set_policy(pid, SAME_POLICY, uparam);
}

long sys_sched_getscheduler(int pid)
{
	struct task *task;
	long result = find_task(pid, &task);

	if (result)
		return result;
	result = (long)task->thread.params.policy |
		 (task->thread.params.reset_on_fork ? SCHED_RESET_ON_FORK : 0);
	task_put(task);
	return result;
}

long sys_sched_getparam(int pid, struct sched_param __user *uparam)
{
	struct sched_param param;
	struct sched_params p;
	struct task *task;
	int err;

	if (!uparam)
		return -EINVAL;
	err = find_task(pid, &task);
	if (err)
		return err;
	p = task->thread.params;
	param.sched_priority = is_realtime(p.policy) ? p.rt_priority : 0;
	task_put(task);
	return copy_to_user(uparam, &param, sizeof(param));
}

/* The structure as far as the program knows it; -E2BIG also tells how large ours is. */
static int attr_from_user(struct sched_attr *attr, const struct sched_attr __user *uattr)
{
	u32 size;
	int err;

	if (get_user(size, &uattr->size))
		return -EFAULT;
	if (!size)
		size = SCHED_ATTR_SIZE_VER0;
	if (size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE)
		err = -E2BIG;
	else
		err = copy_struct_from_user(attr, sizeof(*attr), uattr, size);
	if (err == -E2BIG && put_user((u32)sizeof(*attr), __force_user(u32 __user *, &uattr->size)))
		return -EFAULT;
	return err;
}

#define CLAMPS (SCHED_FLAG_UTIL_CLAMP_MIN | SCHED_FLAG_UTIL_CLAMP_MAX)
#define DEADLINE_FLAGS (SCHED_FLAG_RECLAIM | SCHED_FLAG_DL_OVERRUN)

static int change_deadline(struct task *task, const struct sched_params *p,
			   const struct sched_attr *attr)
{
	struct deadline_params deadline = {
		.runtime_ns = attr->sched_runtime,
		.deadline_ns = attr->sched_deadline,
		.period_ns = attr->sched_period,
		.flags = attr->sched_flags & DEADLINE_FLAGS,
	};
	int err;

	if (attr->sched_priority || !deadline_params_valid(&deadline))
		return -EINVAL;
	if (!may_set(task, p))
		return -EPERM;
	err = thread_set_deadline(&task->thread, p, &deadline);
	if (!err)
		futex_priority_changed(task);
	return err;
}

static void deadline_to_attr(struct task *task, struct sched_attr *attr)
{
	struct deadline_params deadline;

	thread_get_deadline(&task->thread, &deadline);
	attr->sched_priority = 0;
	attr->sched_runtime = deadline.runtime_ns;
	attr->sched_deadline = deadline.deadline_ns;
	attr->sched_period = deadline.period_ns;
	attr->sched_flags |= deadline.flags;
}

static int change_attr(struct task *task, struct sched_attr *attr)
{
	const struct sched_params old = task->thread.params;
	struct sched_params p = {
		.policy = attr->sched_flags & SCHED_FLAG_KEEP_POLICY ? old.policy
								     : attr->sched_policy,
		.nice = (s8)MAX(MIN(attr->sched_nice, 19), -20),
		.rt_priority = (u8)attr->sched_priority,
		.reset_on_fork = attr->sched_flags & SCHED_FLAG_RESET_ON_FORK,
	};

	if (attr->sched_flags & SCHED_FLAG_KEEP_PARAMS) {
		p.nice = old.nice;
		p.rt_priority = is_realtime(old.policy) ? old.rt_priority : 0;
		if (old.policy == SCHED_DEADLINE)
			deadline_to_attr(task, attr);
	}
	if (p.policy != SCHED_DEADLINE)
		return change(task, &p);
	p.nice = old.nice;
	return change_deadline(task, &p, attr);
}

long sys_sched_setattr(int pid, const struct sched_attr __user *uattr, unsigned flags)
{
	struct sched_attr attr;
	struct task *task;
	int err;

	if (!uattr || pid < 0 || flags)
		return -EINVAL;
	err = attr_from_user(&attr, uattr);
	if (err)
		return err;
	if ((int)attr.sched_policy < 0 || attr.sched_flags & ~(u64)SCHED_FLAG_ALL ||
	    attr.sched_priority > 99)
		return -EINVAL;
	if (attr.sched_flags & CLAMPS)
		return -EOPNOTSUPP; /* all CPUs run at one speed */
	err = find_task(pid, &task);
	if (err)
		return err;
	err = change_attr(task, &attr);
	task_put(task);
	return err;
}

long sys_sched_getattr(int pid, struct sched_attr __user *uattr, unsigned size, unsigned flags)
{
	struct sched_attr attr = { .size = sizeof(attr) };
	const struct sched_params *p;
	struct task *task;
	int err;

	if (!uattr || pid < 0 || size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE || flags)
		return -EINVAL;
	err = find_task(pid, &task);
	if (err)
		return err;
	p = &task->thread.params;
	attr.sched_policy = p->policy;
	attr.sched_flags = p->reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0;
	if (p->policy == SCHED_DEADLINE)
		deadline_to_attr(task, &attr);
	else if (is_realtime(p->policy))
		attr.sched_priority = p->rt_priority;
	else
		attr.sched_nice = p->nice;
	task_put(task);
	attr.size = (u32)MIN(sizeof(attr), (size_t)size);
	return copy_to_user(uattr, &attr, attr.size);
}

long sys_sched_get_priority_max(int policy)
{
	if (is_realtime((u32)policy))
		return 99;
	return policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE ||
			       policy == SCHED_DEADLINE
		       ? 0
		       : -EINVAL;
}

long sys_sched_get_priority_min(int policy)
{
	return is_realtime((u32)policy) ? 1 : sys_sched_get_priority_max(policy);
}

long sys_sched_rr_get_interval(int pid, struct __kernel_timespec __user *out)
{
	struct task *task;
	u64 slice = 3 * NSEC_PER_MSEC;
	int err = find_task(pid, &task);

	if (err)
		return err;
	if (task->thread.params.policy == SCHED_RR)
		slice = RR_INTERVAL;
	else if (task->thread.params.policy == SCHED_FIFO)
		slice = 0;
	task_put(task);
	return timespec_to_user(out, slice);
}

long sys_sched_setaffinity(int pid, unsigned size, const unsigned long __user *umask)
{
	struct task *task;
	u64 mask = 0;
	int err;

	if (copy_from_user(&mask, umask, MIN((size_t)size, sizeof(mask))))
		return -EFAULT;
	err = find_task(pid, &task);
	if (err)
		return err == -EINVAL ? -ESRCH : err;
	if (!same_owner(task) && !capable(CAP_SYS_NICE))
		err = -EPERM;
	else
		err = thread_set_affinity(&task->thread, mask);
	task_put(task);
	return err;
}

long sys_sched_getaffinity(int pid, unsigned size, unsigned long __user *umask)
{
	struct task *task;
	u64 mask;
	int err;

	if (size < sizeof(mask) || size % sizeof(long))
		return -EINVAL;
	err = find_task(pid, &task);
	if (err)
		return err == -EINVAL ? -ESRCH : err;
	mask = task->thread.affinity & cpu_online_mask;
	task_put(task);
	return copy_to_user(umask, &mask, sizeof(mask)) ? -EFAULT : (long)sizeof(mask);
}

/* Calls visit for each task that which and who name (getpriority(2)); -ESRCH if there is none. */
static int for_each_named(int which, int who, void (*visit)(struct task *task, void *arg),
			  void *arg)
{
	struct process *process;
	struct task *task;
	int found = -ESRCH;

	if (which == PRIO_PROCESS) {
		int err = find_task(who, &task);

		if (err)
			return -ESRCH;
		visit(task, arg);
		task_put(task);
		return 0;
	}
	if (which == PRIO_PGRP)
		who = who ? pid_from_user(who) : process_group_id(current_process());
	else if (!who)
		who = (int)current_credentials()->uid;
	for (int pid = 1; (process = process_next(pid));
	     pid = process->pid + 1, process_put(process)) {
		for (int tid = 1; (task = process_next_task(process, tid));
		     tid = task->tid + 1, task_put(task)) {
			const struct credentials *c = task_credentials_get(task);
			bool match = which == PRIO_PGRP ? process_group_id(process) == who
							: c->uid == (u32)who;

			credentials_put(c);
			if (!match)
				continue;
			visit(task, arg);
			found = 0;
		}
	}
	return found;
}

static void highest_priority(struct task *task, void *arg)
{
	int *best = arg;

	*best = MAX(*best, 20 - task->thread.params.nice);
}

long sys_getpriority(int which, int who)
{
	int best = 0, err;

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	err = for_each_named(which, who, highest_priority, &best);
	return err ? err : best;
}

struct renice {
	int nice, err;
};

static void renice(struct task *task, void *arg)
{
	struct renice *r = arg;
	struct sched_params p = task->thread.params;
	int err;

	if (!same_owner(task) && !capable(CAP_SYS_NICE))
		err = -EPERM;
	else if (!may_nice(task, r->nice))
		err = -EACCES;
	else {
		p.nice = (s8)r->nice;
		err = set_params(task, &p);
	}
	if (err)
		r->err = err;
}

long sys_setpriority(int which, int who, int nice)
{
	struct renice r = { .nice = MAX(MIN(nice, 19), -20) };
	int err;

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	err = for_each_named(which, who, renice, &r);
	return err ? err : r.err;
}

long sys_getcpu(unsigned __user *cpu, unsigned __user *node, void __user *unused)
{
	unsigned here = cpu_id(), zero = 0;

	if ((cpu && put_user(here, cpu)) || (node && put_user(zero, node)))
		return -EFAULT;
	return 0;
}
