/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mounts by handle: open_tree(2), move_mount(2), mount_setattr(2), and fsopen(2), fsconfig(2), fsmount(2), fspick(2). A detached tree of mounts
 * belongs to the file that it was made with until move_mount puts it somewhere; that file takes it along.
 */
#pragma once

#include <vfs/vfs.h>

/* A copy of what is at the path, as a bind mount makes it, behind an O_PATH file. -EINVAL as for a bind mount, -ENOMEM. */
[[nodiscard]] int vfs_open_tree_clone(const struct path *path, bool recursive, struct file **out);

/* Puts the tree at `from`, the root of a mount or of a detached tree, on top of `to`. -EINVAL, -ELOOP, -ENOTDIR, -ENOMEM, -ENOSPC. */
[[nodiscard]] int vfs_move_mount(const struct path *from, struct path *to);
/* MOVE_MOUNT_SET_GROUP: `to`, private, joins the peers and the master of `from`. -EINVAL. */
[[nodiscard]] int vfs_mount_set_group(const struct path *from, const struct path *to);

struct mount_change {
	u32 clear, set;	 /* MS_* flags of a mount */
	u64 propagation; /* one of MS_SHARED ..., or 0 */
	bool recursive;
};
/* mount_setattr(2) for the root of a mount. -EINVAL, -EBUSY: open for writing; -ENOMEM. All or nothing but for -ENOMEM. */
[[nodiscard]] int vfs_change_mount(const struct path *path, const struct mount_change *change);

/* Behind an O_PATH file: the root of `mount`, which nothing has yet. Consumes the mount on success. */
[[nodiscard]] int mount_open_detached(struct mount *mount, struct file **out);
/* A file that was opened of a detached tree is destroyed. */
void mount_detached_file_gone(struct mount *mount);

/* fsopen(2): a file with the state of a mount that is being prepared. -ENODEV, -ENOMEM. */
[[nodiscard]] int mount_context_create(const char *type, struct file **out);
/* fspick(2): the same to change the file system that the root of a mount shows. -EINVAL, -ENOMEM. */
[[nodiscard]] int mount_context_pick(const struct path *path, struct file **out);
/* True for such files. */
bool mount_context_is(const struct file *file);

/*
 * fsconfig(2): a parameter with a text, or null for a flag. -EBUSY: not now; -EINVAL; -ENOMEM. `text` may be changed no more than the
 * kernel's own copies.
 */
[[nodiscard]] int mount_context_set(struct file *file, const char *key, const char *text);
/* FSCONFIG_CMD_CREATE and _RECONFIGURE. -EBUSY: not now; what the file system says. */
[[nodiscard]] int mount_context_make(struct file *file);
[[nodiscard]] int mount_context_reconfigure(struct file *file);
/* fsmount(2): a detached mount of what was made, behind an O_PATH file. -EINVAL: nothing was made; -EBUSY: not now; -ENOMEM. */
[[nodiscard]] int mount_context_mount(struct file *file, u32 mount_flags, struct file **out);
