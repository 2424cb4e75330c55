/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of proc/ share with each other only. */
#pragma once

#include <proc/signal.h>
#include <proc/task.h>
#include <proc/user.h>

struct trap_frame;

extern struct process *init_process; /* number 1; null before it exists */

/* task.c: memory with one reference and everything that does not come from a parent, charged to the budget (null: to nobody).
 * -ENOMEM. */
[[nodiscard]] int task_create(struct memory_budget *budget, struct task **out);
[[nodiscard]] int process_create(struct memory_budget *budget, struct process **out);

/* Counts a live task for task_count(); false when the system has no room for more. */
[[nodiscard]] bool task_count_add(void);
void task_count_drop(void);

/* Names the task (and its process, if it is the first task of one) in the table and links it to its parent. */
void task_publish_locked(struct task *task, int tid) __must_hold(&process_table_lock);
/* Entry function of every user thread but the first. */
void task_entry(void *arg);
void task_release(struct thread *thread);

/* signal.c */
[[nodiscard]] int signal_actions_create(const struct signal_actions *from,
					struct signal_actions **out);
void signal_actions_put(struct signal_actions *actions);
void signal_actions_reset(struct signal_actions *actions); /* exec: handlers become SIG_DFL */
void signal_queue_init(struct signal_queue *queue);
/* The owner's lock is held, or nobody else can see it. */
void signal_queue_flush(struct signal_queue *queue);
[[nodiscard]] int signal_send_locked(struct process *process, struct task *task,
				     const siginfo_t *info, bool force) __must_hold(&process->lock);
/* Ends the process: every task leaves with `status`, unless they were leaving already. */
void process_kill_locked(struct process *process, int status) __must_hold(&process->lock);
/* Makes a task leave: for exec and exit of the others. */
void task_kill_locked(struct task *task);
/* Sets or clears WORK_SIGNAL after masks or queues changed. */
void signal_recalculate_locked(struct task *task) __must_hold(&task->process->lock);
signal_mask signal_default_ignored(void);
/* Forgets pending signals of the whole process. */
void signal_discard_locked(struct process *process, signal_mask mask) __must_hold(&process->lock);
/* Another task than the current one can take what is pending for the process. */
void signal_retarget_locked(struct process *process) __must_hold(&process->lock);
/* The signal's default action writes a core file, and the process's limits allow one. */
bool signal_dumps(struct process *process, int signo);
/* Ends the current process by a signal, after its core file; `info` says which. Does not return. */
[[noreturn]] void signal_die(const siginfo_t *info);

/*
 * dump.c: the process of the current task ends with this wait status; returns once its other tasks stand still, until process_dump_end,
 * which notes whether there is a core file. False: it ends already, or execs. May sleep.
 */
[[nodiscard]] bool process_dump_begin(int status);
void process_dump_end(bool dumped);
/* A task that exits: waits while another one of its process writes a core file. May sleep. */
void process_dump_park(void);
/* Queues an entry that is part of a timer, unless it is queued. True if it was queued now. */
int signal_send_timer(struct process *process, struct task *task, struct queued_signal *queued);
/* Takes such an entry off any queue. */
void signal_withdraw(struct process *process, struct queued_signal *queued);
bool signal_ignored_by(struct process *process, int signo);
/* Takes a signal of `set` off the current task's queues; 0 if there is none. Wakes a POSIX timer's next round. */
int signal_take(signal_mask set, siginfo_t *info);

/* stop.c */
/* A group stop is on and the task has not done its part: a tracee stops only once for it. */
static inline bool signal_must_stop(const struct task *task)
{
	return READ_ONCE(task->process->stop_signal) &&
	       !(READ_ONCE(task->trace.tracer) && READ_ONCE(task->stopped));
}
void signal_stop_prepare_locked(struct process *process, int signo) __must_hold(&process->lock);
/* Begins a group stop by `signo` and sleeps in it. */
void signal_stop(int signo);
/* The task will not run in user mode any more during a stop: true if it was the last one, and the parent is to be told. */
bool signal_stop_count_locked(struct process *process, struct task *task)
	__must_hold(&process->lock);
