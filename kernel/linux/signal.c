/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls: signals (signal(7), sigaction(2), kill(2), sigaltstack(2), ...). */
#include <arch/frame.h>
#include <arch/signal.h>
#include <fs/proc/proc.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <linux/descriptor.h>
#include <mm/ucopy.h>
#include <proc/pid_namespace.h>
#include <proc/pidfd.h>
#include <proc/task.h>
#include <syscall_prototypes.h>

#define UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

/* The kernel ABI's sigaction: x86_64's has a restorer by definition, aarch64's by generic layout. */
static int action_from_user(struct signal_action *to, const struct sigaction __user *from)
{
	struct sigaction action;

	if (copy_from_user(&action, from, sizeof(action)))
		return -EFAULT;
	*to = (struct signal_action){
		.handler = (vaddr_t)action.sa_handler,
		.flags = action.sa_flags,
		.restorer = (vaddr_t)action.sa_restorer,
	};
	memcpy(&to->mask, &action.sa_mask, sizeof(to->mask));
	to->mask &= ~UNBLOCKABLE;
	return 0;
}

static int action_to_user(struct sigaction __user *to, const struct signal_action *from)
{
	struct sigaction action = {
		.sa_handler = (__sighandler_t)from->handler,
		.sa_flags = from->flags,
		.sa_restorer = (__sigrestore_t)from->restorer,
	};

	memcpy(&action.sa_mask, &from->mask, sizeof(from->mask));
	return copy_to_user(to, &action, sizeof(action));
}

/* The flags that mean something; others are cleared, so that programs can find out what is there (SA_UNSUPPORTED). */
#define KNOWN_FLAGS                                                                                \
	(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER |         \
	 SA_RESETHAND | SA_EXPOSE_TAGBITS | 0x04000000ul /* SA_RESTORER */)

long sys_rt_sigaction(int signo, const struct sigaction __user *new, struct sigaction __user *old,
		      size_t size)
{
	struct signal_action action, previous;
	int err;

	if (size != sizeof(signal_mask))
		return -EINVAL;
	if (new) {
		err = action_from_user(&action, new);
		if (err)
			return err;
		action.flags &= KNOWN_FLAGS;
	}
	err = signal_action_exchange(signo, new ? &action : nullptr, &previous);
	if (err)
		return err;
	return old ? action_to_user(old, &previous) : 0;
}

long sys_rt_sigprocmask(int how, const u64 __user *new, u64 __user *old, size_t size)
{
	signal_mask mask = current_task()->signals.blocked, previous = mask, change;

	if (size != sizeof(signal_mask))
		return -EINVAL;
	if (new) {
		if (get_user(change, new))
			return -EFAULT;
		switch (how) {
		case SIG_BLOCK:
			mask |= change;
			break;
		case SIG_UNBLOCK:
			mask &= ~change;
			break;
		case SIG_SETMASK:
			mask = change;
			break;
		default:
			return -EINVAL;
		}
		signal_set_mask(mask);
	}
	return old ? put_user(previous, old) : 0;
}

long sys_rt_sigpending(u64 __user *set, size_t size)
{
	signal_mask pending = signal_pending_set(current_task()->signals.blocked);

	if (size > sizeof(signal_mask))
		return -EINVAL;
	return copy_to_user(set, &pending, size);
}

long sys_rt_sigsuspend(const u64 __user *umask, size_t size)
{
	signal_mask mask;

	if (size != sizeof(mask))
		return -EINVAL;
	if (get_user(mask, umask))
		return -EFAULT;
	signal_set_temporary_mask(mask);
	signal_sleep();
	signal_restore_mask(true);
	return -ERESTARTNOHAND;
}

long sys_pause(void)
{
	signal_sleep();
	return -ERESTARTNOHAND;
}

long sys_rt_sigtimedwait(const u64 __user *uset, struct siginfo __user *uinfo,
			 const struct __kernel_timespec __user *timeout, size_t size)
{
	signal_mask set;
	u64 left;
	siginfo_t info;
	int result;

	if (size != sizeof(set))
		return -EINVAL;
	if (get_user(set, uset))
		return -EFAULT;
	result = timeout_from_user(timeout, &left);
	if (result)
		return result;
	result = signal_wait(set & ~UNBLOCKABLE, &info, deadline_after(left));
	if (result > 0 && uinfo && siginfo_copy_to_user(uinfo, &info))
		return -EFAULT;
	return result;
}

long sys_rt_sigreturn(void)
{
	struct trap_frame *frame = thread_user_frame(current_base()->kstack_top);
	struct signal_state *state = &current_task()->signals;
	stack_t altstack;
	u64 mask;

	if (arch_signal_pop(frame, &mask, &altstack)) {
		signal_force(SIGSEGV, SI_KERNEL, 0);
		return 0;
	}
	/* As sigaltstack would, but its errors do not matter here. */
	if (!signal_on_altstack(&state->altstack, frame_sp(frame)))
		(void)!signal_altstack_set(&altstack);
	signal_set_mask(mask);
	frame_end_syscall(frame);
	return (long)frame_return_value(frame);
}

