/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block devices and requests: what file systems and swap ask for, what drivers serve. Nothing here
 * knows a driver or a bus.
 *
 * (B1) A request is asynchronous: block_submit never waits for the device, and done() is called
 * exactly once, in a context that must not sleep. (B2) Requests between two flushes may be carried
 * out in any order; a write is durable when a flush that was submitted after its completion has
 * completed, or when it carried BLOCK_FUA. (B3) Ranges are checked against the device before a
 * driver sees them. (B4) An error is reported to the submitter; the block layer does not retry.
 */
#pragma once

#include <core/lock.h>
#include <lib/list.h>
#include <lib/types.h>

struct block_device;
struct block_request;
struct memory_object;
struct page;

#define SECTOR_SHIFT 9
#define SECTOR_SIZE 512u

enum block_operation {
	BLOCK_READ,
	BLOCK_WRITE,
	BLOCK_FLUSH,	    /* no data: makes completed writes durable */
	BLOCK_DISCARD,	    /* no data: contents of the range become undefined */
	BLOCK_WRITE_ZEROES, /* no data: the range reads as zeros */
};

#define BLOCK_EXT_MAJOR 259u /* of partitions without a minor number of their disk */
#define BLOCK_PARTITIONS_MAX 255u
#define BLOCK_READ_AHEAD_DEFAULT 256u /* sectors */

/* Request flags. */
#define BLOCK_PREFLUSH BIT(0) /* a flush before the write */
#define BLOCK_FUA BIT(1)      /* the write is durable when it is done */
#define BLOCK_SYNC BIT(2)     /* somebody waits for it */
#define BLOCK_META BIT(3)     /* metadata, for statistics and tracing */
#define BLOCK_READ_AHEAD BIT(4)

struct block_segment {
	/* Kept alive by the submitter until done(); may be one of a larger block. */
	struct page *page;
	u32 offset, length; /* bytes in it; multiples of the device's logical block, may cross pages
			       of a block of frames */
};

/*
 * The submitter fills in the first half, from `device` to `private`; zeroes the rest once, or takes what a former use of
 * the request left. A request is carried out in steps: a flush before, parts that fit the limits, a flush after.
 */
struct block_request {
	struct list_head node; /* the submitter's before block_submit and in done() */
	struct block_device *device;
	enum block_operation operation;
	u32 flags;   /* BLOCK_* */
	u64 sector;  /* first, of 512 bytes, from the start of `device` */
	u64 sectors; /* the sum of the segments for reads and writes */
	struct block_segment *segments;
	unsigned segment_count;
	/* Interrupt or thread context; must not sleep; may free the request. `status` is set. */
	void (*done)(struct block_request *request);
	void *private; /* the submitter's */
	int status;    /* 0, -EIO, -ENOSPC, -EOPNOTSUPP, -EROFS, -ENOMEM ... */

	void *driver_private; /* the driver's while it has the request */
	/* The step that the driver carries out; with it all requests of the list `merged`, whose sectors follow. */
	enum block_operation step;
	bool step_fua;
	u64 step_sector, step_sectors; /* from the start of the disk; with the merged ones */
	struct block_request *merged;
	/* The block layer's: */
	u64 started_ns;
	u64 sectors_left;	       /* behind this step */
	u32 step_segment, step_offset; /* where the step begins */
	u8 stage;
};

/* Walks over the memory of a step, for drivers. */
struct block_cursor {
	const struct block_request *request;
	u32 segment, offset;
	u64 bytes_left; /* of the whole step */
};
void block_cursor_init(struct block_cursor *cursor, const struct block_request *request);
/* The next physically contiguous piece, at most max_segment_size; there are at most max_segments. False at the end. */
bool block_cursor_next(struct block_cursor *cursor, paddr_t *address, u32 *length);

/* Limits that a driver states; the block layer splits and merges within them. */
struct block_limits {
	u32 logical_block;    /* bytes, a power of two from 512 to 4096 */
	u32 physical_block;   /* bytes */
	u32 max_segments;     /* of a request */
	u32 max_segment_size; /* bytes */
	u64 max_sectors;
	u64 max_discard_sectors;      /* 0: cannot discard */
	u64 max_write_zeroes_sectors; /* 0: the block layer writes zeros */
	bool write_cache;	      /* flushes are needed; false: writes are durable when done */
	bool fua;
	bool read_only;
	bool rotational;
};

