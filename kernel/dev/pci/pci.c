/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI: configuration space, the scan of the buses, binding of drivers.
 *
 * The scan goes depth first from each host bridge's first bus. Where firmware has numbered buses and
 * assigned BARs it is believed; where it has not (the host says `assign`), bridges get the next bus
 * number, and BARs addresses from the host's windows in the order of the scan, so that what lies behind a
 * bridge is contiguous and fits its one memory window.
 *
 * Devices are never removed: the list is written during the scan only, and read without a lock.
 */
#include <arch/barrier.h>
#include <core/log.h>
#include <core/panic.h>
#include <dev/pci/pci_priv.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <mm/slab.h>
#include <mm/vmap.h>

#include <linux/pci.h>
#include <linux/pci_regs.h>

#define BUS_SIZE 0x100000ul
#define BRIDGE_WINDOW 0x100000ul
#define BRIDGE_DEPTH_MAX 8

static struct pci_host *hosts[PCI_HOST_MAX];
static struct list_head devices = LIST_INIT(devices);
static struct pci_driver *drivers;

/* --- configuration space --- */

static volatile char *config_address(struct pci_host *host, unsigned bus, unsigned devfn,
				     unsigned offset)
{
	if (bus < host->arch.bus_first || bus > host->arch.bus_last)
		return nullptr;
	if (!host->buses[bus])
		host->buses[bus] = vmap_device(
			host->arch.ecam + (bus - host->arch.bus_first) * BUS_SIZE, BUS_SIZE);
	return host->buses[bus] ? host->buses[bus] + devfn * 4096 + offset : nullptr;
}

static u32 config_read(struct pci_host *host, unsigned bus, unsigned devfn, unsigned offset)
{
	if (!host->arch.ecam)
		return offset < 256 ? arch_pci_config_read(bus, devfn, offset) : UINT32_MAX;
	volatile char *at = config_address(host, bus, devfn, offset);
	return at ? mmio_read32(at) : UINT32_MAX;
}

u32 pci_read32(const struct pci_device *device, unsigned offset)
{
	return config_read(device->host, device->bus, device->devfn, offset);
}

u16 pci_read16(const struct pci_device *device, unsigned offset)
{
	return (u16)(pci_read32(device, offset & ~3u) >> (offset & 2) * 8);
}

u8 pci_read8(const struct pci_device *device, unsigned offset)
{
	return (u8)(pci_read32(device, offset & ~3u) >> (offset & 3) * 8);
}

void pci_write32(const struct pci_device *device, unsigned offset, u32 value)
{
	if (!device->host->arch.ecam) {
		if (offset < 256)
			arch_pci_config_write(device->bus, device->devfn, offset, value);
		return;
	}
	volatile char *at = config_address(device->host, device->bus, device->devfn, offset);
	if (at)
		mmio_write32(at, value);
}

void pci_write16(const struct pci_device *device, unsigned offset, u16 value)
{
	if (device->host->arch.ecam) {
		volatile char *at =
			config_address(device->host, device->bus, device->devfn, offset);
		if (at)
			mmio_write16(at, value);
		return;
	}
	/* Bits that are cleared by writing ones share a word with the command register only. */
	u32 word = pci_read32(device, offset & ~3u), shift = (offset & 2) * 8;
	if ((offset & ~3u) == PCI_COMMAND)
		word &= 0xffff;
	pci_write32(device, offset & ~3u, (word & ~(0xffffu << shift)) | (u32)value << shift);
}

