/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contract: the CPU itself, per-CPU data and the current thread. <arch/impl/cpu.h> defines as
 * inlines:
 *
 *   struct thread *arch_current(void)      the running thread (x86_64: a per-CPU variable read
 *                                          with one instruction; aarch64: SP_EL0)
 *   unsigned long arch_percpu_offset(void) what is added to the address of a per-CPU variable of the
 *                                          image to reach this CPU's copy; 0 on the boot CPU, so that
 *                                          per-CPU data works from the first instruction
 *   void arch_pause(void)                  a hint inside spin loops
 *   u64  arch_cycles(void)                 free running counter, for entropy and measurement only
 */
#pragma once

#include <lib/types.h>

struct thread;
struct log_buffer;

#include <arch/impl/cpu.h>

/*
 * Sleeps until the next interrupt. Called with interrupts masked; enabling and sleeping are one
 * step, so that no wake-up is lost. Returns with interrupts enabled.
 */
void arch_idle(void);

/* Stops this CPU for good, interrupts masked. */
[[noreturn]] void arch_halt(void);

/* Makes `offset` this CPU's per-CPU offset. Once per secondary CPU, before anything else there. */
void arch_percpu_set(unsigned long offset);

/* Second stage of CPU set-up, on the boot CPU once memory allocation works: exceptions, features. */
void arch_cpu_init(void);

/* The feature word for the ELF auxiliary vector (getauxval(3)). */
u64 arch_hwcap(void);
u64 arch_hwcap2(void);

/* AT_PLATFORM and utsname.machine: "x86_64" or "aarch64". */
extern const char arch_machine_name[];

/* e_machine of ELF files that this CPU runs. */
extern const u16 arch_elf_machine;

/* Random bits of the CPU (RDRAND, RNDR). False when the CPU has none or they ran out. */
[[nodiscard]] bool arch_random(u64 *out);

/* Writes one CPU's part of /proc/cpuinfo into buf in Linux's format; returns the length as snprintf. */
int arch_cpuinfo(unsigned cpu, char *buf, size_t size);
