/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls: making, ending and naming processes; groups, sessions, waiting. */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/ucopy.h>
#include <obj/file.h>
#include <proc/inspect.h>
#include <proc/jobs.h>
#include <proc/pid_namespace.h>
#include <proc/pidfd.h>
#include <proc/task.h>
#include <syscall_prototypes.h>

#include <linux/fcntl.h>
#include <linux/pidfd.h>
#include <linux/sched.h>
#include <linux/wait.h>

long sys_fork(void)
{
	struct clone_request req = { .exit_signal = SIGCHLD };

	return task_clone(&req);
}

long sys_vfork(void)
{
	struct clone_request req = { .flags = CLONE_VFORK | CLONE_VM, .exit_signal = SIGCHLD };

	return task_clone(&req);
}

long sys_clone(unsigned long flags, unsigned long stack, int __user *parent_tid,
	       int __user *child_tid, unsigned long tls)
{
	struct clone_request req = {
		/* The upper half is for clone3; CLONE_DETACHED means nothing here. */
		.flags = (u32)flags & ~(u64)(CSIGNAL | CLONE_DETACHED),
		.exit_signal = (int)(flags & CSIGNAL),
		.stack = stack,
		.tls = tls,
		.parent_tid = parent_tid,
		.child_tid = child_tid,
		.pidfd = parent_tid,
	};

	if ((flags & CLONE_PIDFD) && (flags & (CLONE_PARENT_SETTID | CLONE_DETACHED)))
		return -EINVAL;
	return task_clone(&req);
}

#define CLONE3_FLAGS                                                                               \
	(0xffffffffull & ~(u64)(CSIGNAL | CLONE_DETACHED) | CLONE_CLEAR_SIGHAND |                  \
	 CLONE_INTO_CGROUP | CLONE_NEWTIME)

static int check_clone3(const struct clone_args *args)
{
	if (args->flags & ~CLONE3_FLAGS || args->exit_signal > SIGNAL_COUNT)
		return -EINVAL;
	if ((args->flags & (CLONE_THREAD | CLONE_PARENT)) && args->exit_signal)
		return -EINVAL;
	if (!args->stack != !args->stack_size || args->stack + args->stack_size < args->stack)
		return -EINVAL;
	if (!args->set_tid != !args->set_tid_size || args->set_tid_size > PID_NAMESPACE_LEVELS_MAX)
		return -EINVAL;
	if (args->set_tid && !capable(CAP_SYS_ADMIN) && !capable(CAP_CHECKPOINT_RESTORE))
		return -EPERM;
	return 0;
}

long sys_clone3(const struct clone_args __user *uargs, size_t size)
{
	struct clone_args args;
	struct clone_request req;
	int set_tid[PID_NAMESPACE_LEVELS_MAX], err;

	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	err = copy_struct_from_user(&args, sizeof(args), uargs, size);
	if (!err)
		err = check_clone3(&args);
	if (!err && args.set_tid &&
	    copy_from_user(set_tid, __force_user(const int __user *, args.set_tid),
			   args.set_tid_size * sizeof(*set_tid)))
		err = -EFAULT;
	if (err)
		return err;
	req = (struct clone_request){
		.flags = args.flags,
		.exit_signal = (int)args.exit_signal,
		.stack = args.stack ? args.stack + args.stack_size : 0,
		.tls = args.tls,
		.parent_tid = __force_user(int __user *, args.parent_tid),
		.child_tid = __force_user(int __user *, args.child_tid),
		.pidfd = __force_user(int __user *, args.pidfd),
		.set_tids = args.set_tid ? set_tid : nullptr,
		.set_tid_count = (unsigned)args.set_tid_size,
	};
	return task_clone(&req);
}

long sys_exit(int status)
{
	task_exit((status & 0xff) << 8);
}

long sys_exit_group(int status)
{
	process_exit((status & 0xff) << 8);
}

#define WAIT4_OPTIONS (WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL)

long sys_wait4(int pid, int __user *status, unsigned options, struct rusage __user *usage)
{
	struct wait_request req = { .options = options | WEXITED };
	long result;

	if (options & ~WAIT4_OPTIONS)
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid == -1) {
		req.id_type = P_ALL;
	} else if (pid > 0) {
		req.id_type = P_PID;
		req.id = pid;
	} else {
		req.id_type = P_PGID;
		req.id = pid ? -pid : process_job_ids(0, false);
	}
	result = process_wait(&req);
	if (result <= 0)
		return result;
	if (status && put_user(req.status, status))
		return -EFAULT;
	if (usage && copy_to_user(usage, &req.rusage, sizeof(req.rusage)))
		return -EFAULT;
	return result;
}

