/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio over memory-mapped registers (Virtual I/O Device specification 1.2, 4.2), version 2 and the
 * legacy version 1. Devices come from the device tree or from the command line:
 * virtio_mmio.device=SIZE@ADDRESS:IRQ[:ID].
 */
#include <arch/barrier.h>
#include <core/command_line.h>
#include <core/irq.h>
#include <core/log.h>
#include <dev/virtio/virtio_buses.h>
#include <dev/virtio/virtio_priv.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/vmap.h>

#include <linux/virtio_mmio.h>

#define MAGIC 0x74726976u /* "virt" */
#define REGISTERS_MIN 0x100u
#define LEGACY_PAGE_SIZE 4096u
#define COMMAND_LINE_DEVICES 16

struct virtio_mmio {
	struct virtio_device device; /* first */
	volatile char *registers;
	u32 version;
	u32 config_size;
	unsigned irq;
	bool level;
};

static struct virtio_mmio *mmio_of(const struct virtio_device *device)
{
	return (struct virtio_mmio *)device;
}

static u32 get(struct virtio_mmio *vm, u32 offset)
{
	return mmio_read32(vm->registers + offset);
}

static void put(struct virtio_mmio *vm, u32 offset, u32 value)
{
	mmio_write32(vm->registers + offset, value);
}

static bool modern(const struct virtio_device *device)
{
	return mmio_of(device)->version >= 2;
}

