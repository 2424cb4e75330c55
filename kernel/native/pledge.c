/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Promises that a process makes: abi/native/cairn/confine.h. They are kept at the entry of system calls (linux/pledge.c). */
#include <lib/errno.h>
#include <proc/task.h>
#include <proc/trace.h>

#include <cairn/confine.h>
#include <syscall_prototypes.h>

long sys_pledge(unsigned promises, unsigned flags)
{
	struct task *task = current_task();
	u32 forsworn = (CAIRN_PROMISES_ALL & ~promises) | FORSWORN;

	if (promises & ~CAIRN_PROMISES_ALL || flags & ~CAIRN_PLEDGE_ON_EXEC)
		return -EINVAL;
	if (task->process->task_count != 1)
		return -EBUSY;
	if (flags & CAIRN_PLEDGE_ON_EXEC) {
		task->forsworn_on_exec |= forsworn;
	} else {
		task->forsworn |= forsworn;
		trace_update_work(task);
	}
	return 0;
}
