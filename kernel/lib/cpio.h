/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading cpio archives of the "newc" format (magic 070701 and 070702), fed in pieces of any size. */
#pragma once

#include <lib/types.h>

#include <linux/limits.h>

struct cpio_entry {
	u32 inode, mode, uid, gid, links, mtime, size;
	u32 device_major, device_minor; /* of the file system that it was on */
	u32 rdevice_major, rdevice_minor;
	const char *name; /* terminated; valid during begin */
};

struct cpio_ops {
	/* An entry begins; then `data` is called for its contents, then `end`. An error ends the reading. */
	int (*begin)(void *arg, const struct cpio_entry *entry);
	int (*data)(void *arg, const u8 *data, size_t size);
	int (*end)(void *arg);
};

#define CPIO_HEADER_SIZE 110

struct cpio {
	const struct cpio_ops *ops;
	void *arg;
	u8 state;
	u64 position;  /* bytes since the start of the archive: records are aligned to 4 */
	size_t filled; /* of header or name */
	size_t left;   /* data of the entry that is still to come */
	size_t name_size;
	struct cpio_entry entry;
	char header[CPIO_HEADER_SIZE];
	char name[PATH_MAX];
};

void cpio_init(struct cpio *c, const struct cpio_ops *ops, void *arg);

/*
 * Takes up to `size` bytes. Returns how many were taken: all of them, or fewer when the archive's trailer was among them;
 * the next call begins a new archive. -EINVAL: not an archive, or a damaged one; or what an operation returned.
 */
[[nodiscard]] ssize_t cpio_feed(struct cpio *c, const u8 *data, size_t size);

/* False in the middle of an archive: the input was cut off. */
bool cpio_at_end(const struct cpio *c);
