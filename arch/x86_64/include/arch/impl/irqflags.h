/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interrupt flag of x86_64. */
#pragma once

#define X86_FLAGS_IF 0x200ul

static inline void arch_irq_enable(void)
{
	asm volatile("sti" ::: "memory");
}
static inline void arch_irq_disable(void)
{
	asm volatile("cli" ::: "memory");
}
static inline irqflags_t x86_flags(void)
{
	irqflags_t flags;
	asm volatile("pushfq; popq %0" : "=rm"(flags) : : "memory");
	return flags;
}
static inline bool arch_irq_enabled(void)
{
	return x86_flags() & X86_FLAGS_IF;
}
static inline irqflags_t arch_irq_save(void)
{
	irqflags_t flags = x86_flags();
	arch_irq_disable();
	return flags;
}
/* Only IF is put back, and only ever switched on here: POPF would cost more. */
static inline void arch_irq_restore(irqflags_t flags)
{
	if (flags & X86_FLAGS_IF)
		arch_irq_enable();
}
