/* SPDX-License-Identifier: GPL-2.0-or-later */
/* epoll_create(2), epoll_ctl(2), epoll_wait(2). */
#include <lib/errno.h>
#include <linux/descriptor.h>
#include <mm/ucopy.h>
#include <vfs/epoll.h>

#include <linux/fcntl.h>
#include <syscall_prototypes.h>

long sys_epoll_create1(unsigned flags)
{
	struct file *file;
	int error;

	if (flags & ~EPOLL_CLOEXEC)
		return -EINVAL;
	error = epoll_create(&file);
	return error ? error : descriptor_install(file, flags & EPOLL_CLOEXEC);
}

long sys_epoll_create(int size)
{
	return size > 0 ? sys_epoll_create1(0) : -EINVAL;
}

long sys_epoll_ctl(int epfd, int operation, int fd, const struct epoll_event __user *event)
{
	struct epoll_event wanted = {};
	struct object *object;
	struct file *epoll;
	long result;

	if (operation != EPOLL_CTL_DEL && copy_from_user(&wanted, event, sizeof(wanted)))
		return -EFAULT;
	result = file_from_handle(current_pool(), epfd, 0, &epoll);
	if (result)
		return result;
	result = handle_get(current_pool(), fd, nullptr, RIGHT_WAIT, &object);
	if (result) {
		file_put(epoll);
		return result == -EKEYREVOKED ? result : -EBADF;
	}
	result = epoll_control(epoll, operation, object, fd, &wanted);
	object_put(object);
	file_put(epoll);
	return result;
}

static long do_wait(int epfd, struct epoll_event __user *events, int count, u64 span_ns)
{
	struct file_borrow epoll;
	long result;

	if (count <= 0 || count > INT32_MAX / (int)sizeof(*events))
		return -EINVAL;
	if (!user_range_ok(events, (size_t)count * sizeof(*events)))
		return -EFAULT;
	result = file_borrow(current_pool(), epfd, 0, &epoll);
	if (result)
		return result;
	result = epoll_wait(epoll.file, events, count, deadline_after(span_ns));
	file_release(&epoll);
	return result == -ERESTARTSYS ? -EINTR : result;
}

static u64 milliseconds(int timeout)
{
	return timeout < 0 ? NO_DEADLINE : (u64)timeout * NSEC_PER_MSEC;
}

long sys_epoll_wait(int epfd, struct epoll_event __user *events, int count, int timeout)
{
	return do_wait(epfd, events, count, milliseconds(timeout));
}

long sys_epoll_pwait(int epfd, struct epoll_event __user *events, int count, int timeout,
		     const u64 __user *mask, size_t size)
{
	int error = waiting_mask_begin(mask, size);

	if (error)
		return error;
	return waiting_mask_end(mask, do_wait(epfd, events, count, milliseconds(timeout)));
}

long sys_epoll_pwait2(int epfd, struct epoll_event __user *events, int count,
		      const struct __kernel_timespec __user *timeout, const u64 __user *mask,
		      size_t size)
{
	u64 span;
	int error = timeout_from_user(timeout, &span);

	if (!error)
		error = waiting_mask_begin(mask, size);
	if (error)
		return error;
	return waiting_mask_end(mask, do_wait(epfd, events, count, span));
}
