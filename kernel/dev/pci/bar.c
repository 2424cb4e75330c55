/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI base address registers: sizes, addresses, and the windows of host bridges they are given from. */
#include <core/log.h>
#include <dev/pci/pci_priv.h>

#include <linux/pci_regs.h>

#define FOUR_GIB (1ull << 32)

/* Takes from one window; 0 if it is full. */
static u64 window_take(struct pci_host *host, unsigned n, u64 size)
{
	const struct arch_pci_window *w = &host->arch.windows[n];
	u64 at = ALIGN_UP(w->bus + host->next_free[n], size);

	/* Bus address 0 means "not assigned". */
	if (!at)
		at = size;
	if (at - w->bus > w->size || size > w->size - (at - w->bus))
		return 0;
	host->next_free[n] = at - w->bus + size;
	return at;
}

u64 pci_window_take(struct pci_host *host, u64 size, bool wide)
{
	for (unsigned i = 0; i < host->arch.window_count; i++) {
		const struct arch_pci_window *w = &host->arch.windows[i];
		bool low = w->bus + w->size <= FOUR_GIB;
		u64 at = low || wide ? window_take(host, i, size) : 0;

		if (at)
			return at;
	}
	return 0;
}

u64 pci_window_align(struct pci_host *host, u64 alignment)
{
	for (unsigned i = 0; i < host->arch.window_count; i++) {
		const struct arch_pci_window *w = &host->arch.windows[i];

		if (w->bus + w->size > FOUR_GIB)
			continue;
		host->next_free[i] = ALIGN_UP(w->bus + host->next_free[i], alignment) - w->bus;
		return w->bus + host->next_free[i];
	}
	return 0;
}

u64 pci_window_to_cpu(const struct pci_host *host, u64 bus)
{
	for (unsigned i = 0; i < host->arch.window_count; i++) {
		const struct arch_pci_window *w = &host->arch.windows[i];

		if (bus - w->bus < w->size)
			return bus - w->bus + w->cpu;
	}
	return bus;
}

/* The size of what a register decodes: the bits that stay zero when ones are written. */
static u64 bar_size(struct pci_device *device, unsigned offset, bool wide, u64 mask)
{
	u32 low = pci_read32(device, offset), high = wide ? pci_read32(device, offset + 4) : 0;
	u64 bits;

	pci_write32(device, offset, UINT32_MAX);
	bits = pci_read32(device, offset) & mask;
	if (wide) {
		pci_write32(device, offset + 4, UINT32_MAX);
		bits |= (u64)pci_read32(device, offset + 4) << 32;
		pci_write32(device, offset + 4, high);
	} else {
		bits |= bits ? 0xffffffff00000000 : 0;
	}
	pci_write32(device, offset, low);
	/* The lowest bit that can be set; a device that answers nonsense has no BAR. */
	return bits & -bits;
}

static void bar_assign(struct pci_device *device, struct pci_bar *bar, unsigned offset, bool wide)
{
	/* Bridges have one window, below 4 GiB. */
	bar->bus = pci_window_take(device->host, MAX(bar->size, 4096ull),
				   wide && !device->bridge && bar->size > BIT(28));
	if (!bar->bus) {
		log_warning("%s: no room for a BAR of %llu bytes", device->name,
			    (unsigned long long)bar->size);
		return;
	}
	pci_write32(device, offset, (u32)bar->bus);
	if (wide)
		pci_write32(device, offset + 4, (u32)(bar->bus >> 32));
}

/* Returns how many registers the BAR takes. */
static unsigned bar_read(struct pci_device *device, unsigned n, bool last)
{
	struct pci_bar *bar = &device->bars[n];
	unsigned offset = PCI_BASE_ADDRESS_0 + 4 * n;
	u32 low = pci_read32(device, offset);
	bool wide = false;
	u64 mask;

	bar->io = low & PCI_BASE_ADDRESS_SPACE_IO;
	mask = bar->io ? (u32)PCI_BASE_ADDRESS_IO_MASK : (u32)PCI_BASE_ADDRESS_MEM_MASK;
	if (!bar->io) {
		u32 type = low & PCI_BASE_ADDRESS_MEM_TYPE_MASK;

		wide = type == PCI_BASE_ADDRESS_MEM_TYPE_64 && !last;
		bar->prefetchable = low & PCI_BASE_ADDRESS_MEM_PREFETCH;
	}
	bar->size = bar_size(device, offset, wide, mask);
	bar->bus = low & mask;
	if (wide)
		bar->bus |= (u64)pci_read32(device, offset + 4) << 32;
	if (bar->size && !bar->io) {
		if (device->host->arch.assign)
			bar_assign(device, bar, offset, wide);
		bar->cpu = bar->bus ? pci_window_to_cpu(device->host, bar->bus) : 0;
	}
	return wide ? 2 : 1;
}

void pci_bars_read(struct pci_device *device, unsigned count)
{
	u16 command = pci_read16(device, PCI_COMMAND);

	/* While a register holds ones the device would decode addresses of others. */
	pci_write16(device, PCI_COMMAND, command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
	for (unsigned n = 0; n < count;)
		n += bar_read(device, n, n + 1 == count);
	pci_write16(device, PCI_COMMAND, command);
}
