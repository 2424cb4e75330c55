/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /dev/fuse: the server reads requests from it and writes answers to it, fuse(4). */
#include <fs/fuse/fuse_priv.h>
#include <mm/iter.h>
#include <mm/slab.h>

#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/major.h>

#define FUSE_MINOR_NUMBER 229
#define SMALLEST_BUFFER ((size_t)FUSE_MIN_READ_BUFFER)

static bool mounted(const struct fuse_connection *c)
{
	return __atomic_load_n(&c->mounted, __ATOMIC_ACQUIRE);
}

int fuse_device_connection(struct file *file, struct fuse_connection **out)
{
	if (file->ops != &fuse_device_ops)
		return -EINVAL;
	*out = file->private;
	fuse_connection_get(*out);
	return 0;
}

/* The oldest request, with the list's reference; one that waits for an answer gets another and joins those. */
static int take_pending(struct fuse_connection *c, size_t room, struct fuse_request **out)
{
	struct fuse_request *r;
	int result = 0;

	spin_lock(&c->lock);
	if (c->aborted) {
		result = -ENODEV;
	} else if (list_empty(&c->pending)) {
		result = -EAGAIN;
	} else {
		r = list_first(&c->pending, struct fuse_request, node);
		if (!r->no_answer && r->in_size <= room) {
			__atomic_fetch_add(&r->refs, 1, __ATOMIC_RELAXED);
			r->sent = true;
			list_remove(&r->node);
			list_add_tail(&c->processing[fuse_unique_bucket(fuse_header(r)->unique)],
				      &r->node);
		} else {
			fuse_request_unlist_locked(c, r);
		}
		*out = r;
	}
	spin_unlock(&c->lock);
	return result;
}

/* The request that waits for an answer with this number, out of its list and with its reference. */
static struct fuse_request *take_processing(struct fuse_connection *c, u64 unique)
{
	struct fuse_request *r, *found = nullptr;

	spin_lock(&c->lock);
	list_for_each (r, &c->processing[fuse_unique_bucket(unique)], node) {
		if (fuse_header(r)->unique == unique) {
			found = r;
			fuse_request_unlist_locked(c, r);
			break;
		}
	}
	spin_unlock(&c->lock);
	return found;
}

static ssize_t device_read(struct file *file, struct iter *it, u64 *offset)
{
	struct fuse_connection *c = file->private;
	struct fuse_request *r;
	size_t copied;
	int result;

	if (!mounted(c))
		return -EPERM;
	for (;;) {
		if (it->remaining <
		    MAX(SMALLEST_BUFFER, sizeof(struct fuse_in_header) +
						 sizeof(struct fuse_write_in) + c->max_write))
			return -EINVAL;
		result = take_pending(c, it->remaining, &r);
		if (result)
			return result;
		if (r->in_size <= it->remaining)
			break;
		fuse_request_finish(c, r, fuse_header(r)->opcode == FUSE_SETXATTR ? -E2BIG : -EIO);
	}
	copied = iter_copy_to(it, r->in, r->in_size);
	if (copied < r->in_size && !r->no_answer) {
		struct fuse_request *again = take_processing(c, fuse_header(r)->unique);

		if (again)
			fuse_request_finish(c, again, -EIO);
	}
	result = copied < r->in_size ? -EFAULT : (int)copied;
	fuse_request_put(r);
	return result;
}

/* The rest of an answer, into the request's buffer. 0, -EINVAL: of a size that cannot be, -EFAULT. */
static int copy_answer(struct fuse_request *r, struct iter *it)
{
	if (it->remaining > r->out_capacity || (r->exact && it->remaining != r->out_capacity))
		return -EINVAL;
	r->out_size = (u32)it->remaining;
	return iter_copy_from(it, r->out, r->out_size) == r->out_size ? 0 : -EFAULT;
}

static ssize_t device_write(struct file *file, struct iter *it, u64 *offset)
{
	struct fuse_connection *c = file->private;
	size_t size = it->remaining;
	struct fuse_out_header header;
	struct fuse_request *r;
	int error;

	if (!mounted(c))
		return -EPERM;
	if (size < sizeof(header))
		return -EINVAL;
	if (iter_copy_from(it, &header, sizeof(header)) != sizeof(header))
		return -EFAULT;
	if (header.len != size)
		return -EINVAL;
	if (!header.unique) {
		error = fuse_notify(c, header.error, it);
		return error ? error : (ssize_t)size;
	}
	if (header.error > 0 || header.error <= -512 || (header.error && size != sizeof(header)))
		return -EINVAL;
	/* Answers to INTERRUPT say that the server does not know it, or not yet. */
	if (header.unique & 1)
		return (ssize_t)size;
	r = take_processing(c, header.unique);
	if (!r)
		return -ENOENT;
	error = header.error ? 0 : copy_answer(r, it);
	fuse_request_finish(c, r, error ? -EIO : header.error);
	return error ? error : (ssize_t)size;
}

static u32 device_ready(struct file *file)
{
	struct fuse_connection *c = file->private;
	u32 events = EPOLLOUT | EPOLLWRNORM;

	if (!mounted(c))
		return EPOLLERR;
	spin_lock(&c->lock);
	if (c->aborted)
		events = EPOLLERR;
	else if (!list_empty(&c->pending))
		events |= EPOLLIN | EPOLLRDNORM;
	spin_unlock(&c->lock);
	return events;
}

/* The last handle of the server is closed: it is dead. */
static void device_closed(struct file *file)
{
	fuse_abort(file->private);
}

static void device_destroy(struct file *file)
{
	fuse_connection_put(file->private);
}

const struct file_ops fuse_device_ops = {
	FILE_OPS_DEFAULTS,     .read = device_read,	.write = device_write,
	.ready = device_ready, .closed = device_closed, .destroy = device_destroy,
};

static int device_open(struct inode *inode, struct file *file)
{
	struct fuse_connection *c;
	int error = fuse_connection_create(&c);

	if (error)
		return error;
	file->private = c;
	file->object.waiters = &c->readable;
	file->ops = &fuse_device_ops;
	file->mode |= FILE_MODE_STREAM;
	return 0;
}

static struct device_node device = {
	.name = "fuse",
	.mode = S_IFCHR | 0666,
	.open = device_open,
	.class_name = "misc",
};

void fuse_device_init(void)
{
	device.device = device_make(MISC_MAJOR, FUSE_MINOR_NUMBER);
	device_register(&device);
}
