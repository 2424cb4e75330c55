/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GICv2 (Arm IHI 0048): a distributor and a memory-mapped interface of each CPU. */
#include <arch/barrier.h>
#include <arch/irqchip.h>
#include <core/lock.h>
#include <core/percpu.h>

#include "arm_priv.h"

#define GICD_CTLR 0x000
#define GICD_TYPER 0x004
#define GICD_ISENABLER 0x100
#define GICD_ICENABLER 0x180
#define GICD_ICACTIVER 0x380
#define GICD_IPRIORITYR 0x400
#define GICD_ITARGETSR 0x800
#define GICD_ICFGR 0xc00
#define GICD_SGIR 0xf00

#define GICC_CTLR 0x00
#define GICC_PMR 0x04
#define GICC_IAR 0x0c
#define GICC_EOIR 0x10

#define PRIORITY_ALL 0xa0a0a0a0u
#define PRIORITY_MASK 0xf0

static volatile char *distributor, *interface;
static u32 line_count;
static u8 cpu_targets[CPU_MAX];
static struct spinlock config_lock = SPINLOCK_INIT(RANK_IRQ);

static bool gicv2_init(dt_node node)
{
	u32 target;

	distributor = early_map_registers(node, 0);
	interface = early_map_registers(node, 1);
	if (!distributor || !interface)
		return false;
	mmio_write32(distributor + GICD_CTLR, 0);
	line_count = 32 * ((mmio_read32(distributor + GICD_TYPER) & 0x1f) + 1);
	target = mmio_read32(distributor + GICD_ITARGETSR) & 0xff;
	if (!target)
		target = 1; /* a single CPU reads as zero */
	target |= target << 8;
	target |= target << 16;
	for (u32 i = 32; i < line_count; i += 32) {
		mmio_write32(distributor + GICD_ICENABLER + i / 8, UINT32_MAX);
		mmio_write32(distributor + GICD_ICACTIVER + i / 8, UINT32_MAX);
	}
	for (u32 i = 32; i < line_count; i += 4) {
		mmio_write32(distributor + GICD_IPRIORITYR + i, PRIORITY_ALL);
		mmio_write32(distributor + GICD_ITARGETSR + i, target);
	}
	mmio_write32(distributor + GICD_CTLR, 1);
	return true;
}

static void gicv2_init_cpu(void)
{
	u8 target = (u8)mmio_read32(distributor + GICD_ITARGETSR);

	cpu_targets[cpu_id()] = target ? target : 1;
	mmio_write32(distributor + GICD_ICENABLER, 0xffff0000);
	mmio_write32(distributor + GICD_ISENABLER, 0x0000ffff);
	for (u32 i = 0; i < 32; i += 4)
		mmio_write32(distributor + GICD_IPRIORITYR + i, PRIORITY_ALL);
	mmio_write32(interface + GICC_PMR, PRIORITY_MASK);
	mmio_write32(interface + GICC_CTLR, 1);
}

static u32 gicv2_acknowledge(void)
{
	return mmio_read32(interface + GICC_IAR);
}

static void gicv2_end(u32 irq)
{
	mmio_write32(interface + GICC_EOIR, irq);
}

/* The trigger of SGIs and PPIs is fixed. */
static void set_trigger(u32 irq, bool level)
{
	volatile char *reg = distributor + GICD_ICFGR + irq / 16 * 4;
	u32 bit = 2u << irq % 16 * 2;
	irqflags_t flags = spin_lock_irqsave(&config_lock);
	u32 config = mmio_read32(reg);

	mmio_write32(reg, level ? config & ~bit : config | bit);
	spin_unlock_irqrestore(&config_lock, flags);
}

static void gicv2_unmask(u32 irq, bool level)
{
	if (irq >= line_count)
		return;
	if (irq >= 32)
		set_trigger(irq, level);
	mmio_write32(distributor + GICD_ISENABLER + irq / 32 * 4, BIT(irq % 32));
}

static void gicv2_mask(u32 irq)
{
	if (irq < line_count)
		mmio_write32(distributor + GICD_ICENABLER + irq / 32 * 4, BIT(irq % 32));
}

static void gicv2_send(unsigned cpu, u32 sgi)
{
	arch_mb(); /* what the interrupt is about must be visible before it arrives */
	mmio_write32(distributor + GICD_SGIR, (u32)cpu_targets[cpu] << 16 | sgi);
}

static void gicv2_route(u32 irq, unsigned cpu)
{
	if (irq < line_count && cpu < CPU_MAX && cpu_targets[cpu])
		mmio_write8(distributor + GICD_ITARGETSR + irq, cpu_targets[cpu]);
}

const struct irqchip gicv2_chip = {
	.name = "GICv2",
	.init = gicv2_init,
	.init_cpu = gicv2_init_cpu,
	.acknowledge = gicv2_acknowledge,
	.end = gicv2_end,
	.unmask = gicv2_unmask,
	.mask = gicv2_mask,
	.send = gicv2_send,
	.route = gicv2_route,
};
