/* SPDX-License-Identifier: GPL-2.0-or-later */
/* eventfd(2), signalfd(2), timerfd_create(2) and their relatives. */
#include <ipc/event.h>
#include <lib/errno.h>
#include <linux/descriptor.h>
#include <mm/ucopy.h>

#include <linux/fcntl.h>
#include <linux/signalfd.h>
#include <linux/timerfd.h>
#include <syscall_prototypes.h>

/* EFD_SEMAPHORE of eventfd(2): the uapi headers of 6.1 do not have it. */
#define EVENTFD_SEMAPHORE 1u

long sys_eventfd2(unsigned initial, unsigned flags)
{
	struct file *file;
	int error;

	if (flags & ~(EVENTFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	error = eventfd_create(initial, flags & EVENTFD_SEMAPHORE, flags, &file);
	return error ? error : descriptor_install(file, flags & O_CLOEXEC);
}

long sys_eventfd(unsigned initial)
{
	return sys_eventfd2(initial, 0);
}

long sys_signalfd4(int fd, const u64 __user *mask, size_t size, unsigned flags)
{
	signal_mask wanted;
	struct file *file;
	int error;

	if ((flags & ~(SFD_CLOEXEC | SFD_NONBLOCK)) || size != sizeof(wanted))
		return -EINVAL;
	if (get_user(wanted, mask))
		return -EFAULT;
	if (fd == -1) {
		error = signalfd_create(wanted, flags, &file);
		return error ? error : descriptor_install(file, flags & SFD_CLOEXEC);
	}
	error = file_from_handle(current_pool(), fd, 0, &file);
	if (error)
		return error;
	error = signalfd_set_mask(file, wanted);
	file_put(file);
	return error ? error : fd;
}

long sys_signalfd(int fd, const u64 __user *mask, size_t size)
{
	return sys_signalfd4(fd, mask, size, 0);
}

long sys_timerfd_create(int clock, unsigned flags)
{
	struct file *file;
	int error;

	if (flags & ~(TFD_CLOEXEC | TFD_NONBLOCK))
		return -EINVAL;
	error = timerfd_create(clock, flags, &file);
	return error ? error : descriptor_install(file, flags & TFD_CLOEXEC);
}

static struct __kernel_itimerspec encode(const struct timerfd_setting *setting)
{
	return (struct __kernel_itimerspec){ .it_interval = timespec_of_ns(setting->interval_ns),
					     .it_value = timespec_of_ns(setting->value_ns) };
}

long sys_timerfd_settime(int fd, unsigned flags, const struct __kernel_itimerspec __user *new,
			 struct __kernel_itimerspec __user *old)
{
	struct timerfd_setting wanted, former;
	struct __kernel_itimerspec spec;
	struct file *file;
	int error;

	if (get_user(spec, new))
		return -EFAULT;
	if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) ||
	    timespec_to_ns(&spec.it_interval, &wanted.interval_ns) ||
	    timespec_to_ns(&spec.it_value, &wanted.value_ns))
		return -EINVAL;
	error = file_from_handle(current_pool(), fd, 0, &file);
	if (error)
		return error;
	error = timerfd_set(file, flags, &wanted, &former);
	file_put(file);
	if (error)
		return error;
	return old ? put_user(encode(&former), old) : 0;
}

long sys_timerfd_gettime(int fd, struct __kernel_itimerspec __user *out)
{
	struct timerfd_setting setting;
	struct file *file;
	int error = file_from_handle(current_pool(), fd, 0, &file);

	if (error)
		return error;
	error = timerfd_get(file, &setting);
	file_put(file);
	return error ? error : put_user(encode(&setting), out);
}