long sys_sigaltstack(const struct sigaltstack __user *new, struct sigaltstack __user *old)
{
	vaddr_t sp = frame_sp(thread_user_frame(current_base()->kstack_top));
	stack_t previous = current_task()->signals.altstack, stack;
	bool in_use = signal_on_altstack(&previous, sp);

	if (new) {
		int err;

		if (copy_from_user(&stack, new, sizeof(stack)))
			return -EFAULT;
		if (in_use)
			return -EPERM;
		err = signal_altstack_set(&stack);
		if (err)
			return err;
	}
	if (in_use)
		previous.ss_flags |= SS_ONSTACK;
	return old ? copy_to_user(old, &previous, sizeof(previous)) : 0;
}

/* Checks and sends to one process. Signal 0 only checks. */
static int send_to_process(struct process *process, const siginfo_t *info)
{
	int err = signal_permission(process, info->si_signo);

	return err || !info->si_signo ? err : signal_send_process(process, info);
}

long sys_kill(int pid, int signo)
{
	struct process *process;
	siginfo_t info;
	int err;

	if (signo < 0 || signo > SIGNAL_COUNT)
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	siginfo_user(&info, signo, SI_USER);
	if (pid <= 0)
		return signal_send_many(pid, &info);
	err = process_find(pid, &process);
	if (err)
		return err;
	err = send_to_process(process, &info);
	process_put(process);
	return err;
}

/* tgkill, tkill and rt_tgsigqueueinfo: pid 0 means any process. */
static long send_to_task(int pid, int tid, const siginfo_t *info)
{
	struct task *task;
	int err = task_find(tid, &task);

	if (err)
		return err;
	if (pid && task->process->pid != pid_from_user(pid))
		err = -ESRCH;
	if (!err)
		err = signal_permission(task->process, info->si_signo);
	if (!err && info->si_signo)
		err = signal_send_task(task, info);
	task_put(task);
	return err;
}

long sys_tgkill(int pid, int tid, int signo)
{
	siginfo_t info;

	if (pid <= 0 || tid <= 0 || signo < 0 || signo > SIGNAL_COUNT)
		return -EINVAL;
	siginfo_user(&info, signo, SI_TKILL);
	return send_to_task(pid, tid, &info);
}

long sys_tkill(int tid, int signo)
{
	siginfo_t info;

	if (tid <= 0 || signo < 0 || signo > SIGNAL_COUNT)
		return -EINVAL;
	siginfo_user(&info, signo, SI_TKILL);
	return send_to_task(0, tid, &info);
}

/* A siginfo that a program made up: it may not claim to be the kernel or kill(2) towards others. */
static int made_up_info(int pid, int signo, const struct siginfo __user *uinfo, siginfo_t *info)
{
	if (copy_from_user(info, uinfo, sizeof(*info)))
		return -EFAULT;
	if (signo < 0 || signo > SIGNAL_COUNT)
		return -EINVAL;
	info->si_signo = signo;
	if (info->si_code == SI_QUEUE) /* the kernel's number while it travels */
		info->si_pid = pid_from_user(info->si_pid);
	if ((info->si_code >= 0 || info->si_code == SI_TKILL) &&
	    pid != pid_to_user(current_process()->pid))
		return -EPERM;
	return 0;
}

long sys_rt_sigqueueinfo(int pid, int signo, const struct siginfo __user *uinfo)
{
	struct process *process;
	siginfo_t info;
	int err = made_up_info(pid, signo, uinfo, &info);

	if (!err)
		err = process_find(pid, &process);
	if (err)
		return err;
	err = send_to_process(process, &info);
	process_put(process);
	return err;
}

long sys_rt_tgsigqueueinfo(int pid, int tid, int signo, const struct siginfo __user *uinfo)
{
	siginfo_t info;
	int err = pid <= 0 || tid <= 0 ? -EINVAL : made_up_info(pid, signo, uinfo, &info);

	return err ? err : send_to_task(pid, tid, &info);
}

/* A pidfd, or an open directory /proc/<pid>, which was there before pidfds. */
static int process_of_descriptor(int fd, struct process **out)
{
	int err = pidfd_process(current_task()->pool, fd, out, nullptr);
	struct file *file;

	if (err != -EBADF || file_from_handle(current_task()->pool, fd, 0, &file))
		return err;
	err = proc_file_process(file, out);
	file_put(file);
	return err;
}

long sys_pidfd_send_signal(int pidfd, int signo, const struct siginfo __user *uinfo, unsigned flags)
{
	struct process *process;
	int err, signo_there;
	siginfo_t info;

	if (flags)
		return -EINVAL;
	err = process_of_descriptor(pidfd, &process);
	if (err)
		return err;
	if (uinfo) {
		err = made_up_info(pid_to_user(process->pid), signo, uinfo, &info);
		if (!err && (get_user(signo_there, &uinfo->si_signo) || signo_there != signo))
			err = -EINVAL;
	} else if (signo < 0 || signo > SIGNAL_COUNT) {
		err = -EINVAL;
	} else {
		siginfo_user(&info, signo, SI_USER);
	}
	if (!err && process->state == PROCESS_DEAD)
		err = -ESRCH;
	if (!err)
		err = send_to_process(process, &info);
	process_put(process);
	return err;
}

long sys_restart_syscall(void)
{
	struct task *task = current_task();

	return task->restart ? task->restart(task) : -EINTR;
}
