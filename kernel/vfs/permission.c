/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may do what with an inode: mode bits and the capabilities that override them (path_resolution(7), capabilities(7)). */
#include <lib/errno.h>
#include <vfs/permission.h>
#include <vfs/posix_acl.h>

#include <linux/mount.h>

/* What the capabilities allow that the mode bits refuse. */
static bool capability_permits(u32 mode, u32 mask)
{
	if (S_ISDIR(mode)) {
		if (!(mask & MAY_WRITE) && capable(CAP_DAC_READ_SEARCH))
			return true;
		return capable(CAP_DAC_OVERRIDE);
	}
	if (mask == MAY_READ && capable(CAP_DAC_READ_SEARCH))
		return true;
	/* Nobody executes a file that has no execute bit at all. */
	if ((mask & MAY_EXEC) && !(mode & 0111))
		return false;
	return capable(CAP_DAC_OVERRIDE);
}

static int list_permission(const struct inode *inode, u32 mask)
{
	const struct posix_acl *acl;
	int result;

	rcu_read_lock();
	acl = rcu_dereference(inode->acl_access);
	result = acl ? posix_acl_permission(inode, acl, mask) : 0;
	rcu_read_unlock();
	return result;
}

int inode_mode_permission(const struct inode *inode, u32 mask)
{
	const struct credentials *c = current_credentials();
	u32 mode = READ_ONCE(inode->mode), allowed = mode;

	/* As on Linux, a list whose mask is empty is not looked at. */
	if (unlikely(READ_ONCE(inode->acl_access)) && (mode & S_IRWXG)) {
		int result = list_permission(inode, mask);

		return result && capability_permits(mode, mask) ? 0 : result;
	}
	if (c->fsuid == inode->uid)
		allowed >>= 6;
	else if (((allowed >> 3 ^ allowed) & mask) && credentials_in_group(c, inode->gid))
		allowed >>= 3;
	if (!(mask & ~allowed))
		return 0;
	return capability_permits(mode, mask) ? 0 : -EACCES;
}

int inode_permission(struct inode *inode, u32 mask)
{
	u32 mode = READ_ONCE(inode->mode);

	if ((mask & MAY_WRITE) && inode->superblock && (inode->superblock->flags & MS_RDONLY) &&
	    (S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode)))
		return -EROFS;
	if (inode->ops && inode->ops->permission)
		return inode->ops->permission(inode, mask);
	return inode_mode_permission(inode, mask);
}

int path_check_writable(const struct path *path)
{
	if ((path->mount->flags | path->dentry->superblock->flags) & MS_RDONLY)
		return -EROFS;
	return 0;
}

u32 protected_hardlinks = 1, protected_symlinks = 1;

bool inode_is_owned(const struct inode *inode)
{
	return current_credentials()->fsuid == inode->uid || capable(CAP_FOWNER);
}

int inode_may_link(struct inode *inode)
{
	u32 mode = inode->mode;

	if (inode_is_owned(inode) || !READ_ONCE(protected_hardlinks))
		return 0;
	if (!S_ISREG(mode) || (mode & S_ISUID) ||
	    (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		return -EPERM;
	return inode_permission(inode, MAY_READ | MAY_WRITE) ? -EPERM : 0;
}

int link_may_follow(const struct inode *link, const struct inode *dir)
{
	const u32 open_sticky = S_ISVTX | S_IWOTH;

	if (!READ_ONCE(protected_symlinks) || (dir->mode & open_sticky) != open_sticky ||
	    link->uid == dir->uid)
		return 0;
	return current_credentials()->fsuid == link->uid ? 0 : -EACCES;
}

int directory_may_create(struct inode *dir)
{
	return inode_permission(dir, MAY_WRITE | MAY_EXEC);
}

int directory_may_delete(struct inode *dir, const struct inode *victim)
{
	int result = inode_permission(dir, MAY_WRITE | MAY_EXEC);
	u32 fsuid = current_credentials()->fsuid;

	if (result)
		return result;
	if ((dir->mode & S_ISVTX) && fsuid != victim->uid && fsuid != dir->uid &&
	    !capable(CAP_FOWNER))
		return -EPERM;
	return 0;
}
