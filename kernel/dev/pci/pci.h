/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI Express: devices, found at boot on every bus, and the drivers that bind to them by id tables
 * (PCI Express Base Specification 5.0, chapter 7; PCI Local Bus Specification 3.0).
 */
#pragma once

#include <arch/pci.h>
#include <core/irq.h>
#include <lib/list.h>
#include <lib/types.h>

#define PCI_ANY 0xffffu
#define PCI_BAR_COUNT 6

struct pci_host;
struct pci_driver;

struct pci_bar {
	u64 bus, cpu; /* addresses as the device and as we see it; cpu 0: not assigned */
	u64 size;     /* 0: there is none */
	bool io, prefetchable;
};

struct pci_device {
	struct pci_host *host;
	struct pci_device *bridge; /* it is behind; null on a root bus */
	u8 bus, devfn;
	u16 vendor, device, subsystem_vendor, subsystem_device;
	u32 class; /* class, subclass, programming interface: 24 bits */
	u8 revision, header_type;
	struct pci_bar bars[PCI_BAR_COUNT];
	const struct pci_driver *driver;
	void *private; /* the driver's */
	struct list_head node;
	char name[16]; /* "0000:00:01.0" */
	/* MSI-X: */
	u8 msix_capability;
	u16 msix_count;
	volatile char *msix_table;
};

/* What a driver binds to; PCI_ANY matches everything. The table ends with vendor 0. */
struct pci_id {
	u16 vendor, device;
	u32 class, class_mask; /* device->class & class_mask == class */
};

struct pci_driver {
	const char *name;
	const struct pci_id *ids;
	/* Takes a device into use: 0 or -errno. May sleep. */
	int (*probe)(struct pci_device *device);
	struct pci_driver *next;
};

/* Adds a driver and binds it to the devices that match and have none. At boot. May sleep. */
void pci_driver_register(struct pci_driver *driver);

/* Calls visit for every device until it returns false. */
void pci_for_each(bool (*visit)(struct pci_device *device, void *arg), void *arg);

/* Configuration space; `offset` is aligned to the size and below 4096 (below 256 without ECAM: all ones beyond). */
u8 pci_read8(const struct pci_device *device, unsigned offset);
u16 pci_read16(const struct pci_device *device, unsigned offset);
u32 pci_read32(const struct pci_device *device, unsigned offset);
void pci_write16(const struct pci_device *device, unsigned offset, u16 value);
void pci_write32(const struct pci_device *device, unsigned offset, u32 value);

/* The next capability `id` (PCI_CAP_ID_*) behind offset `after` (0: the first); 0 if there is none. */
u8 pci_find_capability(const struct pci_device *device, u8 id, u8 after);

/* Maps [offset, offset + size) of a memory BAR; null if it does not lie in the BAR or memory runs out. May sleep. */
[[nodiscard]] void *pci_map_bar(const struct pci_device *device, unsigned bar, u64 offset,
				u64 size);

/* Lets the device decode its memory and be a bus master. */
void pci_enable(const struct pci_device *device);

/* Turns MSI-X on, all entries masked. How many there are, or -ENODEV. May sleep. */
[[nodiscard]] int pci_msix_enable(struct pci_device *device);

/* Attaches a handler to an MSI-X entry and unmasks it. 0, -ENOSPC, -ENODEV, -ENOMEM. May sleep. */
[[nodiscard]] int pci_msix_attach(struct pci_device *device, unsigned entry, irq_handler *handler,
				  void *arg, const char *name, unsigned cpu);

/* Attaches a handler to the device's INTx line, which may be shared. 0, -ENODEV, -ENOMEM. */
[[nodiscard]] int pci_intx_attach(struct pci_device *device, irq_handler *handler, void *arg,
				  const char *name);

/* Boot: finds the devices. In a thread. */
void pci_init(void);
