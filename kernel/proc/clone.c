/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * New tasks: fork(2), vfork(2), clone(2), clone3(2). A task is put together piece by piece where nobody sees it; only
 * when nothing can fail any more it is named in the tables and started.
 */
#include <arch/frame.h>
#include <ipc/sysv.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/ucopy.h>
#include <obj/file.h>
#include <proc/pid_namespace.h>
#include <proc/pidfd.h>
#include <proc/proc_priv.h>
#include <proc/rseq.h>
#include <proc/seccomp.h>
#include <proc/silo.h>

#include <linux/fcntl.h>
#include <linux/ptrace.h>
#include <linux/sched.h>

static int check_flags(const struct clone_request *req)
{
	u64 flags = req->flags;

	if (flags & CLONE_INTO_CGROUP)
		return -EINVAL;
	if ((flags & (CLONE_NEWNS | CLONE_FS)) == (CLONE_NEWNS | CLONE_FS) ||
	    (flags & (CLONE_NEWIPC | CLONE_SYSVSEM)) == (CLONE_NEWIPC | CLONE_SYSVSEM))
		return -EINVAL;
	if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND))
		return -EINVAL;
	if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
		return -EINVAL;
	if ((flags & CLONE_SIGHAND) && (flags & CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	if ((flags & CLONE_PARENT) && current_process()->unkillable)
		return -EINVAL;
	if ((flags & CLONE_NEWPID) && (flags & (CLONE_THREAD | CLONE_PARENT)))
		return -EINVAL;
	if ((flags & CLONE_THREAD) &&
	    namespaces_pid(current_namespaces()) != current_pid_namespace())
		return -EINVAL;
	if ((flags & CLONE_PIDFD) && (flags & (CLONE_THREAD | CLONE_DETACHED)))
		return -EINVAL;
	return 0;
}

static int check_limits(const struct task *parent)
{
	u64 limit = current_limit(RLIMIT_NPROC);

	if (parent->account->uid && READ_ONCE(parent->account->tasks) >= limit &&
	    !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN))
		return -EAGAIN;
	if (silo_task_add(parent->process->silo))
		return -EAGAIN;
	if (task_count_add())
		return 0;
	silo_task_drop(parent->process->silo);
	return -EAGAIN;
}

/* The child's registers: the parent's, with a result of 0. */
static void copy_frame(struct task *child, const struct clone_request *req)
{
	struct trap_frame *frame = thread_user_frame(child->thread.base.kstack_top);

	*frame = *thread_user_frame(current_base()->kstack_top);
	if (req->made) {
		frame_init_user(frame, 0, 0);
		arch_thread_set_tls(&child->thread.base.arch, 0);
		return;
	}
	frame_set_return_value(frame, 0);
	if (current_task()->trace.step)
		frame_clear_step(frame);
	if (req->stack)
		frame_set_sp(frame, req->stack);
	if (req->flags & CLONE_SETTLS)
		arch_thread_set_tls(&child->thread.base.arch, req->tls);
}

static int copy_thread(struct task *child, struct task *parent, const struct clone_request *req)
{
	int err;

	if (parent->thread.params.policy == SCHED_DEADLINE && !parent->thread.params.reset_on_fork)
		return -EAGAIN;
	err = thread_init(&child->thread, parent->thread.name, task_entry, child, task_release);

	if (err)
		return err;
	child->thread.user = true;
	child->thread.params = parent->thread.params;
	child->thread.affinity = parent->thread.affinity;
	child->thread.group = parent->thread.group;
	if (child->thread.params.reset_on_fork) {
		child->thread.params.reset_on_fork = false;
		if (child->thread.params.rt_priority)
			child->thread.params.policy = SCHED_NORMAL;
		child->thread.params.rt_priority = 0;
		child->thread.params.deadline_ns = 0;
		child->thread.params.nice = MAX(child->thread.params.nice, (s8)0);
	}
	err = arch_thread_copy_user(&child->thread.base.arch, &parent->thread.base.arch);
	if (err)
		return err;
	copy_frame(child, req);
	return 0;
}

