/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dup(2), fcntl(2), flock(2), and the part of ioctl(2) that is the same for all files. */
#include <fs/tmpfs/memfd.h>
#include <ipc/pipe.h>
#include <linux/user_path.h>
#include <vfs/dnotify.h>
#include <vfs/file_locks.h>
#include <vfs/file_owner.h>
#include <vfs/lease.h>
#include <vfs/permission.h>

#include <asm/ioctls.h>
#include <linux/fs.h>
#include <linux/resource.h>
#include <syscall_prototypes.h>

#define SETTABLE_FLAGS (O_APPEND | O_NONBLOCK | FASYNC | O_DIRECT | O_NOATIME)

static unsigned descriptor_limit(void)
{
	return (unsigned)MIN(current_limit(RLIMIT_NOFILE), (u64)INT32_MAX);
}

long sys_dup(unsigned fd)
{
	return handle_duplicate(current_pool(), (int)fd, RIGHTS_SAME, 0, 0, descriptor_limit());
}

static long duplicate_to(unsigned old, unsigned new, u32 flags)
{
	if (new >= descriptor_limit())
		return -EBADF;
	return handle_duplicate_to(current_pool(), (int)old, (int)new, flags, descriptor_limit());
}

long sys_dup2(unsigned old, unsigned new)
{
	if (old == new) {
		int flags = handle_flags(current_pool(), (int)old);

		return flags < 0 ? flags : (long)old;
	}
	return duplicate_to(old, new, 0);
}

long sys_dup3(unsigned old, unsigned new, unsigned flags)
{
	if ((flags & ~O_CLOEXEC) || old == new)
		return -EINVAL;
	return duplicate_to(old, new, flags ? HANDLE_CLOEXEC : 0);
}

static long duplicate_from(int fd, unsigned long min, u32 flags)
{
	if (min >= descriptor_limit())
		return -EINVAL;
	return handle_duplicate(current_pool(), fd, RIGHTS_SAME, flags, (int)min,
				descriptor_limit());
}

/* O_ASYNC means nothing of files that are always ready. */
static bool allows_async(const struct file *file)
{
	return file->object.waiters && !S_ISREG(file->inode->mode) && !S_ISDIR(file->inode->mode);
}

static long set_flags(struct file *file, int fd, u32 flags)
{
	if (!allows_async(file))
		flags &= ~(u32)FASYNC;
	u32 changed = (file->flags ^ flags) & SETTABLE_FLAGS;
	int result;

	if ((changed & flags & O_NOATIME) && !inode_is_owned(file->inode))
		return -EPERM;
	/* Of a pipe it means packets. */
	if ((changed & flags & O_DIRECT) && !file_allows_direct(file) &&
	    !S_ISFIFO(file->inode->mode))
		return -EINVAL;
	flags = (file->flags & ~(u32)SETTABLE_FLAGS) | (flags & SETTABLE_FLAGS);
	result = file->ops->set_flags(file, flags);
	if (!result && changed & FASYNC)
		result = file_owner_set_async(file, fd, flags & FASYNC);
	if (!result)
		file->flags = flags;
	return result;
}

static long lock_command(struct file *file, unsigned command, struct flock __user *user)
{
	struct flock lock;
	int result;

	if (get_user(lock, user))
		return -EFAULT;
	result = file_lock_fcntl(file, command, &lock);
	if (!result && (command == F_GETLK || command == F_OFD_GETLK))
		result = put_user(lock, user);
	return result;
}

static long set_owner(struct file *file, const struct f_owner_ex *owner)
{
	struct file_owner *record;

	if (owner->type < F_OWNER_TID || owner->type > F_OWNER_PGRP)
		return -EINVAL;
	if (owner->pid < 0) /* file_owner_set takes it for a group */
		return -ESRCH;
	int err = file_owner_get(file, &record);

	return err ? err
		   : file_owner_set(record, (u32)owner->type,
				    owner->type == F_OWNER_PGRP ? -owner->pid : owner->pid);
}

static long set_signal(struct file *file, unsigned long signo)
{
	struct file_owner *record;
	int err = signo > SIGNAL_COUNT ? -EINVAL : file_owner_get(file, &record);

	if (!err)
		record->signal = (int)signo;
	return err;
}

static long owner_command(struct file *file, unsigned command, unsigned long argument)
{
	struct f_owner_ex __user *user = (struct f_owner_ex __user *)argument;
	struct f_owner_ex owner = { .type = F_OWNER_PID, .pid = (int)argument };

	switch (command) {
	case F_GETOWN:
		return file_owner_number(file);
	case F_SETOWN:
		if ((int)argument == INT32_MIN)
			return -EINVAL;
		if (owner.pid < 0)
			owner = (struct f_owner_ex){ .type = F_OWNER_PGRP, .pid = -owner.pid };
		return set_owner(file, &owner);
	case F_SETOWN_EX:
		if (get_user(owner, user))
			return -EFAULT;
		return set_owner(file, &owner);
	default: /* F_GETOWN_EX */
		owner.pid = file_owner_number(file);
		owner.type = file->owner ? (int)file->owner->type : F_OWNER_TID;
		owner.pid = owner.pid < 0 ? -owner.pid : owner.pid;
		return put_user(owner, user);
	}
}

