/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that tell of events: counters (eventfd(2)), timers (timerfd_create(2)), signals
 * (signalfd(2)). Each call gives a file with a reference and no handle. File flags: O_NONBLOCK.
 */
#pragma once

#include <core/wait.h>
#include <obj/file.h>
#include <proc/signal.h>

/* -ENOMEM, -ENFILE. */
[[nodiscard]] int eventfd_create(u32 initial, bool semaphore, u32 flags, struct file **out);

/* True for such a file; adds 1 to its count, unless it is as large as can be. */
bool eventfd_is(const struct file *file);
void eventfd_signal(struct file *file);

/* What one takes out of the allocator. */
u64 eventfd_bytes(void);
u64 timerfd_bytes(void);

/* All times in nanoseconds of the timer's clock; interval 0: once; value 0: disarmed. */
struct timerfd_setting {
	u64 interval_ns, value_ns;
};

/* -EINVAL (clock), -EPERM (an alarm clock without CAP_WAKE_ALARM), -ENOMEM, -ENFILE. */
[[nodiscard]] int timerfd_create(int clock, u32 flags, struct file **out);

/*
 * flags: TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET. *old, unless null: what was set before, value
 * relative. -EINVAL (no timerfd), -ECANCELED (the clock was set since the last call and that was
 * asked for; the timer is set all the same).
 */
[[nodiscard]] int timerfd_set(struct file *file, u32 flags, const struct timerfd_setting *setting,
			      struct timerfd_setting *old);
[[nodiscard]] int timerfd_get(struct file *file, struct timerfd_setting *out);

/* SIGKILL and SIGSTOP are ignored in the mask. -ENOMEM, -ENFILE. */
[[nodiscard]] int signalfd_create(signal_mask mask, u32 flags, struct file **out);
/* -EINVAL: no signalfd. */
[[nodiscard]] int signalfd_set_mask(struct file *file, signal_mask mask);

/*
 * Where everybody waits for signals through a file: woken by proc after it queued a signal, whoever
 * it is for, since the queue of a process would not live as long as a file that was handed on.
 */
extern struct wait_queue signalfd_waiters;