/* What a driver tells of a disk in /sys: writes at most `size` bytes and returns how many, or -errno. May sleep. */
struct block_attribute {
	const char *name;
	int (*text)(struct block_device *disk, char *buf, size_t size);
};

struct block_driver_ops {
	const char *name; /* for /proc/devices and of the directory with the attributes */
	/* Ended by one without a name; may be null. They are there while has_attributes says so. */
	const struct block_attribute *attributes;
	bool (*has_attributes)(struct block_device *disk);
	/*
	 * Starts a request that is within the limits; never sleeps. 0, or -EBUSY when the device's queue
	 * is full: the block layer keeps it and tries again after block_queue_room().
	 */
	int (*start)(struct block_device *device, struct block_request *request);
	/* Tells the device that no more requests follow for now (one notification for many). */
	void (*kick)(struct block_device *device);
	/* ioctl(2) that the block layer does not know; null: -ENOTTY. */
	long (*ioctl)(struct block_device *device, unsigned request, unsigned long argument,
		      bool may_write);
	/* Nobody has the disk or one of its partitions open any more. No lock is held. Null: nothing. */
	void (*closed)(struct block_device *device);
	/* The last reference of a removed disk is gone: frees what driver_private is. Null: nothing. */
	void (*destroy)(void *driver_private);
};

/*
 * Submits a request. Requests of the current thread gather while it holds a plug, where neighbours
 * merge. done() may run before it returns. Does not sleep, any context but hard interrupts.
 */
void block_submit(struct block_request *request);

/* Submits and waits. Returns request->status. May sleep; done and private are overwritten. */
[[nodiscard]] int block_execute(struct block_request *request);

/* Reads or writes `size` bytes of kernel memory at a byte offset, both multiples of the logical
 * block. 0 or -errno. May sleep. */
[[nodiscard]] int block_read_kernel(struct block_device *device, u64 offset, void *to, size_t size);
[[nodiscard]] int block_write_kernel(struct block_device *device, u64 offset, const void *from,
				     size_t size);
/* Makes completed writes durable. May sleep. */
[[nodiscard]] int block_flush(struct block_device *device);
[[nodiscard]] int block_discard(struct block_device *device, u64 sector, u64 sectors);

/* Gathers the current thread's requests until block_plug_finish; nests (the outermost one counts).
 * A thread that sleeps submits what it has gathered. */
struct block_plug {
	struct list_head requests;
	unsigned count;
	struct block_plug *outer;
};
void block_plug_start(struct block_plug *plug);
void block_plug_finish(struct block_plug *plug);
/* Submits what the current thread has gathered; it is about to sleep. */
void block_plug_flush(void);

/*
 * Finds a device by number or by name ("vda1", "/dev/vda1", "PARTUUID=...", "8:1") with a
 * reference; -ENODEV, -ENXIO. May sleep.
 */
[[nodiscard]] int block_device_find(u64 number, struct block_device **out);
[[nodiscard]] int block_device_find_name(const char *name, struct block_device **out);
void block_device_get(struct block_device *device);
void block_device_put(struct block_device *device);

/*
 * Opens it for use: `holder` claims it exclusively (a mount; null: shared). -EBUSY if another
 * holder has it or its whole disk or a partition of it, -EACCES with `write` of a holder on a read-only device. May sleep.
 */
[[nodiscard]] int block_device_open(struct block_device *device, bool write, const void *holder);
void block_device_close(struct block_device *device, bool write, const void *holder);

u64 block_device_sectors(const struct block_device *device);
const struct block_limits *block_device_limits(const struct block_device *device);
/* The disk cannot be written, or BLKROSET said so of it or of this partition. */
bool block_device_read_only(const struct block_device *device);
const char *block_device_name(const struct block_device *device); /* "vda1" */
u64 block_device_number(const struct block_device *device);
/* The device's page cache: what read(2) of /dev/vda1 sees. Borrowed. */
struct memory_object *block_device_object(struct block_device *device);

/* What /proc/diskstats tells; indices are READ, WRITE, DISCARD, FLUSH in its order. */
enum block_statistic { STAT_READ, STAT_WRITE, STAT_DISCARD, STAT_FLUSH, STAT_COUNT };
struct block_stats {
	u64 requests[STAT_COUNT], merged[STAT_COUNT], sectors[STAT_COUNT], ns[STAT_COUNT];
	u64 in_flight, writes_in_flight, busy_ns, weighted_ns;
};
void block_device_stats(struct block_device *device, struct block_stats *out);
/* The numbers of /proc/diskstats and /sys/block/.../stat in their order (iostats.rst of Linux's documentation). */
#define BLOCK_STATS_COLUMNS 17
void block_device_stats_columns(struct block_device *device, u64 columns[BLOCK_STATS_COLUMNS]);

