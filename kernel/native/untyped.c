/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Native calls on untyped memory: abi/native/cairn/untyped.h. */
#include <ipc/channel.h>
#include <ipc/event.h>
#include <ipc/memory.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <native/native.h>
#include <obj/file.h>
#include <obj/space.h>
#include <obj/untyped.h>
#include <proc/rest.h>
#include <proc/silo.h>

#include <cairn/untyped.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/time.h>
#include <syscall_prototypes.h>

_Static_assert(sizeof(struct cairn_untyped_info) == 40);

#define MEMORY_MAX (1ull << 47)

/* Of untypeds, memory, silos: whole pages. */
static bool size_is_valid(u64 size)
{
	return size && !(size & ~PAGE_MASK) && size <= MEMORY_MAX;
}

/* --- what can be made --- */

static u64 nothing_else(u64 argument)
{
	return 0;
}

static int make_pool(struct memory_budget *budget, u64 argument, struct object *objects[2])
{
	return argument ? -EINVAL : pool_create_object(budget, &objects[0]);
}

static void end_pool(struct object *object)
{
	pool_end(pool_of(object));
}

static u64 channel_size(u64 argument)
{
	return channel_bytes();
}

static int make_channel(struct memory_budget *budget, u64 argument, struct object *objects[2])
{
	if (!argument || argument > CHANNEL_QUEUE_MAX)
		return -EINVAL;
	return channel_create(budget, (unsigned)argument, &objects[0], &objects[1]);
}

static u64 event_size(u64 argument)
{
	return eventfd_bytes();
}

static int make_event(struct memory_budget *budget, u64 argument, struct object *objects[2])
{
	struct file *file;
	int error =
		argument > UINT32_MAX ? -EINVAL : eventfd_create((u32)argument, false, 0, &file);

	if (!error)
		objects[0] = &file->object;
	return error;
}

static u64 timer_size(u64 argument)
{
	return timerfd_bytes();
}

static int make_timer(struct memory_budget *budget, u64 argument, struct object *objects[2])
{
	struct file *file;
	int error = -EINVAL;

	if (argument == CLOCK_MONOTONIC || argument == CLOCK_REALTIME)
		error = timerfd_create((int)argument, 0, &file);
	if (!error)
		objects[0] = &file->object;
	return error;
}

static u64 memory_size(u64 argument)
{
	return memory_file_bytes();
}

static int make_memory(struct memory_budget *budget, u64 argument, struct object *objects[2])
{
	struct file *file;
	int error = -EINVAL;

	if (size_is_valid(argument))
		error = memory_file_create(budget, argument, &file);
	if (!error)
		objects[0] = &file->object;
	return error;
}

static void end_memory(struct object *object)
{
	memory_file_end(file_of(object));
}

static u64 space_size(u64 argument)
{
	return space_bytes();
}

static int make_space(struct memory_budget *budget, u64 argument, struct object *objects[2])
{
	struct space *space;
	int error = argument ? -EINVAL : space_create(budget, &space);

	if (!error)
		objects[0] = &space->object;
	return error;
}

static void end_space(struct object *object)
{
	space_end(space_of(object));
}

static int make_task(struct memory_budget *budget, u64 argument, struct object *objects[2])
{
	struct task *task;
	int error = argument ? -EINVAL : task_make(budget, &task);

	if (!error)
		objects[0] = &task->object;
	return error;
}

static void end_task(struct object *object)
{
	task_end(container_of(object, struct task, object));
}

static u64 silo_size(u64 argument)
{
	return silo_bytes();
}

static int make_silo(struct memory_budget *budget, u64 argument, struct object *objects[2])
{
	struct silo *silo;
	int error = size_is_valid(argument) ? silo_create(budget, true, argument, &silo) : -EINVAL;

	if (!error)
		objects[0] = &silo->object;
	return error;
}

static void end_silo(struct object *object)
{
	silo_end(silo_of(object));
}

static const struct untyped_kind kinds[] = {
	[CAIRN_TYPE_POOL] = { 1, nothing_else, make_pool, end_pool },
	[CAIRN_TYPE_CHANNEL] = { 2, channel_size, make_channel, channel_end },
	[CAIRN_TYPE_EVENT] = { 1, event_size, make_event, nullptr },
	[CAIRN_TYPE_TIMER] = { 1, timer_size, make_timer, nullptr },
	[CAIRN_TYPE_MEMORY] = { 1, memory_size, make_memory, end_memory },
	[CAIRN_TYPE_ASPACE] = { 1, space_size, make_space, end_space },
	[CAIRN_TYPE_TASK] = { 1, nothing_else, make_task, end_task },
	[CAIRN_TYPE_SILO] = { 1, silo_size, make_silo, end_silo },
};

