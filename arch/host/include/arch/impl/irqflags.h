/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupts do not exist here; the flag is kept so that its users can be checked. */
#pragma once

#include <arch/cpu.h>

extern HOST_PER_THREAD bool host_irq_on;

static inline void arch_irq_enable(void)
{
	host_irq_on = true;
}
static inline void arch_irq_disable(void)
{
	host_irq_on = false;
}
static inline bool arch_irq_enabled(void)
{
	return host_irq_on;
}
static inline irqflags_t arch_irq_save(void)
{
	irqflags_t flags = host_irq_on;

	host_irq_on = false;
	return flags;
}
static inline void arch_irq_restore(irqflags_t flags)
{
	host_irq_on = flags != 0;
}
