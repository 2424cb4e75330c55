/* SPDX-License-Identifier: MIT */
/*
 * Silos: unmodified Linux programs, confined as one. A silo has a tree of mounts, a memory budget, a limit of tasks, a set of
 * capabilities (capabilities(7)) and permissions; a process that enters it sees nothing else, nor do its children, for good:
 * no process outside, no path above the root, no handle that it was not left. Its process numbers (from 1), mounts, System V and POSIX
 * IPC objects, host name and network are its own (namespaces(7)); in that network there is a loopback device, and what its rules name is
 * reached beyond it. Everything that is denied is recorded.
 *
 * A silo that is made by a member of a silo lies in that: it has no right that the outer one lacks, its tasks count for both, and
 * it ends with it.
 *
 * poll(2): readable when there are events, hung up when it was entered and its last task has ended. When the last handle of a
 * silo is closed, its members are killed.
 *
 * Errors of all calls besides those of <cairn/handle.h>: EFAULT, a bad address.
 */
#pragma once

#include <linux/types.h>

/* What cairn_silo_configure sets. */
#define CAIRN_SILO_ROOT 0	  /* a handle of a directory */
#define CAIRN_SILO_MEMORY 1	  /* bytes of private memory and page tables; no limit at first */
#define CAIRN_SILO_TASKS 2	  /* processes and threads; 256 at first */
#define CAIRN_SILO_CAPABILITIES 3 /* bits of capabilities(7); only taken away */
#define CAIRN_SILO_ALLOW 4	  /* CAIRN_SILO_ALLOW_*; nothing at first */
#define CAIRN_SILO_HOST_NAME 5	/* address of a string of at most 64 bytes; at first the maker's */
#define CAIRN_SILO_HANDLES 6	/* of each process, as RLIMIT_NOFILE; those that enter later */
#define CAIRN_SILO_CPU_WEIGHT 7 /* 1 to 10240; 1024 at first, as one thread of nice value 0 */
#define CAIRN_SILO_CPU_QUOTA 8	/* CAIRN_SILO_CPU_TIME(); no limit at first */
#define CAIRN_SILO_INTEGRITY 9	/* level of integrity, only lowered; at first the maker's */

/*
 * How far what comes out of a silo is to be trusted: 0 to this, which all have that are in no silo. It bounds which channels its
 * programs may use (cairn_channel_label). A silo in another one has at most the level of that.
 */
#define CAIRN_INTEGRITY_HIGHEST 15u

/* So much CPU time, of all CPUs together, in each period; 0 of time: no limit. */
#define CAIRN_SILO_CPU_TIME(microseconds, period) ((__u64)(period) << 32 | (__u32)(microseconds))

/* Sources of cairn_silo_mount that are not handles. */
#define CAIRN_SCHEME_PROC (-1)	 /* a /proc of the silo's processes */
#define CAIRN_SCHEME_MEMORY (-2) /* an empty file system in memory */

#define CAIRN_SILO_ALLOW_NETWORK 1u /* the network of its maker rather than one of its own */
#define CAIRN_SILO_ALLOW_UNIX                                                                      \
	2u /* AF_UNIX sockets and names; pairs without are always allowed. Abstract names are its network's. */

/*
 * Part of its maker's network that a silo without CAIRN_SILO_ALLOW_NETWORK may use all the same. When it has rules its Internet stream
 * and datagram sockets are of that network, where they take and reach what a rule names and nothing else; of the rest of it (interfaces,
 * routes, other sockets) nothing shows. IPv4 addresses are ::ffff:a.b.c.d, so their prefixes begin at 96.
 */
struct cairn_silo_network_rule {
	__u8 address[16];
	__u8 prefix;		     /* so many bits must agree: 0 to 128 */
	__u8 operations;	     /* CAIRN_SILO_NETWORK_* */
	__u16 first_port, last_port; /* in the order of the host */
	__u16 zero;
};
#define CAIRN_SILO_NETWORK_BIND 1u    /* take the address: bind(2), listen(2) */
#define CAIRN_SILO_NETWORK_CONNECT 2u /* reach it: connect(2), sendto(2) */
#define CAIRN_SILO_NETWORK_RULES 32u  /* at most so many */

/* CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE */
#define CAIRN_SILO_DEFAULT_CAPABILITIES 0x5fbull

/* Kinds of events; those from 16 on are denials. `value` is what is named. */
#define CAIRN_SILO_EVENT_STARTED 1u	  /* a process entered */
#define CAIRN_SILO_EVENT_STOPPED 2u	  /* the last task ended */
#define CAIRN_SILO_EVENT_CRASHED 3u	  /* a process was ended by a signal: its number */
#define CAIRN_SILO_EVENT_OUT_OF_MEMORY 4u /* the budget was full: its bytes */
#define CAIRN_SILO_DENIED_CAPABILITY 16u  /* a capability it lacks */
#define CAIRN_SILO_DENIED_PROCESS 17u	  /* a process outside: the number it was looked for by */
#define CAIRN_SILO_DENIED_TASK 18u	  /* one task too many: the limit */
#define CAIRN_SILO_DENIED_SOCKET 19u	  /* a socket: its family */
#define CAIRN_SILO_DENIED_ADDRESS                                                                  \
	21u /* a name of a socket that is not its own network's: CAIRN_SILO_NETWORK_* */
