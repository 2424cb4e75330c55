/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clocks and sleeping: clock_gettime(2) and its relatives, nanosleep(2). */
#include <core/clock_adjust.h>
#include <core/time.h>
#include <core/wait.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <linux/time_priv.h>
#include <mm/ucopy.h>
#include <proc/task.h>
#include <proc/timers.h>

#include <linux/capability.h>
#include <linux/time.h>
#include <linux/time_types.h>
#include <linux/timex.h>
#include <syscall_prototypes.h>

int timespec_from_user(const struct __kernel_timespec __user *user, u64 *ns)
{
	struct __kernel_timespec ts;

	if (copy_from_user(&ts, user, sizeof(ts)))
		return -EFAULT;
	return timespec_to_ns(&ts, ns);
}

int timespec_to_ns(const struct __kernel_timespec *ts, u64 *ns)
{
	if (ts->tv_sec < 0 || ts->tv_nsec < 0 || ts->tv_nsec >= (long long)NSEC_PER_SEC)
		return -EINVAL;
	if (mul_overflows((u64)ts->tv_sec, NSEC_PER_SEC, ns) ||
	    add_overflows(*ns, (u64)ts->tv_nsec, ns) || *ns > INT64_MAX)
		*ns = INT64_MAX;
	return 0;
}

int timespec_to_user(struct __kernel_timespec __user *user, u64 ns)
{
	struct __kernel_timespec ts = {
		.tv_sec = (long long)(ns / NSEC_PER_SEC),
		.tv_nsec = (long long)(ns % NSEC_PER_SEC),
	};

	return copy_to_user(user, &ts, sizeof(ts));
}

long sys_clock_gettime(int clock, struct __kernel_timespec __user *out)
{
	u64 ns;
	int err = clock_read(clock, &ns);

	return err ? err : timespec_to_user(out, ns);
}

long sys_clock_getres(int clock, struct __kernel_timespec __user *out)
{
	u64 ns;
	int err = clock_read(clock, &ns);
	bool coarse = clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE;

	if (err || !out)
		return err;
	/* The coarse clocks promise no more than a tick of 250 Hz, as Debian's kernel has. */
	return timespec_to_user(out, coarse ? 4 * NSEC_PER_MSEC : 1);
}

static int set_realtime(u64 ns)
{
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	clock_set_realtime_ns(ns);
	return 0;
}

long sys_clock_settime(int clock, const struct __kernel_timespec __user *time)
{
	u64 ns;
	int err;

	if (clock != CLOCK_REALTIME) {
		err = clock_read(clock, &ns);
		return err || clock < 0			   ? -EINVAL
		       : clock == CLOCK_PROCESS_CPUTIME_ID ? -EPERM
							   : -EINVAL;
	}
	err = timespec_from_user(time, &ns);
	/* Linux refuses to make the monotonic clock begin before 1970. */
	if (!err && ns < clock_monotonic_ns())
		err = -EINVAL;
	return err ? err : set_realtime(ns);
}

/* What settimeofday(2) said of the zone, for gettimeofday(2). */
#define ZONE_MINUTES_MAX (15 * 60)
static u64 system_zone; /* a struct timezone; atomic */
static_assert(sizeof(struct timezone) == sizeof(system_zone));

long sys_gettimeofday(struct __kernel_old_timeval __user *time, struct timezone __user *zone)
{
	if (time) {
		u64 ns = clock_realtime_ns();
		struct __kernel_old_timeval tv = {
			.tv_sec = (long)(ns / NSEC_PER_SEC),
			.tv_usec = (long)(ns % NSEC_PER_SEC / NSEC_PER_USEC),
		};

		if (copy_to_user(time, &tv, sizeof(tv)))
			return -EFAULT;
	}
	if (zone) {
		u64 tz = __atomic_load_n(&system_zone, __ATOMIC_RELAXED);

		if (copy_to_user(zone, &tz, sizeof(tz)))
			return -EFAULT;
	}
	return 0;
}

/*
 * Sets what gettimeofday tells; the kernel itself knows UTC only. The first call that sets nothing else says how a hardware clock runs that
 * shows local time, and moves the clock (settimeofday(2)).
 */
static int set_zone(const struct timezone *tz, bool alone)
{
	static bool set_before;
	u64 value;

	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	if (tz->tz_minuteswest < -ZONE_MINUTES_MAX || tz->tz_minuteswest > ZONE_MINUTES_MAX)
		return -EINVAL;
	memcpy(&value, tz, sizeof(value));
	__atomic_store_n(&system_zone, value, __ATOMIC_RELAXED);
	if (__atomic_exchange_n(&set_before, true, __ATOMIC_RELAXED) || !alone ||
	    !tz->tz_minuteswest)
		return 0;
	return set_realtime(clock_realtime_ns() +
			    (u64)((s64)tz->tz_minuteswest * 60 * (s64)NSEC_PER_SEC));
}

long sys_settimeofday(const struct __kernel_old_timeval __user *time,
		      const struct timezone __user *zone)
{
	struct __kernel_old_timeval tv;
	struct timezone tz;

	if (zone && copy_from_user(&tz, zone, sizeof(tz)))
		return -EFAULT;
	if (time && copy_from_user(&tv, time, sizeof(tv)))
		return -EFAULT;
	if (time && (tv.tv_usec < 0 || tv.tv_usec >= 1000000))
		return -EINVAL;
	int err = zone ? set_zone(&tz, !time) : 0;

	if (err || !time)
		return err;
	struct __kernel_timespec ts = { tv.tv_sec, tv.tv_usec * (long)NSEC_PER_USEC };
	u64 ns;

	err = timespec_to_ns(&ts, &ns);
	return err ? err : set_realtime(ns);
}

