/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * POSIX access control lists (acl(5)), for every file system that wants them: checked, inherited and kept true to the mode here,
 * stored by the file system's set_acl operation.
 */
#pragma once

#include <core/rcu.h>
#include <obj/inode.h>
#include <vfs/inode_ops.h>

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

struct posix_acl_entry {
	u16 tag;	 /* ACL_USER_OBJ ... */
	u16 permissions; /* ACL_READ | ACL_WRITE | ACL_EXECUTE */
	u32 id;		 /* of ACL_USER and ACL_GROUP */
};

/* Never changed once an inode has it; belongs to that one inode, and is freed after a grace period. */
struct posix_acl {
	struct rcu_head rcu;
	u32 count;
	struct posix_acl_entry entries[] __counted_by(count);
};

/*
 * From the value of an attribute (xattr(7), version 2), checked for order and completeness. *out is null for an empty list.
 * -EINVAL, -EOPNOTSUPP (another version), -ENOMEM. The caller frees it with posix_acl_free().
 */
[[nodiscard]] int posix_acl_from_xattr(const void *value, size_t size, struct posix_acl **out);
/* To the value of an attribute; size 0 only asks. The length, or -ERANGE. */
[[nodiscard]] ssize_t posix_acl_to_xattr(const struct posix_acl *acl, void *value, size_t size);
/* Frees one that no reader can see; null does nothing. */
void posix_acl_free(struct posix_acl *acl);

/*
 * Checks MAY_* for the current task by the list of `inode`, which it has, under RCU. 0, or -EACCES (before capabilities).
 */
[[nodiscard]] int posix_acl_permission(const struct inode *inode, const struct posix_acl *acl,
				       u32 mask);

/* The mode of a new file made in `dir`: the umask applies only where `dir` has no default list. */
u32 posix_acl_new_mode(const struct inode *dir, u32 mode);
/*
 * For file systems that make an inode in `dir` (after inode_init_owner): gives it the default list of `dir` as its own, with
 * the mode narrowed. What it has then is in inode->acl_access and acl_default, to be stored. -ENOMEM.
 */
[[nodiscard]] int posix_acl_inherit(struct inode *inode, const struct inode *dir);
/* For free operations of inodes. */
void posix_acl_forget(struct inode *inode);

/* After a change of the mode, under inode->lock: brings the list in line with it. -errno of set_acl, -ENOMEM. */
[[nodiscard]] int posix_acl_change_mode(struct inode *inode);

/* The attributes system.posix_acl_access and _default; under inode->lock, shared for get and list. */
bool posix_acl_is_xattr(const struct inode *inode, const char *name);
[[nodiscard]] ssize_t posix_acl_get_xattr(const struct inode *inode, const char *name, void *value,
					  size_t size);
/* size 0: removes it. */
[[nodiscard]] int posix_acl_set_xattr(struct inode *inode, const char *name, const void *value,
				      size_t size);
/* Appends the names that the inode has to a list of `used` bytes; size 0 only asks. The new length, or -ERANGE. */
[[nodiscard]] ssize_t posix_acl_list_xattr(const struct inode *inode, char *list, size_t used,
					   size_t size);
