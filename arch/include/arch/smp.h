/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Contract: several CPUs. */
#pragma once

#include <lib/types.h>

struct thread;

#define CPU_MAX 64

enum ipi { IPI_RESCHEDULE, IPI_CALL, IPI_STOP };

/* How many CPUs the firmware describes (at most CPU_MAX); the boot CPU is number 0. */
unsigned arch_cpu_count(void);

/*
 * Starts CPU `cpu` on the stack `kstack_top` with per-CPU offset `percpu`; it runs entry(cpu) with interrupts
 * masked. Returns 0 or a negative errno.
 */
[[nodiscard]] int arch_cpu_start(unsigned cpu, void *kstack_top, unsigned long percpu,
				 struct thread *idle, void (*entry)(unsigned cpu));

/* Interrupts CPU `cpu`; there ipi_received(frame, kind) of core/ is called with interrupts masked. */
void arch_ipi_send(unsigned cpu, enum ipi kind);
