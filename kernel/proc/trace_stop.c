/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tracing, the tracee's half: stopping, telling the tracer, and what it said (ptrace(2), "Stopped states"). */
#include <arch/frame.h>
#include <arch/ptrace.h>
#include <lib/errno.h>
#include <proc/proc_priv.h>

#include <linux/ptrace.h>

#define OPTION(event) (1u << (event))
#define SYSCALL_GOOD 0x80 /* PTRACE_O_TRACESYSGOOD */

/* The uapi header has only the event's option. */
#define EVENT_SIGNAL(event) (SIGTRAP | (event) << 8)

/* Why a task stops. */
struct stop {
	int code;   /* signal | event << 8 */
	int reason; /* CLD_TRAPPED, or CLD_STOPPED for a group stop */
	siginfo_t *info;
	u64 message;
	u8 syscall_op;
	bool keep_signal; /* unless the tracer says otherwise, the task goes on with the signal */
	bool exiting;	  /* it stops although it is to die */
	bool group_stop;
};

static void fill_info(siginfo_t *info, int code)
{
	*info = (siginfo_t){ .si_signo = code & 0x7f, .si_code = code };
	info->si_pid = current_task()->tid;
	info->si_uid = current_credentials()->uid;
}

static void tell_tracer_locked(struct task *tracer, const struct stop *stop)
	__must_hold(&process_table_lock)
{
	struct process *process = tracer->process;
	siginfo_t info = { .si_signo = SIGCHLD, .si_code = stop->reason };
	struct signal_action *action = &process->actions->action[SIGCHLD - 1];

	if (action->handler != (vaddr_t)SIG_IGN && !(action->flags & SA_NOCLDSTOP)) {
		int ignored;

		info.si_pid = current_task()->tid;
		info.si_uid = current_credentials()->uid;
		info.si_status = stop->code & 0x7f;
		ignored = signal_send_process(process, &info);
		(void)ignored;
	}
	wake_up(&process->child_wait, 0);
}

/* Marks the task as stopped and tells the tracer. False: there is none, or it is to die. */
static bool begin(struct task *task, const struct stop *stop)
{
	struct trace_state *trace = &task->trace;
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	bool stops;

	spin_lock_nested(&task->process->lock);
	stops = trace->tracer && (stop->exiting || !(thread_work(&task->thread.base) & WORK_FATAL));
	if (stops) {
		trace->code = stop->code;
		trace->info = stop->info;
		trace->message = stop->message;
		trace->syscall_op = stop->syscall_op;
		trace->group_stop = stop->group_stop;
		trace->exit_stop = stop->exiting;
		trace->resume_signal = stop->keep_signal ? stop->code & 0x7f : 0;
		trace->reported = trace->listening = false;
		if (stop->group_stop)
			trace->trap_pending = false;
		trace->stopped = true;
	}
	spin_unlock(&task->process->lock);
	if (stops)
		tell_tracer_locked(trace->tracer, stop);
	spin_unlock_irqrestore(&process_table_lock, flags);
	return stops;
}

static bool may_go_on(struct task *task)
{
	struct trace_state *trace = &task->trace;
	irqflags_t flags = spin_lock_irqsave(&task->process->lock);
	bool dying = !trace->exit_stop && (thread_work(&task->thread.base) & WORK_FATAL);
	bool on = !trace->stopped || (!trace->frozen && dying) ||
		  (trace->listening && trace->trap_pending);

	if (on) {
		trace->stopped = trace->listening = trace->exit_stop = false;
		trace->info = nullptr;
	}
	spin_unlock_irqrestore(&task->process->lock, flags);
	return on;
}

/* Stops. Returns the signal to go on with; `otherwise` if it did not stop. */
static int stop(struct stop *stop, int otherwise)
{
	struct task *task = current_task();
	irqflags_t flags;

	if (!begin(task, stop))
		return otherwise;
	for (;;) {
		wait_prepare(SLEEP_UNINTERRUPTIBLE);
		if (may_go_on(task))
			break;
		(void)!wait_sleep(NO_DEADLINE);
	}
	wait_cancel();
	flags = spin_lock_irqsave(&task->process->lock);
	signal_recalculate_locked(task);
	spin_unlock_irqrestore(&task->process->lock, flags);
	return task->trace.resume_signal;
}

