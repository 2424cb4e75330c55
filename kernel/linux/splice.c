/* SPDX-License-Identifier: GPL-2.0-or-later */
/* splice(2), tee(2), vmsplice(2). */
#include <ipc/pipe.h>
#include <ipc/splice.h>
#include <lib/errno.h>
#include <linux/descriptor.h>
#include <mm/iter.h>
#include <mm/ucopy.h>
#include <obj/inode.h>

#include <linux/fcntl.h>
#include <syscall_prototypes.h>

/* Of splice(2); no uapi header has them. */
#define SPLICE_F_MOVE 1u
#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_MORE 4u
#define SPLICE_F_GIFT 8u
#define SPLICE_F_ALL (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

/* As read(2) and write(2): more is not moved in one call. */
#define SIZE_MAX_PER_CALL ((size_t)INT32_MAX & ~(size_t)4095)

struct file_pair {
	struct file_borrow in, out;
};

static int pair_open(int in, int out, struct file_pair *pair)
{
	int error = file_borrow(current_pool(), in, RIGHT_READ, &pair->in);

	if (error)
		return error;
	error = file_borrow(current_pool(), out, RIGHT_WRITE, &pair->out);
	if (error)
		file_release(&pair->in);
	return error;
}

static void pair_close(struct file_pair *pair)
{
	file_release(&pair->in);
	file_release(&pair->out);
}

/* An offset of the program's: none, or one that the file must be able to use. */
static int offset_get(const s64 __user *user, const struct file *file, u64 *offset)
{
	s64 value;

	if (!user)
		return 0;
	if (file->mode & FILE_MODE_STREAM)
		return -ESPIPE;
	if (get_user(value, user))
		return -EFAULT;
	if (value < 0)
		return -EINVAL;
	*offset = (u64)value;
	return 0;
}

/* Stores an offset back after a call that moved something. */
static long offset_put(s64 __user *user, u64 offset, long result)
{
	if (user && result >= 0 && put_user((s64)offset, user))
		return -EFAULT;
	return result;
}

static long do_splice(struct file *in, u64 *in_offset, struct file *out, u64 *out_offset,
		      size_t count, bool nonblocking)
{
	if (file_is_pipe(in) && file_is_pipe(out))
		return splice_pipes(in, out, count, nonblocking);
	if (file_is_pipe(out))
		return splice_to_pipe(in, in_offset, out, count, nonblocking);
	if (!file_is_pipe(in) || (out->flags & O_APPEND))
		return -EINVAL;
	return splice_from_pipe(in, out, out_offset, count, nonblocking);
}

long sys_splice(int in_fd, s64 __user *in_offset, int out_fd, s64 __user *out_offset, size_t count,
		unsigned flags)
{
	struct file_pair pair;
	u64 in_position = 0, out_position = 0;
	long result;

	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	if (count == 0)
		return 0;
	result = pair_open(in_fd, out_fd, &pair);
	if (result)
		return result;
	result = offset_get(in_offset, pair.in.file, &in_position);
	if (!result)
		result = offset_get(out_offset, pair.out.file, &out_position);
	if (!result)
		result = do_splice(pair.in.file, in_offset ? &in_position : nullptr, pair.out.file,
				   out_offset ? &out_position : nullptr,
				   MIN(count, SIZE_MAX_PER_CALL), flags & SPLICE_F_NONBLOCK);
	pair_close(&pair);
	result = offset_put(in_offset, in_position, result);
	return offset_put(out_offset, out_position, result);
}

long sys_tee(int in_fd, int out_fd, size_t count, unsigned flags)
{
	struct file_pair pair;
	long result;

	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	if (count == 0)
		return 0;
	result = pair_open(in_fd, out_fd, &pair);
	if (result)
		return result;
	result = -EINVAL;
	if (file_is_pipe(pair.in.file) && file_is_pipe(pair.out.file))
		result = splice_tee(pair.in.file, pair.out.file, MIN(count, SIZE_MAX_PER_CALL),
				    flags & SPLICE_F_NONBLOCK);
	pair_close(&pair);
	return result;
}

/* The pages are copied, not given away: a program cannot tell, but by changing them afterwards,
 * which it must not. */
long sys_vmsplice(int fd, const struct iovec __user *iov, unsigned long count, unsigned flags)
{
	struct iovec inline_vectors[ITER_INLINE_VECTORS], *vectors;
	struct file_borrow pipe;
	struct iter it;
	long result;

	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	result = file_borrow(current_pool(), fd, 0, &pipe);
	if (result)
		return result;
	if (!file_is_pipe(pipe.file)) {
		file_release(&pipe);
		return -EBADF;
	}
	result = iter_init_user_vector(&it, iov, count, inline_vectors, &vectors);
	if (!result && it.remaining)
		result = pipe.file->mode & FILE_MODE_WRITE ? file_write(pipe.file, &it, nullptr)
							   : file_read(pipe.file, &it, nullptr);
	iter_free_user_vector(vectors, inline_vectors);
	file_release(&pipe);
	return result;
}
