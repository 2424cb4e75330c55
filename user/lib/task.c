/* SPDX-License-Identifier: MIT */
/* Wrappers of the calls on tasks made by hand. */
#include <cairn/number.h>
#include <cairn/task.h>
#include <sys/syscall.h>
#include <unistd.h>

int cairn_task_set(int task, unsigned what, __u64 value)
{
	return (int)syscall(CAIRN_NR_task_set, task, what, value);
}

int cairn_task_control(int task, unsigned operation)
{
	return (int)syscall(CAIRN_NR_task_control, task, operation);
}

int cairn_task_registers_get(int task, void *registers, size_t size)
{
	return (int)syscall(CAIRN_NR_task_registers_get, task, registers, size);
}

int cairn_task_registers_set(int task, const void *registers, size_t size)
{
	return (int)syscall(CAIRN_NR_task_registers_set, task, registers, size);
}

int cairn_task_inspect(int task, struct cairn_task_info *info, size_t size)
{
	return (int)syscall(CAIRN_NR_task_inspect, task, info, size);
}
