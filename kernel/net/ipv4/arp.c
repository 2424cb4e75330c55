/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ARP (RFC 826) for Ethernet: questions, answers, and what they teach. */
#include <lib/string.h>
#include <net/local.h>
#include <net/neighbour.h>
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

/* net.ipv4.conf.*.arp_announce: whether a question may say the address that the waiting packet comes from. */
static bool may_announce(const struct net_device *device, const struct inet_address *target,
			 const struct inet_address *source)
{
	s32 level = device_setting4_largest(device, IPV4_DEVCONF_ARP_ANNOUNCE);

	if (inet_is_any(source) || level >= 2 ||
	    route_address_type(device->network, source, 0) != RTN_LOCAL)
		return false;
	return level <= 0 || net_addresses_share_subnet(device, target, source);
}

void arp_solicit(struct net_device *device, const struct inet_address *target,
		 const struct inet_address *from)
{
	struct route_result route;
	struct inet_address any = {};
	u32 source = 0;

	if (may_announce(device, target, from))
		source = inet_to_v4(from);
	else if (!route_find(device->network, target, &any, device->index, &route))
		source = inet_to_v4(&route.source);
	arp_send(device, ARPOP_REQUEST, device->broadcast, source, inet_to_v4(target), nullptr);
}

void arp_announce(struct net_device *device, const struct inet_address *address)
{
	rcu_read_lock(); /* called by who changes addresses, not by a packet */
	arp_send(device, ARPOP_REQUEST, device->broadcast, inet_to_v4(address), inet_to_v4(address),
		 device->address);
	rcu_read_unlock();
}

static const struct net_address *address_of_device(const struct net_device *device,
						   const struct inet_address *address)
{
	const struct net_address *a = rcu_dereference(device->addresses);

	while (a && !inet_equal(&a->address, address))
		a = rcu_dereference(a->next);
	return a;
}

/* net.ipv4.conf.*.arp_ignore and arp_filter: whether a question for an address of ours stays without an answer. */
static bool is_ignored(const struct net_device *device, const struct inet_address *sender,
		       const struct inet_address *target)
{
	const struct net_address *own = address_of_device(device, target);
	struct inet_address any = {};
	struct route_result route;

	switch (device_setting4_largest(device, IPV4_DEVCONF_ARP_IGNORE)) {
	case 1:
		if (!own)
			return true;
		break;
	case 2:
		if (!own || !inet_prefix_matches(&own->address, sender, own->prefix_length))
			return true;
		break;
	case 3:
		if (own && own->scope == RT_SCOPE_HOST)
			return true;
		break;
	case 8:
		return true;
	}
	return device_setting4_either(device, IPV4_DEVCONF_ARPFILTER) && !inet_is_any(sender) &&
	       (route_find(device->network, sender, &any, 0, &route) || route.device != device);
}

/* A question for somebody whom this router reaches by another device (RFC 1027). */
static bool is_proxied(struct net_device *device, const struct inet_address *target)
{
	struct inet_address any = {};
	struct route_result route;

	return device->settings.ipv4[IPV4_DEVCONF_FORWARDING] &&
	       (device_setting4_either(device, IPV4_DEVCONF_PROXY_ARP) ||
		neighbour_is_proxied(device, target)) &&
	       !route_find(device->network, target, &any, 0, &route) && route.type == RTN_UNICAST &&
	       route.device != device;
}

/* The packet is one of ARP for IPv4 over Ethernet, about addresses that hosts may have. */
static bool decode(struct packet *packet, struct arp_packet *arp, struct inet_address *sender,
		   struct inet_address *target)
{
	const struct net_device *device = packet->device;
	u32 v4;

	if (packet->kind == PACKET_OTHERHOST || (device->flags & (IFF_NOARP | IFF_LOOPBACK)) ||
	    !packet_copy(packet, 0, arp, sizeof(*arp)))
		return false;
	if (arp->hardware != net16(ARPHRD_ETHER) || arp->protocol != net16(ETH_P_IP) ||
	    arp->hardware_length != ETH_ALEN || arp->protocol_length != 4)
		return false;
	memcpy(&v4, arp->sender, 4);
	*sender = inet_from_v4(v4);
	memcpy(&v4, arp->target, 4);
	*target = inet_from_v4(v4);
	if (inet_is_loopback(target) &&
	    !device_setting4_either(device, IPV4_DEVCONF_ROUTE_LOCALNET))
		return false;
	return !inet_is_multicast(target) && !inet_is_multicast(sender) &&
	       !inet_is_loopback(sender) && !inet_is_limited_broadcast(sender) &&
	       !(arp->sender_link[0] & 1);
}

/* What a packet says of its sender. */
static void learn(struct net_device *device, const struct arp_packet *arp,
		  const struct inet_address *sender, const struct inet_address *target, bool ours)
{
	bool reply = arp->operation == net16(ARPOP_REPLY), make = ours && !reply;
	s32 accept = device_setting4_largest(device, IPV4_DEVCONF_ARP_ACCEPT);

	if (inet_is_any(sender) || route_address_type(device->network, sender, 0) == RTN_LOCAL)
		return;
	if (inet_equal(sender, target))
		make = accept == 1 ||
		       (accept == 2 && net_addresses_share_subnet(device, sender, sender));
	neighbour_update(device, sender, arp->sender_link, reply && ours, true, make);
}

void arp_input(struct packet *packet)
{
	struct net_device *device = packet->device;
	struct inet_address sender, target;
	struct arp_packet arp;
	bool ours;

	if (!decode(packet, &arp, &sender, &target))
		goto out;
	if (inet_equal(&sender, &target) &&
	    device_setting4_either(device, IPV4_DEVCONF_DROP_GRATUITOUS_ARP))
		goto out;
	ours = route_address_type(device->network, &target, 0) == RTN_LOCAL;
	if (arp.operation == net16(ARPOP_REQUEST) && ours && is_ignored(device, &sender, &target))
		goto out;
	learn(device, &arp, &sender, &target, ours);
	if (arp.operation == net16(ARPOP_REQUEST) && (ours || is_proxied(device, &target)))
		arp_send(device, ARPOP_REPLY, arp.sender_link, inet_to_v4(&target),
			 inet_to_v4(&sender), arp.sender_link);
out:
	packet_free(packet);
}
