/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI host bridges of a PC: ECAM by the MCFG table, else configuration mechanism #1 (ports 0xcf8, 0xcfc). */
#include <arch/pci.h>
#include <core/lock.h>
#include <lib/errno.h>

#include "acpi.h"
#include "x86.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define CONFIG_ENABLE 0x80000000u

static struct spinlock config_lock = SPINLOCK_INIT(RANK_IRQ);

unsigned arch_pci_hosts(struct arch_pci_host *hosts, unsigned max)
{
	unsigned n = 0;

	for (; n < MIN(acpi_info.ecam_count, max); n++) {
		u8 first = acpi_info.ecams[n].bus_first;

		hosts[n] = (struct arch_pci_host){
			.ecam = acpi_info.ecams[n].address + ((u64)first << 20),
			.segment = acpi_info.ecams[n].segment,
			.bus_first = first,
			.bus_last = acpi_info.ecams[n].bus_last,
		};
	}
	if (n || !max)
		return n;
	port_write32(CONFIG_ADDRESS, CONFIG_ENABLE);
	if (port_read32(CONFIG_ADDRESS) != CONFIG_ENABLE)
		return 0;
	hosts[0] = (struct arch_pci_host){ .bus_last = 255 };
	return 1;
}

static void select_locked(unsigned bus, unsigned devfn, unsigned offset)
{
	port_write32(CONFIG_ADDRESS, CONFIG_ENABLE | bus << 16 | devfn << 8 | (offset & 0xfc));
}

u32 arch_pci_config_read(unsigned bus, unsigned devfn, unsigned offset)
{
	irqflags_t flags = spin_lock_irqsave(&config_lock);

	select_locked(bus, devfn, offset);
	u32 value = port_read32(CONFIG_DATA);
	spin_unlock_irqrestore(&config_lock, flags);
	return value;
}

void arch_pci_config_write(unsigned bus, unsigned devfn, unsigned offset, u32 value)
{
	irqflags_t flags = spin_lock_irqsave(&config_lock);

	select_locked(bus, devfn, offset);
	port_write32(CONFIG_DATA, value);
	spin_unlock_irqrestore(&config_lock, flags);
}

/* What the firmware routed the pin to: an ISA interrupt, which the I/O APIC gets too. */
int arch_pci_interrupt(const struct arch_pci_host *host, unsigned devfn, unsigned pin, u8 line)
{
	return line && line < ISA_IRQ_COUNT ? line : -ENOENT;
}
