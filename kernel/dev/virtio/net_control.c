/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands to a network device (Virtual I/O Device specification 1.2, 5.1.6.5). One at a time; the device that leaves one without
 * an answer is given no other, and the memory of that one stays its own.
 */
#include <core/log.h>
#include <core/time.h>
#include <dev/virtio/net_priv.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <sched/thread.h>

#include <linux/if_ether.h>

#define ANSWER_NS (2 * NSEC_PER_SEC)
#define LOOK_NS (100 * NSEC_PER_USEC)

struct virtio_net_command {
	struct virtio_net_ctrl_hdr header;
	u8 data[ETH_ALEN];
	u8 answer;
};

struct virtio_net_command *virtio_net_command_alloc(void)
{
	return kzalloc(sizeof(struct virtio_net_command), 0);
}

/* 0 when the device says that it did it, else -EIO. */
static int command(struct virtio_net *n, u8 class, u8 what, const void *data, u32 length)
{
	struct virtio_net_command *c = n->command;
	const struct virtio_buffer buffers[] = {
		{ virt_to_phys(&c->header), sizeof(c->header) },
		{ virt_to_phys(c->data), length },
		{ virt_to_phys(&c->answer), sizeof(c->answer) },
	};
	u64 deadline = clock_monotonic_ns() + ANSWER_NS;
	u32 unused;

	if (!n->control)
		return -EIO;
	c->header = (struct virtio_net_ctrl_hdr){ .class = class, .cmd = what };
	memcpy(c->data, data, length);
	c->answer = VIRTIO_NET_ERR;
	if (virtio_queue_add(n->control, buffers, 2, 1, c))
		return -EIO;
	virtio_queue_kick(n->control);
	while (!virtio_queue_take(n->control, &unused)) {
		if (clock_monotonic_ns() > deadline) {
			log_error("%s: no answer to a command", n->virtio->name);
			n->control = nullptr;
			return -EIO;
		}
		thread_sleep_ns(LOOK_NS);
	}
	return READ_ONCE(c->answer) == VIRTIO_NET_OK ? 0 : -EIO;
}

int virtio_net_set_pairs(struct virtio_net *n, unsigned count)
{
	const struct virtio_net_ctrl_mq pairs = { .virtqueue_pairs = (__virtio16)count };
	int error;

	if (!count || count > n->pair_count)
		return -EINVAL;
	if (n->pair_count == 1)
		return 0;
	error = command(n, VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, &pairs,
			sizeof(pairs));
	if (!error)
		WRITE_ONCE(n->active, count);
	return error;
}

int virtio_net_set_address(struct net_device *device, const u8 *address)
{
	struct virtio_net *n = virtio_net_of(device);
	int error;

	if (virtio_has(n->virtio, VIRTIO_NET_F_CTRL_MAC_ADDR))
		error = command(n, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, address,
				ETH_ALEN);
	else
		error = -EOPNOTSUPP;
	return error ? error : net_device_take_address(device, address);
}
