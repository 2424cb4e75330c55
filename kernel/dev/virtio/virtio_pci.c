/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio over PCI (Virtual I/O Device specification 1.2, 4.1): the modern layout, found through
 * vendor capabilities. Each queue has an MSI-X vector if there are enough, else all share one, else
 * the INTx line.
 */
#include <arch/barrier.h>
#include <core/log.h>
#include <dev/pci/pci.h>
#include <dev/virtio/virtio_buses.h>
#include <dev/virtio/virtio_priv.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>

#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>

#define VENDOR_RED_HAT 0x1af4
#define FIRST_TRANSITIONAL 0x1000
#define FIRST_MODERN 0x1040
#define LAST_MODERN 0x107f

struct virtio_pci {
	struct virtio_device device; /* first */
	struct pci_device *pci;
	volatile char *common, *notify, *isr, *config;
	u32 notify_multiplier;
	u64 notify_size;
	u32 config_size;
	unsigned vectors; /* in use; 0: INTx */
};

static struct virtio_pci *pci_of(const struct virtio_device *device)
{
	return (struct virtio_pci *)device;
}

#define COMMON(vp, field) ((vp)->common + offsetof(struct virtio_pci_common_cfg, field))

static bool modern(const struct virtio_device *device)
{
	return true;
}

static u64 features(struct virtio_device *device)
{
	struct virtio_pci *vp = pci_of(device);

	mmio_write32(COMMON(vp, device_feature_select), 1);
	u64 high = mmio_read32(COMMON(vp, device_feature));
	mmio_write32(COMMON(vp, device_feature_select), 0);
	return high << 32 | mmio_read32(COMMON(vp, device_feature));
}

static void set_features(struct virtio_device *device, u64 bits)
{
	struct virtio_pci *vp = pci_of(device);

	mmio_write32(COMMON(vp, guest_feature_select), 0);
	mmio_write32(COMMON(vp, guest_feature), (u32)bits);
	mmio_write32(COMMON(vp, guest_feature_select), 1);
	mmio_write32(COMMON(vp, guest_feature), (u32)(bits >> 32));
}

static u8 status(struct virtio_device *device)
{
	return mmio_read8(COMMON(pci_of(device), device_status));
}

static void set_status(struct virtio_device *device, u8 value)
{
	mmio_write8(COMMON(pci_of(device), device_status), value);
}

static u32 generation(struct virtio_device *device)
{
	return mmio_read8(COMMON(pci_of(device), config_generation));
}

static u32 config_read(struct virtio_device *device, u32 offset, u32 size)
{
	struct virtio_pci *vp = pci_of(device);

	if (!vp->config || offset + size > vp->config_size)
		return 0;
	return size == 4   ? mmio_read32(vp->config + offset)
	       : size == 2 ? mmio_read16(vp->config + offset)
			   : mmio_read8(vp->config + offset);
}

static void config_write(struct virtio_device *device, u32 offset, u32 value, u32 size)
{
	struct virtio_pci *vp = pci_of(device);

	if (!vp->config || offset + size > vp->config_size)
		return;
	if (size == 4)
		mmio_write32(vp->config + offset, value);
	else if (size == 2)
		mmio_write16(vp->config + offset, (u16)value);
	else
		mmio_write8(vp->config + offset, (u8)value);
}

static unsigned queue_max(struct virtio_device *device, unsigned index)
{
	struct virtio_pci *vp = pci_of(device);

	if (index >= mmio_read16(COMMON(vp, num_queues)))
		return 0;
	mmio_write16(COMMON(vp, queue_select), (u16)index);
	return mmio_read16(COMMON(vp, queue_size));
}

static void write_address(volatile char *at, const void *va)
{
	paddr_t pa = virt_to_phys(va);

	mmio_write32(at, (u32)pa);
	mmio_write32(at + 4, (u32)(pa >> 32));
}

static int queue_start(struct virtio_device *device, struct virtio_queue *q)
{
	struct virtio_pci *vp = pci_of(device);

	mmio_write16(COMMON(vp, queue_select), q->index);
	mmio_write16(COMMON(vp, queue_size), q->size);
	write_address(COMMON(vp, queue_desc_lo), q->descriptors);
	write_address(COMMON(vp, queue_avail_lo), q->available);
	write_address(COMMON(vp, queue_used_lo), q->used_ring);
	u64 at = (u64)mmio_read16(COMMON(vp, queue_notify_off)) * vp->notify_multiplier;
	if (at + 2 > vp->notify_size)
		return -EIO;
	q->notify_address = vp->notify + at;
	if (vp->vectors) {
		mmio_write16(COMMON(vp, queue_msix_vector), q->vector);
		if (mmio_read16(COMMON(vp, queue_msix_vector)) != q->vector)
			return -EIO;
	}
	mmio_write16(COMMON(vp, queue_enable), 1);
	return 0;
}

static void notify(struct virtio_device *device, struct virtio_queue *q)
{
	mmio_write16(q->notify_address, q->index);
}

/* --- interrupts --- */

static bool config_vector(void *arg)
{
	virtio_config_interrupt(arg);
	return true;
}

static bool queue_vector(void *arg)
{
	virtio_queue_interrupt(arg);
	return true;
}

