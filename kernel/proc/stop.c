/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stopping and continuing: job control. A stop signal begins a group stop: stop_signal is set and every task of the process
 * sleeps at its way to user mode until it is 0 again. The last one to fall asleep completes the stop and tells the
 * parent. SIGCONT and fatal signals end it at once, when they are sent.
 */
#include <lib/errno.h>
#include <proc/proc_priv.h>

#define STOP_SIGNALS                                                                               \
	(SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))

static void resume_locked(struct process *process) __must_hold(&process->lock)
{
	struct task *task;

	process->wait_flags &= ~PROCESS_EVENT_STOPPED;
	if (process->stop_count) {
		/* Not yet complete: the parent hears of a stop that is over already, as on Linux. */
		process->wait_flags |= PROCESS_NOTIFY_STOPPED;
	} else {
		process->wait_flags |= PROCESS_EVENT_CONTINUED | PROCESS_NOTIFY_CONTINUED;
	}
	process->stop_signal = 0;
	process->stop_count = 0;
	process->state = PROCESS_RUNNING;
	list_for_each (task, &process->tasks, process_node) {
		task->stopped = false;
		thread_work_set(&task->thread.base, WORK_NOTIFY);
		if (task->trace.seized) {
			task->trace.trap_pending = true;
			thread_work_set(&task->thread.base, WORK_SIGNAL);
		}
		if (!task->trace.stopped || task->trace.listening)
			thread_wake(&task->thread);
	}
}

void signal_stop_prepare_locked(struct process *process, int signo)
{
	if (STOP_SIGNALS & SIGNAL_BIT(signo)) {
		signal_discard_locked(process, SIGNAL_BIT(SIGCONT));
		return;
	}
	if (signo != SIGCONT && signo != SIGKILL)
		return;
	process->stop_dequeued = false;
	if (signo == SIGKILL)
		return;
	signal_discard_locked(process, STOP_SIGNALS);
	if (process->stop_signal)
		resume_locked(process);
}

static void tell_parent(struct process *process, int code, int status)
{
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);

	process_notify_parent_locked(process, code, status);
	spin_unlock_irqrestore(&process_table_lock, flags);
}

/* Tells the parent what happened to the process while no task could. */
static void tell_events(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->lock);
	u32 events = process->wait_flags & (PROCESS_NOTIFY_STOPPED | PROCESS_NOTIFY_CONTINUED);

	process->wait_flags &= ~events;
	spin_unlock_irqrestore(&process->lock, flags);
	if (events & PROCESS_NOTIFY_STOPPED)
		tell_parent(process, CLD_STOPPED, (int)process->stop_report);
	if (events & PROCESS_NOTIFY_CONTINUED)
		tell_parent(process, CLD_CONTINUED, SIGCONT);
}

bool signal_stop_count_locked(struct process *process, struct task *task)
{
	if (!process->stop_signal || task->stopped)
		return false;
	task->stopped = true;
	if (--process->stop_count)
		return false;
	process->state = PROCESS_STOPPED;
	process->stop_report = process->stop_signal;
	process->wait_flags &= ~PROCESS_EVENT_CONTINUED;
	process->wait_flags |= PROCESS_EVENT_STOPPED;
	return true;
}

static void sleep_stopped(struct task *task)
{
	for (;;) {
		wait_prepare(SLEEP_KILLABLE);
		if (!READ_ONCE(task->process->stop_signal) || signal_fatal_pending() ||
		    READ_ONCE(task->trace.trap_pending))
			break;
		(void)!wait_sleep(NO_DEADLINE);
	}
	wait_cancel();
}

void signal_stop_check(void)
{
	struct task *task = current_task();
	struct process *process = task->process;
	irqflags_t flags = spin_lock_irqsave(&process->lock);
	bool must_stop = signal_must_stop(task);
	bool completed = signal_stop_count_locked(process, task);
	bool traced = task->trace.tracer;
	int signo = (int)process->stop_report;

	spin_unlock_irqrestore(&process->lock, flags);
	/* A parent that traces it sees the stop as its tracer. */
	if (completed && !(traced && !trace_hides_zombie(process)))
		tell_parent(process, CLD_STOPPED, signo);
	if (!traced)
		sleep_stopped(task);
	else if (must_stop)
		trace_trap();
	if (READ_ONCE(process->wait_flags) & (PROCESS_NOTIFY_STOPPED | PROCESS_NOTIFY_CONTINUED))
		tell_events(process);
}

void signal_stop(int signo)
{
	struct process *process = current_process();
	struct task *task;
	bool again;
	irqflags_t flags = spin_lock_irqsave(&process->lock);

	/* A SIGCONT that came since the stop signal was taken wins. */
	if (process->stop_dequeued && !process->stop_signal && !process->group_exiting) {
		process->stop_signal = (u32)signo;
		process->stop_report = (u32)signo;
		process->stop_count = process->task_count;
		list_for_each (task, &process->tasks, process_node) {
			task->stopped = false;
			thread_work_set(&task->thread.base, WORK_SIGNAL);
			thread_interrupt(&task->thread, false);
			thread_kick(&task->thread);
		}
	}
	again = current_task()->trace.tracer && current_task()->stopped && process->stop_signal;
	spin_unlock_irqrestore(&process->lock, flags);
	if (again)
		trace_trap(); /* its tracer let it go on in a stop that is not over */
	else
		signal_stop_check();
}
