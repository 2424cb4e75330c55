/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sending signals: queues, who takes a signal, what a fatal one does at once.
 *
 * (S1) process->lock, taken with interrupts masked, guards the queues, masks and stop state of a process and its tasks.
 * (S2) WORK_SIGNAL is set in a task whenever something may be deliverable to it; only the task itself clears it, under the
 *      lock, when it finds nothing.
 * (S3) A signal with fatal default action that nobody blocks ends the process when it is sent: group_exiting is set, and every
 *      task gets WORK_FATAL.
 * (S4) A standard signal is pending at most once; real-time signals queue up to RLIMIT_SIGPENDING.
 */
#include <core/panic.h>
#include <ipc/event.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <proc/pid_namespace.h>
#include <proc/proc_priv.h>

#include <linux/eventpoll.h>

static struct slab_cache *queued_cache, *actions_cache;

#define MASK(n) SIGNAL_BIT(n)
#define DEFAULT_IGNORED (MASK(SIGCHLD) | MASK(SIGCONT) | MASK(SIGURG) | MASK(SIGWINCH))
#define DEFAULT_STOP (MASK(SIGSTOP) | MASK(SIGTSTP) | MASK(SIGTTIN) | MASK(SIGTTOU))
#define UNBLOCKABLE (MASK(SIGKILL) | MASK(SIGSTOP))
/* Faults of the task itself: taken before anything else, so that the handler sees the frame that faulted. */
#define SYNCHRONOUS                                                                                \
	(MASK(SIGSEGV) | MASK(SIGBUS) | MASK(SIGILL) | MASK(SIGTRAP) | MASK(SIGFPE) | MASK(SIGSYS))

void signal_init(void)
{
	queued_cache = slab_cache_create("queued_signal", sizeof(struct queued_signal), 0);
	actions_cache = slab_cache_create("signal_actions", sizeof(struct signal_actions), 0);
}

void siginfo_kernel(siginfo_t *info, int signo)
{
	*info = (siginfo_t){ .si_signo = signo, .si_code = SI_KERNEL };
}

void siginfo_user(siginfo_t *info, int signo, int code)
{
	*info = (siginfo_t){ .si_signo = signo, .si_code = code };
	info->si_pid = current_process()->pid; /* as the receiver sees it: signal_send_locked */
	info->si_uid = current_credentials()->uid;
}

/* The sender's number in the receiver's name space; 0 if it is not seen there. */
static void translate_sender(struct process *process, siginfo_t *info)
{
	bool sent = info->si_code == SI_USER || info->si_code == SI_TKILL ||
		    info->si_code == SI_QUEUE || info->si_code == SI_MESGQ ||
		    (info->si_signo == SIGCHLD && info->si_code > 0);

	if (sent && process->pid_namespace != &initial_pid_namespace)
		info->si_pid = pid_alias(process->pid_namespace, info->si_pid);
}

/* SIGKILL and SIGSTOP from outside reach even the process 1 of a name space. */
static bool comes_from_outside(const struct process *process, int signo)
{
	return (signo == SIGKILL || signo == SIGSTOP) && process->pid_namespace->level &&
	       !pid_namespace_is_below(current_pid_namespace(), process->pid_namespace);
}

int signal_actions_create(const struct signal_actions *from, struct signal_actions **out)
{
	struct signal_actions *actions = slab_alloc(actions_cache, from ? 0 : ALLOC_ZERO);

	if (!actions)
		return -ENOMEM;
	actions->refs = 1;
	spin_init(&actions->lock, RANK_SIGNAL);
	if (from)
		memcpy(actions->action, from->action, sizeof(actions->action));
	*out = actions;
	return 0;
}

void signal_actions_put(struct signal_actions *actions)
{
	if (__atomic_sub_fetch(&actions->refs, 1, __ATOMIC_ACQ_REL) == 0)
		slab_free(actions_cache, actions);
}

void signal_actions_reset(struct signal_actions *actions)
{
	for (unsigned i = 0; i < SIGNAL_COUNT; i++) {
		struct signal_action *a = &actions->action[i];
		bool ignored = a->handler == (vaddr_t)SIG_IGN;

		*a = (struct signal_action){ .handler = ignored ? (vaddr_t)SIG_IGN : 0 };
	}
}

