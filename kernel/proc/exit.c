/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leaving. Each task gives back what it holds and takes itself off the process; the last one makes the process a zombie:
 * its memory is gone, its children have a new parent, its own parent is told. Reaping (wait.c, or at once if the
 * parent ignores SIGCHLD) takes the zombie out of the tables.
 */
#include <core/panic.h>
#include <ipc/channel.h>
#include <ipc/futex.h>
#include <ipc/sysv.h>
#include <lib/errno.h>
#include <mm/aspace.h>
#include <mm/ucopy.h>
#include <proc/pid_namespace.h>
#include <proc/proc_priv.h>
#include <proc/silo.h>

#include <cairn/silo.h>
#include <linux/ptrace.h>

#define NSEC_PER_CLOCK_TICK (NSEC_PER_SEC / 100)

/* An ignored signal is heard nevertheless if it is blocked (signalfd(2), sigwait(3)), or by a tracer. */
static bool hears(struct process *process, int signo)
{
	return !signal_ignored_by(process, signo) || process->leader->trace.tracer ||
	       (process->leader->signals.blocked & SIGNAL_BIT(signo));
}

static void notify_locked(struct process *parent, const struct task *about, int signo, int code,
			  int status) __must_hold(&process_table_lock)
{
	struct process *process = about->process;
	bool exited = code == CLD_EXITED || code == CLD_KILLED || code == CLD_DUMPED;
	siginfo_t info = { .si_signo = signo, .si_code = code };
	u64 user, system;
	int ignored;

	/* What the parent does not hear need not be put together; clone(2) takes numbers that are no signals, which nobody hears. */
	if (signo > 0 && signo <= SIGNAL_COUNT && hears(parent, signo) &&
	    (exited || !(parent->actions->action[SIGCHLD - 1].flags & SA_NOCLDSTOP))) {
		process_times(process, &user, &system);
		info.si_pid = about->tid;
		info.si_uid = about->credentials->uid;
		info.si_status = status;
		info.si_utime = (__kernel_clock_t)(user / NSEC_PER_CLOCK_TICK);
		info.si_stime = (__kernel_clock_t)(system / NSEC_PER_CLOCK_TICK);
		ignored = signal_send_process(parent, &info);
		(void)ignored;
	}
	if (!wait_queue_empty(&parent->child_wait))
		wake_up(&parent->child_wait, 0);
}

void process_notify_parent_locked(struct process *process, int code, int status)
{
	if (process->parent && process->leader)
		notify_locked(process->parent, process->leader, SIGCHLD, code, status);
}

/* Tells of the end of a task, or of its process, with this wait status. */
static void notify_end_locked(struct process *to, const struct task *about, int signo, int status)
	__must_hold(&process_table_lock)
{
	if (!(status & 0x7f))
		notify_locked(to, about, signo, CLD_EXITED, status >> 8 & 0xff);
	else
		notify_locked(to, about, signo, status & 0x80 ? CLD_DUMPED : CLD_KILLED,
			      status & 0x7f);
}

/* Tells the parent of the end. True if nobody will wait for it. */
static bool notify_exit_locked(struct process *process) __must_hold(&process_table_lock)
{
	struct signal_action *action = &process->parent->actions->action[SIGCHLD - 1];
	struct task *tracer = process->leader->trace.tracer;
	bool reap = !tracer &&
		    (process->parent->reaps_children || process->reaps_itself ||
		     (process->exit_signal == SIGCHLD &&
		      (action->handler == (vaddr_t)SIG_IGN || (action->flags & SA_NOCLDWAIT))));

	if (trace_hides_zombie(process)) {
		notify_end_locked(tracer->process, process->leader, SIGCHLD, process->exit_code);
		return false;
	}
	if (reap)
		process->state = PROCESS_DEAD;
	notify_end_locked(process->parent, process->leader, process->exit_signal,
			  process->exit_code);
	return reap;
}

bool process_show_zombie_locked(struct process *process)
{
	bool reap = notify_exit_locked(process);

	if (reap)
		process_unlink_locked(process);
	return reap;
}

void process_unlink_locked(struct process *process)
{
	process->state = PROCESS_DEAD;
	trace_forget_leader_locked(process);
	pid_namespace_leave_locked(process);
	list_remove(&process->sibling);
	process_group_leave_locked(process);
	pid_remove(&process->pid_entry);
}

void process_release(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->lock);
	struct task *leader = process->leader;

	process->leader = nullptr;
	spin_unlock_irqrestore(&process->lock, flags);
	task_put(leader);
	process_put(process);
}

/* A group that nobody can continue any more, with stopped members: they are hung up (POSIX, _exit). */
static void signal_orphans_locked(struct process_group *group, const struct process *without)
	__must_hold(&process_table_lock)
{
	siginfo_t info;

	if (list_empty(&group->members) || !process_group_has_stopped_locked(group) ||
	    !process_group_is_orphaned_locked(group, without))
		return;
	siginfo_kernel(&info, SIGHUP);
	signal_send_group_locked(group, &info);
	siginfo_kernel(&info, SIGCONT);
	signal_send_group_locked(group, &info);
}

