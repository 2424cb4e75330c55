/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stat(2), statx(2), access(2), statfs(2) and their families. */
#include <linux/user_path.h>

#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/mount.h>
#include <linux/securebits.h>
#include <linux/stat.h>
#include <syscall_prototypes.h>

/* The flags of statfs(2), which the uapi headers lack. */
#define STATFS_VALID 0x20
#define STATFS_RELATIME 0x1000

static long stat_to_user(const struct kstat *from, struct stat __user *user)
{
	struct stat to = {
		.st_dev = from->device,
		.st_ino = from->inode,
		.st_mode = from->mode,
		.st_nlink = from->links,
		.st_uid = from->uid,
		.st_gid = from->gid,
		.st_rdev = from->rdevice,
		.st_size = (long)from->size,
		.st_blksize = (int)from->block_size,
		.st_blocks = (long)from->blocks,
		.st_atime = (unsigned long)from->accessed.seconds,
		.st_atime_nsec = from->accessed.nanoseconds,
		.st_mtime = (unsigned long)from->modified.seconds,
		.st_mtime_nsec = from->modified.nanoseconds,
		.st_ctime = (unsigned long)from->changed.seconds,
		.st_ctime_nsec = from->changed.nanoseconds,
	};

	return put_user(to, user);
}

static int stat_descriptor(int fd, struct kstat *out)
{
	FILE_OR_RETURN(b, fd, 0);
	return vfs_file_stat(b.file, out);
}

/* The path is there, empty and meant to be: the call is about dirfd itself. */
static bool about_descriptor(const char __user *user, unsigned flags, int dirfd)
{
	char first;

	return (flags & AT_EMPTY_PATH) && dirfd >= 0 && !get_user(first, user) && !first;
}

static int stat_at(int dirfd, const char __user *user, unsigned flags, struct kstat *out)
{
	struct path path;
	int result;

	if (about_descriptor(user, flags, dirfd))
		return stat_descriptor(dirfd, out);
	result = user_path_lookup(dirfd, user, flags, &path);
	if (result)
		return result;
	result = vfs_stat(&path, out);
	if (path.dentry == path.mount->root)
		out->attributes |= STATX_ATTR_MOUNT_ROOT;
	path_put(&path);
	return result;
}

long sys_newfstatat(int dirfd, const char __user *user, struct stat __user *out, unsigned flags)
{
	struct kstat stat;
	int result;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	result = stat_at(dirfd, user, flags, &stat);
	return result ? result : stat_to_user(&stat, out);
}

long sys_stat(const char __user *path, struct stat __user *out)
{
	return sys_newfstatat(AT_FDCWD, path, out, 0);
}

long sys_lstat(const char __user *path, struct stat __user *out)
{
	return sys_newfstatat(AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW);
}

long sys_fstat(int fd, struct stat __user *out)
{
	struct kstat stat;
	int result = stat_descriptor(fd, &stat);

	return result ? result : stat_to_user(&stat, out);
}

static struct statx_timestamp timestamp(const struct inode_time *t)
{
	return (struct statx_timestamp){ .tv_sec = t->seconds, .tv_nsec = t->nanoseconds };
}

long sys_statx(int dirfd, const char __user *user, unsigned flags, unsigned mask,
	       struct statx __user *out)
{
	struct kstat stat;
	struct statx to = {};
	int result;

