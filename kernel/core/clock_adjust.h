/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disciplining CLOCK_REALTIME (adjtimex(2)): a frequency, an offset that is worked off, adjtime(3)'s one-shot slew. While there
 * is something to correct a timer moves the clock every 10 ms; CLOCK_MONOTONIC keeps the rate of the hardware.
 */
#pragma once

#include <lib/types.h>

#include <linux/time_types.h>
#include <linux/timex.h>

/* adjtimex(2) without the permission check: checks and takes over what tx->modes says and fills tx in. TIME_*, -EINVAL. Any context. */
[[nodiscard]] int clock_adjust(struct __kernel_timex *tx);

/* CLOCK_TAI - CLOCK_REALTIME, in seconds. */
s32 clock_tai_offset(void);