void signal_queue_init(struct signal_queue *queue)
{
	queue->set = 0;
	list_init(&queue->list);
}

static void queued_free(struct queued_signal *queued)
{
	if (queued->timer)
		return;
	__atomic_fetch_sub(&queued->account->signals, 1, __ATOMIC_RELAXED);
	user_account_put(queued->account);
	slab_free(queued_cache, queued);
}

void signal_queue_flush(struct signal_queue *queue)
{
	queue->set = 0;
	while (!list_empty(&queue->list)) {
		struct queued_signal *queued = list_first(&queue->list, struct queued_signal, node);

		list_remove(&queued->node);
		queued_free(queued);
	}
}

/* Forgets the pending signals of `mask`. */
static void queue_discard(struct signal_queue *queue, signal_mask mask)
{
	struct queued_signal *queued, *next;

	if (!(queue->set & mask))
		return;
	queue->set &= ~mask;
	list_for_each_safe (queued, next, &queue->list, node) {
		if (mask & SIGNAL_BIT(queued->info.si_signo)) {
			list_remove(&queued->node);
			queued_free(queued);
		}
	}
}

void signal_discard_locked(struct process *process, signal_mask mask)
{
	struct task *task;

	queue_discard(&process->pending, mask);
	list_for_each (task, &process->tasks, process_node)
		queue_discard(&task->signals.pending, mask);
}

signal_mask signal_default_ignored(void)
{
	return DEFAULT_IGNORED;
}

static vaddr_t signal_handler(const struct process *process, int signo)
{
	return READ_ONCE(process->actions->action[signo - 1].handler);
}

bool signal_ignored_by(struct process *process, int signo)
{
	vaddr_t handler = signal_handler(process, signo);

	return handler == (vaddr_t)SIG_IGN ||
	       (handler == (vaddr_t)SIG_DFL && (DEFAULT_IGNORED & SIGNAL_BIT(signo)));
}

/* A blocked signal is never thrown away: its action may change before it is unblocked. */
static bool signal_is_dropped(struct process *process, const struct task *task, int signo)
{
	if (task && (task->signals.blocked & SIGNAL_BIT(signo)))
		return false;
	if (task && task->trace.tracer && signo != SIGKILL)
		return false;
	if (process->unkillable && signal_handler(process, signo) == (vaddr_t)SIG_DFL)
		return true;
	return signal_ignored_by(process, signo);
}

void task_kill_locked(struct task *task)
{
	thread_work_set(&task->thread.base, WORK_SIGNAL | WORK_FATAL);
	if (task->trace.stopped && !task->trace.frozen && !task->trace.exit_stop)
		thread_wake(&task->thread);
	thread_interrupt(&task->thread, true);
	thread_kick(&task->thread);
}

void process_kill_locked(struct process *process, int status)
{
	struct task *task;

	if (process->group_exiting) {
		if (process->dumper)
			task_kill_locked(process->dumper);
		return;
	}
	process->group_exiting = true;
	process->group_exit_code = status;
	process->stop_signal = 0;
	list_for_each (task, &process->tasks, process_node)
		task_kill_locked(task);
}

static bool task_wants(const struct task *task, int signo)
{
	if (task->exiting)
		return false;
	return !(task->signals.blocked & ~task->signals.wait_set & SIGNAL_BIT(signo));
}

static struct task *choose_task(struct process *process, struct task *task, int signo)
{
	if (task)
		return task_wants(task, signo) ? task : nullptr;
	if (process->leader && task_wants(process->leader, signo))
		return process->leader;
	list_for_each (task, &process->tasks, process_node)
		if (task_wants(task, signo))
			return task;
	return nullptr;
}

bool signal_dumps(struct process *process, int signo)
{
	static const signal_mask dumping =
		MASK(SIGQUIT) | MASK(SIGILL) | MASK(SIGTRAP) | MASK(SIGABRT) | MASK(SIGFPE) |
		MASK(SIGSEGV) | MASK(SIGBUS) | MASK(SIGSYS) | MASK(SIGXCPU) | MASK(SIGXFSZ);

	return dumping & SIGNAL_BIT(signo) && process->limits[RLIMIT_CORE].rlim_cur;
}

