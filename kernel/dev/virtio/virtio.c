/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtio devices and drivers: binding, negotiation, configuration (Virtual I/O Device specification 1.2, 3.1). */
#include <core/log.h>
#include <core/time.h>
#include <core/wait.h>
#include <dev/virtio/virtio_priv.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>

#define CONFIG_READ_TRIES 16

static struct list_head devices = LIST_INIT(devices); /* written at boot only, by one thread */
static struct virtio_driver *drivers;

static void add_status(struct virtio_device *device, u8 bits)
{
	device->transport->set_status(device, device->transport->status(device) | bits);
}

/* The device is ready for a driver again, or has never been used: it forgets everything. */
static void reset(struct virtio_device *device)
{
	u64 deadline = clock_monotonic_ns() + NSEC_PER_SEC;

	device->transport->set_status(device, 0);
	while (device->transport->status(device) && clock_monotonic_ns() < deadline)
		delay_ns(1000);
}

static void try_bind(struct virtio_driver *driver, struct virtio_device *device)
{
	if (driver->type != device->type)
		return;
	device->driver = driver;
	reset(device);
	add_status(device, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	int error = driver->probe(device);
	if (!error)
		return;
	log_warning("%s: %s cannot use it: error %d", device->name, driver->name, -error);
	reset(device);
	add_status(device, VIRTIO_CONFIG_S_FAILED);
	device->driver = nullptr;
}

void virtio_driver_register(struct virtio_driver *driver)
{
	struct virtio_device *device;

	driver->next = drivers;
	drivers = driver;
	list_for_each (device, &devices, node)
		if (!device->driver)
			try_bind(driver, device);
}

void virtio_device_add(struct virtio_device *device)
{
	static unsigned count;

	snprintf(device->name_buffer, sizeof(device->name_buffer), "virtio%u", count++);
	device->name = device->name_buffer;
	list_add_tail(&devices, &device->node);
	for (struct virtio_driver *driver = drivers; driver && !device->driver;
	     driver = driver->next)
		try_bind(driver, device);
}

int virtio_negotiate(struct virtio_device *device, u64 wanted)
{
	const struct virtio_transport *t = device->transport;

	wanted |= BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_RING_F_EVENT_IDX);
	if (t->modern(device))
		wanted |= BIT(VIRTIO_F_VERSION_1);
	else
		wanted &= UINT32_MAX;
	device->features = t->features(device) & wanted;
	if (!t->modern(device)) {
		t->set_features(device, device->features);
		return 0;
	}
	if (!virtio_has(device, VIRTIO_F_VERSION_1))
		return -ENODEV;
	t->set_features(device, device->features);
	add_status(device, VIRTIO_CONFIG_S_FEATURES_OK);
	return t->status(device) & VIRTIO_CONFIG_S_FEATURES_OK ? 0 : -ENODEV;
}

static void config_read_once(struct virtio_device *device, u32 offset, u8 *to, u32 size)
{
	while (size) {
		u32 piece = !(offset & 3) && size >= 4 ? 4 : !(offset & 1) && size >= 2 ? 2 : 1;
		u32 value = device->transport->config_read(device, offset, piece);

		memcpy(to, &value, piece);
		to += piece;
		offset += piece;
		size -= piece;
	}
}

void virtio_config_read(struct virtio_device *device, u32 offset, void *to, u32 size)
{
	for (unsigned tries = CONFIG_READ_TRIES; tries; tries--) {
		u32 generation = device->transport->generation(device);

		config_read_once(device, offset, to, size);
		if (device->transport->generation(device) == generation)
			return;
	}
	virtio_break(device, "its configuration never holds still");
}

void virtio_config_write(struct virtio_device *device, u32 offset, const void *from, u32 size)
{
	const u8 *p = from;

	while (size) {
		u32 piece = !(offset & 3) && size >= 4 ? 4 : !(offset & 1) && size >= 2 ? 2 : 1;
		u32 value = 0;

		memcpy(&value, p, piece);
		device->transport->config_write(device, offset, value, piece);
		p += piece;
		offset += piece;
		size -= piece;
	}
}

static void queues_destroy(struct virtio_device *device)
{
	for (unsigned i = 0; i < device->queue_count; i++)
		virtio_queue_destroy(device->queues[i]);
	kfree(device->queues);
	device->queues = nullptr;
	device->queue_count = 0;
}

int virtio_queues_create(struct virtio_device *device, const struct virtio_queue_request *requests,
			 unsigned count, struct virtio_queue **queues)
{
	int error = -ENOMEM;

	device->queues = kcalloc(count, sizeof(*device->queues), 0);
	for (unsigned i = 0; device->queues && i < count; i++) {
		error = virtio_queue_create(device, i, &requests[i], &device->queues[i]);
		if (error)
			break;
		device->queue_count++;
	}
	if (!error)
		error = device->transport->interrupts(device, requests);
	for (unsigned i = 0; !error && i < count; i++)
		error = device->transport->queue_start(device, device->queues[i]);
	if (error) {
		reset(device);
		queues_destroy(device);
		return error;
	}
	for (unsigned i = 0; i < count; i++)
		queues[i] = device->queues[i];
	return 0;
}

void virtio_ready(struct virtio_device *device)
{
	add_status(device, VIRTIO_CONFIG_S_DRIVER_OK);
}

void virtio_stop(struct virtio_device *device)
{
	WRITE_ONCE(device->broken, true);
	reset(device);
}

void virtio_config_interrupt(struct virtio_device *device)
{
	if (device->driver && device->driver->config_changed)
		device->driver->config_changed(device);
}
