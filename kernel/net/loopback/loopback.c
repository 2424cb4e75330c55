/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loopback device: what is sent is received, by the sender's own thread. Packets keep their
 * pages, and checksums are neither made nor checked.
 */
#include <lib/errno.h>
#include <mm/slab.h>
#include <net/local.h>

#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>

static void loopback_transmit(struct net_device *device, struct packet *packet)
{
	net_device_count(device, transmit_packets, 1);
	net_device_count(device, transmit_bytes, packet->length);
	packet->link_header = (u16)packet_headroom(packet);
	packet_pull(packet, device->header_length);
	packet->kind = PACKET_HOST;
	packet->echoed = true;
	net_receive_local(packet);
}

/* Coming up it gets its address of IPv4, if nobody gave it any (as on Linux). */
static int loopback_open(struct net_device *device) __no_lock_analysis
{
	struct net_address v4 = { .address = inet_from_v4(net32(INADDR_LOOPBACK)),
				  .prefix_length = INET_V4_PREFIX + 8,
				  .scope = RT_SCOPE_HOST,
				  .protocol = IFAPROT_KERNEL_LO,
				  .flags = IFA_F_PERMANENT,
				  .label = "lo",
				  .valid_until_ns = UINT64_MAX,
				  .preferred_until_ns = UINT64_MAX };
	int error = net_address_add(device, &v4);

	if (error && error != -EEXIST)
		return error;
	net_device_mark_carrier(device, true);
	return 0;
}

static void loopback_stop(struct net_device *device)
{
	net_device_mark_carrier(device, false);
}

static const struct net_device_ops loopback_ops = {
	.open = loopback_open,
	.stop = loopback_stop,
	.transmit = loopback_transmit,
};

static const struct net_device loopback = {
	.flags = IFF_LOOPBACK,
	.type = ARPHRD_LOOPBACK,
	.mtu = 65536,
	.address_length = ETH_ALEN,
	.header_length = ETH_HLEN,
	.features = DEVICE_LOOPBACK | DEVICE_CHECKSUM,
	.transmit_queue_length = 1000,
	.ops = &loopback_ops,
};

int loopback_create(struct network_namespace *network)
{
	struct net_device *device = kmalloc(sizeof(*device), 0);
	int error;

	if (!device)
		return -ENOMEM;
	*device = loopback;
	error = net_device_register(network, device, "lo");
	if (error)
		kfree(device);
	return error;
}
