/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tracing: who traces whom, and the stops (ptrace(2)).
 *
 * A tracee stops by itself: in stop() it marks itself, tells the tracer, and sleeps until the tracer lets it go on or SIGKILL
 * comes. So its registers lie in the frame at the top of its stack, and a request only has to see that it sleeps.
 *
 * (R1) task->trace.tracer changes under process_table_lock and the process's lock. Tracees are listed at the tracer, a task; its
 *      exit lets go of them all, so no references are needed.
 * (R2) stopped, and all that describes a stop, is guarded by process->lock. While `frozen`, nothing wakes the task.
 * (R3) A tracee that exits and is no process of its own stays listed (dead), with its number and the table's reference, until the
 *      tracer has waited for it. The leader of a process is waited for as the process (wait.c); a tracer that is not the parent
 *      comes first, and the parent is told when it lets go.
 * (R4) A tracee never sleeps in the group stop of stop.c, but stops for its tracer instead, once for each group stop.
 */
#include <arch/frame.h>
#include <arch/ptrace.h>
#include <lib/errno.h>
#include <mm/aspace.h>
#include <proc/proc_priv.h>

#include <linux/ptrace.h>
#include <linux/sched.h>

/* <sys/ptrace.h> has them for programs; the uapi header only as PTRACE_O_*. */
#define OPTION(event) (1u << (event))

bool trace_all_syscalls;

void trace_init(struct task *task)
{
	list_init(&task->trace.node);
	list_init(&task->trace.tracees);
}

/* Permission. */

static bool same_ids(const struct credentials *mine, const struct credentials *theirs, bool real)
{
	u32 uid = real ? mine->uid : mine->fsuid, gid = real ? mine->gid : mine->fsgid;

	return uid == theirs->uid && uid == theirs->euid && uid == theirs->suid &&
	       gid == theirs->gid && gid == theirs->egid && gid == theirs->sgid;
}

int trace_permission(struct task *task, u32 mode)
{
	const struct credentials *mine = current_credentials(), *theirs;
	bool real = mode & TRACE_REAL, allowed;
	u64 capabilities = real ? mine->capabilities_permitted : mine->capabilities_effective;
	irqflags_t flags;

	if (task->process == current_process() || capable(CAP_SYS_PTRACE))
		return 0;
	theirs = task_credentials_get(task);
	allowed = same_ids(mine, theirs, real) && !(theirs->capabilities_permitted & ~capabilities);
	credentials_put(theirs);
	if (!allowed)
		return -EPERM;
	flags = spin_lock_irqsave(&task->process->lock);
	allowed = !task->process->aspace || task->process->aspace->dumpable == 1;
	spin_unlock_irqrestore(&task->process->lock, flags);
	return allowed ? 0 : -EPERM;
}

/* Who traces whom. */

void trace_link_locked(struct task *task, struct task *tracer, bool seize, u32 options)
{
	task->trace.tracer = tracer;
	task->trace.seized = seize;
	task->trace.options = options;
	list_add_tail(&tracer->trace.tracees, &task->trace.node);
}

/* Forgets the tracer; a task in one of its stops goes on. */
static void unlink_locked(struct task *task) __must_hold(&task->process->lock)
{
	struct trace_state *trace = &task->trace;

	list_remove(&trace->node);
	list_init(&trace->node);
	trace->tracer = nullptr;
	trace->options = 0;
	trace->seized = trace->syscalls = trace->emulate = false;
	trace->trap_pending = trace->listening = trace->frozen = false;
	trace_update_work(task);
	if (trace->stopped) {
		trace->step = false;
		arch_step_set(&task->thread.base, false);
		trace->stopped = false;
		thread_wake(&task->thread);
	}
}

/* The tracer is through with a dead one. */
static void release_dead(struct task *task)
{
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);

	pid_remove(&task->pid_entry);
	spin_unlock_irqrestore(&process_table_lock, flags);
	task_put(task);
}

static void unlink_task_locked(struct task *task) __must_hold(&process_table_lock)
{
	spin_lock_nested(&task->process->lock);
	unlink_locked(task);
	spin_unlock(&task->process->lock);
}

void trace_forget_leader_locked(struct process *process)
{
	if (process->leader && process->leader->trace.tracer)
		unlink_task_locked(process->leader);
}

bool trace_hides_zombie(const struct process *process)
{
	const struct task *leader = process->leader;

	return leader && leader->trace.tracer && leader->trace.tracer->process != process->parent;
}