/* Not an errno, and no result of the commands below. */
#define ANOTHER_COMMAND (-MAX_ERRNO - 1)

/* Commands that O_PATH files know, too, or ANOTHER_COMMAND. */
static long descriptor_command(int fd, unsigned command, unsigned long argument)
{
	struct pool *pool = current_pool();
	int flags;

	switch (command) {
	case F_DUPFD:
		return duplicate_from(fd, argument, 0);
	case F_DUPFD_CLOEXEC:
		return duplicate_from(fd, argument, HANDLE_CLOEXEC);
	case F_GETFD:
		flags = handle_flags(pool, fd);
		return flags < 0 ? flags : flags & HANDLE_CLOEXEC ? FD_CLOEXEC : 0;
	case F_SETFD:
		return handle_set_flags(pool, fd, argument & FD_CLOEXEC ? HANDLE_CLOEXEC : 0);
	default:
		return ANOTHER_COMMAND;
	}
}

static long file_command(struct file *file, int fd, unsigned command, unsigned long argument)
{
	switch (command) {
	case F_SETFL:
		return set_flags(file, fd, (u32)argument);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return lock_command(file, command, (struct flock __user *)argument);
	case F_GETOWN:
	case F_SETOWN:
	case F_GETOWN_EX:
	case F_SETOWN_EX:
		return owner_command(file, command, argument);
	case F_GETSIG:
		return file->owner ? file->owner->signal : 0;
	case F_SETSIG:
		return set_signal(file, argument);
	case F_GETPIPE_SZ:
		return pipe_size(file);
	case F_SETPIPE_SZ:
		return pipe_set_size(file, (unsigned)argument);
	case F_ADD_SEALS:
		return memfd_add_seals(file, (u32)argument);
	case F_GET_SEALS:
		return memfd_get_seals(file);
	case F_GETLEASE:
		return lease_type(file);
	case F_SETLEASE:
		return lease_set(file, fd, (int)argument);
	case F_NOTIFY:
		return dnotify_set(file, fd, (u32)argument);
	default:
		return -EINVAL;
	}
}

long sys_fcntl(int fd, unsigned command, unsigned long argument)
{
	long result = descriptor_command(fd, command, argument);

	if (result != ANOTHER_COMMAND)
		return result;
	FILE_OR_RETURN(b, fd, command == F_GETFL ? 0 : RIGHT_CONTROL);
	return command == F_GETFL ? (long)b.file->flags
				  : file_command(b.file, fd, command, argument);
}

long sys_flock(int fd, unsigned operation)
{
	FILE_OR_RETURN(b, fd, RIGHT_CONTROL);
	return file_lock_flock(b.file, (int)operation);
}

static long set_status_flag(struct file *file, int fd, u32 flag, const int __user *user)
{
	int on;

	if (get_user(on, user))
		return -EFAULT;
	return set_flags(file, fd, on ? file->flags | flag : file->flags & ~flag);
}

/* What can be read without waiting, of files whose end is known. */
static long bytes_to_read(struct file *file, int __user *user)
{
	s64 left = (s64)(file->inode->size - file->offset);

	return put_user((int)left, user);
}

long sys_ioctl(int fd, unsigned command, unsigned long argument)
{
	FILE_OR_RETURN(b, fd, RIGHT_CONTROL);
	switch (command) {
	case FIOCLEX:
		return handle_set_flags(current_pool(), fd, HANDLE_CLOEXEC);
	case FIONCLEX:
		return handle_set_flags(current_pool(), fd, 0);
	case FIONBIO:
		return set_status_flag(b.file, fd, O_NONBLOCK, (const int __user *)argument);
	case FIOASYNC:
		if (S_ISREG(b.file->inode->mode) || S_ISDIR(b.file->inode->mode))
			break;
		return set_status_flag(b.file, fd, FASYNC, (const int __user *)argument);
	case FIONREAD:
		if (S_ISREG(b.file->inode->mode))
			return bytes_to_read(b.file, (int __user *)argument);
		break;
	case FIGETBSZ:
		if (S_ISREG(b.file->inode->mode) || S_ISDIR(b.file->inode->mode))
			return put_user((int)PAGE_SIZE, (int __user *)argument);
		break;
	default:
		break;
	}
	return b.file->ops->ioctl(b.file, command, argument);
}
