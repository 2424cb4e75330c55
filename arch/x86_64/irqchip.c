/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device interrupts: I/O APICs route lines to the boot CPU's local APIC. Interrupt n (an ISA
 * interrupt below 16, else a global system interrupt) has vector VECTOR_IRQ_FIRST + n.
 */
#include <arch/barrier.h>
#include <arch/irqchip.h>
#include <arch/smp.h>
#include <arch/trap.h>
#include <core/irq.h>
#include <core/lock.h>
#include <lib/errno.h>

#include "acpi.h"
#include "entry.h"
#include "lapic.h"
#include "mmu.h"
#include "smp.h"
#include "x86.h"

const struct own_interrupt_name arch_own_interrupts[OWN_INTERRUPTS] = {
	[OWN_TIMER] = { "LOC", "Local timer interrupts" },
	[OWN_RESCHEDULE] = { "RES", "Rescheduling interrupts" },
	[OWN_CALL] = { "CAL", "Function call interrupts" },
};

#define IO_APIC_DEFAULT 0xfec00000
#define IO_APIC_SELECT 0x00
#define IO_APIC_WINDOW 0x10
#define IO_APIC_VERSION 1
#define IO_APIC_REDIRECTION 0x10
#define REDIRECTION_LOW_ACTIVE BIT(13)
#define REDIRECTION_LEVEL BIT(15)
#define REDIRECTION_MASKED BIT(16)

#define PIC_MASTER 0x20
#define PIC_SLAVE 0xa0
#define PIC_VECTOR 0x20 /* never delivered, except spuriously */

#define IRQ_LIMIT (VECTOR_IRQ_LAST - VECTOR_IRQ_FIRST + 1)

static struct io_apic {
	u8 *registers;
	u32 gsi_base, lines;
} io_apics[ACPI_IO_APIC_MAX];
static unsigned io_apic_count;
static struct spinlock io_apic_lock = SPINLOCK_INIT(RANK_IRQ);

static u32 io_apic_read_locked(const struct io_apic *a, u32 reg)
{
	mmio_write32(a->registers + IO_APIC_SELECT, reg);
	return mmio_read32(a->registers + IO_APIC_WINDOW);
}

static void io_apic_write_locked(const struct io_apic *a, u32 reg, u32 value)
{
	mmio_write32(a->registers + IO_APIC_SELECT, reg);
	mmio_write32(a->registers + IO_APIC_WINDOW, value);
}

static const struct io_apic *io_apic_of(u32 gsi)
{
	for (unsigned i = 0; i < io_apic_count; i++) {
		if (gsi - io_apics[i].gsi_base < io_apics[i].lines)
			return &io_apics[i];
	}
	return nullptr;
}

static u32 irq_gsi(unsigned irq)
{
	return irq < ISA_IRQ_COUNT ? acpi_info.isa[irq].gsi : irq;
}

/* Trigger and polarity: what the firmware says about an ISA interrupt, else ISA's or PCI's habit.
 */
static u32 irq_mode(unsigned irq, bool level)
{
	u16 flags = irq < ISA_IRQ_COUNT ? acpi_info.isa[irq].flags : 0;
	bool low = irq >= ISA_IRQ_COUNT && level;

	if (flags & 3)
		low = (flags & 3) == 3;
	if (flags >> 2 & 3)
		level = (flags >> 2 & 3) == 3;
	return (low ? REDIRECTION_LOW_ACTIVE : 0) | (level ? REDIRECTION_LEVEL : 0);
}

/* Which CPU serves a line; under io_apic_lock. */
static u8 line_cpu[IRQ_LIMIT];

static void redirect(unsigned irq, u32 value)
{
	u32 gsi = irq_gsi(irq);
	const struct io_apic *a = io_apic_of(gsi);
	if (!a || irq >= IRQ_LIMIT)
		return;
	u32 reg = IO_APIC_REDIRECTION + 2 * (gsi - a->gsi_base);
	irqflags_t flags = spin_lock_irqsave(&io_apic_lock);
	io_apic_write_locked(a, reg + 1, acpi_info.cpu_apic_id[line_cpu[irq]] << 24);
	io_apic_write_locked(a, reg, value);
	spin_unlock_irqrestore(&io_apic_lock, flags);
}

void arch_irq_unmask(unsigned irq, bool level)
{
	redirect(irq, (VECTOR_IRQ_FIRST + irq) | irq_mode(irq, level));
}

void arch_irq_mask(unsigned irq)
{
	redirect(irq, REDIRECTION_MASKED);
}

void arch_irq_end(unsigned irq)
{
	lapic_write(LAPIC_EOI, 0);
}

void x86_interrupt(unsigned vector, struct trap_frame *frame)
{
	if (vector == VECTOR_TIMER) {
		lapic_write(LAPIC_EOI, 0);
		trap_timer(frame);
	} else if (vector >= VECTOR_IRQ_FIRST && vector <= VECTOR_IRQ_LAST) {
		trap_irq(frame, vector - VECTOR_IRQ_FIRST);
	} else if (vector >= VECTOR_IPI && vector <= VECTOR_IPI + IPI_STOP) {
		lapic_write(LAPIC_EOI, 0);
		ipi_received(frame, vector - VECTOR_IPI);
	}
	/* Anything else is spurious, and a spurious interrupt has no end. */
}

