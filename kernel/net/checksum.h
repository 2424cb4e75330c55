/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Internet checksum (RFC 1071). A running sum is a u32 of 16-bit words in the order in which
 * they stand in memory, so that the folded value is stored as it is.
 */
#pragma once

#include <net/address.h>

/* Adds `n` bytes, the first of which is at an even distance from the start of the sum. */
u32 checksum_add(const void *data, size_t n, u32 sum);
/* Adds two sums. */
static inline u32 checksum_combine(u32 a, u32 b)
{
	u64 sum = (u64)a + b;

	return (u32)(sum + (sum >> 32));
}
/* A sum of bytes that start at an odd distance. */
static inline u32 checksum_swap(u32 sum)
{
	return sum << 8 | sum >> 24;
}
static inline u16 checksum_fold(u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (u16)sum;
}
/* The sum over the pseudo header of TCP, UDP (both families) and ICMPv6. */
u32 checksum_pseudo(const struct inet_address *source, const struct inet_address *destination,
		    unsigned length, u8 protocol);
