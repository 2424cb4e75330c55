/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * io_setup(2), io_submit(2), io_getevents(2), io_cancel(2), io_destroy(2). A request is carried out while it is submitted, as Linux does with
 * files that go through the page cache, pipes and sockets; so there is never one left to cancel.
 */
#include <ipc/aio.h>
#include <ipc/event.h>
#include <lib/errno.h>
#include <linux/descriptor.h>
#include <mm/ucopy.h>

#include <linux/fs.h>
#include <linux/uio.h>
#include <syscall_prototypes.h>

#define KEY 0u /* what iocb.aio_key becomes */

static void put_context(struct file **file)
{
	if (*file)
		file_put(*file);
}

long sys_io_setup(unsigned count, unsigned long __user *user_context)
{
	unsigned long context;
	vaddr_t address;
	int err;

	if (get_user(context, user_context))
		return -EFAULT;
	if (context || !count)
		return -EINVAL;
	err = aio_create(count, &address);
	if (err)
		return err;
	if (!put_user((unsigned long)address, user_context))
		return 0;
	(void)aio_destroy(address);
	return -EFAULT;
}

long sys_io_destroy(unsigned long context)
{
	return aio_destroy(context);
}

/* Reads or writes one buffer or several. */
static ssize_t transfer(struct file *file, const struct iocb *request, bool write, bool vector)
{
	struct iovec inline_vectors[ITER_INLINE_VECTORS], *vectors = inline_vectors;
	u64 offset = (u64)request->aio_offset;
	u64 *at = file->mode & FILE_MODE_STREAM ? nullptr : &offset;
	void __user *buffer = __force_user(void __user *, (uintptr_t)request->aio_buf);
	struct iter it;
	ssize_t n = 0;

	if (vector) {
		n = iter_init_user_vector(&it, (const struct iovec __user *)buffer,
					  request->aio_nbytes, inline_vectors, &vectors);
		if (n)
			return n;
	} else {
		if (!user_range_ok(buffer, request->aio_nbytes))
			return -EFAULT;
		iter_init_user(&it, buffer, request->aio_nbytes);
	}
	if (at && request->aio_offset < 0)
		n = -EINVAL;
	else
		n = write ? file_write(file, &it, at) : file_read(file, &it, at);
	if (vector)
		iter_free_user_vector(vectors, inline_vectors);
	/* There is nobody who would try again after a signal. */
	return n == -ERESTARTSYS ? -EINTR : n;
}

static ssize_t write_through(struct file *file, const struct iocb *request, bool vector)
{
	ssize_t n = transfer(file, request, true, vector);
	u32 flags = (u32)request->aio_rw_flags;
	int err;

	if (n <= 0 || !(flags & (RWF_SYNC | RWF_DSYNC)))
		return n;
	err = file->ops->sync(file, !(flags & RWF_SYNC), 0, UINT64_MAX);
	return err && err != -EINVAL ? err : n;
}