/* --- messages: a write to the local APIC's page carries the vector (Intel SDM volume 3, 11.11) --- */

#define MSI_ADDRESS 0xfee00000u
#define APIC_ID_MAX 255u /* that lines and messages can name without interrupt remapping */
#define MSI_DESTINATION_SHIFT 12

static u64 msi_used[DIV_ROUND_UP(IRQ_LIMIT, 64)]; /* under io_apic_lock */

/* Numbers behind those of the I/O APICs' lines. */
static unsigned msi_first(void)
{
	unsigned first = ISA_IRQ_COUNT;

	for (unsigned i = 0; i < io_apic_count; i++)
		first = MAX(first, io_apics[i].gsi_base + io_apics[i].lines);
	return first;
}

static struct arch_msi message_of(unsigned irq, unsigned cpu)
{
	u32 apic = acpi_info.cpu_apic_id[cpu < arch_cpu_count() ? cpu : 0];

	if (apic > APIC_ID_MAX)
		apic = acpi_info.cpu_apic_id[0];
	return (struct arch_msi){ MSI_ADDRESS | apic << MSI_DESTINATION_SHIFT,
				  VECTOR_IRQ_FIRST + irq };
}

int arch_msi_alloc(unsigned cpu, unsigned *irq, struct arch_msi *message)
{
	irqflags_t flags = spin_lock_irqsave(&io_apic_lock);
	unsigned n = msi_first();

	while (n < IRQ_LIMIT && msi_used[n / 64] & BIT(n % 64))
		n++;
	if (n < IRQ_LIMIT)
		msi_used[n / 64] |= BIT(n % 64);
	spin_unlock_irqrestore(&io_apic_lock, flags);
	if (n >= IRQ_LIMIT)
		return -ENOSPC;
	*irq = n;
	*message = message_of(n, cpu);
	return 0;
}

int arch_irq_route(unsigned irq, unsigned cpu, struct arch_msi *message)
{
	const struct io_apic *a;
	u32 gsi;

	if (irq >= IRQ_LIMIT || cpu >= arch_cpu_count() || acpi_info.cpu_apic_id[cpu] > APIC_ID_MAX)
		return -EINVAL;
	if (irq >= msi_first()) {
		*message = message_of(irq, cpu);
		return 1;
	}
	gsi = irq_gsi(irq);
	a = io_apic_of(gsi);
	if (!a)
		return -EINVAL;
	irqflags_t flags = spin_lock_irqsave(&io_apic_lock);

	line_cpu[irq] = (u8)cpu;
	io_apic_write_locked(a, IO_APIC_REDIRECTION + 2 * (gsi - a->gsi_base) + 1,
			     acpi_info.cpu_apic_id[cpu] << 24);
	spin_unlock_irqrestore(&io_apic_lock, flags);
	return 0;
}

void arch_msi_free(unsigned irq)
{
	irqflags_t flags = spin_lock_irqsave(&io_apic_lock);

	msi_used[irq / 64] &= ~BIT(irq % 64);
	spin_unlock_irqrestore(&io_apic_lock, flags);
}

/* Moved away from the exceptions, in case one fires once more, and silenced. */
static void pic_disable(void)
{
	static const struct {
		u16 port;
		u8 vector, cascade;
	} pics[] = { { PIC_MASTER, PIC_VECTOR, 4 }, { PIC_SLAVE, PIC_VECTOR + 8, 2 } };
	for (unsigned i = 0; i < ARRAY_SIZE(pics); i++) {
		port_write8(pics[i].port, 0x11);
		port_write8(pics[i].port + 1, pics[i].vector);
		port_write8(pics[i].port + 1, pics[i].cascade);
		port_write8(pics[i].port + 1, 0x01);
		port_write8(pics[i].port + 1, 0xff);
	}
}

static void io_apic_add(paddr_t address, u32 gsi_base)
{
	struct io_apic *a = &io_apics[io_apic_count++];
	irqflags_t flags = spin_lock_irqsave(&io_apic_lock);

	a->registers = x86_map_device(address, 32);
	a->gsi_base = gsi_base;
	a->lines = (io_apic_read_locked(a, IO_APIC_VERSION) >> 16 & 0xff) + 1;
	for (u32 i = 0; i < a->lines; i++)
		io_apic_write_locked(a, IO_APIC_REDIRECTION + 2 * i, REDIRECTION_MASKED);
	spin_unlock_irqrestore(&io_apic_lock, flags);
}

void arch_irqchip_init(void)
{
	acpi_init();
	pic_disable();
	lapic_init();
	for (unsigned i = 0; i < acpi_info.io_apic_count; i++)
		io_apic_add(acpi_info.io_apics[i].address, acpi_info.io_apics[i].gsi_base);
	if (!io_apic_count)
		io_apic_add(IO_APIC_DEFAULT, 0);
	x86_smp_init();
}
