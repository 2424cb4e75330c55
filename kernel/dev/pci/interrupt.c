/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupts of PCI devices: MSI-X (PCI Local Bus Specification 3.0, 6.8.2), and the INTx lines. */
#include <arch/barrier.h>
#include <core/panic.h>
#include <dev/pci/pci_priv.h>
#include <lib/errno.h>

#include <linux/pci.h>
#include <linux/pci_regs.h>

#define ENTRY_ADDRESS 0
#define ENTRY_ADDRESS_HIGH 4
#define ENTRY_DATA 8
#define ENTRY_CONTROL 12
#define ENTRY_MASKED 1u

int pci_msix_enable(struct pci_device *device)
{
	u8 capability = pci_find_capability(device, PCI_CAP_ID_MSIX, 0);
	struct arch_msi probe;
	unsigned irq;

	if (!capability)
		return -ENODEV;
	int error = arch_msi_alloc(0, &irq, &probe);
	if (error)
		return error;
	arch_msi_free(irq);
	u16 control = pci_read16(device, capability + PCI_MSIX_FLAGS);
	u32 table = pci_read32(device, capability + PCI_MSIX_TABLE);
	device->msix_count = (control & PCI_MSIX_FLAGS_QSIZE) + 1;
	device->msix_table =
		pci_map_bar(device, table & PCI_MSIX_TABLE_BIR, table & (u32)PCI_MSIX_TABLE_OFFSET,
			    device->msix_count * PCI_MSIX_ENTRY_SIZE);
	if (!device->msix_table)
		return -ENODEV;
	device->msix_capability = capability;
	for (unsigned i = 0; i < device->msix_count; i++)
		mmio_write32(device->msix_table + i * PCI_MSIX_ENTRY_SIZE + ENTRY_CONTROL,
			     ENTRY_MASKED);
	pci_write16(device, PCI_COMMAND,
		    pci_read16(device, PCI_COMMAND) | PCI_COMMAND_INTX_DISABLE);
	control = (u16)((control & ~PCI_MSIX_FLAGS_MASKALL) | PCI_MSIX_FLAGS_ENABLE);
	pci_write16(device, capability + PCI_MSIX_FLAGS, control);
	return device->msix_count;
}

static void write_message(void *entry, const struct arch_msi *message)
{
	volatile char *at = entry;

	mmio_write32(at + ENTRY_ADDRESS, (u32)message->address);
	mmio_write32(at + ENTRY_ADDRESS_HIGH, (u32)(message->address >> 32));
	mmio_write32(at + ENTRY_DATA, message->data);
}

/* Another message while the device works: it is masked meanwhile, and remembers what it would have sent. */
static void change_message(void *entry, const struct arch_msi *message)
{
	volatile char *at = entry;

	mmio_write32(at + ENTRY_CONTROL, ENTRY_MASKED);
	write_message(entry, message);
	mmio_write32(at + ENTRY_CONTROL, 0);
}

int pci_msix_attach(struct pci_device *device, unsigned entry, irq_handler *handler, void *arg,
		    const char *name, unsigned cpu)
{
	char *at = (char *)device->msix_table + entry * PCI_MSIX_ENTRY_SIZE;
	struct arch_msi message;
	unsigned irq;

	ASSERT(device->msix_table && entry < device->msix_count);
	int error = arch_msi_alloc(cpu, &irq, &message);
	if (error)
		return error;
	error = irq_register(irq, false, handler, arg, name);
	if (error) {
		arch_msi_free(irq);
		return error;
	}
	write_message(at, &message);
	mmio_write32(at + ENTRY_CONTROL, 0);
	irq_set_sender(irq, cpu, change_message, at);
	return 0;
}

/* Behind a bridge, pins rotate by the slot (PCI-to-PCI Bridge Architecture Specification 1.2, 9.1). */
int pci_intx_attach(struct pci_device *device, irq_handler *handler, void *arg, const char *name)
{
	const struct pci_device *at = device;
	unsigned pin = pci_read8(device, PCI_INTERRUPT_PIN);

	if (!pin || pin > 4)
		return -ENODEV;
	for (; at->bridge; at = at->bridge)
		pin = (pin - 1 + PCI_SLOT(at->devfn)) % 4 + 1;
	int irq = arch_pci_interrupt(&device->host->arch, at->devfn, pin,
				     pci_read8(device, PCI_INTERRUPT_LINE));
	if (irq < 0)
		return -ENODEV;
	pci_write16(device, PCI_COMMAND,
		    pci_read16(device, PCI_COMMAND) & ~PCI_COMMAND_INTX_DISABLE);
	return irq_register((unsigned)irq, true, handler, arg, name);
}
