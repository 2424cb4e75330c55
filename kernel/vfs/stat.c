/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stat(2), statfs(2), readlink(2) and access times. */
#include <core/time.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <mm/slab.h>
#include <vfs/dcache.h>

#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/mount.h>

static int inode_attributes(struct inode *inode, struct mount *mount, struct kstat *out)
{
	int result = 0;

	inode_stat(inode, out);
	if (inode->superblock)
		out->device = inode->superblock->device;
	if (inode->ops && inode->ops->get_attributes)
		result = inode->ops->get_attributes(inode, out);
	if (mount)
		out->mount_id = (u64)mount->id;
	return result;
}

int vfs_stat(const struct path *path, struct kstat *out)
{
	return inode_attributes(path->dentry->inode, path->mount, out);
}

int vfs_file_stat(struct file *file, struct kstat *out)
{
	return inode_attributes(file->inode, file->mount, out);
}

int vfs_statfs(const struct path *path, struct statfs_info *out)
{
	struct superblock *sb = path->dentry->superblock;

	if (!sb->ops->statfs)
		return -ENOSYS;
	return sb->ops->statfs(sb, out);
}

int vfs_read_link(const struct path *path, char **out)
{
	struct inode *inode = path->dentry->inode;
	struct path target = {};
	char *text = nullptr, *buffer;
	int result;

	if (!S_ISLNK(inode->mode) || !inode->ops->read_link)
		return -EINVAL;
	result = inode->ops->read_link(inode, &text, &target);
	if (result || text) {
		*out = text;
		return result;
	}
	/* A magic link: the text is that of the path where it leads. */
	buffer = kmalloc(PATH_MAX, 0);
	text = buffer ? path_text(&target, nullptr, buffer, PATH_MAX) : nullptr;
	*out = text ? kstrdup(text, 0) : nullptr;
	if (!*out)
		result = buffer && !text ? -ENAMETOOLONG : -ENOMEM;
	kfree(buffer);
	path_put(&target);
	return result;
}

static bool earlier(const struct inode_time *a, const struct inode_time *b)
{
	return a->seconds < b->seconds ||
	       (a->seconds == b->seconds && a->nanoseconds <= b->nanoseconds);
}

/* mount(8) "relatime": only if the access time is not later than the others, or a day old. */
static bool access_time_due(const struct inode *inode, u32 mount_flags,
			    const struct inode_time *now)
{
	if (!(mount_flags & MS_RELATIME))
		return true;
	return earlier(&inode->accessed, &inode->modified) ||
	       earlier(&inode->accessed, &inode->changed) ||
	       now->seconds - inode->accessed.seconds >= 24 * 60 * 60;
}

void file_accessed(struct file *file)
{
	struct inode *inode = file->inode;
	struct inode_attributes attributes = { .valid = ATTR_ATIME };
	u32 flags;

	if (!file->mount || (file->flags & O_NOATIME))
		return;
	flags = file->mount->flags | (inode->superblock->flags & MS_RDONLY);
	if ((flags & (MS_NOATIME | MS_RDONLY)) || ((flags & MS_NODIRATIME) && S_ISDIR(inode->mode)))
		return;
	attributes.accessed = inode_time_now();
	if (!access_time_due(inode, flags, &attributes.accessed))
		return;
	inode_apply_attributes(inode, &attributes);
}
