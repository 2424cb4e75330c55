/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What arch/vdso/vdso_time.c needs to know of x86_64. This is user code. */
#pragma once

#include <lib/types.h>

#include <asm/unistd.h>

#define VDSO_FUNCTION(name) __vdso_##name
#define VDSO_HAS_TIME 1
#define VDSO_HAS_GETCPU 1

/* The fence keeps the counter from being read before what precedes in the program. */
static inline u64 vdso_counter(void)
{
	u32 low, high;

	asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (u64)high << 32 | low;
}

/* TSC_AUX holds it. */
static inline u32 vdso_cpu_number(void)
{
	u32 number;

	asm volatile("rdtscp" : "=c"(number) : : "rax", "rdx");
	return number;
}

static inline long vdso_syscall(long number, u64 first, void *second)
{
	long result;

	asm volatile("syscall"
		     : "=a"(result)
		     : "a"(number), "D"(first), "S"(second)
		     : "rcx", "r11", "memory");
	return result;
}
