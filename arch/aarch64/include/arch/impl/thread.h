/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a thread that is not running keeps: callee-saved registers, TLS, FPSIMD registers. */
#pragma once

#define ARCH_THREAD_SP 96
#define ARCH_THREAD_TLS 104
#define ARCH_THREAD_FPU 128

#ifndef __ASSEMBLY__

#include <lib/types.h>

struct arch_fpu {
	unsigned char vregs[32][16];
	u32 fpsr;
	u32 fpcr;
	u64 unused;
};

struct arch_thread {
	u64 saved[12]; /* x19 to x30 */
	u64 sp;
	u64 tls;     /* TPIDR_EL0 */
	bool user;   /* has entered user mode: fpu is meaningful */
	u32 fpu_cpu; /* the CPU whose registers held fpu last, see fpu.c */
	struct arch_fpu fpu __aligned(16);
	u64 fault_address; /* of the last fault, for the signal frame */
	u64 fault_code;	   /* ESR_EL1 of it */
	u64 debug_enable;  /* MDSCR_EL1 while in user mode: SS and MDE; 0 in nearly all threads */
	struct arm_debug *debug; /* breakpoints and watchpoints; null until the first is set */
};

_Static_assert(offsetof(struct arch_thread, sp) == ARCH_THREAD_SP);
_Static_assert(offsetof(struct arch_thread, tls) == ARCH_THREAD_TLS);
_Static_assert(offsetof(struct arch_thread, fpu) == ARCH_THREAD_FPU);

#endif
