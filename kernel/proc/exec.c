/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * execve(2). Everything that can fail happens first, without touching the old program: opening, reading headers,
 * copying strings, mapping the new address space. Then comes the point of no return: the other tasks leave, the new address
 * space takes the place of the old one, and what the standard says is reset. A failure after it kills the process.
 */
#include <arch/frame.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/slab.h>
#include <obj/file.h>
#include <obj/inode.h>
#include <proc/exec_priv.h>
#include <proc/proc_priv.h>
#include <proc/rseq.h>

#include <linux/personality.h>
#include <linux/ptrace.h>

static int read_header(struct exec_image *image)
{
	ssize_t got;

	memset(image->header, 0, sizeof(image->header));
	got = file_read_kernel(image->file, image->header, sizeof(image->header), 0);
	return got < 0 ? (int)got : 0;
}

/* Follows scripts to the program that will run. */
static int find_program(struct exec_image *image)
{
	for (unsigned depth = 0; depth <= EXEC_DEPTH_MAX; depth++) {
		int result = read_header(image);

		if (!result)
			result = exec_registered(image);
		if (!result)
			result = exec_script(image);
		if (result <= 0)
			return result;
	}
	return -ELOOP;
}

static void image_free(struct exec_image *image)
{
	while (image->prefix_count)
		kfree(image->prefix[--image->prefix_count]);
	exec_strings_free(&image->strings);
	if (image->credentials)
		credentials_put(image->credentials);
	if (image->aspace) {
		aspace_user_put(image->aspace);
		aspace_put(image->aspace);
	}
	if (image->passed_file)
		file_put(image->passed_file);
	file_put(image->file);
}

/* Waits until this is the only task of the process. -EAGAIN: another one is ending it, or execs too. */
static int end_other_tasks(struct process *process)
{
	struct task *self = current_task(), *task;
	irqflags_t flags = spin_lock_irqsave(&process->lock);
	bool refused = process->group_exiting || process->exec_task;

	if (!refused && process->task_count > 1) {
		process->exec_task = self;
		process->stop_signal = 0;
		list_for_each (task, &process->tasks, process_node)
			if (task != self)
				task_kill_locked(task);
	}
	spin_unlock_irqrestore(&process->lock, flags);
	if (refused)
		return -EAGAIN;
	for (;;) {
		wait_prepare(SLEEP_KILLABLE);
		if (READ_ONCE(process->task_count) == 1 || signal_fatal_pending())
			break;
		(void)!wait_sleep(NO_DEADLINE);
	}
	wait_cancel();
	flags = spin_lock_irqsave(&process->lock);
	process->exec_task = nullptr;
	refused = process->task_count > 1 || process->group_exiting;
	spin_unlock_irqrestore(&process->lock, flags);
	return refused ? -EAGAIN : 0;
}

/* The task that is left takes over the number of the process. */
static void become_leader(struct task *task)
{
	struct process *process = task->process;
	struct task *old = process->leader;
	irqflags_t flags;

	if (old == task)
		return;
	flags = spin_lock_irqsave(&process_table_lock);
	trace_forget_leader_locked(process);
	pid_remove(&task->pid_entry);
	task->tid = process->pid;
	pid_add(&task->pid_entry, PID_TASK, process->pid);
	object_get(&task->object);
	spin_lock_nested(&process->lock);
	process->leader = task;
	spin_unlock(&process->lock);
	spin_unlock_irqrestore(&process_table_lock, flags);
	task_put(old);
}

/* Exchanges the address spaces; the old one goes unless others use it. */
static void enter_aspace(struct task *task, struct exec_image *image)
{
	struct process *process = task->process;
	struct aspace *old;
	irqflags_t flags;

	if (process->aspace)
		task_leave_memory(task);
	flags = spin_lock_irqsave(&process->lock);
	process_forget_aspace_locked(process, &old);
	process->aspace = image->aspace;
	spin_unlock_irqrestore(&process->lock, flags);
	thread_use_aspace(image->aspace);
	image->aspace = nullptr;
	if (old) {
		aspace_user_put(old);
		aspace_put(old);
	}
}

/* Signal actions and handles that are shared with another process become this one's own. */
static int unshare(struct task *task, struct signal_actions **actions, struct pool **pool)
{
	struct process *process = task->process;
	int err = 0;

	*actions = nullptr;
	*pool = nullptr;
	if (READ_ONCE(process->actions->refs) > 1)
		err = signal_actions_create(process->actions, actions);
	if (!err && READ_ONCE(task->pool->users) > 1)
		err = pool_copy(task->pool, pool);
	if (err && *actions)
		signal_actions_put(*actions);
	return err;
}