long sys_time(long __user *out)
{
	long seconds = (long)(clock_realtime_ns() / NSEC_PER_SEC);

	return out && put_user(seconds, out) ? -EFAULT : seconds;
}

/* Sleeping */

/* Sleeps until `deadline` of `clock`; an absolute real-time sleep follows changes of the clock. */
static int sleep_until(int clock, u64 deadline, bool realtime)
{
	static struct wait_queue nobody = WAIT_QUEUE_INIT(nobody);
	struct wait_queue *queue = realtime ? &clock_was_set : &nobody;

	for (;;) {
		u32 count = READ_ONCE(clock_set_count);
		u64 offset = realtime ? (u64)clock_realtime_offset_ns() : 0;
		u64 monotonic = deadline > offset ? deadline - offset : 0;
		int err = wait_event_until(queue, realtime && READ_ONCE(clock_set_count) != count,
					   SLEEP_INTERRUPTIBLE, monotonic);

		if (err == -ETIMEDOUT)
			return 0;
		if (err)
			return err;
	}
}

/* Stores what is left of a relative sleep. */
static long report_remaining(struct __kernel_timespec __user *remaining, u64 deadline)
{
	u64 now = clock_monotonic_ns();

	if (remaining && timespec_to_user(remaining, deadline > now ? deadline - now : 0))
		return -EFAULT;
	return -ERESTART_RESTARTBLOCK;
}

static long restart_sleep(struct task *task)
{
	u64 deadline = task->restart_data[0];

	if (!sleep_until(CLOCK_MONOTONIC, deadline, false))
		return 0;
	task->restart = restart_sleep;
	return report_remaining(
		__force_user(struct __kernel_timespec __user *, task->restart_data[1]), deadline);
}

static long sleep_relative(u64 ns, struct __kernel_timespec __user *remaining)
{
	struct task *task = current_task();
	u64 deadline = clock_monotonic_ns();

	if (add_overflows(deadline, ns, &deadline))
		deadline = INT64_MAX;
	if (!sleep_until(CLOCK_MONOTONIC, deadline, false))
		return 0;
	task->restart = restart_sleep;
	task->restart_data[0] = deadline;
	task->restart_data[1] = (uintptr_t)remaining;
	return report_remaining(remaining, deadline);
}

long sys_nanosleep(const struct __kernel_timespec __user *request,
		   struct __kernel_timespec __user *remaining)
{
	u64 ns;
	int err = timespec_from_user(request, &ns);

	return err ? err : sleep_relative(ns, remaining);
}

/* CPU-time clocks stand still while everybody sleeps, so they are looked at from time to time. */
static long sleep_cpu_clock(int clock, u64 ns, bool absolute)
{
	u64 now;
	int err = clock_read(clock, &now);
	u64 target = absolute ? ns : now + ns;

	while (!err && now < target) {
		err = sleep_until(CLOCK_MONOTONIC,
				  clock_monotonic_ns() + MAX(target - now, NSEC_PER_MSEC), false);
		if (err)
			return absolute ? -ERESTARTNOHAND : -EINTR;
		err = clock_read(clock, &now);
	}
	return err;
}

long sys_clock_nanosleep(int clock, unsigned flags, const struct __kernel_timespec __user *request,
			 struct __kernel_timespec __user *remaining)
{
	u64 ns, now;
	int err = clock_read(clock, &now);
	bool absolute = flags & TIMER_ABSTIME;

	if (err || clock == CLOCK_THREAD_CPUTIME_ID)
		return -EINVAL;
	if (clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_REALTIME_COARSE ||
	    clock == CLOCK_MONOTONIC_COARSE)
		return -EOPNOTSUPP;
	err = timespec_from_user(request, &ns);
	if (err)
		return err;
	if (clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID)
		return sleep_cpu_clock(clock, ns, absolute);
	if (!absolute)
		return sleep_relative(ns, remaining);
	bool realtime =
		clock == CLOCK_REALTIME || clock == CLOCK_TAI || clock == CLOCK_REALTIME_ALARM;

	err = sleep_until(clock, ns, realtime);
	return err ? -ERESTARTNOHAND : 0;
}

static long adjust_clock(struct __kernel_timex __user *user)
{
	struct __kernel_timex tx;

	if (copy_from_user(&tx, user, sizeof(tx)))
		return -EFAULT;
	if (tx.modes && tx.modes != ADJ_OFFSET_SS_READ && !capable(CAP_SYS_TIME))
		return -EPERM;
	long result = clock_adjust(&tx);

	return result >= 0 && copy_to_user(user, &tx, sizeof(tx)) ? -EFAULT : result;
}

long sys_adjtimex(struct __kernel_timex __user *timex)
{
	return adjust_clock(timex);
}

long sys_clock_adjtime(int clock, struct __kernel_timex __user *timex)
{
	u64 ns;
	int err = clock_read(clock, &ns);

	if (err)
		return err;
	return clock == CLOCK_REALTIME ? adjust_clock(timex) : -EOPNOTSUPP;
}
