/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clocks and timers of processes: clock_gettime(2), setitimer(2), timer_create(2), RLIMIT_CPU. Times in nanoseconds. */
#pragma once

#include <lib/types.h>

#include <linux/signal.h>

struct process;

/* Any clock that clock_gettime(2) knows, those of other processes' CPU time included. -EINVAL. */
[[nodiscard]] int clock_read(int clock, u64 *ns);
/* What a deadline on this clock must be raised by to be one of clock_monotonic_ns(). -EINVAL: a CPU time clock, or none. */
[[nodiscard]] int clock_offset_to_monotonic(int clock, s64 *offset);

struct timer_setting {
	u64 value;    /* until the next expiration; 0: disarmed */
	u64 interval; /* of the following ones; 0: once */
};

/* ITIMER_REAL, _VIRTUAL, _PROF. `new` null: only reads. -EINVAL, -ENOMEM. */
[[nodiscard]] int itimer_exchange(int which, const struct timer_setting *new,
				  struct timer_setting *old);

/* POSIX timers of the current process; event null: SIGALRM with the timer's number. -EINVAL (no such timer or clock), -EAGAIN, -ENOMEM. May sleep. */
[[nodiscard]] int posix_timer_create(int clock, const struct sigevent *event, int *id);
[[nodiscard]] int posix_timer_exchange(int id, bool absolute, const struct timer_setting *new,
				       struct timer_setting *old);
[[nodiscard]] int posix_timer_overrun(int id);
[[nodiscard]] int posix_timer_delete(int id);

/* What /proc/<pid>/timers shows. */
struct posix_timer_summary {
	int id, clock, notify, signal, target; /* target: pid, or tid of SIGEV_THREAD_ID */
	unsigned long value;
};
/* The timer of a process with the lowest id >= `id`; false: there is none. */
bool posix_timer_next(struct process *process, int id, struct posix_timer_summary *out);

/* RLIMIT_CPU of the process was set to something finite, or inherited. */
void process_timers_watch_cpu(struct process *process);
