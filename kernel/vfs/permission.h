/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Permission checks for the current task, beyond inode_permission() of <vfs/vfs.h>. None of them sleeps by itself. */
#pragma once

#include <vfs/vfs.h>

/* The generic check by mode bits, owner, groups and capabilities; safe under RCU. 0 or -EACCES. */
[[nodiscard]] int inode_mode_permission(const struct inode *inode, u32 mask);

/* The right to search a directory, when it needs no permission operation: what a path walk asks for each component. */
static inline int inode_search_permission(const struct inode *inode)
{
	if (likely((READ_ONCE(inode->mode) & 0111) == 0111 && !READ_ONCE(inode->acl_access)))
		return 0;
	return inode_mode_permission(inode, MAY_EXEC);
}

/* The current task owns the inode or has CAP_FOWNER. */
bool inode_is_owned(const struct inode *inode);

/*
 * The restrictions of proc(5) "protected_hardlinks" and "protected_symlinks", which Debian's kernel has on: no link to a
 * file that is neither one's own nor freely usable (-EPERM); no following of another user's link in a sticky directory
 * that everybody can write (-EACCES).
 */
extern u32 protected_hardlinks, protected_symlinks; /* the sysctls of these names */
[[nodiscard]] int inode_may_link(struct inode *inode);
[[nodiscard]] int link_may_follow(const struct inode *link, const struct inode *dir);

/* Making an entry in `dir`. 0, -EACCES, -EROFS. */
[[nodiscard]] int directory_may_create(struct inode *dir);
/* Removing `victim` from `dir`, with the sticky bit's rule. 0, -EACCES, -EPERM, -EROFS. */
[[nodiscard]] int directory_may_delete(struct inode *dir, const struct inode *victim);
