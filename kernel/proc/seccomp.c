/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Seccomp: the tree of filters, and what their results do.
 *
 * task->seccomp_filter is changed under process_table_lock and the process's lock, by the task itself or, with TSYNC, by another of the
 * process; each new value descends from the old one and holds it, so that the task reads it without a lock.
 */
#include <arch/frame.h>
#include <arch/ptrace.h>
#include <core/log.h>
#include <lib/bpf.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <proc/pid_namespace.h>
#include <proc/proc_priv.h>
#include <proc/seccomp.h>

#include <asm/unistd.h>
#include <linux/seccomp.h>

#define PATH_MAX_INSTRUCTIONS 32768
#define FILTER_PENALTY 4 /* instructions that each filter of a path counts more than it has */
#define FLAGS_KNOWN                                                                                \
	(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW |    \
	 SECCOMP_FILTER_FLAG_TSYNC_ESRCH)

struct seccomp_filter {
	u32 refs;
	unsigned depth;	  /* filters on the path, itself included */
	size_t path_size; /* instructions on the path */
	bool log;
	struct seccomp_filter *previous; /* holds a reference */
	size_t count;
	struct sock_filter program[] __counted_by(count);
};

void seccomp_filter_put(struct seccomp_filter *filter)
{
	while (filter && __atomic_sub_fetch(&filter->refs, 1, __ATOMIC_ACQ_REL) == 0) {
		struct seccomp_filter *previous = filter->previous;

		kvfree(filter);
		filter = previous;
	}
}

static struct seccomp_filter *filter_get(struct seccomp_filter *filter)
{
	if (filter)
		__atomic_fetch_add(&filter->refs, 1, __ATOMIC_RELAXED);
	return filter;
}

unsigned seccomp_filter_count(const struct task *task)
{
	const struct seccomp_filter *filter;
	unsigned depth;

	rcu_read_lock(); /* the task is kept by the caller, and filters only grow */
	filter = READ_ONCE(task->seccomp_filter);
	depth = filter ? filter->depth : 0;
	rcu_read_unlock();
	return depth;
}

void seccomp_inherit(struct task *child)
{
	struct task *task = current_task();

	child->no_new_privs = task->no_new_privs;
	child->seccomp_mode = task->seccomp_mode;
	child->forsworn = task->forsworn;
	child->forsworn_on_exec = task->forsworn_on_exec;
	child->seccomp_filter = filter_get(task->seccomp_filter);
	trace_update_work(child);
}

int seccomp_set_strict(void)
{
	struct task *task = current_task();
	irqflags_t flags = spin_lock_irqsave(&task->process->lock);
	bool other = task->seccomp_mode && task->seccomp_mode != SECCOMP_MODE_STRICT;

	if (!other) {
		task->seccomp_mode = SECCOMP_MODE_STRICT;
		trace_update_work(task);
	}
	spin_unlock_irqrestore(&task->process->lock, flags);
	return other ? -EINVAL : 0;
}

static int filter_create(const struct sock_filter *program, size_t count,
			 struct seccomp_filter **out)
{
	struct seccomp_filter *filter;
	int err = bpf_check(program, count, BPF_DIALECT_SECCOMP, sizeof(struct seccomp_data));

	if (err)
		return err;
	filter = kvmalloc(sizeof(*filter) + count * sizeof(*program), ALLOC_ZERO);
	if (!filter)
		return -ENOMEM;
	filter->refs = 1;
	filter->count = count;
	memcpy(filter->program, program, count * sizeof(*program));
	*out = filter;
	return 0;
}

static bool is_ancestor(const struct seccomp_filter *old, const struct seccomp_filter *filter)
{
	while (filter && filter != old)
		filter = filter->previous;
	return !old || filter;
}

/* A task of the process that cannot take over the current one's filters; null: all can. */
static const struct task *find_foreign_locked(const struct task *self)
	__must_hold(&self->process->lock)
{
	const struct task *task;

	list_for_each (task, &self->process->tasks, process_node) {
		if (task == self || task->exiting)
			continue;
		if (task->seccomp_mode == SECCOMP_MODE_STRICT ||
		    !is_ancestor(task->seccomp_filter, self->seccomp_filter))
			return task;
	}
	return nullptr;
}

/* The reference of `filter` moves in. The one of the old value stays with the new one, which descends from it. */
static void assign_locked(struct task *task, struct seccomp_filter *filter)
{
	struct seccomp_filter *old = task->seccomp_filter;

	__atomic_store_n(&task->seccomp_filter, filter, __ATOMIC_RELEASE);
	task->seccomp_mode = SECCOMP_MODE_FILTER;
	trace_update_work(task);
	if (old)
		__atomic_fetch_sub(&old->refs, 1, __ATOMIC_ACQ_REL); /* never the last one */
}

static int attach_locked(struct task *self, struct seccomp_filter *filter, u32 flags)
	__must_hold(&self->process->lock)
{
	struct seccomp_filter *previous = self->seccomp_filter;
	struct task *task;

	if (self->seccomp_mode == SECCOMP_MODE_STRICT)
		return -EINVAL;
	filter->depth = previous ? previous->depth + 1 : 1;
	filter->path_size = filter->count + FILTER_PENALTY + (previous ? previous->path_size : 0);
	if (filter->path_size > PATH_MAX_INSTRUCTIONS)
		return -ENOMEM;
	if (flags & SECCOMP_FILTER_FLAG_TSYNC) {
		const struct task *foreign = find_foreign_locked(self);

		if (foreign)
			return flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH ? -ESRCH
								       : pid_to_user(foreign->tid);
	}
	filter->previous = filter_get(previous);
	assign_locked(self, filter);
	if (!(flags & SECCOMP_FILTER_FLAG_TSYNC))
		return 0;
	list_for_each (task, &self->process->tasks, process_node) {
		if (task == self || task->exiting)
			continue;
		task->no_new_privs |= self->no_new_privs;
		assign_locked(task, filter_get(filter));
	}
	return 0;
}

