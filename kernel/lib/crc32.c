/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CRC-32, eight bytes at a time with tables made at the first use ("slicing by 8"). */
#include <lib/crc32.h>

static u32 tables[8][256];
static bool tables_made;

static void make_tables(void)
{
	for (u32 i = 0; i < 256; i++) {
		u32 c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
		tables[0][i] = c;
	}
	for (int t = 1; t < 8; t++)
		for (u32 i = 0; i < 256; i++)
			tables[t][i] = tables[0][tables[t - 1][i] & 255] ^ tables[t - 1][i] >> 8;
	/* Two CPUs may both come here and store the same values; the flag only goes up after them.
	 */
	__atomic_store_n(&tables_made, true, __ATOMIC_RELEASE);
}

u32 crc32(u32 crc, const void *data, size_t n)
{
	const u8 *p = data;

	if (!__atomic_load_n(&tables_made, __ATOMIC_ACQUIRE))
		make_tables();
	crc = ~crc;
	for (; n >= 8; n -= 8, p += 8) {
		u64 v;

		__builtin_memcpy(&v, p, 8);
		v ^= crc;
		crc = 0;
		for (int i = 0; i < 8; i++)
			crc ^= tables[7 - i][v >> 8 * i & 255];
	}
	for (; n; n--, p++)
		crc = tables[0][(crc ^ *p) & 255] ^ crc >> 8;
	return ~crc;
}
