/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the vDSO needs to tell the time: a page that every process has mapped read only in front of
 * its vDSO. Only offsets change once user space exists, each a word of its own, so readers need no
 * lock.
 *
 *   clock = ((counter - counter_base) * multiplier >> 32) + offset_ns[clock]
 */
#pragma once

#include <lib/types.h>

#define VDSO_DATA_SIZE 4096
#define VDSO_CLOCKS 8 /* CLOCK_REALTIME to CLOCK_BOOTTIME */

struct vdso_data {
	u64 counter_base;
	u64 multiplier;
	u32 clocks;	  /* bit n: clock n can be told; 0: user space cannot read the counter */
	u32 cpu_readable; /* the CPU's number can be read in user mode, as the architecture does it */
	s64 offset_ns[VDSO_CLOCKS]; /* each atomic; CLOCK_REALTIME's moves */
};

union vdso_data_page {
	struct vdso_data data;
	u8 page[VDSO_DATA_SIZE];
};

/* Counter and multiplier are the architecture's (arch_time_init), the rest core/time.c's. */
extern union vdso_data_page vdso_data_page;
