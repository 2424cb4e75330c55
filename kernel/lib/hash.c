/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hashes of byte strings. */
#include <lib/hash.h>

static inline u64 load_u64(const u8 *p)
{
	u64 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

/* The last 0..7 bytes, little endian. */
static inline u64 load_tail(const u8 *p, size_t n)
{
	u64 v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

u64 hash_bytes(const void *data, size_t n, u64 seed)
{
	const u8 *p = data;
	u64 h = seed ^ n * 0x9e3779b97f4a7c15ull;

	for (; n >= 8; n -= 8, p += 8)
		h = hash_u64(h ^ load_u64(p));
	return hash_u64(h ^ load_tail(p, n));
}

static inline u64 rotate(u64 v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static inline void sip_round(u64 v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32) + v[3];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

u64 siphash(const void *data, size_t n, const struct siphash_key *key)
{
	const u8 *p = data;
	u64 last = (u64)n << 56;
	u64 v[4] = {
		key->words[0] ^ 0x736f6d6570736575ull,
		key->words[1] ^ 0x646f72616e646f6dull,
		key->words[0] ^ 0x6c7967656e657261ull,
		key->words[1] ^ 0x7465646279746573ull,
	};

	for (; n >= 8; n -= 8, p += 8) {
		u64 m = load_u64(p);

		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	last |= load_tail(p, n);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
