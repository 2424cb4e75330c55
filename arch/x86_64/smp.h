/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several CPUs, the part inside this architecture. */
#pragma once

/*
 * Memory below 1 MiB for the start of another CPU: its first code, and a root table with the two below it. It lies in
 * what boot_info.c keeps back.
 */
#define TRAMPOLINE 0x8000
#define TRAMPOLINE_ROOT 0x9000
#define TRAMPOLINE_TABLE2 0xa000
#define TRAMPOLINE_TABLE1 0xb000

/* Offsets in struct x86_cpu_boot. */
#define CPU_BOOT_ROOT 0
#define CPU_BOOT_STACK 8
#define CPU_BOOT_PERCPU 16

#ifndef __ASSEMBLY__
/* Puts the boot CPU first in the list of CPUs. Once the local APIC works. */
void x86_smp_init(void);
#endif
