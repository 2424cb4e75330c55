/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Internet addresses. Both families are 128 bits in network byte order; an IPv4 address is the
 * mapped ::ffff:a.b.c.d, so that sockets, routes and neighbours are one code for both.
 */
#pragma once

#include <lib/types.h>
#include <net/byte_order.h>

#include <linux/in.h>
#include <linux/in6.h>

struct inet_address {
	union {
		u8 bytes[16];
		u32 words[4];
		u64 halves[2];
	};
};

#define INET_V4_PREFIX 96 /* a prefix of n bits of IPv4 is one of 96 + n here */

static inline struct inet_address inet_from_v4(u32 network_order)
{
	return (struct inet_address){ .words = { 0, 0, net32(0xffff), network_order } };
}
static inline bool inet_is_v4(const struct inet_address *a)
{
	return a->halves[0] == 0 && a->words[2] == net32(0xffff);
}
static inline u32 inet_to_v4(const struct inet_address *a)
{
	return a->words[3];
}
/* The group in which neighbours ask for an IPv6 address (RFC 4291, 2.7.1). */
static inline struct inet_address inet_solicited_group(const struct inet_address *a)
{
	return (struct inet_address){ .bytes = { 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff,
						 a->bytes[13], a->bytes[14], a->bytes[15] } };
}

static inline bool inet_equal(const struct inet_address *a, const struct inet_address *b)
{
	return a->halves[0] == b->halves[0] && a->halves[1] == b->halves[1];
}
/* 0.0.0.0 or ::. */
static inline bool inet_is_any(const struct inet_address *a)
{
	return a->halves[0] == 0 && (a->halves[1] == 0 || (inet_is_v4(a) && a->words[3] == 0));
}
static inline bool inet_is_multicast(const struct inet_address *a)
{
	return inet_is_v4(a) ? (a->bytes[12] & 0xf0) == 0xe0 : a->bytes[0] == 0xff;
}
static inline bool inet_is_limited_broadcast(const struct inet_address *a)
{
	return inet_is_v4(a) && a->words[3] == 0xffffffff;
}
static inline bool inet_is_loopback(const struct inet_address *a)
{
	return inet_is_v4(a) ? a->bytes[12] == 127
			     : a->halves[0] == 0 && a->halves[1] == __builtin_bswap64(1);
}
static inline bool inet_is_link_local(const struct inet_address *a)
{
	return inet_is_v4(a) ? a->bytes[12] == 169 && a->bytes[13] == 254
			     : a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}
/* Clears all but the first `bits` bits. */
static inline void inet_mask(struct inet_address *a, unsigned bits)
{
	for (unsigned i = bits; i < 128; i++)
		a->bytes[i / 8] &= (u8) ~(0x80 >> i % 8);
}
/* The first `bits` bits are equal. */
static inline bool inet_prefix_matches(const struct inet_address *a, const struct inet_address *b,
				       unsigned bits)
{
	u64 high = __builtin_bswap64(a->halves[0] ^ b->halves[0]);
	u64 low = __builtin_bswap64(a->halves[1] ^ b->halves[1]);

	if (bits > 64)
		return !high && low >> (128 - bits) == 0;
	return !bits || high >> (64 - bits) == 0;
}
