/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MD5, as RFC 1321 writes it down. */
#include <lib/md5.h>
#include <lib/string.h>

/* RFC 1321, 3.4: the integer part of 2^32 |sin(i + 1)|. */
static const u32 sines[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613,
	0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193,
	0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d,
	0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
	0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122,
	0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
	0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244,
	0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
	0xeb86d391,
};
static const u8 shifts[4][4] = {
	{ 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 }
};

static u32 load_word(const u8 *p)
{
	return p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static void store_word(u8 *p, u32 v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (u8)(v >> 8 * i);
}

/* The function of a round, and which word of the block its step takes. */
static u32 mix(unsigned i, u32 b, u32 c, u32 d, unsigned *word)
{
	switch (i / 16) {
	case 0:
		*word = i;
		return (b & c) | (~b & d);
	case 1:
		*word = (5 * i + 1) % 16;
		return (d & b) | (~d & c);
	case 2:
		*word = (3 * i + 5) % 16;
		return b ^ c ^ d;
	default:
		*word = 7 * i % 16;
		return c ^ (b | ~d);
	}
}

static void transform(u32 state[4], const u8 *block)
{
	u32 a = state[0], b = state[1], c = state[2], d = state[3];

	for (unsigned i = 0; i < 64; i++) {
		unsigned word, shift = shifts[i / 16][i % 4];
		u32 sum = mix(i, b, c, d, &word) + a + sines[i];

		sum += load_word(block + 4 * word);
		a = d;
		d = c;
		c = b;
		b += sum << shift | sum >> (32 - shift);
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

void md5_begin(struct md5 *m)
{
	m->state[0] = 0x67452301;
	m->state[1] = 0xefcdab89;
	m->state[2] = 0x98badcfe;
	m->state[3] = 0x10325476;
	m->length = 0;
}

void md5_update(struct md5 *m, const void *data, size_t n)
{
	const u8 *p = data;

	while (n) {
		size_t used = m->length % 64, step = MIN(n, 64 - used);

		if (step == 64) {
			transform(m->state, p);
		} else {
			memcpy(m->block + used, p, step);
			if (used + step == 64)
				transform(m->state, m->block);
		}
		m->length += step;
		p += step;
		n -= step;
	}
}

void md5_end(struct md5 *m, u8 digest[static MD5_SIZE])
{
	static const u8 padding[64] = { 0x80 };
	u64 bits = m->length * 8;
	u8 length[8];

	store_word(length, (u32)bits);
	store_word(length + 4, (u32)(bits >> 32));
	md5_update(m, padding, 1 + (119 - m->length % 64) % 64);
	md5_update(m, length, sizeof(length));
	for (unsigned i = 0; i < 4; i++)
		store_word(digest + 4 * i, m->state[i]);
}
