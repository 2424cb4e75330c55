/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks and processes. A task is a user thread: a struct thread with credentials, a pool of handles, a file system context and signals.
 * A process is a group of tasks (POSIX: process; Linux: thread group) with one address space, one set of signal
 * actions, one parent.
 *
 * Life of a process: created by clone with its first task -> runs -> its last task exits: ZOMBIE, the parent is told
 * -> reaped by wait: removed from the pid table. Structures live as long as references do.
 */
#pragma once

#include <core/lock.h>
#include <core/time.h>
#include <core/wait.h>
#include <lib/list.h>
#include <obj/credentials.h>
#include <obj/handle.h>
#include <obj/object.h>
#include <proc/rest.h>
#include <proc/signal.h>
#include <proc/trace.h>
#include <sched/thread.h>

#include <linux/resource.h>

struct aspace;
struct file;
struct pid_aliases; /* proc/pid_namespace.h */
struct pid_namespace;
struct namespaces;
struct fs_context; /* of vfs: proc holds it through proc_hooks */
struct process;
struct user_account; /* proc/user.h */

/* /proc/<pid>/io: calls that read and write, and what they moved. */
struct task_io {
	u64 read_bytes, write_bytes, reads, writes;
};

struct task {
	struct thread thread;	     /* first */
	struct object object;	     /* type task_type */
	struct memory_charge charge; /* of the structure and the kernel stack */
	struct process *process;     /* holds a reference */
	int tid;
	struct pid_entry pid_entry;
	struct pid_aliases *pid_aliases; /* until it is born */
	struct user_account *account;	 /* of the real uid; holds a reference */
	struct list_head process_node;	 /* in process->tasks, guarded by process->lock */
	const struct credentials
		*credentials;  /* written by the task itself only; others: task_credentials_get() */
	struct pool *pool;     /* holds a user */
	struct fs_context *fs; /* holds a reference */
	struct namespaces *namespaces; /* holds a reference; see proc/namespaces.h */
	struct signal_state signals;   /* blocked mask, pending, alternate stack */
	int exit_code;		       /* wait status encoding once exiting */
	bool exiting;
	bool stopped;		     /* counted in the group stop; guarded by process->lock */
	bool parked;		     /* stands still for a core file; guarded by process->lock */
	int __user *set_child_tid;   /* CLONE_CHILD_SETTID: where the new task stores its tid */
	int __user *clear_child_tid; /* set_tid_address(2) */
	void __user *robust_list;    /* set_robust_list(2) */
	size_t robust_list_size;
	struct rseq __user *rseq; /* rseq(2) */
	u32 rseq_signature;
	/* Private to ipc/futex_pi.c: futexes it owns that others wait for, what it waits for itself, no new ones. */
	struct futex_pi *futex_owned;
	struct futex_pi_waiter *futex_waiting;
	bool futex_exited;
	struct completion *vfork_done; /* the parent waits there; null */
	u64 restart_deadline;	       /* for restart_syscall(2) */
	long (*restart)(struct task *task);
	u64 restart_data[4];
	u32 personality;
	int parent_death_signal; /* prctl(PR_SET_PDEATHSIG) */
	struct trace_state trace;
	u8 seccomp_mode; /* SECCOMP_MODE_*; 0: none */
	bool confined; /* it walks from directories of its own tree only (silos, unveil); inherited, never cleared */
	/* CAIRN_PROMISE_* that cairn_pledge gave up, now and at the next exec; inherited, only grow. FORSWORN: it pledged. */
	u32 forsworn, forsworn_on_exec;
	struct task_rest rest;
	bool no_new_privs; /* prctl(PR_SET_NO_NEW_PRIVS); inherited, never cleared */
	struct seccomp_filter *seccomp_filter; /* holds a reference; see proc/seccomp.c */
	u64 minor_faults, major_faults;
	struct task_io io;
	u64 timer_slack_ns;
	u16 io_priority;  /* ioprio_set(2); inherited */
	u8 memory_policy; /* set_mempolicy(2), MEMORY_POLICY_* of mm/policy.h; inherited */
	void *poll_table; /* scratch of poll and select, see vfs/poll */
};

enum process_state { PROCESS_RUNNING, PROCESS_STOPPED, PROCESS_ZOMBIE, PROCESS_DEAD };

struct process_group;
struct process_timers;