/* Lets go of one tracee of a tracer that exits. Returns a process to be released by the caller, or null. */
static struct process *abandon(struct task *task)
{
	struct process *process = task->process, *reaped = nullptr;
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	bool hidden = process->leader == task && trace_hides_zombie(process);
	siginfo_t info;

	if (task->trace.options & PTRACE_O_EXITKILL) {
		int ignored;

		siginfo_kernel(&info, SIGKILL);
		ignored = signal_send_process(process, &info);
		(void)ignored;
	}
	unlink_task_locked(task);
	if (hidden && process->state == PROCESS_ZOMBIE && process_show_zombie_locked(process))
		reaped = process;
	spin_unlock_irqrestore(&process_table_lock, flags);
	if (task->trace.dead && task != process->leader)
		release_dead(task);
	return reaped;
}

void trace_exit_tracer(struct task *tracer)
{
	for (;;) {
		irqflags_t flags = spin_lock_irqsave(&process_table_lock);
		struct task *task = nullptr;
		struct process *reaped;

		if (!list_empty(&tracer->trace.tracees)) {
			task = list_first(&tracer->trace.tracees, struct task, trace.node);
			object_get(&task->object);
		}
		spin_unlock_irqrestore(&process_table_lock, flags);
		if (!task)
			return;
		reaped = abandon(task);
		if (reaped)
			process_release(reaped);
		task_put(task);
	}
}

int trace_me(void)
{
	struct task *task = current_task(), *tracer, *t;
	struct process *parent;
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	int err = -EPERM;

	parent = task->process->parent;
	if (!task->trace.tracer && parent) {
		tracer = nullptr;
		list_for_each (t, &parent->tasks, process_node)
			if (!t->exiting && (!tracer || t->tid == task->process->parent_tid))
				tracer = t;
		if (tracer) {
			spin_lock_nested(&task->process->lock);
			trace_link_locked(task, tracer, false, 0);
			spin_unlock(&task->process->lock);
			err = 0;
		}
	}
	spin_unlock_irqrestore(&process_table_lock, flags);
	return err;
}

/* A task that sleeps in a group stop has to stop for the tracer instead. */
static void trap_locked(struct task *task) __must_hold(&task->process->lock)
{
	task->trace.trap_pending = true;
	thread_work_set(&task->thread.base, WORK_SIGNAL);
	if (task->trace.stopped ? task->trace.listening : task->stopped)
		thread_wake(&task->thread);
	else
		thread_interrupt(&task->thread, false);
	thread_kick(&task->thread);
}

int trace_attach(struct task *task, bool seize, u32 options)
{
	struct process *process = task->process;
	irqflags_t flags;
	siginfo_t info;
	int err = -EPERM;

	if (process == current_process())
		return -EPERM;
	err = trace_permission(task, TRACE_ATTACH | TRACE_REAL);
	if (err)
		return err;
	flags = spin_lock_irqsave(&process_table_lock);
	spin_lock_nested(&process->lock);
	if (task->exiting || process->state >= PROCESS_ZOMBIE || task->trace.tracer) {
		err = -EPERM;
	} else {
		trace_link_locked(task, current_task(), seize, options);
		if (task->stopped)
			trap_locked(task);
		if (!seize) {
			siginfo_kernel(&info, SIGSTOP);
			err = signal_send_locked(process, task, &info, true);
		}
	}
	spin_unlock(&process->lock);
	spin_unlock_irqrestore(&process_table_lock, flags);
	return err;
}

int trace_interrupt(struct task *task)
{
	irqflags_t flags = spin_lock_irqsave(&task->process->lock);
	struct trace_state *trace = &task->trace;
	int err = 0;

	if (trace->tracer != current_task())
		err = -ESRCH;
	else if (!trace->seized)
		err = -EIO;
	else
		trap_locked(task);
	spin_unlock_irqrestore(&task->process->lock, flags);
	return err;
}

int trace_hold(struct task *task)
{
	irqflags_t flags = spin_lock_irqsave(&task->process->lock);
	struct trace_state *trace = &task->trace;
	bool ours = trace->tracer == current_task() && trace->stopped && !trace->listening &&
		    (trace->exit_stop || !(thread_work(&task->thread.base) & WORK_FATAL));

	if (ours)
		trace->frozen = true;
	spin_unlock_irqrestore(&task->process->lock, flags);
	if (!ours)
		return -ESRCH;
	/* It marked itself before it fell asleep. */
	while (READ_ONCE(task->thread.state) != THREAD_SLEEPING ||
	       __atomic_load_n(&task->thread.on_cpu, __ATOMIC_ACQUIRE))
		thread_yield();
	return 0;
}

