/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Partition tables: whole, with one half damaged, and mutated at random. */
#include <block/partition.h>
#include <lib/crc32.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <lib/test.h>
#include <mm/slab.h>

#define BLOCKS 4096u
#define MUTATIONS 1000

static int image_read(const struct partition_reader *reader, u64 offset, void *to, size_t size)
{
	/* What a reader asks for lies on the disk, whatever the table says. */
	EXPECT(offset + size >= offset && offset + size <= reader->sectors * SECTOR_SIZE);
	if (offset + size > reader->sectors * SECTOR_SIZE)
		return -EIO;
	memcpy(to, (u8 *)reader->private + offset, size);
	return 0;
}

static struct partition_reader reader_of(u8 *image)
{
	return (struct partition_reader){ image_read, BLOCKS, SECTOR_SIZE, image };
}

static void put32(u8 *at, u32 value)
{
	memcpy(at, &value, 4);
}

static void put64(u8 *at, u64 value)
{
	memcpy(at, &value, 8);
}

static void gpt_header(u8 *image, u64 lba, u64 other, u64 entries)
{
	u8 *h = image + lba * SECTOR_SIZE;

	memset(h, 0, SECTOR_SIZE);
	memcpy(h, "EFI PART", 8);
	put32(h + 8, 0x10000);
	put32(h + 12, 92);
	put64(h + 24, lba);
	put64(h + 32, other);
	put64(h + 40, 34);
	put64(h + 48, BLOCKS - 34);
	put64(h + 72, entries);
	put32(h + 80, 128);
	put32(h + 84, 128);
	put32(h + 88, crc32(0, image + entries * SECTOR_SIZE, 128 * 128));
	put32(h + 16, crc32(0, h, 92));
}

static void gpt_entry(u8 *at, u8 type, u64 first, u64 last, const char *name)
{
	memset(at, type, 16);
	memset(at + 16, type + 1, 16);
	put64(at + 32, first);
	put64(at + 40, last);
	for (unsigned i = 0; name[i]; i++)
		at[56 + 2 * i] = (u8)name[i];
}

static u8 *gpt_image(void)
{
	u8 *image = kzalloc(BLOCKS * SECTOR_SIZE, 0);
	u8 *entries = image + 2 * SECTOR_SIZE;

	gpt_entry(entries, 0x11, 64, 1087, "boot");
	gpt_entry(entries + 2 * 128, 0x22, 1088, BLOCKS - 34, "root");
	memcpy(image + (BLOCKS - 33) * SECTOR_SIZE, entries, 128 * 128);
	gpt_header(image, 1, BLOCKS - 1, 2);
	gpt_header(image, BLOCKS - 1, 1, BLOCKS - 33);
	return image;
}

static void expect_gpt(u8 *image)
{
	struct partition_reader reader = reader_of(image);
	struct partition_table *t = kzalloc(sizeof(*t), 0);

	EXPECT_EQ(partition_read(&reader, t), 0);
	EXPECT_EQ(t->count, 3u);
	EXPECT_EQ(t->entries[0].start, 64ull);
	EXPECT_EQ(t->entries[0].sectors, 1024ull);
	EXPECT_EQ(t->entries[1].sectors, 0ull);
	EXPECT_EQ(t->entries[2].start, 1088ull);
	EXPECT(!strcmp(t->entries[2].label, "root"));
	EXPECT(!strcmp(t->entries[0].uuid, "12121212-1212-1212-1212-121212121212"));
	kfree(t);
}

TEST(gpt_is_read)
{
	u8 *image = gpt_image();

	expect_gpt(image);
	kfree(image);
}

TEST(gpt_backup_replaces_a_damaged_header)
{
	u8 *image = gpt_image();

	image[SECTOR_SIZE + 60] ^= 1;
	expect_gpt(image);
	memset(image + SECTOR_SIZE, 0, 4 * SECTOR_SIZE);
	expect_gpt(image);
	kfree(image);
}

TEST(gpt_backup_replaces_damaged_entries)
{
	u8 *image = gpt_image();

	image[2 * SECTOR_SIZE + 130] ^= 1;
	expect_gpt(image);
	kfree(image);
}

