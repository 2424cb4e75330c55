/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mount(2), umount2(2) and pivot_root(2). */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <proc/task.h>
#include <vfs/dcache.h>
#include <vfs/mount_handle.h>
#include <vfs/mount_namespace.h>
#include <vfs/mount_priv.h>
#include <vfs/namespace_file.h>
#include <vfs/propagation.h>

#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/mount.h>

#define PER_MOUNT_FLAGS                                                                            \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME | \
	 MS_NOSYMFOLLOW)
#define PROPAGATION_FLAGS (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

/* umount2(2); the kernel's names, which the uapi headers lack. */
#define UNMOUNT_FORCE 1
#define UNMOUNT_DETACH 2
#define UNMOUNT_EXPIRE 4
#define UNMOUNT_NOFOLLOW 8

static u32 per_mount_flags(u64 flags)
{
	u32 result = (u32)flags & PER_MOUNT_FLAGS;

	if (!(flags & (MS_NOATIME | MS_STRICTATIME)))
		result |= MS_RELATIME;
	if (flags & MS_STRICTATIME)
		result &= ~(u32)(MS_NOATIME | MS_RELATIME);
	return result;
}

static int attach_checked(struct mount *mount, struct path *target)
{
	mount_step_up(target);
	if (S_ISDIR(mount->root->inode->mode) != S_ISDIR(target->dentry->inode->mode))
		return -ENOTDIR;
	if (target->dentry->flags & DENTRY_UNLINKED)
		return -ENOENT;
	if (!target->mount->attached || target->mount->ns != current_mount_namespace())
		return -EINVAL;
	write_guard(&mount_tree_lock);
	return mount_attach_everywhere(mount, target, false);
}

/* Attaches a tree of mounts on top of what is on `target` now. Consumes it. */
static int attach_on_top(struct mount *mount, struct path *target)
{
	int result = attach_checked(mount, target);

	if (result) {
		write_guard(&mount_tree_lock);
		mount_dissolve_locked(mount);
	}
	return result;
}

static int mount_new(const char *source, struct path *target, const char *type_name, u64 flags,
		     const char *data)
{
	struct file_system_type *type;
	struct superblock *sb;
	struct mount *mount;
	int result;

	if (!type_name)
		return -EINVAL;
	type = file_system_find(type_name);
	if (!type)
		return -ENODEV;
	result = file_system_make(type, source, (u32)flags, data, &sb);
	if (result)
		return result;
	result = mount_create(sb, sb->root, per_mount_flags(flags & ~(u64)MS_RDONLY), source,
			      &mount);
	superblock_put(sb);
	if (result)
		return result;
	return attach_on_top(mount, target);
}

static int remount(struct path *target, u64 flags, const char *data)
{
	struct mount *mount = target->mount;
	int result;

	if (target->dentry != mount->root)
		return -EINVAL;
	if ((flags & MS_RDONLY) && READ_ONCE(mount->writers))
		return -EBUSY;
	write_guard(&mount_tree_lock);
	if (flags & MS_BIND) {
		mount->flags = per_mount_flags(flags);
		return 0;
	}
	result = superblock_reconfigure_locked(mount->superblock, (u32)flags, data);
	if (!result)
		mount->flags = per_mount_flags(flags & ~(u64)MS_RDONLY);
	return result;
}

/* Takes mounts that were never attached, or not for long, apart again: `top` and below. */
void mount_dissolve_locked(struct mount *top)
{
	struct mount *m = top;

	while (!list_empty(&m->children))
		m = list_first(&m->children, struct mount, sibling);
	for (;;) {
		struct mount *parent = m == top ? nullptr : m->parent;
		struct path where = {};

		if (m->parent)
			mount_detach(m, &where);
		m->attached = false;
		m->ns = nullptr;
		mount_make_private(m);
		mount_forget(m);
		mount_put(m);
		if (where.mount)
			path_put(&where);
		if (!parent)
			return;
		m = parent;
		while (!list_empty(&m->children))
			m = list_first(&m->children, struct mount, sibling);
	}
}

