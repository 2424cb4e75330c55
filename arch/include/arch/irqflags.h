/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contract: interrupt masking on this CPU. <arch/impl/irqflags.h> defines these as inlines:
 *
 *   irqflags_t arch_irq_save(void)             masks interrupts; returns the former state
 *   void       arch_irq_restore(irqflags_t)    puts the former state back
 *   void       arch_irq_enable(void)
 *   void       arch_irq_disable(void)
 *   bool       arch_irq_enabled(void)
 *
 * All are compiler barriers.
 */
#pragma once

#include <lib/types.h>

typedef unsigned long irqflags_t;

#include <arch/impl/irqflags.h>
