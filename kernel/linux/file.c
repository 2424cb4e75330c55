/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading, writing, seeking and syncing: read(2), readv(2), pread(2), lseek(2), fsync(2) and their families. */
#include <linux/user_path.h>
#include <mm/memory_object.h>
#include <mm/write_back.h>

#include <linux/fadvise.h>
#include <linux/fs.h>
#include <syscall_prototypes.h>

/* Linux transfers at most this much at once, read(2) "NOTES". */
#define TRANSFER_MAX ((size_t)0x7ffff000)

#define WAIT_BITS (SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER)

/* Books for /proc/<pid>/io. */
static inline ssize_t count_read(ssize_t n)
{
	struct task *task = current_task();

	task->io.reads++;
	task->io.read_bytes += n > 0 ? (u64)n : 0;
	return n;
}

static inline ssize_t count_write(ssize_t n)
{
	struct task *task = current_task();

	task->io.writes++;
	task->io.write_bytes += n > 0 ? (u64)n : 0;
	return n;
}

long sys_read(int fd, void __user *buf, size_t count)
{
	struct file_borrow b;
	struct iter it;
	ssize_t n;
	int err = file_borrow(current_pool(), fd, RIGHT_READ, &b);

	if (unlikely(err))
		return err;
	iter_init_user(&it, buf, MIN(count, TRANSFER_MAX));
	n = user_range_ok(buf, count) ? file_read(b.file, &it, nullptr) : -EFAULT;
	file_release(&b);
	return count_read(n);
}

long sys_write(int fd, const void __user *buf, size_t count)
{
	struct file_borrow b;
	struct iter it;
	ssize_t n;
	int err = file_borrow(current_pool(), fd, RIGHT_WRITE, &b);

	if (unlikely(err))
		return err;
	iter_init_user(&it, (void __user *)buf, MIN(count, TRANSFER_MAX));
	n = user_range_ok(buf, count) ? file_write(b.file, &it, nullptr) : -EFAULT;
	file_release(&b);
	return count_write(n);
}

/* A read or write at a position; position -1: the file's own (preadv2(2)). */
static ssize_t transfer(struct file *file, struct iter *it, s64 position, bool write)
{
	u64 offset = (u64)position;
	u64 *at = position == -1 ? nullptr : &offset;

	if (at && (file->mode & FILE_MODE_STREAM))
		return -ESPIPE;
	return write ? count_write(file_write(file, it, at)) : count_read(file_read(file, it, at));
}

long sys_pread64(int fd, void __user *buf, size_t count, s64 offset)
{
	struct iter it;

	if (offset < 0)
		return -EINVAL;
	FILE_OR_RETURN(b, fd, RIGHT_READ);
	if (!user_range_ok(buf, count))
		return -EFAULT;
	iter_init_user(&it, buf, MIN(count, TRANSFER_MAX));
	return transfer(b.file, &it, offset, false);
}

long sys_pwrite64(int fd, const void __user *buf, size_t count, s64 offset)
{
	struct iter it;

	if (offset < 0)
		return -EINVAL;
	FILE_OR_RETURN(b, fd, RIGHT_WRITE);
	if (!user_range_ok(buf, count))
		return -EFAULT;
	iter_init_user(&it, (void __user *)buf, MIN(count, TRANSFER_MAX));
	return transfer(b.file, &it, offset, true);
}

static long transfer_vector(int fd, const struct iovec __user *user, unsigned long count,
			    s64 position, bool write)
{
	struct iovec inline_vectors[ITER_INLINE_VECTORS], *vectors;
	struct iter it;
	ssize_t n;

	FILE_OR_RETURN(b, fd, write ? RIGHT_WRITE : RIGHT_READ);
	n = iter_init_user_vector(&it, user, count, inline_vectors, &vectors);
	if (!n)
		n = transfer(b.file, &it, position, write);
	iter_free_user_vector(vectors, inline_vectors);
	return n;
}

long sys_readv(int fd, const struct iovec __user *iov, unsigned long count)
{
	return transfer_vector(fd, iov, count, -1, false);
}

long sys_writev(int fd, const struct iovec __user *iov, unsigned long count)
{
	return transfer_vector(fd, iov, count, -1, true);
}

/* On 64-bit machines the low word is the whole offset. */
long sys_preadv(int fd, const struct iovec __user *iov, unsigned long count,
		unsigned long offset_low, unsigned long offset_high)
{
	return (s64)offset_low < 0 ? -EINVAL
				   : transfer_vector(fd, iov, count, (s64)offset_low, false);
}

long sys_pwritev(int fd, const struct iovec __user *iov, unsigned long count,
		 unsigned long offset_low, unsigned long offset_high)
{
	return (s64)offset_low < 0 ? -EINVAL
				   : transfer_vector(fd, iov, count, (s64)offset_low, true);
}

long sys_preadv2(int fd, const struct iovec __user *iov, unsigned long count,
		 unsigned long offset_low, unsigned long offset_high, unsigned flags)
{
	if ((s64)offset_low < -1)
		return -EINVAL;
	/* RWF_HIPRI asks for polling of a device; nobody needs to. */
	if (flags & ~RWF_HIPRI)
		return -EOPNOTSUPP;
	return transfer_vector(fd, iov, count, (s64)offset_low, false);
}