#define CAIRN_SILO_DENIED_PROMISE 22u	/* a call that was not promised: its number */
#define CAIRN_SILO_DENIED_FLOW 23u	/* a channel above its integrity: the label of that */
#define CAIRN_SILO_DENIED_DIRECTORY 20u /* a walk from a directory that is not below the root */

struct cairn_silo_event {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 kind;
	__s32 pid;
	__u64 value;
	__u64 lost;    /* events that were dropped before this one */
	char name[16]; /* of the task */
};

struct cairn_silo_info {
	__u64 memory_used, memory_peak, memory_limit; /* bytes */
	__u32 tasks, task_limit;
	__u64 capabilities;
	__u32 allow;
	__u32 state;	 /* CAIRN_SILO_STATE_* */
	__u64 denied;	 /* how often */
	__u64 cpu_ns;	 /* CPU time used */
	__u64 throttled; /* how often a thread waited because the quota was used up */
	__u32 integrity;
	__u32 handles; /* in the tables of all its processes */
};

#define CAIRN_SILO_STATE_NEW 0u
#define CAIRN_SILO_STATE_RUNNING 1u
#define CAIRN_SILO_STATE_PAUSED 2u
#define CAIRN_SILO_STATE_STOPPED 3u
#define CAIRN_SILO_STATE_KILLED 4u

/* Operations of cairn_silo_control. */
#define CAIRN_SILO_PAUSE 1u  /* its processes stop */
#define CAIRN_SILO_RESUME 2u /* and go on */
#define CAIRN_SILO_KILL                                                                            \
	3u /* they end; when the call returns there is none left, and nobody can enter any more */

#define CAIRN_SILO_NONBLOCK 1u

#ifndef __KERNEL__
#include <stddef.h>

/*
 * Makes a silo within that of the caller. flags: CAIRN_HANDLE_KEEP_*.
 * The handle. EMFILE; ENOMEM.
 */
int cairn_silo_create(unsigned flags);

/*
 * Sets what the silo has. Needs WRITE. Root, capabilities and permissions can be set until it is entered; limits, integrity and the
 * host name always. The root is a copy of what is mounted there now: later mounts outside do not show inside.
 * 0. EBUSY: it was entered; ENOTDIR; EPERM: a capability or level of integrity that it did not have; EINVAL: no such setting or value; EACCES: a
 * directory outside of the caller's own silo.
 */
int cairn_silo_configure(int silo, unsigned what, __u64 value);

/*
 * Shows something at a path below the silo's root, which must exist: the directory or file of a handle, or a CAIRN_SCHEME_*. Needs
 * WRITE. Programs inside can read; write and execute only with CAIRN_RIGHT_WRITE and CAIRN_RIGHT_EXECUTE in `rights`. Device files work
 * only if they are handed one by one.
 * 0. EINVAL: it has no root yet; ENOENT, ENOTDIR: no such place; EACCES: a directory outside of the caller's own silo; ENOMEM.
 */
int cairn_silo_mount(int silo, const char *path, int source, unsigned rights);

/*
 * Allows a part of the network, besides what was allowed before. Needs WRITE. A silo inside another one can do what both allow.
 * 0. EBUSY: it was entered; ENOSPC: CAIRN_SILO_NETWORK_RULES are there; EINVAL: no such rule.
 */
int cairn_silo_allow_network(int silo, const struct cairn_silo_network_rule *rule);

/*
 * The calling process enters, with the handles keep[0] to keep[count - 1] and no others. Needs EXECUTE, CAP_SYS_ADMIN or
 * PR_SET_NO_NEW_PRIVS, and that the process has one thread and is in the silo and name space of process numbers that made this
 * one. It gets a number inside; outside it keeps the one it has. Memory is charged from the next execve(2) on.
 * 0. EINVAL: it has no root; EBUSY: more threads; EPERM; EAGAIN: the limit of tasks, or it was killed; EISDIR: a handle of a
 * directory is to be kept; EPERM: a handle of a channel above the silo's integrity is; ENOMEM.
 */
int cairn_silo_enter(int silo, const int *keep, unsigned count);

/* Pauses, resumes or kills. Needs CONTROL. 0. EINVAL: no such operation; EINTR: the kill goes on. */
int cairn_silo_control(int silo, unsigned operation);

/* Tells state and consumption. Needs INSPECT. 0. EINVAL: size is below that of the structure. */
int cairn_silo_inspect(int silo, struct cairn_silo_info *info, size_t size);

/* Takes the oldest event, waiting for one. Needs READ. 0. EAGAIN: there is none, and flags has CAIRN_SILO_NONBLOCK; EINTR. */
int cairn_silo_event(int silo, struct cairn_silo_event *event, unsigned flags);
#endif