struct process {
	struct object object; /* type process_type; a pidfd is a file over it */
	/* Of the structure; its budget is that of all that the process makes. */
	struct memory_charge charge;
	int pid;
	struct pid_entry pid_entry;
	struct pid_namespace *pid_namespace; /* holds a reference; see proc/pid_namespace.h */
	/* The task whose tid is pid, even after it exited: for comm and credentials; null once reaped. */
	struct task *leader;
	struct task *exec_task; /* every other task must leave; guarded by lock */
	struct task *dumper;	/* it writes the core file; guarded by lock, see dump.c */
	u32 state;		/* enum process_state; guarded by lock */
	struct spinlock lock;	/* RANK_PROCESS: tasks, state, signals of the process */
	struct list_head tasks;
	unsigned task_count;		/* live ones */
	struct aspace *aspace;		/* holds a user; null once exited */
	struct signal_actions *actions; /* holds a reference; shared with CLONE_SIGHAND */
	struct signal_queue pending;	/* process directed */
	int parent_tid;			/* the task that made it */
	struct process *parent; /* guarded by the process table lock; never null but for init */
	struct list_head children, sibling;
	struct process_group *group;  /* holds a reference */
	struct list_head group_node;  /* its session is group->session */
	struct wait_queue child_wait; /* wait4 sleeps here */
	struct list_head pidfds;      /* of proc/pidfd.c: told of the exit; guarded by lock */
	int exit_code;		      /* wait status */
	int exit_signal;	      /* to the parent: SIGCHLD, 0 none */
	bool group_exiting;	      /* exit_group or a fatal signal: every task leaves */
	int group_exit_code;
	u32 stop_signal; /* the group stop in effect: tasks sleep until it is 0; guarded by lock */
	unsigned stop_count; /* tasks that have not yet stopped */
	bool stop_dequeued;  /* a stop signal was taken and no SIGCONT came since */
	bool unkillable;     /* process 1: signals with the default action do not reach it */
	u32 wait_flags;	     /* PROCESS_EVENT_*: not yet waited for; guarded by lock */
	u32 stop_report;     /* the signal of PROCESS_EVENT_STOPPED */
	struct rlimit64 limits[RLIM_NLIMITS];
	/* Itimers, POSIX timers, RLIMIT_CPU: see proc/timers.h; null until the first. */
	struct process_timers *timers;
	u64 children_user_ns, children_system_ns; /* of waited-for children */
	u64 dead_user_ns, dead_system_ns;	  /* of its own tasks that exited */
	u64 children_minor_faults, children_major_faults, children_resident_peak;
	u64 dead_minor_faults, dead_major_faults;     /* of address spaces it no longer has */
	u64 resident_peak;			      /* the same, in pages */
	u64 voluntary_switches, involuntary_switches; /* of exited tasks */
	struct task_io dead_io;			      /* the same */
	u64 start_ns;
	/* Holds a reference; null: none; set before others see it, or by silo_join. */
	struct silo *silo;
	bool has_executed; /* after fork, before exec: setpgid rules */
	bool child_subreaper;
	bool reaps_itself;   /* made by hand: nobody waits for it */
	bool reaps_children; /* it ends a name space: nobody will wait for its children */
	bool dumped;
	bool has_semaphore_undo; /* SEM_UNDO was used: see ipc/sysv_sem.c */
	int oom_score_adj;
	u32 login_user;	     /* /proc/pid/loginuid + 1; 0: not set; inherited */
	u32 coredump_filter; /* core(5); inherited */
	struct mutex exec_lock;
};

#define FORSWORN BIT(31)

#define PROCESS_EVENT_STOPPED BIT(0)
#define PROCESS_EVENT_CONTINUED BIT(1)
#define PROCESS_NOTIFY_STOPPED BIT(2) /* the parent is not yet told */
#define PROCESS_NOTIFY_CONTINUED BIT(3)

static inline struct task *task_of(struct thread *t)
{
	return t->user ? (struct task *)t : nullptr;
}
/* Null in a kernel thread. */
static inline struct task *current_task(void)
{
	return task_of(current_thread());
}
static inline struct process *current_process(void)
{
	return current_task()->process;
}

/*
 * Finding, by the numbers of the current task's name space. With a reference in *out; -ESRCH. A zombie is found too. The _global ones
 * take the kernel's numbers (process->pid, task->tid).
 */
[[nodiscard]] int process_find(int pid, struct process **out);
[[nodiscard]] int task_find(int tid, struct task **out);
[[nodiscard]] int process_find_global(int pid, struct process **out);
[[nodiscard]] int task_find_global(int tid, struct task **out);
static inline void process_put(struct process *p)
{
	object_put(&p->object);
}
static inline void task_put(struct task *t)
{
	object_put(&t->object);
}
static inline bool task_is_confined(void)
{
	struct task *task = current_task();

	return task && unlikely(task->confined);
}
/* The system call of this frame is over, and so are its uses of derived handles (obj/derivation.h). One that revocation interrupted fails
 * with -EKEYREVOKED. */
void syscall_leave_derivations(struct trap_frame *frame);
/* The next process with pid >= `pid` that is in `silo` (null: any) or a silo made there, with a reference, or null. */
struct process *process_next_within(const struct silo *silo, int pid);
/* The same of those that the current task may know of: for /proc. */
struct process *process_next(int pid);
/* The next task of a process with tid >= `tid`, with a reference, or null. */
struct task *process_next_task(struct process *process, int tid);

#define COREDUMP_FILTER_BITS 0x1ffu
#define COREDUMP_FILTER_USUAL 0x33u

/* Tasks made since boot, for /proc/stat. */
u64 task_created_count(void);
/* How many there may be: kernel.threads-max. */
extern u32 tasks_limit;
/* Live tasks in the system. */
unsigned task_count(void);