/* A signal was queued: wake whoever takes it, or end the process at once. */
static void signal_complete(struct process *process, struct task *task, int signo)
	__must_hold(&process->lock)
{
	vaddr_t handler = signal_handler(process, signo);

	task = choose_task(process, task, signo);
	if (!task)
		return;
	if (handler == (vaddr_t)SIG_DFL &&
	    !((DEFAULT_IGNORED | DEFAULT_STOP) & SIGNAL_BIT(signo)) &&
	    !signal_dumps(process, signo) && (!process->unkillable || signo == SIGKILL) &&
	    !(task->signals.wait_set & SIGNAL_BIT(signo)) &&
	    (signo == SIGKILL || !task->trace.tracer)) {
		process_kill_locked(process, signo);
		return;
	}
	thread_work_set(&task->thread.base, WORK_SIGNAL);
	thread_interrupt(&task->thread, false);
	thread_kick(&task->thread);
}

/* Null: no memory, or over the limit. */
static struct queued_signal *queued_create(struct process *process, struct task *task,
					   const siginfo_t *info)
{
	struct user_account *account = (task ? task : process->leader)->account;
	u32 count = __atomic_add_fetch(&account->signals, 1, __ATOMIC_RELAXED);
	bool unlimited = info->si_signo < SIGRTMIN && (info->si_code >= 0);
	struct queued_signal *queued = nullptr;

	if (unlimited || count <= process->limits[RLIMIT_SIGPENDING].rlim_cur)
		queued = slab_alloc(queued_cache, ALLOC_ATOMIC);
	if (!queued) {
		__atomic_fetch_sub(&account->signals, 1, __ATOMIC_RELAXED);
		return nullptr;
	}
	user_account_hold(account);
	queued->info = *info;
	translate_sender(process, &queued->info);
	queued->timer = nullptr;
	queued->account = account;
	return queued;
}

static void queue_append(struct signal_queue *queue, struct queued_signal *queued, int signo)
{
	if (queued)
		list_add_tail(&queue->list, &queued->node);
	queue->set |= SIGNAL_BIT(signo);
	wake_up(&signalfd_waiters, EPOLLIN);
}

/* SIGKILL for a process that exits already: tasks that stand still for a tracer on the way go on. */
static void end_exit_stops_locked(struct process *process) __must_hold(&process->lock)
{
	struct task *task;

	list_for_each (task, &process->tasks, process_node) {
		if (!task->trace.exit_stop || task->trace.frozen)
			continue;
		task->trace.stopped = false;
		thread_wake(&task->thread);
	}
}

int signal_send_locked(struct process *process, struct task *task, const siginfo_t *info,
		       bool force)
{
	struct signal_queue *queue = task ? &task->signals.pending : &process->pending;
	struct queued_signal *queued = nullptr;
	int signo = info->si_signo;

	if (signo == SIGKILL && process->group_exiting) {
		end_exit_stops_locked(process);
		process_kill_locked(process, signo);
	}
	if (process->state >= PROCESS_ZOMBIE || process->group_exiting || (task && task->exiting))
		return 0;
	signal_stop_prepare_locked(process, signo);
	if (unlikely(process->unkillable))
		force |= comes_from_outside(process, signo);
	if (!force && signal_is_dropped(process, task ? task : process->leader, signo))
		return 0;
	if (signo < SIGRTMIN && (queue->set & SIGNAL_BIT(signo)))
		return 0;
	if (signo != SIGKILL) {
		queued = queued_create(process, task, info);
		if (!queued && signo >= SIGRTMIN && info->si_code != SI_USER)
			return -EAGAIN;
	}
	queue_append(queue, queued, signo);
	signal_complete(process, task, signo);
	return 0;
}

int signal_send_timer(struct process *process, struct task *task, struct queued_signal *queued)
{
	int signo = queued->info.si_signo;
	irqflags_t flags = spin_lock_irqsave(&process->lock);
	int sent = 0;

	if (process->state < PROCESS_ZOMBIE && !process->group_exiting &&
	    !(task && task->exiting) && list_empty(&queued->node)) {
		signal_stop_prepare_locked(process, signo);
		if (!signal_is_dropped(process, task ? task : process->leader, signo)) {
			queue_append(task ? &task->signals.pending : &process->pending, queued,
				     signo);
			signal_complete(process, task, signo);
			sent = 1;
		}
	}
	spin_unlock_irqrestore(&process->lock, flags);
	return sent;
}

