/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Internet checksum, eight bytes at a time. */
#include <net/checksum.h>

static inline u64 add_carry(u64 sum, u64 v)
{
	u64 r;

	return __builtin_add_overflow(sum, v, &r) ? r + 1 : r;
}

u32 checksum_add(const void *data, size_t n, u32 start)
{
	const u8 *p = data;
	u64 sum = start, v;

	for (; n >= 32; n -= 32, p += 32) {
		u64 w[4];

		__builtin_memcpy(w, p, 32);
		sum = add_carry(sum, w[0]);
		sum = add_carry(sum, w[1]);
		sum = add_carry(sum, w[2]);
		sum = add_carry(sum, w[3]);
	}
	for (; n >= 8; n -= 8, p += 8) {
		__builtin_memcpy(&v, p, 8);
		sum = add_carry(sum, v);
	}
	if (n & 4) {
		u32 word;

		__builtin_memcpy(&word, p, 4);
		sum = add_carry(sum, word);
		p += 4;
		n -= 4;
	}
	if (n) {
		v = 0;
		for (size_t i = 0; i < n; i++)
			((u8 *)&v)[i] = p[i];
		sum = add_carry(sum, v);
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (u32)(sum + (sum >> 32));
}

u32 checksum_pseudo(const struct inet_address *source, const struct inet_address *destination,
		    unsigned length, u8 protocol)
{
	u32 sum = net32(length);

	sum = checksum_combine(sum, net32(protocol));
	if (inet_is_v4(destination)) {
		sum = checksum_combine(sum, source->words[3]);
		return checksum_combine(sum, destination->words[3]);
	}
	sum = checksum_add(source, sizeof(*source), sum);
	return checksum_add(destination, sizeof(*destination), sum);
}
