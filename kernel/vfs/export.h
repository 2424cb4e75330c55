/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Handles of files: names of inodes that stay true while nobody has them open (open_by_handle_at(2)). */
#pragma once

#include <vfs/vfs.h>

#define FILE_HANDLE_WORDS 3

/* What the program keeps; opaque to it. */
struct export_handle {
	u32 words; /* that are used */
	u32 data[FILE_HANDLE_WORDS];
};

/* Of a file system whose inodes can be named (superblock_ops.export). */
struct export_ops {
	u32 words; /* of a handle: 2: a number of 32 bits and the generation; 3: a number of 64 */
	/* The generation of an inode, by which a later one with its number differs; from now on `find` finds it. */
	u32 (*generation)(struct inode *inode);
	/* The inode with that number, with a reference. -ESTALE: there is none. May sleep. */
	int (*find)(struct superblock *sb, u64 number, struct inode **out);
	/* The number of a directory's parent, by which one that is not in the dentry cache gets its name. */
	int (*parent)(struct inode *dir, u64 *number);
};

/* The type that goes with a handle: the only one. */
#define EXPORT_HANDLE_TYPE 1

/* -EOPNOTSUPP: its file system has no handles. */
[[nodiscard]] int vfs_export(const struct path *path, struct export_handle *out);

/* The path of a handle in the file system of `mount`, with references. -ESTALE; -ENOMEM. May sleep. */
[[nodiscard]] int vfs_import(struct mount *mount, const struct export_handle *handle,
			     struct path *out);
