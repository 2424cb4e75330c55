/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Partition tables: MBR with logical partitions, GPT (UEFI specification 2.10, chapter 5) with its backup. Tables come from the
 * disk and are not trusted: checksums are verified, everything is checked against the disk's size, chains end.
 */
#pragma once

#include <block/block.h>

#define PARTITIONS_MAX 128u

/* Reads `size` bytes (multiples of the logical block) of the disk: 0 or -errno. */
struct partition_reader {
	int (*read)(const struct partition_reader *reader, u64 offset, void *to, size_t size);
	u64 sectors; /* of 512 bytes */
	u32 logical_block;
	void *private;
};

struct partition_table {
	unsigned count;					/* highest number in use */
	struct block_partition entries[PARTITIONS_MAX]; /* number n at n - 1; sectors 0: none */
};

/* Each: 0 and the table, -ENOENT if there is none of the kind, -EIO, -ENOMEM. May sleep. */
[[nodiscard]] int partition_read_gpt(const struct partition_reader *reader,
				     struct partition_table *out);
[[nodiscard]] int partition_read_mbr(const struct partition_reader *reader,
				     struct partition_table *out);
/* Whichever is there; an empty table if none is. */
[[nodiscard]] int partition_read(const struct partition_reader *reader,
				 struct partition_table *out);
