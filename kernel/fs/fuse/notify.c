/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notifications: what a server says without having been asked, because its files changed by themselves (fuse_lowlevel_notify_inval_inode
 * and its like of libfuse). A name that is not true any more makes all names of its directory be asked about once more: names have
 * no index by which to find one from its server's numbers.
 */
#include <fs/fuse/fuse_priv.h>
#include <linux/limits.h>

static int copy_fixed(struct iter *it, void *out, size_t size)
{
	if (it->remaining < size)
		return -EINVAL;
	return iter_copy_from(it, out, size) == size ? 0 : -EFAULT;
}

/* Attributes, and of a regular file the bytes from `off` on; a negative one: no bytes. */
static int inode_changed(struct fuse_connection *c, struct iter *it)
{
	struct fuse_notify_inval_inode_out out;
	struct inode *inode;
	u64 end;
	int error = copy_fixed(it, &out, sizeof(out));

	if (error || it->remaining)
		return error ?: -EINVAL;
	inode = fuse_inode_find(c, out.ino);
	if (!inode)
		return -ENOENT;
	fuse_attributes_expire(inode);
	if (S_ISREG(inode->mode) && out.off >= 0) {
		if (out.len <= 0 || add_overflows((u64)out.off, (u64)out.len, &end))
			end = INT64_MAX & PAGE_MASK;
		fuse_forget_range(inode, (u64)out.off, end);
	}
	inode_put(inode);
	return 0;
}

/* Names are true until a time; those that were true until now are doubted. */
static int names_changed(struct fuse_connection *c, u64 parent, u32 length, struct iter *it)
{
	struct inode *dir;

	if (length > NAME_MAX || it->remaining != length + 1)
		return -EINVAL;
	dir = fuse_inode_find(c, parent);
	if (!dir)
		return -ENOENT;
	fuse_attributes_expire(dir);
	WRITE_ONCE(fuse_inode_of(dir)->names_doubted, READ_ONCE(fuse_inode_of(dir)->names_until));
	inode_put(dir);
	return 0;
}

int fuse_notify(struct fuse_connection *c, int code, struct iter *it)
{
	struct fuse_notify_inval_entry_out entry;
	struct fuse_notify_delete_out deleted;
	int error;

	switch (code) {
	case FUSE_NOTIFY_INVAL_INODE:
		return inode_changed(c, it);
	case FUSE_NOTIFY_INVAL_ENTRY:
		error = copy_fixed(it, &entry, sizeof(entry));
		return error ?: names_changed(c, entry.parent, entry.namelen, it);
	case FUSE_NOTIFY_DELETE:
		error = copy_fixed(it, &deleted, sizeof(deleted));
		return error ?: names_changed(c, deleted.parent, deleted.namelen, it);
	default:
		return -EINVAL;
	}
}