/* Who is waited for; a pidfd that does not block makes the wait not block. */
static int waitid_target(int type, int id, struct wait_request *req)
{
	struct process *process;
	unsigned flags;
	int err;

	req->id_type = type;
	req->id = id;
	switch (type) {
	case P_ALL:
		return 0;
	case P_PID:
		return id > 0 ? 0 : -EINVAL;
	case P_PGID:
		if (id < 0)
			return -EINVAL;
		req->id = id ? id : process_job_ids(0, false);
		return 0;
	case P_PIDFD:
		if (id < 0)
			return -EINVAL;
		err = pidfd_process(current_task()->pool, id, &process, &flags);
		if (err)
			return err;
		req->id_type = P_PID;
		req->id = pid_to_user(process->pid);
		if (flags & O_NONBLOCK)
			req->options |= WNOHANG;
		process_put(process);
		return flags & O_NONBLOCK ? 1 : 0;
	default:
		return -EINVAL;
	}
}

#define WAITID_OPTIONS                                                                             \
	(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL)

long sys_waitid(int type, int id, struct siginfo __user *uinfo, unsigned options,
		struct rusage __user *usage)
{
	struct wait_request req = { .options = options };
	siginfo_t info = {};
	long result;
	int target;

	if (options & ~WAITID_OPTIONS || !(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	target = waitid_target(type, id, &req);
	if (target < 0)
		return target;
	result = process_wait(&req);
	if (result < 0)
		return result;
	if (!result && target && !(options & WNOHANG))
		return -EAGAIN;
	if (result > 0) {
		if (usage && copy_to_user(usage, &req.rusage, sizeof(req.rusage)))
			return -EFAULT;
		info.si_signo = SIGCHLD;
		info.si_code = req.code;
		info.si_pid = req.pid;
		info.si_uid = req.uid;
		info.si_status = req.code == CLD_EXITED	     ? req.status >> 8 & 0xff
				 : req.code == CLD_STOPPED   ? req.status >> 8 & 0xff
				 : req.code == CLD_TRAPPED   ? req.status >> 8
				 : req.code == CLD_CONTINUED ? SIGCONT
							     : req.status & 0x7f;
	}
	return uinfo ? siginfo_copy_to_user(uinfo, &info) : 0;
}

long sys_getpid(void)
{
	return pid_to_user(current_process()->pid);
}

long sys_gettid(void)
{
	return pid_to_user(current_task()->tid);
}

long sys_getppid(void)
{
	return process_parent_pid(current_process());
}

long sys_getpgid(int pid)
{
	return process_job_ids(pid, false);
}

long sys_getpgrp(void)
{
	return process_job_ids(0, false);
}

long sys_getsid(int pid)
{
	return process_job_ids(pid, true);
}

long sys_setpgid(int pid, int pgid)
{
	return process_set_group(pid, pgid);
}

long sys_setsid(void)
{
	return process_new_session();
}

long sys_set_tid_address(int __user *address)
{
	struct task *task = current_task();

	task->clear_child_tid = address;
	return pid_to_user(task->tid);
}

long sys_pidfd_open(int pid, unsigned flags)
{
	struct process *process;
	struct file *file;
	int fd;

	if (flags & ~(unsigned)PIDFD_NONBLOCK || pid <= 0)
		return -EINVAL;
	if (process_find(pid, &process)) {
		struct task *task;

		/* A thread that leads no process. */
		if (task_find(pid, &task))
			return -ESRCH;
		task_put(task);
		return -EINVAL;
	}
	fd = pidfd_create(process, flags & O_NONBLOCK, &file);
	process_put(process);
	if (fd)
		return fd;
	fd = handle_install(current_task()->pool, &file->object, file_rights(O_RDWR),
			    HANDLE_CLOEXEC, 0,
			    (unsigned)MIN(current_limit(RLIMIT_NOFILE), (u64)INT32_MAX));
	file_put(file);
	return fd;
}

long sys_pidfd_getfd(int pidfd, int fd, unsigned flags)
{
	struct process *process;
	struct task *leader;
	struct handle copy;
	struct pool *pool;
	int err;

	if (flags)
		return -EINVAL;
	err = pidfd_process(current_task()->pool, pidfd, &process, nullptr);
	if (err)
		return err;
	err = process_may_access(process);
	leader = err ? nullptr : process_leader_get(process);
	process_put(process);
	if (!leader)
		return err ? err : -ESRCH;
	pool = task_pool_get(leader);
	task_put(leader);
	if (!pool)
		return -ESRCH;
	err = handle_get_copy(pool, fd, &copy);
	object_put(&pool->object);
	if (err)
		return err;
	/* The copy's reference becomes that of the new handle. */
	__atomic_fetch_add(&copy.object->handles, 1, __ATOMIC_RELAXED);
	err = handle_install_moved(current_task()->pool, &copy, HANDLE_CLOEXEC,
				   (unsigned)MIN(current_limit(RLIMIT_NOFILE), (u64)INT32_MAX));
	if (err < 0)
		handle_drop(&copy);
	return err;
}