static void install_shared(struct task *task, struct signal_actions *actions, struct pool *pool)
{
	struct process *process = task->process;
	struct signal_actions *old_actions = process->actions;
	struct pool *old_pool = task->pool;
	irqflags_t flags = spin_lock_irqsave(&process->lock);

	if (pool)
		task->pool = pool;
	if (actions)
		process->actions = actions;
	signal_actions_reset(process->actions);
	spin_unlock_irqrestore(&process->lock, flags);
	if (pool)
		pool_user_put(old_pool);
	if (actions)
		signal_actions_put(old_actions);
}

static void name_task(struct task *task, const char *path)
{
	const char *slash = strrchr(path, '/');

	thread_set_name(&task->thread, slash ? slash + 1 : path);
}

/* What does not survive an exec. */
static void reset_task(struct task *task, struct exec_image *image)
{
	struct process *process = task->process;

	process_timers_exec(process);
	task->robust_list = nullptr;
	rseq_reset(task);
	task->futex_exited = false;
	task->set_child_tid = nullptr;
	task->clear_child_tid = nullptr;
	task->signals.altstack = (stack_t){ .ss_flags = SS_DISABLE };
	task->personality &= ~(u32)(READ_IMPLIES_EXEC | (image->secure ? PER_CLEAR_ON_SETID : 0));
	name_task(task, image->request->path);
	process->has_executed = true;
	task->forsworn |= task->forsworn_on_exec;
	trace_update_work(task);
	process->exit_signal = SIGCHLD;
	pool_close_on_exec(task->pool);
	arch_thread_reset_user(&task->thread.base.arch);
}

static void commit_credentials(struct exec_image *image, struct process *process)
{
	struct aspace *as = process->aspace;

	/* A tracer that came since the privileges were decided on must not have them. */
	if (image->secure && trace_is_unprivileged(current_task()))
		signal_force_fatal(SIGKILL);
	task_set_credentials(image->credentials);
	image->credentials = nullptr;
	as->dumpable = image->secure || image->unreadable ? 0 : 1;
}

/* Without PTRACE_O_TRACEEXEC, and unless it was seized, a tracee gets a SIGTRAP. */
static void tell_tracer(struct task *task, int old_tid)
{
	siginfo_t info;

	if (trace_event(PTRACE_EVENT_EXEC, (u64)old_tid) || task->trace.seized)
		return;
	siginfo_user(&info, SIGTRAP, SI_USER);
	(void)!signal_send_task(task, &info);
}

static int pass_file(struct task *task, struct exec_image *image)
{
	struct file *file = image->passed_file;

	if (!file)
		return 0;
	image->passed_fd =
		handle_install(task->pool, &file->object, file_rights(file->flags), 0, 0,
			       (unsigned)MIN(current_limit(RLIMIT_NOFILE), (u64)INT32_MAX));
	return MIN(image->passed_fd, 0);
}

/* Past the point of no return. */
static int commit(struct exec_image *image)
{
	struct task *task = current_task();
	struct process *process = task->process;
	struct aspace *as = image->aspace;
	struct signal_actions *actions;
	struct pool *pool;
	int tid = task->tid;
	vaddr_t sp;
	int err;

	err = unshare(task, &actions, &pool);
	if (err)
		return err;
	become_leader(task);
	file_get(image->file);
	as->exe = image->file;
	enter_aspace(task, image);
	install_shared(task, actions, pool);
	reset_task(task, image);
	image->aspace = as;
	err = pass_file(task, image);
	if (!err)
		err = exec_stack_build(image, &sp);
	image->aspace = nullptr;
	if (err) {
		signal_force_fatal(SIGSEGV);
		return err;
	}
	commit_credentials(image, process);
	frame_init_user(thread_user_frame(current_base()->kstack_top), image->entry, sp);
	if (unlikely(task->trace.tracer))
		tell_tracer(task, tid);
	return 0;
}

static int prepare(struct exec_image *image)
{
	struct file *file;
	bool nosuid;
	int err = find_program(image);

	if (err)
		return err;
	file = image->passed_credentials ? image->passed_file : image->file;
	nosuid = proc_hooks.file_nosuid && proc_hooks.file_nosuid(file);
	err = credentials_for_exec(file, nosuid, &image->credentials, &image->secure);
	if (!err)
		err = exec_strings_copy(image);
	return err ? err : elf_load(image);
}

int task_exec(const struct exec_request *req)
{
	struct process *process = current_process();
	struct exec_image *image;
	const struct credentials *c = current_credentials();
	int err;

	/* Since set*id no longer fail for too many processes, the program that then begins does (setuid(2)). */
	if (c->uid && current_task()->account->tasks > current_limit(RLIMIT_NPROC) &&
	    !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN))
		return -EAGAIN;
	image = kzalloc(sizeof(*image), 0);
	if (!image)
		return -ENOMEM;
	image->request = req;
	image->passed_fd = -1;
	image->file = req->file;
	file_get(req->file);
	err = prepare(image);
	if (!err && READ_ONCE(process->task_count) > 1)
		err = end_other_tasks(process);
	if (!err)
		err = commit(image);
	image_free(image);
	kfree(image);
	return err;
}