void trace_release(struct task *task)
{
	irqflags_t flags = spin_lock_irqsave(&task->process->lock);

	task->trace.frozen = false;
	if (thread_work(&task->thread.base) & WORK_FATAL && !task->trace.exit_stop)
		thread_wake(&task->thread);
	spin_unlock_irqrestore(&task->process->lock, flags);
}

int trace_resume(struct task *task, enum trace_resume how, u64 signo)
{
	struct trace_state *trace = &task->trace;
	irqflags_t flags;

	if (signo > SIGNAL_COUNT) {
		trace_release(task);
		return -EIO;
	}
	trace->syscalls = how == TRACE_SYSCALL;
	trace->emulate = how == TRACE_EMULATE || how == TRACE_EMULATE_STEP;
	trace->step = how == TRACE_STEP || how == TRACE_EMULATE_STEP;
	arch_step_set(&task->thread.base, trace->step);
	flags = spin_lock_irqsave(&task->process->lock);
	trace_update_work(task);
	trace->resume_signal = (int)signo;
	trace->frozen = trace->stopped = false;
	thread_wake(&task->thread);
	spin_unlock_irqrestore(&task->process->lock, flags);
	return 0;
}

int trace_listen(struct task *task)
{
	irqflags_t flags = spin_lock_irqsave(&task->process->lock);
	struct trace_state *trace = &task->trace;
	int err = -EIO;

	if (trace->seized && trace->code >> 8 == PTRACE_EVENT_STOP) {
		trace->listening = true;
		err = 0;
	}
	trace->frozen = false;
	if (trace->trap_pending || (thread_work(&task->thread.base) & WORK_FATAL))
		thread_wake(&task->thread);
	spin_unlock_irqrestore(&task->process->lock, flags);
	return err;
}

int trace_detach(struct task *task, u64 signo)
{
	irqflags_t flags;

	if (signo > SIGNAL_COUNT) {
		trace_release(task);
		return -EIO;
	}
	task->trace.step = false;
	arch_step_set(&task->thread.base, false);
	flags = spin_lock_irqsave(&process_table_lock);
	spin_lock_nested(&task->process->lock);
	task->trace.resume_signal = (int)signo;
	unlink_locked(task);
	spin_unlock(&task->process->lock);
	spin_unlock_irqrestore(&process_table_lock, flags);
	return 0;
}

void trace_update_work(struct task *task)
{
	if (trace_all_syscalls || task->trace.syscalls || task->trace.emulate || task->trace.step ||
	    task->seccomp_mode || task->rest.by_hand || task->forsworn)
		thread_work_set(&task->thread.base, WORK_TRACE);
	else
		thread_work_clear(&task->thread.base, WORK_TRACE);
}

int trace_clone_event(u64 clone_flags, int exit_signal)
{
	const struct trace_state *trace = &current_task()->trace;
	int event = clone_flags & CLONE_VFORK ? PTRACE_EVENT_VFORK
		    : exit_signal != SIGCHLD  ? PTRACE_EVENT_CLONE
					      : PTRACE_EVENT_FORK;

	if ((clone_flags & CLONE_UNTRACED) || !(READ_ONCE(trace->options) & OPTION(event)))
		return 0;
	return event;
}

void trace_child_locked(struct task *child, bool follow)
{
	struct trace_state *trace = &current_task()->trace;

	if (!trace->tracer || !follow)
		return;
	trace_link_locked(child, trace->tracer, trace->seized, trace->options);
	if (trace->seized)
		child->trace.trap_pending = true;
	else
		child->signals.pending.set |= SIGNAL_BIT(SIGSTOP);
	thread_work_set(&child->thread.base, WORK_SIGNAL);
}

bool trace_take_stop_locked(struct task *task, struct wait_request *req, bool keep)
{
	struct trace_state *trace = &task->trace;
	bool found;

	spin_lock_nested(&task->process->lock);
	found = trace->stopped && !trace->listening && !trace->reported &&
		(trace->exit_stop || !(thread_work(&task->thread.base) & WORK_FATAL));
	if (found) {
		req->status = trace->code << 8 | 0x7f;
		req->code = CLD_TRAPPED;
		trace->reported = !keep;
	}
	spin_unlock(&task->process->lock);
	return found;
}
