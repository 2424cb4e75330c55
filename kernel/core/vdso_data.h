/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the vDSO needs to tell the time: a page that every process has mapped read only in front of
 * its vDSO. Everything but the last word is written before user space exists, so readers need no
 * lock.
 *
 *   CLOCK_MONOTONIC = ((counter - counter_base) * multiplier >> 32) - clock_base_ns
 */
#pragma once

#include <lib/types.h>

#define VDSO_DATA_SIZE 4096

struct vdso_data {
	u64 counter_base;
	u64 multiplier;	   /* 0: user space cannot read the counter, the vDSO makes system calls */
	u64 clock_base_ns; /* arch_time_ns() at CLOCK_MONOTONIC 0 */
	s64 realtime_offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC; atomic */
};

union vdso_data_page {
	struct vdso_data data;
	u8 page[VDSO_DATA_SIZE];
};

/* Counter and multiplier are the architecture's (arch_time_init), the rest core/time.c's. */
extern union vdso_data_page vdso_data_page;
