/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals (signal(7)): sets, queues, actions, sending and delivery.
 *
 * A signal is queued to a task or to a process. Delivery happens at the return to user mode of a task that does not block it
 * (proc/exit_to_user.c). WORK_SIGNAL is set in every task that may have something to deliver, and cleared when it finds nothing.
 * Lock: process->lock guards queues, masks and actions of all its tasks.
 */
#pragma once

#include <core/lock.h>
#include <core/rcu.h>
#include <core/wait.h>
#include <lib/list.h>
#include <lib/types.h>
#include <proc/pid.h>

#include <linux/signal.h>

#define SIGNAL_COUNT 64
typedef u64 signal_mask; /* bit n-1 is signal n, as the kernel ABI's sigset_t */
#define SIGNAL_BIT(n) (1ull << ((n) - 1))

struct queued_signal {
	struct list_head node;
	siginfo_t info;
	struct posix_timer *timer;    /* part of this timer, not freed; null else */
	struct user_account *account; /* charged for it (RLIMIT_SIGPENDING); null if `timer` */
};

struct signal_queue {
	signal_mask set;
	/* Struct queued_signal; a standard signal that found no memory is in `set` only. */
	struct list_head list;
};

struct signal_state { /* of a task */
	struct signal_queue pending;
	signal_mask blocked; /* written by the task itself under process->lock */
	signal_mask
		saved_mask; /* of sigsuspend, ppoll...: restored after delivery if restore_mask */
	bool restore_mask;
	stack_t altstack;
	signal_mask
		wait_set; /* of sigtimedwait in progress: such a signal wakes although it is blocked */
};

struct signal_action { /* as rt_sigaction(2) */
	vaddr_t handler;
	u64 flags;
	vaddr_t restorer;
	signal_mask mask;
};

struct signal_actions {
	u32 refs;
	struct spinlock lock;
	struct signal_action action[SIGNAL_COUNT];
};

struct task;
struct process;
struct process_group;
struct posix_timer;
struct user_account;

/* How a signal came about when it is the kernel that sends it. */
void siginfo_kernel(siginfo_t *info, int signo);	 /* SI_KERNEL */
void siginfo_user(siginfo_t *info, int signo, int code); /* SI_USER, SI_TKILL of the current task */

/* Queue a signal; no permission check. 0, or -EAGAIN (RLIMIT_SIGPENDING, real-time signals only). Any context, process->lock not held. */
int signal_send_task(struct task *task, const siginfo_t *info);
int signal_send_process(struct process *process, const siginfo_t *info);
/* To every process of a group: -ESRCH if it has none. Any context, process_table_lock not held. */
int signal_send_group(struct process_group *group, const siginfo_t *info);

/* A fault of the current task: cannot be blocked or ignored; the default action is taken then. */
void signal_force(int signo, int code, vaddr_t address);
void signal_force_info(const siginfo_t *info);
/* Makes the process die of `signo` at once, whatever its settings (SIGKILL, failed exec). */
void signal_force_fatal(int signo);

/* May the current task send `signo` to `process`? 0 or -EPERM (kill(2)). */
[[nodiscard]] int signal_permission(struct process *process, int signo);

/* Something deliverable is pending for the current task. */
bool signal_pending(void);
/* A signal that will kill it. */
bool signal_fatal_pending(void);

/* rt_sigprocmask for kernel callers (ppoll, pselect, epoll_pwait): sets a temporary mask that is restored by delivery or by
 * signal_restore_mask when no signal came. */
void signal_set_temporary_mask(signal_mask mask);
void signal_restore_mask(bool interrupted);
void signal_set_mask(signal_mask mask);
/* The same for a tracee that stands still. */
void signal_set_mask_of(struct task *task, signal_mask mask);

/* Takes one pending signal in `set` off the queues of the current task and process: for signalfd and sigtimedwait. 0 or -EAGAIN. */
[[nodiscard]] int signal_dequeue(signal_mask set, siginfo_t *info);
/* Signals pending for the current task that are in `set`. */
signal_mask signal_pending_set(signal_mask set);

/* Siginfo to user memory, without kernel garbage. -EFAULT. */
[[nodiscard]] int siginfo_copy_to_user(siginfo_t __user *to, const siginfo_t *info);

/* Job control: process groups and sessions (credentials(7), setpgid(2)). */
struct session {
	struct pid_entry pid_entry; /* its number is the session's id */
	u32 refs;
	u32 members; /* groups with members; guarded by the process table lock */
	int id;
	struct tty *tty; /* controlling terminal; guarded by the process table lock */
	/* Of the tty: holds a reference; guarded by the process table lock. */
	struct process_group *foreground;
	bool leader_exited;
};
struct process_group {
	struct pid_entry pid_entry;
	u32 refs;
	int id;
	struct session *session;  /* holds a reference */
	struct list_head members; /* process.group_node, guarded by the process table lock */
	struct rcu_head rcu;
};
/*
 * The group's number and the session of a process, without the table lock (0, null while it has none). A process may be
 * moved meanwhile; the current process's session stays as long as it does not change it itself.
 */
int process_group_id(const struct process *process);
struct session *process_session(const struct process *process);
/* With a reference; -ESRCH. */
[[nodiscard]] int process_group_find(int pgid, struct process_group **out);
void process_group_get(struct process_group *g);
void process_group_put(struct process_group *g);
void session_get(struct session *s);
void session_put(struct session *s);
/* No member has a parent in the same session but another group: stopped jobs nobody can continue. */
bool process_group_is_orphaned(struct process_group *group);
/*
 * The table of processes: pids, parents, groups, sessions. A spinlock (RANK_PROCESS_TABLE), always taken with spin_lock_irqsave, so
 * that a terminal may signal its foreground group from an interrupt.
 */
extern struct spinlock process_table_lock;

/* Tests and changes an action (null: only reads). Signals that become ignored are dropped. -EINVAL. */
[[nodiscard]] int signal_action_exchange(int signo, const struct signal_action *new,
					 struct signal_action *old);

/* kill(2) with pid <= 0: a group, the own group (0), everybody (-1). */
[[nodiscard]] int signal_send_many(int pid, const siginfo_t *info);

/* Sleeps until a signal is deliverable. */
void signal_sleep(void);

/* sigtimedwait(2): the signal, -EAGAIN (time is up), -EINTR (another signal). */
[[nodiscard]] int signal_wait(signal_mask set, siginfo_t *info, u64 deadline_ns);

/* sigaltstack(2), without the check that it is in use. -EINVAL, -ENOMEM. */
[[nodiscard]] int signal_altstack_set(const stack_t *stack);
/* sp is on the alternate stack, which is then not begun again from its top. */
bool signal_on_altstack(const stack_t *altstack, vaddr_t sp);
