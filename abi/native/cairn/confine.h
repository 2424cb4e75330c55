/* SPDX-License-Identifier: MIT */
/*
 * Confining oneself: what a process gives up for good, and its children with it. Each call narrows what the calls before left.
 *
 * Errors of all calls: EFAULT, a bad address.
 */
#pragma once

#include <linux/types.h>

#define CAIRN_UNVEIL_MAX 64u

struct cairn_unveil {
	__u64 path; /* address of an absolute path */
	__u32 rights; /* besides reading: CAIRN_RIGHT_WRITE, CAIRN_RIGHT_EXECUTE of <cairn/handle.h> */
	__u32 zero;
};

/*
 * Promises: classes of calls that a process says it makes no others than. abi/promises.tbl has the calls of each.
 */
#define CAIRN_PROMISE_STDIO                                                                        \
	(1u << 0) /* memory, threads, time, and what is open: pipes, pairs of sockets, events */
#define CAIRN_PROMISE_RPATH (1u << 1) /* files by their names, for reading */
#define CAIRN_PROMISE_WPATH (1u << 2) /* for writing */
#define CAIRN_PROMISE_CPATH (1u << 3) /* made, renamed, removed */
#define CAIRN_PROMISE_FATTR (1u << 4) /* modes, owners, times, attributes */
#define CAIRN_PROMISE_FLOCK (1u << 5) /* locks */
#define CAIRN_PROMISE_INET (1u << 6)  /* sockets of the Internet */
#define CAIRN_PROMISE_UNIX (1u << 7)  /* AF_UNIX sockets with names */
#define CAIRN_PROMISE_IPC (1u << 8)   /* System V and POSIX IPC */
#define CAIRN_PROMISE_PROC (1u << 9)  /* processes: made, waited for, signalled, scheduled */
#define CAIRN_PROMISE_EXEC (1u << 10) /* execve; a dynamic program needs rpath, too */
#define CAIRN_PROMISE_ID (1u << 11)   /* users, groups, limits */
#define CAIRN_PROMISE_TTY                                                                          \
	(1u << 12) /* all ioctls; without it those that ask, and those of every descriptor */
#define CAIRN_PROMISE_NATIVE (1u << 13) /* Cairn's own calls; without it those of this header */
#define CAIRN_PROMISES_ALL ((1u << 14) - 1)

#define CAIRN_PLEDGE_ON_EXEC 1u

#ifndef __KERNEL__
/*
 * The process, of one thread, makes no calls from now on but those of the promises, nor do its children and what it executes; calls outside
 * of all promises (mount, ptrace, name spaces, clocks) never again. They fail with EPERM (clone3 with ENOSYS, which C libraries take for
 * an older kernel), and are recorded in its silo. With CAIRN_PLEDGE_ON_EXEC the promises count from its next execve on. Promises
 * made before stay: one can only promise less.
 * 0. EINVAL: an unknown promise or flag; EBUSY: more threads.
 */
int cairn_pledge(unsigned promises, unsigned flags);

/*
 * The process, of one thread, sees these paths from now on, with what is below them and mounted there, and no others. A path keeps its
 * name; symbolic links are followed now. No rule (count 0): nothing. Directory handles that it has are not walked from any more, files are
 * not opened anew by /proc/self/fd, and what it executes gains no privileges (PR_SET_NO_NEW_PRIVS). Its working directory is "/" then.
 * 0; on failure nothing has changed. EBUSY: more threads; EINVAL: not absolute, unknown rights, too many; ENOENT, ENOTDIR, EACCES: no
 * such path; ENOMEM.
 */
int cairn_unveil(const struct cairn_unveil *rules, unsigned count);
#endif
