/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an idle CPU need not do at once. A CPU that waits for an interrupt uses no user memory, so a flush of its TLB can wait until it wakes
 * up: it is marked as owing one, and nobody waits for it.
 *
 * State of a CPU: BUSY -> IDLE (itself) -> OWES (whoever flushes) -> BUSY (itself, which pays). Whoever finds it BUSY must interrupt it.
 */
#pragma once

#include <core/percpu.h>
#include <core/rcu.h>

enum cpu_idle_state { CPU_BUSY, CPU_IDLE, CPU_OWES };
DECLARE_PER_CPU(u32, cpu_idle_state);

/* Marks those CPUs of the mask that idle as owing a flush of all user memory; returns the others. After the changes to be flushed. */
u64 cpu_idle_owe(u64 mask);

/* Pays. Interrupts are masked. */
void cpu_idle_left(void);

/* Around arch_idle: called with interrupts masked. Interrupts in between end the idle state themselves. */
void cpu_idle_enter(void);
static inline void cpu_idle_exit(void)
{
	rcu_idle_exit();
	if (unlikely(this_cpu(cpu_idle_state)))
		cpu_idle_left();
}