static int copy_aspace(struct process *child, struct process *parent,
		       const struct clone_request *req)
{
	int err;

	if (req->made) {
		err = aspace_create(&child->aspace);
		return err ? err : aspace_set_budget(child->aspace, req->budget);
	}
	if (!(req->flags & CLONE_VM))
		return aspace_fork(parent->aspace, &child->aspace);
	aspace_get(parent->aspace);
	aspace_user_get(parent->aspace);
	child->aspace = parent->aspace;
	return 0;
}

static int copy_actions(struct process *child, struct process *parent, u64 flags)
{
	int err;

	if (flags & CLONE_SIGHAND) {
		__atomic_fetch_add(&parent->actions->refs, 1, __ATOMIC_RELAXED);
		child->actions = parent->actions;
		return 0;
	}
	spin_lock(&parent->actions->lock);
	err = signal_actions_create(parent->actions, &child->actions);
	spin_unlock(&parent->actions->lock);
	if (!err && (flags & CLONE_CLEAR_SIGHAND))
		signal_actions_reset(child->actions);
	return err;
}

/* A process of its own for the child. */
static int copy_process(struct task *child, struct process *parent, const struct clone_request *req)
{
	struct process *process;
	int err = process_create(req->made ? req->budget : parent->charge.budget, &process);

	if (err)
		return err;
	child->process = process;
	process->pid_namespace = namespaces_pid(child->namespaces);
	namespace_get(&process->pid_namespace->base);
	process->exit_signal = req->exit_signal;
	process->oom_score_adj = parent->oom_score_adj;
	process->login_user = parent->login_user;
	process->coredump_filter = parent->coredump_filter;
	process->silo = parent->silo;
	if (process->silo)
		object_get(&process->silo->object);
	memcpy(process->limits, parent->limits, sizeof(process->limits));
	err = copy_actions(process, parent, req->flags);
	if (err)
		return err;
	process->reaps_itself = req->made;
	return copy_aspace(process, parent, req);
}

static int copy_files(struct task *child, struct task *parent, const struct clone_request *req)
{
	u64 flags = req->flags;
	int err;

	if (req->made) {
		err = pool_create(req->budget, &child->pool);
		if (err)
			return err;
	} else if (flags & CLONE_FILES) {
		pool_user_get(parent->pool);
		child->pool = parent->pool;
	} else {
		err = pool_copy(parent->pool, &child->pool);
		if (err)
			return err;
	}
	if (flags & CLONE_FS) {
		proc_hooks.fs_get(parent->fs);
		child->fs = parent->fs;
		return 0;
	}
	return proc_hooks.fs_copy(parent->fs, &child->fs);
}

static void copy_attributes(struct task *child, struct task *parent,
			    const struct clone_request *req)
{
	credentials_get(parent->credentials);
	child->credentials = parent->credentials;
	user_account_hold(parent->account);
	child->account = parent->account;
	__atomic_fetch_add(&child->account->tasks, 1, __ATOMIC_RELAXED);
	if (!req->made) { /* else it has none of the parent's memory */
		child->signals.blocked = parent->signals.blocked;
		if (!(req->flags & CLONE_VM) || (req->flags & CLONE_VFORK))
			child->signals.altstack = parent->signals.altstack;
		if (!(req->flags & CLONE_VM))
			rseq_fork(child, parent);
	}
	child->personality = parent->personality;
	child->confined = parent->confined;
	child->timer_slack_ns = parent->timer_slack_ns;
	child->io_priority = parent->io_priority;
	child->memory_policy = parent->memory_policy;
	if (req->flags & CLONE_CHILD_SETTID)
		child->set_child_tid = req->child_tid;
	if (req->flags & CLONE_CHILD_CLEARTID)
		child->clear_child_tid = req->child_tid;
}

/* Undoes any part of the copying. */
static void discard(struct task *child, struct process *parent)
{
	if (child->pool)
		pool_user_put(child->pool);
	if (child->fs)
		proc_hooks.fs_put(child->fs);
	if (child->namespaces)
		namespaces_put(child->namespaces);
	pid_aliases_free(child->pid_aliases);
	if (child->process && child->process != parent && child->process->aspace) {
		aspace_user_put(child->process->aspace);
		aspace_put(child->process->aspace);
		child->process->aspace = nullptr;
	}
	if (child->account)
		__atomic_fetch_sub(&child->account->tasks, 1, __ATOMIC_RELAXED);
	if (child->thread.kstack)
		thread_destroy_unstarted(&child->thread);
	task_put(child);
	task_count_drop();
	silo_task_drop(parent->silo);
}

