/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several CPUs: who is there, and interrupts between them. */
#include <arch/smp.h>
#include <lib/errno.h>

#include "acpi.h"
#include "entry.h"
#include "lapic.h"
#include "smp.h"

void x86_smp_init(void)
{
	u32 boot = lapic_id(), first = acpi_info.cpu_apic_id[0];

	for (unsigned i = 0; i < acpi_info.cpu_count; i++) {
		if (acpi_info.cpu_apic_id[i] == boot)
			acpi_info.cpu_apic_id[i] = first;
	}
	acpi_info.cpu_apic_id[0] = boot;
	if (!acpi_info.cpu_count)
		acpi_info.cpu_count = 1;
}

unsigned arch_cpu_count(void)
{
	return acpi_info.cpu_count;
}

int arch_cpu_start(unsigned cpu, void *kstack_top, unsigned long percpu, struct thread *idle,
		   void (*entry)(unsigned cpu))
{
	return -ENOSYS;
}

void arch_ipi_send(unsigned cpu, enum ipi kind)
{
	if (cpu < acpi_info.cpu_count)
		lapic_send(acpi_info.cpu_apic_id[cpu],
			   LAPIC_ICR_FIXED | LAPIC_ICR_ASSERT | (VECTOR_IPI + kind));
}
