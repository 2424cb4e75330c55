/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of lib/string.c, list.h, sort.c, bitmap.c, ring.c, crc32.c and hash.c. */
#include <lib/bitmap.h>
#include <lib/crc32.h>
#include <lib/errno.h>
#include <lib/hash.h>
#include <lib/list.h>
#include <lib/ring.h>
#include <lib/sort.h>
#include <lib/test.h>

TEST(memmove_overlaps_either_way)
{
	for (size_t size = 0; size < 40; size++) {
		for (size_t to = 0; to < 20; to++) {
			u8 memory[80];

			for (size_t i = 0; i < sizeof(memory); i++)
				memory[i] = (u8)i;
			memmove(memory + to, memory + 10, size);
			for (size_t i = 0; i < sizeof(memory); i++)
				EXPECT_EQ(memory[i], i >= to && i < to + size ? i - to + 10 : i);
		}
	}
}

TEST(memory_and_strings)
{
	char buf[8];

	EXPECT_LT(memcmp("abc", "abd", 3), 0);
	EXPECT_EQ(memcmp("abc", "abd", 2), 0);
	EXPECT_LT(strcmp("a", "\xff"), 0);
	EXPECT_EQ(strnlen("abc", 2), 2u);
	EXPECT(memchr("abc", 'd', 3) == nullptr);
	EXPECT_STREQ(strrchr("a/b/c", '/'), "/c");
	EXPECT_STREQ(strstr("hello", "ll"), "llo");
	EXPECT(strstr("hello", "lx") == nullptr);
	EXPECT_EQ(string_copy(buf, "1234567", sizeof(buf)), 7);
	EXPECT_EQ(string_copy(buf, "12345678", sizeof(buf)), -E2BIG);
	EXPECT_STREQ(buf, "1234567");
	EXPECT(string_starts("console=", "con"));
	EXPECT(!string_starts("co", "con"));
}

struct numbered {
	struct list_head node;
	int number;
};

TEST(list_keeps_order)
{
	struct list_head list = LIST_INIT(list), other = LIST_INIT(other);
	struct numbered items[5], *item, *next;
	int expected = 0;

	for (int i = 0; i < 5; i++) {
		items[i].number = i;
		list_add_tail(i < 3 ? &list : &other, &items[i].node);
	}
	list_splice_tail(&list, &other);
	EXPECT(list_empty(&other));
	list_for_each (item, &list, node)
		EXPECT_EQ(item->number, expected++);
	EXPECT_EQ(expected, 5);
	list_for_each_safe (item, next, &list, node)
		list_remove(&item->node);
	EXPECT(list_empty(&list));
	list_remove(&items[0].node);
}

static int compare_ints(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

TEST(sort_sorts)
{
	int numbers[257];
	u32 seed = 7;

	for (size_t n = 0; n <= ARRAY_SIZE(numbers); n++) {
		s64 sum = 0;

		for (size_t i = 0; i < n; i++) {
			seed = seed * 1664525 + 1013904223;
			numbers[i] = (int)(seed >> 20) - 2000;
			sum += numbers[i];
		}
		sort(numbers, n, sizeof(int), compare_ints);
		for (size_t i = 0; i < n; i++) {
			sum -= numbers[i];
			EXPECT(i == 0 || numbers[i - 1] <= numbers[i]);
		}
		EXPECT_EQ(sum, 0);
	}
}

TEST(bitmap_finds)
{
	BITMAP_DECLARE(map, 200) = {};

	EXPECT_EQ(bitmap_next_set(map, 200, 0), 200u);
	EXPECT_EQ(bitmap_next_clear(map, 200, 130), 130u);
	bitmap_set(map, 0);
	bitmap_set(map, 64);
	bitmap_set(map, 199);
	EXPECT_EQ(bitmap_next_set(map, 200, 1), 64u);
	EXPECT_EQ(bitmap_next_set(map, 200, 65), 199u);
	EXPECT_EQ(bitmap_next_set(map, 199, 65), 199u);
	EXPECT_EQ(bitmap_next_clear(map, 200, 199), 200u);
	EXPECT_EQ(bitmap_count(map, 200), 3u);
	EXPECT_EQ(bitmap_count(map, 199), 2u);
	bitmap_clear(map, 64);
	EXPECT(!bitmap_test(map, 64));
}

TEST(ring_wraps)
{
	u8 data[16], out[16];
	struct ring ring;
	u8 next_in = 0, next_out = 0, byte = 0;

	ring_init(&ring, data, sizeof(data));
	for (int round = 0; round < 100; round++) {
		u8 chunk[11];

		for (size_t i = 0; i < sizeof(chunk); i++)
			chunk[i] = (u8)(next_in + i);
		next_in += (u8)ring_write(&ring, chunk, sizeof(chunk));
		for (u32 i = 0, n = ring_read(&ring, out, 7); i < n; i++)
			EXPECT_EQ(out[i], next_out++);
	}
	EXPECT_EQ(ring_used(&ring) + ring_space(&ring), 16u);
	ring_clear(&ring);
	EXPECT(!ring_get(&ring, &byte));
	EXPECT(ring_put(&ring, 9) && ring_unput(&ring) && !ring_unput(&ring));
}

TEST(crc32_of_known_text)
{
	EXPECT_EQ(crc32(0, "123456789", 9), 0xcbf43926u);
	EXPECT_EQ(crc32(crc32(0, "1234", 4), "56789", 5), 0xcbf43926u);
}

TEST(hashes_depend_on_every_byte)
{
	struct siphash_key key = { { 1, 2 } }, other = { { 1, 3 } };
	u8 data[40] = {};

	for (size_t i = 0; i < sizeof(data); i++) {
		u64 plain = hash_bytes(data, sizeof(data), 0),
		    keyed = siphash(data, sizeof(data), &key);

		data[i] ^= 1;
		EXPECT_NE(hash_bytes(data, sizeof(data), 0), plain);
		EXPECT_NE(siphash(data, sizeof(data), &key), keyed);
	}
	EXPECT_NE(siphash(data, 5, &key), siphash(data, 5, &other));
	EXPECT_NE(siphash(data, 5, &key), siphash(data, 6, &key));
}