/* What can be said of a request before it is begun. */
static int check_request(const struct file *file, const struct iocb *request)
{
	u32 flags = (u32)request->aio_rw_flags;

	switch (request->aio_lio_opcode) {
	case IOCB_CMD_PREAD:
	case IOCB_CMD_PREADV:
		if (!(file->mode & FILE_MODE_READ))
			return -EBADF;
		return flags & ~(u32)RWF_HIPRI ? -EOPNOTSUPP : 0;
	case IOCB_CMD_PWRITE:
	case IOCB_CMD_PWRITEV:
		if (!(file->mode & FILE_MODE_WRITE))
			return -EBADF;
		return flags & ~(u32)(RWF_SYNC | RWF_DSYNC | RWF_HIPRI) ? -EOPNOTSUPP : 0;
	case IOCB_CMD_FSYNC:
	case IOCB_CMD_FDSYNC:
		if (request->aio_buf || request->aio_offset || request->aio_nbytes || flags)
			return -EINVAL;
		return file->ops->sync == file_sync_einval ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

static ssize_t perform(struct file *file, const struct iocb *request)
{
	switch (request->aio_lio_opcode) {
	case IOCB_CMD_PREAD:
		return transfer(file, request, false, false);
	case IOCB_CMD_PREADV:
		return transfer(file, request, false, true);
	case IOCB_CMD_PWRITE:
		return write_through(file, request, false);
	case IOCB_CMD_PWRITEV:
		return write_through(file, request, true);
	default:
		return file->ops->sync(file, request->aio_lio_opcode == IOCB_CMD_FDSYNC, 0,
				       UINT64_MAX);
	}
}

/* The eventfd that is told of the result, with a reference; null: none. */
static int find_eventfd(const struct iocb *request, struct file **out)
{
	int err;

	*out = nullptr;
	if (!(request->aio_flags & IOCB_FLAG_RESFD))
		return 0;
	err = file_from_handle(current_pool(), (int)request->aio_resfd, 0, out);
	if (!err && !eventfd_is(*out)) {
		file_put(*out);
		*out = nullptr;
		err = -EINVAL;
	}
	return err;
}

static int run_request(struct file *context, const struct iocb *request, struct file *file,
		       struct iocb __user *user)
{
	struct io_event event = { .data = request->aio_data, .obj = (uintptr_t)user };
	struct file *eventfd;
	int err = find_eventfd(request, &eventfd);

	if (err)
		return err;
	if (put_user(KEY, __force_user(u32 __user *, &user->aio_key)))
		err = -EFAULT;
	if (!err)
		err = check_request(file, request);
	if (!err) {
		event.res = perform(file, request);
		aio_complete(context, &event);
		if (eventfd)
			eventfd_signal(eventfd);
	}
	if (eventfd)
		file_put(eventfd);
	return err;
}

static int submit_one(struct file *context, struct iocb __user *user)
{
	struct iocb request;
	struct file *file;
	int err;

	if (copy_from_user(&request, user, sizeof(request)))
		return -EFAULT;
	if (request.aio_reserved2 || (s64)request.aio_nbytes < 0)
		return -EINVAL;
	err = aio_reserve(context);
	if (err)
		return err;
	err = file_from_handle(current_pool(), (int)request.aio_fildes, 0, &file);
	if (!err && (file->mode & FILE_MODE_PATH)) {
		file_put(file);
		err = -EBADF;
	}
	if (!err) {
		err = run_request(context, &request, file, user);
		file_put(file);
	}
	if (err)
		aio_abandon(context);
	return err;
}

long sys_io_submit(unsigned long context, long count, void __user *blocks)
{
	struct file *file __cleanup(put_context) = nullptr;
	unsigned long __user *list = blocks;
	long done;
	int err;

	if (count < 0)
		return -EINVAL;
	err = aio_find(context, &file);
	for (done = 0; done < count && !err; done++) {
		unsigned long block;

		err = get_user(block, list + done);
		if (!err)
			err = submit_one(file, __force_user(struct iocb __user *, block));
		if (err)
			break;
	}
	return done ? done : err;
}

/* Every request is done before its submission returns. */
long sys_io_cancel(unsigned long context, const struct iocb __user *block,
		   struct io_event __user *event)
{
	struct file *file __cleanup(put_context) = nullptr;
	u32 key;

	if (get_user(key, __force_user(const u32 __user *, &block->aio_key)))
		return -EFAULT;
	return key == KEY ? aio_find(context, &file) ?: -EINVAL : -EINVAL;
}

static long take_events(unsigned long context, long minimum, long count,
			struct io_event __user *events, u64 wait_ns)
{
	struct file *file __cleanup(put_context) = nullptr;
	int err = aio_find(context, &file);

	if (err)
		return err;
	if (minimum < 0 || minimum > count)
		return -EINVAL;
	return aio_take(file, minimum, count, events, deadline_after(wait_ns));
}

long sys_io_getevents(unsigned long context, long minimum, long count,
		      struct io_event __user *events,
		      const struct __kernel_timespec __user *timeout)
{
	u64 wait_ns;
	int err = timeout_from_user(timeout, &wait_ns);

	return err ? err : take_events(context, minimum, count, events, wait_ns);
}

/* The last argument of io_pgetevents(2), which no header has. */
struct signal_set_argument {
	const u64 __user *mask;
	size_t size;
};

long sys_io_pgetevents(unsigned long context, long minimum, long count,
		       struct io_event __user *events,
		       const struct __kernel_timespec __user *timeout, void __user *user_mask)
{
	struct signal_set_argument argument = {};
	u64 wait_ns;
	int err = timeout_from_user(timeout, &wait_ns);

	if (!err && user_mask && copy_from_user(&argument, user_mask, sizeof(argument)))
		err = -EFAULT;
	if (!err)
		err = waiting_mask_begin(argument.mask, argument.size);
	if (err)
		return err;
	return waiting_mask_end(argument.mask,
				take_events(context, minimum, count, events, wait_ns));
}
