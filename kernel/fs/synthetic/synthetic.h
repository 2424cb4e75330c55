/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Synthetic file systems: trees whose files are made when they are looked at (/proc, /sys, devpts).
 *
 * A node is a value, not a structure that lives: a const type with its operations, the type's data,
 * and a key that tells which process, descriptor or number is meant. Inodes and dentries are made
 * from nodes on demand; each cached name is confirmed by the type's `valid` before it is used
 * again.
 */
#pragma once

#include <fs/synthetic/text_buffer.h>
#include <vfs/vfs.h>

#include <linux/limits.h>

struct synthetic_node;

struct synthetic_type {
	u32 mode; /* S_IFDIR | 0555 ... */
	/* Directories. Finds a name: 0 and *out, or -ENOENT. */
	int (*lookup)(const struct synthetic_node *dir, const char *name,
		      struct synthetic_node *out);
	/*
	 * The first entry at or behind *cursor (0 at first): fills in name (NAME_MAX + 1 bytes) and
	 * node, advances *cursor behind it; false at the end.
	 */
	bool (*next)(const struct synthetic_node *dir, u64 *cursor, char *name,
		     struct synthetic_node *out);
	/* Regular files: the whole text, made at each read of offset 0. 0 or -errno. May sleep. */
	int (*show)(const struct synthetic_node *node, struct text_buffer *out);
	/* One write(2): a terminated text of `size` bytes. 0 or -errno. May sleep. */
	int (*store)(const struct synthetic_node *node, char *text, size_t size);
	/* Symbolic links: as inode_ops.read_link. */
	int (*read_link)(const struct synthetic_node *node, char **text, struct path *path);
	/* Files with operations of their own: sets file->ops and private. */
	int (*open)(const struct synthetic_node *node, struct inode *inode, struct file *file);
	/* The node still means something (its process lives). Null: always. */
	bool (*valid)(const struct synthetic_node *node);
	/* Who owns it and with which permissions, asked at each stat and permission check. Null:
	 * root, `mode`. */
	void (*attributes)(const struct synthetic_node *node, struct inode *inode);
	/* May the current task use it beyond the mode bits? Null: yes. 0 or -EACCES. */
	int (*permission)(const struct synthetic_node *node, u32 mask);
	/* chmod, chown of names that live elsewhere (pseudo terminals). Null: -EPERM. */
	int (*set_attributes)(const struct synthetic_node *node, struct inode *inode,
			      const struct inode_attributes *attributes);
};

struct synthetic_node {
	const struct synthetic_type *type;
	const void *data;
	u64 key[3];
	/* That it is looked at in: set when its inode is made. */
	const struct superblock *superblock;
};

/* A directory with fixed names: data is a struct synthetic_table. Its children inherit the
 * directory's key. */
struct synthetic_named {
	const char *name;
	const struct synthetic_type *type;
	const void *data;
};
struct synthetic_table {
	size_t count;
	const struct synthetic_named *entries;
};
int synthetic_table_lookup(const struct synthetic_node *dir, const char *name,
			   struct synthetic_node *out);
bool synthetic_table_next(const struct synthetic_node *dir, u64 *cursor, char *name,
			  struct synthetic_node *out);
extern const struct synthetic_type synthetic_directory; /* 0555, both of the above */

/* Shorthands for tables of files that need no key. */
#define SYNTHETIC_TABLE(array) { ARRAY_SIZE(array), array }

/* Makes a superblock whose root is `root`. */
[[nodiscard]] int synthetic_mount(const struct file_system_type *type, u32 magic,
				  const struct synthetic_node *root, struct superblock **out);

/* The node behind an inode of a synthetic file system. */
const struct synthetic_node *synthetic_node_of(const struct inode *inode);

/* Parses a number that is written as the whole text, with white space around. -EINVAL. */
[[nodiscard]] int synthetic_parse_number(char *text, s64 minimum, s64 maximum, s64 *out);
