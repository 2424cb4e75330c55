/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Arm generic interrupt controller: choice of the version by the device tree, and dispatch.
 * INTIDs: 0 to 15 are interrupts between CPUs (SGI), 16 to 31 those of one CPU's devices (PPI),
 * from 32 on shared ones (SPI).
 */
#include <arch/irqchip.h>
#include <arch/smp.h>
#include <arch/trap.h>
#include <core/irq.h>
#include <core/log.h>
#include <core/panic.h>
#include <lib/errno.h>

#include "arm_priv.h"

const struct own_interrupt_name arch_own_interrupts[OWN_INTERRUPTS] = {
	[OWN_TIMER] = { "LOC", "Local timer interrupts" },
	[OWN_RESCHEDULE] = { "IPI0", "Rescheduling interrupts" },
	[OWN_CALL] = { "IPI1", "Function call interrupts" },
};

#define INTID_MASK 0xffffff
#define FIRST_DEVICE_INTID 16
#define FIRST_SPECIAL_INTID 1020
#define FIRST_LPI 8192

static const struct irqchip *chip;

void arch_irqchip_init(void)
{
	static const struct {
		const char *compatible;
		const struct irqchip *chip;
	} known[] = {
		{ "arm,gic-v3", &gicv3_chip },	       { "arm,gic-400", &gicv2_chip },
		{ "arm,cortex-a15-gic", &gicv2_chip }, { "arm,cortex-a9-gic", &gicv2_chip },
		{ "arm,cortex-a7-gic", &gicv2_chip },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
		dt_node node =
			device_tree_find_compatible(&firmware_tree, DT_NONE, known[i].compatible);

		if (node == DT_NONE || !known[i].chip->init(node))
			continue;
		chip = known[i].chip;
		chip->init_cpu();
		gicv2m_init();
		log_info("interrupt controller: %s", chip->name);
		return;
	}
	panic("no supported interrupt controller in the device tree");
}

void gic_init_cpu(void)
{
	chip->init_cpu();
}

void gic_route(u32 irq, unsigned cpu)
{
	chip->route(irq, cpu);
}

int arch_irq_route(unsigned irq, unsigned cpu, struct arch_msi *message)
{
	if (cpu >= arch_cpu_count())
		return -EINVAL;
	chip->route(irq, cpu);
	return 0;
}

void arch_irq_unmask(unsigned irq, bool level)
{
	chip->unmask(irq, level);
}

void arch_irq_mask(unsigned irq)
{
	chip->mask(irq);
}

void arch_irq_end(unsigned irq)
{
	chip->end(irq);
}

void arch_ipi_send(unsigned cpu, enum ipi kind)
{
	chip->send(cpu, kind);
}

void gic_interrupt(struct trap_frame *frame)
{
	/* GICv2 puts the sender of an SGI into higher bits, which the end of the interrupt must
	 * repeat. */
	u32 acknowledged = chip->acknowledge();
	u32 irq = chip == &gicv2_chip ? acknowledged & 0x3ff : acknowledged & INTID_MASK;

	if (irq == timer_irq) {
		timer_acknowledge();
		chip->end(acknowledged);
		trap_timer(frame);
	} else if (irq < FIRST_DEVICE_INTID) {
		chip->end(acknowledged);
		ipi_received(frame, (enum ipi)irq);
	} else if (irq < FIRST_SPECIAL_INTID || irq >= FIRST_LPI) {
		trap_irq(frame, irq);
	}
}
