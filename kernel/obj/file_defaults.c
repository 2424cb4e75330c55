/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Default file operations: what a file answers that cannot do what is asked, and seeking in files
 * with a size. */
#include <lib/errno.h>
#include <obj/file.h>
#include <obj/inode.h>

#include <linux/eventpoll.h>
#include <linux/fs.h>

ssize_t file_read_einval(struct file *file, struct iter *it, u64 *offset)
{
	return -EINVAL;
}

ssize_t file_write_einval(struct file *file, struct iter *it, u64 *offset)
{
	return -EINVAL;
}

ssize_t file_read_eisdir(struct file *file, struct iter *it, u64 *offset)
{
	return -EISDIR;
}

s64 file_seek_espipe(struct file *file, s64 offset, int whence)
{
	return -ESPIPE;
}

/* Where lseek(2) leads in a dense file of `size` bytes: its only hole is the one at the end. */
static s64 seek_target(struct file *file, s64 offset, int whence, s64 size)
{
	s64 base;

	switch (whence) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = (s64)file->offset;
		break;
	case SEEK_END:
		base = size;
		break;
	case SEEK_DATA:
		return offset < 0 || offset >= size ? -ENXIO : offset;
	case SEEK_HOLE:
		return offset < 0 || offset >= size ? -ENXIO : size;
	default:
		return -EINVAL;
	}
	if (add_overflows(base, offset, &base) || base < 0)
		return -EINVAL;
	return base;
}

s64 file_seek_generic(struct file *file, s64 offset, int whence)
{
	s64 target;

	mutex_lock(&file->offset_lock);
	target = seek_target(file, offset, whence, (s64)READ_ONCE(file->inode->size));
	if (target >= 0)
		file->offset = (u64)target;
	mutex_unlock(&file->offset_lock);
	return target;
}

s64 file_seek_noop(struct file *file, s64 offset, int whence)
{
	return 0;
}

u32 file_ready_always(struct file *file)
{
	return EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM;
}

long file_ioctl_enotty(struct file *file, unsigned request, unsigned long argument)
{
	return -ENOTTY;
}

int file_map_enodev(struct file *file, struct map_request *req)
{
	return -ENODEV;
}

int file_read_directory_enotdir(struct file *file, struct directory_context *ctx)
{
	return -ENOTDIR;
}

int file_sync_einval(struct file *file, bool data_only, u64 start, u64 end)
{
	return -EINVAL;
}

int file_sync_noop(struct file *file, bool data_only, u64 start, u64 end)
{
	return 0;
}

int file_truncate_einval(struct file *file, u64 size)
{
	return -EINVAL;
}

int file_allocate_eopnotsupp(struct file *file, int mode, u64 offset, u64 length)
{
	return -EOPNOTSUPP;
}

int file_set_flags_ok(struct file *file, u32 flags)
{
	return 0;
}

void file_closed_nothing(struct file *file)
{
}

int file_flush_ok(struct file *file)
{
	return 0;
}

void file_destroy_nothing(struct file *file)
{
}

int file_describe_nothing(struct file *file, const struct pid_namespace *ns, char *buf, size_t size)
{
	return 0;
}

u64 file_wait_limit_none(struct file *file, u32 events)
{
	return NO_DEADLINE;
}
