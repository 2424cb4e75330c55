/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of the device tree that are no bus: serial ports, memory-mapped virtio devices. */
#include <arch/boot.h>
#include <arch/ports.h>
#include <dev/uart/uart.h>
#include <dev/virtio/virtio_buses.h>

#include "arm_priv.h"

#define SPI_BASE 32
#define INTERRUPT_TYPE_SPI 0
#define INTERRUPT_FLAGS_LEVEL 0xcu

/* The interrupt of a node: GIC cells are type, number, flags. */
static bool node_interrupt(dt_node node, u32 *irq)
{
	u32 type, number;

	if (!device_tree_cell(&firmware_tree, node, "interrupts", 0, &type) ||
	    !device_tree_cell(&firmware_tree, node, "interrupts", 1, &number) ||
	    type != INTERRUPT_TYPE_SPI || number >= 1020 - SPI_BASE)
		return false;
	*irq = SPI_BASE + number;
	return true;
}

static void virtio_devices_add(void)
{
	const struct device_tree *dt = &firmware_tree;
	dt_node node = device_tree_find_compatible(dt, DT_NONE, "virtio,mmio");
	u64 address, size;
	u32 irq, flags;

	for (; node != DT_NONE; node = device_tree_find_compatible(dt, node, "virtio,mmio"))
		if (device_tree_reg(dt, node, 0, &address, &size) && node_interrupt(node, &irq) &&
		    device_tree_cell(dt, node, "interrupts", 2, &flags))
			virtio_mmio_add(address, size, irq, flags & INTERRUPT_FLAGS_LEVEL);
}

void arch_devices_init(void)
{
	const struct device_tree *dt = &firmware_tree;
	dt_node node = device_tree_find_compatible(dt, DT_NONE, "arm,pl011");
	u64 address, size;
	u32 irq;

	for (int line = 0; node != DT_NONE;
	     node = device_tree_find_compatible(dt, node, "arm,pl011"))
		if (device_tree_reg(dt, node, 0, &address, &size) && node_interrupt(node, &irq))
			uart_pl011_register(line++, address, irq);
	virtio_devices_add();
}

const u32 arch_port_count = 0;

u32 arch_port_read(u32 port, unsigned size)
{
	(void)port;
	(void)size;
	return 0;
}

void arch_port_write(u32 port, u32 value, unsigned size)
{
	(void)port;
	(void)value;
	(void)size;
}
