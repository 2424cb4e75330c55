/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network device (Virtual I/O Device specification 1.2, 5.1) as an Ethernet device: features, configuration, how many queues.
 * There is a pair of queues for each CPU if the device has as many, or as `ethtool -L` says (VIRTIO_NET_F_MQ).
 *
 * The device is not trusted: lengths, counts and header fields are checked in net_queue.c, tokens in the core.
 */
#include <arch/smp.h>
#include <core/log.h>
#include <core/random.h>
#include <dev/virtio/net_priv.h>
#include <dev/virtio/virtio_buses.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>

#include <linux/if_arp.h>
#include <linux/if_ether.h>

#define PAIRS_MAX 16u

/* --- Configuration --- */

static void read_status(struct net_task *task)
{
	struct virtio_net *n = container_of(task, struct virtio_net, config_task);
	u16 status = VIRTIO_NET_S_LINK_UP;

	if (virtio_has(n->virtio, VIRTIO_NET_F_STATUS))
		virtio_config_read(n->virtio, offsetof(struct virtio_net_config, status), &status,
				   sizeof(status));
	net_device_set_carrier(&n->device, status & VIRTIO_NET_S_LINK_UP);
}

static void config_changed(struct virtio_device *virtio)
{
	struct virtio_net *n = virtio->private;

	if (n)
		net_task_queue(&n->config_task);
}

static void channels(const struct net_device *device, u32 *maximum, u32 *used)
{
	const struct virtio_net *n = virtio_net_of(device);

	*maximum = n->pair_count;
	*used = n->active;
}

static int set_channels(struct net_device *device, u32 count)
{
	struct virtio_net *n = virtio_net_of(device);
	int error = virtio_net_set_pairs(n, count);

	for (unsigned i = 0; !error && i < count; i++)
		virtio_net_pair_start(&n->pairs[i]);
	return error;
}

static const struct net_device_ops virtio_net_ops = {
	.transmit = virtio_net_transmit,
	.set_address = virtio_net_set_address,
	.channels = channels,
	.set_channels = set_channels,
	.statistic = virtio_net_statistic,
	.driver = "virtio_net",
};

static void read_config(struct virtio_net *n)
{
	struct net_device *d = &n->device;
	u16 mtu = 0;

	if (virtio_has(n->virtio, VIRTIO_NET_F_MAC)) {
		virtio_config_read(n->virtio, 0, d->address, ETH_ALEN);
	} else {
		random_bytes(d->address, ETH_ALEN);
		d->address[0] = (u8)((d->address[0] & 0xfe) | 2);
	}
	d->mtu = ETH_DATA_LEN;
	d->mtu_max = 65535 - ETH_HLEN;
	if (!n->merges)
		d->mtu_max = ETH_DATA_LEN;
	if (virtio_has(n->virtio, VIRTIO_NET_F_MTU)) {
		virtio_config_read(n->virtio, offsetof(struct virtio_net_config, mtu), &mtu,
				   sizeof(mtu));
		if (mtu >= 68 && mtu <= d->mtu_max)
			d->mtu = d->mtu_max = mtu;
	}
	if (virtio_has(n->virtio, VIRTIO_NET_F_CSUM)) {
		d->features |= DEVICE_CHECKSUM;
		if (virtio_has(n->virtio, VIRTIO_NET_F_HOST_TSO4))
			d->features |= DEVICE_SEGMENT_TCP4;
		if (virtio_has(n->virtio, VIRTIO_NET_F_HOST_TSO6))
			d->features |= DEVICE_SEGMENT_TCP6;
	}
}

static void fill_device(struct virtio_net *n)
{
	struct net_device *d = &n->device;

	d->type = ARPHRD_ETHER;
	d->flags = IFF_BROADCAST | IFF_MULTICAST;
	d->address_length = ETH_ALEN;
	d->header_length = ETH_HLEN;
	memset(d->broadcast, 0xff, ETH_ALEN);
	d->mtu_min = 68;
	d->transmit_queue_length = 1000;
	d->ops = &virtio_net_ops;
	d->private = n;
	for (unsigned i = 0; i < n->pair_count; i++)
		virtio_net_pair_init(&n->pairs[i], n, i);
	net_task_init(&n->config_task, read_status);
}

#define FEATURES                                                                                   \
	(BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_MAC) |           \
	 BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6) | BIT(VIRTIO_NET_F_HOST_ECN) |  \
	 BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6) |                             \
	 BIT(VIRTIO_NET_F_GUEST_ECN) | BIT(VIRTIO_NET_F_MRG_RXBUF) | BIT(VIRTIO_NET_F_STATUS) |    \
	 BIT(VIRTIO_NET_F_MTU))
#define LARGE_RECEIVE                                                                              \
	(BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6) | BIT(VIRTIO_NET_F_GUEST_ECN))

#define COMMANDS (BIT(VIRTIO_NET_F_CTRL_VQ) | BIT(VIRTIO_NET_F_CTRL_MAC_ADDR))

