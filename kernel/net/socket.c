/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets: making and ending them, and the blocking halves of the calls. Everything that waits does it
 * here, so that time-outs (SO_RCVTIMEO, SO_SNDTIMEO), signals and O_NONBLOCK mean the same for every
 * family. read(2), write(2), poll and epoll come through the file operations and share their waiting
 * with all other files.
 *
 * Life: socket_create makes the file first and then has the family fill in ops; the socket goes with
 * the file. A call in progress holds the file, so release() finds nobody using the socket.
 */
#include <net/socket.h>

#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <net/device.h>
#include <net/filter.h>
#include <net/inet_socket.h>
#include <net/namespace.h>
#include <net/socket_priv.h>
#include <obj/inode.h>
#include <proc/signal.h>
#include <proc/task.h>
#include <vfs/file_owner.h>

#include <cairn/silo.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/sockios.h>
#include <linux/stat.h>
#include <sys/socket.h>

#define SOCK_TYPES 11

static struct slab_cache *socket_cache;
static struct socket_family *families[AF_MAX];

void socket_family_register(struct socket_family *family)
{
	families[family->family] = family;
}

/* --- As a file --- */

static void raise_sigpipe(void)
{
	siginfo_t info;

	if (!current_task())
		return;
	siginfo_user(&info, SIGPIPE, SI_USER);
	signal_send_task(current_task(), &info);
}

static ssize_t socket_file_read(struct file *file, struct iter *it, u64 *offset)
{
	struct socket *socket = file->private;
	struct socket_message message = { .data = it };

	if (!it->remaining)
		return 0;
	return socket->ops->receive(socket, &message);
}

static ssize_t socket_file_write(struct file *file, struct iter *it, u64 *offset)
{
	struct socket *socket = file->private;
	struct socket_message message = { .data = it };
	ssize_t n = socket->ops->send(socket, &message);

	if (unlikely(n == -EPIPE) && socket->type == SOCK_STREAM &&
	    !(file->mode & FILE_MODE_NOSIGPIPE))
		raise_sigpipe();
	return n;
}

static u64 socket_file_wait_limit(struct file *file, u32 events)
{
	const struct socket *socket = file->private;

	return events & EPOLLIN ? socket->receive_timeout_ns : socket->send_timeout_ns;
}

static u32 socket_file_ready(struct file *file)
{
	struct socket *socket = file->private;

	return socket->ops->ready(socket);
}

static long socket_file_ioctl(struct file *file, unsigned request, unsigned long argument)
{
	struct socket *socket = file->private;
	int __user *number = __force_user(int __user *, argument);
	struct file_owner *record;
	long error;
	int owner;

	switch (request) {
	case FIOSETOWN:
	case SIOCSPGRP:
		if (get_user(owner, number))
			return -EFAULT;
		if (owner == INT32_MIN)
			return -EINVAL;
		error = file_owner_get(file, &record);
		return error ? error
			     : file_owner_set(record, owner < 0 ? F_OWNER_PGRP : F_OWNER_PID,
					      owner);
	case FIOGETOWN:
	case SIOCGPGRP:
		return put_user(file_owner_number(file), number);
	default:
		error = socket->ops->ioctl ? socket->ops->ioctl(socket, request, argument)
					   : -ENOTTY;
		/* Interfaces are asked for through sockets of any family (netdevice(7)). */
		return error == -ENOTTY ? inet_ioctl(socket, request, argument) : error;
	}
}

static void socket_free(struct socket *socket)
{
	network_put(socket->network);
	slab_free(socket_cache, socket);
}

static int socket_file_map(struct file *file, struct map_request *request)
{
	struct socket *socket = file->private;

	return socket->ops->map ? socket->ops->map(socket, request) : -ENODEV;
}

static void socket_file_destroy(struct file *file)
{
	struct socket *socket = file->private;

	if (socket->ops)
		socket->ops->release(socket);
	socket_filter_release(socket);
	file->object.waiters = &file->object.own_waiters;
	socket_free(socket);
}

static const struct file_ops socket_file_ops = {
	FILE_OPS_DEFAULTS,
	.read = socket_file_read,
	.write = socket_file_write,
	.ready = socket_file_ready,
	.ioctl = socket_file_ioctl,
	.map = socket_file_map,
	.destroy = socket_file_destroy,
	.wait_limit = socket_file_wait_limit,
};

struct socket *socket_of(struct file *file)
{
	return file->ops == &socket_file_ops ? file->private : nullptr;
}

/* --- Making --- */

