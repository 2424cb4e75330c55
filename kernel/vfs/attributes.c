/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changing attributes: chmod(2), chown(2), utimensat(2), truncate(2) and what writing changes. */
#include <lib/errno.h>
#include <mm/iter.h>
#include <proc/task.h>
#include <vfs/lease.h>
#include <vfs/mount_priv.h>
#include <vfs/notify.h>
#include <vfs/permission.h>
#include <vfs/posix_acl.h>

#include <linux/fcntl.h>
#include <linux/mount.h>

#define TIME_BITS (ATTR_ATIME | ATTR_MTIME | ATTR_ATIME_NOW | ATTR_MTIME_NOW)

void inode_apply_attributes(struct inode *inode, const struct inode_attributes *attr)
{
	struct inode_time now = {};

	if (attr->valid & (ATTR_CTIME | ATTR_ATIME_NOW | ATTR_MTIME_NOW))
		now = inode_time_now();
	spin_guard(&inode->state_lock);
	if (attr->valid & ATTR_MODE)
		inode->mode = (inode->mode & S_IFMT) | (attr->mode & 07777);
	if (attr->valid & ATTR_UID)
		inode->uid = attr->uid;
	if (attr->valid & ATTR_GID)
		inode->gid = attr->gid;
	if (attr->valid & (ATTR_ATIME | ATTR_ATIME_NOW))
		inode->accessed = attr->valid & ATTR_ATIME_NOW ? now : attr->accessed;
	if (attr->valid & (ATTR_MTIME | ATTR_MTIME_NOW))
		inode->modified = attr->valid & ATTR_MTIME_NOW ? now : attr->modified;
	if (attr->valid & ATTR_CTIME)
		inode->changed = now;
}

void inode_init_owner(struct inode *inode, const struct inode *dir, u32 mode)
{
	const struct credentials *c = current_credentials();

	inode->uid = c->fsuid;
	inode->gid = c->fsgid;
	if (dir && (dir->mode & S_ISGID)) {
		inode->gid = dir->gid;
		if (S_ISDIR(mode))
			mode |= S_ISGID;
		else if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
			 !credentials_in_group(c, dir->gid) && !capable(CAP_FSETID))
			mode &= ~(u32)S_ISGID;
	}
	inode->mode = mode;
}

/* chown(2): who is not root may give a file to a group of theirs. */
static int check_owner_change(const struct inode *inode, const struct inode_attributes *attr)
{
	const struct credentials *c = current_credentials();
	bool owner = c->fsuid == inode->uid;

	if (capable(CAP_CHOWN))
		return 0;
	if ((attr->valid & ATTR_UID) && !(owner && attr->uid == inode->uid))
		return -EPERM;
	if ((attr->valid & ATTR_GID) &&
	    !(owner && (attr->gid == inode->gid || credentials_in_group(c, attr->gid))))
		return -EPERM;
	return 0;
}

/* utimensat(2): "now" for both needs write permission, anything else ownership. */
static int check_times_change(struct inode *inode, u32 valid)
{
	const u32 now = ATTR_ATIME_NOW | ATTR_MTIME_NOW;

	if (!(valid & TIME_BITS) || inode_is_owned(inode))
		return 0;
	if ((valid & TIME_BITS) != now)
		return -EPERM;
	return inode_permission(inode, MAY_WRITE);
}

static int check_change(struct inode *inode, struct inode_attributes *attr)
{
	int result = 0;

	if (attr->valid & (ATTR_UID | ATTR_GID)) {
		result = check_owner_change(inode, attr);
		if (!result && !S_ISDIR(inode->mode) && !(attr->valid & ATTR_MODE)) {
			u32 drop = S_ISUID | (inode->mode & S_IXGRP ? S_ISGID : 0);

			attr->mode = inode->mode & ~drop;
			attr->valid |= inode->mode & drop ? ATTR_MODE : 0;
			return 0;
		}
	}
	if (!result && (attr->valid & ATTR_MODE)) {
		u32 gid = attr->valid & ATTR_GID ? attr->gid : inode->gid;

		if (!inode_is_owned(inode))
			return -EPERM;
		if (!credentials_in_group(current_credentials(), gid) && !capable(CAP_FSETID))
			attr->mode &= ~(u32)S_ISGID;
	}
	return result ? result : check_times_change(inode, attr->valid);
}

int inode_set_attributes(struct inode *inode, const struct inode_attributes *attr)
{
	int result = 0;

	if (inode->ops && inode->ops->set_attributes)
		result = inode->ops->set_attributes(inode, attr);
	else
		inode_apply_attributes(inode, attr);
	if (!result && (attr->valid & ATTR_MODE))
		result = posix_acl_change_mode(inode);
	return result;
}

int vfs_set_inode_attributes(struct mount *mount, struct inode *inode,
			     struct inode_attributes *attr)
{
	int result;