/*
 * Who becomes the parent of the children of `process`: the nearest subreaper, else process 1. Where there is none, or it ends
 * itself, the name space of the parent takes over.
 */
static struct process *find_reaper_locked(struct process *process) __must_hold(&process_table_lock)
{
	struct pid_namespace *ns = process->pid_namespace;
	struct process *p;

	for (p = process->parent; p; p = p->parent) {
		if (p->pid_namespace != ns) {
			if (ns->init && ns->init != process)
				return ns->init;
			ns = p->pid_namespace;
		}
		if (p == ns->init ||
		    (p->child_subreaper && p->state < PROCESS_ZOMBIE && !p->group_exiting))
			return p;
	}
	return init_process;
}

static void send_death_signals(struct process *child)
{
	struct task *task;
	siginfo_t info;
	irqflags_t flags = spin_lock_irqsave(&child->lock);

	list_for_each (task, &child->tasks, process_node) {
		int ignored;

		if (!task->parent_death_signal)
			continue;
		siginfo_user(&info, task->parent_death_signal, SI_USER);
		ignored = signal_send_locked(child, nullptr, &info, false);
		(void)ignored;
	}
	spin_unlock_irqrestore(&child->lock, flags);
}

/* Zombies that nobody waits for any more are gathered in `dead`, linked by `sibling`. */
static void reparent_children_locked(struct process *process, struct list_head *dead)
	__must_hold(&process_table_lock)
{
	struct process *reaper = find_reaper_locked(process), *child, *next;

	list_for_each_safe (child, next, &process->children, sibling) {
		list_remove(&child->sibling);
		child->parent = reaper;
		list_add_tail(&reaper->children, &child->sibling);
		child->exit_signal = SIGCHLD;
		send_death_signals(child);
		if (child->state == PROCESS_ZOMBIE && notify_exit_locked(child)) {
			process_unlink_locked(child);
			list_add_tail(dead, &child->sibling);
		} else if (child->group != process->group &&
			   child->group->session == process->group->session) {
			signal_orphans_locked(child->group, nullptr);
		}
	}
}

void process_reap_zombies(struct process *parent)
{
	struct list_head dead = LIST_INIT(dead);
	struct process *child, *next;
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);

	list_for_each_safe (child, next, &parent->children, sibling) {
		if (child->state != PROCESS_ZOMBIE || trace_hides_zombie(child))
			continue;
		process_unlink_locked(child);
		list_add_tail(&dead, &child->sibling);
	}
	spin_unlock_irqrestore(&process_table_lock, flags);
	list_for_each_safe (child, next, &dead, sibling) {
		list_remove(&child->sibling);
		process_release(child);
	}
}

static void become_zombie(struct process *process)
{
	struct list_head dead = LIST_INIT(dead);
	struct process *child, *next;
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	bool reap;

	reparent_children_locked(process, &dead);
	if (process->parent->group != process->group &&
	    process->parent->group->session == process->group->session)
		signal_orphans_locked(process->group, process);
	process->exit_code =
		process->group_exiting ? process->group_exit_code : process->leader->exit_code;
	process->state = PROCESS_ZOMBIE;
	if (unlikely(process->silo) && process->exit_code & 0x7f)
		silo_record(process->silo, CAIRN_SILO_EVENT_CRASHED,
			    (u64)process->exit_code & 0x7f);
	reap = notify_exit_locked(process);
	if (reap)
		process_unlink_locked(process);
	spin_lock_nested(&process->lock);
	pidfd_notify_locked(process);
	spin_unlock(&process->lock);
	spin_unlock_irqrestore(&process_table_lock, flags);

	list_for_each_safe (child, next, &dead, sibling) {
		list_remove(&child->sibling);
		process_release(child);
	}
	if (reap)
		process_release(process);
}

void process_forget_aspace_locked(struct process *process, struct aspace **out)
{
	struct aspace *as = process->aspace;

	*out = as;
	process->aspace = nullptr;
	if (!as)
		return;
	aspace_note_peak(as);
	process->dead_minor_faults += as->minor_faults;
	process->dead_major_faults += as->major_faults;
	process->resident_peak = MAX(process->resident_peak, as->resident_peak);
}

static bool is_memory_shared(const struct process *process)
{
	return READ_ONCE(process->task_count) > 1 || READ_ONCE(process->aspace->users) > 1;
}

/* Whoever waits for this task's use of the memory to end: vfork's parent, pthread_join. */
static void release_memory_users(struct task *task)
{
	struct completion *done;
	irqflags_t flags;

	if (task->robust_list)
		futex_exit_robust(task);
	futex_exit_pi(task);
	/* Nobody else can look at memory that ends with this task. */
	if (task->clear_child_tid && is_memory_shared(task->process) &&
	    !put_user(0, task->clear_child_tid))
		futex_wake_address((u32 __user *)task->clear_child_tid);
	if (!READ_ONCE(task->vfork_done))
		return;
	flags = spin_lock_irqsave(&task->process->lock);
	done = task->vfork_done;
	task->vfork_done = nullptr;
	if (done)
		complete(done);
	spin_unlock_irqrestore(&task->process->lock, flags);
}

