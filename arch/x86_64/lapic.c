/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The local APIC (Intel SDM volume 3, chapter 11). */
#include <arch/barrier.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>

#include "acpi.h"
#include "cpu_features.h"
#include "entry.h"
#include "lapic.h"
#include "mmu.h"
#include "x86.h"

#define APIC_BASE_X2APIC BIT(10)
#define APIC_BASE_ENABLE BIT(11)
#define DEFAULT_ADDRESS 0xfee00000
#define SPURIOUS_ENABLE BIT(8)
#define LVT_NMI 0x400
#define ICR_PENDING BIT(12)

/* Null: x2APIC. */
static u8 *registers;

u32 lapic_read(u32 reg)
{
	if (!registers)
		return msr_read(MSR_X2APIC + (reg >> 4));
	return mmio_read32(registers + reg);
}

void lapic_write(u32 reg, u32 value)
{
	if (!registers)
		msr_write(MSR_X2APIC + (reg >> 4), value);
	else
		mmio_write32(registers + reg, value);
}

u32 lapic_id(void)
{
	u32 id = lapic_read(LAPIC_ID);
	return registers ? id >> 24 : id;
}

void lapic_send(u32 apic_id, u32 command)
{
	if (!registers) {
		/* MSR writes to the x2APIC are not ordered after stores. */
		asm volatile("mfence; lfence" ::: "memory");
		msr_write(MSR_X2APIC + (LAPIC_ICR_LOW >> 4), (u64)apic_id << 32 | command);
		return;
	}
	irqflags_t flags = arch_irq_save();
	while (lapic_read(LAPIC_ICR_LOW) & ICR_PENDING)
		arch_pause();
	lapic_write(LAPIC_ICR_HIGH, apic_id << 24);
	lapic_write(LAPIC_ICR_LOW, command);
	arch_irq_restore(flags);
}

void lapic_init(void)
{
	if (!x86_features.x2apic)
		registers =
			x86_map_device(acpi_info.lapic ? acpi_info.lapic : DEFAULT_ADDRESS, 4096);
	lapic_enable();
}

void lapic_enable(void)
{
	u64 base = msr_read(MSR_APIC_BASE) | APIC_BASE_ENABLE;
	msr_write(MSR_APIC_BASE, base);
	if (!registers)
		msr_write(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
	lapic_write(LAPIC_TPR, 0);
	lapic_write(LAPIC_LVT_TIMER, LAPIC_LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT0, LAPIC_LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT1, LVT_NMI);
	lapic_write(LAPIC_LVT_ERROR, LAPIC_LVT_MASKED);
	lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
}
