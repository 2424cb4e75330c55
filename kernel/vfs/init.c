/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual file system: what it is made of, and its start.
 *
 *   dcache.c       names in memory, with the rules of their life       walk.c, path.c  from text to path
 *   mount.c        the mount tree          mount_calls.c  mount(2)...  path_text.c     from path to text
 *   open.c         open(2)                 entries.c, rename.c         making and removing names
 *   attributes.c   chmod(2) and the like   permission.c                who may
 *   superblock.c   file systems            file_locks.c                flock(2), fcntl(2) locks
 *
 * Lock order (RANK_* of core/lock.h): mount_tree_lock > rename_lock of a file system > inode locks, a directory before what is
 * in it > namespace_lock > the dcache's own.
 *
 * File systems implement <vfs/inode_ops.h> and file_ops; they are told of a dentry only for its name.
 */
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <proc/task.h>
#include <vfs/core_dump.h>
#include <vfs/dcache.h>
#include <vfs/devices.h>
#include <vfs/file_locks.h>
#include <vfs/file_owner.h>
#include <vfs/init.h>
#include <vfs/mount_namespace.h>
#include <vfs/mount_priv.h>
#include <vfs/namespace_file.h>
#include <vfs/notify.h>

#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>

static const struct superblock_ops anonymous_ops = { .statfs = superblock_statfs_simple };
static const struct file_system_type anonymous_type = { .name = "pipefs" };

/* The mount that files without a name are on when somebody asks for their path. */
static void make_anonymous_mount(void)
{
	struct superblock *sb;
	struct inode *inode;

	if (superblock_create(&anonymous_type, &anonymous_ops, PIPEFS_MAGIC, &sb) ||
	    inode_create_anonymous("pipefs", S_IFDIR, &inode) || superblock_set_root(sb, inode) ||
	    mount_create_internal(sb, &anonymous_mount))
		panic("no memory for the anonymous mount");
}

static int copy_context(struct fs_context *from, struct fs_context **out)
{
	return fs_context_copy(from ? from : &kernel_fs_context, out);
}

static int open_for_process(const char *path, u32 flags, bool execute, struct file **out)
{
	struct open_request request = { .flags = flags };

	return execute ? vfs_open_executable(AT_FDCWD, path, LOOKUP_FOLLOW, out)
		       : vfs_open(AT_FDCWD, path, &request, out);
}

static bool file_ignores_setuid(struct file *file)
{
	return file->mount && (file->mount->flags & MS_NOSUID);
}

static ssize_t file_attribute(struct file *file, const char *name, void *value, size_t size)
{
	struct inode *inode = file->inode;

	return inode->ops && inode->ops->get_xattr ? inode->ops->get_xattr(inode, name, value, size)
						   : -EOPNOTSUPP;
}

void vfs_init(void)
{
	rwsem_init(&mount_tree_lock, RANK_MOUNT);
	dcache_init();
	devices_init();
	open_init();
	file_locks_init();
	core_dump_init();
	file_owner_init();
	notify_init();
	make_anonymous_mount();
	namespace_files_init();
	mount_namespace_init();
	proc_hooks.fs_copy = copy_context;
	proc_hooks.fs_get = fs_context_get;
	proc_hooks.fs_put = fs_context_put;
	proc_hooks.open = open_for_process;
	proc_hooks.file_attribute = file_attribute;
	proc_hooks.file_nosuid = file_ignores_setuid;
}

void vfs_mount_root(const char *type_name)
{
	struct file_system_type *type = file_system_first();
	struct superblock *sb;
	struct mount *mount;
	struct path root;
	int result;

	while (type && strcmp(type->name, type_name) != 0)
		type = type->next;
	ASSERT(type);
	result = type->mount(type, type_name, 0, nullptr, &sb);
	if (!result)
		result = mount_create(sb, sb->root, 0, type_name, &mount);
	if (result)
		panic("cannot mount the root file system %s: error %d", type_name, result);
	superblock_put(sb);
	mount_add_root(mount);
	mount_namespace_set_root(mount);
	root = (struct path){ mount, mount->root };
	fs_context_set_root(&kernel_fs_context, &root);
	fs_context_set_working_directory(&kernel_fs_context, &root);
}
