/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls of sockets but those that carry data (socket_message.c): socket(2), bind(2), accept(2)... */
#include <lib/errno.h>
#include <linux/descriptor.h>
#include <linux/socket_call.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <net/filter.h>

#include <asm/socket.h>
#include <linux/fcntl.h>
#include <linux/filter.h>
#include <linux/in6.h>
#include <linux/resource.h>
#include <sys/socket.h>
#include <syscall_prototypes.h>

#define OPTION_LENGTH_MAX 65536
#define OPTION_INLINE 64

int socket_borrow(int fd, struct file_borrow *borrow, struct socket **out)
{
	int error = file_borrow(current_pool(), fd, 0, borrow);

	if (error)
		return error;
	*out = socket_of(borrow->file);
	if (likely(*out))
		return 0;
	error = borrow->file->mode & FILE_MODE_PATH ? -EBADF : -ENOTSOCK;
	file_release(borrow);
	return error;
}

int address_from_user(struct socket_address *out, const void __user *user, int length)
{
	if (length < 0 || (size_t)length > sizeof(out->storage))
		return -EINVAL;
	out->length = (unsigned)length;
	out->family = AF_UNSPEC;
	return length ? copy_from_user(&out->storage, user, (size_t)length) : 0;
}

int address_to_user(const struct socket_address *address, void __user *user,
		    int __user *user_length)
{
	int room, length = (int)address->length;

	if (get_user(room, user_length))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (copy_to_user(user, &address->storage, (size_t)MIN(room, length)))
		return -EFAULT;
	return put_user(length, user_length);
}

/* The flags of socket(2) and accept4(2), which have the values of O_NONBLOCK and O_CLOEXEC. */
static_assert(SOCK_NONBLOCK == O_NONBLOCK && SOCK_CLOEXEC == O_CLOEXEC);
#define SOCKET_FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)

static int create(int family, unsigned type, int protocol, struct socket **out)
{
	if (type & ~(unsigned)(SOCK_TYPE_MASK | SOCKET_FLAGS))
		return -EINVAL;
	return socket_create(family, (int)(type & SOCK_TYPE_MASK), protocol, type & SOCK_NONBLOCK,
			     out);
}

long sys_socket(int family, unsigned type, int protocol)
{
	struct socket *socket;
	int error = socket_policy_create(family);

	if (error)
		return error;
	error = create(family, type, protocol, &socket);
	return error ? error : descriptor_install(socket->file, type & SOCK_CLOEXEC);
}

/* Connects the two and gives them descriptors; the references stay the caller's. */
static int install_pair(struct socket *one, struct socket *two, int __user *user, bool cloexec)
{
	u32 flags = cloexec ? HANDLE_CLOEXEC : 0;
	struct pool *pool = current_pool();
	int fds[2], error = socket_pair(one, two);

	if (!error)
		error = descriptor_reserve_pair(pool, user, fds);
	if (error)
		return error;
	handle_publish(pool, fds[0], &one->file->object, file_rights(one->file->flags), flags);
	handle_publish(pool, fds[1], &two->file->object, file_rights(two->file->flags), flags);
	return 0;
}

long sys_socketpair(int family, unsigned type, int protocol, int __user *fds)
{
	struct socket *one, *two;
	int error = 0;

	/* A pair of AF_UNIX without names reaches nobody. */
	if (family != AF_UNIX)
		error = socket_policy_create(family);
	if (error)
		return error;
	error = create(family, type, protocol, &one);
	if (error)
		return error;
	error = create(family, type, protocol, &two);
	if (!error) {
		error = install_pair(one, two, fds, type & SOCK_CLOEXEC);
		file_put(two->file);
	}
	file_put(one->file);
	return error;
}

/* bind(2) and connect(2): a call of a socket with an address from user memory. */
static long call_with_address(int fd, const void __user *user, int length,
			      int (*call)(struct socket *socket,
					  const struct socket_address *address))
{
	struct socket_address address __uninitialized;
	struct file_borrow borrow;
	struct socket *socket;
	int error = socket_borrow(fd, &borrow, &socket);

	if (error)
		return error;
	error = address_from_user(&address, user, length);
	if (!error)
		error = call(socket, &address);
	file_release(&borrow);
	return error;
}

long sys_bind(int fd, const void __user *user, int length)
{
	return call_with_address(fd, user, length, socket_bind);
}

long sys_connect(int fd, const void __user *user, int length)
{
	return call_with_address(fd, user, length, socket_connect);
}

long sys_listen(int fd, int backlog)
{
	struct file_borrow borrow;
	struct socket *socket;
	int error = socket_borrow(fd, &borrow, &socket);

	if (error)
		return error;
	if ((unsigned)backlog > SOMAXCONN)
		backlog = SOMAXCONN;
	error = socket_listen(socket, backlog);
	file_release(&borrow);
	return error;
}

/* The connection that was accepted, to a reserved descriptor; consumes the reference. */
static int accepted(struct socket *socket, void __user *user, int __user *length)
{
	struct socket_address address __uninitialized;
	int error = 0;

	if (user) {
		address.length = 0;
		error = socket_name(socket, true, &address);
		/* The peer may be gone already. */
		if (error)
			error = -ECONNABORTED;
		else
			error = address_to_user(&address, user, length);
	}
	return error;
}