static bool all_queues_vector(void *arg)
{
	struct virtio_device *device = arg;

	for (unsigned i = 0; i < device->queue_count; i++)
		virtio_queue_interrupt(device->queues[i]);
	return true;
}

/* Reading the status register acknowledges it. */
static bool intx(void *arg)
{
	struct virtio_pci *vp = arg;
	u8 why = mmio_read8(vp->isr);

	if (why & 2)
		virtio_config_interrupt(&vp->device);
	if (why & 1)
		all_queues_vector(&vp->device);
	return why;
}

/* Vector 0 tells of the configuration, 1 and on of queues. */
static int attach_vectors(struct virtio_pci *vp, const struct virtio_queue_request *requests,
			  unsigned available)
{
	struct virtio_device *device = &vp->device;
	int error = pci_msix_attach(vp->pci, 0, config_vector, device, device->name, 0);

	if (error)
		return error;
	if (available <= device->queue_count) {
		for (unsigned i = 0; i < device->queue_count; i++)
			device->queues[i]->vector = 1;
		vp->vectors = 2;
		return pci_msix_attach(vp->pci, 1, all_queues_vector, device, requests[0].name, 0);
	}
	for (unsigned i = 0; i < device->queue_count; i++) {
		device->queues[i]->vector = (u16)(i + 1);
		error = pci_msix_attach(vp->pci, i + 1, queue_vector, device->queues[i],
					requests[i].name, requests[i].cpu);
		if (error)
			return error;
	}
	vp->vectors = device->queue_count + 1;
	return 0;
}

static int interrupts(struct virtio_device *device, const struct virtio_queue_request *requests)
{
	struct virtio_pci *vp = pci_of(device);
	int available = pci_msix_enable(vp->pci);

	if (available >= 2) {
		int error = attach_vectors(vp, requests, (unsigned)available);

		if (!error)
			mmio_write16(COMMON(vp, msix_config), 0);
		return error;
	}
	return pci_intx_attach(vp->pci, intx, vp, device->name);
}

static const struct virtio_transport pci_transport = {
	.modern = modern,
	.features = features,
	.set_features = set_features,
	.status = status,
	.set_status = set_status,
	.generation = generation,
	.config_read = config_read,
	.config_write = config_write,
	.queue_max = queue_max,
	.queue_start = queue_start,
	.interrupts = interrupts,
	.notify = notify,
};

/* --- finding the device --- */

/* Maps the registers that the first capability of a type points at; null if there are none. */
static volatile char *map_capability(struct pci_device *pci, u8 type, u32 minimum, u8 *capability,
				     u32 *size)
{
	u8 at = 0;

	while ((at = pci_find_capability(pci, PCI_CAP_ID_VNDR, at))) {
		if (pci_read8(pci, at + VIRTIO_PCI_CAP_CFG_TYPE) != type)
			continue;
		*size = pci_read32(pci, at + VIRTIO_PCI_CAP_LENGTH);
		if (*size < minimum)
			return nullptr;
		*capability = at;
		return pci_map_bar(pci, pci_read8(pci, at + VIRTIO_PCI_CAP_BAR),
				   pci_read32(pci, at + VIRTIO_PCI_CAP_OFFSET), *size);
	}
	return nullptr;
}

static int probe(struct pci_device *pci)
{
	struct virtio_pci *vp;
	u32 size;
	u8 at;

	if (pci->device < FIRST_TRANSITIONAL || pci->device > LAST_MODERN)
		return -ENODEV;
	vp = kzalloc(sizeof(*vp), 0);
	if (!vp)
		return -ENOMEM;
	vp->pci = pci;
	vp->device.transport = &pci_transport;
	vp->device.type =
		pci->device >= FIRST_MODERN ? pci->device - FIRST_MODERN : pci->subsystem_device;
	pci_enable(pci);
	vp->common = map_capability(pci, VIRTIO_PCI_CAP_COMMON_CFG,
				    offsetof(struct virtio_pci_common_cfg, queue_used_hi) + 4, &at,
				    &size);
	vp->isr = map_capability(pci, VIRTIO_PCI_CAP_ISR_CFG, 1, &at, &size);
	vp->config = map_capability(pci, VIRTIO_PCI_CAP_DEVICE_CFG, 1, &at, &vp->config_size);
	vp->notify = map_capability(pci, VIRTIO_PCI_CAP_NOTIFY_CFG, 2, &at, &size);
	if (!vp->common || !vp->isr || !vp->notify) {
		/* Mappings stay: a device without the modern layout is nothing to plan for. */
		kfree(vp);
		return -ENODEV;
	}
	vp->notify_size = size;
	vp->notify_multiplier = pci_read32(pci, at + VIRTIO_PCI_NOTIFY_CAP_MULT);
	pci->private = vp;
	virtio_device_add(&vp->device);
	return 0;
}

void virtio_pci_init(void)
{
	static const struct pci_id ids[] = { { .vendor = VENDOR_RED_HAT, .device = PCI_ANY }, {} };
	static struct pci_driver driver = { .name = "virtio-pci", .ids = ids, .probe = probe };

	pci_driver_register(&driver);
}
