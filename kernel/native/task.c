/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Native calls on tasks made by hand: abi/native/cairn/task.h. */
#include <arch/frame.h>
#include <arch/ptrace.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <native/native.h>
#include <obj/space.h>
#include <proc/rest.h>

#include <cairn/task.h>
#include <linux/capability.h>
#include <linux/elf.h>
#include <syscall_prototypes.h>

_Static_assert(sizeof(struct cairn_task_info) == 48);

static int task_get(int fd, u32 rights, struct task **out)
{
	struct object *object;
	int error = handle_get(current_pool(), fd, &task_type, rights, &object);

	if (!error)
		*out = container_of(object, struct task, object);
	return error;
}

/* --- parts --- */

static int set_pool(struct task *task, u64 value)
{
	struct object *pool;
	int error = value > INT32_MAX ? -EBADF
				      : handle_get(current_pool(), (int)value, &pool_type,
						   RIGHT_EXECUTE, &pool);

	if (error)
		return error;
	task_rest_set_pool(task, pool_of(pool));
	object_put(pool);
	return 0;
}

static int set_aspace(struct task *task, u64 value)
{
	struct object *space;
	int error = value > INT32_MAX ? -EBADF
				      : handle_get(current_pool(), (int)value, &space_type,
						   RIGHT_CONTROL, &space);

	if (error)
		return error;
	task_rest_set_aspace(task, space_of(space)->aspace);
	object_put(space);
	return 0;
}

static int set_nice(struct task *task, u64 value)
{
	struct sched_params params = task->thread.params;
	s64 nice = (s64)value;

	if (nice < -20 || nice > 19)
		return -EINVAL;
	if (nice < params.nice && nice < 0 && !capable(CAP_SYS_NICE))
		return -EPERM;
	params.nice = (s8)nice;
	return thread_set_params(&task->thread, &params);
}

static int set_register(struct task *task, unsigned what, u64 value)
{
	struct trap_frame *frame = thread_user_frame(task->thread.base.kstack_top);

	switch (what) {
	case CAIRN_TASK_ENTRY:
	case CAIRN_TASK_STACK:
	case CAIRN_TASK_TLS:
		if (value >= USER_MAX)
			return -EINVAL;
		if (what == CAIRN_TASK_ENTRY)
			frame_set_pc(frame, value);
		else if (what == CAIRN_TASK_STACK)
			frame_set_sp(frame, value);
		else
			arch_thread_set_tls(&task->thread.base.arch, value);
		return 0;
	case CAIRN_TASK_ARGUMENT0 ... CAIRN_TASK_ARGUMENT3:
		frame_set_call_argument(frame, what - CAIRN_TASK_ARGUMENT0, value);
		return 0;
	default:
		return -EINVAL;
	}
}

static int set_cpu_quota(struct task *task, u64 value)
{
	u64 time, period;
	int error = native_cpu_time(value, &time, &period);

	if (!error)
		task_rest_set_quota(task, time, period);
	return error;
}

/* At rest, and never started. */
static int set_part(struct task *task, unsigned what, u64 value)
{
	int error = task_rest_begin(task);

	if (error)
		return error;
	if (task->rest.started)
		error = -EBUSY;
	else if (what == CAIRN_TASK_POOL)
		error = set_pool(task, value);
	else if (what == CAIRN_TASK_ASPACE)
		error = set_aspace(task, value);
	else
		error = set_register(task, what, value);
	task_rest_end(task);
	return error;
}

long sys_task_set(int fd, unsigned what, u64 value)
{
	struct task *task;
	int error = task_get(fd, RIGHT_CONTROL, &task);

	if (error)
		return error;
	if (what == CAIRN_TASK_NICE)
		error = set_nice(task, value);
	else if (what == CAIRN_TASK_CPU_QUOTA)
		error = task->rest.by_hand ? set_cpu_quota(task, value) : -EINVAL;
	else
		error = set_part(task, what, value);
	task_put(task);
	return error;
}

/* --- control --- */