long sys_pwritev2(int fd, const struct iovec __user *iov, unsigned long count,
		  unsigned long offset_low, unsigned long offset_high, unsigned flags)
{
	long n;

	if ((s64)offset_low < -1)
		return -EINVAL;
	if (flags & ~(RWF_SYNC | RWF_DSYNC | RWF_HIPRI))
		return -EOPNOTSUPP;
	n = transfer_vector(fd, iov, count, (s64)offset_low, true);
	if (n > 0 && flags & (RWF_SYNC | RWF_DSYNC)) {
		long result = flags & RWF_SYNC ? sys_fsync(fd) : sys_fdatasync(fd);

		if (result < 0 && result != -EINVAL)
			return result;
	}
	return n;
}

long sys_lseek(int fd, s64 offset, int whence)
{
	FILE_OR_RETURN(b, fd, RIGHT_CONTROL);
	if (whence < SEEK_SET || whence > SEEK_HOLE)
		return -EINVAL;
	return b.file->ops->seek(b.file, offset, whence);
}

static long sync_file(int fd, bool data_only)
{
	FILE_OR_RETURN(b, fd, RIGHT_CONTROL);
	return b.file->ops->sync(b.file, data_only, 0, UINT64_MAX);
}

long sys_fsync(int fd)
{
	return sync_file(fd, false);
}

long sys_fdatasync(int fd)
{
	return sync_file(fd, true);
}

long sys_sync(void)
{
	/* Data first, so that what the file systems commit finds it written. */
	(void)write_back_group(nullptr, true);
	superblock_sync_all();
	return 0;
}

long sys_syncfs(int fd)
{
	struct superblock *sb;
	int result, error;

	FILE_OR_RETURN(b, fd, RIGHT_CONTROL);
	sb = b.file->inode->superblock;
	if (!sb || !sb->ops->sync)
		return 0;
	result = sb->ops->sync(sb);
	error = write_error_check(&sb->write_errors, &b.file->group_error_seen);
	return result ?: error;
}

/* Of what has no pages the calls about ranges say that it cannot seek. */
static bool has_pages(const struct file *file)
{
	u32 mode = file->inode->mode;

	return S_ISREG(mode) || S_ISBLK(mode) || S_ISDIR(mode) || S_ISLNK(mode);
}

long sys_sync_file_range(int fd, s64 offset, s64 count, unsigned flags)
{
	s64 end;

	FILE_OR_RETURN(b, fd, RIGHT_CONTROL);
	if ((flags & ~WAIT_BITS) || offset < 0 || count < 0 || add_overflows(offset, count, &end))
		return -EINVAL;
	if (!has_pages(b.file))
		return -ESPIPE;
	struct memory_object *object = b.file->inode->object;
	u64 last = count ? (u64)end : UINT64_MAX;

	if (S_ISBLK(b.file->inode->mode) || !object)
		return b.file->ops->sync(b.file, true, (u64)offset, last);
	if (flags & SYNC_FILE_RANGE_WAIT_BEFORE)
		memory_object_write_wait(object, (u64)offset, last);
	if (flags & SYNC_FILE_RANGE_WRITE &&
	    memory_object_write_start(object, (u64)offset, last,
				      flags & SYNC_FILE_RANGE_WAIT_AFTER))
		return -EIO;
	if (!(flags & SYNC_FILE_RANGE_WAIT_AFTER))
		return 0;
	memory_object_write_wait(object, (u64)offset, last);
	return write_error_check(&object->error_state, &b.file->write_error_seen);
}

/* The cache of a file's contents, if its pages can be read again. */
static struct memory_object *page_cache(const struct file *file)
{
	struct memory_object *object = file->inode->object;

	return S_ISREG(file->inode->mode) && object && memory_object_has_home(object) ? object
										      : nullptr;
}

long sys_fadvise64(int fd, s64 offset, s64 length, int advice)
{
	FILE_OR_RETURN(b, fd, RIGHT_CONTROL);
	if (S_ISFIFO(b.file->inode->mode))
		return -ESPIPE;
	if (length < 0 || offset < 0)
		return -EINVAL;
	struct memory_object *object = page_cache(b.file);
	u64 end;

	/* Length 0: to the end of the file. */
	if (!length || add_overflows((u64)offset, (u64)length, &end))
		end = UINT64_MAX;
	switch (advice) {
	case POSIX_FADV_NORMAL:
	case POSIX_FADV_RANDOM:
	case POSIX_FADV_SEQUENTIAL:
		b.file->read_ahead.advice = (u8)advice;
		return 0;
	case POSIX_FADV_WILLNEED:
		if (object)
			memory_object_prefetch(object, (u64)offset, MIN(end, object->size));
		return 0;
	case POSIX_FADV_DONTNEED:
		if (object) {
			(void)memory_object_write_start(object, (u64)offset, end, false);
			(void)memory_object_drop_clean(object, (u64)offset, end);
		}
		return 0;
	case POSIX_FADV_NOREUSE:
		return 0;
	default:
		return -EINVAL;
	}
}

long sys_readahead(int fd, s64 offset, size_t count)
{
	FILE_OR_RETURN(b, fd, RIGHT_READ);
	struct memory_object *object = page_cache(b.file);
	u64 end;

	if (!S_ISREG(b.file->inode->mode) && !S_ISBLK(b.file->inode->mode))
		return -EINVAL;
	if (object && offset >= 0 && !add_overflows((u64)offset, (u64)count, &end))
		memory_object_prefetch(object, (u64)offset, MIN(end, object->size));
	return 0;
}
