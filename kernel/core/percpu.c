/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Per-CPU variables: the offsets of the copies. CPU 0 uses the section itself and changes it, so
 * percpu_init saves the initial values that the other copies begin with.
 */
#include <arch/layout.h>
#include <core/panic.h>
#include <core/percpu.h>
#include <lib/string.h>

extern char __percpu_start[], __percpu_end[];

unsigned long percpu_offsets[CPU_MAX];
DEFINE_PER_CPU(unsigned, cpu_number);
u64 cpu_online_mask = 1;

static char initial[16 * 1024] __aligned(64);

size_t percpu_size(void)
{
	return (size_t)(__percpu_end - __percpu_start);
}

void percpu_init(void)
{
	ASSERT(percpu_size() <= sizeof(initial));
	memcpy(initial, __percpu_start, percpu_size());
}

void percpu_make_copy(unsigned cpu, void *memory)
{
	memcpy(memory, initial, percpu_size());
	percpu_offsets[cpu] = (unsigned long)memory - (unsigned long)__percpu_start;
	per_cpu(cpu_number, cpu) = cpu;
}

unsigned cpu_online_count(void)
{
	return (unsigned)__builtin_popcountll(__atomic_load_n(&cpu_online_mask, __ATOMIC_RELAXED));
}
