/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tasks that pledged may still call. abi/promises.tbl tells the promises of each call; where several may allow one, its arguments
 * decide here. Only arguments in registers do: what lies in memory could change behind the check.
 */
#include <arch/frame.h>
#include <lib/errno.h>
#include <linux/pledge.h>
#include <proc/pid_namespace.h>
#include <proc/silo.h>
#include <proc/task.h>

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <cairn/number.h>
#include <linux/fcntl.h>
#include <linux/sched.h>
#include <sys/socket.h>
#include <syscall_promises.h>

#define NOBODY (CAIRN_PROMISES_ALL + 1) /* no promise allows it */

static u32 needed_to_open(u64 flags)
{
	u64 mode = flags & O_ACCMODE;
	u32 needed = mode == O_WRONLY ? 0 : CAIRN_PROMISE_RPATH;

	if (flags & O_PATH)
		return CAIRN_PROMISE_RPATH;
	if (mode != O_RDONLY || flags & O_TRUNC)
		needed |= CAIRN_PROMISE_WPATH;
	if (flags & (O_CREAT | __O_TMPFILE))
		needed |= CAIRN_PROMISE_CPATH;
	return needed;
}

static u32 needed_for_family(u64 family)
{
	switch (family) {
	case AF_UNIX:
		return CAIRN_PROMISE_UNIX;
	case AF_INET:
	case AF_INET6:
		return CAIRN_PROMISE_INET;
	default:
		return NOBODY;
	}
}

static u32 needed_for_ioctl(u64 command)
{
	switch ((u32)command) {
	case FIONREAD:
	case FIONBIO:
	case FIOCLEX:
	case FIONCLEX:
	case TCGETS:
	case TIOCGWINSZ:
		return CAIRN_PROMISE_STDIO;
	default:
		return CAIRN_PROMISE_TTY;
	}
}

static u32 needed_to_signal(u64 pid)
{
	return (int)pid == pid_to_user(current_process()->pid) ? CAIRN_PROMISE_STDIO
							       : CAIRN_PROMISE_PROC;
}

static u32 needed_for_limits(u64 pid, u64 changed)
{
	return !pid && !changed ? CAIRN_PROMISE_STDIO : CAIRN_PROMISE_ID;
}

/* All of these must be promised; 0: one of those in the table. */
static u32 needed_by_arguments(const struct trap_frame *frame, u64 number)
{
	switch (number) {
#ifdef __NR_open
	case __NR_open:
		return needed_to_open(frame_argument(frame, 1));
#endif
	case __NR_openat:
		return needed_to_open(frame_argument(frame, 2));
	case __NR_openat2:
		return CAIRN_PROMISE_RPATH | CAIRN_PROMISE_WPATH | CAIRN_PROMISE_CPATH;
	case __NR_execveat:
		return CAIRN_PROMISE_RPATH | CAIRN_PROMISE_EXEC;
	case __NR_socket:
		return needed_for_family(frame_argument(frame, 0));
	case __NR_socketpair:
		return frame_argument(frame, 0) == AF_UNIX ? CAIRN_PROMISE_STDIO : NOBODY;
	case __NR_ioctl:
		return needed_for_ioctl(frame_argument(frame, 1));
	case __NR_clone:
		return frame_argument(frame, 0) & CLONE_THREAD ? CAIRN_PROMISE_STDIO
							       : CAIRN_PROMISE_PROC;
	case __NR_clone3:
		return CAIRN_PROMISE_PROC;
	case __NR_kill:
	case __NR_tgkill:
		return needed_to_signal(frame_argument(frame, 0));
	case __NR_tkill:
		return CAIRN_PROMISE_PROC;
	case __NR_prlimit64:
		return needed_for_limits(frame_argument(frame, 0), frame_argument(frame, 2));
	default:
		return 0;
	}
}

static bool allows_native(u32 promises, u64 number)
{
	return promises & CAIRN_PROMISE_NATIVE || number == CAIRN_NR_pledge ||
	       number == CAIRN_NR_unveil;
}

static bool allows(u32 promises, const struct trap_frame *frame, u64 number)
{
	u32 needed;

	if (number >= CAIRN_NR_BASE)
		return allows_native(promises, number);
	if (number >= ARRAY_SIZE(call_promises) || !(call_promises[number] & promises))
		return false;
	needed = needed_by_arguments(frame, number);
	return (needed & promises) == needed;
}

int pledge_check(const struct trap_frame *frame)
{
	u64 number = frame_syscall_number(frame);

	if (likely(allows(CAIRN_PROMISES_ALL & ~current_task()->forsworn, frame, number)))
		return 0;
	silo_denied(CAIRN_SILO_DENIED_PROMISE, number);
	return number == __NR_clone3 ? -ENOSYS : -EPERM;
}
