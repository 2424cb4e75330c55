/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI host bridges of the device tree: "pci-host-ecam-generic" (IEEE 1275 PCI bus binding). */
#include <arch/pci.h>
#include <lib/errno.h>

#include "arm_priv.h"

/* The first cell of a PCI address. */
#define SPACE_MASK 0x03000000u
#define SPACE_MEMORY32 0x02000000u
#define SPACE_MEMORY64 0x03000000u
#define DEVFN_SHIFT 8

#define GIC_SPI 0

static u32 cell(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static u64 cell_pair(const u8 *p)
{
	return (u64)cell(p) << 32 | cell(p + 4);
}

/* Entries of ranges: PCI address (3 cells), address of the parent (2 cells), size (2 cells). */
static void read_windows(dt_node node, struct arch_pci_host *host)
{
	u32 size;
	const u8 *p = device_tree_property(&firmware_tree, node, "ranges", &size);

	for (; p && size >= 28 && host->window_count < PCI_WINDOW_MAX; p += 28, size -= 28) {
		u32 space = cell(p) & SPACE_MASK;

		if (space != SPACE_MEMORY32 && space != SPACE_MEMORY64)
			continue;
		host->windows[host->window_count++] = (struct arch_pci_window){
			.bus = cell_pair(p + 4), .cpu = cell_pair(p + 12), .size = cell_pair(p + 20)
		};
	}
}

unsigned arch_pci_hosts(struct arch_pci_host *hosts, unsigned max)
{
	const struct device_tree *dt = &firmware_tree;
	const char *compatible = "pci-host-ecam-generic";
	dt_node node = device_tree_find_compatible(dt, DT_NONE, compatible);
	unsigned n = 0;

	for (; node != DT_NONE && n < max;
	     node = device_tree_find_compatible(dt, node, compatible)) {
		u64 address, size;
		u32 first = 0, last = 255, segment = n;

		if (!device_tree_reg(dt, node, 0, &address, &size))
			continue;
		(void)device_tree_cell(dt, node, "bus-range", 0, &first);
		(void)device_tree_cell(dt, node, "bus-range", 1, &last);
		(void)device_tree_cell(dt, node, "linux,pci-domain", 0, &segment);
		if (first > 255 || last > 255 || first > last || size >> 20 < last - first + 1)
			continue;
		hosts[n] = (struct arch_pci_host){ .ecam = address,
						   .segment = (u16)segment,
						   .bus_first = (u8)first,
						   .bus_last = (u8)last,
						   .assign = true,
						   .private = node };
		read_windows(node, &hosts[n++]);
	}
	return n;
}

/* Device trees describe machines with ECAM only. */
u32 arch_pci_config_read(unsigned bus, unsigned devfn, unsigned offset)
{
	return UINT32_MAX;
}

void arch_pci_config_write(unsigned bus, unsigned devfn, unsigned offset, u32 value)
{
}

/*
 * Entries of interrupt-map: PCI address (3 cells), pin, the controller's phandle, address and
 * interrupt in the controller's cells. The device part of the address and the pin are compared under a mask.
 */
int arch_pci_interrupt(const struct arch_pci_host *host, unsigned devfn, unsigned pin, u8 line)
{
	const struct device_tree *dt = &firmware_tree;
	u32 size, device_mask = 0xf800, pin_mask = 7;
	const u8 *p = device_tree_property(dt, host->private, "interrupt-map", &size);

	(void)device_tree_cell(dt, host->private, "interrupt-map-mask", 0, &device_mask);
	(void)device_tree_cell(dt, host->private, "interrupt-map-mask", 3, &pin_mask);
	while (p && size >= 20) {
		dt_node parent = device_tree_find_phandle(dt, cell(p + 16));
		u32 address_cells = 0, interrupt_cells = 0;

		if (parent == DT_NONE)
			break;
		(void)device_tree_cell(dt, parent, "#address-cells", 0, &address_cells);
		(void)device_tree_cell(dt, parent, "#interrupt-cells", 0, &interrupt_cells);
		if (address_cells > 4 || interrupt_cells != 3)
			break;
		u32 length = 20 + 4 * (address_cells + interrupt_cells);
		if (size < length)
			break;
		const u8 *interrupt = p + 20 + 4 * address_cells;
		if (((devfn << DEVFN_SHIFT ^ cell(p)) & device_mask) == 0 &&
		    ((pin ^ cell(p + 12)) & pin_mask) == 0 && cell(interrupt) == GIC_SPI &&
		    cell(interrupt + 4) < 988)
			return (int)cell(interrupt + 4) + 32;
		p += length;
		size -= length;
	}
	return -ENOENT;
}
