/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pairs of virtual Ethernet devices (veth(4)): what one sends the other receives, in the sender's context, as over loopback. Packets
 * keep their pages, their size and their partial checksums, because no wire lies between.
 *
 * Both halves are made and destroyed together under net_links_lock, which guards `peer`; packets read it under RCU.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/byte_order.h>
#include <net/link_kind.h>
#include <net/local.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

struct veth {
	struct net_device device; /* first */
	struct net_device *peer;  /* RCU */
};

static struct veth *veth_of(const struct net_device *device)
{
	return container_of(device, struct veth, device);
}

static struct net_device *veth_peer(const struct net_device *device)
{
	return rcu_dereference(veth_of(device)->peer);
}

/* Runs under RCU. */
static void veth_transmit(struct net_device *device, struct packet *packet)
{
	struct net_device *peer = veth_peer(device);

	if (!peer || !(peer->flags & IFF_UP) || packet->linear < ETH_HLEN) {
		net_device_count(device, transmit_dropped, 1);
		packet_free(packet);
		return;
	}
	net_device_count(device, transmit_packets, 1);
	net_device_count(device, transmit_bytes, packet->length);
	packet->device = peer;
	packet->kind = net_ethernet_kind(peer, packet->data);
	packet->protocol = load_net16(packet->data + 2 * ETH_ALEN);
	packet->link_header = (u16)packet_headroom(packet);
	packet_pull(packet, ETH_HLEN);
	net_receive_local(packet);
}

/* A half has a carrier while both are up. The peer's name space is told by its own change only. */
static int veth_open(struct net_device *device)
{
	struct net_device *peer;

	rcu_read_lock();
	peer = veth_peer(device);
	if (peer && (peer->flags & IFF_UP)) {
		net_device_mark_carrier(device, true);
		net_device_mark_carrier(peer, true);
	}
	rcu_read_unlock();
	return 0;
}

static void veth_stop(struct net_device *device)
{
	struct net_device *peer;

	net_device_mark_carrier(device, false);
	rcu_read_lock();
	peer = veth_peer(device);
	if (peer)
		net_device_mark_carrier(peer, false);
	rcu_read_unlock();
}

static const struct net_device_ops veth_ops = {
	.open = veth_open,
	.stop = veth_stop,
	.transmit = veth_transmit,
	.set_address = net_device_take_address,
	.driver = "veth",
};

static void veth_free(struct rcu_head *head)
{
	kfree(veth_of(container_of(head, struct net_device, rcu)));
}

static void veth_destroy(struct net_device *device)
{
	struct net_device *peer = veth_peer(device);

	rcu_assign(veth_of(device)->peer, nullptr);
	net_device_unregister(device);
	if (peer) {
		rcu_assign(veth_of(peer)->peer, nullptr);
		net_device_unregister(peer);
		rcu_call(&peer->rcu, veth_free);
	}
	rcu_call(&device->rcu, veth_free);
}

static int veth_create(struct net_link_request *request);

static struct net_link_kind veth_kind = {
	.name = "veth",
	.create = veth_create,
	.destroy = veth_destroy,
	.peer = veth_peer,
};

static struct veth *veth_alloc(const struct net_link_request *request)
{
	struct veth *v = kzalloc(sizeof(*v), 0);

	if (!v)
		return nullptr;
	net_device_ethernet_init(&v->device, request);
	v->device.ops = &veth_ops;
	v->device.kind = &veth_kind;
	v->device.features = DEVICE_CHECKSUM | DEVICE_SEGMENT_TCP4 | DEVICE_SEGMENT_TCP6;
	return v;
}

static int veth_create(struct net_link_request *request)
{
	struct net_link_request other = { .address = request->peer_address, .mtu = request->mtu };
	struct veth *one = veth_alloc(request), *two = veth_alloc(&other);
	int error = -ENOMEM;

	if (!one || !two)
		goto free;
	/* The peer comes first, as its number on Linux. */
	error = net_device_register(request->peer_network, &two->device,
				    *request->peer_name ? request->peer_name : "veth%d");
	if (error)
		goto free;
	error = net_device_register(request->network, &one->device,
				    *request->name ? request->name : "veth%d");
	if (error) {
		net_device_unregister(&two->device);
		rcu_call(&two->device.rcu, veth_free);
		kfree(one);
		return error;
	}
	rcu_assign(one->peer, &two->device);
	rcu_assign(two->peer, &one->device);
	return 0;
free:
	kfree(one);
	kfree(two);
	return error;
}

void veth_init(void)
{
	net_link_kind_register(&veth_kind);
}
