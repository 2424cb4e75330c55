/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watching files: inotify_init(2), inotify_add_watch(2), inotify_rm_watch(2). */
#include <linux/user_path.h>
#include <vfs/inotify.h>

#include <linux/inotify.h>
#include <syscall_prototypes.h>

#define ALL_BITS                                                                                   \
	(IN_ALL_EVENTS | IN_ISDIR | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | IN_ONLYDIR |         \
	 IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ONESHOT)

long sys_inotify_init1(unsigned flags)
{
	struct file *file;
	int error;

	if (flags & ~(u32)(IN_CLOEXEC | IN_NONBLOCK))
		return -EINVAL;
	error = inotify_create(flags, &file);
	return error ? error : descriptor_install(file, flags & IN_CLOEXEC);
}

long sys_inotify_init(void)
{
	return sys_inotify_init1(0);
}

static long add_watch(struct file *file, const char __user *user_path, unsigned mask)
{
	struct path path;
	u32 flags = (mask & IN_DONT_FOLLOW ? 0 : LOOKUP_FOLLOW) |
		    (mask & IN_ONLYDIR ? LOOKUP_DIRECTORY : 0);
	long result;

	USER_PATH_OR_RETURN(text, user_path);
	result = path_lookup(AT_FDCWD, text, flags, &path);
	if (result)
		return result;
	result = inode_permission(path.dentry->inode, MAY_READ);
	if (!result)
		result = inotify_add(file, &path, mask);
	path_put(&path);
	return result;
}

long sys_inotify_add_watch(int fd, const char __user *path, unsigned mask)
{
	if (!(mask & ALL_BITS))
		return -EINVAL;
	FILE_OR_RETURN(b, fd, 0);
	if ((mask & IN_MASK_ADD) && (mask & IN_MASK_CREATE))
		return -EINVAL;
	return add_watch(b.file, path, mask);
}

long sys_inotify_rm_watch(int fd, int watch)
{
	FILE_OR_RETURN(b, fd, 0);
	return inotify_remove(b.file, watch);
}