long sys_accept4(int fd, void __user *user, int __user *length, unsigned flags)
{
	struct pool *pool = current_pool();
	struct file_borrow borrow;
	struct socket *socket, *fresh;
	int error, to;

	if (flags & ~(unsigned)SOCKET_FLAGS)
		return -EINVAL;
	error = socket_borrow(fd, &borrow, &socket);
	if (error)
		return error;
	to = handle_reserve(pool, 0, (unsigned)current_limit(RLIMIT_NOFILE));
	error = to < 0 ? to : socket_accept(socket, flags & SOCK_NONBLOCK, &fresh);
	file_release(&borrow);
	if (!error) {
		error = accepted(fresh, user, length);
		if (!error)
			handle_publish(pool, to, &fresh->file->object,
				       file_rights(fresh->file->flags),
				       flags & SOCK_CLOEXEC ? HANDLE_CLOEXEC : 0);
		file_put(fresh->file);
	}
	if (error && to >= 0)
		handle_cancel(pool, to);
	return error ? error : to;
}

long sys_accept(int fd, void __user *user, int __user *length)
{
	return sys_accept4(fd, user, length, 0);
}

static long get_name(int fd, void __user *user, int __user *length, bool peer)
{
	struct socket_address address __uninitialized;
	struct file_borrow borrow;
	struct socket *socket;
	int error = socket_borrow(fd, &borrow, &socket);

	if (error)
		return error;
	error = socket_name(socket, peer, &address);
	if (!error)
		error = address_to_user(&address, user, length);
	file_release(&borrow);
	return error;
}

long sys_getsockname(int fd, void __user *user, int __user *length)
{
	return get_name(fd, user, length, false);
}

long sys_getpeername(int fd, void __user *user, int __user *length)
{
	return get_name(fd, user, length, true);
}

long sys_shutdown(int fd, int how)
{
	struct file_borrow borrow;
	struct socket *socket;
	int error = socket_borrow(fd, &borrow, &socket);

	if (error)
		return error;
	error = socket_shutdown(socket, how);
	file_release(&borrow);
	return error;
}

/* A buffer for an option's value: on the stack when small. */
static void *option_buffer(char *inline_buffer, size_t size)
{
	return size <= OPTION_INLINE ? inline_buffer : kzalloc(size, 0);
}

long sys_setsockopt(int fd, int level, int option, const void __user *user, int length)
{
	char inline_buffer[OPTION_INLINE] __aligned(8);
	struct file_borrow borrow;
	struct socket *socket;
	void *value;
	int error = socket_borrow(fd, &borrow, &socket);

	if (error)
		return error;
	if (length < 0 || length > OPTION_LENGTH_MAX) {
		file_release(&borrow);
		return -EINVAL;
	}
	value = option_buffer(inline_buffer, (size_t)length);
	error = value ? copy_from_user(value, user, (size_t)length) : -ENOMEM;
	if (!error)
		error = socket_set_option(socket, level, option, value, (size_t)length);
	/* The one option that answers: with the label that was leased. */
	if (!error && level == SOL_IPV6 && option == IPV6_FLOWLABEL_MGR)
		error = copy_to_user(__force_user(void __user *, (uintptr_t)user), value,
				     (size_t)length);
	if (value != inline_buffer)
		kfree(value);
	file_release(&borrow);
	return error;
}

/* SO_GET_FILTER: the length counts instructions. */
static int get_filter(struct socket *socket, int length, void __user *user, int __user *user_length)
{
	size_t count = (size_t)MIN(length, BPF_MAXINSNS);
	struct sock_filter *program = nullptr;
	int error;

	if (count) {
		program = kvmalloc(count * sizeof(*program), ALLOC_USER);
		if (!program)
			return -ENOMEM;
	}
	error = socket_filter_get(socket, program, &count);
	if (!error && program && copy_to_user(user, program, count * sizeof(*program)))
		error = -EFAULT;
	if (!error)
		error = put_user((int)count, user_length);
	kvfree(program);
	return error;
}

static int get_option(struct socket *socket, int level, int option, void __user *user,
		      int __user *user_length)
{
	char inline_buffer[OPTION_INLINE] __aligned(8);
	size_t size;
	int length, error;
	void *value;

	if (get_user(length, user_length))
		return -EFAULT;
	if (length < 0)
		return -EINVAL;
	if (level == SOL_SOCKET && option == SO_GET_FILTER)
		return get_filter(socket, length, user, user_length);
	size = (size_t)MIN(length, OPTION_LENGTH_MAX);
	value = option_buffer(inline_buffer, size);
	if (!value)
		return -ENOMEM;
	/* Some options say in the value what they ask about: PACKET_HDRLEN. */
	error = level == SOL_PACKET && copy_from_user(value, user, size) ? -EFAULT : 0;
	if (!error)
		error = socket_get_option(socket, level, option, value, &size);
	length = (int)size;
	if (!error && copy_to_user(user, value, size))
		error = -EFAULT;
	if (!error)
		error = put_user(length, user_length);
	if (value != inline_buffer)
		kfree(value);
	return error;
}

long sys_getsockopt(int fd, int level, int option, void __user *user, int __user *length)
{
	struct file_borrow borrow;
	struct socket *socket;
	int error = socket_borrow(fd, &borrow, &socket);

	if (error)
		return error;
	error = get_option(socket, level, option, user, length);
	file_release(&borrow);
	return error;
}
