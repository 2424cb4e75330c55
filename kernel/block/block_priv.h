/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the block layer. */
#pragma once

#include <block/block.h>

struct block_disk {
	struct spinlock lock;
	struct list_head pending __guarded_by(&lock); /* waiting for room in the driver, in order */
	u64 room __guarded_by(&lock);		      /* how often the driver told of room */
	struct mutex partition_lock; /* changes of the partitions exclude each other */
	bool removed;
	bool scans;	/* partition tables */
	unsigned opens; /* of the disk and its partitions; under the list's lock */
	const struct block_driver_ops *ops;
	void *private;
	struct block_limits limits;
	unsigned minors;
	u64 sequence; /* of all disks since boot: BLKGETDISKSEQ */
	struct block_device *whole;
	const void *holder; /* of the whole disk; under the list's lock, as the counts */
	unsigned partition_holders;
};

/* Which devices there are, and who has them open. */
extern struct mutex block_list_lock;
extern struct list_head block_devices __guarded_by(&block_list_lock);

struct block_device {
	struct block_disk *disk;
	u32 refs;
	unsigned partition; /* 0: the whole disk */
	char name[24];
	u64 number;
	u64 start, sectors;
	bool listed;
	bool read_only;	    /* BLKROSET */
	u32 block_size;	    /* BLKBSZSET */
	u32 read_ahead;	    /* sectors, BLKRASET */
	const void *holder; /* under the list's lock */
	u32 opens, writers;
	struct memory_object *object;
	char uuid[37], label[37];
	struct list_head node;	  /* in the list of all */
	struct block_stats stats; /* under disk->lock */
	u64 busy_since_ns;
	void *node_private; /* of block_hooks */
};