/* A socket in a file, without family. */
static int socket_alloc(struct network_namespace *network, int family, int type, int protocol,
			u32 flags, struct socket **out)
{
	u32 mode = FILE_MODE_STREAM | (type == SOCK_STREAM ? FILE_MODE_WRITE_ALL : 0);
	struct socket *socket = slab_alloc(socket_cache, ALLOC_ZERO);
	struct inode *inode;
	int error;

	if (!socket)
		return -ENOMEM;
	socket->family = family;
	socket->type = type;
	socket->protocol = protocol;
	socket->network = network;
	network_get(network);
	socket_options_init(socket);
	error = inode_create_anonymous("socket", S_IFSOCK | 0777, &inode);
	if (!error) {
		const struct credentials *credentials = current_credentials();

		inode->uid = credentials->fsuid;
		inode->gid = credentials->fsgid;
		error = file_create(&socket_file_ops, O_RDWR | flags, mode, inode, socket,
				    &socket->file);
		inode_put(inode);
	}
	if (error)
		socket_free(socket);
	else
		*out = socket;
	return error;
}

int socket_create(int family, int type, int protocol, u32 flags, struct socket **out)
{
	struct socket *socket;
	int error;

	if (family < 0 || family >= AF_MAX)
		return -EAFNOSUPPORT;
	if (type < 0 || type >= SOCK_TYPES)
		return -EINVAL;
	if (!families[family])
		return -EAFNOSUPPORT;
	error = socket_alloc(socket_policy_home(family, type), family, type, protocol, flags,
			     &socket);
	if (error)
		return error;
	error = families[family]->create(socket, protocol);
	if (error)
		file_put(socket->file);
	else
		*out = socket;
	return error;
}

int socket_create_like(struct socket *listener, struct socket **out)
{
	int error = socket_alloc(listener->network, listener->family, listener->type,
				 listener->protocol, 0, out);

	if (!error)
		socket_options_inherit(*out, listener);
	return error;
}

/* --- Waiting --- */

static bool nonblocking(const struct socket *socket, int flags)
{
	return (socket->file->flags & O_NONBLOCK) || (flags & MSG_DONTWAIT);
}

static u64 deadline_of(u64 timeout_ns)
{
	u64 deadline;

	if (timeout_ns == NO_DEADLINE)
		return NO_DEADLINE;
	return add_overflows(clock_monotonic_ns(), timeout_ns, &deadline) ? NO_DEADLINE : deadline;
}

/* A call that waits: its limit runs from the first wait on. */
struct socket_wait {
	u64 timeout_ns, deadline_ns;
	bool begun;
	bool at_peek_offset; /* for what is there, not for any event */
};

/* 0: try again. -EAGAIN after the time-out; a call with a time-out is not restarted (signal(7)). */
static int wait_for(struct socket *socket, u32 events, const struct socket_address *to,
		    struct socket_wait *wait)
{
	int error;

	if (!wait->begun) {
		wait->begun = true;
		wait->deadline_ns = deadline_of(wait->timeout_ns);
	}
	if (unlikely(wait->at_peek_offset))
		error = wait_event_until(socket->file->object.waiters,
					 socket->ops->peek_ready(socket), SLEEP_INTERRUPTIBLE,
					 wait->deadline_ns);
	else if (socket->ops->wait)
		error = socket->ops->wait(socket, events, to, wait->deadline_ns);
	else
		error = object_wait(&socket->file->object, events, wait->deadline_ns);
	if (error == -ETIMEDOUT)
		return -EAGAIN;
	if (error == -ERESTARTSYS && wait->timeout_ns != NO_DEADLINE)
		return -EINTR;
	return error;
}

int socket_connect(struct socket *socket, const struct socket_address *address)
{
	struct socket_wait wait = { .timeout_ns = socket->send_timeout_ns };
	int denied = socket_policy_name(socket, CAIRN_SILO_NETWORK_CONNECT, address);

	if (denied)
		return denied;
	if (!socket->ops->connect)
		return -EOPNOTSUPP;
	for (;;) {
		int error = socket->ops->connect(socket, address), waited;

		if (error != -EINPROGRESS && error != -EALREADY && error != -EAGAIN)
			return error;
		if (nonblocking(socket, 0))
			return error;
		waited = wait_for(socket, EPOLLOUT, address, &wait);
		if (waited == -EAGAIN)
			return error == -EAGAIN ? -EAGAIN : -EINPROGRESS;
		if (waited)
			return waited;
	}
}

int socket_accept(struct socket *socket, u32 flags, struct socket **out)
{
	struct socket_wait wait = { .timeout_ns = socket->receive_timeout_ns };
	int error;

	if (!socket->ops->accept)
		return -EOPNOTSUPP;
	for (;;) {
		error = socket->ops->accept(socket, out);
		if (error != -EAGAIN || nonblocking(socket, 0))
			break;
		error = wait_for(socket, EPOLLIN, nullptr, &wait);
		if (error)
			break;
	}
	if (!error)
		(*out)->file->flags |= flags & O_NONBLOCK;
	return error;
}

