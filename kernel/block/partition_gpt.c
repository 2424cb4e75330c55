/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GUID partition tables (UEFI specification 2.10, 5.3). */
#include <block/partition.h>
#include <lib/crc32.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>

#define HEADER_MIN 92u
#define ENTRY_MIN 128u
#define ENTRIES_BYTES_MAX (1u << 20)

struct __packed gpt_header {
	char signature[8];
	u32 revision, header_size, header_crc, reserved;
	u64 my_lba, alternate_lba, first_usable, last_usable;
	u8 disk_guid[16];
	u64 entries_lba;
	u32 entry_count, entry_size, entries_crc;
};
static_assert(sizeof(struct gpt_header) == HEADER_MIN);

struct __packed gpt_entry {
	u8 type[16], guid[16];
	u64 first, last, attributes;
	u16 name[36];
};
static_assert(sizeof(struct gpt_entry) == ENTRY_MIN);

/* The first three fields of a GUID are little endian. */
static void guid_text(const u8 *g, char out[37])
{
	(void)snprintf(out, 37,
		       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", g[3],
		       g[2], g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12],
		       g[13], g[14], g[15]);
}

/* UTF-16 to UTF-8, cut to what fits; control characters end it. */
static void name_text(const u8 *name, char *out, size_t size)
{
	size_t n = 0;

	for (unsigned i = 0; i < 36; i++) {
		u32 c = (u32)name[2 * i] | (u32)name[2 * i + 1] << 8;
		unsigned length = c < 0x80 ? 1 : c < 0x800 ? 2 : 3;

		if (c < 0x20 || n + length >= size)
			break;
		if (length == 1) {
			out[n++] = (char)c;
		} else if (length == 2) {
			out[n++] = (char)(0xc0 | c >> 6);
			out[n++] = (char)(0x80 | (c & 0x3f));
		} else {
			out[n++] = (char)(0xe0 | c >> 12);
			out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
			out[n++] = (char)(0x80 | (c & 0x3f));
		}
	}
	out[n] = 0;
}

/* Reads and checks the header at block `lba`. 0, -ENOENT or -EIO. */
static int header_read(const struct partition_reader *reader, u64 lba, u8 *block,
		       struct gpt_header *out)
{
	u64 blocks = reader->sectors * SECTOR_SIZE / reader->logical_block;
	int error;

	if (lba >= blocks)
		return -ENOENT;
	error = reader->read(reader, lba * reader->logical_block, block, reader->logical_block);
	if (error)
		return error;
	memcpy(out, block, sizeof(*out));
	if (memcmp(out->signature, "EFI PART", 8) || out->header_size < HEADER_MIN ||
	    out->header_size > reader->logical_block)
		return -ENOENT;
	memset(block + offsetof(struct gpt_header, header_crc), 0, 4);
	if (crc32(0, block, out->header_size) != out->header_crc || out->my_lba != lba)
		return -ENOENT;
	if (out->entry_size < ENTRY_MIN || out->entry_size & (out->entry_size - 1) ||
	    out->entry_size > 4096 || !out->entry_count ||
	    out->entry_count > ENTRIES_BYTES_MAX / out->entry_size || out->entries_lba >= blocks ||
	    out->first_usable > out->last_usable || out->last_usable >= blocks)
		return -ENOENT;
	return 0;
}

static void entry_read(const struct partition_reader *reader, const struct gpt_header *header,
		       const u8 *at, struct block_partition *out)
{
	static const u8 unused[16];
	u64 scale = reader->logical_block / SECTOR_SIZE;
	struct gpt_entry e;

	memcpy(&e, at, sizeof(e));
	if (!memcmp(e.type, unused, 16) || e.first < header->first_usable || e.first > e.last ||
	    e.last > header->last_usable)
		return;
	out->start = e.first * scale;
	out->sectors = (e.last - e.first + 1) * scale;
	guid_text(e.guid, out->uuid);
	name_text(at + offsetof(struct gpt_entry, name), out->label, sizeof(out->label));
}

static int table_read(const struct partition_reader *reader, u64 lba, u8 *block,
		      struct partition_table *out)
{
	struct gpt_header header;
	int error = header_read(reader, lba, block, &header);

	if (error)
		return error;
	size_t bytes = (size_t)header.entry_count * header.entry_size;
	size_t whole = ALIGN_UP(bytes, (size_t)reader->logical_block);
	u64 offset = header.entries_lba * reader->logical_block;
	if (offset + whole > reader->sectors * SECTOR_SIZE)
		return -ENOENT;
	u8 *entries = kvmalloc(whole, 0);
	if (!entries)
		return -ENOMEM;
	error = reader->read(reader, offset, entries, whole);
	if (!error && crc32(0, entries, bytes) != header.entries_crc)
		error = -ENOENT;
	for (unsigned i = 0; !error && i < MIN(header.entry_count, PARTITIONS_MAX); i++) {
		entry_read(reader, &header, entries + (size_t)i * header.entry_size,
			   &out->entries[i]);
		if (out->entries[i].sectors)
			out->count = i + 1;
	}
	kvfree(entries);
	return error;
}

int partition_read_gpt(const struct partition_reader *reader, struct partition_table *out)
{
	u64 blocks = reader->sectors * SECTOR_SIZE / reader->logical_block;
	u8 *block = kmalloc(reader->logical_block, 0);
	int error;

	if (!block)
		return -ENOMEM;
	memset(out, 0, sizeof(*out));
	error = table_read(reader, 1, block, out);
	/* The backup header is the last block. */
	if (error && error != -ENOMEM && blocks > 2)
		error = table_read(reader, blocks - 1, block, out);
	kfree(block);
	return error;
}
