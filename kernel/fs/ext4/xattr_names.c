/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xattr(7) for the VFS: full names with their prefixes; access lists are the VFS's; the attributes themselves are in xattr.c. */
#include <fs/ext4/xattr_priv.h>
#include <lib/string.h>
#include <obj/credentials.h>

#include <linux/xattr.h>

static const struct {
	u8 index;
	const char *prefix;
} prefixes[] = {
	{ EXT4_XATTR_USER, XATTR_USER_PREFIX },
	{ EXT4_XATTR_TRUSTED, XATTR_TRUSTED_PREFIX },
	{ EXT4_XATTR_SECURITY, XATTR_SECURITY_PREFIX },
};

/* The index of a name's prefix, and the rest of it. -EOPNOTSUPP, -EINVAL. */
static int split_name(const char *name, u8 *index, const char **rest)
{
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (!string_starts(name, prefixes[i].prefix))
			continue;
		*index = prefixes[i].index;
		*rest = name + strlen(prefixes[i].prefix);
		return **rest ? 0 : -EINVAL;
	}
	return -EOPNOTSUPP;
}

ssize_t ext4_get_xattr(struct inode *v, const char *name, void *value, size_t size)
{
	const char *rest;
	u8 index;
	int result;

	result = split_name(name, &index, &rest);
	return result ? result : ext4_xattr_get(ext4_inode_of(v), index, rest, value, size);
}

/* value null: removes. */
static int change_xattr(struct inode *v, const char *name, const void *value, size_t size,
			int flags)
{
	struct ext4_inode *inode = ext4_inode_of(v);
	struct journal_handle handle;
	const char *rest;
	u8 index;
	int result = split_name(name, &index, &rest);

	if (!result)
		result = ext4_inode_is_writable(inode);
	if (!result)
		result = ext4_begin(inode->fs, EXT4_CREDITS_XATTR, &handle);
	if (result)
		return result;
	result = ext4_xattr_set(&handle, inode, index, rest, value, size, flags);
	journal_end(&handle);
	return result;
}

int ext4_set_xattr(struct inode *v, const char *name, const void *value, size_t size, int flags)
{
	return change_xattr(v, name, value ? value : "", size, flags);
}

int ext4_remove_xattr(struct inode *v, const char *name)
{
	return change_xattr(v, name, nullptr, 0, 0);
}

struct list_request {
	char *list;
	size_t size, used;
};

static ssize_t list_entry_name(struct list_request *r, const char *prefix,
			       const struct ext4_xattr_entry *e)
{
	size_t length = strlen(prefix), all = length + e->e_name_len + 1;

	if (r->size) {
		if (r->size - r->used < all)
			return -ERANGE;
		memcpy(r->list + r->used, prefix, length);
		memcpy(r->list + r->used + length, e->e_name, e->e_name_len);
		r->list[r->used + all - 1] = 0;
	}
	r->used += all;
	return 0;
}

static ssize_t list_visit(struct ext4_inode *inode, const struct ext4_xattr_area *area, void *arg)
{
	const struct ext4_xattr_entry *e = (void *)area->first;
	ssize_t result = 0;

	for (; !ext4_xattr_is_last(e) && !result; e = ext4_xattr_next(e)) {
		if (e->e_name_index == EXT4_XATTR_TRUSTED && !capable(CAP_SYS_ADMIN))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
			if (prefixes[i].index == e->e_name_index)
				result = list_entry_name(arg, prefixes[i].prefix, e);
	}
	return result;
}

ssize_t ext4_list_xattr(struct inode *v, char *list, size_t size)
{
	struct list_request r = { list, size, 0 };
	ssize_t result = ext4_xattr_for_each_area(ext4_inode_of(v), list_visit, &r);

	return result ? result : (ssize_t)r.used;
}
