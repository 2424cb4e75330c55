/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copying between files inside the kernel: sendfile(2), copy_file_range(2). */
#include <linux/user_path.h>
#include <mm/slab.h>

#include <syscall_prototypes.h>

#define PIECE ((size_t)16384)
#define TRANSFER_MAX ((size_t)0x7ffff000)

/* Copies up to `count` bytes from *from on to *to (null: its own offset). What was read but not written is not lost: *from says how
 * far the output got. */
static ssize_t copy(struct file *in, u64 *from, struct file *out, u64 *to, size_t count)
{
	char *buffer = kmalloc(PIECE, 0);
	size_t done = 0;
	ssize_t n = 0;

	if (!buffer)
		return -ENOMEM;
	while (done < count) {
		struct iter it;
		u64 at = *from;
		ssize_t written;

		if (signal_pending()) {
			n = -ERESTARTSYS;
			break;
		}
		iter_init_kernel(&it, buffer, MIN(PIECE, count - done));
		n = file_read(in, &it, &at);
		if (n <= 0)
			break;
		iter_init_kernel(&it, buffer, (size_t)n);
		written = file_write(out, &it, to);
		if (written > 0) {
			done += (size_t)written;
			*from += (u64)written;
		}
		if (written != n) {
			n = written;
			break;
		}
	}
	kfree(buffer);
	return done ? (ssize_t)done : n;
}

/* The position of one side of sendfile(2), copy_file_range(2). */
static int range_offset(struct file *file, const s64 __user *user, u64 *out)
{
	s64 offset;

	if (!user) {
		*out = file->offset;
		return 0;
	}
	if (get_user(offset, user))
		return -EFAULT;
	*out = (u64)offset;
	return offset < 0 ? -EINVAL : 0;
}

static int range_advance(struct file *file, s64 __user *user, u64 to)
{
	if (user)
		return put_user((s64)to, user);
	mutex_guard(&file->offset_lock);
	file->offset = to;
	return 0;
}

long sys_copy_file_range(int in_fd, s64 __user *in_offset, int out_fd, s64 __user *out_offset,
			 size_t count, unsigned flags)
{
	u64 from, to;
	long n;

	FILE_OR_RETURN(in, in_fd, RIGHT_READ);
	FILE_OR_RETURN(out, out_fd, RIGHT_WRITE);
	if (flags)
		return -EINVAL;
	if (S_ISDIR(in.file->inode->mode) || S_ISDIR(out.file->inode->mode))
		return -EISDIR;
	if (!S_ISREG(in.file->inode->mode) || !S_ISREG(out.file->inode->mode))
		return -EINVAL;
	if (out.file->flags & O_APPEND)
		return -EBADF;
	n = range_offset(in.file, in_offset, &from);
	if (!n)
		n = range_offset(out.file, out_offset, &to);
	if (n)
		return n;
	count = MIN(count, TRANSFER_MAX);
	if (in.file->inode == out.file->inode && from < to + count && to < from + count)
		return -EINVAL;
	n = copy(in.file, &from, out.file, &to, count);
	if (n > 0 &&
	    (range_advance(in.file, in_offset, from) || range_advance(out.file, out_offset, to)))
		return -EFAULT;
	return n;
}

/* The input has an offset to go back to when the output takes less; the output may be anything. */
long sys_sendfile(int out_fd, int in_fd, s64 __user *offset, size_t count)
{
	u64 from;
	long n;

	FILE_OR_RETURN(in, in_fd, RIGHT_READ);
	FILE_OR_RETURN(out, out_fd, RIGHT_WRITE);
	if (in.file->mode & FILE_MODE_STREAM)
		return offset ? -ESPIPE : -EINVAL;
	if (S_ISDIR(in.file->inode->mode) || (out.file->flags & O_APPEND))
		return -EINVAL;
	n = range_offset(in.file, offset, &from);
	if (n)
		return n;
	n = copy(in.file, &from, out.file, nullptr, MIN(count, TRANSFER_MAX));
	if (n >= 0 && range_advance(in.file, offset, from))
		return -EFAULT;
	return n;
}
