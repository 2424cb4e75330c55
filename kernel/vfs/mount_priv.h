/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of vfs share about the mount tree. */
#pragma once

#include <proc/task.h>
#include <vfs/vfs.h>

extern struct fs_context kernel_fs_context;

/* The current task's handles; null in a kernel thread. Borrowed. */
static inline struct pool *task_pool(void)
{
	struct task *task = current_task();

	return task ? task->pool : nullptr;
}

/* Guards the shape of the mount tree against other changes; readers under RCU use namespace_sequence. */
extern struct rwsem mount_tree_lock;

/* The mount on top of (mount, dentry), or null. Under RCU or mount_tree_lock; no reference. */
struct mount *mount_find_rcu(const struct mount *mount, const struct dentry *dentry);
/* The same with a reference. */
struct mount *mount_find(struct mount *mount, struct dentry *dentry);
[[nodiscard]] bool mount_get_unless_zero(struct mount *mount);
/* Something is mounted on (mount, dentry). */
bool mount_covers(const struct mount *mount, struct dentry *dentry);
/* The name of the dentry is gone: what is mounted on it, seen from other name spaces only, goes too. May sleep. */
void mount_detach_all(struct dentry *dentry);

/* A mount of `sb` (takes its own reference) that is attached nowhere. -ENOMEM; -ENOSPC: there are fs.mount-max. */
[[nodiscard]] int mount_create(struct superblock *sb, struct dentry *root, u32 flags,
			       const char *source, struct mount **out);
/* Hangs it into the tree; the caller's reference becomes the tree's. */
void mount_attach(struct mount *mount, const struct path *where) __must_hold(&mount_tree_lock);

/* Takes it out again; `where` gets the references of parent and mountpoint. It stays in the list of mounts. */
void mount_detach(struct mount *mount, struct path *where) __must_hold(&mount_tree_lock);
/* Takes it out of the list of mounts. */
void mount_forget(struct mount *mount) __must_hold(&mount_tree_lock);
/* Pre-order walk over the mounts below `top` (itself first); null at the end. */
struct mount *mount_next_below(struct mount *top, struct mount *mount)
	__must_hold_shared(&mount_tree_lock);
/*
 * What a bind mount of the path is, with `recursive` also what is mounted below it; attached nowhere. -EINVAL: another name space's, not
 * bindable; -ENOMEM, -ENOSPC.
 */
[[nodiscard]] int mount_clone_path(const struct path *from, bool recursive, struct mount **out);
/* Takes a mount and all below out of any tree, and drops the tree's references; nobody else is told. */
void mount_dissolve_locked(struct mount *top) __must_hold(&mount_tree_lock);
/* A mount without a parent: the root of a name space. */
void mount_add_root(struct mount *mount);

/* Goes from (mount, root of it) down to what it covers. False at the root of the tree. With references. */
bool mount_step_down(struct path *path);
/* Goes up to what is mounted on a path, repeatedly. With references. True if it moved. */
bool mount_step_up(struct path *path);

/* MS_REMOUNT of a file system. What ops->remount says. */
[[nodiscard]] int superblock_reconfigure_locked(struct superblock *sb, u32 flags, const char *data)
	__must_hold(&mount_tree_lock);

/* The mount of files without a name, made at boot. */
extern struct mount *anonymous_mount;
