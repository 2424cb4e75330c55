/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Modes, owners, times and sizes of files: chmod(2), chown(2), utimensat(2), truncate(2), fallocate(2), umask(2). */
#include <linux/user_path.h>
#include <vfs/notify.h>

#include <linux/falloc.h>
#include <linux/stat.h>
#include <linux/time_types.h>
#include <linux/utime.h>
#include <syscall_prototypes.h>

static long change(int dirfd, const char __user *user, u32 at_flags, struct inode_attributes *attr)
{
	struct path path;
	long result = user_path_lookup(dirfd, user, at_flags, &path);

	if (result)
		return result;
	result = vfs_set_attributes(&path, attr);
	path_put(&path);
	return result;
}

static long change_file(int fd, u32 rights, struct inode_attributes *attr)
{
	FILE_OR_RETURN(b, fd, rights);
	return vfs_set_file_attributes(b.file, attr);
}

long sys_fchmodat(int dirfd, const char __user *path, unsigned mode)
{
	struct inode_attributes attr = { .valid = ATTR_MODE, .mode = mode & 07777 };

	return change(dirfd, path, 0, &attr);
}

long sys_chmod(const char __user *path, unsigned mode)
{
	return sys_fchmodat(AT_FDCWD, path, mode);
}

long sys_fchmod(int fd, unsigned mode)
{
	struct inode_attributes attr = { .valid = ATTR_MODE, .mode = mode & 07777 };

	return change_file(fd, RIGHT_CONTROL, &attr);
}

/* chown(2): -1 leaves an id as it is. */
static struct inode_attributes owner(unsigned uid, unsigned gid)
{
	return (struct inode_attributes){ .valid = (uid == UINT32_MAX ? 0 : ATTR_UID) |
						   (gid == UINT32_MAX ? 0 : ATTR_GID),
					  .uid = uid,
					  .gid = gid };
}

long sys_fchownat(int dirfd, const char __user *path, unsigned uid, unsigned gid, unsigned flags)
{
	struct inode_attributes attr = owner(uid, gid);

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return change(dirfd, path, flags, &attr);
}

long sys_chown(const char __user *path, unsigned uid, unsigned gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, 0);
}

