/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Per-CPU variables. The linker gathers them in .data.percpu; the boot CPU uses that section itself, every
 * other CPU a copy of it. Access with preemption disabled, or the thread may move.
 */
#pragma once

#include <arch/cpu.h>
#include <arch/smp.h>

#define DEFINE_PER_CPU(type, name) __attribute__((section(".data.percpu"))) typeof(type) name
#define DECLARE_PER_CPU(type, name)                                                                \
	extern __attribute__((section(".data.percpu"))) typeof(type) name

/* This CPU's copy. */
#define this_cpu(name) (*(typeof(name) *)((uintptr_t)&(name) + arch_percpu_offset()))

/* The copy of CPU `cpu`, which must be possible (< cpu_count()). */
#define per_cpu(name, cpu) (*(typeof(name) *)((uintptr_t)&(name) + percpu_offsets[cpu]))

extern unsigned long percpu_offsets[CPU_MAX];
DECLARE_PER_CPU(unsigned, cpu_number);

/* The number of the CPU that runs this; stable only while preemption is disabled. */
static inline unsigned cpu_id(void)
{
	return this_cpu(cpu_number);
}

/* Boot, before any variable changes: saves the initial values. */
void percpu_init(void);

/* Bytes of one copy, and making CPU `cpu`'s in memory of that size, aligned to a cache line. */
size_t percpu_size(void);
void percpu_make_copy(unsigned cpu, void *memory);

/* CPUs that run. Bit n of cpu_online_mask is CPU n. */
extern u64 cpu_online_mask;
unsigned cpu_online_count(void);
#define for_each_cpu(cpu)                                                                          \
	for (unsigned cpu = 0; cpu < CPU_MAX; cpu++)                                               \
		if (!(cpu_online_mask >> cpu & 1)) {                                               \
		} else
