/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device interrupts. Numbers as <arch/irqchip.h>. */
#pragma once

#include <arch/irqchip.h>
#include <lib/types.h>

/*
 * Runs in interrupt context. Returns true if its device had caused the interrupt (lines may be shared).
 */
typedef bool irq_handler(void *arg);

/*
 * Adds a handler and unmasks the line. `name` is shown in /proc/interrupts and lives as long as the handler.
 * Returns 0, -EINVAL (no such line), -ENOMEM.
 */
[[nodiscard]] int irq_register(unsigned irq, bool level, irq_handler *handler, void *arg, const char *name);
void irq_unregister(unsigned irq, irq_handler *handler, void *arg);

/* True in interrupt context. */
bool in_interrupt(void);

/* How often interrupt `irq` came on `cpu`, and the name of its first handler (null: none). */
u64 irq_count(unsigned irq, unsigned cpu);
const char *irq_name(unsigned irq);