void signal_withdraw(struct process *process, struct queued_signal *queued)
{
	irqflags_t flags = spin_lock_irqsave(&process->lock);

	/* The bit may stay behind without an entry: one signal without details too many, as on Linux. */
	list_remove(&queued->node);
	spin_unlock_irqrestore(&process->lock, flags);
}

int signal_send_process(struct process *process, const siginfo_t *info)
{
	irqflags_t flags = spin_lock_irqsave(&process->lock);
	int err = signal_send_locked(process, nullptr, info, false);

	spin_unlock_irqrestore(&process->lock, flags);
	return err;
}

int signal_send_task(struct task *task, const siginfo_t *info)
{
	irqflags_t flags = spin_lock_irqsave(&task->process->lock);
	int err = signal_send_locked(task->process, task, info, false);

	spin_unlock_irqrestore(&task->process->lock, flags);
	return err;
}

void signal_force_info(const siginfo_t *info)
{
	struct task *task = current_task();
	struct process *process = task->process;
	struct signal_action *action = &process->actions->action[info->si_signo - 1];
	irqflags_t flags = spin_lock_irqsave(&process->lock);
	bool blocked = task->signals.blocked & SIGNAL_BIT(info->si_signo);
	int err;

	if (blocked || action->handler == (vaddr_t)SIG_IGN)
		action->handler = (vaddr_t)SIG_DFL;
	task->signals.blocked &= ~SIGNAL_BIT(info->si_signo);
	if (action->handler == (vaddr_t)SIG_DFL)
		process->unkillable = false;
	err = signal_send_locked(process, task, info, true);
	(void)err; /* without memory the bit is set all the same */
	signal_recalculate_locked(task);
	spin_unlock_irqrestore(&process->lock, flags);
}

void signal_force(int signo, int code, vaddr_t address)
{
	siginfo_t info = { .si_signo = signo, .si_code = code };

	info.si_addr = (void *)address;
	signal_force_info(&info);
}

void signal_force_fatal(int signo)
{
	struct process *process = current_process();
	irqflags_t flags = spin_lock_irqsave(&process->lock);

	process_kill_locked(process, signo);
	spin_unlock_irqrestore(&process->lock, flags);
}

int signal_permission(struct process *process, int signo)
{
	const struct credentials *mine = current_credentials(), *theirs;
	struct task *leader;
	bool allowed;

	if (process == current_process() || (mine->capabilities_effective >> CAP_KILL & 1))
		return 0;
	leader = process_leader_get(process);
	if (!leader)
		return -ESRCH;
	theirs = task_credentials_get(leader);
	allowed = mine->euid == theirs->suid || mine->euid == theirs->uid ||
		  mine->uid == theirs->suid || mine->uid == theirs->uid ||
		  (signo == SIGCONT &&
		   process_session(process) == process_session(current_process()));
	credentials_put(theirs);
	task_put(leader);
	return allowed ? 0 : -EPERM;
}

void signal_recalculate_locked(struct task *task)
{
	struct process *process = task->process;
	signal_mask pending = task->signals.pending.set | process->pending.set;

	if ((pending & ~task->signals.blocked) || task->trace.trap_pending ||
	    signal_must_stop(task) || process->group_exiting ||
	    (thread_work(&task->thread.base) & WORK_FATAL))
		thread_work_set(&task->thread.base, WORK_SIGNAL);
	else
		thread_work_clear(&task->thread.base, WORK_SIGNAL);
}

bool signal_pending(void)
{
	return thread_work(current_base()) & WORK_SIGNAL;
}

bool signal_fatal_pending(void)
{
	return thread_work(current_base()) & WORK_FATAL;
}

/* The lowest signal of the set, faults first. */
static int signal_next(signal_mask set)
{
	if (!set)
		return 0;
	if (set & SYNCHRONOUS)
		set &= SYNCHRONOUS;
	return __builtin_ctzll(set) + 1;
}