static int copy_task(struct task *child, struct task *parent, const struct clone_request *req)
{
	int err;

	copy_attributes(child, parent, req);
	err = copy_thread(child, parent, req);
	if (err)
		return err;
	err = copy_files(child, parent, req);
	if (!err)
		err = namespaces_copy(parent->namespaces, req->flags, child->fs,
				      &child->namespaces);
	if (!err)
		err = pid_aliases_create(namespaces_pid(child->namespaces), &child->pid_aliases);
	if (err)
		return err;
	if (!(req->flags & CLONE_THREAD))
		return copy_process(child, parent->process, req);
	object_get(&parent->process->object);
	child->process = parent->process;
	return 0;
}

/* A number, and its aliases in the name space that the child is born into. */
static int choose_number(struct task *child, const struct clone_request *req)
	__must_hold(&process_table_lock)
{
	struct pid_namespace *ns = child->process->pid_namespace;
	unsigned wanted = req->set_tid_count;
	int number, err;

	if (wanted > ns->level + 1)
		return -EINVAL;
	for (unsigned i = 0; i < wanted; i++)
		if (req->set_tids[i] <= 0)
			return -EINVAL;
	number = pid_allocate(wanted > ns->level ? req->set_tids[ns->level] : 0);
	if (number < 0)
		return number;
	err = pid_aliases_enter_locked(ns, child->pid_aliases, number, req->set_tids, wanted);
	if (err) {
		pid_free(number);
		return err;
	}
	child->pid_aliases = nullptr; /* the number's */
	return number;
}

/* From here on others can see the child. */
static int publish_locked(struct task *child, const struct clone_request *req)
	__must_hold(&process_table_lock)
{
	struct process *parent = current_process();
	struct process *process = child->process;
	int tid = choose_number(child, req);

	if (tid < 0)
		return tid;
	seccomp_inherit(child);
	trace_child_locked(child, req->trace_event || (req->flags & CLONE_PTRACE));
	if (!(req->flags & CLONE_THREAD)) {
		process->parent = parent;
		process->parent_tid = current_task()->tid;
		if (req->flags & CLONE_PARENT) {
			process->parent = parent->parent;
			process->exit_signal = parent->exit_signal;
		}
		process_group_enter_locked(process, parent->group);
	}
	task_publish_locked(child, tid);
	return tid;
}

/* -ERESTARTNOINTR: the process is being killed, or a signal came that the child must not miss. */
static int publish(struct task *child, const struct clone_request *req)
{
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	int tid = signal_pending() ? -ERESTARTNOINTR : publish_locked(child, req);

	spin_unlock_irqrestore(&process_table_lock, flags);
	return tid;
}

/* Waits until a vfork child lets go of the address space. */
static void wait_for_vfork(struct task *child, struct completion *done)
{
	int err = wait_for_completion(done, SLEEP_KILLABLE);
	irqflags_t flags = spin_lock_irqsave(&child->process->lock);

	/* The child completes under this lock: now it has either done so or never will touch our stack. */
	if (err)
		child->vfork_done = nullptr;
	spin_unlock_irqrestore(&child->process->lock, flags);
}

static long start(struct task *child, const struct clone_request *req)
{
	struct completion vfork_done;
	int tid;

	if (req->flags & CLONE_VFORK) {
		completion_init(&vfork_done);
		child->vfork_done = &vfork_done;
	}
	child->thread.aspace = child->process->aspace;
	if (req->made) {
		child->rest.by_hand = child->rest.held = true;
		trace_update_work(child);
	}
	tid = publish(child, req);
	if (tid < 0)
		return tid;
	if (req->made) {
		object_get(&child->object);
		*req->made = child;
	}
	if (req->flags & CLONE_PARENT_SETTID) {
		int ignored = put_user(pid_to_user(tid), req->parent_tid);

		(void)ignored; /* as Linux: the child exists by now */
	}
	if (!(req->flags & CLONE_VFORK)) {
		thread_start(&child->thread);
		if (unlikely(req->trace_event))
			trace_event(req->trace_event, (u64)tid);
		return tid;
	}
	object_get(&child->object);
	thread_start(&child->thread);
	if (unlikely(req->trace_event))
		trace_event(req->trace_event, (u64)tid);
	wait_for_vfork(child, &vfork_done);
	trace_event(PTRACE_EVENT_VFORK_DONE, (u64)tid);
	task_put(child);
	return tid;
}

