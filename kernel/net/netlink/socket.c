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

#define GROUPS_MAX 64
#define PROTOCOLS 23 /* as Linux has names for */

struct netlink_datagram {
	struct netlink_datagram *next;
	u32 length;
	u32 port, groups; /* of the sender; the group as a mask */
	int pid;
	u32 uid, gid;
	u8 data[];
};

struct netlink_socket {
	struct socket *socket;
	const struct netlink_protocol *protocol;
	struct list_head node;		      /* in sockets; sockets_lock */
	struct mutex read_lock;		      /* RANK_PIPE */
	struct spinlock lock;		      /* RANK_NET_SOCKET */
	struct netlink_datagram *head, *tail; /* appended under lock, taken under both */
	u32 queued;			      /* bytes; under lock */
	u32 port;			      /* 0: not bound; sockets_lock */
	u32 peer_port, peer_groups;	      /* connect(2) */
	u64 groups;			      /* member of; sockets_lock */
	u32 options;			      /* BIT(NETLINK_...) */
	bool overrun;			      /* -ENOBUFS was not yet told */
};

static struct spinlock sockets_lock = SPINLOCK_INIT(RANK_NET_PORTS);
static struct list_head sockets __guarded_by(&sockets_lock) = LIST_INIT(sockets);
static struct netlink_protocol *protocols[PROTOCOLS];
static u32 listeners[PROTOCOLS][GROUPS_MAX]; /* members; written under sockets_lock */

void netlink_protocol_register(struct netlink_protocol *protocol)
{
	protocols[protocol->number] = protocol;
}

static struct netlink_socket *netlink_of(const struct socket *socket)
{
	return socket->private;
}

u32 netlink_port(const struct netlink_socket *socket)
{
	return socket->port;
}

u32 netlink_options(const struct netlink_socket *socket)
{
	return socket->options;
}

/* --- Queues --- */

static struct netlink_datagram *datagram_create(const void *data, size_t size)
{
	struct netlink_datagram *d = kvmalloc(sizeof(*d) + size, ALLOC_USER);

	if (!d)
		return nullptr;
	*d = (struct netlink_datagram){ .length = (u32)size };
	memcpy(d->data, data, size);
	return d;
}

/* Takes the datagram. False: no room (it is freed). */
static bool append(struct netlink_socket *to, struct netlink_datagram *d, bool limited)
{
	bool full;

	spin_lock(&to->lock);
	full = limited && to->queued + d->length > to->socket->receive_buffer;
	if (full) {
		if (!(to->options & BIT(NETLINK_NO_ENOBUFS)))
			WRITE_ONCE(to->overrun, true);
	} else {
		if (to->tail)
			to->tail->next = d;
		else
			__atomic_store_n(&to->head, d, __ATOMIC_RELEASE);
		to->tail = d;
		to->queued += d->length;
	}
	spin_unlock(&to->lock);
	socket_notify(to->socket, full ? EPOLLERR | EPOLLIN : EPOLLIN | EPOLLRDNORM);
	return !full;
}

int netlink_unicast(struct netlink_socket *to, const void *data, size_t size)
{
	struct netlink_datagram *d = datagram_create(data, size);

	if (!d)
		return -ENOMEM;
	append(to, d, false);
	return 0;
}

/* Copies of `d` to the members of its group; the copy for each is made without sleeping. */
static void broadcast(struct network_namespace *network, int protocol, unsigned group,
		      const struct netlink_datagram *d, const struct netlink_socket *except)
{
	struct netlink_socket *s;

	spin_lock(&sockets_lock);
	list_for_each (s, &sockets, node) {
		struct netlink_datagram *copy;

		if (s == except || s->protocol->number != protocol ||
		    s->socket->network != network || !(s->groups & 1ull << (group - 1)))
			continue;
		copy = kmalloc(sizeof(*copy) + d->length, ALLOC_ATOMIC);
		if (!copy) {
			WRITE_ONCE(s->overrun, true);
			continue;
		}
		memcpy(copy, d, sizeof(*d) + d->length);
		if (!append(s, copy, true))
			kfree(copy);
	}
	spin_unlock(&sockets_lock);
}

bool netlink_has_listeners(int protocol, unsigned group)
{
	return READ_ONCE(listeners[protocol][group - 1]) != 0;
}

void netlink_broadcast(struct network_namespace *network, int protocol, unsigned group,
		       const void *data, size_t size)
{
	struct netlink_datagram *d;

	if (!netlink_has_listeners(protocol, group))
		return;
	d = datagram_create(data, size);
	if (!d)
		return;
	d->groups = group <= 32 ? 1u << (group - 1) : 0;
	broadcast(network, protocol, group, d, nullptr);
	kvfree(d);
}

void netlink_notify(struct network_namespace *network, int protocol, unsigned group,
		    struct netlink_writer *w)
{
	if (!w->error)
		netlink_broadcast(network, protocol, group, w->data, w->used);
	kfree(w->data);
}

/* --- Names --- */

static struct netlink_socket *find_port_locked(const struct network_namespace *network,
					       int protocol, u32 port) __must_hold(&sockets_lock)
{
	struct netlink_socket *s;

	list_for_each (s, &sockets, node)
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

	spin_lock(&sockets_lock);
	while (!s->port && find_port_locked(s->socket->network, s->protocol->number, port)) {
		if (wanted) {
			error = -EADDRINUSE;
			break;
		}
		port = rover--;
	}
	if (!error && !s->port)
		s->port = port;
	spin_unlock(&sockets_lock);
	return error;
}