/* Sleeps in a group stop that another task began, and tells the parent what it does not know yet. */
void signal_stop_check(void);

void signal_init(void); /* boot */
void fault_signal_init(void);
void oom_init(void);

/* trace.c */
void trace_link_locked(struct task *task, struct task *tracer, bool seize, u32 options)
	__must_hold(&process_table_lock);
/* A new task of the current one's: its tracer gets it too if `follow`. Its process's lock is held, or nobody knows it yet. */
void trace_child_locked(struct task *child, bool follow) __must_hold(&process_table_lock);
/* A tracer exits: its tracees go on without it. */
void trace_exit_tracer(struct task *tracer);
/* The process is reaped, or another task became its leader. */
void trace_forget_leader_locked(struct process *process) __must_hold(&process_table_lock);
/* A zombie that its parent does not see yet, because a tracer that is not the parent comes first. */
bool trace_hides_zombie(const struct process *process);

/* A stop of a tracee that its tracer has not waited for, as the result of a wait. */
struct wait_request;
[[nodiscard]] bool trace_take_stop_locked(struct task *task, struct wait_request *req, bool keep)
	__must_hold(&process_table_lock);

/* exit.c */
/* The tracer of a zombie lets go: its parent is told. True if nobody will wait for it; process_release() must follow. */
bool process_show_zombie_locked(struct process *process) __must_hold(&process_table_lock);
/* exit and exec: wakes who waits for the task to stop using its memory, and unloads it. */
void task_leave_memory(struct task *task);
/* SIGCHLD with these details for the parent, and a wake-up for its wait. `code` is CLD_*. */
void process_notify_parent_locked(struct process *process, int code, int status)
	__must_hold(&process_table_lock);
/* Children that wait to be waited for are reaped: their parent ends a name space. */
void process_reap_zombies(struct process *parent);
/* Takes a zombie out of the table. process_release() must follow once the lock is dropped. */
void process_unlink_locked(struct process *process) __must_hold(&process_table_lock);
void process_release(struct process *process);
/* The process lets go of its address space; its figures stay. The caller drops the user and the reference of *out. */
void process_forget_aspace_locked(struct process *process, struct aspace **out)
	__must_hold(&process->lock);

/* pidfd.c */
void pidfd_notify_locked(struct process *process) __must_hold(&process->lock);

/* groups.c */
[[nodiscard]] int process_group_create(int id, struct session *session, struct process_group **out);
[[nodiscard]] int session_create(int id, struct session **out);
void process_group_enter_locked(struct process *process, struct process_group *group)
	__must_hold(&process_table_lock);
void process_group_leave_locked(struct process *process) __must_hold(&process_table_lock);
bool process_group_is_orphaned_locked(struct process_group *group, const struct process *without)
	__must_hold(&process_table_lock);
bool process_group_has_stopped_locked(struct process_group *group) __must_hold(&process_table_lock);
int signal_send_group_locked(struct process_group *group, const siginfo_t *info)
	__must_hold(&process_table_lock);

/* timers.c */
void process_timers_destroy(struct process *process); /* the last task leaves */
void process_timers_exec(struct process *process);    /* POSIX timers go, itimers stay */
void posix_timer_get(struct posix_timer *timer);
/* A timer's signal was taken: starts the next round, tells how many were missed, and drops the reference. */
void posix_timer_taken(struct posix_timer *timer, siginfo_t *info);

/* credentials.c */
/* The task is traced by somebody without CAP_SYS_PTRACE: a program does not gain privileges by exec then. */
bool trace_is_unprivileged(struct task *task);
[[nodiscard]] int credentials_for_exec(struct file *file, bool nosuid, struct credentials **out,
				       bool *secure);
