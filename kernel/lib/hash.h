/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hashes. hash_u64 and hash_string are fast and predictable: for keys that nobody hostile chooses. siphash is
 * keyed: for names and addresses that come from users or the network.
 */
#pragma once

#include <lib/types.h>

/* Mixes a word; take the upper bits, or hash_bits. */
static inline u64 hash_u64(u64 v)
{
	v ^= v >> 32;
	v *= 0x9e3779b97f4a7c15ull;
	return v ^ v >> 29;
}

/* A hash of `bits` (1..64) bits: the index of a table of 2^bits entries. */
static inline u64 hash_bits(u64 v, unsigned bits)
{
	return (v * 0x9e3779b97f4a7c15ull) >> (64 - bits);
}

/* A fast hash of `n` bytes, a word at a time. */
u64 hash_bytes(const void *data, size_t n, u64 seed);

struct siphash_key {
	u64 words[2]; /* random */
};

/* SipHash-1-3 (Aumasson and Bernstein) of `n` bytes. */
u64 siphash(const void *data, size_t n, const struct siphash_key *key);