static void set_groups(struct netlink_socket *s, u64 groups)
{
	u64 changed;

	spin_lock(&sockets_lock);
	changed = s->groups ^ groups;
	for (unsigned i = 0; i < GROUPS_MAX; i++)
		if (changed & 1ull << i)
			listeners[s->protocol->number][i] += groups & 1ull << i ? 1 : -1u;
	s->groups = groups;
	spin_unlock(&sockets_lock);
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

	spin_lock(&sockets_lock);
	to = find_port_locked(s->socket->network, s->protocol->number, port);
	if (to)
		error = append(to, d, true) ? 0 : -EAGAIN;
	spin_unlock(&sockets_lock);
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
		broadcast(s->socket->network, s->protocol->number, to->group, d, s);
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

/* --- Receiving --- */

static void take(struct netlink_socket *s, struct netlink_datagram *d)
{
	spin_lock(&s->lock);
	s->head = d->next;
	if (!s->head)
		s->tail = nullptr;
	s->queued -= d->length;
	spin_unlock(&s->lock);
}

static void tell_sender(struct netlink_socket *s, const struct netlink_datagram *d,
			struct socket_message *message)
{
	if (message->address) {
		struct sockaddr_nl *name = (struct sockaddr_nl *)&message->address->storage;

		*name = (struct sockaddr_nl){ .nl_family = AF_NETLINK,
					      .nl_pid = d->port,
					      .nl_groups = d->groups };
		message->address->length = sizeof(*name);
	}
	if (!message->control)
		return;
	message->control->pid = d->pid;
	message->control->uid = d->uid;
	message->control->gid = d->gid;
	if (s->options & BIT(NETLINK_PKTINFO)) {
		struct nl_pktinfo info = { .group = d->groups ? (u32)__builtin_ctz(d->groups) + 1
							      : 0 };

		if (!socket_control_append(message->control, SOL_NETLINK, NETLINK_PKTINFO, &info,
					   sizeof(info)))
			message->flags_result |= MSG_CTRUNC;
	}
}

static ssize_t receive_locked(struct netlink_socket *s, struct socket_message *message)
	__must_hold(&s->read_lock)
{
	struct netlink_datagram *d = __atomic_load_n(&s->head, __ATOMIC_ACQUIRE);
	size_t wanted, n;

	if (!d)
		return -EAGAIN;
	wanted = MIN((size_t)d->length, message->data->remaining);
	n = iter_copy_to(message->data, d->data, wanted);
	if (n < wanted)
		return -EFAULT;
	tell_sender(s, d, message);
	if (n < d->length)
		message->flags_result |= MSG_TRUNC;
	if (message->flags & MSG_TRUNC)
		n = d->length;
	if (!(message->flags & MSG_PEEK)) {
		take(s, d);
		kvfree(d);
	}
	return (ssize_t)n;
}

static ssize_t netlink_receive(struct socket *socket, struct socket_message *message)
{
	struct netlink_socket *s = netlink_of(socket);
	ssize_t n;

	if (message->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (unlikely(__atomic_exchange_n(&s->overrun, false, __ATOMIC_RELAXED)))
		return -ENOBUFS;
	mutex_lock(&s->read_lock);
	n = receive_locked(s, message);
	mutex_unlock(&s->read_lock);
	return n;
}

static u32 netlink_ready(struct socket *socket)
{
	const struct netlink_socket *s = netlink_of(socket);

	return EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND |
	       (READ_ONCE(s->head) ? EPOLLIN | EPOLLRDNORM : 0) |
	       (READ_ONCE(s->overrun) ? EPOLLERR | EPOLLIN : 0);
}

/* --- Options --- */

static int change_membership(struct netlink_socket *s, u32 group, bool join)
{
	int error = may_listen(s);

	if (error)
		return error;
	if (!group || group > MAX(s->protocol->groups, 32u) || group > GROUPS_MAX)
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
		u32 groups[GROUPS_MAX / 32] = { (u32)s->groups, (u32)(s->groups >> 32) };

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
	spin_lock(&sockets_lock);
	list_remove(&s->node);
	spin_unlock(&sockets_lock);
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
	if (protocol < 0 || protocol >= PROTOCOLS || !protocols[protocol])
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
	spin_lock(&sockets_lock);
	list_add_tail(&sockets, &s->node);
	spin_unlock(&sockets_lock);
	return 0;
}

void netlink_for_each(const struct network_namespace *network,
		      bool (*visit)(const struct netlink_description *socket, void *arg), void *arg)
{
	struct netlink_socket *s;

	spin_lock(&sockets_lock);
	list_for_each (s, &sockets, node) {
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
	spin_unlock(&sockets_lock);
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
	struct netlink_datagram *d = datagram_create(data, size);

	if (d)
		append(netlink_of(socket_of(file)), d, true);
}

static const struct mqueue_socket_ops mqueue_ops = { is_netlink, tell_reader };

void netlink_init(void)
{
	mqueue_socket = &mqueue_ops;
	socket_family_register(&netlink_family);
}