static void mbr_entry(u8 *block, unsigned n, u8 type, u32 start, u32 sectors)
{
	u8 *at = block + 446 + 16 * n;

	at[4] = type;
	put32(at + 8, start);
	put32(at + 12, sectors);
	block[510] = 0x55;
	block[511] = 0xaa;
}

static u8 *mbr_image(void)
{
	u8 *image = kzalloc(BLOCKS * SECTOR_SIZE, 0);

	put32(image + 440, 0xdeadbeef);
	mbr_entry(image, 0, 0x83, 64, 1000);
	mbr_entry(image, 1, 0x05, 2048, 2000);
	mbr_entry(image + 2048 * SECTOR_SIZE, 0, 0x83, 1, 99);
	mbr_entry(image + 2048 * SECTOR_SIZE, 1, 0x05, 500, 300);
	mbr_entry(image + 2548 * SECTOR_SIZE, 0, 0x82, 2, 200);
	return image;
}

TEST(mbr_is_read_with_logical_partitions)
{
	u8 *image = mbr_image();
	struct partition_reader reader = reader_of(image);
	struct partition_table *t = kzalloc(sizeof(*t), 0);

	EXPECT_EQ(partition_read(&reader, t), 0);
	EXPECT_EQ(t->count, 6u);
	EXPECT_EQ(t->entries[0].sectors, 1000ull);
	EXPECT_EQ(t->entries[1].sectors, 2ull);
	EXPECT_EQ(t->entries[4].start, 2049ull);
	EXPECT_EQ(t->entries[5].start, 2550ull);
	EXPECT(!strcmp(t->entries[0].uuid, "deadbeef-01"));
	kfree(t);
	kfree(image);
}

TEST(mbr_chain_that_bites_its_tail_ends)
{
	u8 *image = mbr_image();
	struct partition_reader reader = reader_of(image);
	struct partition_table *t = kzalloc(sizeof(*t), 0);

	mbr_entry(image + 2548 * SECTOR_SIZE, 1, 0x05, 0, 300);
	EXPECT_EQ(partition_read(&reader, t), 0);
	EXPECT_EQ(t->count, 6u);
	kfree(t);
	kfree(image);
}

TEST(empty_disk_has_no_partitions)
{
	u8 *image = kzalloc(BLOCKS * SECTOR_SIZE, 0);
	struct partition_reader reader = reader_of(image);
	struct partition_table *t = kzalloc(sizeof(*t), 0);

	EXPECT_EQ(partition_read(&reader, t), 0);
	EXPECT_EQ(t->count, 0u);
	kfree(t);
	kfree(image);
}

/* Any table is refused or describes partitions that the disk can hold; checksums are made right again half of the time. */
static void mutate(u8 *(*make)(void), bool gpt)
{
	struct partition_table *t = kzalloc(sizeof(*t), 0);
	u64 random = 88172645463325252ull;
	u8 *image = make();
	struct partition_reader reader = reader_of(image);
	u8 *saved = kmalloc(BLOCKS * SECTOR_SIZE, 0);

	memcpy(saved, image, BLOCKS * SECTOR_SIZE);
	for (unsigned n = 0; n < MUTATIONS; n++) {
		memcpy(image, saved, BLOCKS * SECTOR_SIZE);
		for (unsigned i = 0; i < 1 + n % 8; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			u64 span = gpt ? 1500 : SECTOR_SIZE;
			u64 at =
				gpt ? SECTOR_SIZE + random % span
				    : (random & 1 ? 2048 * SECTOR_SIZE : 0) + 440 + random / 2 % 72;
			image[at] = (u8)(random >> 40);
		}
		if (gpt && n % 2) {
			u8 *h = image + SECTOR_SIZE;

			memcpy(h, "EFI PART", 8);
			put32(h + 88, crc32(0, image + 2 * SECTOR_SIZE, 128 * 128));
			put32(h + 16, 0);
			put32(h + 16, crc32(0, h, 92));
		}
		EXPECT_EQ(partition_read(&reader, t), 0);
		for (unsigned i = 0; i < t->count; i++)
			EXPECT(!t->entries[i].sectors ||
			       t->entries[i].start + t->entries[i].sectors <= BLOCKS);
	}
	kfree(saved);
	kfree(image);
	kfree(t);
}

TEST(gpt_mutated)
{
	mutate(gpt_image, true);
}

TEST(mbr_mutated)
{
	mutate(mbr_image, false);
}
