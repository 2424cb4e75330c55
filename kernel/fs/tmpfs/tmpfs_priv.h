/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of tmpfs share. */
#pragma once

#include <fs/tmpfs/tmpfs.h>
#include <lib/rbtree.h>
#include <mm/memory_object.h>

/* What `private` of the superblock points at. Inodes hold a reference: pages may outlive the superblock a little. */
struct tmpfs {
	u32 generation; /* of its handles: a random number */
	u32 refs;
	u64 pages_max, pages_used;   /* used: atomic; max 0: no limit */
	u64 inodes_max, inodes_used; /* the same */
	u64 next_number;	     /* atomic */
	u32 mode, uid, gid;	     /* of the root, from the options */
};

/* A name in a directory. */
struct tmpfs_entry {
	struct rb_node node;	/* in names, by hash and name */
	struct list_head order; /* in entries, by cookie */
	u64 cookie;		/* position for readdir, unique in the directory */
	struct inode *inode;	/* holds a reference */
	u32 hash;
	u32 length;
	char name[] __counted_by(length);
};

struct tmpfs_directory {
	struct rb_tree names;
	struct list_head entries; /* newest first, so cookies ascend */
	u64 next_cookie;	  /* descends */
	u64 parent;		  /* the number of the directory that it is in */
};

struct tmpfs_xattr;

struct tmpfs_inode {
	struct inode inode;
	struct tmpfs *fs;	    /* holds a reference */
	struct tmpfs_xattr *xattrs; /* guarded by inode.lock */
	u32 seals;		    /* F_SEAL_*, of regular files; guarded by inode.lock */
	union {
		struct memory_object object;	  /* regular files */
		struct tmpfs_directory directory; /* guarded by inode.lock */
		char *link;			  /* symbolic links */
	};
};

static inline struct tmpfs_inode *tmpfs_inode_of(struct inode *inode)
{
	return container_of(inode, struct tmpfs_inode, inode);
}

#define TMPFS_ENTRY_SIZE                                                                           \
	20 /* what a name adds to the size of its directory that stat tells, as on Linux */

extern const struct inode_ops tmpfs_directory_inode_ops, tmpfs_file_inode_ops, tmpfs_link_inode_ops;
extern const struct file_ops tmpfs_directory_ops, tmpfs_file_ops;
extern const struct memory_object_ops tmpfs_object_ops;

/* A new inode with one reference and no name. dir: for the owner; null: root's. -ENOSPC, -ENOMEM. */
[[nodiscard]] int tmpfs_inode_create(struct superblock *sb, const struct inode *dir, u32 mode,
				     u64 device, struct inode **out);
/* Counts one more against nr_inodes; names after the first count, too, as on Linux. -ENOSPC. */
[[nodiscard]] int tmpfs_charge_inode(struct tmpfs *fs);
void tmpfs_put(struct tmpfs *fs);
/* After the grace period; the object's destroy and inode free both end there. */
void tmpfs_inode_free_memory(struct tmpfs_inode *ti);

[[nodiscard]] int tmpfs_set_attributes(struct inode *inode, const struct inode_attributes *attr);
[[nodiscard]] int tmpfs_get_attributes(struct inode *inode, struct kstat *out);

ssize_t tmpfs_get_xattr(struct inode *inode, const char *name, void *value, size_t size);
int tmpfs_set_xattr(struct inode *inode, const char *name, const void *value, size_t size,
		    int flags);
ssize_t tmpfs_list_xattr(struct inode *inode, char *list, size_t size);
int tmpfs_remove_xattr(struct inode *inode, const char *name);
/* Lists live in the inode only. */
[[nodiscard]] int tmpfs_set_acl(struct inode *inode, int type, const struct posix_acl *acl,
				u32 mode);
void tmpfs_free_xattrs(struct tmpfs_inode *ti);

/* export.c: handles. Directories are in its table from the beginning, other files once a handle was made. */
extern const struct export_ops tmpfs_export_ops;
void tmpfs_export_enter(struct inode *inode);
void tmpfs_export_forget(struct inode *inode);

#define TMPFS_ATTRIBUTE_OPS                                                                        \
	.set_attributes = tmpfs_set_attributes, .get_attributes = tmpfs_get_attributes,            \
	.get_xattr = tmpfs_get_xattr, .set_xattr = tmpfs_set_xattr,                                \
	.list_xattr = tmpfs_list_xattr, .remove_xattr = tmpfs_remove_xattr,                        \
	.set_acl = tmpfs_set_acl