extern const struct object_type task_type;

/* The first task, or the one that exited as leader, with a reference; null once the process is reaped. */
struct task *process_leader_get(struct process *process);
/* Credentials of any task, with a reference for credentials_put(). */
const struct credentials *task_credentials_get(struct task *task);
/* CPU time of all tasks of a process, the exited ones included. */
void process_times(struct process *process, u64 *user_ns, u64 *system_ns);

/*
 * The current process, which has one task, and what it makes from now on are charged to this budget. The address space that it has
 * is not: that of the next exec is. -ENOMEM: they do not fit, nothing changed.
 */
[[nodiscard]] int process_set_budget(struct memory_budget *budget);

/* clone3(2) and all its relatives. Returns the new tid in the parent. */
struct clone_request {
	u64 flags; /* CLONE_* */
	int exit_signal;
	vaddr_t stack; /* new stack pointer; 0: the parent's */
	u64 tls;
	int __user *parent_tid;
	int __user *child_tid;
	int __user *pidfd;
	const int *set_tids;
	unsigned set_tid_count;
	int trace_event; /* set by task_clone: PTRACE_EVENT_* */
	/* For task_make, or null: an empty process instead of a copy, charged to `budget`, held; with a reference. */
	struct task **made;
	struct memory_budget *budget;
};
[[nodiscard]] long task_clone(struct clone_request *req);

/* unshare(2) of CLONE_FILES, CLONE_FS, CLONE_SYSVSEM and name spaces. A failure changes nothing. */
[[nodiscard]] int task_unshare(u64 flags);

/*
 * execve(2) with a file that is open. Vectors are user pointers, or kernel strings for init. On success the
 * frame of the current task leads to the new program. On failure before the point of no return: -errno; after it the task
 * is killed with SIGSEGV or SIGKILL.
 */
struct exec_request {
	struct file *file; /* borrowed */
	const char *path;  /* as given, for AT_EXECFN and #! */
	const char __user *const __user *user_argv;
	const char __user *const __user *user_envp;
	const char *const *kernel_argv; /* instead, for init */
	const char *const *kernel_envp;
};
[[nodiscard]] int task_exec(const struct exec_request *req);

/* Ends the current task / all tasks of the process. `code`: wait status. */
[[noreturn]] void task_exit(int code);
[[noreturn]] void process_exit(int code);

/* wait4(2), waitid(2). */
struct wait_request {
	int id_type; /* P_ALL, P_PID, P_PGID, P_PIDFD */
	int id;
	u32 options; /* WNOHANG, WUNTRACED, WCONTINUED, WNOWAIT, WEXITED ... */
	int status;  /* results */
	int pid;
	struct rusage rusage;
	int code; /* CLD_* */
	u32 uid;
};
/* Returns the pid, 0 with WNOHANG, -ECHILD, -ERESTARTSYS. */
[[nodiscard]] long process_wait(struct wait_request *req);

/* Replaces the current task's credentials; consumes the reference. Drops dumpability where Linux does. */
void task_set_credentials(struct credentials *new_credentials);

/* rlimit of the current process, without a lock. */
u64 current_limit(unsigned resource);

/* Rusage of a process or task, as getrusage(2). */
void process_rusage(struct process *process, int who, struct rusage *out);

/* Starts process 1: opens the console, tries the programs, execs. Never returns. Runs in a kernel thread that becomes the task. */
[[noreturn]] void init_start(void);

/* Upward calls: the file system context and handles belong to layers above. Filled in by vfs at boot. */
struct proc_hooks {
	int (*fs_copy)(struct fs_context *from,
		       struct fs_context **out); /* from null: the kernel's initial one */
	void (*fs_get)(struct fs_context *fs);
	void (*fs_put)(struct fs_context *fs);
	/*
	 * Opens a program, an interpreter, /dev/console: flags are O_*. With `execute` it must be a regular file that the
	 * current task may execute, on a mount that allows it, and no writer may have it open (-ETXTBSY) or come
	 * while the file is: the file stays so until it is destroyed.
	 */
	int (*open)(const char *path, u32 flags, bool execute, struct file **out);
	/* Mounts the disk that root= names as the root directory of the current task, which is the first; or panics. */
	void (*mount_root)(void);
	/* An extended attribute of a file, as getxattr(2). */
	ssize_t (*file_attribute)(struct file *file, const char *name, void *value, size_t size);
	/* The mount of the file ignores set-user-ID bits. */
	bool (*file_nosuid)(struct file *file);
	/* Writes a core file of the current process, which `info` ends (core(5)), and whose other tasks are parked; true if there is one now. May sleep. */
	bool (*core_dump)(const siginfo_t *info);
	/* A session leader exits: its terminal is hung up. May sleep. */
	void (*session_exit)(struct session *session);
	/* System V semaphores undo, POSIX locks of the process: at exit and exec. */
	void (*files_exit)(struct process *process);
};
extern struct proc_hooks proc_hooks;

/* Boot. */
void proc_init(void);
