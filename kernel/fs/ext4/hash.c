/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hashes of names in indexed directories: half of MD4 (RFC 1320 with 24 of its 48 steps), TEA, and the old one. Each
 * comes in two kinds, because characters were signed on the first machines and not on others.
 */
#include <fs/ext4/ext4_priv.h>
#include <lib/string.h>

#define MD4_K2 0x5a827999u
#define MD4_K3 0x6ed9eba1u
#define TEA_DELTA 0x9e3779b9u
#define HASH_EOF 0xfffffffeu /* means the end of a directory, so no name has it */

static u32 rotate(u32 v, unsigned n)
{
	return v << n | v >> (32 - n);
}

/* One step of MD4; the four words turn by one place. */
#define STEP(f, x, s)                                                                              \
	do {                                                                                       \
		u32 t_ = rotate(a + (f) + (x), s);                                                 \
		a = d;                                                                             \
		d = c;                                                                             \
		c = b;                                                                             \
		b = t_;                                                                            \
	} while (0)

static void half_md4(u32 state[4], const u32 in[8])
{
	static const u8 order[3][8] = { { 0, 1, 2, 3, 4, 5, 6, 7 },
					{ 1, 3, 5, 7, 0, 2, 4, 6 },
					{ 3, 7, 2, 6, 1, 5, 0, 4 } };
	static const u8 turns[3][4] = { { 3, 7, 11, 19 }, { 3, 5, 9, 13 }, { 3, 9, 11, 15 } };
	u32 a = state[0], b = state[1], c = state[2], d = state[3];

	for (unsigned i = 0; i < 8; i++)
		STEP(d ^ (b & (c ^ d)), in[order[0][i]], turns[0][i % 4]);
	for (unsigned i = 0; i < 8; i++)
		STEP((b & c) + ((b ^ c) & d), in[order[1][i]] + MD4_K2, turns[1][i % 4]);
	for (unsigned i = 0; i < 8; i++)
		STEP(b ^ c ^ d, in[order[2][i]] + MD4_K3, turns[2][i % 4]);
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

static void tea(u32 state[4], const u32 in[4])
{
	u32 b0 = state[0], b1 = state[1], sum = 0;

	for (unsigned i = 0; i < 16; i++) {
		sum += TEA_DELTA;
		b0 += ((b1 << 4) + in[0]) ^ (b1 + sum) ^ ((b1 >> 5) + in[1]);
		b1 += ((b0 << 4) + in[2]) ^ (b0 + sum) ^ ((b0 >> 5) + in[3]);
	}
	state[0] += b0;
	state[1] += b1;
}

static u32 character(char c, bool is_signed)
{
	return is_signed ? (u32)(s32)(s8)c : (u32)(u8)c;
}

/* The first `words` words of a name, padded with its length. */
static void to_words(const char *name, u32 length, u32 *out, u32 words, bool is_signed)
{
	u32 pad = length | length << 8, value;

	pad |= pad << 16;
	value = pad;
	length = MIN(length, words * 4);
	for (u32 i = 0; i < length; i++) {
		value = character(name[i], is_signed) + (value << 8);
		if (i % 4 == 3) {
			*out++ = value;
			value = pad;
			words--;
		}
	}
	if (words) {
		*out++ = value;
		words--;
	}
	while (words--)
		*out++ = pad;
}

static u32 legacy(const char *name, u32 length, bool is_signed)
{
	u32 hash0 = 0x12a3fe2d, hash1 = 0x37abe8f9;

	while (length--) {
		u32 hash = hash1 + (hash0 ^ character(*name++, is_signed) * 7152373u);

		if (hash & 0x80000000u)
			hash -= 0x7fffffff;
		hash1 = hash0;
		hash0 = hash;
	}
	return hash0 << 1;
}

struct ext4_hash ext4_name_hash(const struct ext4 *fs, u32 version, const char *name, u32 length)
{
	u32 state[4] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 }, in[8];
	bool is_signed = version < EXT4_HASH_LEGACY_UNSIGNED;
	u32 kind = is_signed ? version : version - EXT4_HASH_LEGACY_UNSIGNED;
	u32 words = kind == EXT4_HASH_TEA ? 4 : 8;
	struct ext4_hash hash = {};

	if (fs->hash_seed[0] | fs->hash_seed[1] | fs->hash_seed[2] | fs->hash_seed[3])
		memcpy(state, fs->hash_seed, sizeof(state));
	if (kind == EXT4_HASH_LEGACY) {
		hash.major = legacy(name, length, is_signed);
	} else {
		for (u32 at = 0; at < length; at += words * 4) {
			to_words(name + at, length - at, in, words, is_signed);
			if (kind == EXT4_HASH_TEA)
				tea(state, in);
			else
				half_md4(state, in);
		}
		hash.major = kind == EXT4_HASH_TEA ? state[0] : state[1];
		hash.minor = kind == EXT4_HASH_TEA ? state[1] : state[2];
	}
	hash.major &= ~1u;
	if (hash.major == HASH_EOF)
		hash.major = (HASH_EOF & ~1u) - 2;
	return hash;
}
