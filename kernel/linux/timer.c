/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls: interval timers and POSIX timers. */
#include <core/time.h>
#include <lib/errno.h>
#include <linux/time_priv.h>
#include <mm/ucopy.h>
#include <proc/timers.h>
#include <syscall_prototypes.h>

#include <linux/time.h>

static int timeval_to_ns(const struct __kernel_old_timeval *tv, u64 *ns)
{
	struct __kernel_timespec ts = { tv->tv_sec, tv->tv_usec * (long)NSEC_PER_USEC };

	if (tv->tv_usec < 0 || tv->tv_usec >= 1000000)
		return -EINVAL;
	return timespec_to_ns(&ts, ns);
}

/* Rounded up: a timer that is still to fire never reads as 0. */
static struct __kernel_old_timeval timeval_of(u64 ns)
{
	u64 us = (ns + NSEC_PER_USEC - 1) / NSEC_PER_USEC;

	return (struct __kernel_old_timeval){ (long)(us / 1000000), (long)(us % 1000000) };
}

static int itimer_to_user(struct __kernel_old_itimerval __user *to,
			  const struct timer_setting *from)
{
	struct __kernel_old_itimerval value = {
		.it_interval = timeval_of(from->interval),
		.it_value = timeval_of(from->value),
	};

	return copy_to_user(to, &value, sizeof(value));
}

long sys_getitimer(int which, struct __kernel_old_itimerval __user *out)
{
	struct timer_setting setting;
	int err = itimer_exchange(which, nullptr, &setting);

	return err ? err : itimer_to_user(out, &setting);
}

long sys_setitimer(int which, const struct __kernel_old_itimerval __user *new,
		   struct __kernel_old_itimerval __user *old)
{
	struct __kernel_old_itimerval value = {};
	struct timer_setting setting, previous;
	int err;

	/* A null pointer disarms, as on Linux. */
	if (new && copy_from_user(&value, new, sizeof(value)))
		return -EFAULT;
	err = timeval_to_ns(&value.it_value, &setting.value);
	if (!err)
		err = timeval_to_ns(&value.it_interval, &setting.interval);
	if (!err)
		err = itimer_exchange(which, &setting, &previous);
	if (err)
		return err;
	return old ? itimer_to_user(old, &previous) : 0;
}

long sys_alarm(unsigned seconds)
{
	struct timer_setting setting = { .value = seconds * NSEC_PER_SEC }, previous;
	int err = itimer_exchange(ITIMER_REAL, &setting, &previous);
	u64 left = previous.value / NSEC_PER_SEC;

	if (err)
		return 0;
	/* Rounded to the nearest second, but never to 0 when one is pending. */
	if ((!left && previous.value) || previous.value % NSEC_PER_SEC >= NSEC_PER_SEC / 2)
		left++;
	return (long)left;
}

long sys_timer_create(int clock, const struct sigevent __user *uevent, int __user *uid)
{
	struct sigevent event;
	int id, err;

	if (uevent && copy_from_user(&event, uevent, sizeof(event)))
		return -EFAULT;
	err = posix_timer_create(clock, uevent ? &event : nullptr, &id);
	if (err)
		return err;
	if (put_user(id, uid)) {
		err = posix_timer_delete(id);
		return err ? err : -EFAULT;
	}
	return 0;
}

static struct __kernel_timespec timespec_of(u64 ns)
{
	return (struct __kernel_timespec){ (s64)(ns / NSEC_PER_SEC), (s64)(ns % NSEC_PER_SEC) };
}

static int itimerspec_to_user(struct __kernel_itimerspec __user *to,
			      const struct timer_setting *from)
{
	struct __kernel_itimerspec value = {
		.it_interval = timespec_of(from->interval),
		.it_value = timespec_of(from->value),
	};

	return copy_to_user(to, &value, sizeof(value));
}

long sys_timer_settime(int id, unsigned flags, const struct __kernel_itimerspec __user *new,
		       struct __kernel_itimerspec __user *old)
{
	struct timer_setting setting, previous;
	struct __kernel_itimerspec value;
	int err;

	if (!new)
		return -EINVAL;
	if (copy_from_user(&value, new, sizeof(value)))
		return -EFAULT;
	err = timespec_to_ns(&value.it_value, &setting.value);
	if (!err)
		err = timespec_to_ns(&value.it_interval, &setting.interval);
	if (!err)
		err = posix_timer_exchange(id, flags & TIMER_ABSTIME, &setting, &previous);
	if (err)
		return err;
	return old ? itimerspec_to_user(old, &previous) : 0;
}

long sys_timer_gettime(int id, struct __kernel_itimerspec __user *out)
{
	struct timer_setting setting;
	int err = posix_timer_exchange(id, false, nullptr, &setting);

	return err ? err : itimerspec_to_user(out, &setting);
}

long sys_timer_getoverrun(int id)
{
	return posix_timer_overrun(id);
}

long sys_timer_delete(int id)
{
	return posix_timer_delete(id);
}
