/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bit maps: searches. */
#include <lib/bitmap.h>

static size_t next(const u64 *map, size_t bits, size_t from, u64 invert)
{
	while (from < bits) {
		u64 word = (map[from / 64] ^ invert) >> from % 64;

		if (word)
			return MIN(from + (size_t)__builtin_ctzll(word), bits);
		from = (from | 63) + 1;
	}
	return bits;
}

size_t bitmap_next_set(const u64 *map, size_t bits, size_t from)
{
	return next(map, bits, from, 0);
}

size_t bitmap_next_clear(const u64 *map, size_t bits, size_t from)
{
	return next(map, bits, from, ~0ull);
}

size_t bitmap_count(const u64 *map, size_t bits)
{
	size_t n = 0, i;

	for (i = 0; i + 64 <= bits; i += 64)
		n += (size_t)__builtin_popcountll(map[i / 64]);
	if (i < bits)
		n += (size_t)__builtin_popcountll(map[i / 64] & ((1ull << (bits - i)) - 1));
	return n;
}
