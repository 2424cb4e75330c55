/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AF_NETLINK sockets. A request is handled within the call that sends it, and its answers wait in
 * the sender's queue; a whole dump does, because what asks for it also reads it, and the tables are
 * small. What comes unasked (notifications, messages of other programs) is limited by SO_RCVBUF and
 * dropped beyond it: the receiver learns so by -ENOBUFS.
 *
 * Lock order: a socket's read_lock (user copies), the table's lock, a socket's lock, wait queues.
 */
#include <ipc/mqueue.h>
#include <lib/errno.h>
#include <lib/list.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/device.h>
#include <net/netlink/netlink_priv.h>
#include <net/socket.h>
#include <obj/credentials.h>
#include <obj/inode.h>
#include <proc/task.h>

#include <asm/socket.h>
#include <linux/eventpoll.h>
#include <sys/socket.h>

struct spinlock netlink_sockets_lock = SPINLOCK_INIT(RANK_NET_PORTS);
struct list_head netlink_sockets = LIST_INIT(netlink_sockets);
static struct netlink_protocol *protocols[NETLINK_PROTOCOLS];

void netlink_protocol_register(struct netlink_protocol *protocol)
{
	protocols[protocol->number] = protocol;
}

u32 netlink_port(const struct netlink_socket *socket)
{
	return socket->port;
}

u32 netlink_options(const struct netlink_socket *socket)
{
	return socket->options;
}

/* --- Names --- */

static struct netlink_socket *find_port_locked(const struct network_namespace *network,
					       int protocol, u32 port)
	__must_hold(&netlink_sockets_lock)
{
	struct netlink_socket *s;

	list_for_each (s, &netlink_sockets, node)
		if (s->port == port && s->protocol->number == protocol &&
		    s->socket->network == network)
			return s;
	return nullptr;
}

/* Takes a port: the given one, or with 0 the process's number, or else any. -EADDRINUSE. */
static int take_port(struct netlink_socket *s, u32 wanted)
{
	static u32 rover = 0xfffff000; /* beyond all processes: -4096 and down */
	u32 port = wanted ? wanted : (u32)current_process()->pid;
	int error = 0;

	spin_lock(&netlink_sockets_lock);
	while (!s->port && find_port_locked(s->socket->network, s->protocol->number, port)) {
		if (wanted) {
			error = -EADDRINUSE;
			break;
		}
		port = rover--;
	}
	if (!error && !s->port)
		s->port = port;
	spin_unlock(&netlink_sockets_lock);
	return error;
}

static void set_groups(struct netlink_socket *s, u64 groups)
{
	u64 changed;

	spin_lock(&netlink_sockets_lock);
	changed = s->groups ^ groups;
	for (unsigned i = 0; i < NETLINK_GROUPS_MAX; i++)
		if (changed & 1ull << i)
			netlink_listeners[s->protocol->number][i] += groups & 1ull << i ? 1 : -1u;
	s->groups = groups;
	spin_unlock(&netlink_sockets_lock);
}

static int check_name(const struct socket_address *address, const struct sockaddr_nl **out)
{
	const struct sockaddr_nl *name = (const struct sockaddr_nl *)&address->storage;

	if (address->length < sizeof(*name) || name->nl_family != AF_NETLINK)
		return -EINVAL;
	*out = name;
	return 0;
}

static int may_listen(const struct netlink_socket *s)
{
	return s->protocol->any_may_listen || capable(CAP_NET_ADMIN) ? 0 : -EPERM;
}

static int netlink_bind(struct socket *socket, const struct socket_address *address)
{
	struct netlink_socket *s = netlink_of(socket);
	const struct sockaddr_nl *name;
	int error = check_name(address, &name);

	if (error)
		return error;
	if (name->nl_groups) {
		error = may_listen(s);
		if (error)
			return error;
	}
	if (s->port && name->nl_pid && name->nl_pid != s->port)
		return -EINVAL;
	error = s->port ? 0 : take_port(s, name->nl_pid);
	if (!error)
		set_groups(s, (s->groups & ~0xffffffffull) | name->nl_groups);
	return error;
}

static int netlink_connect(struct socket *socket, const struct socket_address *address)
{
	struct netlink_socket *s = netlink_of(socket);
	const struct sockaddr_nl *name;
	int error;

	if (address->length >= sizeof(address->family) && address->family == AF_UNSPEC) {
		s->peer_port = s->peer_groups = 0;
		return 0;
	}
	error = check_name(address, &name);
	if (error)
		return error;
	if ((name->nl_groups || name->nl_pid) && !s->protocol->any_may_send &&
	    !capable(CAP_NET_ADMIN))
		return -EPERM;
	error = s->port ? 0 : take_port(s, 0);
	if (!error) {
		s->peer_port = name->nl_pid;
		s->peer_groups = name->nl_groups;
	}
	return error;
}

