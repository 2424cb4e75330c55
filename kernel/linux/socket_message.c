/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls that carry data through sockets: sendto(2), sendmsg(2), recvmmsg(2) and their relatives.
 * Headers, vectors and addresses are decoded here, control messages in socket_control.c.
 */
#include <core/time.h>
#include <lib/errno.h>
#include <linux/descriptor.h>
#include <linux/socket_call.h>
#include <linux/socket_control.h>
#include <mm/slab.h>
#include <mm/ucopy.h>

#include <linux/uio.h>
#include <sys/socket.h>
#include <syscall_prototypes.h>

/* Flags that only the kernel sets. */
#define MSG_RECEIVE_RESULTS (MSG_TRUNC | MSG_CTRUNC | MSG_EOR | MSG_ERRQUEUE)
#define BUFFER_SIZE_MAX ((size_t)INT32_MAX & PAGE_MASK)

long sys_sendto(int fd, const void __user *buffer, size_t size, unsigned flags,
		const void __user *user_address, int length)
{
	struct socket_address address __uninitialized;
	struct file_borrow borrow;
	struct socket *socket;
	struct iter it;
	struct socket_message message = { .data = &it, .flags = (int)flags };
	ssize_t n = socket_borrow(fd, &borrow, &socket);

	if (n)
		return n;
	iter_init_user(&it, __force_user(void __user *, buffer), MIN(size, BUFFER_SIZE_MAX));
	if (user_address) {
		n = address_from_user(&address, user_address, length);
		message.address = &address;
	}
	if (!n && !user_range_ok(buffer, it.remaining))
		n = -EFAULT;
	if (!n)
		n = socket_send(socket, &message);
	file_release(&borrow);
	return n;
}

long sys_recvfrom(int fd, void __user *buffer, size_t size, unsigned flags,
		  void __user *user_address, int __user *length)
{
	struct socket_address address __uninitialized;
	struct file_borrow borrow;
	struct socket *socket;
	struct iter it;
	struct socket_message message = { .data = &it, .flags = (int)flags };
	ssize_t n = socket_borrow(fd, &borrow, &socket);

	if (n)
		return n;
	iter_init_user(&it, buffer, MIN(size, BUFFER_SIZE_MAX));
	if (user_address) {
		address.length = 0;
		message.address = &address;
	}
	n = user_range_ok(buffer, it.remaining) ? socket_receive(socket, &message) : -EFAULT;
	file_release(&borrow);
	if (n >= 0 && user_address) {
		int error = address_to_user(&address, user_address, length);

		if (error)
			return error;
	}
	return n;
}

/* A decoded struct msghdr. */
struct message_header {
	struct msghdr user;
	struct socket_address address;
	struct iter it;
	struct iovec inline_vectors[ITER_INLINE_VECTORS], *vectors;
};

static int header_from_user(struct message_header *h, const struct msghdr __user *user)
{
	struct iovec __user *vectors;

	if (copy_from_user(&h->user, user, sizeof(h->user)))
		return -EFAULT;
	if (!h->user.msg_name)
		h->user.msg_namelen = 0;
	if (h->user.msg_namelen < 0)
		return -EINVAL;
	if (h->user.msg_iovlen > UIO_MAXIOV)
		return -EMSGSIZE;
	vectors = __force_user(struct iovec __user *, h->user.msg_iov);
	return iter_init_user_vector(&h->it, vectors, h->user.msg_iovlen, h->inline_vectors,
				     &h->vectors);
}

static ssize_t send_message(struct socket *socket, const struct msghdr __user *user, int flags)
{
	struct message_header h __uninitialized;
	struct socket_control control = {};
	struct socket_message message = { .data = &h.it, .flags = flags };
	ssize_t n = header_from_user(&h, user);

	if (n)
		return n;
	if (h.user.msg_namelen > 0) {
		int length = MIN(h.user.msg_namelen, (int)sizeof(h.address.storage));

		n = address_from_user(&h.address, __force_user(void __user *, h.user.msg_name),
				      length);
		message.address = &h.address;
	}
	if (!n && h.user.msg_controllen) {
		n = control_from_user(socket, __force_user(void __user *, h.user.msg_control),
				      h.user.msg_controllen, &control);
		message.control = &control;
	}
	if (!n)
		n = socket_send(socket, &message);
	socket_control_release(&control);
	iter_free_user_vector(h.vectors, h.inline_vectors);
	return n;
}

long sys_sendmsg(int fd, const struct msghdr __user *user, unsigned flags)
{
	struct file_borrow borrow;
	struct socket *socket;
	ssize_t n = socket_borrow(fd, &borrow, &socket);

	if (n)
		return n;
	n = send_message(socket, user, (int)flags);
	file_release(&borrow);
	return n;
}

/* Tells what was received besides the data. */
static int header_to_user(struct message_header *h, struct socket *socket,
			  struct socket_message *message, struct msghdr __user *user)
{
	struct control_writer writer = {
		.at = __force_user(char __user *, h->user.msg_control),
		.room = h->user.msg_controllen,
		.flags = message->flags_result,
	};
	struct msghdr *fields = (struct msghdr *)(uintptr_t)user; /* for addresses only */
	int length = (int)h->address.length, error = 0;

