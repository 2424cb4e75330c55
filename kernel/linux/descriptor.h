/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What system calls do with descriptors, times and masks of the current task, in one place. */
#pragma once

#include <core/time.h>
#include <linux/time_priv.h>
#include <obj/file.h>
#include <proc/task.h>

#include <linux/time_types.h>

static inline struct pool *current_pool(void)
{
	return current_task()->pool;
}

/* Installs a new file with the rights that its flags imply, consuming the reference. The
 * descriptor, -EMFILE, -ENOMEM. */
[[nodiscard]] long descriptor_install(struct file *file, bool cloexec);

/*
 * Reserves two descriptors and stores their numbers at `user` before anything is visible, as pipe(2) and socketpair(2) do:
 * fds[] are to be published. -EMFILE, -ENOMEM, -EFAULT: none is reserved. May sleep.
 */
[[nodiscard]] int descriptor_reserve_pair(struct pool *pool, int __user *user, int fds[2]);

/* A time-out, as timespec_from_user(). A null pointer gives NO_DEADLINE. -EFAULT, -EINVAL. */
[[nodiscard]] int timeout_from_user(const struct __kernel_timespec __user *user, u64 *ns);

static inline struct __kernel_timespec timespec_of_ns(u64 ns)
{
	return (struct __kernel_timespec){ .tv_sec = (s64)(ns / NSEC_PER_SEC),
					   .tv_nsec = (long)(ns % NSEC_PER_SEC) };
}

/*
 * A time-out as a deadline of clock_monotonic_ns(): NO_DEADLINE stays, 0 is "do not wait", which
 * the waiting functions know as deadline 0.
 */
u64 deadline_after(u64 ns);

/* What is left until a deadline, 0 if it has passed. */
u64 time_left(u64 deadline_ns);

/*
 * Installs the temporary signal mask of ppoll(2) and its like; null: none. -EINVAL (size), -EFAULT.
 * When it returned 0, waiting_mask_end() must follow with the call's result, which it returns.
 */
[[nodiscard]] int waiting_mask_begin(const u64 __user *mask, size_t size);
long waiting_mask_end(const u64 __user *mask, long result);

/*
 * Asks the object behind a descriptor for its EPOLL* bits, keeping nothing: what poll(2) and select(2) do before they wait.
 * -EBADF and the like as handle_borrow().
 */
[[nodiscard]] static inline int descriptor_ready(struct pool *pool, int fd, u32 *events)
{
	struct object *object;
	bool owned;
	int error = handle_borrow(pool, fd, nullptr, RIGHT_WAIT, &object, &owned);

	if (unlikely(error))
		return error;
	*events = object_ready(object);
	if (unlikely(owned))
		object_put(object);
	return 0;
}