static long start_with_pidfd(struct task *child, const struct clone_request *req)
{
	struct pool *pool = current_task()->pool;
	int fd = handle_reserve(pool, 0,
				(unsigned)MIN(current_limit(RLIMIT_NOFILE), (u64)INT32_MAX));
	struct file *file;
	long result;

	if (fd < 0)
		return fd;
	result = pidfd_create(child->process, 0, &file);
	if (result)
		goto cancel;
	result = put_user(fd, req->pidfd);
	if (!result)
		result = start(child, req);
	if (result >= 0) {
		handle_publish(pool, fd, &file->object, file_rights(O_RDWR), HANDLE_CLOEXEC);
		file_put(file);
		return result;
	}
	file_put(file);
cancel:
	handle_cancel(pool, fd);
	return result;
}

long task_clone(struct clone_request *req)
{
	struct task *parent = current_task(), *child;
	long result = check_flags(req);

	if (result)
		return result;
	if (unlikely(parent->trace.tracer && !req->made))
		req->trace_event = trace_clone_event(req->flags, req->exit_signal);
	result = check_limits(parent);
	if (result)
		return result;
	result = task_create(req->made ? req->budget : parent->process->charge.budget, &child);
	if (result) {
		task_count_drop();
		silo_task_drop(parent->process->silo);
		return result;
	}
	result = copy_task(child, parent, req);
	if (!result)
		result =
			req->flags & CLONE_PIDFD ? start_with_pidfd(child, req) : start(child, req);
	if (result < 0) {
		discard(child, parent->process);
		return result;
	}
	return pid_to_user((int)result);
}

int task_make(struct memory_budget *budget, struct task **out)
{
	struct clone_request req = { .flags = CLONE_CLEAR_SIGHAND, .made = out, .budget = budget };
	long tid = task_clone(&req);

	if (tid < 0)
		return (int)tid;
	task_await_rest(*out);
	return 0;
}

int task_unshare(u64 flags)
{
	struct task *task = current_task();
	struct fs_context *fs = nullptr, *old_fs = task->fs;
	struct pool *pool = nullptr, *old_pool = task->pool;
	struct namespaces *set = nullptr;
	irqflags_t irq;
	int err = 0;

	if ((flags & CLONE_FILES) && READ_ONCE(old_pool->users) > 1)
		err = pool_copy(old_pool, &pool);
	if (!err && (flags & (CLONE_FS | CLONE_NEWNS)))
		err = proc_hooks.fs_copy(old_fs, &fs);
	if (!err)
		err = namespaces_copy(task->namespaces, flags, fs, &set);
	if (err) {
		if (pool)
			pool_user_put(pool);
		if (fs)
			proc_hooks.fs_put(fs);
		return err;
	}
	if (flags & CLONE_SYSVSEM)
		sem_exit(task->process);
	task_set_namespaces(set);
	irq = spin_lock_irqsave(&task->process->lock);
	if (pool)
		task->pool = pool;
	if (fs)
		task->fs = fs;
	spin_unlock_irqrestore(&task->process->lock, irq);
	if (pool)
		pool_user_put(old_pool);
	if (fs)
		proc_hooks.fs_put(old_fs);
	return 0;
}

void task_entry(void *arg)
{
	struct task *task = arg;

	if (unlikely(task->rest.by_hand))
		thread_work_set(&task->thread.base, WORK_NOTIFY); /* it is held */
	if (task->set_child_tid) {
		int ignored = put_user(pid_to_user(task->tid), task->set_child_tid);

		(void)ignored;
	}
	arch_enter_user();
}
