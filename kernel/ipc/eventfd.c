/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event counters, eventfd(2). */
#include <ipc/event.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <mm/iter.h>
#include <mm/slab.h>
#include <obj/inode.h>

#include <linux/eventpoll.h>
#include <linux/fcntl.h>

struct eventfd {
	struct spinlock lock;	       /* RANK_TIMER_USER */
	u64 count __guarded_by(&lock); /* at most UINT64_MAX - 1 */
	bool semaphore;
	unsigned id;
};

static unsigned last_id;

/* What a read returns: everything, or one of a semaphore; 0 if there is nothing. */
static u64 take(struct eventfd *event)
{
	u64 value;

	spin_lock(&event->lock);
	value = event->semaphore && event->count ? 1 : event->count;
	event->count -= value;
	spin_unlock(&event->lock);
	return value;
}

static ssize_t eventfd_read(struct file *file, struct iter *it, u64 *offset)
{
	u64 value;

	if (it->remaining < sizeof(value))
		return -EINVAL;
	value = take(file->private);
	if (!value)
		return -EAGAIN;
	object_notify(&file->object, EPOLLOUT | EPOLLWRNORM);
	return iter_copy_to(it, &value, sizeof(value)) == sizeof(value) ? (ssize_t)sizeof(value)
									: -EFAULT;
}

static bool add(struct eventfd *event, u64 value)
{
	bool fits;

	spin_lock(&event->lock);
	fits = UINT64_MAX - event->count > value;
	if (fits)
		event->count += value;
	spin_unlock(&event->lock);
	return fits;
}

static ssize_t eventfd_write(struct file *file, struct iter *it, u64 *offset)
{
	struct iter start = *it;
	u64 value;

	if (it->remaining < sizeof(value))
		return -EINVAL;
	if (iter_copy_from(it, &value, sizeof(value)) != sizeof(value))
		return -EFAULT;
	if (value == UINT64_MAX)
		return -EINVAL;
	if (!add(file->private, value)) {
		*it = start; /* the write is tried again */
		return -EAGAIN;
	}
	object_notify(&file->object, EPOLLIN | EPOLLRDNORM);
	return sizeof(value);
}

static u64 eventfd_count(struct eventfd *event)
{
	u64 count;

	spin_lock(&event->lock);
	count = event->count;
	spin_unlock(&event->lock);
	return count;
}

static u32 eventfd_ready(struct file *file)
{
	u64 count = eventfd_count(file->private);

	return (count ? EPOLLIN | EPOLLRDNORM : 0) |
	       (count < UINT64_MAX - 1 ? EPOLLOUT | EPOLLWRNORM : 0);
}

static void eventfd_destroy(struct file *file)
{
	kfree(file->private);
}

static int eventfd_describe(struct file *file, const struct pid_namespace *ns, char *buf,
			    size_t size)
{
	struct eventfd *event = file->private;

	return scnprintf(buf, size, "eventfd-count: %16llx\neventfd-id: %u\n",
			 (unsigned long long)eventfd_count(event), event->id);
}

static const struct file_ops eventfd_ops = {
	FILE_OPS_DEFAULTS,	.read = eventfd_read,	    .write = eventfd_write,
	.ready = eventfd_ready, .destroy = eventfd_destroy, .describe = eventfd_describe,
};

bool eventfd_is(const struct file *file)
{
	return file->ops == &eventfd_ops;
}

void eventfd_signal(struct file *file)
{
	if (add(file->private, 1))
		object_notify(&file->object, EPOLLIN | EPOLLRDNORM);
}

u64 eventfd_bytes(void)
{
	return kmalloc_size(sizeof(struct eventfd)) + file_anonymous_bytes();
}

int eventfd_create(u32 initial, bool semaphore, u32 flags, struct file **out)
{
	struct eventfd *event = kzalloc(sizeof(*event), 0);
	struct inode *inode;
	int error;

	if (!event)
		return -ENOMEM;
	spin_init(&event->lock, RANK_TIMER_USER);
	event->semaphore = semaphore;
	event->id = __atomic_fetch_add(&last_id, 1, __ATOMIC_RELAXED);
	(void)add(event, initial);
	error = inode_create_anonymous("anon_inode:[eventfd]", 0600, &inode);
	if (error)
		goto out_free;
	error = file_create(&eventfd_ops, O_RDWR | (flags & O_NONBLOCK), FILE_MODE_STREAM, inode,
			    event, out);
	inode_put(inode);
out_free:
	if (error)
		kfree(event);
	return error;
}