/* Queue 2i receives and 2i + 1 sends for pair i; the queue of commands comes last. */
static int create_queues(struct virtio_net *n)
{
	bool commands = virtio_has(n->virtio, VIRTIO_NET_F_CTRL_VQ);
	unsigned count = 2 * n->pair_count + commands;
	struct virtio_queue_request requests[2 * PAIRS_MAX + 1] = {};
	struct virtio_queue *queues[2 * PAIRS_MAX + 1];
	int error;

	for (unsigned i = 0; i < n->pair_count; i++) {
		unsigned cpu = i % arch_cpu_count();

		requests[2 * i] =
			(struct virtio_queue_request){ .name = "virtio-net receive",
						       .size_max = VIRTIO_NET_RECEIVE_ENTRIES,
						       .used = virtio_net_receive_used,
						       .private = &n->pairs[i],
						       .cpu = cpu };
		requests[2 * i + 1] =
			(struct virtio_queue_request){ .name = "virtio-net transmit",
						       .used = virtio_net_transmit_used,
						       .private = &n->pairs[i],
						       .cpu = cpu };
	}
	requests[2 * n->pair_count] = (struct virtio_queue_request){ .name = "virtio-net control" };
	error = virtio_queues_create(n->virtio, requests, count, queues);
	if (error)
		return error;
	for (unsigned i = 0; i < n->pair_count; i++) {
		n->pairs[i].receive = queues[2 * i];
		n->pairs[i].transmit = queues[2 * i + 1];
		virtio_queue_interrupts_off(n->pairs[i].transmit);
	}
	if (commands)
		n->control = queues[2 * n->pair_count];
	return 0;
}

static int start(struct virtio_net *n)
{
	unsigned wanted = MIN(n->pair_count, arch_cpu_count());
	int error = create_queues(n);

	if (error)
		return error;
	n->virtio->private = n;
	n->active = 1;
	for (unsigned i = 0; i < wanted; i++)
		virtio_net_refill(&n->pairs[i]);
	virtio_ready(n->virtio);
	for (unsigned i = 0; i < wanted; i++)
		virtio_queue_kick(n->pairs[i].receive);
	if (virtio_net_set_pairs(n, wanted))
		log_error("%s: it keeps to one pair of queues", n->virtio->name);
	return net_device_register(&initial_network, &n->device, "eth%d");
}

/* Agrees on features, and on how many pairs of queues there are. */
static int negotiate(struct virtio_device *virtio, unsigned *pairs)
{
	u64 wanted = FEATURES | COMMANDS;
	u16 maximum = 1;
	int error;

	if (arch_cpu_count() > 1)
		wanted |= BIT(VIRTIO_NET_F_MQ);
	error = virtio_negotiate(virtio, wanted);
	if (!error && virtio_has(virtio, VIRTIO_NET_F_MQ))
		virtio_config_read(virtio, offsetof(struct virtio_net_config, max_virtqueue_pairs),
				   &maximum, sizeof(maximum));
	*pairs = maximum;
	/* The queue of commands is behind all pairs: a device with very many, or none, has to do with one. */
	if (virtio_has(virtio, VIRTIO_NET_F_MQ) &&
	    (!maximum || maximum > PAIRS_MAX || !virtio_has(virtio, VIRTIO_NET_F_CTRL_VQ))) {
		wanted &= ~BIT(VIRTIO_NET_F_MQ);
		*pairs = 1;
		error = virtio_negotiate(virtio, wanted);
	}
	/* Without mergeable buffers a page would not hold a large packet. */
	if (!error && !virtio_has(virtio, VIRTIO_NET_F_MRG_RXBUF) &&
	    (virtio->features & LARGE_RECEIVE))
		error = virtio_negotiate(virtio, wanted & ~LARGE_RECEIVE);
	return error;
}

static int probe(struct virtio_device *virtio)
{
	struct virtio_net *n;
	unsigned pairs;
	int error = negotiate(virtio, &pairs);

	if (error)
		return error;
	error = net_threads_start(MIN(pairs, arch_cpu_count()));
	if (error)
		return error;
	n = kzalloc(sizeof(*n) + pairs * sizeof(n->pairs[0]), 0);
	if (!n)
		return -ENOMEM;
	n->pair_count = pairs;
	n->virtio = virtio;
	n->merges = virtio_has(virtio, VIRTIO_NET_F_MRG_RXBUF);
	n->header = n->merges || virtio_has(virtio, VIRTIO_F_VERSION_1)
			    ? sizeof(struct virtio_net_hdr_mrg_rxbuf)
			    : sizeof(struct virtio_net_hdr);
	n->command = virtio_net_command_alloc();
	fill_device(n);
	read_config(n);
	error = n->command ? start(n) : -ENOMEM;
	if (error) {
		virtio_stop(virtio); /* buffers that it had are lost with it */
		virtio->private = nullptr;
		kfree(n->command);
		kfree(n);
		return error;
	}
	log_info("%s: %s, Ethernet, %u pair%s of queues", virtio->name, n->device.name, n->active,
		 n->active > 1 ? "s" : "");
	net_task_queue(&n->config_task);
	return 0;
}

void virtio_net_init(void)
{
	static struct virtio_driver driver = { .name = "virtio-net",
					       .type = VIRTIO_ID_NET,
					       .probe = probe,
					       .config_changed = config_changed };

	virtio_driver_register(&driver);
}
