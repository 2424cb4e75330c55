/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What programs ask of signals: actions, waiting for them, sending to many, the alternate stack. */
#include <arch/signal.h>
#include <lib/errno.h>
#include <proc/pid_namespace.h>
#include <proc/proc_priv.h>

int signal_action_exchange(int signo, const struct signal_action *new, struct signal_action *old)
{
	struct process *process = current_process();
	struct signal_actions *actions = process->actions;
	irqflags_t flags;

	if (signo < 1 || signo > SIGNAL_COUNT || (new && (signo == SIGKILL || signo == SIGSTOP)))
		return -EINVAL;
	flags = spin_lock_irqsave(&process->lock);
	spin_lock_nested(&actions->lock);
	*old = actions->action[signo - 1];
	if (new)
		actions->action[signo - 1] = *new;
	spin_unlock(&actions->lock);
	/* POSIX: a pending signal that is ignored from now on is discarded, blocked or not. */
	if (new && signal_ignored_by(process, signo))
		signal_discard_locked(process, SIGNAL_BIT(signo));
	spin_unlock_irqrestore(&process->lock, flags);
	return 0;
}

struct send_result {
	int sent, denied, last;
};

static void send_counting(struct process *process, const siginfo_t *info, struct send_result *r)
{
	int err = signal_permission(process, info->si_signo);

	if (!err && info->si_signo)
		err = signal_send_process(process, info);
	if (!err)
		r->sent++;
	else
		r->last = err;
}

/* Group by group would need the table lock around permission checks: the processes are taken one by one instead. */
int signal_send_many(int pid, const siginfo_t *info)
{
	struct send_result r = { .last = -ESRCH };
	int group = pid ? pid_from_user(-pid) : process_group_id(current_process());
	struct process *process, *self = current_process();

	for (int next = 1; (process = process_next(next));
	     next = process->pid + 1, process_put(process)) {
		if (READ_ONCE(process->state) == PROCESS_DEAD || !pid_to_user(process->pid))
			continue;
		if (pid == -1 ? pid_to_user(process->pid) > 1 && process != self
			      : process_group_id(process) == group)
			send_counting(process, info, &r);
	}
	return r.sent ? 0 : r.last;
}

void signal_sleep(void)
{
	for (;;) {
		wait_prepare(SLEEP_INTERRUPTIBLE);
		if (signal_pending())
			break;
		(void)!wait_sleep(NO_DEADLINE);
	}
	wait_cancel();
}

static void set_wait_set(signal_mask set)
{
	struct task *task = current_task();
	irqflags_t flags = spin_lock_irqsave(&task->process->lock);

	task->signals.wait_set = set;
	signal_recalculate_locked(task);
	spin_unlock_irqrestore(&task->process->lock, flags);
}

int signal_wait(signal_mask set, siginfo_t *info, u64 deadline_ns)
{
	int signo, err = 0;

	set_wait_set(set);
	for (;;) {
		wait_prepare(SLEEP_INTERRUPTIBLE);
		signo = signal_take(set, info);
		if (signo || err)
			break;
		err = wait_sleep(deadline_ns);
	}
	wait_cancel();
	set_wait_set(0);
	if (signo)
		return signo;
	return err == -ETIMEDOUT ? -EAGAIN : -EINTR;
}

int signal_altstack_set(const stack_t *stack)
{
	struct signal_state *state = &current_task()->signals;
	unsigned mode = (unsigned)stack->ss_flags & ~SS_AUTODISARM;

	if (mode && mode != SS_DISABLE && mode != SS_ONSTACK)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		state->altstack = (stack_t){ .ss_flags = SS_DISABLE };
		return 0;
	}
	if (stack->ss_size < MINSIGSTKSZ)
		return -ENOMEM;
	state->altstack = *stack;
	state->altstack.ss_flags = stack->ss_flags & (int)SS_AUTODISARM;
	return 0;
}