static u64 features(struct virtio_device *device)
{
	struct virtio_mmio *vm = mmio_of(device);

	put(vm, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	u64 high = get(vm, VIRTIO_MMIO_DEVICE_FEATURES);
	put(vm, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
	return high << 32 | get(vm, VIRTIO_MMIO_DEVICE_FEATURES);
}

static void set_features(struct virtio_device *device, u64 bits)
{
	struct virtio_mmio *vm = mmio_of(device);

	put(vm, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	put(vm, VIRTIO_MMIO_DRIVER_FEATURES, (u32)(bits >> 32));
	put(vm, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	put(vm, VIRTIO_MMIO_DRIVER_FEATURES, (u32)bits);
}

static u8 status(struct virtio_device *device)
{
	return (u8)get(mmio_of(device), VIRTIO_MMIO_STATUS);
}

static void set_status(struct virtio_device *device, u8 value)
{
	struct virtio_mmio *vm = mmio_of(device);

	put(vm, VIRTIO_MMIO_STATUS, value);
	if (!value && vm->version == 1)
		put(vm, VIRTIO_MMIO_GUEST_PAGE_SIZE, LEGACY_PAGE_SIZE);
}

static u32 generation(struct virtio_device *device)
{
	struct virtio_mmio *vm = mmio_of(device);

	return vm->version >= 2 ? get(vm, VIRTIO_MMIO_CONFIG_GENERATION) : 0;
}

static u32 config_read(struct virtio_device *device, u32 offset, u32 size)
{
	struct virtio_mmio *vm = mmio_of(device);
	volatile char *at = vm->registers + VIRTIO_MMIO_CONFIG + offset;

	if (offset + size > vm->config_size)
		return 0;
	return size == 4 ? mmio_read32(at) : size == 2 ? mmio_read16(at) : mmio_read8(at);
}

static void config_write(struct virtio_device *device, u32 offset, u32 value, u32 size)
{
	struct virtio_mmio *vm = mmio_of(device);
	volatile char *at = vm->registers + VIRTIO_MMIO_CONFIG + offset;

	if (offset + size > vm->config_size)
		return;
	if (size == 4)
		mmio_write32(at, value);
	else if (size == 2)
		mmio_write16(at, (u16)value);
	else
		mmio_write8(at, (u8)value);
}

static unsigned queue_max(struct virtio_device *device, unsigned index)
{
	struct virtio_mmio *vm = mmio_of(device);

	put(vm, VIRTIO_MMIO_QUEUE_SEL, index);
	return get(vm, VIRTIO_MMIO_QUEUE_NUM_MAX);
}

static void put_address(struct virtio_mmio *vm, u32 low, const void *va)
{
	paddr_t pa = virt_to_phys(va);

	put(vm, low, (u32)pa);
	put(vm, low + 4, (u32)(pa >> 32));
}

static int queue_start(struct virtio_device *device, struct virtio_queue *q)
{
	struct virtio_mmio *vm = mmio_of(device);

	put(vm, VIRTIO_MMIO_QUEUE_SEL, q->index);
	put(vm, VIRTIO_MMIO_QUEUE_NUM, q->size);
	if (vm->version == 1) {
		put(vm, VIRTIO_MMIO_QUEUE_ALIGN, LEGACY_PAGE_SIZE);
		put(vm, VIRTIO_MMIO_QUEUE_PFN,
		    (u32)(virt_to_phys(q->descriptors) / LEGACY_PAGE_SIZE));
		return 0;
	}
	put_address(vm, VIRTIO_MMIO_QUEUE_DESC_LOW, q->descriptors);
	put_address(vm, VIRTIO_MMIO_QUEUE_AVAIL_LOW, q->available);
	put_address(vm, VIRTIO_MMIO_QUEUE_USED_LOW, q->used_ring);
	put(vm, VIRTIO_MMIO_QUEUE_READY, 1);
	return 0;
}

static void notify(struct virtio_device *device, struct virtio_queue *q)
{
	put(mmio_of(device), VIRTIO_MMIO_QUEUE_NOTIFY, q->index);
}

static bool interrupt(void *arg)
{
	struct virtio_mmio *vm = arg;
	u32 why = get(vm, VIRTIO_MMIO_INTERRUPT_STATUS);

	if (!why)
		return false;
	put(vm, VIRTIO_MMIO_INTERRUPT_ACK, why);
	if (why & VIRTIO_MMIO_INT_CONFIG)
		virtio_config_interrupt(&vm->device);
	for (unsigned i = 0; i < vm->device.queue_count; i++)
		virtio_queue_interrupt(vm->device.queues[i]);
	return true;
}

static int interrupts(struct virtio_device *device, const struct virtio_queue_request *requests)
{
	struct virtio_mmio *vm = mmio_of(device);

	return irq_register(vm->irq, vm->level, interrupt, vm, device->name);
}

static const struct virtio_transport mmio_transport = {
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

void virtio_mmio_add(paddr_t address, u64 size, unsigned irq, bool level)
{
	struct virtio_mmio *vm;

	if (size < REGISTERS_MIN || size > BIT(20))
		return;
	vm = kzalloc(sizeof(*vm), 0);
	if (!vm)
		return;
	vm->registers = vmap_device(address, size);
	if (!vm->registers)
		goto out_free;
	vm->config_size = (u32)size - VIRTIO_MMIO_CONFIG;
	vm->version = get(vm, VIRTIO_MMIO_VERSION);
	vm->device.type = get(vm, VIRTIO_MMIO_DEVICE_ID);
	vm->device.transport = &mmio_transport;
	vm->irq = irq;
	vm->level = level;
	/* Type 0 is a place without a device. */
	if (get(vm, VIRTIO_MMIO_MAGIC_VALUE) != MAGIC || !vm->device.type || !vm->version ||
	    vm->version > 2)
		goto out_unmap;
	virtio_device_add(&vm->device);
	return;

out_unmap:
	vunmap_device((void *)vm->registers);
out_free:
	kfree(vm);
}

/* --- the command line --- */

static struct {
	u64 size, address;
	u32 irq;
} command_line_devices[COMMAND_LINE_DEVICES];
static unsigned command_line_count;

static int parse_device(const char *value)
{
	char text[64];
	u64 size, address, irq;

	if (strlen(value) >= sizeof(text) || command_line_count == COMMAND_LINE_DEVICES)
		return -EINVAL;
	memcpy(text, value, strlen(value) + 1);
	char *at = strchr(text, '@'), *line = at ? strchr(at, ':') : nullptr;
	if (!line)
		return -EINVAL;
	*at++ = 0;
	*line++ = 0;
	char *id = strchr(line, ':');
	if (id)
		*id = 0;
	if (parse_size(text, &size) || parse_u64(at, 0, &address) || parse_u64(line, 0, &irq) ||
	    irq >= IRQ_COUNT)
		return -EINVAL;
	command_line_devices[command_line_count].size = size;
	command_line_devices[command_line_count].address = address;
	command_line_devices[command_line_count++].irq = (u32)irq;
	return 0;
}
KERNEL_PARAMETER("virtio_mmio.device=", parse_device);

void virtio_mmio_init(void)
{
	for (unsigned i = 0; i < command_line_count; i++)
		virtio_mmio_add(command_line_devices[i].address, command_line_devices[i].size,
				command_line_devices[i].irq, false);
}
