/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the core of virtio and what carries it. */
#pragma once

#include <dev/virtio/virtio.h>

#include <linux/virtio_ring.h>

#define VIRTIO_QUEUE_SIZE_MAX 256u

/* What registers or PCI capabilities can do. Functions may sleep unless they say otherwise. */
struct virtio_transport {
	bool (*modern)(const struct virtio_device *device); /* has FEATURES_OK, 64 feature bits */
	u64 (*features)(struct virtio_device *device);
	void (*set_features)(struct virtio_device *device, u64 features);
	u8 (*status)(struct virtio_device *device);
	void (*set_status)(struct virtio_device *device, u8 status);
	u32 (*generation)(struct virtio_device *device);
	/* 1, 2 or 4 bytes at an aligned offset. */
	u32 (*config_read)(struct virtio_device *device, u32 offset, u32 size);
	void (*config_write)(struct virtio_device *device, u32 offset, u32 value, u32 size);
	/* The entries that a queue may have; 0: there is no such queue. */
	unsigned (*queue_max)(struct virtio_device *device, unsigned index);
	/* Tells the device where the queue is and starts it; all queues exist in device->queues. 0 or -errno. */
	int (*queue_start)(struct virtio_device *device, struct virtio_queue *queue);
	/* Attaches interrupts before queues are started: virtio_queue_interrupt, virtio_config_interrupt. */
	int (*interrupts)(struct virtio_device *device,
			  const struct virtio_queue_request *requests);
	/* Any context. */
	void (*notify)(struct virtio_device *device, struct virtio_queue *queue);
};

/* A chain that the device has. */
struct virtio_slot {
	void *token;		  /* null: free */
	struct vring_desc *table; /* for indirect descriptors, kept for the next use */
	u16 table_size;
	u16 count; /* descriptors in the ring */
	u16 next;  /* free list, or the chain: the ring itself is the device's to scribble on */
	u32 in_bytes;
};

struct virtio_queue {
	struct virtio_device *device;
	const char *name;
	void (*used)(struct virtio_queue *queue);
	void *private;
	u16 index, size;
	bool event_index, indirect, polled;
	struct vring_desc *descriptors;
	struct vring_avail *available;
	struct vring_used *used_ring;
	unsigned ring_order; /* of the block of frames that the ring is */
	u16 free_head, free_count;
	u16 added, notified, taken; /* indices that run freely */
	u16 notify_offset;	    /* PCI's */
	u16 vector;		    /* PCI's */
	volatile void *notify_address;
	struct virtio_slot *slots;
};

/* Adds a device that a transport found; binds a driver. The structure stays. May sleep. */
void virtio_device_add(struct virtio_device *device);

/* The device has used buffers (any queue if null), or changed its configuration. Interrupt context. */
void virtio_queue_interrupt(struct virtio_queue *queue);
void virtio_config_interrupt(struct virtio_device *device);

[[nodiscard]] int virtio_queue_create(struct virtio_device *device, unsigned index,
				      const struct virtio_queue_request *request,
				      struct virtio_queue **out);
void virtio_queue_destroy(struct virtio_queue *queue);

/* The device does what none may: it is used no more. Any context. */
void virtio_break(struct virtio_device *device, const char *why);
