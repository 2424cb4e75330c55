/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network byte order. Values as they stand in packets have the uapi types __be16 and __be32. */
#pragma once

#include <lib/types.h>

static inline u16 net16(u16 v) /* either direction */
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap16(v) : v;
}
static inline u32 net32(u32 v)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap32(v) : v;
}

/* Unaligned loads and stores of numbers in network byte order. */
static inline u16 load_net16(const void *p)
{
	u16 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return net16(v);
}
static inline u32 load_net32(const void *p)
{
	u32 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return net32(v);
}
static inline void store_net16(void *p, u16 v)
{
	v = net16(v);
	__builtin_memcpy(p, &v, sizeof(v));
}
static inline void store_net32(void *p, u32 v)
{
	v = net32(v);
	__builtin_memcpy(p, &v, sizeof(v));
}
