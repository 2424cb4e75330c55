/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Extended attributes of tmpfs: the trusted and security name spaces, as Linux 6.1 has them there (xattr(7)). */
#include <fs/tmpfs/tmpfs_priv.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>

#include <linux/xattr.h>

struct tmpfs_xattr {
	struct tmpfs_xattr *next;
	char *name;
	size_t size;
	u8 value[] __counted_by(size);
};

static int check_name(const char *name)
{
	if (!string_starts(name, XATTR_TRUSTED_PREFIX) &&
	    !string_starts(name, XATTR_SECURITY_PREFIX))
		return -EOPNOTSUPP;
	return strcmp(name, XATTR_TRUSTED_PREFIX) == 0 || strcmp(name, XATTR_SECURITY_PREFIX) == 0
		       ? -EINVAL
		       : 0;
}

static struct tmpfs_xattr **find(struct inode *inode, const char *name)
{
	struct tmpfs_xattr **link = &tmpfs_inode_of(inode)->xattrs;

	while (*link && strcmp((*link)->name, name) != 0)
		link = &(*link)->next;
	return link;
}

static void free_xattr(struct tmpfs_xattr *x)
{
	kfree(x->name);
	kfree(x);
}

ssize_t tmpfs_get_xattr(struct inode *inode, const char *name, void *value, size_t size)
{
	struct tmpfs_xattr *x;
	int result = check_name(name);

	if (result)
		return result;
	x = *find(inode, name);
	if (!x)
		return -ENODATA;
	if (size && size < x->size)
		return -ERANGE;
	if (size)
		memcpy(value, x->value, x->size);
	return (ssize_t)x->size;
}

int tmpfs_set_xattr(struct inode *inode, const char *name, const void *value, size_t size,
		    int flags)
{
	struct tmpfs_xattr **link, *x;
	int result = check_name(name);

	if (result)
		return result;
	link = find(inode, name);
	if (*link && (flags & XATTR_CREATE))
		return -EEXIST;
	if (!*link && (flags & XATTR_REPLACE))
		return -ENODATA;
	x = kmalloc(sizeof(*x) + size, 0);
	if (!x)
		return -ENOMEM;
	x->size = size;
	x->name = kstrdup(name, 0);
	if (!x->name) {
		kfree(x);
		return -ENOMEM;
	}
	memcpy(x->value, value, size);
	x->next = nullptr;
	if (*link) {
		struct tmpfs_xattr *old = *link;

		x->next = old->next;
		free_xattr(old);
	}
	*link = x;
	inode->changed = inode_time_now();
	return 0;
}

ssize_t tmpfs_list_xattr(struct inode *inode, char *list, size_t size)
{
	size_t used = 0;

	for (struct tmpfs_xattr *x = tmpfs_inode_of(inode)->xattrs; x; x = x->next) {
		size_t length = strlen(x->name) + 1;

		if (string_starts(x->name, XATTR_TRUSTED_PREFIX) && !capable(CAP_SYS_ADMIN))
			continue;
		if (size) {
			if (size - used < length)
				return -ERANGE;
			memcpy(list + used, x->name, length);
		}
		used += length;
	}
	return (ssize_t)used;
}

int tmpfs_remove_xattr(struct inode *inode, const char *name)
{
	struct tmpfs_xattr **link, *x;
	int result = check_name(name);

	if (result)
		return result;
	link = find(inode, name);
	x = *link;
	if (!x)
		return -ENODATA;
	*link = x->next;
	free_xattr(x);
	inode->changed = inode_time_now();
	return 0;
}

int tmpfs_set_acl(struct inode *inode, int type, const struct posix_acl *acl, u32 mode)
{
	return 0;
}

void tmpfs_free_xattrs(struct tmpfs_inode *ti)
{
	while (ti->xattrs) {
		struct tmpfs_xattr *x = ti->xattrs;

		ti->xattrs = x->next;
		free_xattr(x);
	}
}
