/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of net/ tell each other about devices and addresses. */
#pragma once

#include <net/device.h>

/* Delivers a packet on this CPU: at once, or when the delivery in progress is through. Any thread
 * context without locks of net/ ranked above RANK_NET_LINK's users; takes the packet. */
void net_receive_local(struct packet *packet);
/* Delivers a copy to this host itself, when others on the link get the packet too. As net_receive_local. */
void net_loop_back(struct net_device *device, const struct packet *packet);

/* The routes of all addresses of a device that comes up; what goes with one that goes down. */
void net_addresses_device_up(struct net_device *device) __must_hold(&device->network->config);
void net_addresses_device_down(struct net_device *device) __must_hold(&device->network->config);
/* The device has a subnet of which both addresses are. Under RCU. */
bool net_addresses_share_subnet(const struct net_device *device, const struct inet_address *a,
				const struct inet_address *b);
/* fe80::/64 with an interface identifier as net.ipv6.conf.*.addr_gen_mode says (RFC 4291, appendix A). */
struct inet_address net_address_link_local(const struct net_device *device);
/* The link address is another, or the link is up: neighbours may be told (arp_notify, ndisc_notify). */
void net_addresses_link_changed(struct net_device *device) __must_hold(&device->network->config);
/* IPv6 begins on a device that is up: its link-local address, and routers are asked. And it ends. */
void net_addresses_begin_ipv6(struct net_device *device) __must_hold(&device->network->config);
void net_addresses_remove_ipv6(struct net_device *device) __must_hold(&device->network->config);
void net_addresses_remove_all(struct net_device *device) __must_hold(&device->network->config);
/* Removes addresses whose time is over; those past their preferred time are deprecated. */
void net_addresses_expire(struct net_device *device, u64 now) __must_hold(&device->network->config);
/*
 * ipv6/temporary.c (RFC 8981): makes temporary addresses where there is none that is preferred for NET_TEMPORARY_REGENERATE_NS more; gives
 * those of a public address its lifetimes, as far as they may have them.
 */
#define NET_TEMPORARY_REGENERATE_NS (5 * NSEC_PER_SEC)
void net_temporary_addresses_keep(struct net_device *device, u64 now)
	__must_hold(&device->network->config);
void net_temporary_addresses_follow(struct net_device *device, const struct net_address *public)
	__must_hold(&device->network->config);
/* Removes routes whose time is over. */
void routes_expire(struct network_namespace *network, u64 now) __must_hold(&network->config);
/* Has both happen when they are due. Under RCU, once a second; init when the name space is made. */
void net_lifetimes_init(struct network_namespace *network);
void net_lifetimes_tick(struct network_namespace *network);
/* Asks routers where it is due. Under RCU, once a second. */
void ndp_tick(struct network_namespace *network);

/* A packet, data at its Internet header of `header` bytes, fits the MTU: one that will be cut, or was merged, as its pieces do. */
bool net_packet_fits(const struct packet *packet, unsigned header, u32 mtu);
/* The device cuts this large packet by itself. */
bool net_device_segments(const struct net_device *device, const struct packet *packet);
/* Cuts a large TCP packet into segments and transmits them. Takes the packet. */
void net_segment_in_software(struct net_device *device, struct packet *packet);

/* The loopback device of a name space, its first device. -ENOMEM. */
[[nodiscard]] int loopback_create(struct network_namespace *network);
