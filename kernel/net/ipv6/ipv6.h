/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers of IPv6 (RFC 8200). */
#pragma once

#include <net/protocol.h>

struct ipv6_header {
	u32 version_class_flow;
	u16 payload_length;
	u8 next_header;
	u8 hop_limit;
	struct in6_addr source, destination;
} __packed;
static_assert(sizeof(struct ipv6_header) == 40);

struct ipv6_fragment_header {
	u8 next_header, reserved;
	u16 offset; /* in bytes, with the flag of more in bit 0 */
	u32 identification;
} __packed;

/* Neighbour discovery (RFC 4861); data at the ICMPv6 header, linear to `length`. */
/* Has the routers of a link asked to make themselves known: in a second, three times at most (RFC 4861, 6.3.7). */
void ndp_solicit_routers(struct net_device *device);
/* Asks whether anybody has an address, without saying who asks. */
void ndp_probe(struct net_device *device, const struct inet_address *target);

/* --- dad.c: duplicate addresses --- */
/* A device that is up has a new address. */
void dad_begin(struct net_device *device, const struct net_address *address);
/* The host with this link address claims an address of ours. Under RCU. */
void dad_heard(struct net_device *device, const struct net_address *address,
	       const u8 *link_address);

void ndp_input(struct packet *packet, const struct inet_info *info);
