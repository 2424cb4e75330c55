/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way back to user mode when there is something to do first: rescheduling, leaving, stopping, delivering a signal,
 * restarting an interrupted system call. The architecture calls it until no work is left.
 */
#include <arch/frame.h>
#include <arch/ptrace.h>
#include <arch/signal.h>
#include <arch/trap.h>
#include <lib/errno.h>
#include <proc/proc_priv.h>
#include <proc/rseq.h>
#include <sched/group.h>

#include <asm/unistd.h>

#define STOP_SIGNALS                                                                               \
	(SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))

/* The action for a signal that was taken; a one-shot handler is reset. */
static void action_take(int signo, struct signal_action *out)
{
	struct signal_actions *actions = current_process()->actions;
	struct signal_action *action = &actions->action[signo - 1];

	spin_lock(&actions->lock);
	*out = *action;
	if ((action->flags & SA_RESETHAND) && action->handler > (vaddr_t)SIG_IGN)
		action->handler = (vaddr_t)SIG_DFL;
	spin_unlock(&actions->lock);
}

void signal_die(const siginfo_t *info)
{
	int status = info->si_signo;

	if (signal_dumps(current_process(), info->si_signo) && process_dump_begin(status))
		process_dump_end(proc_hooks.core_dump(info));
	process_exit(status);
}

/* The default action. Returns if the task goes on. */
static void act_by_default(const siginfo_t *info, int signo)
{
	struct process *process = current_process();

	if (signal_default_ignored() & SIGNAL_BIT(signo))
		return;
	if (process->unkillable && signo != SIGKILL && signo != SIGSTOP)
		return;
	if (STOP_SIGNALS & SIGNAL_BIT(signo)) {
		if (signo == SIGSTOP || !process_group_is_orphaned(process->group))
			signal_stop(signo);
		return;
	}
	signal_die(info);
}

/* The next signal that has a handler, or 0. Does what the others ask for. */
static int next_handled(siginfo_t *info, struct signal_action *action)
{
	struct task *task = current_task();
	struct process *process = task->process;

	for (;;) {
		int signo;

		if (signal_fatal_pending())
			task_exit(process->group_exit_code);
		if (signal_must_stop(task)) {
			signal_stop_check();
			continue;
		}
		if (unlikely(READ_ONCE(task->trace.trap_pending))) {
			trace_trap();
			continue;
		}
		signo = signal_take(~task->signals.blocked, info);
		if (!signo)
			return 0;
		if (unlikely(READ_ONCE(task->trace.tracer)) && signo != SIGKILL)
			signo = trace_signal(signo, info);
		if (!signo)
			continue;
		action_take(signo, action);
		if (action->handler == (vaddr_t)SIG_IGN)
			continue;
		if (action->handler != (vaddr_t)SIG_DFL)
			return signo;
		info->si_signo = signo;
		act_by_default(info, signo);
	}
}

/* A system call that a signal interrupted, when no handler runs. */
static void restart_without_handler(struct trap_frame *frame)
{
	if (!frame_in_syscall(frame))
		return;
	switch ((long)frame_return_value(frame)) {
	case -ERESTARTSYS:
	case -ERESTARTNOHAND:
	case -ERESTARTNOINTR:
		frame_restart_syscall(frame);
		break;
	case -ERESTART_RESTARTBLOCK:
		frame_restart_syscall_as(frame, __NR_restart_syscall);
		break;
	default:
		return;
	}
	frame_end_syscall(frame);
}

/* The same before a handler: what sigreturn will find. */
static void restart_with_handler(struct trap_frame *frame, u64 flags)
{
	if (!frame_in_syscall(frame))
		return;
	switch ((long)frame_return_value(frame)) {
	case -ERESTARTSYS:
		if (flags & SA_RESTART)
			frame_restart_syscall(frame);
		else
			frame_set_return_value(frame, (u64)-EINTR);
		break;
	case -ERESTARTNOINTR:
		frame_restart_syscall(frame);
		break;
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		frame_set_return_value(frame, (u64)-EINTR);
		break;
	}
	frame_end_syscall(frame);
}

