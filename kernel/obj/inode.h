/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inodes: what an open file is about, its identity and attributes (inode(7)). Files of a file
 * system have an inode with a superblock; pipes, sockets and event files have an anonymous one of
 * their own.
 */
#pragma once

#include <core/lock.h>
#include <core/rcu.h>
#include <lib/errno.h>
#include <lib/list.h>
#include <lib/refs.h>
#include <lib/types.h>

#include <linux/stat.h>

struct dentry;
struct file;
struct file_ops;
struct inode_ops; /* <vfs/inode_ops.h> */
struct memory_object;
struct notify_mark;
struct posix_acl;
struct superblock;
struct file_lock_list;

struct inode_time {
	s64 seconds;
	u32 nanoseconds;
};

struct inode {
	u32 refs;
	u32 mode; /* S_IF* and permissions */
	u32 uid, gid;
	u32 links;
	/* <vfs/posix_acl.h>; read under RCU; null: the mode says all */
	struct posix_acl *acl_access;
	struct posix_acl *acl_default; /* what new files in a directory get; the same */
	u64 number;
	u64 device_number; /* st_rdev of device files, as new_encode: MKDEV(major, minor) */
	u64 size;	   /* of regular files: equals object->size */
	u64 blocks;	   /* 512 bytes each */
	struct inode_time accessed, modified, changed, created;
	const struct inode_ops *ops;
	const struct file_ops *file_ops; /* for open */
	struct superblock *superblock;	 /* holds no reference: a mounted superblock outlives its
					    inodes; null: anonymous */
	struct memory_object *object;	 /* contents (page cache); holds a reference; may be null */
	struct rwsem lock;		 /* contents and directory entries */
	struct spinlock state_lock;	 /* attributes that change without `lock` */
	u32 write_count; /* > 0 writers, < 0 execution denies writing (ETXTBSY); atomic s32 */
	const char *anonymous_name;   /* "pipe", "anon_inode:[eventfd]": static */
	void *private;		      /* the file system's */
	struct notify_mark *marks;    /* <vfs/notify.h>: who watches it; guarded by notify_lock */
	void *pipe;		      /* struct pipe of an open FIFO; guarded by lock */
	struct dentry *directory;     /* a directory's name, borrowed; guarded by namespace_lock */
	struct file_lock_list *locks; /* null until the first; memory freed with the inode */
	struct list_head superblock_node; /* in a table of the file system's */
	struct rcu_head rcu;
	/*
	 * At refs 0: releases what the inode holds at once, and the memory of the structure after a
	 * grace period (rcu_call with `rcu`): path walks read modes without references. May sleep.
	 */
	void (*free)(struct inode *inode);
};

/* Initialises: refs 1, links 1, times now, lock. Fields of the file system are the caller's. */
void inode_init(struct inode *inode, u32 mode);

/* What an inode of no file system takes out of the allocator. */
u64 inode_bytes(void);

/* An anonymous inode, number from a counter. `name` is static. -ENOMEM. */
[[nodiscard]] int inode_create_anonymous(const char *name, u32 mode, struct inode **out);

void inode_get(struct inode *inode);
/* Adds a reference to what a table of the file system shows, under its lock; false: it is about to go. */
[[nodiscard]] static inline bool inode_get_unless_dead(struct inode *inode)
{
	return refs_get_unless_zero(&inode->refs);
}
void inode_put(struct inode *inode); /* may sleep */

/*
 * Writers and executions of a regular file exclude each other: each _get is 0 or -ETXTBSY, and its _put undoes it.
 */
[[nodiscard]] static inline int inode_count_access(u32 *count, s32 step)
{
	s32 old = (s32)READ_ONCE(*count), next;

	do {
		if (step > 0 ? old < 0 : old > 0)
			return -ETXTBSY;
		next = old + step;
	} while (!__atomic_compare_exchange_n((s32 *)count, &old, next, true, __ATOMIC_ACQUIRE,
					      __ATOMIC_RELAXED));
	return 0;
}
[[nodiscard]] static inline int inode_write_access_get(struct inode *inode)
{
	return inode_count_access(&inode->write_count, 1);
}
static inline void inode_write_access_put(struct inode *inode)
{
	__atomic_fetch_sub(&inode->write_count, 1, __ATOMIC_RELEASE);
}
[[nodiscard]] static inline int inode_deny_write_get(struct inode *inode)
{
	return inode_count_access(&inode->write_count, -1);
}
static inline void inode_deny_write_put(struct inode *inode)
{
	__atomic_fetch_add(&inode->write_count, 1, __ATOMIC_RELEASE);
}

/* CLOCK_REALTIME in an inode time. */
struct inode_time inode_time_now(void);

/* What stat(2) and statx(2) tell. */
struct kstat {
	u64 device, inode, rdevice, size, blocks;
	u32 mode, links, uid, gid, block_size;
	struct inode_time accessed, modified, changed, created;
	u64 attributes, attributes_mask;
	u64 mount_id;
	bool has_created;
};
/* Fills in from the inode's own fields. */
void inode_stat(struct inode *inode, struct kstat *out);

static inline u64 device_make(u32 major, u32 minor)
{
	return (u64)(minor & 0xff) | (u64)(major & 0xfff) << 8 | (u64)(minor & ~0xffu) << 12 |
	       (u64)(major & ~0xfffu) << 32;
}
static inline u32 device_major(u64 dev)
{
	return (u32)(dev >> 8 & 0xfff) | (u32)(dev >> 32 & ~0xfffu);
}
static inline u32 device_minor(u64 dev)
{
	return (u32)(dev & 0xff) | (u32)(dev >> 12 & ~0xffu);
}

/* Boot, after slab_init: the cache of anonymous inodes. */
void inode_cache_init(void);
