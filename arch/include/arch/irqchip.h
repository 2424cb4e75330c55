/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contract: the interrupt controller. Interrupt numbers: x86_64 the global system interrupt (ISA interrupts
 * through the ACPI overrides, so COM1 is 4); aarch64 the GIC INTID (an SPI n of the device tree is n + 32).
 */
#pragma once

#include <lib/types.h>

#define IRQ_COUNT 1024

/* Finds and initialises the controller (ACPI MADT: I/O APIC, with the 8259 masked; GICv2 or v3). */
void arch_irqchip_init(void);

/* Unmasks or masks an interrupt line; `level` tells level triggered from edge triggered. */
void arch_irq_unmask(unsigned irq, bool level);
void arch_irq_mask(unsigned irq);

/* Ends the handling of the interrupt that is being served. Called by trap_irq after the handlers. */
void arch_irq_end(unsigned irq);
