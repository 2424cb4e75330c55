/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CPU: per-CPU basics, idling, identification. */
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/thread.h>
#include <core/percpu.h>
#include <core/vdso_data.h>

#include <linux/elf-em.h>

#include "cpu_features.h"
#include "entry.h"
#include "x86.h"

#define RDRAND_RETRIES 10

const char arch_machine_name[] = "x86_64";
const u16 arch_elf_machine = EM_X86_64;

DEFINE_PER_CPU(struct thread *, x86_current) = &boot_thread;
DEFINE_PER_CPU(unsigned long, x86_percpu_offset);
DEFINE_PER_CPU(u64, x86_user_sp);

void arch_percpu_set(unsigned long offset)
{
	msr_write(MSR_GS_BASE, offset);
	this_cpu(x86_percpu_offset) = offset;
}

void arch_idle(void)
{
	/* STI takes effect after the next instruction. */
	asm volatile("sti; hlt" ::: "memory");
}

void arch_halt(void)
{
	for (;;)
		asm volatile("cli; hlt" ::: "memory");
}

u64 arch_hwcap(void)
{
	return x86_features.cpuid1_edx;
}

u64 arch_hwcap2(void)
{
	return x86_features.fsgsbase ? BIT(1) : 0; /* HWCAP2_FSGSBASE of asm/hwcap2.h */
}

bool arch_random(u64 *out)
{
	if (!x86_features.rdrand)
		return false;
	for (unsigned i = 0; i < RDRAND_RETRIES; i++) {
		bool ok;
		asm volatile("rdrand %0" : "=r"(*out), "=@ccc"(ok));
		if (ok)
			return true;
	}
	return false;
}

void arch_cpu_init(void)
{
	/* head.S, x86_descriptors_init and x86_features_enable did the rest. */
	x86_cpu_number_set(0);
	vdso_data_page.data.cpu_readable = x86_features.rdtscp;
}
