/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The header of IPv4 (RFC 791). */
#pragma once

#include <net/protocol.h>

struct ipv4_header {
	u8 version_length; /* 4 << 4 | words */
	u8 tos;
	u16 total_length;
	u16 identification;
	u16 fragment; /* IPV4_* and the offset in units of 8 bytes */
	u8 ttl;
	u8 protocol;
	u16 checksum;
	u32 source, destination;
} __packed;
static_assert(sizeof(struct ipv4_header) == 20);

#define IPV4_DONT_FRAGMENT 0x4000
#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_OFFSET_MASK 0x1fff
#define IPV4_HEADER_MAX 60

/* --- forward.c --- */
/* A packet for another host, its header linear at data, goes on. Takes it. */
void ipv4_forward(struct packet *packet, struct inet_info *info);
/* Whether a packet may come from its source by its device: not an address of ours, and the reverse path if that is asked for. */
[[nodiscard]] bool ipv4_source_is_good(const struct packet *packet, const struct inet_info *info);
/* Tells the log of a packet with an impossible source (net.ipv4.conf.*.log_martians), now and then. */
void ipv4_log_martian(const struct inet_info *info);

/* --- icmp/redirect.c --- */
/* A redirect came in, 8 bytes linear. Its sender and what it says are checked; does not take the packet. */
void icmp_redirected(struct packet *packet, const struct inet_info *info);
/* Tells the sender of a packet that goes on where it came from of the better first hop. Does not take the packet. */
void icmp_redirect_sender(struct packet *packet, const struct inet_info *info,
			  const struct route_result *route);

/* output.c: one fragment of a packet: `n` bytes of payload from `offset` on, under a copy of its header. Null: no memory. */
[[nodiscard]] struct packet *ipv4_fragment(const struct packet *whole, unsigned header,
					   unsigned offset, unsigned n, bool last);
/* Sends a packet with its complete header of `header` bytes in pieces that fit the route. Takes it. */
int ipv4_send_fragments(struct network_namespace *network, struct packet *packet, unsigned header,
			const struct route_result *route);