/* May `from` be shown elsewhere, too? Name spaces may, but not to what they are made of themselves. */
static int check_bindable(const struct path *from) __must_hold_shared(&mount_tree_lock)
{
	if (mount_is_of_namespaces(from->mount))
		return namespace_check_bindable(from->dentry->inode);
	if (from->mount->internal || from->mount->unbindable ||
	    from->mount->ns != current_mount_namespace())
		return -EINVAL;
	return 0;
}

int mount_clone_path(const struct path *from, bool recursive, struct mount **out)
{
	int result;

	write_guard(&mount_tree_lock);
	result = check_bindable(from);
	if (result)
		return result;
	return recursive ? mount_clone_tree(from->mount, from->dentry, MOUNT_PEER, false, out)
			 : mount_clone(from->mount, from->dentry, MOUNT_PEER, out);
}

static int bind(const char *source, struct path *target, u64 flags)
{
	struct path from;
	struct mount *mount;
	int result;

	if (!source || !*source)
		return -EINVAL;
	result = path_lookup(AT_FDCWD, source, LOOKUP_FOLLOW, &from);
	if (result)
		return result;
	result = mount_clone_path(&from, flags & MS_REC, &mount);
	path_put(&from);
	if (result)
		return result;
	return attach_on_top(mount, target);
}

static int move(const char *source, struct path *target)
{
	struct path from;
	int result;

	if (!source || !*source)
		return -EINVAL;
	result = path_lookup(AT_FDCWD, source, LOOKUP_FOLLOW, &from);
	if (result)
		return result;
	result = vfs_move_mount(&from, target);
	path_put(&from);
	return result;
}

static int change_propagation(struct path *target, u64 flags)
{
	u64 type = flags & ~(u64)(MS_REC | MS_SILENT);
	struct mount *m;
	int result = 0;

	if ((type & ~(u64)PROPAGATION_FLAGS) || (type & (type - 1)) ||
	    target->dentry != target->mount->root)
		return -EINVAL;
	write_guard(&mount_tree_lock);
	if (target->mount->ns != current_mount_namespace())
		return -EINVAL;
	for (m = target->mount; m && !result;
	     m = flags & MS_REC ? mount_next_below(target->mount, m) : nullptr)
		result = mount_set_propagation(m, type);
	return result;
}

int vfs_mount(const char *source, const char *target_text, const char *type, u64 flags,
	      const char *data)
{
	struct path target;
	int result;

	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~(u64)MS_MGC_MSK;
	result = path_lookup(AT_FDCWD, target_text, LOOKUP_FOLLOW, &target);
	if (result)
		return result;
	if (!capable(CAP_SYS_ADMIN))
		result = -EPERM;
	else if (flags & MS_REMOUNT)
		result = remount(&target, flags, data);
	else if (flags & MS_BIND)
		result = bind(source, &target, flags);
	else if (flags & PROPAGATION_FLAGS)
		result = change_propagation(&target, flags);
	else if (flags & MS_MOVE)
		result = move(source, &target);
	else
		result = mount_new(source, &target, type, flags, data);
	path_put(&target);
	return result;
}

/* Without MNT_DETACH: nobody may use it. The caller's reference counts as a user. */
static int check_unmount(struct mount *mount, bool detach) __must_hold(&mount_tree_lock)
{
	if (!mount->attached || !mount->parent || mount->ns != current_mount_namespace())
		return -EINVAL;
	if (detach)
		return 0;
	if (!list_empty(&mount->children) || READ_ONCE(mount->refs) != 2)
		return -EBUSY;
	return mount_check_idle(mount);
}

/* Consumes the caller's reference of the mount. */
static int unmount(struct mount *mount, bool detach)
{
	struct mount *gone = nullptr;
	int result;

	write_lock(&mount_tree_lock);
	result = check_unmount(mount, detach);
	if (!result)
		gone = mount_detach_everywhere(mount);
	write_unlock(&mount_tree_lock);
	mount_put(mount);
	mount_put_chain(gone);
	return result;
}

/* umount(2) of one's own root does not unmount it, but makes its file system read-only. */
static int make_root_read_only(struct mount *mount)
{
	struct superblock *sb = mount->superblock;

	write_guard(&mount_tree_lock);
	if (sb->flags & MS_RDONLY)
		return 0;
	if (READ_ONCE(mount->writers))
		return -EBUSY;
	if (sb->ops->sync)
		(void)sb->ops->sync(sb);
	sb->flags |= MS_RDONLY;
	return 0;
}

