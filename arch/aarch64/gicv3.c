/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv3 (Arm IHI 0069): a distributor, a redistributor of each CPU, and system registers as the
 * CPU's interface. All interrupts are in non-secure group 1.
 */
#include <arch/barrier.h>
#include <arch/cpu.h>
#include <arch/irqchip.h>
#include <arch/smp.h>
#include <core/lock.h>
#include <core/percpu.h>

#include "arm_priv.h"

#define GICD_CTLR 0x0000
#define GICD_CTLR_ENABLE_GROUP1 BIT(1)
#define GICD_CTLR_AFFINITY BIT(4)
#define GICD_CTLR_PENDING BIT(31)
#define GICD_TYPER 0x0004
#define GICD_IROUTER 0x6000

/* The same in the distributor and in a redistributor's second frame. */
#define GIC_IGROUPR 0x080
#define GIC_ISENABLER 0x100
#define GIC_ICENABLER 0x180
#define GIC_ICACTIVER 0x380
#define GIC_IPRIORITYR 0x400
#define GIC_ICFGR 0xc00

#define GICR_CTLR 0x0000
#define GICR_CTLR_PENDING BIT(3)
#define GICR_TYPER 0x0008
#define GICR_TYPER_VLPI BIT(1)
#define GICR_TYPER_LAST BIT(4)
#define GICR_WAKER 0x0014
#define GICR_WAKER_SLEEP BIT(1)
#define GICR_WAKER_ASLEEP BIT(2)
#define GICR_FRAME 0x10000

#define PRIORITY_ALL 0xa0a0a0a0u
#define PRIORITY_MASK 0xf0
#define MPIDR_AFFINITY 0xff00fffffful

#define ICC_PMR_EL1 S3_0_C4_C6_0
#define ICC_SGI1R_EL1 S3_0_C12_C11_5
#define ICC_IAR1_EL1 S3_0_C12_C12_0
#define ICC_EOIR1_EL1 S3_0_C12_C12_1
#define ICC_BPR1_EL1 S3_0_C12_C12_3
#define ICC_CTLR_EL1 S3_0_C12_C12_4
#define ICC_SRE_EL1 S3_0_C12_C12_5
#define ICC_IGRPEN1_EL1 S3_0_C12_C12_7

#define read_icc(name) read_icc_(name)
#define read_icc_(name) read_sysreg(name)
#define write_icc(name, value) write_icc_(name, value)
#define write_icc_(name, value) write_sysreg(name, value)

#define REGIONS_MAX 8

static volatile char *distributor;
static volatile char *regions[REGIONS_MAX];
static u64 region_sizes[REGIONS_MAX];
static unsigned region_count;
static u32 line_count;
static DEFINE_PER_CPU(volatile char *, redistributor);
static struct spinlock config_lock = SPINLOCK_INIT(RANK_IRQ);

static void distributor_wait(void)
{
	while (mmio_read32(distributor + GICD_CTLR) & GICD_CTLR_PENDING)
		arch_pause();
}

static bool map_regions(dt_node node)
{
	u32 count = 1;
	u64 address;

	(void)device_tree_cell(&firmware_tree, node, "#redistributor-regions", 0, &count);
	for (u32 i = 0; i < MIN(count, (u32)REGIONS_MAX); i++) {
		if (!device_tree_reg(&firmware_tree, node, 1 + i, &address, &region_sizes[i]))
			return false;
		/* Never more than the CPUs we can start need. */
		region_sizes[i] = MIN(region_sizes[i], (u64)CPU_MAX * 4 * GICR_FRAME);
		regions[i] = early_map(address, region_sizes[i], MMU_WRITE | MMU_DEVICE);
		if (!regions[i])
			return false;
		region_count = i + 1;
	}
	return region_count;
}

static bool gicv3_init(dt_node node)
{
	u64 self = read_sysreg(mpidr_el1) & MPIDR_AFFINITY;

	distributor = early_map_registers(node, 0);
	if (!distributor || !map_regions(node))
		return false;
	mmio_write32(distributor + GICD_CTLR, 0);
	distributor_wait();
	line_count = MIN(32 * ((mmio_read32(distributor + GICD_TYPER) & 0x1f) + 1), 1020u);
	for (u32 i = 32; i < line_count; i += 32) {
		mmio_write32(distributor + GIC_ICENABLER + i / 8, UINT32_MAX);
		mmio_write32(distributor + GIC_ICACTIVER + i / 8, UINT32_MAX);
		mmio_write32(distributor + GIC_IGROUPR + i / 8, UINT32_MAX);
	}
	for (u32 i = 32; i < line_count; i += 4)
		mmio_write32(distributor + GIC_IPRIORITYR + i, PRIORITY_ALL);
	distributor_wait();
	mmio_write32(distributor + GICD_CTLR, GICD_CTLR_AFFINITY | GICD_CTLR_ENABLE_GROUP1);
	distributor_wait();
	for (u32 i = 32; i < line_count; i++)
		mmio_write64(distributor + GICD_IROUTER + 8 * i, self);
	return true;
}

