/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process stands still for its core file. The task that a signal ends (the dumper) ends the process, but is not told to leave itself;
 * every other task, on its way out, waits at the door of task_exit() with its registers and memory as they were, until the dumper is done.
 *
 * (D1) While process->dumper is set, group_exiting is, and every task but the dumper is parked, exits already, or comes to park.
 * (D2) A parked task does not run. SIGKILL reaches the dumper, whose writing it ends.
 */
#include <proc/proc_priv.h>

static bool all_parked_locked(struct process *process) __must_hold(&process->lock)
{
	struct task *task;

	list_for_each (task, &process->tasks, process_node)
		if (task != process->dumper && !task->exiting && !task->parked)
			return false;
	return true;
}

bool process_dump_begin(int status)
{
	struct task *self = current_task(), *task;
	struct process *process = self->process;
	irqflags_t flags = spin_lock_irqsave(&process->lock);
	bool ends = process->group_exiting || process->exec_task, ready = false;

	if (!ends) {
		process->dumper = self;
		process->group_exiting = true;
		process->group_exit_code = status;
		process->stop_signal = 0;
		list_for_each (task, &process->tasks, process_node)
			if (task != self)
				task_kill_locked(task);
	}
	spin_unlock_irqrestore(&process->lock, flags);
	while (!ends && !ready) {
		wait_prepare(SLEEP_UNINTERRUPTIBLE);
		flags = spin_lock_irqsave(&process->lock);
		ready = all_parked_locked(process);
		spin_unlock_irqrestore(&process->lock, flags);
		if (!ready)
			(void)!wait_sleep(NO_DEADLINE);
	}
	wait_cancel();
	return !ends;
}

void process_dump_end(bool dumped)
{
	struct process *process = current_process();
	struct task *task;
	irqflags_t flags = spin_lock_irqsave(&process->lock);

	process->dumper = nullptr;
	process->group_exit_code |= dumped ? 0x80 : 0;
	list_for_each (task, &process->tasks, process_node)
		if (task->parked)
			thread_wake(&task->thread);
	spin_unlock_irqrestore(&process->lock, flags);
}

void process_dump_park(void)
{
	struct task *self = current_task();
	struct process *process = self->process;
	bool go = !READ_ONCE(process->dumper);

	if (likely(go))
		return;
	do {
		wait_prepare(SLEEP_UNINTERRUPTIBLE);
		irqflags_t flags = spin_lock_irqsave(&process->lock);

		go = !process->dumper || process->dumper == self;
		self->parked = !go;
		if (!go)
			thread_wake(&process->dumper->thread);
		spin_unlock_irqrestore(&process->lock, flags);
		if (!go)
			(void)!wait_sleep(NO_DEADLINE);
	} while (!go);
	wait_cancel();
}