static const struct untyped_kind *kind_of(unsigned type)
{
	if (type == CAIRN_TYPE_UNTYPED)
		return &untyped_kind_untyped;
	return type < ARRAY_SIZE(kinds) && kinds[type].objects ? &kinds[type] : nullptr;
}

/* --- the calls --- */

static int untyped_get(int fd, u32 rights, struct untyped **out)
{
	struct object *object;
	int error = handle_get(current_pool(), fd, &untyped_type, rights, &object);

	if (!error)
		*out = untyped_of(object);
	return error;
}

long sys_untyped_create(u64 size, unsigned flags)
{
	struct memory_budget *budget = current_process()->charge.budget;
	struct untyped *untyped;
	u32 slot_flags;
	int result;

	if (native_handle_flags(flags, &slot_flags) || !size_is_valid(size))
		return -EINVAL;
	if (!budget && !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	result = untyped_create(budget, size, &untyped);
	if (result)
		return result;
	result = handle_install(current_pool(), &untyped->object, untyped_type.default_rights,
				slot_flags, 0, handle_limit());
	object_put(&untyped->object);
	return result;
}

/* The rights of what was made: those of an open file follow from how it is open. */
static u32 rights_of(const struct object *object)
{
	return object->type == &file_type ? file_rights(file_of((struct object *)object)->flags)
					  : object->type->default_rights;
}

/* Numbers are taken first, and told when everything is there; nothing can fail after that but telling. */
static int install(struct object *const *objects, int n, int __user *user, u32 flags)
{
	struct handle handles[2] = {};
	int fds[2], reserved = 0, made = 0, error = 0;

	for (; reserved < n && !error; reserved++) {
		fds[reserved] = handle_reserve(current_pool(), 0, handle_limit());
		if (fds[reserved] < 0) {
			error = fds[reserved];
			break;
		}
	}
	for (; made < n && !error; made++) {
		error = handle_make_derived(objects[made], rights_of(objects[made]),
					    &handles[made]);
		if (error)
			break;
	}
	if (!error && copy_to_user(user, fds, (unsigned)n * sizeof(fds[0])))
		error = -EFAULT;
	for (int i = 0; i < made && !error; i++)
		handle_publish_moved(current_pool(), fds[i], &handles[i], flags);
	for (int i = 0; i < made && error; i++)
		handle_drop(&handles[i]);
	for (int i = 0; i < reserved && error; i++)
		handle_cancel(current_pool(), fds[i]);
	return error;
}

long sys_untyped_retype(int fd, unsigned type, u64 argument, int __user *user, unsigned flags)
{
	const struct untyped_kind *kind = kind_of(type);
	struct object *objects[2];
	struct untyped *untyped;
	u32 slot_flags;
	int error = native_handle_flags(flags, &slot_flags);

	if (error || !kind || (type == CAIRN_TYPE_UNTYPED && !size_is_valid(argument)))
		return -EINVAL;
	error = untyped_get(fd, RIGHT_WRITE, &untyped);
	if (error)
		return error;
	error = untyped_retype(untyped, kind, argument, objects);
	if (!error) {
		error = install(objects, kind->objects, user, slot_flags);
		for (int i = 0; i < kind->objects; i++) {
			if (error && kind->end) /* a task would wait for a handle */
				kind->end(objects[i]);
			object_put(objects[i]);
		}
	}
	object_put(&untyped->object);
	return error;
}

long sys_untyped_inspect(int fd, struct cairn_untyped_info __user *out, size_t size)
{
	struct cairn_untyped_info info;
	struct untyped *untyped;
	int error = size < sizeof(info) ? -EINVAL : untyped_get(fd, RIGHT_INSPECT, &untyped);

	if (error)
		return error;
	info = (struct cairn_untyped_info){
		.size = untyped->budget->limit,
		.used = READ_ONCE(untyped->budget->used),
		.peak = READ_ONCE(untyped->budget->peak),
		.refused = READ_ONCE(untyped->budget->refused),
		.objects = untyped_count(untyped),
	};
	object_put(&untyped->object);
	return copy_to_user(out, &info, sizeof(info)) ? -EFAULT : 0;
}

long sys_untyped_end(int fd)
{
	struct untyped *untyped;
	int error = untyped_get(fd, RIGHT_CONTROL, &untyped);

	if (error)
		return error;
	untyped_end(untyped);
	object_put(&untyped->object);
	return 0;
}
