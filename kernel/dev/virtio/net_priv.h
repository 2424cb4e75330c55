/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the network driver: the device (net.c), its pairs of queues (net_queue.c), commands (net_control.c). */
#pragma once

#include <core/lock.h>
#include <dev/virtio/virtio.h>
#include <net/device.h>
#include <net/merge.h>
#include <net/thread.h>

#include <linux/virtio_net.h>

#define VIRTIO_NET_RECEIVE_ENTRIES 256u

struct virtio_net_counts {
	u64 packets, bytes, drops, kicks;
};

/* A pair of queues. */
struct virtio_net_pair {
	struct virtio_net *net;
	struct virtio_queue *receive, *transmit;
	struct net_task receive_task, transmit_task;
	struct packet_merger merger;	   /* the receive task's */
	struct virtio_net_counts received; /* the receive task's */
	struct spinlock transmit_lock;	   /* RANK_NET_DEVICE */
	struct packet_queue waiting __guarded_by(&transmit_lock);
	struct virtio_net_counts sent __guarded_by(&transmit_lock);
};

struct virtio_net {
	struct net_device device;
	struct virtio_device *virtio;
	struct net_task config_task;
	unsigned header; /* bytes of the header in front of each packet */
	bool merges;
	/* Commands are given one at a time, under the device's network->config or before it is registered. */
	struct virtio_queue *control; /* null: none, or it does not answer */
	struct virtio_net_command *command;
	unsigned pair_count,
		active; /* that there are; in use, written with the configuration held */
	struct virtio_net_pair pairs[] __counted_by(pair_count);
};

static inline struct virtio_net *virtio_net_of(const struct net_device *device)
{
	return device->private;
}

/* --- net_queue.c --- */

/* Prepares pair number `number`, whose queues will be set before the device is ready. */
void virtio_net_pair_init(struct virtio_net_pair *pair, struct virtio_net *net, unsigned number);
/* Interrupts of the queues, whose private is the pair. */
void virtio_net_receive_used(struct virtio_queue *queue);
void virtio_net_transmit_used(struct virtio_queue *queue);
/* Has the pair's receive queue filled by its task, soon. Any context. */
void virtio_net_pair_start(struct virtio_net_pair *pair);
/* Gives the receive queue buffers; before the device is ready, or by the pair's own task. */
void virtio_net_refill(struct virtio_net_pair *pair);
/* net_device_ops. */
void virtio_net_transmit(struct net_device *device, struct packet *packet);
bool virtio_net_statistic(const struct net_device *device, unsigned number,
			  char name[NET_STATISTIC_NAME], u64 *value);

/* --- net_control.c --- */

/* Tells the device to use the first `count` pairs. 0, -EINVAL, -EIO. May sleep. */
[[nodiscard]] int virtio_net_set_pairs(struct virtio_net *n, unsigned count);
/* net_device_ops. */
[[nodiscard]] int virtio_net_set_address(struct net_device *device, const u8 *address);
/* The memory that commands need. Null without. */
struct virtio_net_command *virtio_net_command_alloc(void);