/* Calls visit for every device, disks before their partitions, until it returns false. May sleep. */
void block_for_each(bool (*visit)(struct block_device *device, void *arg), void *arg);
/* 0 for a whole disk. */
unsigned block_device_partition(const struct block_device *device);
u64 block_device_start(const struct block_device *device);
/* PARTUUID as text, "" if there is none; the name in a GPT. */
/* Sectors that sequential readers get before they ask: BLKRASET. */
u32 block_device_read_ahead(const struct block_device *device);
/* Different for every disk and every medium since boot: BLKGETDISKSEQ. */
u64 block_device_sequence(const struct block_device *device);
/* Minor numbers of the disk: 1 if it has no partitions. */
unsigned block_device_minors(const struct block_device *device);
const char *block_device_uuid(const struct block_device *device);
const char *block_device_label(const struct block_device *device);

/*
 * Replaces the partitions of a disk, of which none may be in use (-EBUSY). Numbers from 1 to 255, those with
 * sectors 0 are left out. May sleep.
 */
struct block_partition {
	u64 start, sectors;
	char uuid[37], label[37]; /* label: UTF-16 cut to what fits, as UTF-8 */
};
[[nodiscard]] int block_disk_set_partitions(struct block_device *disk,
					    const struct block_partition *partitions,
					    unsigned count);

/*
 * One partition (BLKPG): adds it, takes it away, changes its size. -EBUSY: it is in use, the number is taken or the range
 * overlaps another; -EINVAL: not on the disk, or the start would change; -ENXIO: there is none. May sleep.
 */
[[nodiscard]] int block_partition_add(struct block_device *disk, unsigned number, u64 start,
				      u64 sectors);
[[nodiscard]] int block_partition_delete(struct block_device *disk, unsigned number);
[[nodiscard]] int block_partition_resize(struct block_device *disk, unsigned number, u64 start,
					 u64 sectors);

/* What upper layers do with devices that come and go: names in /dev, uevents. Set once at boot. */
struct block_hooks {
	void (*added)(struct block_device *device);
	void (*removed)(struct block_device *device);
	/* Looks for partitions on a new disk. */
	void (*scan)(struct block_device *disk);
	/* Prepares the page cache of a device; the reverse: writes back and frees it. */
	int (*object_create)(struct block_device *device, struct memory_object **out);
	void (*object_destroy)(struct block_device *device, struct memory_object *object);
};
extern struct block_hooks block_hooks;

/* --- for drivers --- */

/*
 * Adds a disk with its first minor numbers: it appears in /dev and /sys, its partitions are read. Partitions behind its
 * last minor number get numbers of a common major.
 * `name` is copied. The driver's reference is *out. -ENOMEM, -EEXIST. May sleep.
 */
[[nodiscard]] int block_disk_add(const char *name, u64 number, unsigned minors,
				 const struct block_limits *limits, u64 sectors,
				 const struct block_driver_ops *ops, void *driver_private,
				 struct block_device **out);
/* Removes it: requests fail with -EIO from now on. May sleep. */
void block_disk_remove(struct block_device *device);
/* The driver's pointer, of a disk or of one of its partitions. */
void *block_disk_private(const struct block_device *device);
const struct block_driver_ops *block_disk_ops(const struct block_device *device);
/* How often the disk and its partitions are open. */
unsigned block_disk_opens(const struct block_device *device);
/* Whether partition tables are read, at first and by BLKRRPART; of a disk with several minor numbers they are. */
void block_disk_scan_partitions(struct block_device *device, bool scan);
/* The disk that a partition is on; itself for a disk. Borrowed. */
struct block_device *block_device_whole(struct block_device *device);
/* The medium changed its size: what was cached behind a new end goes. May sleep. */
void block_disk_resize(struct block_device *device, u64 sectors);

/* Another medium, with limits of its own, on a disk that nobody reads or writes: /dev/loop0 got a file. May sleep. */
void block_disk_new_medium(struct block_device *device, const struct block_limits *limits,
			   u64 sectors);

/* A driver has finished a step, with all that was merged into it: sets the status, calls done(). Any context. */
void block_request_finish(struct block_request *request, int status);
/* After -EBUSY: the device has room again. Any context. */
void block_queue_room(struct block_device *device);
