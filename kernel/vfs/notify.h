/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling watchers what happens to files. Who changes a file says so here; watchers (inotify) are groups that put marks on
 * inodes. Costs one load where nobody watches anything.
 *
 * Events are the bits of <linux/inotify.h>; IN_ISDIR is added here.
 */
#pragma once

#include <obj/file.h>
#include <vfs/vfs.h>

#include <linux/inotify.h>

struct notify_event {
	u32 mask;
	u32 cookie;	  /* the same in both halves of a rename; else 0 */
	const char *name; /* in the directory that the mark is on; null: the marked inode itself */
	u32 name_length;
};

struct notify_mark;

struct notify_group_ops {
	/* An event that the mark asks for. Called with notify_lock held: must not sleep. */
	void (*event)(struct notify_mark *mark, const struct notify_event *event);
	/* The mark has been taken off its inode, which is gone or whose only event was told. Under notify_lock. */
	void (*detached)(struct notify_mark *mark);
	/* Frees the mark, after it was detached. No lock held; may sleep. */
	void (*free)(struct notify_mark *mark);
};

struct notify_group {
	const struct notify_group_ops *ops;
	struct list_head marks; /* guarded by notify_lock */
};

/* Interest of a group in an inode; embedded in what the group keeps about it. Fields are guarded by notify_lock. */
struct notify_mark {
	struct notify_group *group;
	struct inode *inode;	     /* holds a reference; null once detached */
	struct notify_mark *next;    /* on the inode */
	struct list_head group_node; /* group->marks */
	struct list_head all_node;   /* all marks, or those about to be freed */
	u32 mask;		     /* IN_*, IN_EXCL_UNLINK, IN_ONESHOT */
};

extern struct spinlock notify_lock;

/* Puts a mark on an inode, which it takes a reference of; group, inode and mask are set. */
void notify_mark_add_locked(struct notify_mark *mark) __must_hold(&notify_lock);
/* The group's mark on an inode, or null. */
struct notify_mark *notify_mark_find_locked(struct notify_group *group, struct inode *inode)
	__must_hold(&notify_lock);
/* Takes off a mark of a group (ops->free is called). Not detached: the group's detached() is not called. May sleep. */
void notify_mark_remove(struct notify_mark *mark) __releases(&notify_lock);
/* The same for all of a group. May sleep. */
void notify_group_remove_marks(struct notify_group *group);

/* The rest of the functions below, for when something is watched. May sleep. */
void notify_dentry_watched(struct dentry *dentry, u32 event);
void notify_entry_watched(struct inode *dir, u32 event, const char *name, u32 length,
			  const struct inode *child, u32 cookie);
void notify_inode_watched(struct inode *inode, u32 event);
void notify_removed_watched(struct inode *inode);

/* Something happened to a file that was found by a name: its directory is told, too. */
static inline void notify_dentry(struct dentry *dentry, u32 event)
{
	if (unlikely(READ_ONCE(file_watch_count)))
		notify_dentry_watched(dentry, event);
}
/* The same for an open file; nothing if it never had a name. */
static inline void notify_file(struct file *file, u32 event)
{
	if (unlikely(READ_ONCE(file_watch_count)) && file->dentry)
		notify_dentry_watched(file->dentry, event);
}
/* A name in `dir` came or went; `child` is what it means, null: no directory. */
static inline void notify_entry(struct inode *dir, u32 event, const char *name, u32 length,
				const struct inode *child)
{
	if (unlikely(READ_ONCE(file_watch_count)))
		notify_entry_watched(dir, event, name, length, child, 0);
}
/* Something that is no business of the directory: the number of links, a move. */
static inline void notify_inode(struct inode *inode, u32 event)
{
	if (unlikely(READ_ONCE(file_watch_count)))
		notify_inode_watched(inode, event);
}
/* The last name and the last user of a name are gone: IN_DELETE_SELF, and its marks end. */
static inline void notify_removed(struct inode *inode)
{
	if (unlikely(READ_ONCE(inode->marks)))
		notify_removed_watched(inode);
}
/* `source`, called `from` in one directory, is called `to` in another now, and took the place of `replaced` (may be null). */
struct notify_place {
	struct inode *dir;
	const char *name;
	u32 length;
};
void notify_rename(const struct notify_place *from, const struct notify_place *to,
		   struct inode *source, struct inode *replaced);
/* The file system goes: IN_UNMOUNT, and all marks in it end. */
void notify_superblock_gone(struct superblock *sb);

/* Boot. */
void notify_init(void);
