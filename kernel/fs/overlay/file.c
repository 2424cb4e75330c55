/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open files of the overlay: each stands before an open file of the layer that is seen. One that was opened for reading before a copy-up
 * goes over to the copy at its next use.
 */
#include <fs/overlay/overlay_priv.h>

#include <lib/errno.h>
#include <mm/aspace.h>
#include <mm/slab.h>

#include <linux/fcntl.h>
#include <linux/fs.h>

/* `real` is replaced at most once, by the copy; both live until the end. */
struct overlay_file {
	struct file *real, *copy;
};

static u32 real_flags(u32 flags)
{
	return flags & ~(u32)(O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW | O_DIRECTORY);
}

static int open_file(struct inode *inode, struct file *file)
{
	struct overlay_inode *oi = overlay_inode_of(inode);
	struct overlay_file *of;
	int result = 0;

	if (!S_ISREG(inode->mode))
		return S_ISCHR(inode->mode) || S_ISBLK(inode->mode) ? device_node_open(inode, file)
								    : 0;
	if ((file->flags & O_ACCMODE) != O_RDONLY)
		result = overlay_copy_up(oi);
	if (result)
		return result;
	of = kzalloc(sizeof(*of), 0);
	if (!of)
		return -ENOMEM;
	struct path path = overlay_real_path(oi);
	result = vfs_open_unchecked(&path, real_flags(file->flags), &of->real);
	if (result) {
		kfree(of);
		return result;
	}
	file->mode |= of->real->mode & FILE_MODE_DIRECT;
	file->private = of;
	return 0;
}

static bool shows(const struct file *real, const struct overlay_inode *oi)
{
	return real->inode == overlay_real(oi)->inode;
}

/* The file to use now; borrowed. */
static int real_of(struct file *file, struct file **out)
{
	struct overlay_inode *oi = overlay_inode_of(file->inode);
	struct overlay_file *of = file->private;
	struct file *copy = __atomic_load_n(&of->copy, __ATOMIC_ACQUIRE), *none = nullptr;

	*out = copy ? copy : of->real;
	if (likely(shows(*out, oi)))
		return 0;
	struct path path = overlay_real_path(oi);
	int result = vfs_open_unchecked(&path, real_flags(file->flags), &copy);
	if (result)
		return result;
	if (__atomic_compare_exchange_n(&of->copy, &none, copy, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE)) {
		*out = copy;
	} else {
		file_put(copy);
		*out = none;
	}
	return 0;
}

static ssize_t read(struct file *file, struct iter *it, u64 *offset)
{
	struct file *real;
	int result = real_of(file, &real);

	return result ? result : real->ops->read(real, it, offset);
}

static ssize_t write(struct file *file, struct iter *it, u64 *offset)
{
	struct file *real;
	int result = real_of(file, &real);

	if (result)
		return result;
	ssize_t n = real->ops->write(real, it, offset);
	overlay_refresh(overlay_inode_of(file->inode));
	return n;
}

static s64 seek(struct file *file, s64 offset, int whence)
{
	struct file *real;
	int result = real_of(file, &real);

	if (result)
		return result;
	if (whence == SEEK_CUR) {
		overlay_refresh(overlay_inode_of(file->inode));
		return file_seek_generic(file, offset, whence);
	}
	s64 at = real->ops->seek(real, offset, whence);
	if (at < 0)
		return at;
	mutex_guard(&file->offset_lock);
	file->offset = (u64)at;
	return at;
}

static long ioctl(struct file *file, unsigned request, unsigned long argument)
{
	struct file *real;
	int result = real_of(file, &real);

	return result ? result : real->ops->ioctl(real, request, argument);
}

static int map(struct file *file, struct map_request *req)
{
	struct file *real;
	int result = real_of(file, &real);

	return result ? result : real->ops->map(real, req);
}

static int sync(struct file *file, bool data_only, u64 start, u64 end)
{
	struct file *real;

	/* Lower layers are not written. */
	if (!overlay_upper(overlay_inode_of(file->inode)))
		return 0;
	int result = real_of(file, &real);
	return result ? result : real->ops->sync(real, data_only, start, end);
}

static int truncate(struct file *file, u64 size)
{
	return inode_truncate(file->inode, size);
}

static int allocate(struct file *file, int mode, u64 offset, u64 length)
{
	struct file *real;
	int result = real_of(file, &real);

	if (!result)
		result = real->ops->allocate(real, mode, offset, length);
	overlay_refresh(overlay_inode_of(file->inode));
	return result;
}

static int set_flags(struct file *file, u32 flags)
{
	struct file *real;
	int result = real_of(file, &real);

	if (!result)
		result = real->ops->set_flags(real, flags);
	if (!result)
		real->flags = (real->flags & ~(u32)(O_APPEND | O_NONBLOCK | O_DIRECT)) |
			      (flags & (O_APPEND | O_NONBLOCK | O_DIRECT));
	return result;
}

static void destroy(struct file *file)
{
	struct overlay_file *of = file->private;

	if (!of)
		return;
	if (of->copy)
		file_put(of->copy);
	file_put(of->real);
	kfree(of);
}

const struct file_ops overlay_file_ops = {
	FILE_OPS_DEFAULTS,	.read = read,	      .write = write,
	.seek = seek,		.ioctl = ioctl,	      .map = map,
	.sync = sync,		.truncate = truncate, .allocate = allocate,
	.set_flags = set_flags, .destroy = destroy,
};

static int read_link(struct inode *inode, char **text, struct path *path)
{
	struct inode *real = overlay_real(overlay_inode_of(inode))->inode;

	return real->ops->read_link(real, text, path);
}

const struct inode_ops overlay_file_inode_ops = {
	.open = open_file,
	.read_link = read_link,
	.set_attributes = overlay_set_attributes,
	.get_attributes = overlay_get_attributes,
	.get_xattr = overlay_get_xattr,
	.set_xattr = overlay_set_xattr,
	.list_xattr = overlay_list_xattr,
	.remove_xattr = overlay_remove_xattr,
};
