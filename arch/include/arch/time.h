/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Contract: the clock and the per-CPU one-shot timer. */
#pragma once

#include <lib/types.h>

/*
 * Finds and calibrates the counter and the timer. After it arch_time_ns works. Boot time is precious: take
 * the frequency from where it is known (CNTFRQ_EL0, CPUID, the hypervisor leaf) and calibrate for a
 * few milliseconds only where it is not.
 */
void arch_time_init(void);

/* Nanoseconds since some moment before boot; never goes back; the same on all CPUs. Any context. */
u64 arch_time_ns(void);

/* Asks for trap_timer at `deadline_ns` of arch_time_ns; a deadline in the past fires at once.
 * UINT64_MAX: never. Replaces the earlier request. Interrupts are masked. */
void arch_timer_set(u64 deadline_ns);

/* Seconds since 1970 from the real-time clock (CMOS, PL031); 0 when there is none. */
u64 arch_rtc_seconds(void);

/* Sets it; false if it cannot be. Of this and arch_rtc_seconds one call at a time. */
bool arch_rtc_set_seconds(u64 seconds);
