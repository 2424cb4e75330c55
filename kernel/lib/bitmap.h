/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bit maps of any length in arrays of u64. Not atomic: the user's lock guards them. */
#pragma once

#include <lib/types.h>

#define BITMAP_WORDS(bits) DIV_ROUND_UP(bits, 64)
#define BITMAP_DECLARE(name, bits) u64 name[BITMAP_WORDS(bits)]

static inline bool bitmap_test(const u64 *map, size_t i)
{
	return map[i / 64] >> i % 64 & 1;
}
static inline void bitmap_set(u64 *map, size_t i)
{
	map[i / 64] |= 1ull << i % 64;
}
static inline void bitmap_clear(u64 *map, size_t i)
{
	map[i / 64] &= ~(1ull << i % 64);
}

/* The first bit that is set (clear) in [from, bits), or `bits`. */
size_t bitmap_next_set(const u64 *map, size_t bits, size_t from);
size_t bitmap_next_clear(const u64 *map, size_t bits, size_t from);

/* How many of the first `bits` bits are set. */
size_t bitmap_count(const u64 *map, size_t bits);
