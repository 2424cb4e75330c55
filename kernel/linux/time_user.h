/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times as programs write them. */
#pragma once

#include <lib/types.h>

#include <linux/time_types.h>

/* A struct timespec in nanoseconds, capped at INT64_MAX. -EFAULT; -EINVAL if negative or not normalised. */
[[nodiscard]] int timespec_from_user(const struct __kernel_timespec __user *from, u64 *ns);
[[nodiscard]] int timespec_to_user(struct __kernel_timespec __user *to, u64 ns);

/* A time-out, null meaning none, as a deadline of clock_monotonic_ns(). */
[[nodiscard]] int deadline_from_user(const struct __kernel_timespec __user *timeout, u64 *deadline_ns);

/* A sum that stays at the end of time. */
static inline u64 time_add(u64 a, u64 b)
{
	u64 sum;

	return __builtin_add_overflow(a, b, &sum) || sum > INT64_MAX ? (u64)INT64_MAX : sum;
}
