/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Contract: where PCI Express host bridges are, and what only firmware knows of them. */
#pragma once

#include <lib/types.h>

#define PCI_HOST_MAX 4
#define PCI_WINDOW_MAX 4

/* Addresses that the host bridge passes to its bus, for BARs that firmware did not assign. */
struct arch_pci_window {
	u64 cpu, bus, size;
};

struct arch_pci_host {
	paddr_t ecam; /* of bus_first; 0: arch_pci_config_read and arch_pci_config_write */
	u16 segment;
	u8 bus_first, bus_last;
	bool assign; /* no firmware has set BARs and bus numbers up */
	unsigned window_count;
	struct arch_pci_window windows[PCI_WINDOW_MAX]; /* memory */
	u32 private;
};

/* Fills in at most `max` host bridges and returns how many there are. */
unsigned arch_pci_hosts(struct arch_pci_host *hosts, unsigned max);

/* 32 bits of configuration space at a multiple of 4 below 256, where there is no ECAM. Any context. */
u32 arch_pci_config_read(unsigned bus, unsigned devfn, unsigned offset);
void arch_pci_config_write(unsigned bus, unsigned devfn, unsigned offset, u32 value);

/*
 * The interrupt of pin 1 to 4 (INTA to INTD) of a device on a root bus; `line` is its Interrupt Line register. -ENOENT
 * when firmware does not tell.
 */
[[nodiscard]] int arch_pci_interrupt(const struct arch_pci_host *host, unsigned devfn, unsigned pin,
				     u8 line);