static int netlink_name(struct socket *socket, bool peer, struct socket_address *out)
{
	const struct netlink_socket *s = netlink_of(socket);
	struct sockaddr_nl *name = (struct sockaddr_nl *)&out->storage;

	*name = (struct sockaddr_nl){ .nl_family = AF_NETLINK,
				      .nl_pid = peer ? s->peer_port : s->port,
				      .nl_groups = peer ? s->peer_groups : (u32)s->groups };
	out->length = sizeof(*name);
	return 0;
}

/* --- Sending --- */

struct destination {
	u32 port, group; /* 0: the kernel; a group number, 0: none */
};

static int find_destination(struct netlink_socket *s, const struct socket_message *message,
			    struct destination *out)
{
	const struct sockaddr_nl *name;
	u32 groups = s->peer_groups;

	out->port = s->peer_port;
	if (message->address) {
		int error = check_name(message->address, &name);

		if (error)
			return error;
		out->port = name->nl_pid;
		groups = name->nl_groups;
		if ((groups || out->port) && !s->protocol->any_may_send && !capable(CAP_NET_ADMIN))
			return -EPERM;
	}
	out->group = groups ? (u32)__builtin_ctz(groups) + 1 : 0;
	return s->port ? 0 : take_port(s, 0);
}

/* To another program. Takes the datagram. */
static int send_to_port(struct netlink_socket *s, u32 port, struct netlink_datagram *d)
{
	struct netlink_socket *to;
	int error = -ECONNREFUSED;

	spin_lock(&netlink_sockets_lock);
	to = find_port_locked(s->socket->network, s->protocol->number, port);
	if (to)
		error = netlink_append(to, d, true) ? 0 : -EAGAIN;
	spin_unlock(&netlink_sockets_lock);
	if (error)
		kvfree(d);
	return error == -EAGAIN ? -ENOBUFS : error;
}

static int deliver(struct netlink_socket *s, const struct destination *to,
		   struct netlink_datagram *d)
{
	int error = 0;

	if (to->group) {
		d->groups = 1u << (to->group - 1);
		netlink_broadcast_copies(s->socket->network, s->protocol->number, to->group, d, s);
		d->groups = 0;
	}
	if (to->port)
		return send_to_port(s, to->port, d);
	if (s->protocol->request)
		netlink_dispatch(s, s->socket->network, s->protocol, d->data, d->length);
	else if (!to->group)
		error = -ECONNREFUSED;
	kvfree(d);
	return error;
}

static ssize_t netlink_send(struct socket *socket, struct socket_message *message)
{
	struct netlink_socket *s = netlink_of(socket);
	size_t size = message->data->remaining;
	struct netlink_datagram *d;
	struct destination to;
	int error;

	if (message->flags & MSG_OOB)
		return -EOPNOTSUPP;
	error = find_destination(s, message, &to);
	if (error)
		return error;
	if (size > (size_t)socket->send_buffer - 32)
		return -EMSGSIZE;
	d = kvmalloc(sizeof(*d) + size, ALLOC_USER);
	if (!d)
		return -ENOBUFS;
	*d = (struct netlink_datagram){ .length = (u32)size, .port = s->port };
	if (iter_copy_from(message->data, d->data, size) < size) {
		kvfree(d);
		return -EFAULT;
	}
	if (message->control && message->control->has_credentials) {
		d->pid = message->control->pid;
		d->uid = message->control->uid;
		d->gid = message->control->gid;
	} else {
		d->pid = current_process()->pid;
		d->uid = current_credentials()->euid;
		d->gid = current_credentials()->egid;
	}
	error = deliver(s, &to, d);
	return error ? error : (ssize_t)size;
}

/* --- Options --- */

static int change_membership(struct netlink_socket *s, u32 group, bool join)
{
	int error = may_listen(s);

	if (error)
		return error;
	if (!group || group > MAX(s->protocol->groups, 32u) || group > NETLINK_GROUPS_MAX)
		return -EINVAL;
	set_groups(s, join ? s->groups | 1ull << (group - 1) : s->groups & ~(1ull << (group - 1)));
	return 0;
}

