/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clocks and kernel timers. All times are nanoseconds in a u64. */
#pragma once

#include <arch/time.h>
#include <lib/rbtree.h>
#include <lib/types.h>

#define NSEC_PER_SEC 1000000000ull
#define NSEC_PER_MSEC 1000000ull
#define NSEC_PER_USEC 1000ull

/* arch_time_ns() at the moment that CLOCK_MONOTONIC calls 0. */
extern u64 clock_base_ns;

/* CLOCK_MONOTONIC: since boot, never goes back. Any context. */
static inline u64 clock_monotonic_ns(void)
{
	return arch_time_ns() - clock_base_ns;
}

/* CLOCK_REALTIME: since 1970; clock_set_realtime_ns moves it. clock_realtime_offset_ns() + monotonic = realtime. */
u64 clock_realtime_ns(void);
s64 clock_realtime_offset_ns(void);
void clock_set_realtime_ns(u64 now_ns);
/* The same by so little that nobody who waits needs to know. */
void clock_slew_realtime_ns(s64 gain);
/* Woken when CLOCK_REALTIME was set, for timers with TFD_TIMER_CANCEL_ON_SET and absolute sleeps. */
extern struct wait_queue clock_was_set;
extern u32 clock_set_count;

/* Boot: calibrates the clock, starts CLOCK_MONOTONIC at 0 and sets CLOCK_REALTIME from the hardware clock. */
void time_init(void);

/* Busy waits. For hardware, at boot. */
void delay_ns(u64 ns);

/*
 * A one-shot timer. `expire` runs in interrupt context with interrupts masked, not under any lock; it may
 * set the timer again. Embed it and use container_of.
 */
struct timer {
	struct rb_node node;
	u64 deadline_ns; /* of clock_monotonic_ns() */
	void (*expire)(struct timer *timer);
	u32 cpu;    /* whose tree it is in, or was in last; changes under that tree's lock */
	bool armed; /* under that lock too */
};

void timer_init(struct timer *timer, void (*expire)(struct timer *timer));

/* Arms the timer, or moves it if it is armed. A deadline in the past fires as soon as interrupts are on. Any context. */
void timer_set(struct timer *timer, u64 deadline_ns);

/* Disarms. Returns true if it was armed. `expire` may still be running on another CPU. Any context. */
bool timer_cancel(struct timer *timer);

/* Disarms and waits for a running `expire` to end. Not from `expire`, no lock held that it takes. */
bool timer_cancel_wait(struct timer *timer);

bool timer_armed(const struct timer *timer);

/* Has the hardware timer of this CPU follow its timers again, after another CPU changed them. Interrupts masked. */
void timer_reprogram(void);

/* Logs the first timer of each CPU and what the hardware was told. Any context. */
void timer_dump_all(void);

/* The earliest deadline of this CPU's timers, UINT64_MAX if none; for /proc and the idle loop. */
u64 timer_next_deadline(void);
