/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CRC-32C, eight bytes at a time by tables that the first use makes, and CRC-16 bit by bit. */
#include <lib/crc32c.h>
#include <lib/string.h>

#define POLYNOMIAL 0x82f63b78u
#define SLICES 8

static u32 tables[SLICES][256];
static bool tables_ready; /* making them twice at the same time writes the same values */

static void make_tables(void)
{
	for (u32 i = 0; i < 256; i++) {
		u32 crc = i;

		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		tables[0][i] = crc;
	}
	for (u32 i = 0; i < 256; i++)
		for (unsigned slice = 1; slice < SLICES; slice++)
			tables[slice][i] =
				tables[slice - 1][i] >> 8 ^ tables[0][tables[slice - 1][i] & 0xff];
	__atomic_store_n(&tables_ready, true, __ATOMIC_RELEASE);
}

u32 crc32c(u32 crc, const void *data, size_t n)
{
	const u8 *p = data;

	if (unlikely(!__atomic_load_n(&tables_ready, __ATOMIC_ACQUIRE)))
		make_tables();
	for (; n >= 8; n -= 8, p += 8) {
		u64 word;

		memcpy(&word, p, sizeof(word));
		word ^= crc;
		crc = tables[7][word & 0xff] ^ tables[6][word >> 8 & 0xff] ^
		      tables[5][word >> 16 & 0xff] ^ tables[4][word >> 24 & 0xff] ^
		      tables[3][word >> 32 & 0xff] ^ tables[2][word >> 40 & 0xff] ^
		      tables[1][word >> 48 & 0xff] ^ tables[0][word >> 56];
	}
	while (n--)
		crc = crc >> 8 ^ tables[0][(crc ^ *p++) & 0xff];
	return crc;
}

u16 crc16(u16 crc, const void *data, size_t n)
{
	const u8 *p = data;

	while (n--) {
		crc ^= *p++;
		for (unsigned bit = 0; bit < 8; bit++)
			crc = (u16)(crc >> 1 ^ (crc & 1 ? 0xa001 : 0));
	}
	return crc;
}