u8 pci_find_capability(const struct pci_device *device, u8 id, u8 after)
{
	u8 at;

	if (!(pci_read16(device, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return 0;
	at = pci_read8(device, after ? after + PCI_CAP_LIST_NEXT : PCI_CAPABILITY_LIST) & 0xfc;
	/* The list may be a ring: as many steps as there is room for capabilities. */
	for (unsigned left = 48; at >= 0x40 && left; left--) {
		if (pci_read8(device, at) == id)
			return at;
		at = pci_read8(device, at + PCI_CAP_LIST_NEXT) & 0xfc;
	}
	return 0;
}

void pci_enable(const struct pci_device *device)
{
	pci_write16(device, PCI_COMMAND,
		    pci_read16(device, PCI_COMMAND) | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

void *pci_map_bar(const struct pci_device *device, unsigned bar, u64 offset, u64 size)
{
	const struct pci_bar *b;

	if (bar >= PCI_BAR_COUNT || !size)
		return nullptr;
	b = &device->bars[bar];
	if (b->io || !b->cpu || offset > b->size || size > b->size - offset)
		return nullptr;
	return vmap_device(b->cpu + offset, size);
}

/* --- drivers --- */

static bool id_matches(const struct pci_id *id, const struct pci_device *device)
{
	return (id->vendor == PCI_ANY || id->vendor == device->vendor) &&
	       (id->device == PCI_ANY || id->device == device->device) &&
	       (device->class & id->class_mask) == id->class;
}

static void try_bind(struct pci_driver *driver, struct pci_device *device)
{
	const struct pci_id *id = driver->ids;

	while (id->vendor && !id_matches(id, device))
		id++;
	if (!id->vendor)
		return;
	device->driver = driver;
	int error = driver->probe(device);
	if (error) {
		log_warning("%s: %s cannot use it: error %d", device->name, driver->name, -error);
		device->driver = nullptr;
	}
}

void pci_driver_register(struct pci_driver *driver)
{
	struct pci_device *device;

	driver->next = drivers;
	drivers = driver;
	list_for_each (device, &devices, node)
		if (!device->driver)
			try_bind(driver, device);
}

void pci_for_each(bool (*visit)(struct pci_device *device, void *arg), void *arg)
{
	struct pci_device *device;

	list_for_each (device, &devices, node)
		if (!visit(device, arg))
			break;
}

/* --- the scan --- */

static void scan_bus(struct pci_host *host, unsigned bus, struct pci_device *bridge,
		     unsigned depth);

/* Numbers the bus behind a bridge and opens the bridge's windows around what is found there. */
static void bridge_assign(struct pci_device *bridge, unsigned depth)
{
	struct pci_host *host = bridge->host;
	u32 word = pci_read32(bridge, PCI_PRIMARY_BUS) & 0xff000000;
	unsigned secondary = host->next_bus;

	if (secondary >= host->arch.bus_last)
		return;
	host->next_bus++;
	word |= bridge->bus | secondary << 8;
	pci_write32(bridge, PCI_PRIMARY_BUS, word | (u32)host->arch.bus_last << 16);
	u64 first = pci_window_align(host, BRIDGE_WINDOW);
	scan_bus(host, secondary, bridge, depth + 1);
	u64 last = pci_window_align(host, BRIDGE_WINDOW);
	pci_write32(bridge, PCI_PRIMARY_BUS, word | (u32)(host->next_bus - 1) << 16);
	/* Base above limit: closed. */
	u32 window = 0x0000fff0;
	if (last > first)
		window = (u32)(first >> 16 & 0xfff0) | (u32)((last - 1) & 0xfff00000);
	pci_write32(bridge, PCI_MEMORY_BASE, window);
	pci_write32(bridge, PCI_PREF_MEMORY_BASE, 0x0000fff0);
	pci_enable(bridge);
}

static void scan_bridge(struct pci_device *bridge, unsigned depth)
{
	if (depth >= BRIDGE_DEPTH_MAX)
		return;
	if (bridge->host->arch.assign) {
		bridge_assign(bridge, depth);
		return;
	}
	u8 secondary = pci_read8(bridge, PCI_SECONDARY_BUS);
	if (secondary > bridge->bus)
		scan_bus(bridge->host, secondary, bridge, depth + 1);
}

static struct pci_device *device_create(struct pci_host *host, unsigned bus, unsigned devfn,
					struct pci_device *bridge)
{
	struct pci_device *d = kzalloc(sizeof(*d), 0);

	if (!d)
		return nullptr;
	d->host = host;
	d->bus = (u8)bus;
	d->devfn = (u8)devfn;
	d->bridge = bridge;
	d->vendor = pci_read16(d, PCI_VENDOR_ID);
	d->device = pci_read16(d, PCI_DEVICE_ID);
	d->class = pci_read32(d, PCI_CLASS_REVISION) >> 8;
	d->revision = pci_read8(d, PCI_CLASS_REVISION);
	d->header_type = pci_read8(d, PCI_HEADER_TYPE) & 0x7f;
	snprintf(d->name, sizeof(d->name), "%04x:%02x:%02x.%u", host->arch.segment, bus,
		 PCI_SLOT(devfn), PCI_FUNC(devfn));
	list_add_tail(&devices, &d->node);
	return d;
}

static void scan_function(struct pci_host *host, unsigned bus, unsigned devfn,
			  struct pci_device *bridge, unsigned depth)
{
	struct pci_device *d = device_create(host, bus, devfn, bridge);

	if (!d)
		return;
	if (d->header_type == PCI_HEADER_TYPE_NORMAL) {
		d->subsystem_vendor = pci_read16(d, PCI_SUBSYSTEM_VENDOR_ID);
		d->subsystem_device = pci_read16(d, PCI_SUBSYSTEM_ID);
		pci_bars_read(d, 6);
	} else if (d->header_type == PCI_HEADER_TYPE_BRIDGE) {
		pci_bars_read(d, 2);
		scan_bridge(d, depth);
	}
}

static void scan_bus(struct pci_host *host, unsigned bus, struct pci_device *bridge, unsigned depth)
{
	for (unsigned slot = 0; slot < 32; slot++) {
		for (unsigned function = 0; function < 8; function++) {
			unsigned devfn = PCI_DEVFN(slot, function);
			u32 id = config_read(host, bus, devfn, PCI_VENDOR_ID);

			if (id == UINT32_MAX || !id) {
				if (!function)
					break;
				continue;
			}
			scan_function(host, bus, devfn, bridge, depth);
			u32 header = config_read(host, bus, devfn, PCI_HEADER_TYPE & ~3u);
			if (!function && !(header >> 16 & 0x80))
				break;
		}
	}
}

void pci_init(void)
{
	static struct arch_pci_host found[PCI_HOST_MAX];
	unsigned count = arch_pci_hosts(found, PCI_HOST_MAX), total = 0;
	struct pci_device *device;

	for (unsigned i = 0; i < count; i++) {
		hosts[i] = kzalloc(sizeof(*hosts[i]), 0);
		if (!hosts[i])
			panic("no memory for PCI");
		hosts[i]->arch = found[i];
		hosts[i]->next_bus = found[i].bus_first + 1;
		scan_bus(hosts[i], found[i].bus_first, nullptr, 0);
	}
	list_for_each (device, &devices, node)
		total++;
	if (total)
		log_info("PCI: %u devices", total);
}
