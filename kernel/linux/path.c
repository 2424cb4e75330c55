/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names: mkdir(2), mknod(2), unlink(2), rename(2), link(2), symlink(2), readlink(2) and their *at forms. */
#include <lib/string.h>
#include <linux/user_path.h>
#include <mm/slab.h>

#include <syscall_prototypes.h>

/* The device number of mknod(2) and stat(2), as the C library's makedev() packs the low 32 bits. */
static u64 device_from_user(unsigned device)
{
	return device_make(device >> 8 & 0xfff, (device & 0xff) | (device >> 12 & 0xfff00));
}

long sys_mkdirat(int dirfd, const char __user *user, unsigned mode)
{
	USER_PATH_OR_RETURN(path, user);
	return vfs_mkdir(dirfd, path, mode);
}

long sys_mkdir(const char __user *path, unsigned mode)
{
	return sys_mkdirat(AT_FDCWD, path, mode);
}

long sys_mknodat(int dirfd, const char __user *user, unsigned mode, unsigned device)
{
	USER_PATH_OR_RETURN(path, user);
	return vfs_mknod(dirfd, path, mode, device_from_user(device));
}

long sys_mknod(const char __user *path, unsigned mode, unsigned device)
{
	return sys_mknodat(AT_FDCWD, path, mode, device);
}

long sys_unlinkat(int dirfd, const char __user *user, unsigned flags)
{
	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	USER_PATH_OR_RETURN(path, user);
	return flags ? vfs_rmdir(dirfd, path) : vfs_unlink(dirfd, path);
}

long sys_unlink(const char __user *path)
{
	return sys_unlinkat(AT_FDCWD, path, 0);
}

long sys_rmdir(const char __user *path)
{
	return sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

long sys_renameat2(int old_dirfd, const char __user *old_user, int new_dirfd,
		   const char __user *new_user, unsigned flags)
{
	USER_PATH_OR_RETURN(old, old_user);
	USER_PATH_OR_RETURN(new, new_user);
	return vfs_rename(old_dirfd, old, new_dirfd, new, flags);
}

long sys_renameat(int old_dirfd, const char __user *old, int new_dirfd, const char __user *new)
{
	return sys_renameat2(old_dirfd, old, new_dirfd, new, 0);
}

long sys_rename(const char __user *old, const char __user *new)
{
	return sys_renameat2(AT_FDCWD, old, AT_FDCWD, new, 0);
}

long sys_linkat(int old_dirfd, const char __user *old_user, int new_dirfd,
		const char __user *new_user, unsigned flags)
{
	u32 lookup = flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH) {
		if (!capable(CAP_DAC_READ_SEARCH))
			return -ENOENT;
		lookup |= LOOKUP_EMPTY;
	}
	USER_PATH_OR_RETURN(old, old_user);
	USER_PATH_OR_RETURN(new, new_user);
	return vfs_link(old_dirfd, old, new_dirfd, new, lookup);
}

long sys_link(const char __user *old, const char __user *new)
{
	return sys_linkat(AT_FDCWD, old, AT_FDCWD, new, 0);
}

long sys_symlinkat(const char __user *target_user, int dirfd, const char __user *user)
{
	USER_PATH_OR_RETURN(target, target_user);
	USER_PATH_OR_RETURN(path, user);
	return vfs_symlink(target, dirfd, path);
}

long sys_symlink(const char __user *target, const char __user *path)
{
	return sys_symlinkat(target, AT_FDCWD, path);
}

long sys_readlinkat(int dirfd, const char __user *user, void __user *buf, int size)
{
	struct path path;
	char *target;
	size_t length;
	long result;

	if (size <= 0)
		return -EINVAL;
	USER_PATH_OR_RETURN(text, user);
	result = path_lookup(dirfd, text, LOOKUP_EMPTY, &path);
	if (result)
		return result;
	result = vfs_read_link(&path, &target);
	if (result == -EINVAL && !*text)
		result = -ENOENT;
	path_put(&path);
	if (result)
		return result;
	length = MIN(strlen(target), (size_t)size);
	result = copy_to_user(buf, target, length) ? -EFAULT : (long)length;
	kfree(target);
	return result;
}

long sys_readlink(const char __user *path, void __user *buf, int size)
{
	return sys_readlinkat(AT_FDCWD, path, buf, size);
}
