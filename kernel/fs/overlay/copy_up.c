/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copy-up: what is about to change gets a part in the upper layer. The copy is made under a temporary name in the work directory and
 * renamed to its place when it is complete, so that a crash leaves either nothing or all of it.
 */
#include <fs/overlay/overlay_priv.h>

#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <vfs/posix_acl.h>

#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/limits.h>

#define PIECE (64u << 10)

static int copy_one_xattr(struct overlay *fs, struct inode *from, struct inode *to,
			  const char *name)
{
	ssize_t size = real_get_xattr(from, name, nullptr, 0);
	int result;

	if (overlay_is_mark(fs, name) || size < 0)
		return overlay_is_mark(fs, name) ? 0 : (int)size;
	void *value = kvmalloc((size_t)size + 1, 0);
	if (!value)
		return -ENOMEM;
	size = real_get_xattr(from, name, value, (size_t)size);
	result = size < 0 ? (int)size : real_set_xattr(to, name, value, (size_t)size, 0);
	kvfree(value);
	return result;
}

static int copy_xattrs(struct overlay *fs, struct inode *from, struct inode *to)
{
	char *list = kvmalloc(XATTR_LIST_MAX, 0);
	int result = 0;

	if (!list)
		return -ENOMEM;
	ssize_t n = real_list_xattr(from, list, XATTR_LIST_MAX);
	for (ssize_t at = 0; at < n && !result; at += (ssize_t)strlen(list + at) + 1)
		result = copy_one_xattr(fs, from, to, list + at);
	kvfree(list);
	return n < 0 && n != -EOPNOTSUPP ? (int)n : result;
}

static int copy_pieces(struct file *from, struct file *to, void *buffer)
{
	u64 at = 0;
	ssize_t n;

	while ((n = file_read_kernel(from, buffer, PIECE, at)) > 0) {
		for (size_t done = 0; done < (size_t)n;) {
			ssize_t written = file_write_kernel(to, (char *)buffer + done,
							    (size_t)n - done, at + done);

			if (written <= 0)
				return written ? (int)written : -EIO;
			done += (size_t)written;
		}
		at += (u64)n;
	}
	return n < 0 ? (int)n : to->ops->sync(to, false, 0, UINT64_MAX);
}

static int copy_contents(struct overlay_inode *oi, struct dentry *made)
{
	struct path source = overlay_real_path(oi);
	struct path target = { oi->fs->upper.mount, made };
	void *buffer = kvmalloc(PIECE, 0);
	struct file *from, *to;
	int result = buffer ? vfs_open_unchecked(&source, O_RDONLY | O_LARGEFILE, &from) : -ENOMEM;

	if (result) {
		kvfree(buffer);
		return result;
	}
	result = vfs_open_unchecked(&target, O_WRONLY | O_LARGEFILE, &to);
	if (!result) {
		result = copy_pieces(from, to, buffer);
		file_put(to);
	}
	file_put(from);
	kvfree(buffer);
	return result;
}

static int copy_attributes(const struct inode *from, struct inode *to)
{
	struct inode_attributes attr = { .valid = ATTR_UID | ATTR_GID | ATTR_ATIME | ATTR_MTIME,
					 .mode = from->mode & 07777,
					 .uid = from->uid,
					 .gid = from->gid,
					 .accessed = from->accessed,
					 .modified = from->modified };

	if (!S_ISLNK(from->mode))
		attr.valid |= ATTR_MODE;
	return real_set_attributes(to, &attr);
}

/* The copy, under a temporary name; *out with a reference. */
static int make_copy(struct overlay_inode *oi, const char *temporary, struct dentry **out)
{
	struct inode *from = overlay_real(oi)->inode;
	struct dentry *work = oi->fs->work.dentry;
	char *target = nullptr;
	int result = 0;

	if (S_ISLNK(from->mode))
		result = from->ops->read_link(from, &target, &(struct path){});
	if (!result)
		result = real_create(work, temporary, from->mode, from->device_number, target, out);
	kfree(target);
	if (result)
		return result;
	if (S_ISREG(from->mode))
		result = copy_contents(oi, *out);
	if (!result)
		result = copy_xattrs(oi->fs, from, (*out)->inode);
	if (!result)
		result = copy_attributes(from, (*out)->inode);
	if (result) {
		(void)real_remove(work, temporary);
		dentry_put(*out);
	}
	return result;
}

/* The parent has an upper part already. */
static int copy_one(struct overlay_inode *oi)
{
	struct overlay *fs = oi->fs;
	struct dentry *parent = overlay_upper(overlay_inode_of(oi->parent)), *made;
	struct inode_attributes times = { .valid = ATTR_ATIME | ATTR_MTIME,
					  .accessed = parent->inode->accessed,
					  .modified = parent->inode->modified };
	char temporary[TEMPORARY_NAME_MAX];

	if (oi->unlinked)
		return -ESTALE;
	overlay_temporary_name(fs, temporary);
	int result = make_copy(oi, temporary, &made);
	if (result)
		return result;
	result = real_rename(fs->work.dentry, temporary, parent, oi->name, RENAME_NOREPLACE);
	if (result) {
		(void)real_remove(fs->work.dentry, temporary);
		dentry_put(made);
		return result;
	}
	/* For whoever looks, nothing has changed in the directory. */
	(void)real_set_attributes(parent->inode, &times);
	__atomic_store_n(&oi->upper, made, __ATOMIC_RELEASE);
	if (!S_ISDIR(oi->inode.mode))
		overlay_hash_add(oi);
	overlay_refresh(oi);
	return 0;
}

int overlay_copy_up(struct overlay_inode *oi)
{
	if (overlay_upper(oi))
		return 0;
	if (!oi->fs->upper.dentry)
		return -EROFS;
	mutex_guard(&oi->fs->copy_lock);
	while (!overlay_upper(oi)) {
		struct overlay_inode *top = oi;

		while (!overlay_upper(overlay_inode_of(top->parent)))
			top = overlay_inode_of(top->parent);
		int result = copy_one(top);
		if (result)
			return result;
	}
	return 0;
}
