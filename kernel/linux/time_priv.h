/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times as user space passes them, shared by the system calls that take them. */
#pragma once

#include <lib/types.h>

#include <linux/time_types.h>

/* Nanoseconds of a timespec, at most INT64_MAX. -EINVAL: negative or not normalised; -EFAULT. */
[[nodiscard]] int timespec_from_user(const struct __kernel_timespec __user *user, u64 *ns);
[[nodiscard]] int timespec_to_ns(const struct __kernel_timespec *ts, u64 *ns);
[[nodiscard]] int timespec_to_user(struct __kernel_timespec __user *user, u64 ns);