bool signal_on_altstack(const stack_t *altstack, vaddr_t sp)
{
	vaddr_t base = (vaddr_t)altstack->ss_sp;

	/* One that is disarmed while in use is never "in use". */
	if ((altstack->ss_flags & (int)SS_AUTODISARM) || (altstack->ss_flags & SS_DISABLE))
		return false;
	return sp > base && sp - base <= altstack->ss_size;
}

static void call_handler(struct trap_frame *frame, int signo, const siginfo_t *info,
			 const struct signal_action *action)
{
	struct signal_state *state = &current_task()->signals;
	struct signal_frame_request request = {
		.signo = signo,
		.info = *info,
		.handler = action->handler,
		.restorer = action->flags & 0x04000000 /* SA_RESTORER */ ? action->restorer : 0,
		.flags = action->flags,
		.saved_mask = state->restore_mask ? state->saved_mask : state->blocked,
		.altstack = state->altstack,
		.stack = frame_sp(frame),
	};
	signal_mask mask = state->blocked | action->mask;
	bool step = current_task()->trace.step;

	restart_with_handler(frame, action->flags);
	if (current_task()->rseq)
		rseq_resume(frame);
	if (step) /* not in the frame that the handler returns to */
		arch_step_set(current_base(), false);
	if ((action->flags & SA_ONSTACK) && !(state->altstack.ss_flags & SS_DISABLE) &&
	    !signal_on_altstack(&state->altstack, frame_sp(frame)))
		request.stack = (vaddr_t)state->altstack.ss_sp + state->altstack.ss_size;
	if (arch_signal_push(frame, &request)) {
		if (signo == SIGSEGV)
			signal_force_fatal(SIGSEGV);
		else
			signal_force(SIGSEGV, SI_KERNEL, 0);
		return;
	}
	if (state->altstack.ss_flags & (int)SS_AUTODISARM)
		state->altstack = (stack_t){ .ss_flags = SS_DISABLE };
	state->restore_mask = false;
	if (!(action->flags & SA_NODEFER))
		mask |= SIGNAL_BIT(signo);
	signal_set_mask(mask);
	if (step)
		trace_notify();
}

static void deliver(struct trap_frame *frame)
{
	struct signal_state *state = &current_task()->signals;
	struct signal_action action;
	siginfo_t info;
	int signo = next_handled(&info, &action);

	if (signo) {
		call_handler(frame, signo, &info, &action);
		return;
	}
	restart_without_handler(frame);
	if (state->restore_mask) {
		state->restore_mask = false;
		signal_set_mask(state->saved_mask);
	}
}

void syscall_leave_derivations(struct trap_frame *frame)
{
	if (!derivation_leave_all() || !frame_in_syscall(frame))
		return;
	switch ((long)frame_return_value(frame)) {
	case -ERESTARTSYS:
	case -ERESTARTNOHAND:
	case -ERESTARTNOINTR:
	case -ERESTART_RESTARTBLOCK:
	case -EINTR:
		frame_set_return_value(frame, (u64)-EKEYREVOKED);
	}
}

/* sched_setattr(2), SCHED_FLAG_DL_OVERRUN */
static void tell_overrun(void)
{
	siginfo_t info;
	int ignored;

	siginfo_kernel(&info, SIGXCPU);
	ignored = signal_send_process(current_process(), &info);
	(void)ignored;
}

void trap_exit_to_user(struct trap_frame *frame)
{
	u64 work = thread_work(current_base());

	if (work & WORK_RESCHEDULE)
		schedule();
	if (!(work & (WORK_SIGNAL | WORK_NOTIFY | WORK_FATAL | WORK_RSEQ)))
		return;
	if (work & WORK_FATAL)
		task_exit(current_process()->group_exit_code);
	if (work & WORK_NOTIFY) {
		thread_work_clear(current_base(), WORK_NOTIFY);
		if (unlikely(current_thread()->group))
			sched_group_wait();
		if (unlikely(current_thread()->deadline) && thread_take_overrun(current_thread()))
			tell_overrun();
		signal_stop_check();
		if (unlikely(READ_ONCE(current_task()->rest.held)))
			task_rest_check();
	}
	if (work & WORK_SIGNAL)
		deliver(frame);
	if (work & WORK_RSEQ)
		rseq_resume(frame);
}
