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

/* --- forward.c --- */
/* Whether a packet that is not for this host is for it to pass on. */
[[nodiscard]] bool ipv6_is_forwarded(const struct packet *packet, const struct inet_info *info);
/* It goes on, its header linear at data. Takes it. */
void ipv6_forward(struct packet *packet, struct inet_info *info);

/* Neighbour discovery (RFC 4861); data at the ICMPv6 header, linear to `length`. */
/* Has the routers of a link asked to make themselves known, until one does (RFC 4861, 6.3.7; RFC 7559). */
void ndp_solicit_routers(struct net_device *device);
/* Asks whether anybody has an address, without saying who asks. */
void ndp_probe(struct net_device *device, const struct inet_address *target);

/* --- dad.c: duplicate addresses --- */
/* A device that is up has a new address. */
void dad_begin(struct net_device *device, struct net_address *address);
/* Asks again about the addresses of which that is due (net.ipv6.conf.*.dad_transmits). Under RCU, once a second. */
void dad_tick(struct net_device *device);
/* The host with this link address claims an address of ours. Under RCU. */
void dad_heard(struct net_device *device, const struct net_address *address,
	       const u8 *link_address);

/* Whether a packet for another host is a question about it that this router answers. Under RCU. */
[[nodiscard]] bool ndp_takes_for_proxy(const struct packet *packet, const struct inet_info *info);
void ndp_input(struct packet *packet, const struct inet_info *info);

/* --- Inside of neighbour discovery --- */
enum {
	ROUTER_SOLICITATION = 133,
	ROUTER_ADVERTISEMENT = 134,
	NEIGHBOUR_SOLICITATION = 135,
	NEIGHBOUR_ADVERTISEMENT = 136,
	REDIRECT = 137,
};
enum { OPTION_SOURCE_LINK = 1, OPTION_TARGET_LINK = 2, OPTION_PREFIX = 3, OPTION_MTU = 5 };

/* The traffic class of what a device says (net.ipv6.conf.*.ndisc_tclass). */
static inline u8 ndp_class(const struct net_device *device)
{
	return (u8)device->settings.ipv6[DEVCONF_NDISC_TCLASS];
}
/* A message without options, and with the link address of the device as one. Null: no memory. */
[[nodiscard]] struct packet *ndp_message(u8 type, u32 flags, const struct inet_address *target);
void ndp_append_link(struct packet *packet, u8 type, const struct net_device *device);
/* The first option of a type from `offset` on with at least `size` bytes; null if none, or the options are damaged. */
[[nodiscard]] const u8 *ndp_find_option(const struct packet *packet, unsigned offset, u8 type,
					unsigned size);
/* redirect.c: a redirect whose origin is on the link; and one for the sender of a packet that goes on where it came from. Neither takes
 * the packet. */
void ndp_redirected(struct packet *packet, const struct inet_info *info);
void ndp_redirect_sender(struct packet *packet, const struct inet_info *info,
			 const struct route_result *route);
/* router.c: a router advertisement whose origin is on the link. */
void ndp_router_advertised(struct packet *packet, const struct inet_info *info);
