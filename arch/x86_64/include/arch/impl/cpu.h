/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Per-CPU data of x86_64: in the kernel GS's base is the CPU's per-CPU offset, so %gs:variable is
 * this CPU's copy.
 */
#pragma once

/* Per-CPU variables that entry code and these inlines use; defined in arch/x86_64/cpu.c. */
extern struct thread *x86_current;
extern unsigned long x86_percpu_offset;

/* Not volatile: a thread is the current one whenever it runs, so the value may be kept. */
static inline struct thread *arch_current(void)
{
	struct thread *current;
	asm("movq %%gs:%c1, %0" : "=r"(current) : "i"(&x86_current));
	return current;
}
static inline unsigned long arch_percpu_offset(void)
{
	unsigned long offset;
	asm volatile("movq %%gs:%c1, %0" : "=r"(offset) : "i"(&x86_percpu_offset));
	return offset;
}
static inline void arch_pause(void)
{
	asm volatile("pause" ::: "memory");
}
static inline u64 arch_cycles(void)
{
	u32 low, high;
	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (u64)high << 32 | low;
}