ssize_t socket_send(struct socket *socket, struct socket_message *message)
{
	struct socket_wait wait = { .timeout_ns = socket->send_timeout_ns };
	ssize_t total = 0, n;

	if (!socket->ops->send)
		return -EOPNOTSUPP;
	if (message->address) {
		n = socket_policy_name(socket, CAIRN_SILO_NETWORK_CONNECT, message->address);
		if (n)
			return n;
	}
	for (;;) {
		n = socket->ops->send(socket, message);
		if (likely(n >= 0)) {
			total += n;
			if (likely(!message->data->remaining || socket->type != SOCK_STREAM))
				return total;
			continue;
		}
		if (n == -EAGAIN && !nonblocking(socket, message->flags))
			n = wait_for(socket, EPOLLOUT, message->address, &wait);
		if (n == -EAGAIN)
			total += (ssize_t)message->data->taken;
		if (n)
			break;
	}
	if (n == -EPIPE && !total && socket->type == SOCK_STREAM &&
	    !(message->flags & MSG_NOSIGNAL))
		raise_sigpipe();
	return total ? total : n;
}

/* Bytes that a receive is content with (socket(7), SO_RCVLOWAT; recv(2), MSG_WAITALL). */
static size_t receive_target(const struct socket *socket, const struct socket_message *message)
{
	if (socket->type != SOCK_STREAM || (message->flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE)))
		return 1;
	if (message->flags & MSG_WAITALL)
		return message->data->remaining;
	return MIN(message->data->remaining, (size_t)socket->receive_low_water);
}

ssize_t socket_receive(struct socket *socket, struct socket_message *message)
{
	struct socket_wait wait = { .timeout_ns = socket->receive_timeout_ns,
				    .at_peek_offset =
					    socket_peek_offset(socket, message->flags) >= 0 };
	size_t target = receive_target(socket, message);
	ssize_t total = 0, n;

	if (!socket->ops->receive)
		return -EOPNOTSUPP;
	for (;;) {
		n = socket->ops->receive(socket, message);
		if (likely(n >= 0)) {
			bool ancillary = message->control && message->control->handle_count;

			total += n;
			if (n == 0 || (size_t)total >= target || ancillary)
				return total;
			continue;
		}
		/* Nobody waits for what MSG_ERRQUEUE reads. */
		if (n == -EAGAIN && !(message->flags & MSG_ERRQUEUE) &&
		    !nonblocking(socket, message->flags))
			n = wait_for(socket, EPOLLIN, nullptr, &wait);
		if (n)
			return total ? total : n;
	}
}

/* --- The calls that do not wait --- */

int socket_bind(struct socket *socket, const struct socket_address *address)
{
	int error = socket_policy_name(socket, CAIRN_SILO_NETWORK_BIND, address);

	if (error)
		return error;
	return socket->ops->bind ? socket->ops->bind(socket, address) : -EOPNOTSUPP;
}

int socket_listen(struct socket *socket, int backlog)
{
	int error = socket_policy_listen(socket);

	if (error)
		return error;
	return socket->ops->listen ? socket->ops->listen(socket, backlog) : -EOPNOTSUPP;
}

int socket_shutdown(struct socket *socket, int how)
{
	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	return socket->ops->shutdown ? socket->ops->shutdown(socket, how) : -EOPNOTSUPP;
}

int socket_name(struct socket *socket, bool peer, struct socket_address *out)
{
	return socket->ops->name ? socket->ops->name(socket, peer, out) : -EOPNOTSUPP;
}

int socket_pair(struct socket *one, struct socket *two)
{
	return one->ops->pair ? one->ops->pair(one, two) : -EOPNOTSUPP;
}

/* --- For families --- */

void socket_notify(struct socket *socket, u32 events)
{
	object_notify(&socket->file->object, events);
}

void socket_set_error(struct socket *socket, int error)
{
	__atomic_store_n(&socket->error, error, __ATOMIC_RELEASE);
	socket_notify(socket, EPOLLERR | EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM);
}

int socket_take_error(struct socket *socket)
{
	if (likely(!READ_ONCE(socket->error)))
		return 0;
	return -__atomic_exchange_n(&socket->error, 0, __ATOMIC_ACQ_REL);
}

bool socket_control_append(struct socket_control *control, int level, int type, const void *data,
			   size_t length)
{
	size_t space = CMSG_SPACE(length), size;
	struct cmsghdr *header;

	if (!control)
		return false;
	size = control->raw_length + space;
	if (size > control->raw_size) {
		void *raw = krealloc(control->raw, size + 64, 0);

		if (!raw)
			return false;
		control->raw = raw;
		control->raw_size = size + 64;
	}
	header = (struct cmsghdr *)((char *)control->raw + control->raw_length);
	memset(header, 0, space);
	*header = (struct cmsghdr){ CMSG_LEN(length), level, type };
	memcpy(CMSG_DATA(header), data, length);
	control->raw_length = size;
	return true;
}

void socket_control_release(struct socket_control *control)
{
	for (unsigned i = 0; i < control->handle_count; i++)
		if (control->handles[i].object)
			handle_drop(&control->handles[i]);
	kfree(control->handles);
	kfree(control->raw);
	control->handles = nullptr;
	control->handle_count = 0;
	control->raw = nullptr;
	control->raw_length = control->raw_size = 0;
}

void socket_init(void)
{
	socket_cache = slab_cache_create("socket", sizeof(struct socket), 0);
}