long sys_lchown(const char __user *path, unsigned uid, unsigned gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

long sys_fchown(int fd, unsigned uid, unsigned gid)
{
	struct inode_attributes attr = owner(uid, gid);

	return change_file(fd, RIGHT_CONTROL, &attr);
}

long sys_umask(unsigned mask)
{
	return (long)__atomic_exchange_n(&current_fs()->umask, mask & 0777, __ATOMIC_RELAXED);
}

/* utimensat(2): special values of tv_nsec, which the uapi headers lack. */
#define UTIME_NOW 0x3fffffff
#define UTIME_OMIT 0x3ffffffe

/* One time of utimensat(2). */
static int decode_time(const struct __kernel_timespec *from, struct inode_time *to, u32 set,
		       u32 now, u32 *valid)
{
	if (from->tv_nsec == UTIME_OMIT)
		return 0;
	if (from->tv_nsec == UTIME_NOW) {
		*valid |= now;
		return 0;
	}
	if (from->tv_nsec < 0 || from->tv_nsec > 999999999)
		return -EINVAL;
	*valid |= set;
	*to = (struct inode_time){ .seconds = from->tv_sec, .nanoseconds = (u32)from->tv_nsec };
	return 0;
}

static int decode_times(const struct __kernel_timespec times[2], struct inode_attributes *attr)
{
	int result =
		decode_time(&times[0], &attr->accessed, ATTR_ATIME, ATTR_ATIME_NOW, &attr->valid);

	return result ? result
		      : decode_time(&times[1], &attr->modified, ATTR_MTIME, ATTR_MTIME_NOW,
				    &attr->valid);
}

/* times null: both now. A null path means dirfd itself. */
static long change_times(int dirfd, const char __user *path, const struct __kernel_timespec *times,
			 unsigned flags)
{
	struct inode_attributes attr = { .valid = ATTR_ATIME_NOW | ATTR_MTIME_NOW };
	int result;

	if (times) {
		attr.valid = 0;
		result = decode_times(times, &attr);
		if (result || !attr.valid)
			return result;
	}
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (path || dirfd == AT_FDCWD)
		return change(dirfd, path, flags, &attr);
	return flags ? -EINVAL : change_file(dirfd, RIGHT_CONTROL, &attr);
}

long sys_utimensat(int dirfd, const char __user *path, const struct __kernel_timespec __user *user,
		   unsigned flags)
{
	struct __kernel_timespec times[2];

	if (user && copy_from_user(times, user, sizeof(times)))
		return -EFAULT;
	return change_times(dirfd, path, user ? times : nullptr, flags);
}

long sys_futimesat(int dirfd, const char __user *path,
		   const struct __kernel_old_timeval __user *user)
{
	struct __kernel_old_timeval from[2];
	struct __kernel_timespec times[2];

	if (!user)
		return change_times(dirfd, path, nullptr, 0);
	if (copy_from_user(from, user, sizeof(from)))
		return -EFAULT;
	for (unsigned i = 0; i < 2; i++) {
		if (from[i].tv_usec < 0 || from[i].tv_usec > 999999)
			return -EINVAL;
		times[i] = (struct __kernel_timespec){ from[i].tv_sec, from[i].tv_usec * 1000 };
	}
	return change_times(dirfd, path, times, 0);
}

long sys_utimes(const char __user *path, const struct __kernel_old_timeval __user *times)
{
	return sys_futimesat(AT_FDCWD, path, times);
}

long sys_utime(const char __user *path, const struct utimbuf __user *user)
{
	struct utimbuf from;
	struct __kernel_timespec times[2] = {};

	if (!user)
		return change_times(AT_FDCWD, path, nullptr, 0);
	if (get_user(from, user))
		return -EFAULT;
	times[0].tv_sec = from.actime;
	times[1].tv_sec = from.modtime;
	return change_times(AT_FDCWD, path, times, 0);
}

long sys_truncate(const char __user *user, s64 length)
{
	struct path path;
	long result;

	if (length < 0)
		return -EINVAL;
	result = user_path_lookup(AT_FDCWD, user, 0, &path);
	if (result)
		return result;
	result = vfs_truncate(&path, (u64)length);
	path_put(&path);
	return result;
}

long sys_ftruncate(int fd, s64 length)
{
	int result;

	if (length < 0)
		return -EINVAL;
	FILE_OR_RETURN(b, fd, RIGHT_CONTROL);
	if (!(b.file->mode & FILE_MODE_WRITE))
		return -EINVAL;
	result = b.file->ops->truncate(b.file, (u64)length);
	if (!result)
		notify_file(b.file, IN_MODIFY);
	return result;
}

long sys_fallocate(int fd, int mode, s64 offset, s64 length)
{
	const int whole = FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE;
	s64 end;
	int result;

	FILE_OR_RETURN(b, fd, RIGHT_CONTROL);
	if (offset < 0 || length <= 0)
		return -EINVAL;
	if ((mode & FALLOC_FL_PUNCH_HOLE) && !(mode & FALLOC_FL_KEEP_SIZE))
		return -EOPNOTSUPP;
	if ((mode & FALLOC_FL_PUNCH_HOLE) && (mode & (FALLOC_FL_ZERO_RANGE | whole)))
		return -EOPNOTSUPP;
	if (!(b.file->mode & FILE_MODE_WRITE))
		return -EBADF;
	if (S_ISFIFO(b.file->inode->mode))
		return -ESPIPE;
	if (S_ISDIR(b.file->inode->mode))
		return -EISDIR;
	if (!S_ISREG(b.file->inode->mode) && !S_ISBLK(b.file->inode->mode))
		return -ENODEV;
	if (add_overflows(offset, length, &end))
		return -EFBIG;
	result = b.file->ops->allocate(b.file, mode, (u64)offset, (u64)length);
	if (!result)
		notify_file(b.file, IN_MODIFY);
	return result;
}
