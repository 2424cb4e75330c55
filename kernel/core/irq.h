/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device interrupts. Numbers as <arch/irqchip.h>. */
#pragma once

#include <arch/irqchip.h>
#include <arch/smp.h>
#include <core/percpu.h>
#include <core/thread_base.h>
#include <lib/types.h>

struct trap_frame;

/* Of the outermost interrupt, in interrupt context. */
DECLARE_PER_CPU(const struct trap_frame *, irq_frame);

/*
 * Runs in interrupt context. Returns true if its device had caused the interrupt (lines may be shared).
 */
typedef bool irq_handler(void *arg);

/*
 * Adds a handler and unmasks the line. `name` is shown in /proc/interrupts and lives as long as the handler.
 * Returns 0, -EINVAL (no such line), -ENOMEM.
 */
[[nodiscard]] int irq_register(unsigned irq, bool level, irq_handler *handler, void *arg,
			       const char *name);
/* An interrupt of messages: `send` makes its device send another one, without sleeping; it goes to `cpu` now. After irq_register. */
void irq_set_sender(unsigned irq, unsigned cpu,
		    void (*send)(void *arg, const struct arch_msi *message), void *arg);

/*
 * Which CPUs may serve an interrupt, and which one does. Setting chooses one of the mask: the present one, or else the first that is online.
 * -EINVAL: none of them can; -EIO: its device cannot be told.
 */
u64 irq_affinity(unsigned irq);
unsigned irq_target(unsigned irq);
[[nodiscard]] int irq_set_affinity(unsigned irq, u64 mask);

void irq_unregister(unsigned irq, irq_handler *handler, void *arg);

/* True in interrupt context. */
static inline bool in_interrupt(void)
{
	return current_base()->preempt_count >= PREEMPT_INTERRUPT;
}

/* In interrupt context: whether user mode was interrupted, and whether code that could have been preempted was. */
bool interrupted_user_mode(void);
static inline bool interrupted_preemptible(void)
{
	return current_base()->preempt_count == PREEMPT_INTERRUPT;
}

/* Brackets of everything that runs in interrupt context, for trap_irq, trap_timer and ipi_received. */
void irq_enter(const struct trap_frame *frame);
void irq_exit(void);

/* Nanoseconds that `cpu` has spent in interrupt handlers. */
u64 irq_time_ns(unsigned cpu);

/* The end of an inter-processor interrupt's journey; called by the architecture with interrupts masked. */
void ipi_received(struct trap_frame *frame, enum ipi kind);

/* Logs what this CPU runs (the thread and its calls); the same of all CPUs that take interrupts. Any context. */
void cpu_dump(void);
void cpu_dump_all(void);

/* Interrupts that no device raises, as <arch/irqchip.h> counts them. */
DECLARE_PER_CPU(u32, own_interrupts)[OWN_INTERRUPTS];

/* How often interrupt `irq` came on `cpu`, and the name of its first handler (null: none). */
u64 irq_count(unsigned irq, unsigned cpu);
const char *irq_name(unsigned irq);