static bool is_root_of_task(const struct mount *mount)
{
	struct path root;
	bool same;

	fs_context_paths(current_fs(), &root, nullptr);
	same = root.mount == mount;
	path_put(&root);
	return same;
}

int vfs_unmount(const char *target, int flags)
{
	struct path path;
	struct mount *mount;
	int result;

	if (flags & ~(UNMOUNT_FORCE | UNMOUNT_DETACH | UNMOUNT_EXPIRE | UNMOUNT_NOFOLLOW))
		return -EINVAL;
	result = path_lookup(AT_FDCWD, target, flags & UNMOUNT_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &path);
	if (result)
		return result;
	mount = path.mount;
	if (path.dentry != mount->root)
		result = -EINVAL;
	else if ((flags & UNMOUNT_EXPIRE) && (flags & (UNMOUNT_FORCE | UNMOUNT_DETACH)))
		result = -EINVAL;
	else if (!capable(CAP_SYS_ADMIN))
		result = -EPERM;
	else if (is_root_of_task(mount) && !(flags & UNMOUNT_DETACH))
		result = make_root_read_only(mount);
	else
		result = 1;
	if (result != 1) {
		path_put(&path);
		return result;
	}
	dentry_put(path.dentry);
	return unmount(mount, flags & UNMOUNT_DETACH);
}

/* Tasks that stood at the old root, or had it as theirs, go to the new one. */
static void move_tasks(const struct path *from, const struct path *to)
{
	for (struct process *p = process_next(1); p;) {
		int pid = p->pid;

		for (struct task *t = process_next_task(p, 0); t;) {
			int tid = t->tid;
			struct fs_context *fs = t->fs;

			if (fs && fs->root.dentry == from->dentry && fs->root.mount == from->mount)
				fs_context_set_root(fs, to);
			if (fs && fs->working_directory.dentry == from->dentry &&
			    fs->working_directory.mount == from->mount)
				fs_context_set_working_directory(fs, to);
			task_put(t);
			t = process_next_task(p, tid + 1);
		}
		process_put(p);
		p = process_next(pid + 1);
	}
}

static bool is_mount_below(const struct mount *mount, const struct mount *top)
{
	while (mount && mount != top)
		mount = mount->parent;
	return mount;
}

/* The part of pivot_root(2) that needs the lock: checks the shape and exchanges the mounts. */
static int pivot_locked(struct path *root, struct path *new_root, struct path *put_old)
	__must_hold(&mount_tree_lock)
{
	struct mount *old_mount = root->mount, *new_mount = new_root->mount;
	struct path root_place, new_place;

	if (new_mount == old_mount || put_old->mount == old_mount)
		return -EBUSY;
	if (root->dentry != old_mount->root || new_root->dentry != new_mount->root)
		return -EINVAL;
	if (!old_mount->parent || !new_mount->parent || !new_mount->attached ||
	    new_mount->ns != current_mount_namespace())
		return -EINVAL;
	if (mount_is_shared(put_old->mount) || mount_is_shared(new_mount->parent) ||
	    mount_is_shared(old_mount->parent))
		return -EINVAL;
	if (!is_mount_below(put_old->mount, new_mount) || !is_mount_below(new_mount, old_mount))
		return -EINVAL;
	mount_detach(new_mount, &new_place);
	mount_detach(old_mount, &root_place);
	mount_attach(old_mount, put_old);
	mount_attach(new_mount, &root_place);
	path_put(&new_place);
	path_put(&root_place);
	return 0;
}

int vfs_pivot_root(const char *new_text, const char *old_text)
{
	struct path root, new_root, put_old;
	int result;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	result = path_lookup(AT_FDCWD, new_text, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &new_root);
	if (result)
		return result;
	result = path_lookup(AT_FDCWD, old_text, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &put_old);
	if (result) {
		path_put(&new_root);
		return result;
	}
	fs_context_paths(current_fs(), &root, nullptr);
	write_lock(&mount_tree_lock);
	result = pivot_locked(&root, &new_root, &put_old);
	write_unlock(&mount_tree_lock);
	if (!result)
		move_tasks(&root, &new_root);
	path_put(&root);
	path_put(&put_old);
	path_put(&new_root);
	return result;
}
