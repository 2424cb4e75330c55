/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program of a socket looks at: the bytes of a packet from packet->data on, or those of a message of AF_UNIX or
 * AF_NETLINK, which never was a packet. Both kinds of programs, classic and of bpf(2), load through it.
 */
#pragma once

#include <net/packet_buffer.h>

struct filter_view {
	const struct packet *packet; /* null: a message, */
	const u8 *message;	     /* in one piece */
	u32 length;
};

/* Borrow what they are made of. */
static inline struct filter_view filter_view_packet(const struct packet *packet)
{
	return (struct filter_view){ .packet = packet, .length = packet->length };
}
static inline struct filter_view filter_view_message(const void *bytes, u32 length)
{
	return (struct filter_view){ .message = bytes, .length = length };
}

/* Copies bytes out. False: there are not so many. */
[[nodiscard]] bool filter_view_copy(const struct filter_view *view, u32 offset, void *to,
				    unsigned size);
/*
 * A number of 1, 2 or 4 bytes: at an offset, or from a header that a layer below may have taken off already (SKF_LL_OFF,
 * SKF_NET_OFF). False: there are no such bytes.
 */
[[nodiscard]] bool filter_view_load(const struct filter_view *view, u32 offset, unsigned size,
				    u32 *out);
/*
 * What classic programs may know besides the bytes, SKF_AD_* `what`; A and X are its registers. False: nobody knows, and the
 * program ends with 0.
 */
[[nodiscard]] bool filter_view_ancillary(const struct filter_view *view, u32 what, u32 a, u32 x,
					 u32 *out);
