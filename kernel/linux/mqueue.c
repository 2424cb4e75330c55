/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POSIX message queues: mq_open(2), mq_unlink(2), mq_send(3), mq_receive(3), mq_notify(2), mq_getattr(3). */
#include <core/time.h>
#include <fs/mqueue/mqueue_fs.h>
#include <linux/user_path.h>

#include <linux/fcntl.h>
#include <linux/limits.h>
#include <syscall_prototypes.h>

long sys_mq_open(const char __user *user_name, unsigned flags, unsigned mode,
		 const struct mq_attr __user *user_attributes)
{
	struct mq_attr attributes;
	struct file *file;
	int error;

	if ((flags & O_CREAT) && user_attributes &&
	    copy_from_user(&attributes, user_attributes, sizeof(attributes)))
		return -EFAULT;
	USER_PATH_OR_RETURN(name, user_name);
	error = mqueue_open(name, flags, mode,
			    (flags & O_CREAT) && user_attributes ? &attributes : nullptr, &file);
	return error ? error : descriptor_install(file, true);
}

long sys_mq_unlink(const char __user *user_name)
{
	USER_PATH_OR_RETURN(name, user_name);
	return mqueue_unlink(name);
}

/* An absolute time of CLOCK_REALTIME as a deadline; null: none. */
static int deadline_from_user(const struct __kernel_timespec __user *user, u64 *deadline)
{
	u64 ns, now = clock_realtime_ns();
	int error = timeout_from_user(user, &ns);

	if (error || ns == NO_DEADLINE) {
		*deadline = NO_DEADLINE;
		return error;
	}
	*deadline = ns > now ? clock_monotonic_ns() + (ns - now) : 0;
	return 0;
}

long sys_mq_timedsend(int fd, const void __user *text, size_t size, unsigned priority,
		      const struct __kernel_timespec __user *timeout)
{
	struct mqueue_message *message;
	struct mqueue *queue;
	u64 deadline;
	int error;

	if (priority >= MQ_PRIO_MAX)
		return -EINVAL;
	error = deadline_from_user(timeout, &deadline);
	if (error)
		return error;
	FILE_OR_RETURN(b, fd, 0);
	queue = mqueue_of_file(b.file);
	if (!queue || !(b.file->mode & FILE_MODE_WRITE))
		return -EBADF;
	if (size > queue->size_max)
		return -EMSGSIZE;
	error = mqueue_message_create(size, &message);
	if (error)
		return error;
	if (copy_from_user(mqueue_message_text(message), text, size))
		error = -EFAULT;
	else
		error = mqueue_send(b.file, queue, priority, message, deadline);
	if (error)
		mqueue_message_free(message);
	return error;
}

long sys_mq_timedreceive(int fd, void __user *text, size_t size, unsigned __user *priority,
			 const struct __kernel_timespec __user *timeout)
{
	struct mqueue_message *message;
	struct mqueue *queue;
	u64 deadline;
	long result = deadline_from_user(timeout, &deadline);

	if (result)
		return result;
	FILE_OR_RETURN(b, fd, 0);
	queue = mqueue_of_file(b.file);
	if (!queue || !(b.file->mode & FILE_MODE_READ))
		return -EBADF;
	if (size < queue->size_max)
		return -EMSGSIZE;
	result = mqueue_receive(b.file, queue, deadline, &message);
	if (result)
		return result;
	result = (long)mqueue_message_size(message);
	if (copy_to_user(text, mqueue_message_text(message), (size_t)result) ||
	    (priority && put_user(mqueue_message_priority(message), priority)))
		result = -EFAULT;
	mqueue_message_free(message);
	return result;
}

/* SIGEV_THREAD: a thread of the C library reads the cookie from a netlink socket, and calls the function. */
static long notify_by_socket(struct mqueue *queue, const struct sigevent *event)
{
	u8 cookie[NOTIFY_COOKIE_LEN];

	if (copy_from_user(
		    cookie,
		    __force_user(const void __user *, (uintptr_t)event->sigev_value.sival_ptr),
		    sizeof(cookie)))
		return -EFAULT;
	FILE_OR_RETURN(socket, event->sigev_signo, 0);
	return mqueue_notify(queue, event, socket.file, cookie);
}

long sys_mq_notify(int fd, const struct sigevent __user *user)
{
	struct sigevent event;
	struct mqueue *queue;

	if (user && copy_from_user(&event, user, sizeof(event)))
		return -EFAULT;
	FILE_OR_RETURN(b, fd, 0);
	queue = mqueue_of_file(b.file);
	if (!queue)
		return -EBADF;
	if (user && event.sigev_notify == SIGEV_THREAD)
		return notify_by_socket(queue, &event);
	return mqueue_notify(queue, user ? &event : nullptr, nullptr, nullptr);
}

long sys_mq_getsetattr(int fd, const struct mq_attr __user *new, struct mq_attr __user *old)
{
	struct mq_attr wanted, now;
	struct mqueue *queue;

	if (new && copy_from_user(&wanted, new, sizeof(wanted)))
		return -EFAULT;
	if (new && (wanted.mq_flags & ~(long)O_NONBLOCK))
		return -EINVAL;
	FILE_OR_RETURN(b, fd, 0);
	queue = mqueue_of_file(b.file);
	if (!queue)
		return -EBADF;
	mqueue_attributes(queue, &now);
	now.mq_flags = b.file->flags & O_NONBLOCK;
	if (new)
		b.file->flags = (b.file->flags & ~(u32)O_NONBLOCK) | (u32)wanted.mq_flags;
	return old && copy_to_user(old, &now, sizeof(now)) ? -EFAULT : 0;
}