	if ((mask & STATX__RESERVED) || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	result = stat_at(dirfd, user, flags, &stat);
	if (result)
		return result;
	to.stx_mask = STATX_BASIC_STATS | STATX_MNT_ID | (stat.has_created ? STATX_BTIME : 0);
	to.stx_blksize = stat.block_size;
	to.stx_attributes = stat.attributes;
	to.stx_attributes_mask = stat.attributes_mask | STATX_ATTR_MOUNT_ROOT;
	to.stx_nlink = stat.links;
	to.stx_uid = stat.uid;
	to.stx_gid = stat.gid;
	to.stx_mode = (u16)stat.mode;
	to.stx_ino = stat.inode;
	to.stx_size = stat.size;
	to.stx_blocks = stat.blocks;
	to.stx_atime = timestamp(&stat.accessed);
	to.stx_mtime = timestamp(&stat.modified);
	to.stx_ctime = timestamp(&stat.changed);
	if (stat.has_created)
		to.stx_btime = timestamp(&stat.created);
	to.stx_rdev_major = device_major(stat.rdevice);
	to.stx_rdev_minor = device_minor(stat.rdevice);
	to.stx_dev_major = device_major(stat.device);
	to.stx_dev_minor = device_minor(stat.device);
	to.stx_mnt_id = stat.mount_id;
	return put_user(to, out);
}

/*
 * access(2) asks for the real user: credentials with the real ids in place, and the capabilities that this user would have.
 * *out is null when the task's own already are that.
 */
static int real_credentials(struct credentials **out)
{
	const struct credentials *own = current_credentials();
	bool fixup = !(own->securebits & SECBIT_NO_SETUID_FIXUP);
	u64 effective = !fixup	   ? own->capabilities_effective
			: own->uid ? 0
				   : own->capabilities_permitted;
	int result;

	*out = nullptr;
	if (own->fsuid == own->uid && own->fsgid == own->gid &&
	    own->capabilities_effective == effective)
		return 0;
	result = credentials_copy(own, out);
	if (result)
		return result;
	(*out)->fsuid = own->uid;
	(*out)->fsgid = own->gid;
	(*out)->capabilities_effective = effective;
	return 0;
}

static int check_access(int dirfd, const char __user *user, u32 mode, unsigned flags)
{
	struct path path;
	struct inode *inode;
	int result = user_path_lookup(dirfd, user, flags, &path);

	if (result)
		return result;
	inode = path.dentry->inode;
	if ((mode & MAY_EXEC) && S_ISREG(inode->mode) && (path.mount->flags & MS_NOEXEC))
		result = -EACCES;
	if (!result)
		result = inode_permission(inode, mode);
	if (!result && (mode & MAY_WRITE) &&
	    (S_ISREG(inode->mode) || S_ISDIR(inode->mode) || S_ISLNK(inode->mode)))
		result = path_check_writable(&path);
	path_put(&path);
	return result;
}

long sys_faccessat2(int dirfd, const char __user *user, int mode, unsigned flags)
{
	struct task *task = current_task();
	const struct credentials *own = task->credentials;
	struct credentials *real = nullptr;
	int result;

	if ((mode & ~7) || (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	if (!(flags & AT_EACCESS)) {
		result = real_credentials(&real);
		if (result)
			return result;
	}
	/* Others read a task's credentials under RCU, and a put one lives on for a grace period. */
	if (real)
		rcu_assign(task->credentials, real);
	result = check_access(dirfd, user, (u32)mode, flags);
	if (real) {
		rcu_assign(task->credentials, own);
		credentials_put(real);
	}
	return result;
}

long sys_faccessat(int dirfd, const char __user *path, int mode)
{
	return sys_faccessat2(dirfd, path, mode, 0);
}

long sys_access(const char __user *path, int mode)
{
	return sys_faccessat2(AT_FDCWD, path, mode, 0);
}

static long statfs_to_user(const struct path *path, struct statfs __user *user)
{
	const u32 as_in_mount =
		MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME;
	u32 flags = path->mount->flags | (path->dentry->superblock->flags & MS_RDONLY);
	struct statfs_info info;
	struct statfs to = {};
	int result = vfs_statfs(path, &info);

	if (result)
		return result;
	to.f_type = (long)info.type;
	to.f_bsize = (long)info.block_size;
	to.f_frsize = (long)info.block_size;
	to.f_blocks = (long)info.blocks;
	to.f_bfree = (long)info.blocks_free;
	to.f_bavail = (long)info.blocks_available;
	to.f_files = (long)info.files;
	to.f_ffree = (long)info.files_free;
	to.f_namelen = (long)info.name_max;
	to.f_fsid.val[0] = (int)info.fsid;
	to.f_fsid.val[1] = (int)(info.fsid >> 32);
	to.f_flags =
		STATFS_VALID | (flags & as_in_mount) | (flags & MS_RELATIME ? STATFS_RELATIME : 0);
	return put_user(to, user);
}

long sys_statfs(const char __user *user, struct statfs __user *out)
{
	struct path path;
	long result = user_path_lookup(AT_FDCWD, user, 0, &path);

	if (result)
		return result;
	result = statfs_to_user(&path, out);
	path_put(&path);
	return result;
}

long sys_fstatfs(int fd, struct statfs __user *out)
{
	struct path path;
	long result;

	FILE_OR_RETURN(b, fd, 0);
	result = file_path(b.file, &path);
	if (result)
		return result;
	result = statfs_to_user(&path, out);
	path_put(&path);
	return result;
}