int trace_signal(int signo, siginfo_t *info)
{
	struct stop why = {
		.code = signo, .reason = CLD_TRAPPED, .info = info, .keep_signal = true
	};
	struct task *task = current_task();
	int result = stop(&why, signo);

	if (!result || (result == signo && info->si_signo == signo))
		goto check;
	if (result != info->si_signo) {
		siginfo_user(info, result, SI_USER);
		info->si_pid = task->process->parent ? task->process->parent->pid : 0;
		info->si_uid = current_credentials()->uid;
	}
check:
	/* It may have been blocked while the task stood still. */
	if (result && result != SIGKILL && (task->signals.blocked & SIGNAL_BIT(result))) {
		(void)!signal_send_task(task, info);
		return 0;
	}
	return result;
}

bool trace_event(int event, u64 message)
{
	struct trace_state *trace = &current_task()->trace;
	struct stop why = { .code = EVENT_SIGNAL(event),
			    .reason = CLD_TRAPPED,
			    .message = message,
			    .syscall_op = trace->in_seccomp ? PTRACE_SYSCALL_INFO_SECCOMP : 0,
			    .exiting = event == PTRACE_EVENT_EXIT };
	siginfo_t info;
	int signo;

	if (likely(!READ_ONCE(trace->tracer)) || !(READ_ONCE(trace->options) & OPTION(event)))
		return false;
	fill_info(&info, why.code);
	why.info = &info;
	signo = stop(&why, 0);
	if (signo && event != PTRACE_EVENT_EXIT) {
		siginfo_kernel(&info, signo);
		(void)!signal_send_task(current_task(), &info);
	}
	return true;
}

bool trace_seccomp(u32 data)
{
	struct trace_state *trace = &current_task()->trace;

	trace->seccomp_data = data;
	if (!READ_ONCE(trace->tracer) || !(READ_ONCE(trace->options) & PTRACE_O_TRACESECCOMP))
		return false;
	trace->in_seccomp = true;
	trace_event(PTRACE_EVENT_SECCOMP, data);
	trace->in_seccomp = false;
	return true;
}

void trace_trap(void)
{
	struct task *task = current_task();
	struct trace_state *trace = &task->trace;
	int signo = (int)READ_ONCE(task->process->stop_signal);
	struct stop why = { .group_stop = true, .reason = CLD_STOPPED };
	siginfo_t info;

	if (trace->seized) {
		why.code = (signo ? signo : SIGTRAP) | PTRACE_EVENT_STOP << 8;
		fill_info(&info, why.code);
		why.info = &info;
	} else {
		why.code = signo ? signo : SIGSTOP;
	}
	trace->trap_pending = false;
	(void)stop(&why, 0); /* a signal cannot be injected here */
}

static void notify(int code, u8 syscall_op)
{
	struct stop why = {
		.code = code, .reason = CLD_TRAPPED, .message = syscall_op, .syscall_op = syscall_op
	};
	siginfo_t info;
	int signo;

	fill_info(&info, code);
	why.info = &info;
	signo = stop(&why, 0);
	if (signo) {
		siginfo_kernel(&info, signo);
		(void)!signal_send_task(current_task(), &info);
	}
}

void trace_notify(void)
{
	notify(SIGTRAP, PTRACE_SYSCALL_INFO_NONE);
}

static int syscall_code(const struct trace_state *trace)
{
	return trace->options & PTRACE_O_TRACESYSGOOD ? SIGTRAP | SYSCALL_GOOD : SIGTRAP;
}

bool trace_syscall_enter(struct trap_frame *frame)
{
	struct trace_state *trace = &current_task()->trace;
	bool emulate = trace->emulate;

	frame_trace_enter(frame);
	if (!trace->tracer || !(trace->syscalls || emulate))
		return true;
	notify(syscall_code(trace), PTRACE_SYSCALL_INFO_ENTRY);
	frame_trace_entered(frame);
	return !emulate && !signal_fatal_pending();
}

void trace_syscall_exit(struct trap_frame *frame)
{
	struct trace_state *trace = &current_task()->trace;

	if (!trace->tracer)
		return;
	/* The trap after one instruction would come too late: after the next one. */
	if (trace->step)
		signal_force(SIGTRAP, TRAP_BRKPT, frame_pc(frame));
	else if (trace->syscalls)
		notify(syscall_code(trace), PTRACE_SYSCALL_INFO_EXIT);
}
