/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the CPU can do, and switching it on. */
#pragma once

#include <lib/types.h>

struct x86_features {
	bool xsave, xsaveopt, avx, avx512;
	bool fsgsbase, smep, smap, umip;
	bool pge, pat, page1g;
	bool x2apic, tsc_deadline, invariant_tsc, hypervisor;
	bool rdrand, rdtscp;
	u32 cpuid1_edx;
	u32 max_leaf;
};
extern struct x86_features x86_features;

/* Boot CPU, once: fills in x86_features and patches the SMAP sites. */
void x86_features_detect(void);

/* Every CPU: control registers and the FPU as x86_features say. */
void x86_features_enable(void);

/* Every CPU: lets user mode read its number (getcpu of the vDSO). */
void x86_cpu_number_set(unsigned cpu);
