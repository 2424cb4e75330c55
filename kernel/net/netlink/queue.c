/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AF_NETLINK: datagrams on their way to sockets, to one or to the members of a group, and from there to programs. */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/filter.h>
#include <net/netlink/netlink_priv.h>

#include <linux/eventpoll.h>
#include <sys/socket.h>

u32 netlink_listeners[NETLINK_PROTOCOLS][NETLINK_GROUPS_MAX];

struct netlink_datagram *netlink_datagram_create(const void *data, size_t size)
{
	struct netlink_datagram *d = kvmalloc(sizeof(*d) + size, ALLOC_USER);

	if (!d)
		return nullptr;
	*d = (struct netlink_datagram){ .length = (u32)size };
	memcpy(d->data, data, size);
	return d;
}

bool netlink_append(struct netlink_socket *to, struct netlink_datagram *d, bool limited)
{
	bool full;

	if (unlikely(to->socket->filter) &&
	    !socket_filter_cut_message(to->socket, d->data, &d->length)) {
		kvfree(d);
		return true;
	}
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
	struct netlink_datagram *d = netlink_datagram_create(data, size);

	if (!d)
		return -ENOMEM;
	(void)netlink_append(to, d, false);
	return 0;
}

void netlink_broadcast_copies(struct network_namespace *network, int protocol, unsigned group,
			      const struct netlink_datagram *d, const struct netlink_socket *except)
{
	struct netlink_socket *s;

	spin_lock(&netlink_sockets_lock);
	list_for_each (s, &netlink_sockets, node) {
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
		if (!netlink_append(s, copy, true))
			kfree(copy);
	}
	spin_unlock(&netlink_sockets_lock);
}

bool netlink_has_listeners(int protocol, unsigned group)
{
	return READ_ONCE(netlink_listeners[protocol][group - 1]) != 0;
}

void netlink_broadcast(struct network_namespace *network, int protocol, unsigned group,
		       const void *data, size_t size)
{
	struct netlink_datagram *d;

	if (!netlink_has_listeners(protocol, group))
		return;
	d = netlink_datagram_create(data, size);
	if (!d)
		return;
	d->groups = group <= 32 ? 1u << (group - 1) : 0;
	netlink_broadcast_copies(network, protocol, group, d, nullptr);
	kvfree(d);
}

void netlink_notify(struct network_namespace *network, int protocol, unsigned group,
		    struct netlink_writer *w)
{
	if (!w->error)
		netlink_broadcast(network, protocol, group, w->data, w->used);
	kfree(w->data);
}

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

ssize_t netlink_receive(struct socket *socket, struct socket_message *message)
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

u32 netlink_ready(struct socket *socket)
{
	const struct netlink_socket *s = netlink_of(socket);

	return EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND |
	       (READ_ONCE(s->head) ? EPOLLIN | EPOLLRDNORM : 0) |
	       (READ_ONCE(s->overrun) ? EPOLLERR | EPOLLIN : 0);
}
