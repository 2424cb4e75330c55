/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clocks of clock_gettime(2). */
#include <core/clock_adjust.h>
#include <lib/errno.h>
#include <proc/proc_priv.h>
#include <proc/timers.h>

#include <linux/time.h>

/* Clock numbers of another process or thread (clock_getcpuclockid(3)): ~pid << 3, a thread bit, what to count. */
#define CPU_CLOCK_THREAD 4
#define CPU_CLOCK_KIND 3 /* 0 and 2: all, 1: user mode, 3: no CPU clock */

static int pick(int kind, u64 user, u64 system, u64 *ns)
{
	*ns = kind == 1 ? user : user + system;
	return 0;
}

static int thread_clock(int tid, int kind, u64 *ns)
{
	struct task *task = current_task();
	u64 user, system;
	int err = 0;

	if (!tid) {
		thread_times(&task->thread, &user, &system);
		return pick(kind, user, system, ns);
	}
	err = task_find(tid, &task);
	if (err)
		return -EINVAL;
	if (task->process != current_process())
		err = -EINVAL;
	else
		thread_times(&task->thread, &user, &system);
	task_put(task);
	return err ? err : pick(kind, user, system, ns);
}

static int process_clock(int pid, int kind, u64 *ns)
{
	struct process *process = current_process();
	u64 user, system;

	if (pid && process_find(pid, &process))
		return -EINVAL;
	process_times(process, &user, &system);
	if (pid)
		process_put(process);
	return pick(kind, user, system, ns);
}

int clock_read(int clock, u64 *ns)
{
	if (clock < 0) {
		int pid = ~(clock >> 3), kind = clock & CPU_CLOCK_KIND;

		if (kind == 3 || pid < 0)
			return -EINVAL;
		return clock & CPU_CLOCK_THREAD ? thread_clock(pid, kind, ns)
						: process_clock(pid, kind, ns);
	}
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
		*ns = clock_realtime_ns();
		return 0;
	case CLOCK_TAI:
		*ns = clock_realtime_ns() + (u64)clock_tai_offset() * NSEC_PER_SEC;
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		*ns = clock_monotonic_ns();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		return process_clock(0, 2, ns);
	case CLOCK_THREAD_CPUTIME_ID:
		return thread_clock(0, 2, ns);
	default:
		return -EINVAL;
	}
}

int clock_offset_to_monotonic(int clock, s64 *offset)
{
	switch (clock) {
	case CLOCK_REALTIME:
		*offset = -clock_realtime_offset_ns();
		return 0;
	case CLOCK_TAI:
		*offset = -clock_realtime_offset_ns() - (s64)clock_tai_offset() * (s64)NSEC_PER_SEC;
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
		*offset = 0;
		return 0;
	default:
		return -EINVAL;
	}
}
