/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contract: the interrupt controller. Interrupt numbers: x86_64 the global system interrupt (ISA interrupts
 * through the ACPI overrides, so COM1 is 4); aarch64 the GIC INTID (an SPI n of the device tree is n + 32).
 */
#pragma once

#include <lib/types.h>

#define IRQ_COUNT 1024

/* Interrupts of the processors' own, with what /proc/interrupts of this architecture calls them. */
enum own_interrupt { OWN_TIMER, OWN_RESCHEDULE, OWN_CALL, OWN_INTERRUPTS };
struct own_interrupt_name {
	const char *label, *text;
};
extern const struct own_interrupt_name arch_own_interrupts[OWN_INTERRUPTS];

/* Finds and initialises the controller (ACPI MADT: I/O APIC, with the 8259 masked; GICv2 or v3). */
void arch_irqchip_init(void);

/* Unmasks or masks an interrupt line; `level` tells level triggered from edge triggered. */
void arch_irq_unmask(unsigned irq, bool level);
void arch_irq_mask(unsigned irq);

/* Ends the handling of the interrupt that is being served. Called by trap_irq after the handlers. */
void arch_irq_end(unsigned irq);

/* A message-signalled interrupt: a device that writes `data` to `address` raises it. */
struct arch_msi {
	u64 address;
	u32 data;
};

/*
 * Takes an interrupt number for messages, to be served by `cpu` where the controller can choose; irq_register
 * follows (edge). 0, -ENODEV (no controller for messages), -ENOSPC. Thread context.
 */
[[nodiscard]] int arch_msi_alloc(unsigned cpu, unsigned *irq, struct arch_msi *message);
void arch_msi_free(unsigned irq);

/*
 * Lets `cpu` serve an interrupt from now on. 0; 1: it is one of messages, whose device must send *message instead; -EINVAL: that CPU
 * cannot. Interrupts are masked.
 */
[[nodiscard]] int arch_irq_route(unsigned irq, unsigned cpu, struct arch_msi *message);