void task_leave_memory(struct task *task)
{
	release_memory_users(task);
	thread_use_aspace(nullptr);
}

static void account_locked(struct process *process, struct task *task)
{
	u64 user, system;

	thread_times(&task->thread, &user, &system);
	process->dead_user_ns += user;
	process->dead_system_ns += system;
	process->voluntary_switches += task->thread.voluntary_switches;
	process->involuntary_switches += task->thread.involuntary_switches;
	process->dead_io.read_bytes += task->io.read_bytes;
	process->dead_io.write_bytes += task->io.write_bytes;
	process->dead_io.reads += task->io.reads;
	process->dead_io.writes += task->io.writes;
}

/* Takes the task off its process and out of the table. Returns true if it was the last one. */
static bool detach(struct task *task, struct aspace **as, bool *kept)
{
	struct process *process = task->process;
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	bool last, stopped;

	/* A traced task that leads no process stays for its tracer to wait for. */
	*kept = task->trace.tracer && task != process->leader;
	if (!*kept)
		pid_remove(&task->pid_entry);
	spin_lock_nested(&process->lock);
	if (task->trace.tracer) {
		task->trace.dead = true;
		if (process->group_exiting && !process->exec_task)
			task->exit_code = process->group_exit_code;
	}
	list_remove(&task->process_node);
	last = --process->task_count == 0;
	account_locked(process, task);
	stopped = !last && signal_stop_count_locked(process, task);
	if (last)
		process_forget_aspace_locked(process, as);
	else if (process->exec_task)
		thread_wake(&process->exec_task->thread);
	spin_unlock(&process->lock);
	if (stopped)
		process_notify_parent_locked(process, CLD_STOPPED, (int)process->stop_report);
	if (*kept)
		notify_end_locked(task->trace.tracer->process, task, SIGCHLD, task->exit_code);
	spin_unlock_irqrestore(&process_table_lock, flags);
	return last;
}

static void begin_exit(struct task *task, int code)
{
	struct process *process = task->process;
	irqflags_t flags = spin_lock_irqsave(&process->lock);

	task->exiting = true;
	task->exit_code = code;
	/* It went past the door before the dumper closed it. */
	if (unlikely(process->dumper))
		thread_wake(&process->dumper->thread);
	if (process->task_count > 1)
		signal_retarget_locked(process);
	if (process == init_process && (process->group_exiting || process->task_count == 1)) {
		spin_unlock_irqrestore(&process->lock, flags);
		panic("Attempted to kill init! exitcode=0x%08x",
		      (unsigned)(process->group_exiting ? process->group_exit_code : code));
	}
	spin_unlock_irqrestore(&process->lock, flags);
}

/* The last task: what the process as a whole still holds. */
static void end_process(struct process *process, struct aspace *as)
{
	process_timers_destroy(process);
	if (proc_hooks.files_exit)
		proc_hooks.files_exit(process);
	sem_exit(process);
	if (as) {
		aspace_user_put(as);
		aspace_put(as);
	}
	struct session *session = process_session(process);

	if (session->id == process->pid && proc_hooks.session_exit)
		proc_hooks.session_exit(session);
	if (process->pid_namespace->init == process && process != init_process)
		pid_namespace_close(process);
	become_zombie(process);
}

static void release_files(struct task *task)
{
	irqflags_t flags = spin_lock_irqsave(&task->process->lock);
	struct fs_context *fs = task->fs;
	struct pool *pool = task->pool;

	task->pool = nullptr;
	task->fs = nullptr;
	spin_unlock_irqrestore(&task->process->lock, flags);
	pool_user_put(pool);
	proc_hooks.fs_put(fs);
}

void task_exit(int code)
{
	struct task *task = current_task();
	struct process *process = task->process;
	struct aspace *as = nullptr;
	bool kept;

	process_dump_park();
	trace_event(PTRACE_EVENT_EXIT, (u64)code);
	begin_exit(task, code);
	trace_exit_tracer(task);
	(void)derivation_leave_all();
	channel_thread_exit();
	task_leave_memory(task);
	release_files(task);
	if (detach(task, &as, &kept))
		end_process(process, as);
	if (unlikely(task->rest.by_hand))
		object_notify(&task->object, EPOLLIN | EPOLLHUP);
	task_set_namespaces(nullptr);
	__atomic_fetch_sub(&task->account->tasks, 1, __ATOMIC_RELAXED);
	task_count_drop();
	silo_task_drop(process->silo);
	if (!kept)
		task_put(
			task); /* the table's reference; task_release drops the running task's own */
	thread_exit();
}

void process_exit(int code)
{
	struct process *process = current_process();
	irqflags_t flags = spin_lock_irqsave(&process->lock);

	if (!process->exec_task || process->exec_task == current_task())
		process_kill_locked(process, code);
	code = process->group_exit_code;
	spin_unlock_irqrestore(&process->lock, flags);
	task_exit(code);
}
