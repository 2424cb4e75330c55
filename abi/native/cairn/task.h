/* SPDX-License-Identifier: MIT */
/*
 * Tasks by hand: a process of one thread that is put together from its parts and then started.
 *
 * It is made from an untyped (CAIRN_TYPE_TASK), which pays for its structures and its kernel stack, and ends with it. It is held, has an
 * empty pool and an empty address space of its own, zero in all registers, and the maker's user and groups. Its whole authority is its
 * pool: of Linux's calls it has only those that work on its handles and its memory (read, write, poll, epoll, mmap of a handle, futex,
 * clocks, exit ...); all that names something else fails with EPERM. It cannot fork.
 *
 * Tasks that are given the same address space and the same pool are threads of one program: they share memory, futexes and handles, and
 * each has its own registers, number and end.
 *
 * A task that is held is at rest in user mode: between two instructions, or before a system call that will begin again. poll(2) on a
 * task: readable when it has ended, priority data (POLLPRI) while it is at rest. When its last handle is closed a task that was never
 * started ends; another one runs on.
 *
 * Errors of all calls besides those of <cairn/handle.h>: ESRCH, it has ended; EFAULT, a bad address.
 */
#pragma once

#include <linux/types.h>

/* What cairn_task_set sets. All but the last two only until it is started. */
#define CAIRN_TASK_POOL                                                                            \
	0u /* a handle of a pool, with EXECUTE: its table from now on, that others may go on filling */
#define CAIRN_TASK_ASPACE 1u /* a handle of an address space, with CONTROL */
#define CAIRN_TASK_ENTRY 2u  /* address of its first instruction */
#define CAIRN_TASK_STACK 3u  /* its stack pointer */
#define CAIRN_TASK_TLS 4u    /* its thread pointer */
#define CAIRN_TASK_ARGUMENT0                                                                       \
	5u /* the first argument of its entry function, as the C ABI has it; and three more */
#define CAIRN_TASK_ARGUMENT1 6u
#define CAIRN_TASK_ARGUMENT2 7u
#define CAIRN_TASK_ARGUMENT3 8u
#define CAIRN_TASK_NICE 9u /* -20 to 19, as nice(2); below 0 needs CAP_SYS_NICE */

#define CAIRN_TASK_CPU_QUOTA                                                                       \
	10u /* CAIRN_TASK_CPU_TIME(); no limit at first. Its silo's goes on to hold too */

/* So much CPU time in each period; 0 of time: no limit. A task that has used it up waits for the next on its way to user mode. */
#define CAIRN_TASK_CPU_TIME(microseconds, period) ((__u64)(period) << 32 | (__u32)(microseconds))

/* Operations of cairn_task_control. */
#define CAIRN_TASK_START 1u
#define CAIRN_TASK_SUSPEND 2u /* when it returns the task is at rest */
#define CAIRN_TASK_RESUME 3u
#define CAIRN_TASK_STEP 4u /* one instruction, then it is at rest again */
#define CAIRN_TASK_KILL 5u

#define CAIRN_TASK_STATE_NEW 0u
#define CAIRN_TASK_STATE_RUNNING 1u
#define CAIRN_TASK_STATE_AT_REST 2u
#define CAIRN_TASK_STATE_ENDED 3u

struct cairn_task_info {
	__u32 state;  /* CAIRN_TASK_STATE_* */
	__s32 status; /* as of wait(2), once it has ended */
	__s32 pid;
	__s32 nice;
	__u64 user_ns, system_ns;
	__u64 instruction, stack; /* while it is at rest, else 0 */
};

#ifndef __KERNEL__
#include <stddef.h>

/* Sets a part. Needs CONTROL. 0. EBUSY: it was started; EINVAL: no such part or value; EPERM. */
int cairn_task_set(int task, unsigned what, __u64 value);

/* Starts, suspends, resumes, steps or kills. Needs CONTROL. 0. EINVAL: no such operation; EBUSY: START of one that was started, RESUME or
 * STEP of one that is not at rest; EINTR: SUSPEND was interrupted, and goes on. */
int cairn_task_control(int task, unsigned operation);

/*
 * Reads all general registers of a task at rest: the structure of NT_PRSTATUS (struct user_regs_struct). Needs INSPECT.
 * Their size in bytes. EINVAL: size is below that; EBUSY: not at rest.
 */
int cairn_task_registers_get(int task, void *registers, size_t size);

/* Writes them. Needs CONTROL. Their size in bytes. EINVAL: size is below that, or values that no program may have; EBUSY: not at rest. */
int cairn_task_registers_set(int task, const void *registers, size_t size);

/* Tells its state. Needs INSPECT. 0. EINVAL: size is below that of the structure. */
int cairn_task_inspect(int task, struct cairn_task_info *info, size_t size);
#endif
