/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio devices (Virtual I/O Device specification 1.2) for their drivers, whatever carries them:
 * PCI or memory-mapped registers.
 *
 * A driver's probe: virtio_negotiate, virtio_queues_create, fill receive queues, virtio_ready. Queues
 * are split virtqueues with indirect descriptors and event index where the device has them. The
 * device is not trusted: tokens, indices and lengths that it returns are checked, and a device that
 * lies is marked broken: its queues take and return nothing more.
 */
#pragma once

#include <lib/list.h>
#include <lib/types.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

struct virtio_device;
struct virtio_queue;

struct virtio_driver {
	const char *name;
	u32 type; /* VIRTIO_ID_* */
	/* Takes the device into use. 0 or -errno. May sleep. */
	int (*probe)(struct virtio_device *device);
	/* The device's configuration has changed. Interrupt context; may be null. */
	void (*config_changed)(struct virtio_device *device);
	struct virtio_driver *next;
};

/* Adds a driver, at boot; probes the devices that are there and those that come. May sleep. */
void virtio_driver_register(struct virtio_driver *driver);

struct virtio_transport;
struct virtio_device {
	u32 type;	  /* VIRTIO_ID_* */
	u64 features;	  /* negotiated, after virtio_negotiate */
	bool broken;	  /* it lied, or does not answer */
	void *private;	  /* the driver's */
	const char *name; /* "virtio0" */
	/* The transport's and the core's: */
	const struct virtio_transport *transport;
	const struct virtio_driver *driver;
	struct virtio_queue **queues;
	unsigned queue_count;
	struct list_head node;
	char name_buffer[16];
};

/*
 * Chooses the features that both sides know: `wanted` are BIT(VIRTIO_*_F_*) of the driver; the core adds those of
 * the transport and the queues. 0, or -ENODEV if the device refuses. May sleep.
 */
[[nodiscard]] int virtio_negotiate(struct virtio_device *device, u64 wanted);

/* True if VIRTIO_*_F_ bit `bit` was negotiated. VIRTIO_F_VERSION_1: else a legacy device. */
static inline bool virtio_has(const struct virtio_device *device, unsigned bit)
{
	return device->features & BIT(bit);
}

/* The device's configuration space, little endian; `size` 1, 2, 4 or 8 reads atomically, others bytewise
 * and again until the generation holds still. May sleep. */
void virtio_config_read(struct virtio_device *device, u32 offset, void *to, u32 size);
void virtio_config_write(struct virtio_device *device, u32 offset, const void *from, u32 size);

struct virtio_queue_request {
	const char *name;  /* for /proc/interrupts; static */
	unsigned size_max; /* entries; 0: as many as the device has, up to 256 */
	/* Buffers were used. Interrupt context; take them here or later in a thread. Null: polled. */
	void (*used)(struct virtio_queue *queue);
	void *private; /* virtio_queue_private */
	unsigned cpu;  /* who gets the interrupt, if the machine can choose */
};

/*
 * Creates queues 0 to count - 1, each with an interrupt of its own when there are enough. `queues` gets them. 0,
 * -ENOENT (the device has fewer), -ENOMEM. Once per device. May sleep.
 */
[[nodiscard]] int virtio_queues_create(struct virtio_device *device,
				       const struct virtio_queue_request *requests, unsigned count,
				       struct virtio_queue **queues);

/* The driver is ready: the device may use its queues (DRIVER_OK). */
void virtio_ready(struct virtio_device *device);

/* Stops the device: it touches no memory and sends no interrupt afterwards. Tokens in queues stay the
 * driver's. May sleep. */
void virtio_stop(struct virtio_device *device);

void *virtio_queue_private(const struct virtio_queue *queue);
struct virtio_device *virtio_queue_device(const struct virtio_queue *queue);
unsigned virtio_queue_size(const struct virtio_queue *queue);
/* How many more chains of `buffers` buffers fit now (indirect descriptors make a chain one entry). */
unsigned virtio_queue_room(const struct virtio_queue *queue);

/* Physically contiguous memory. */
struct virtio_buffer {
	paddr_t address;
	u32 length; /* > 0 */
};

/* --- the driver excludes concurrent calls for one queue from here on --- */

/*
 * Offers a chain: `out` buffers that the device reads, then `in` buffers that it writes. `token` comes back from
 * virtio_queue_take; not null. 0, -ENOSPC (full: take, try again), -EIO (broken). Any context.
 */
[[nodiscard]] int virtio_queue_add(struct virtio_queue *queue, const struct virtio_buffer *buffers,
				   unsigned out, unsigned in, void *token);

/* Tells the device of what was added since the last time, unless it looks anyway. Any context. */
void virtio_queue_kick(struct virtio_queue *queue);

/* The next used chain's token, and how many bytes the device wrote (never more than the chain's `in`
 * bytes). Null: none. Any context. */
void *virtio_queue_take(struct virtio_queue *queue, u32 *written);

/*
 * Polling: interrupts are not wanted; are wanted again: false if buffers were used meanwhile (take them and try again).
 * Initially wanted if the request had a function.
 */
void virtio_queue_interrupts_off(struct virtio_queue *queue);
[[nodiscard]] bool virtio_queue_interrupts_on(struct virtio_queue *queue);

/* After virtio_stop, or of a broken device: hands back a token that the device has not used. Null: none. */
void *virtio_queue_detach(struct virtio_queue *queue);
