/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupt masking by PSTATE.I and PSTATE.F. */
#pragma once

#include <lib/types.h>

#define DAIF_INTERRUPTS (3ul << 6)

static inline irqflags_t arch_irq_save(void)
{
	irqflags_t flags;

	asm volatile("mrs %0, daif\n\tmsr daifset, #3" : "=r"(flags) : : "memory");
	return flags;
}

static inline void arch_irq_restore(irqflags_t flags)
{
	asm volatile("msr daif, %0" : : "r"(flags) : "memory");
}

static inline void arch_irq_enable(void)
{
	asm volatile("msr daifclr, #3" ::: "memory");
}

static inline void arch_irq_disable(void)
{
	asm volatile("msr daifset, #3" ::: "memory");
}

static inline bool arch_irq_enabled(void)
{
	irqflags_t flags;

	asm volatile("mrs %0, daif" : "=r"(flags) : : "memory");
	return !(flags & DAIF_INTERRUPTS);
}