	if (mount && ((mount->flags | mount->superblock->flags) & MS_RDONLY))
		return -EROFS;
	attr->valid |= ATTR_CTIME;
	write_guard(&inode->lock);
	result = check_change(inode, attr);
	return result ? result : inode_set_attributes(inode, attr);
}

/* What a change of attributes is to watchers. */
static u32 change_event(u32 valid)
{
	u32 event = valid & (ATTR_MODE | ATTR_UID | ATTR_GID) ? IN_ATTRIB : 0;
	bool accessed = valid & (ATTR_ATIME | ATTR_ATIME_NOW);
	bool modified = valid & (ATTR_MTIME | ATTR_MTIME_NOW);

	if (accessed || modified)
		event |= accessed && modified ? IN_ATTRIB : accessed ? IN_ACCESS : IN_MODIFY;
	return event;
}

int vfs_set_file_attributes(struct file *file, struct inode_attributes *attr)
{
	int result = vfs_set_inode_attributes(file->mount, file->inode, attr);

	if (!result)
		notify_file(file, change_event(attr->valid));
	return result;
}

int vfs_set_attributes(const struct path *path, struct inode_attributes *attr)
{
	int result = vfs_set_inode_attributes(path->mount, path->dentry->inode, attr);

	if (!result)
		notify_dentry(path->dentry, change_event(attr->valid));
	return result;
}

/* The setuid and setgid bits that a change of the contents takes away (S_ISGID only if it means execution). */
static u32 privilege_bits(const struct inode *inode)
{
	u32 bits = inode->mode & S_ISUID;

	if ((inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		bits |= S_ISGID;
	return likely(!bits) || !S_ISREG(inode->mode) || capable(CAP_FSETID) ? 0 : bits;
}

/* RLIMIT_FSIZE would be exceeded (setrlimit(2)). */
static int over_size_limit(void)
{
	siginfo_t info;

	siginfo_kernel(&info, SIGXFSZ);
	signal_send_task(current_task(), &info);
	return -EFBIG;
}

int inode_check_new_size(const struct inode *inode, u64 size)
{
	if (size > inode->size && current_task() && size > current_limit(RLIMIT_FSIZE))
		return over_size_limit();
	return inode->superblock && size > inode->superblock->max_file_size ? -EFBIG : 0;
}

int inode_truncate(struct inode *inode, u64 size)
{
	struct inode_attributes attr = { .valid = ATTR_SIZE | ATTR_CTIME | ATTR_MTIME_NOW,
					 .size = size };
	u32 drop;
	int result;

	if (S_ISDIR(inode->mode))
		return -EISDIR;
	if (!S_ISREG(inode->mode) || !inode->ops || !inode->ops->set_attributes)
		return -EINVAL;
	write_guard(&inode->lock);
	result = current_task() ? inode_check_new_size(inode, size) : 0;
	if (result)
		return result;
	drop = privilege_bits(inode);
	if (drop) {
		attr.valid |= ATTR_MODE;
		attr.mode = inode->mode & ~drop;
	}
	return inode_set_attributes(inode, &attr);
}

int vfs_truncate(const struct path *path, u64 size)
{
	struct inode *inode = path->dentry->inode;
	int result;

	if (S_ISDIR(inode->mode))
		return -EISDIR;
	if (!S_ISREG(inode->mode))
		return -EINVAL;
	result = path_check_writable(path);
	if (!result)
		result = inode_permission(inode, MAY_WRITE);
	if (!result)
		result = lease_break(inode, true, false);
	if (!result)
		result = inode_write_access_get(inode);
	if (result)
		return result;
	result = inode_truncate(inode, size);
	if (!result)
		notify_dentry(path->dentry, IN_MODIFY);
	inode_write_access_put(inode);
	return result;
}

ssize_t file_write_checks(struct file *file, const struct iter *it, u64 *offset)
{
	struct inode *inode = file->inode;
	u64 limit = inode->superblock ? inode->superblock->max_file_size : INT64_MAX;
	size_t count = it->remaining;
	u64 resource;

	if (file->flags & O_APPEND)
		*offset = inode->size;
	if (!count)
		return 0;
	resource = current_task() ? current_limit(RLIMIT_FSIZE) : RLIM64_INFINITY;
	if (unlikely(*offset >= resource))
		return over_size_limit();
	limit = MIN(limit, resource);
	if (*offset >= limit)
		return -EFBIG;
	return (ssize_t)MIN((u64)count, limit - *offset);
}

void file_modified(struct file *file)
{
	struct inode *inode = file->inode;
	struct inode_attributes attr = { .valid = ATTR_MTIME_NOW | ATTR_CTIME };
	u32 drop = privilege_bits(inode);

	if (unlikely(drop)) {
		attr.valid |= ATTR_MODE;
		attr.mode = inode->mode & ~drop;
	}
	inode_apply_attributes(inode, &attr);
}
