/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the overlay. */
#pragma once

#include <core/lock.h>
#include <lib/list.h>
#include <vfs/dcache.h>
#include <vfs/vfs.h>

#define OVERLAY_LAYERS_MAX 64u
#define OVERLAY_BUCKETS 64u
#define OVERLAY_OPAQUE "opaque"

/* What `private` of the superblock points at. */
struct overlay {
	struct superblock *sb;
	struct path upper; /* null dentry: none, the overlay is read-only */
	struct path work;  /* the directory "work" in workdir: things in the making */
	struct path lower[OVERLAY_LAYERS_MAX]; /* the topmost first */
	unsigned lower_count;
	bool user_xattrs;	/* marks are user.overlay.* instead of trusted.overlay.* */
	bool one_device;	/* all layers are on one file system */
	u32 next_temporary;	/* atomic */
	u64 next_number;	/* atomic */
	char *options;		/* for /proc/mounts */
	struct mutex copy_lock; /* one copy-up at a time; what `upper` of inodes changes under */
	struct spinlock hash_lock;
	struct list_head by_upper[OVERLAY_BUCKETS] __guarded_by(&hash_lock);
};

/* The part of an inode in one lower layer. */
struct overlay_lower {
	struct dentry *dentry; /* holds a reference */
	unsigned layer;
};

struct overlay_inode {
	struct inode inode;
	struct overlay *fs;
	/* Holds a reference; null until copied up, then for ever the same; read with acquire. */
	struct dentry *upper;
	/* Where it is, as long as it has lower parts: such names do not change. `parent` holds a reference. */
	struct inode *parent;
	char *name; /* of the entry; allocated */
	bool unlinked;
	u64 own_number; /* of directories, on several devices */
	struct list_head hash_node;
	unsigned lower_count;
	struct overlay_lower lowers[] __counted_by(lower_count); /* the topmost first */
};

static inline struct overlay_inode *overlay_inode_of(struct inode *inode)
{
	return container_of(inode, struct overlay_inode, inode);
}

static inline struct dentry *overlay_upper(const struct overlay_inode *oi)
{
	return __atomic_load_n(&oi->upper, __ATOMIC_ACQUIRE);
}
/* What is seen: the upper part or the topmost lower one. Borrowed. */
static inline struct dentry *overlay_real(const struct overlay_inode *oi)
{
	struct dentry *upper = overlay_upper(oi);

	return upper ? upper : oi->lowers[0].dentry;
}
/* The mount of what is seen. */
struct path overlay_real_path(const struct overlay_inode *oi);

extern const struct inode_ops overlay_directory_inode_ops, overlay_file_inode_ops;
extern const struct file_ops overlay_directory_ops, overlay_file_ops;

/* --- real.c: the layers below, without permission checks; locks of their own are taken --- */

/* A child with a reference; *out null if there is none. */
[[nodiscard]] int real_lookup(struct dentry *dir, const char *name, size_t length,
			      struct dentry **out);
[[nodiscard]] int real_create(struct dentry *dir, const char *name, u32 mode, u64 device,
			      const char *target, struct dentry **out);
[[nodiscard]] int real_link(struct dentry *dir, const char *name, struct inode *inode);
[[nodiscard]] int real_remove(struct dentry *dir, const char *name);
[[nodiscard]] int real_rename(struct dentry *from_dir, const char *from, struct dentry *to_dir,
			      const char *to, u32 flags);
[[nodiscard]] int real_set_attributes(struct inode *inode, const struct inode_attributes *attr);
ssize_t real_get_xattr(struct inode *inode, const char *name, void *value, size_t size);
[[nodiscard]] int real_set_xattr(struct inode *inode, const char *name, const void *value,
				 size_t size, int flags);
ssize_t real_list_xattr(struct inode *inode, char *list, size_t size);
[[nodiscard]] int real_remove_xattr(struct inode *inode, const char *name);
bool real_is_whiteout(const struct dentry *dentry);
/* A name in the work directory that is not in use. */
#define TEMPORARY_NAME_MAX 16
void overlay_temporary_name(struct overlay *fs, char name[TEMPORARY_NAME_MAX]);
/* A whiteout in the work directory under a temporary name. */
[[nodiscard]] int overlay_make_whiteout(struct overlay *fs, char name[TEMPORARY_NAME_MAX]);

/* --- inode.c --- */

/*
 * An inode of these parts, whose references move in (lowers: `count`); a known one if the upper part has one already. `parent` and `name`
 * tell where lower parts are seen. -ENOMEM: the references stay with the caller.
 */
[[nodiscard]] int overlay_inode_get(struct overlay *fs, struct dentry *upper,
				    const struct overlay_lower *lowers, unsigned count,
				    struct inode *parent, const char *name, struct inode **out);
/* Takes what permission checks need from what is seen. */
void overlay_refresh(struct overlay_inode *oi);
void overlay_hash_add(struct overlay_inode *oi);
[[nodiscard]] int overlay_get_attributes(struct inode *inode, struct kstat *out);
/* The number that stat and readdir tell of an inode whose parts are these. */
u64 overlay_number(const struct overlay_inode *oi);
[[nodiscard]] int overlay_set_attributes(struct inode *inode, const struct inode_attributes *attr);
ssize_t overlay_get_xattr(struct inode *inode, const char *name, void *value, size_t size);
int overlay_set_xattr(struct inode *inode, const char *name, const void *value, size_t size,
		      int flags);
ssize_t overlay_list_xattr(struct inode *inode, char *list, size_t size);
int overlay_remove_xattr(struct inode *inode, const char *name);
/* The name of one of the overlay's own marks; true if `name` is one of them. */
const char *overlay_mark(const struct overlay *fs, char buf[40], const char *mark);
bool overlay_is_mark(const struct overlay *fs, const char *name);

/* --- copy_up.c --- */

/* Makes sure of an upper part, of its parents first. -EROFS without an upper layer. May sleep. */
[[nodiscard]] int overlay_copy_up(struct overlay_inode *oi);

/* --- read_directory.c --- */

/* 0 if the merged directory shows nothing, -ENOTEMPTY; removes whiteouts from its upper part. May sleep. */
[[nodiscard]] int overlay_clear_if_empty(struct overlay_inode *oi);
