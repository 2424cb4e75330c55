/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GICv2m frames: a device that writes an SPI's number into a frame raises it (Arm SBSA, appendix E). */
#include <arch/barrier.h>
#include <arch/irqchip.h>
#include <core/lock.h>
#include <lib/errno.h>

#include "arm_priv.h"

#define MSI_TYPER 0x008
#define MSI_SETSPI_NS 0x040
#define FRAME_SPIS_MAX 256

static struct {
	paddr_t doorbell; /* 0: there is no frame */
	u32 first, count;
	u64 used[FRAME_SPIS_MAX / 64];
	struct spinlock lock;
} frame = { .lock = SPINLOCK_INIT(RANK_IRQ) };

void gicv2m_init(void)
{
	const struct device_tree *dt = &firmware_tree;
	dt_node node = device_tree_find_compatible(dt, DT_NONE, "arm,gic-v2m-frame");
	volatile char *registers;
	u64 address, size;

	if (node == DT_NONE || !device_tree_reg(dt, node, 0, &address, &size))
		return;
	registers = early_map_registers(node, 0);
	if (!registers)
		return;
	u32 type = mmio_read32(registers + MSI_TYPER);
	frame.first = type >> 16 & 0x3ff;
	frame.count = MIN(type & 0x3ff, (u32)FRAME_SPIS_MAX);
	(void)device_tree_cell(dt, node, "arm,msi-base-spi", 0, &frame.first);
	if (frame.first < 32 || frame.first + frame.count > IRQ_COUNT)
		return;
	frame.doorbell = address + MSI_SETSPI_NS;
}

int arch_msi_alloc(unsigned cpu, unsigned *irq, struct arch_msi *message)
{
	if (!frame.doorbell)
		return -ENODEV;
	irqflags_t flags = spin_lock_irqsave(&frame.lock);
	u32 n = 0;
	while (n < frame.count && frame.used[n / 64] & BIT(n % 64))
		n++;
	if (n < frame.count)
		frame.used[n / 64] |= BIT(n % 64);
	spin_unlock_irqrestore(&frame.lock, flags);
	if (n >= frame.count)
		return -ENOSPC;
	*irq = frame.first + n;
	*message = (struct arch_msi){ frame.doorbell, *irq };
	gic_route(*irq, cpu);
	return 0;
}

void arch_msi_free(unsigned irq)
{
	irqflags_t flags = spin_lock_irqsave(&frame.lock);

	frame.used[(irq - frame.first) / 64] &= ~BIT((irq - frame.first) % 64);
	spin_unlock_irqrestore(&frame.lock, flags);
}