/* The frame pair of this CPU, by the affinity in its type register. */
static volatile char *find_redistributor(void)
{
	u64 mpidr = read_sysreg(mpidr_el1);
	u32 affinity = (u32)((mpidr >> 32 & 0xff) << 24 | (mpidr & 0xffffff));

	for (unsigned i = 0; i < region_count; i++) {
		u64 type, at = 0;

		do {
			type = mmio_read64(regions[i] + at + GICR_TYPER);
			if (type >> 32 == affinity)
				return regions[i] + at;
			at += (type & GICR_TYPER_VLPI ? 4 : 2) * GICR_FRAME;
		} while (!(type & GICR_TYPER_LAST) && at < region_sizes[i]);
	}
	return nullptr;
}

static void redistributor_setup(volatile char *base)
{
	volatile char *sgi = base + GICR_FRAME;

	mmio_write32(base + GICR_WAKER, mmio_read32(base + GICR_WAKER) & (u32)~GICR_WAKER_SLEEP);
	while (mmio_read32(base + GICR_WAKER) & GICR_WAKER_ASLEEP)
		arch_pause();
	mmio_write32(sgi + GIC_IGROUPR, UINT32_MAX);
	mmio_write32(sgi + GIC_ICENABLER, UINT32_MAX);
	for (u32 i = 0; i < 32; i += 4)
		mmio_write32(sgi + GIC_IPRIORITYR + i, PRIORITY_ALL);
	while (mmio_read32(base + GICR_CTLR) & GICR_CTLR_PENDING)
		arch_pause();
	mmio_write32(sgi + GIC_ISENABLER, 0x0000ffff);
}

static void gicv3_init_cpu(void)
{
	volatile char *base = find_redistributor();

	this_cpu(redistributor) = base;
	write_icc(ICC_SRE_EL1, 7);
	isb();
	if (base)
		redistributor_setup(base);
	write_icc(ICC_PMR_EL1, PRIORITY_MASK);
	write_icc(ICC_BPR1_EL1, 0);
	write_icc(ICC_CTLR_EL1, 0);
	write_icc(ICC_IGRPEN1_EL1, 1);
	isb();
}

static u32 gicv3_acknowledge(void)
{
	u32 irq = (u32)read_icc(ICC_IAR1_EL1);

	arch_mb(); /* the acknowledgement reaches the redistributor before the handler touches the
		      device */
	return irq;
}

static void gicv3_end(u32 irq)
{
	write_icc(ICC_EOIR1_EL1, irq);
	isb();
}

/* The frame that controls an interrupt; null if there is none. */
static volatile char *frame_of(u32 irq)
{
	if (irq >= line_count)
		return nullptr;
	if (irq >= 32)
		return distributor;
	return this_cpu(redistributor) ? this_cpu(redistributor) + GICR_FRAME : nullptr;
}

static void gicv3_unmask(u32 irq, bool level)
{
	volatile char *base = frame_of(irq);
	u32 bit = 2u << irq % 16 * 2;

	if (!base)
		return;
	if (irq >= 32) {
		volatile char *reg = base + GIC_ICFGR + irq / 16 * 4;
		irqflags_t flags = spin_lock_irqsave(&config_lock);
		u32 config = mmio_read32(reg);

		mmio_write32(reg, level ? config & ~bit : config | bit);
		spin_unlock_irqrestore(&config_lock, flags);
	}
	mmio_write32(base + GIC_ISENABLER + irq / 32 * 4, BIT(irq % 32));
}

static void gicv3_mask(u32 irq)
{
	volatile char *base = frame_of(irq);

	if (!base)
		return;
	mmio_write32(base + GIC_ICENABLER + irq / 32 * 4, BIT(irq % 32));
	if (irq >= 32)
		distributor_wait();
}

static void gicv3_send(unsigned cpu, u32 sgi)
{
	u64 mpidr = cpu_mpidr(cpu);
	u64 target =
		(mpidr >> 32 & 0xff) << 48 | (mpidr >> 16 & 0xff) << 32 | (mpidr >> 8 & 0xff) << 16;

	arch_mb(); /* what the interrupt is about must be visible before it arrives */
	target |= (mpidr >> 4 & 0xf) << 44 | BIT(mpidr & 0xf) | (u64)sgi << 24;
	write_icc(ICC_SGI1R_EL1, target);
	isb();
}

static void gicv3_route(u32 irq, unsigned cpu)
{
	if (irq >= 32 && irq < line_count && cpu < arch_cpu_count())
		mmio_write64(distributor + GICD_IROUTER + 8 * irq, cpu_mpidr(cpu) & MPIDR_AFFINITY);
}

const struct irqchip gicv3_chip = {
	.name = "GICv3",
	.init = gicv3_init,
	.init_cpu = gicv3_init_cpu,
	.acknowledge = gicv3_acknowledge,
	.end = gicv3_end,
	.unmask = gicv3_unmask,
	.mask = gicv3_mask,
	.send = gicv3_send,
	.route = gicv3_route,
};
