/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Master boot records: four entries, and a chain of logical partitions in extended ones. */
#include <block/partition.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>

#define TABLE_OFFSET 446
#define ENTRY_SIZE 16
#define SIGNATURE_OFFSET 510
#define DISK_ID_OFFSET 440
#define LOGICAL_FIRST 4 /* number 5 */
#define TYPE_GPT 0xee

struct mbr_entry {
	u8 status, type;
	u64 start, sectors; /* of 512 bytes, start relative */
};

static u32 le32(const u8 *p)
{
	return (u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static struct mbr_entry entry_at(const struct partition_reader *reader, const u8 *block, unsigned n)
{
	const u8 *p = block + TABLE_OFFSET + n * ENTRY_SIZE;
	u64 scale = reader->logical_block / SECTOR_SIZE;

	return (struct mbr_entry){ p[0], p[4], le32(p + 8) * scale, le32(p + 12) * scale };
}

static bool is_extended(u8 type)
{
	return type == 0x05 || type == 0x0f || type == 0x85;
}

static bool has_signature(const u8 *block)
{
	return block[SIGNATURE_OFFSET] == 0x55 && block[SIGNATURE_OFFSET + 1] == 0xaa;
}

/* A boot sector of a file system has the signature too, but no sensible status bytes. */
static bool is_table(const struct partition_reader *reader, const u8 *block)
{
	bool any = false;

	if (!has_signature(block))
		return false;
	for (unsigned i = 0; i < 4; i++) {
		struct mbr_entry e = entry_at(reader, block, i);

		if (e.status & 0x7f)
			return false;
		any |= e.type && e.sectors;
	}
	return any;
}

static void add(struct partition_table *table, unsigned index, u64 start, u64 sectors, u32 id,
		u64 size)
{
	struct block_partition *p = &table->entries[index];

	if (start >= size)
		return;
	p->start = start;
	p->sectors = MIN(sectors, size - start);
	(void)snprintf(p->uuid, sizeof(p->uuid), "%08x-%02x", id, index + 1);
	table->count = MAX(table->count, index + 1);
}

/* Each link of the chain has a partition relative to itself and the next link relative to the first. */
static int read_logical(const struct partition_reader *reader, u64 first, u32 id, u8 *block,
			struct partition_table *out)
{
	u64 link = first;

	for (unsigned index = LOGICAL_FIRST; index < PARTITIONS_MAX && link < reader->sectors;
	     index++) {
		int error = reader->read(reader, link * SECTOR_SIZE, block, reader->logical_block);

		if (error)
			return error;
		if (!has_signature(block))
			return 0;
		struct mbr_entry partition = entry_at(reader, block, 0);
		struct mbr_entry next = entry_at(reader, block, 1);
		if (partition.type && partition.sectors)
			add(out, index, link + partition.start, partition.sectors, id,
			    reader->sectors);
		/* Links go forward, or the chain might never end. */
		if (!is_extended(next.type) || !next.sectors || first + next.start <= link)
			return 0;
		link = first + next.start;
	}
	return 0;
}

static int read_table(const struct partition_reader *reader, u8 *block, struct partition_table *out)
{
	struct mbr_entry entries[4];
	u32 id = le32(block + DISK_ID_OFFSET);
	int error = 0;

	for (unsigned i = 0; i < 4; i++)
		entries[i] = entry_at(reader, block, i);
	for (unsigned i = 0; i < 4; i++) {
		const struct mbr_entry *e = &entries[i];

		if (!e->type || !e->sectors || e->type == TYPE_GPT)
			continue;
		/* Of an extended partition only the table can be seen: two sectors, as on Linux. */
		add(out, i, e->start, is_extended(e->type) ? MIN(e->sectors, 2ull) : e->sectors, id,
		    reader->sectors);
		if (is_extended(e->type))
			error = error ?: read_logical(reader, e->start, id, block, out);
	}
	return error;
}

int partition_read_mbr(const struct partition_reader *reader, struct partition_table *out)
{
	u8 *block = kmalloc(reader->logical_block, 0);
	int error;

	if (!block)
		return -ENOMEM;
	memset(out, 0, sizeof(*out));
	error = reader->read(reader, 0, block, reader->logical_block);
	if (!error)
		error = is_table(reader, block) ? read_table(reader, block, out) : -ENOENT;
	kfree(block);
	return error;
}
