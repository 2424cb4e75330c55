/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Current thread (SP_EL0 while in the kernel), per-CPU offset (TPIDR_EL1) and system registers. */
#pragma once

#include <lib/types.h>

#define read_sysreg(name)                                                                          \
	({                                                                                         \
		u64 sysreg_value_;                                                                 \
		asm volatile("mrs %0, " #name : "=r"(sysreg_value_));                              \
		sysreg_value_;                                                                     \
	})
#define write_sysreg(name, value)                                                                  \
	asm volatile("msr " #name ", %x0" : : "rZ"((u64)(value)) : "memory")
#define isb() asm volatile("isb" ::: "memory")

/* Not volatile: a thread sees the same value at any time, so the compiler may keep it. */
static inline struct thread *arch_current(void)
{
	struct thread *current;

	asm("mrs %0, sp_el0" : "=r"(current));
	return current;
}

static inline unsigned long arch_percpu_offset(void)
{
	unsigned long offset;

	asm volatile("mrs %0, tpidr_el1" : "=r"(offset));
	return offset;
}

static inline void arch_pause(void)
{
	asm volatile("yield" ::: "memory");
}

static inline u64 arch_cycles(void)
{
	return read_sysreg(cntvct_el0);
}
