/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Internet layer, what both families share: sending by flow, delivery to transports, the way
 * to a link.
 */
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/inet_socket.h>
#include <net/local.h>
#include <net/multicast.h>
#include <net/neighbour.h>
#include <net/protocol.h>
#include <net/statistics.h>
#include <net/thread.h>

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/rtnetlink.h>

int inet_output(struct network_namespace *network, struct packet *packet,
		const struct inet_flow *flow, const struct route_result *route)
{
	bool v6 = !inet_is_v4(&flow->destination);

	struct net_statistics *s = net_statistics_of(network);
	unsigned length = packet->length + (v6 ? 40 : 20 + flow->options_length);

	net_count_transport(s, packet, flow->protocol, v6, true);
	s->of[v6][NET_IP_BYTES_OUT] += length;
	if (unlikely(route->type != RTN_UNICAST))
		net_count_group(s, route->type, length, v6, true);
	return !v6 ? ipv4_output(network, packet, flow, route)
		   : ipv6_output(network, packet, flow, route);
}

int inet_send(struct network_namespace *network, struct packet *packet, struct inet_flow *flow,
	      int device_index)
{
	struct route_result route;
	int error;

	rcu_read_lock();
	error = route_find(network, &flow->destination, &flow->source, device_index, &route);
	if (error) {
		net_count_family(network, NET_IP_NO_ROUTE, &flow->destination);
		packet_free(packet);
	} else {
		if (inet_is_any(&flow->source))
			flow->source = route.source;
		error = inet_output(network, packet, flow, &route);
	}
	rcu_read_unlock();
	return error;
}

int inet_link_output(struct net_device *device, struct packet *packet,
		     const struct inet_address *next_hop)
{
	packet->device = device;
	if (device->features & DEVICE_LOOPBACK) {
		struct ethhdr *eth = packet_push(packet, ETH_HLEN);

		memset(eth, 0, ETH_ALEN * 2);
		eth->h_proto = net16(packet->protocol);
		net_device_transmit(device, packet);
	} else if (device->type == ARPHRD_ETHER) {
		neighbour_output(device, packet, next_hop);
	} else {
		net_device_transmit(device, packet); /* point to point: no link header */
	}
	return 0;
}

void inet_send_port_unreachable(struct packet *about, const struct inet_info *info)
{
	if (inet_is_v4(&info->destination))
		icmp_send_error(about, info, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
	else
		icmp_send_error(about, info, ICMPV6_DEST_UNREACH, ICMPV6_PORT_UNREACH, 0);
}

void inet_deliver(struct packet *packet, struct inet_info *info)
{
	bool v4 = inet_is_v4(&info->destination), taken;

	packet->transport_header = (u16)packet_headroom(packet);
	net_count_transport(net_statistics_of(info->network), packet, info->protocol, !v4, false);
	taken = raw_input(packet, info);
	switch (info->protocol) {
	case IPPROTO_TCP:
		tcp_input(packet, info);
		return;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		udp_input(packet, info);
		return;
	case IPPROTO_IGMP:
		if (!v4)
			break;
		igmp_input(packet, info);
		return;
	case IPPROTO_ICMP:
		if (!v4)
			break;
		icmp_input(packet, info);
		return;
	case IPPROTO_ICMPV6:
		if (v4)
			break;
		icmpv6_input(packet, info);
		return;
	}
	if (!taken && v4)
		icmp_send_error(packet, info, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, 0);
	packet_free(packet);
}

void inet_init(void)
{
	tcp_init();
	udp_init();
	raw_init();
	inet_family_init();
}

void net_init(void)
{
	packet_init();
	device_settings_init(&initial_network);
	if (loopback_create(&initial_network))
		panic("no loopback device");
	inet_init();
	net_thread_init();
}