	control_to_user(socket, message->control, message->flags & MSG_CMSG_CLOEXEC, &writer);
	if (message->address) {
		void __user *to = __force_user(void __user *, h->user.msg_name);

		error = copy_to_user(to, &h->address.storage,
				     (size_t)MIN(length, h->user.msg_namelen));
		if (!error)
			error = put_user(length, __force_user(int __user *, &fields->msg_namelen));
	}
	writer.flags &= MSG_RECEIVE_RESULTS;
	writer.flags |= message->flags & MSG_CMSG_CLOEXEC;
	if (!error)
		error = put_user((unsigned)writer.flags,
				 __force_user(unsigned __user *, &fields->msg_flags));
	if (!error)
		error = put_user(h->user.msg_controllen - writer.room,
				 __force_user(size_t __user *, &fields->msg_controllen));
	return error;
}

static ssize_t receive_message(struct socket *socket, struct msghdr __user *user, int flags)
{
	struct message_header h __uninitialized;
	struct socket_control control = {};
	struct socket_message message = { .data = &h.it, .control = &control, .flags = flags };
	ssize_t n = header_from_user(&h, user);
	int error;

	if (n)
		return n;
	h.address.length = 0;
	if (h.user.msg_name)
		message.address = &h.address;
	n = socket_receive(socket, &message);
	if (n >= 0) {
		error = header_to_user(&h, socket, &message, user);
		if (error)
			n = error;
	}
	socket_control_release(&control);
	iter_free_user_vector(h.vectors, h.inline_vectors);
	return n;
}

long sys_recvmsg(int fd, struct msghdr __user *user, unsigned flags)
{
	struct file_borrow borrow;
	struct socket *socket;
	ssize_t n = socket_borrow(fd, &borrow, &socket);

	if (n)
		return n;
	n = receive_message(socket, user, (int)flags);
	file_release(&borrow);
	return n;
}

/* The i-th message of an array in user space, and its length field. */
static struct msghdr __user *message_at(struct mmsghdr __user *array, unsigned i)
{
	uintptr_t at = (uintptr_t)array + i * sizeof(struct mmsghdr);

	return __force_user(struct msghdr __user *, at);
}

static int put_length(struct mmsghdr __user *array, unsigned i, ssize_t n)
{
	uintptr_t at = (uintptr_t)message_at(array, i) + offsetof(struct mmsghdr, msg_len);

	return put_user((unsigned)n, __force_user(unsigned __user *, at));
}

long sys_sendmmsg(int fd, struct mmsghdr __user *messages, unsigned count, unsigned flags)
{
	struct file_borrow borrow;
	struct socket *socket;
	unsigned sent = 0;
	ssize_t n = socket_borrow(fd, &borrow, &socket);

	if (n)
		return n;
	count = MIN(count, (unsigned)UIO_MAXIOV);
	while (sent < count) {
		n = send_message(socket, message_at(messages, sent), (int)flags);
		if (n >= 0)
			n = put_length(messages, sent, n);
		if (n)
			break;
		sent++;
	}
	file_release(&borrow);
	return sent ? (long)sent : n;
}

static long receive_messages(struct socket *socket, struct mmsghdr __user *messages, unsigned count,
			     int flags, u64 deadline)
{
	unsigned received = 0;
	ssize_t n = socket_take_error(socket);

	if (n)
		return n;
	while (received < count) {
		n = receive_message(socket, message_at(messages, received),
				    flags & ~MSG_WAITFORONE);
		if (n >= 0)
			n = put_length(messages, received, n);
		if (n)
			break;
		received++;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (deadline != NO_DEADLINE && clock_monotonic_ns() >= deadline)
			break;
	}
	if (!received)
		return n;
	/* What went wrong after the first is told by the next call (recvmmsg(2), BUGS). */
	if (n && n != -EAGAIN)
		socket_set_error(socket, (int)-n);
	return (long)received;
}

long sys_recvmmsg(int fd, struct mmsghdr __user *messages, unsigned count, unsigned flags,
		  struct __kernel_timespec __user *timeout)
{
	struct __kernel_timespec left;
	struct file_borrow borrow;
	struct socket *socket;
	u64 limit, deadline;
	long n = timeout_from_user(timeout, &limit);

	if (!n)
		n = socket_borrow(fd, &borrow, &socket);
	if (n)
		return n;
	deadline = limit == 0 ? clock_monotonic_ns() : deadline_after(limit);
	n = receive_messages(socket, messages, MIN(count, (unsigned)UIO_MAXIOV), (int)flags,
			     deadline);
	file_release(&borrow);
	if (timeout && n > 0) {
		left = timespec_of_ns(time_left(deadline));
		if (copy_to_user(timeout, &left, sizeof(left)))
			return -EFAULT;
	}
	return n;
}