/* Takes `signo`, which is pending, off the queue. The entry is the caller's to free; null: it had none. */
static struct queued_signal *queue_take(struct signal_queue *queue, int signo, siginfo_t *info)
{
	struct queued_signal *queued, *first = nullptr;
	bool more = false;

	list_for_each (queued, &queue->list, node) {
		if (queued->info.si_signo != signo)
			continue;
		if (first) {
			more = true;
			break;
		}
		first = queued;
	}
	if (!more)
		queue->set &= ~SIGNAL_BIT(signo);
	if (!first) {
		*info = (siginfo_t){ .si_signo = signo, .si_code = SI_USER };
		return nullptr;
	}
	*info = first->info;
	list_remove(&first->node);
	return first;
}

int signal_take(signal_mask set, siginfo_t *info)
{
	struct task *task = current_task();
	struct process *process = task->process;
	struct queued_signal *queued = nullptr;
	struct posix_timer *timer = nullptr;
	irqflags_t flags = spin_lock_irqsave(&process->lock);
	int signo = signal_next(task->signals.pending.set & set);

	if (signo) {
		queued = queue_take(&task->signals.pending, signo, info);
	} else {
		signo = signal_next(process->pending.set & set);
		if (signo)
			queued = queue_take(&process->pending, signo, info);
	}
	if (signo && (DEFAULT_STOP & SIGNAL_BIT(signo)))
		process->stop_dequeued = true;
	if (queued && queued->timer) {
		timer = queued->timer;
		posix_timer_get(timer);
	} else if (queued) {
		queued_free(queued);
	}
	signal_recalculate_locked(task);
	spin_unlock_irqrestore(&process->lock, flags);
	if (timer)
		posix_timer_taken(timer, info);
	return signo;
}

int signal_dequeue(signal_mask set, siginfo_t *info)
{
	return signal_take(set & ~UNBLOCKABLE, info) ? 0 : -EAGAIN;
}

signal_mask signal_pending_set(signal_mask set)
{
	struct task *task = current_task();

	return (READ_ONCE(task->signals.pending.set) | READ_ONCE(task->process->pending.set)) & set;
}

void signal_set_mask(signal_mask mask)
{
	signal_set_mask_of(current_task(), mask);
}

void signal_set_mask_of(struct task *task, signal_mask mask)
{
	struct process *process = task->process;
	irqflags_t flags = spin_lock_irqsave(&process->lock);
	signal_mask newly = mask & ~UNBLOCKABLE & ~task->signals.blocked;

	task->signals.blocked = mask & ~UNBLOCKABLE;
	/* What this task was to take and now blocks, another one can. */
	if (process->task_count > 1 && (process->pending.set & newly))
		signal_retarget_locked(process);
	signal_recalculate_locked(task);
	spin_unlock_irqrestore(&process->lock, flags);
}

void signal_retarget_locked(struct process *process)
{
	struct task *task;

	list_for_each (task, &process->tasks, process_node) {
		if (task->exiting || !(process->pending.set & ~task->signals.blocked))
			continue;
		thread_work_set(&task->thread.base, WORK_SIGNAL);
		thread_interrupt(&task->thread, false);
		thread_kick(&task->thread);
	}
}

int siginfo_copy_to_user(siginfo_t __user *to, const siginfo_t *info)
{
	/* Every siginfo begins as zeros: nothing of the kernel is in the unused part. */
	return copy_to_user(to, info, sizeof(*info));
}

void signal_set_temporary_mask(signal_mask mask)
{
	struct signal_state *state = &current_task()->signals;

	state->saved_mask = state->blocked;
	state->restore_mask = true;
	signal_set_mask(mask);
}

void signal_restore_mask(bool interrupted)
{
	struct signal_state *state = &current_task()->signals;

	if (!state->restore_mask)
		return;
	if (interrupted) {
		/* The handler runs with the temporary mask; delivery restores it, even if nothing is left to deliver. */
		thread_work_set(current_base(), WORK_SIGNAL);
		return;
	}
	state->restore_mask = false;
	signal_set_mask(state->saved_mask);
}
