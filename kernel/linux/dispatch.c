/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The entry of every system call: number, table, result. The table is made from abi/syscalls.tbl; a call without an
 * entry does not exist and gives ENOSYS. Its shims take the arguments out of the frame in the width of the C
 * prototype, so that what a program left in the upper half of a register never reaches a function.
 */
#include <arch/frame.h>
#include <arch/trap.h>
#include <core/thread_base.h>
#include <lib/errno.h>
#include <linux/pledge.h>
#include <linux/strace.h>
#include <proc/rest.h>
#include <proc/seccomp.h>
#include <proc/task.h>
#include <proc/trace.h>

#include <syscall_table.c>

/* Cairn's own calls, abi/native.tbl. */
static long dispatch_native(const struct trap_frame *frame, u64 index)
{
	long (*call)(const struct trap_frame *);

	if (unlikely(index >= CAIRN_NR_COUNT))
		return -ENOSYS;
	asm("" : "+r"(index));
	call = native_table[index & (CAIRN_NR_COUNT - 1)];
	return likely(call) ? call(frame) : -ENOSYS;
}

static long dispatch(const struct trap_frame *frame)
{
	u64 number = frame_syscall_number(frame);
	long (*call)(const struct trap_frame *);

	if (unlikely(number >= SYSCALL_TABLE_SIZE))
		return dispatch_native(frame, number - CAIRN_NR_BASE);
	/* The program chose the number: masked, a mispredicted check does not read beyond the table either. */
	asm("" : "+r"(number));
	call = syscall_table[number & (SYSCALL_TABLE_SIZE - 1)];
	return likely(call) ? call(frame) : -ENOSYS;
}

/* A call that somebody watches: ptrace, seccomp, the in-kernel strace. */
static void watched_syscall(struct trap_frame *frame)
{
	bool done = trace_syscall_enter(frame);
	int refused;

	if (strace_enabled)
		strace_enter(frame);
	if (unlikely(current_task()->rest.by_hand) && frame_syscall_number(frame) < CAIRN_NR_BASE &&
	    !task_call_allowed(frame_syscall_number(frame)))
		frame_set_return_value(frame, (u64)-EPERM);
	else if (unlikely(current_task()->forsworn) && (refused = pledge_check(frame)))
		frame_set_return_value(frame, (u64)refused);
	else if (done && frame_in_syscall(frame) && seccomp_enter(frame))
		frame_set_return_value(frame, (u64)dispatch(frame));
	if (strace_enabled)
		strace_leave(frame, (long)frame_return_value(frame));
	trace_syscall_exit(frame);
}

void trap_syscall(struct trap_frame *frame)
{
	if (likely(!(thread_work(current_base()) & WORK_TRACE)))
		frame_set_return_value(frame, (u64)dispatch(frame));
	else
		watched_syscall(frame);
	if (unlikely(current_thread()->derivation_uses))
		syscall_leave_derivations(frame);
}
