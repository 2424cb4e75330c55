/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What system calls do with descriptors, times and masks of the current task. */
#include <lib/errno.h>
#include <linux/descriptor.h>
#include <mm/ucopy.h>
#include <proc/signal.h>

#include <linux/resource.h>

long descriptor_install(struct file *file, bool cloexec)
{
	int fd = handle_install(current_pool(), &file->object, file_rights(file->flags),
				cloexec ? HANDLE_CLOEXEC : 0, 0,
				(unsigned)current_limit(RLIMIT_NOFILE));

	file_put(file);
	return fd;
}

int timeout_from_user(const struct __kernel_timespec __user *user, u64 *ns)
{
	*ns = NO_DEADLINE;
	return user ? timespec_from_user(user, ns) : 0;
}

u64 deadline_after(u64 ns)
{
	u64 deadline;

	if (ns == 0 || ns == NO_DEADLINE)
		return ns;
	return add_overflows(clock_monotonic_ns(), ns, &deadline) ? NO_DEADLINE : deadline;
}

u64 time_left(u64 deadline_ns)
{
	u64 now = clock_monotonic_ns();

	return deadline_ns > now ? deadline_ns - now : 0;
}

int waiting_mask_begin(const u64 __user *mask, size_t size)
{
	u64 value;

	if (!mask)
		return 0;
	if (size != sizeof(value))
		return -EINVAL;
	if (get_user(value, mask))
		return -EFAULT;
	signal_set_temporary_mask(value);
	return 0;
}

long waiting_mask_end(const u64 __user *mask, long result)
{
	if (mask)
		signal_restore_mask(result == -ERESTARTSYS || result == -ERESTARTNOHAND ||
				    result == -EINTR);
	return result;
}

int descriptor_reserve_pair(struct pool *pool, int __user *user, int fds[2])
{
	unsigned limit = (unsigned)current_limit(RLIMIT_NOFILE);

	fds[0] = handle_reserve(pool, 0, limit);
	if (fds[0] < 0)
		return fds[0];
	fds[1] = handle_reserve(pool, 0, limit);
	if (fds[1] < 0) {
		handle_cancel(pool, fds[0]);
		return fds[1];
	}
	if (copy_to_user(user, fds, 2 * sizeof(int))) {
		handle_cancel(pool, fds[0]);
		handle_cancel(pool, fds[1]);
		return -EFAULT;
	}
	return 0;
}
