/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tracing (ptrace(2)): one task, the tracer, watches and steers others. See trace.c for the theory.
 */
#pragma once

#include <lib/list.h>
#include <lib/types.h>

#include <linux/signal.h>

struct process;
struct task;
struct trap_frame;

/* What a traced task is in, as PTRACE_SYSCALL_INFO_* of <linux/ptrace.h>. */
struct trace_state {
	/* Guarded by process_table_lock and process->lock: both to write, either to read. */
	struct task *tracer;   /* null: not traced; no reference, a tracer lets go when it exits */
	struct list_head node; /* in tracer->trace.tracees */
	struct list_head tracees; /* by process_table_lock */
	u32 options;		  /* PTRACE_O_* */
	bool seized;		  /* by PTRACE_SEIZE */
	bool dead;		  /* exited; stays until the tracer has waited for it */

	/* Guarded by process->lock. */
	bool stopped;	/* in a stop of the tracer's: it does not run until that is false */
	bool frozen;	/* a request is looking at it: not even SIGKILL wakes it now */
	bool listening; /* PTRACE_LISTEN: stopped, but for the tracer as if it ran */
	bool reported;	/* the tracer has waited for this stop */
	bool trap_pending; /* to stop as soon as possible: PTRACE_INTERRUPT, a change of the group stop */
	bool group_stop;   /* this stop is a group stop */
	bool exit_stop;	   /* PTRACE_EVENT_EXIT: it is leaving already */
	int code;	   /* signal | event << 8 */
	int resume_signal; /* what the tracer lets it go on with */
	u64 message;	   /* PTRACE_GETEVENTMSG */
	u8 syscall_op;	   /* PTRACE_SYSCALL_INFO_* */
	u32 seccomp_data;  /* of a seccomp stop */
	bool in_seccomp;
	siginfo_t *info; /* of this stop, on its stack; null: none */

	/* Written by the tracer while the task is stopped, read by the task. */
	bool syscalls; /* PTRACE_SYSCALL: stop at the next entry or exit */
	bool emulate;  /* PTRACE_SYSEMU: stop at the next entry, and do not do it */
	bool step;     /* PTRACE_SINGLESTEP */
};

void trace_init(struct task *task);

/*
 * Access mode checks of ptrace(2). TRACE_READ: looking; TRACE_ATTACH: changing. TRACE_REAL uses the real ids (ptrace,
 * process_vm_readv, kcmp), else those of the file system (/proc). 0, -EPERM.
 */
#define TRACE_READ 0u
#define TRACE_ATTACH 1u
#define TRACE_REAL 2u
[[nodiscard]] int trace_permission(struct task *task, u32 mode);

/* The requests of ptrace(2). */
[[nodiscard]] int trace_me(void);
[[nodiscard]] int trace_attach(struct task *task, bool seize, u32 options);
[[nodiscard]] int trace_interrupt(struct task *task);

/*
 * Keeps a stopped tracee of the current task still for a request. -ESRCH: it is not traced by the current task, or does not stand
 * still. trace_release() ends it.
 */
[[nodiscard]] int trace_hold(struct task *task);
void trace_release(struct task *task);

/* How a tracee that is held goes on; each releases it, also when it fails. -EIO: no such signal. */
enum trace_resume { TRACE_CONTINUE, TRACE_SYSCALL, TRACE_STEP, TRACE_EMULATE, TRACE_EMULATE_STEP };
[[nodiscard]] int trace_resume(struct task *task, enum trace_resume how, u64 signo);
[[nodiscard]] int trace_listen(struct task *task);
[[nodiscard]] int trace_detach(struct task *task, u64 signo);

/* Called by the task itself, where it may have to stop. */

/* A signal was taken: what the tracer makes of it; 0: nothing is to be done. *info may change. */
int trace_signal(int signo, siginfo_t *info);
/* PTRACE_EVENT_*: stops if the tracer asked for it. False if not. */
bool trace_event(int event, u64 message);
/* Stops for a group stop or an interruption, if that is due. */
void trace_trap(void);
/* A stop that tells of nothing else than SIGTRAP (after a step into a handler). */
void trace_notify(void);
/* PTRACE_EVENT_SECCOMP. False: nobody traces it with that option. */
bool trace_seccomp(u32 data);

/* Around a system call of a task with WORK_TRACE. False: it is not to be done, its result is in the frame. */
bool trace_syscall_enter(struct trap_frame *frame);
void trace_syscall_exit(struct trap_frame *frame);

/* WORK_TRACE again, after one of its reasons changed. process->lock is held, or nobody else knows the task. */
void trace_update_work(struct task *task);
/* The first reason that is not of proc's: the in-kernel strace of every task. Set at boot. */
extern bool trace_all_syscalls;

/* The event that a new task is to be told as, PTRACE_EVENT_FORK, VFORK or CLONE; 0: none. */
int trace_clone_event(u64 clone_flags, int exit_signal);
