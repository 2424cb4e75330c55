/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices that drop what they are given: `ip link add type dummy`. */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/link_kind.h>

static void dummy_transmit(struct net_device *device, struct packet *packet)
{
	net_device_count(device, transmit_packets, 1);
	net_device_count(device, transmit_bytes, packet->length);
	packet_free(packet);
}

static int dummy_open(struct net_device *device)
{
	net_device_mark_carrier(device, true);
	return 0;
}

static void dummy_stop(struct net_device *device)
{
	net_device_mark_carrier(device, false);
}

static const struct net_device_ops dummy_ops = {
	.open = dummy_open,
	.stop = dummy_stop,
	.transmit = dummy_transmit,
	.set_address = net_device_take_address,
	.driver = "dummy",
};

static void dummy_free(struct rcu_head *head)
{
	kfree(container_of(head, struct net_device, rcu));
}

static void dummy_destroy(struct net_device *device)
{
	net_device_unregister(device);
	rcu_call(&device->rcu, dummy_free);
}

static u8 dummy_operational_state(const struct net_device *device)
{
	return IF_OPER_UNKNOWN;
}

static int dummy_create(struct net_link_request *request);

static struct net_link_kind dummy_kind = {
	.name = "dummy",
	.create = dummy_create,
	.destroy = dummy_destroy,
	.operational_state = dummy_operational_state,
};

static int dummy_create(struct net_link_request *request)
{
	struct net_device *device = kzalloc(sizeof(*device), 0);
	int error;

	if (!device)
		return -ENOMEM;
	net_device_ethernet_init(device, request);
	device->flags = IFF_BROADCAST | IFF_NOARP;
	device->ops = &dummy_ops;
	device->kind = &dummy_kind;
	device->features = DEVICE_CHECKSUM | DEVICE_SEGMENT_TCP4 | DEVICE_SEGMENT_TCP6;
	error = net_device_register(request->network, device,
				    *request->name ? request->name : "dummy%d");
	if (error)
		kfree(device);
	return error;
}

void dummy_init(void)
{
	net_link_kind_register(&dummy_kind);
}
