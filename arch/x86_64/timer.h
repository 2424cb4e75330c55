/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clock and timer, the part inside this architecture. */
#pragma once

#include <lib/types.h>

/* Sets up this CPU's timer, after arch_time_init on the boot CPU. */
void x86_timer_enable(void);

/* The TSC's frequency; 0 when it is not the clock. */
u64 x86_tsc_khz(void);
