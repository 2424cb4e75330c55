/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pipe(2). */
#include <ipc/pipe.h>
#include <lib/errno.h>
#include <linux/descriptor.h>
#include <mm/ucopy.h>

#include <linux/fcntl.h>
#include <linux/resource.h>
#include <syscall_prototypes.h>

static void publish(struct pool *pool, int fd, struct file *file, u32 flags)
{
	handle_publish(pool, fd, &file->object, file_rights(file->flags), flags);
}

long sys_pipe2(int __user *fds, unsigned flags)
{
	struct pool *pool = current_pool();
	u32 handle_flags = flags & O_CLOEXEC ? HANDLE_CLOEXEC : 0;
	struct file *files[2];
	int numbers[2], error;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	error = pipe_create(flags, files);
	if (error)
		return error;
	error = descriptor_reserve_pair(pool, fds, numbers);
	if (!error) {
		publish(pool, numbers[0], files[0], handle_flags);
		publish(pool, numbers[1], files[1], handle_flags);
	}
	file_put(files[0]);
	file_put(files[1]);
	return error;
}

long sys_pipe(int __user *fds)
{
	return sys_pipe2(fds, 0);
}
