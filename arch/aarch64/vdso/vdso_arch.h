/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What arch/vdso/vdso_time.c needs to know of aarch64. This is user code. */
#pragma once

#include <lib/types.h>

#include <asm/unistd.h>

#define VDSO_FUNCTION(name) __kernel_##name

/* The barrier keeps the counter from being read before what precedes in the program. */
static inline u64 vdso_counter(void)
{
	u64 ticks;

	asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks) : : "memory");
	return ticks;
}

static inline long vdso_syscall(long number, u64 first, void *second)
{
	register u64 x0 asm("x0") = first;
	register u64 x1 asm("x1") = (u64)second;
	register long x8 asm("x8") = number;

	asm volatile("svc #0" : "+r"(x0) : "r"(x1), "r"(x8) : "memory");
	return (long)x0;
}
