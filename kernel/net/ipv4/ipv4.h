/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The header of IPv4 (RFC 791). */
#pragma once

#include <lib/types.h>

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
