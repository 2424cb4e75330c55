/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ARP (RFC 826) for Ethernet: questions, answers, and what they teach. */
#include <lib/string.h>
#include <net/protocol.h>

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>

struct arp_packet {
	u16 hardware, protocol;
	u8 hardware_length, protocol_length;
	u16 operation;
	u8 sender_link[ETH_ALEN];
	u8 sender[4];
	u8 target_link[ETH_ALEN];
	u8 target[4];
} __packed;
static_assert(sizeof(struct arp_packet) == 28);

static void arp_send(struct net_device *device, u16 operation, const u8 *link_to, u32 source,
		     u32 target, const u8 *target_link)
{
	struct packet *p = packet_alloc();
	struct arp_packet *arp;
	struct ethhdr *eth;

	if (!p)
		return;
	arp = packet_append(p, sizeof(*arp));
	*arp = (struct arp_packet){
		.hardware = net16(ARPHRD_ETHER),
		.protocol = net16(ETH_P_IP),
		.hardware_length = ETH_ALEN,
		.protocol_length = 4,
		.operation = net16(operation),
	};
	memcpy(arp->sender_link, device->address, ETH_ALEN);
	memcpy(arp->sender, &source, 4);
	if (target_link)
		memcpy(arp->target_link, target_link, ETH_ALEN);
	memcpy(arp->target, &target, 4);
	p->protocol = ETH_P_ARP;
	eth = packet_push(p, ETH_HLEN);
	memcpy(eth->h_dest, link_to, ETH_ALEN);
	memcpy(eth->h_source, device->address, ETH_ALEN);
	eth->h_proto = net16(ETH_P_ARP);
	net_device_transmit(device, p);
}

void arp_solicit(struct net_device *device, const struct inet_address *target)
{
	struct route_result route;
	struct inet_address any = {};
	u32 source = 0;

	if (!route_find(device->network, target, &any, device->index, &route))
		source = inet_to_v4(&route.source);
	arp_send(device, ARPOP_REQUEST, device->broadcast, source, inet_to_v4(target), nullptr);
}

void arp_input(struct packet *packet)
{
	struct net_device *device = packet->device;
	struct inet_address sender, target;
	struct arp_packet arp;
	bool ours;
	u32 v4;

	if (packet->kind == PACKET_OTHERHOST || (device->flags & IFF_NOARP) ||
	    !packet_copy(packet, 0, &arp, sizeof(arp)))
		goto out;
	if (arp.hardware != net16(ARPHRD_ETHER) || arp.protocol != net16(ETH_P_IP) ||
	    arp.hardware_length != ETH_ALEN || arp.protocol_length != 4)
		goto out;
	memcpy(&v4, arp.sender, 4);
	sender = inet_from_v4(v4);
	memcpy(&v4, arp.target, 4);
	target = inet_from_v4(v4);
	if (inet_is_multicast(&target) || inet_is_loopback(&target) || inet_is_multicast(&sender) ||
	    (arp.sender_link[0] & 1))
		goto out;
	ours = route_address_type(device->network, &target, 0) == RTN_LOCAL;
	if (!inet_is_any(&sender) && route_address_type(device->network, &sender, 0) != RTN_LOCAL)
		neighbour_update(device, &sender, arp.sender_link,
				 arp.operation == net16(ARPOP_REPLY) && ours, true,
				 ours && arp.operation == net16(ARPOP_REQUEST));
	if (ours && arp.operation == net16(ARPOP_REQUEST))
		arp_send(device, ARPOP_REPLY, arp.sender_link, v4, inet_to_v4(&sender),
			 arp.sender_link);
out:
	packet_free(packet);
}
