/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Detached trees of mounts, moving them, and changing mounts by handle: open_tree(2), move_mount(2), mount_setattr(2). */
#include <lib/errno.h>
#include <vfs/dcache.h>
#include <vfs/mount_handle.h>
#include <vfs/mount_namespace.h>
#include <vfs/mount_priv.h>
#include <vfs/propagation.h>

#include <linux/fcntl.h>
#include <linux/mount.h>

int mount_open_detached(struct mount *mount, struct file **out)
{
	struct path path = { mount, mount->root };
	int err = vfs_open_unchecked(&path, O_PATH, out);

	if (err)
		return err;
	(*out)->mode |= FILE_MODE_DETACHED;
	write_guard(&mount_tree_lock);
	mount->detached = true;
	return 0;
}

void mount_detached_file_gone(struct mount *mount)
{
	write_guard(&mount_tree_lock);
	if (!mount->detached)
		return;
	mount->detached = false;
	mount_dissolve_locked(mount);
}

int vfs_open_tree_clone(const struct path *path, bool recursive, struct file **out)
{
	struct mount *mount;
	int err = mount_clone_path(path, recursive, &mount);

	if (err)
		return err;
	err = mount_open_detached(mount, out);
	if (err) {
		write_guard(&mount_tree_lock);
		mount_dissolve_locked(mount);
	}
	return err;
}

/* May the tree of mounts at `from` move to `to`? */
static int check_move(const struct path *from, const struct path *to) __must_hold(&mount_tree_lock)
{
	struct mount *mount = from->mount, *m;

	if (from->dentry != mount->root || to->mount->ns != current_mount_namespace())
		return -EINVAL;
	if (!mount->detached && (!mount->parent || mount->ns != current_mount_namespace() ||
				 mount_is_shared(mount->parent)))
		return -EINVAL;
	if (S_ISDIR(from->dentry->inode->mode) != S_ISDIR(to->dentry->inode->mode))
		return -EINVAL;
	if (to->dentry->flags & DENTRY_UNLINKED)
		return -ENOENT;
	if (mount_is_shared(to->mount) && mount_tree_has_unbindable(mount))
		return -EINVAL;
	for (m = to->mount; m; m = m->parent) {
		if (m == mount)
			return -ELOOP;
	}
	return 0;
}

int vfs_move_mount(const struct path *from, struct path *to)
{
	struct mount *mount = from->mount;
	int err;

	mount_step_up(to);
	write_guard(&mount_tree_lock);
	err = check_move(from, to);
	if (!err)
		err = mount_attach_everywhere(mount, to, !mount->detached);
	if (!err)
		mount->detached = false;
	return err;
}

int vfs_mount_set_group(const struct path *from, const struct path *to)
{
	struct mount *source = from->mount, *target = to->mount;

	write_guard(&mount_tree_lock);
	if (source->ns != current_mount_namespace() || target->ns != source->ns)
		return -EINVAL;
	if (from->dentry != source->root || to->dentry != target->root ||
	    source->superblock != target->superblock)
		return -EINVAL;
	if (target->group || target->master || (!source->group && !source->master))
		return -EINVAL;
	/* What it would be told of must be what it shows. */
	if (!dentry_is_below(target->root, source->root))
		return -EINVAL;
	mount_join(target, source);
	return 0;
}

static int check_change(struct mount *top, const struct mount_change *change)
	__must_hold(&mount_tree_lock)
{
	struct mount *m = top;

	if (top->internal || (top->ns != current_mount_namespace() && !top->detached))
		return -EINVAL;
	for (; m; m = change->recursive ? mount_next_below(top, m) : nullptr) {
		if ((change->set & MS_RDONLY) && READ_ONCE(m->writers))
			return -EBUSY;
	}
	return 0;
}

int vfs_change_mount(const struct path *path, const struct mount_change *change)
{
	struct mount *top = path->mount, *m = top;
	int err;

	if (path->dentry != top->root)
		return -EINVAL;
	write_guard(&mount_tree_lock);
	err = check_change(top, change);
	for (; m && !err; m = change->recursive ? mount_next_below(top, m) : nullptr) {
		WRITE_ONCE(m->flags, (m->flags & ~change->clear) | change->set);
		if (change->propagation)
			err = mount_set_propagation(m, change->propagation);
	}
	return err;
}