int seccomp_add_filter(const struct sock_filter *program, size_t count, u32 flags)
{
	struct task *task = current_task();
	struct seccomp_filter *filter;
	irqflags_t irq;
	int err;

	if (flags & ~(u32)FLAGS_KNOWN)
		return -EINVAL;
	if (!task->no_new_privs && !capable(CAP_SYS_ADMIN))
		return -EACCES;
	err = filter_create(program, count, &filter);
	if (err)
		return err;
	filter->log = flags & SECCOMP_FILTER_FLAG_LOG;
	irq = spin_lock_irqsave(&process_table_lock);
	spin_lock_nested(&task->process->lock);
	err = attach_locked(task, filter, flags);
	spin_unlock(&task->process->lock);
	spin_unlock_irqrestore(&process_table_lock, irq);
	if (err)
		seccomp_filter_put(filter);
	return err;
}

int seccomp_action_available(u32 action)
{
	switch (action) {
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_TRAP:
	case SECCOMP_RET_ERRNO:
	case SECCOMP_RET_TRACE:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_ALLOW:
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static bool load_data(const void *context, u32 offset, unsigned size, u32 *out)
{
	memcpy(out, (const char *)context + offset, size);
	return true;
}

/* The most restrictive result of all filters, the newest first. */
static u32 run_filters(const struct trap_frame *frame, bool *log)
{
	struct seccomp_data data = { .nr = (int)frame_syscall_number(frame),
				     .arch = arch_audit_number,
				     .instruction_pointer = frame_pc(frame) };
	const struct bpf_input input = { .context = &data,
					 .length = sizeof(data),
					 .load = load_data };
	const struct seccomp_filter *filter =
		__atomic_load_n(&current_task()->seccomp_filter, __ATOMIC_ACQUIRE);
	u32 result = SECCOMP_RET_ALLOW;

	for (unsigned i = 0; i < 6; i++)
		data.args[i] = frame_argument(frame, i);
	for (; filter; filter = filter->previous) {
		u32 mine = bpf_run(filter->program, &input);

		if ((s32)(mine & SECCOMP_RET_ACTION_FULL) <
		    (s32)(result & SECCOMP_RET_ACTION_FULL)) {
			result = mine;
			*log = filter->log;
		}
	}
	return result;
}

static void log_action(const struct trap_frame *frame, u32 action)
{
	const struct task *task = current_task();

	log_info("seccomp: %s[%d] syscall=%d ip=0x%lx code=0x%x", task->thread.name, task->tid,
		 (int)frame_syscall_number(frame), (unsigned long)frame_pc(frame), action);
}

static void fill_sigsys(siginfo_t *info, const struct trap_frame *frame, u32 data)
{
	*info = (siginfo_t){ .si_signo = SIGSYS, .si_code = SYS_SECCOMP, .si_errno = (int)data };
	info->si_call_addr = (void *)frame_pc(frame);
	info->si_syscall = (int)frame_syscall_number(frame);
	info->si_arch = arch_audit_number;
}

[[noreturn]] static void kill_by_filter(const struct trap_frame *frame, u32 action)
{
	struct process *process = current_process();

	log_action(frame, action);
	if (action == SECCOMP_RET_KILL_THREAD && READ_ONCE(process->task_count) > 1)
		task_exit(SIGSYS);
	siginfo_t info;

	fill_sigsys(&info, frame, action & SECCOMP_RET_DATA);
	signal_die(&info);
}

static bool filtered(struct trap_frame *frame, bool again);

/* The tracer may have changed the call: what it is now is filtered once more. */
static bool ask_tracer(struct trap_frame *frame, u32 data)
{
	if (!trace_seccomp(data)) {
		frame_set_return_value(frame, (u64)-ENOSYS);
		return false;
	}
	frame_trace_entered(frame);
	if (signal_fatal_pending() || !frame_in_syscall(frame))
		return false;
	return filtered(frame, true);
}

static bool filtered(struct trap_frame *frame, bool again)
{
	bool log = false;
	u32 result = run_filters(frame, &log);
	u32 action = result & SECCOMP_RET_ACTION_FULL, data = result & SECCOMP_RET_DATA;
	siginfo_t info;

	if (log && action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG)
		log_action(frame, action);
	switch (action) {
	case SECCOMP_RET_ALLOW:
		return true;
	case SECCOMP_RET_LOG:
		log_action(frame, action);
		return true;
	case SECCOMP_RET_TRACE:
		return again || ask_tracer(frame, data);
	case SECCOMP_RET_ERRNO:
		frame_set_return_value(frame, (u64) - (s64)MIN(data, (u32)MAX_ERRNO));
		return false;
	case SECCOMP_RET_TRAP:
		frame_undo_syscall(frame);
		fill_sigsys(&info, frame, data);
		signal_force_info(&info);
		return false;
	case SECCOMP_RET_USER_NOTIF: /* nobody listens */
		frame_set_return_value(frame, (u64)-ENOSYS);
		return false;
	default:
		kill_by_filter(frame, action);
	}
}

static bool strict_allows(u64 number)
{
	return number == __NR_read || number == __NR_write || number == __NR_exit ||
	       number == __NR_rt_sigreturn;
}

bool seccomp_enter(struct trap_frame *frame)
{
	switch (current_task()->seccomp_mode) {
	case SECCOMP_MODE_DISABLED:
		return true;
	case SECCOMP_MODE_STRICT:
		if (!strict_allows(frame_syscall_number(frame)))
			task_exit(SIGKILL);
		return true;
	default:
		return filtered(frame, false);
	}
}