static int netlink_set_option(struct socket *socket, int level, int option, const void *value,
			      size_t length)
{
	struct netlink_socket *s = netlink_of(socket);
	u32 number = 0;

	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	if (length >= sizeof(number))
		memcpy(&number, value, sizeof(number));
	switch (option) {
	case NETLINK_ADD_MEMBERSHIP:
	case NETLINK_DROP_MEMBERSHIP:
		return change_membership(s, number, option == NETLINK_ADD_MEMBERSHIP);
	case NETLINK_PKTINFO:
	case NETLINK_BROADCAST_ERROR:
	case NETLINK_NO_ENOBUFS:
	case NETLINK_LISTEN_ALL_NSID:
	case NETLINK_CAP_ACK:
	case NETLINK_EXT_ACK:
	case NETLINK_GET_STRICT_CHK:
		if (length < sizeof(number))
			return -EINVAL;
		if (number)
			s->options |= 1u << option;
		else
			s->options &= ~(1u << option);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int netlink_get_option(struct socket *socket, int level, int option, void *value,
			      size_t *length)
{
	const struct netlink_socket *s = netlink_of(socket);
	u32 number;

	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	switch (option) {
	case NETLINK_LIST_MEMBERSHIPS: {
		u32 groups[NETLINK_GROUPS_MAX / 32] = { (u32)s->groups, (u32)(s->groups >> 32) };

		memcpy(value, groups, MIN(*length & ~3ul, sizeof(groups)));
		*length = sizeof(groups);
		return 0;
	}
	case NETLINK_PKTINFO:
	case NETLINK_BROADCAST_ERROR:
	case NETLINK_NO_ENOBUFS:
	case NETLINK_CAP_ACK:
	case NETLINK_EXT_ACK:
	case NETLINK_GET_STRICT_CHK:
		if (*length < sizeof(number))
			return -EINVAL;
		number = (s->options & 1u << option) != 0;
		memcpy(value, &number, sizeof(number));
		*length = sizeof(number);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* --- Life --- */

static void netlink_release(struct socket *socket)
{
	struct netlink_socket *s = netlink_of(socket);
	struct netlink_datagram *d;

	set_groups(s, 0);
	spin_lock(&netlink_sockets_lock);
	list_remove(&s->node);
	spin_unlock(&netlink_sockets_lock);
	while ((d = s->head)) {
		s->head = d->next;
		kvfree(d);
	}
	kfree(s);
}

static const struct socket_ops netlink_ops = {
	.family = AF_NETLINK,
	.bind = netlink_bind,
	.connect = netlink_connect,
	.name = netlink_name,
	.send = netlink_send,
	.receive = netlink_receive,
	.set_option = netlink_set_option,
	.get_option = netlink_get_option,
	.ready = netlink_ready,
	.release = netlink_release,
};

static int netlink_create(struct socket *socket, int protocol)
{
	struct netlink_socket *s;

	if (socket->type != SOCK_RAW && socket->type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	if (protocol < 0 || protocol >= NETLINK_PROTOCOLS || !protocols[protocol])
		return -EPROTONOSUPPORT;
	s = kzalloc(sizeof(*s), ALLOC_USER);
	if (!s)
		return -ENOMEM;
	s->socket = socket;
	s->protocol = protocols[protocol];
	mutex_init(&s->read_lock, RANK_PIPE);
	spin_init(&s->lock, RANK_NET_SOCKET);
	socket->private = s;
	socket->ops = &netlink_ops;
	spin_lock(&netlink_sockets_lock);
	list_add_tail(&netlink_sockets, &s->node);
	spin_unlock(&netlink_sockets_lock);
	return 0;
}

void netlink_for_each(const struct network_namespace *network,
		      bool (*visit)(const struct netlink_description *socket, void *arg), void *arg)
{
	struct netlink_socket *s;

	spin_lock(&netlink_sockets_lock);
	list_for_each (s, &netlink_sockets, node) {
		struct netlink_description description = {
			.protocol = s->protocol->number,
			.port = s->port,
			.groups = (u32)s->groups,
			.refs = 2,
			.queued = s->queued,
			.inode = s->socket->file->inode->number,
		};

		if (s->port && s->socket->network == network && !visit(&description, arg))
			break;
	}
	spin_unlock(&netlink_sockets_lock);
}

static struct socket_family netlink_family = { .family = AF_NETLINK,
					       .name = "NETLINK",
					       .create = netlink_create };

static bool is_netlink(struct file *file)
{
	struct socket *socket = socket_of(file);

	return socket && socket->ops == &netlink_ops;
}

static void tell_reader(struct file *file, const void *data, size_t size)
{
	struct netlink_datagram *d = netlink_datagram_create(data, size);

	if (d)
		(void)netlink_append(netlink_of(socket_of(file)), d, true);
}

static const struct mqueue_socket_ops mqueue_ops = { is_netlink, tell_reader };

void netlink_init(void)
{
	mqueue_socket = &mqueue_ops;
	socket_family_register(&netlink_family);
}
