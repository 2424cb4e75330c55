/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk of a host test: a block device whose medium is memory, that fails when told to, completes late and out of
 * order if wanted, and records what it is asked, so that power cuts can be replayed.
 */
#pragma once

#include <block/block.h>

struct host_disk;

struct host_disk_options {
	u64 sectors;
	bool write_cache, fua;
	bool asynchronous; /* complete when the thread sleeps, in random order of `seed`; else at once */
	bool read_only;
	u32 logical_block; /* 0: 512 */
	u64 seed;
};

/* Adds a disk "name" with zeroed contents. -ENOMEM. */
[[nodiscard]] int host_disk_create(const char *name, const struct host_disk_options *options,
				   struct host_disk **out);
/* Completes what is under way and removes it. */
void host_disk_destroy(struct host_disk *disk);
struct block_device *host_disk_device(struct host_disk *disk);

/* The medium, to be read and changed between requests. */
u8 *host_disk_data(struct host_disk *disk);
/* Reads a file of the host into the medium; its size, -ENOENT. */
[[nodiscard]] long host_disk_load(struct host_disk *disk, const char *path);
/* Writes the medium to a file of the host. 0 or -EIO. */
[[nodiscard]] int host_disk_save(struct host_disk *disk, const char *path);

/* From now on requests of the kind that touch [first, last] end with `status`, after `skip` more of them; 0 ends that. */
void host_disk_fail(struct host_disk *disk, enum block_operation operation, u64 first, u64 last,
		    int status, unsigned skip);

/* Starts recording writes and flushes, the present contents being what is on the medium. False: no memory. */
[[nodiscard]] bool host_disk_record(struct host_disk *disk);
/* How many writes and flushes were completed since then. */
unsigned host_disk_recorded(const struct host_disk *disk);
/*
 * The medium after a power cut when `events` of them had been completed: what a flush covered, or FUA wrote, is there; of later
 * writes, any by the random sequence of `seed`, the sectors of each perhaps in part. Into `image`, of the disk's size.
 */
void host_disk_crash(const struct host_disk *disk, unsigned events, u64 seed, u8 *image);
