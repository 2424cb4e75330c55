/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a file system implements. Paths, permissions, mount points and name caching are done by the VFS before these are called; the
 * directory inode's `lock` is held exclusively in operations that change entries, shared in lookup.
 */
#pragma once

#include <obj/inode.h>

struct dentry;
struct file;
struct kstat;
struct path;

/* Attributes to set; `valid` tells which (ATTR_*). */
#define ATTR_MODE BIT(0)
#define ATTR_UID BIT(1)
#define ATTR_GID BIT(2)
#define ATTR_SIZE BIT(3)
#define ATTR_ATIME BIT(4)
#define ATTR_MTIME BIT(5)
#define ATTR_CTIME BIT(6)
#define ATTR_ATIME_NOW BIT(7)
#define ATTR_MTIME_NOW BIT(8)
struct inode_attributes {
	u32 valid;
	u32 mode, uid, gid;
	u64 size;
	struct inode_time accessed, modified;
};

struct inode_ops {
	/*
	 * Finds dentry->name in `dir`: *out gets the inode with a reference, or null if there is none (a negative
	 * dentry is cached then, unless the file system is dynamic). -errno.
	 */
	int (*lookup)(struct inode *dir, struct dentry *dentry, struct inode **out);
	/* Make a new entry of the kind that mode says (regular, directory, FIFO, socket, device). *out: inode. */
	int (*create)(struct inode *dir, struct dentry *dentry, u32 mode, u64 device,
		      struct inode **out);
	int (*symlink)(struct inode *dir, struct dentry *dentry, const char *target,
		       struct inode **out);
	int (*link)(struct inode *dir, struct dentry *dentry, struct inode *target);
	int (*unlink)(struct inode *dir, struct dentry *dentry, struct inode *target);
	int (*rmdir)(struct inode *dir, struct dentry *dentry, struct inode *target);
	/*
	 * flags: RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT (-EINVAL if not known); the VFS checked what it
	 * can. `replaced` may be null.
	 */
	int (*rename)(struct inode *from_dir, struct dentry *from, struct inode *to_dir,
		      struct dentry *to, struct inode *source, struct inode *replaced, u32 flags);
	/* An unnamed file (O_TMPFILE). */
	int (*create_unnamed)(struct inode *dir, u32 mode, struct inode **out);
	/*
	 * The target of a symbolic link: either *text (allocated, freed by the VFS with kfree), or for "magic" links as
	 * /proc/self/fd/3 a path with references in *path and *text null.
	 */
	int (*read_link)(struct inode *inode, char **text, struct path *path);
	int (*set_attributes)(struct inode *inode, const struct inode_attributes *attr);
	int (*get_attributes)(struct inode *inode, struct kstat *out);
	/* Beyond mode bits; null: the generic check. mask: MAY_*. */
	int (*permission)(struct inode *inode, u32 mask);
	/* Called at open after the permission check, to set file->private, ->ops; null: nothing to do. */
	int (*open)(struct inode *inode, struct file *file);
	/* Extended attributes; null: -EOPNOTSUPP. Sizes as getxattr(2). */
	ssize_t (*get_xattr)(struct inode *inode, const char *name, void *value, size_t size);
	int (*set_xattr)(struct inode *inode, const char *name, const void *value, size_t size,
			 int flags);
	ssize_t (*list_xattr)(struct inode *inode, char *list, size_t size);
	int (*remove_xattr)(struct inode *inode, const char *name);
	/*
	 * Stores an access control list (ACL_TYPE_ACCESS, ACL_TYPE_DEFAULT) with the mode that goes with it, under
	 * inode->lock; `acl` null: removes it. The inode's own fields are the VFS's. Null: no lists.
	 */
	int (*set_acl)(struct inode *inode, int type, const struct posix_acl *acl, u32 mode);
	/* A cached dentry (positive or negative) is still true; null: always. For /proc. */
	bool (*revalidate)(struct dentry *dentry);
};

#define MAY_EXEC 1u
#define MAY_WRITE 2u
#define MAY_READ 4u
