/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of PCI share. */
#pragma once

#include <dev/pci/pci.h>

struct pci_host {
	struct arch_pci_host arch;
	volatile char *buses[256];     /* configuration space of a bus, mapped when first used */
	u64 next_free[PCI_WINDOW_MAX]; /* offset of what is not given to BARs yet */
	u8 next_bus;
};

/* Sizes the BARs of a device that is not in use, and gives addresses to those without if the host says so. */
void pci_bars_read(struct pci_device *device, unsigned count);

/* Takes `size` bytes, aligned to that, of a window below 4 GiB (or any, if `wide`). The bus address; 0: none left. */
u64 pci_window_take(struct pci_host *host, u64 size, bool wide);
/* Aligns what is given next, for the windows of bridges; returns its bus address. */
u64 pci_window_align(struct pci_host *host, u64 alignment);
/* The address on our side of an address on the bus. */
u64 pci_window_to_cpu(const struct pci_host *host, u64 bus);