static int leave(struct task *task, unsigned operation)
{
	int error = task_rest_begin(task);

	if (error)
		return error;
	if (task->rest.started == (operation == CAIRN_TASK_START))
		error = -EBUSY;
	else
		task_rest_leave(task, operation == CAIRN_TASK_STEP);
	task_rest_end(task);
	return error;
}

static int control(struct task *task, unsigned operation)
{
	switch (operation) {
	case CAIRN_TASK_START:
	case CAIRN_TASK_RESUME:
	case CAIRN_TASK_STEP:
		return leave(task, operation);
	case CAIRN_TASK_SUSPEND:
		return task == current_task() ? -EINVAL : task_suspend(task);
	case CAIRN_TASK_KILL:
		task_end(task);
		return 0;
	default:
		return -EINVAL;
	}
}

long sys_task_control(int fd, unsigned operation)
{
	struct task *task;
	int error = task_get(fd, RIGHT_CONTROL, &task);

	if (error)
		return error;
	error = control(task, operation);
	task_put(task);
	return error == -ERESTARTSYS ? -EINTR : error;
}

/* --- registers and state --- */

static long access_registers(struct task *task, void *registers, bool write)
{
	int error = task_rest_begin(task);

	if (error)
		return error;
	error = write ? arch_regset_set(&task->thread.base, NT_PRSTATUS, registers)
		      : arch_regset_get(&task->thread.base, NT_PRSTATUS, registers);
	task_rest_end(task);
	return error;
}

static long registers(int fd, u32 rights, void __user *user, size_t size, bool write)
{
	size_t bytes = arch_regset_size(NT_PRSTATUS);
	struct task *task;
	void *buffer;
	long result;

	if (size < bytes)
		return -EINVAL;
	result = task_get(fd, rights, &task);
	if (result)
		return result;
	buffer = kzalloc(bytes, 0);
	result = buffer ? 0 : -ENOMEM;
	if (!result && write && copy_from_user(buffer, user, bytes))
		result = -EFAULT;
	if (!result)
		result = access_registers(task, buffer, write);
	if (!result && !write && copy_to_user(user, buffer, bytes))
		result = -EFAULT;
	kfree(buffer);
	task_put(task);
	return result ? result : (long)bytes;
}

long sys_task_registers_get(int fd, void __user *user, size_t size)
{
	return registers(fd, RIGHT_INSPECT, user, size, false);
}

long sys_task_registers_set(int fd, const void __user *user, size_t size)
{
	return registers(fd, RIGHT_CONTROL, (void __user *)user, size, true);
}

static u32 state_of(const struct task *task)
{
	if (task_has_ended(task))
		return CAIRN_TASK_STATE_ENDED;
	if (!READ_ONCE(task->rest.started))
		return CAIRN_TASK_STATE_NEW;
	return READ_ONCE(task->rest.at_rest) ? CAIRN_TASK_STATE_AT_REST : CAIRN_TASK_STATE_RUNNING;
}

static void describe(struct task *task, struct cairn_task_info *info)
{
	u64 user_ns, system_ns;

	thread_times(&task->thread, &user_ns, &system_ns);
	*info = (struct cairn_task_info){
		.state = state_of(task),
		.pid = task->process->pid,
		.nice = task->thread.params.nice,
		.user_ns = user_ns,
		.system_ns = system_ns,
	};
	if (info->state == CAIRN_TASK_STATE_ENDED) {
		info->status = task->process->exit_code;
	} else if (!task_rest_begin(task)) {
		const struct trap_frame *frame = thread_user_frame(task->thread.base.kstack_top);

		info->instruction = frame_pc(frame);
		info->stack = frame_sp(frame);
		task_rest_end(task);
	}
}

long sys_task_inspect(int fd, struct cairn_task_info __user *out, size_t size)
{
	struct cairn_task_info info;
	struct task *task;
	int error = size < sizeof(info) ? -EINVAL : task_get(fd, RIGHT_INSPECT, &task);

	if (error)
		return error;
	describe(task, &info);
	task_put(task);
	return copy_to_user(out, &info, sizeof(info)) ? -EFAULT : 0;
}
