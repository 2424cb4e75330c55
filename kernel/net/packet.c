/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AF_PACKET sockets (packet(7)): they see what devices receive and send, and send past all
 * protocols.
 *
 * The list of sockets is read under RCU by the tap, which runs with each packet of a device that has
 * taps; a socket leaves the list and lets a grace period pass before it goes. Each gets a clone of the
 * packet: bytes in pages are shared.
 */
#include <core/rcu.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/byte_order.h>
#include <net/device.h>
#include <net/filter.h>
#include <net/packet.h>
#include <net/socket.h>
#include <obj/credentials.h>
#include <obj/inode.h>

#include <asm/socket.h>
#include <linux/eventpoll.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

struct membership {
	struct membership *next;
	int index;
	u16 type;
	u32 count;
};

struct packet_socket {
	struct packet_socket *next; /* RCU; changed under list_lock */
	struct socket *socket;
	struct spinlock lock; /* RANK_NET_DEVICE */
	struct packet_queue queue __guarded_by(&lock);
	u32 queued;	       /* bytes of memory; under lock */
	u32 received, dropped; /* PACKET_STATISTICS; under lock */
	u16 protocol;	       /* ETH_P_*, host order; 0: nothing */
	int index;	       /* device; 0: all */
	bool auxiliary;	       /* PACKET_AUXDATA */
	bool tapping;
	u32 uid;
	struct membership *memberships; /* under network->config */
};

static struct mutex list_lock = MUTEX_INIT(RANK_PIPE);
static struct packet_socket *packet_sockets;

static struct packet_socket *packet_of(const struct socket *socket)
{
	return socket->private;
}

/* --- What devices see --- */

static bool wants(const struct packet_socket *s, const struct net_device *device, u16 protocol,
		  bool outgoing)
{
	u16 wanted = READ_ONCE(s->protocol);

	if (s->socket->network != device->network || (s->index && s->index != device->index))
		return false;
	return wanted == ETH_P_ALL || (wanted && !outgoing && wanted == protocol);
}

/* Takes the packet. */
static void enqueue(struct packet_socket *s, struct packet *packet)
{
	u32 memory = packet_memory(packet);
	bool full;

	spin_lock(&s->lock);
	full = s->queued + memory > s->socket->receive_buffer;
	if (full) {
		s->dropped++;
	} else {
		s->received++;
		s->queued += memory;
		packet_queue_add(&s->queue, packet);
	}
	spin_unlock(&s->lock);
	if (full)
		packet_free(packet);
	else
		socket_notify(s->socket, EPOLLIN | EPOLLRDNORM);
}

static void deliver(struct packet_socket *s, struct packet *packet, unsigned header, bool outgoing)
{
	struct packet *copy = packet_clone(packet);
	u32 length;

	if (!copy)
		return;
	copy->device = packet->device;
	copy->link_header = (u16)packet_headroom(copy);
	copy->network_header = (u16)(copy->link_header + header);
	copy->kind = outgoing ? PACKET_OUTGOING : packet->kind;
	copy->checksum = packet->checksum;
	if (s->socket->type == SOCK_DGRAM)
		packet_pull(copy, header);
	length = socket_filter_run(s->socket, copy);
	if (!length) {
		packet_free(copy);
		return;
	}
	copy->control[1] = copy->length; /* what there was before the filter cut it */
	if (length < copy->length)
		packet_trim(copy, length);
	copy->control[0] = (u64)(u32)packet->device->index | (u64)packet->device->type << 32;
	enqueue(s, copy);
}

static void packet_tap(struct net_device *device, struct packet *packet, bool outgoing)
{
	unsigned header = device->header_length;
	u16 protocol = packet->protocol;

	if (header == ETH_HLEN && packet->linear >= ETH_HLEN)
		protocol = load_net16(packet->data + 12);
	rcu_read_lock();
	for (struct packet_socket *s = rcu_dereference(packet_sockets); s;
	     s = rcu_dereference(s->next))
		if (wants(s, device, protocol, outgoing)) {
			u16 before = packet->protocol;

			packet->protocol = protocol;
			deliver(s, packet, MIN(header, packet->length), outgoing);
			packet->protocol = before;
		}
	rcu_read_unlock();
}

/* Counts the socket in or out at the devices that it listens to. */
static void count_taps(struct packet_socket *s, u32 step)
{
	rcu_read_lock();
	for (struct net_device *d = rcu_dereference(s->socket->network->devices); d;
	     d = rcu_dereference(d->next))
		if (!s->index || s->index == d->index)
			__atomic_fetch_add(&d->taps, step, __ATOMIC_RELAXED);
	rcu_read_unlock();
}

/* A device came: those that listen to all devices of its name space listen to it. */
static void count_taps_of(struct net_device *device)
{
	u32 taps = 0;

	mutex_lock(&list_lock);
	for (const struct packet_socket *s = packet_sockets; s; s = s->next)
		if (s->tapping && s->socket->network == device->network &&
		    (!s->index || s->index == device->index))
			taps++;
	__atomic_store_n(&device->taps, taps, __ATOMIC_RELAXED);
	mutex_unlock(&list_lock);
}

static void listen_to(struct packet_socket *s, int index, u16 protocol)
{
	if (s->tapping)
		count_taps(s, -1u);
	WRITE_ONCE(s->protocol, 0);
	s->index = index;
	s->tapping = protocol != 0;
	if (s->tapping)
		count_taps(s, 1);
	WRITE_ONCE(s->protocol, protocol);
}

/* --- Calls --- */

static int packet_bind(struct socket *socket, const struct socket_address *address)
{
	const struct sockaddr_ll *name = (const struct sockaddr_ll *)&address->storage;
	struct packet_socket *s = packet_of(socket);
	bool exists;

	if (address->length < sizeof(*name) || name->sll_family != AF_PACKET)
		return -EINVAL;
	rcu_read_lock();
	exists = !name->sll_ifindex || net_device_find(socket->network, name->sll_ifindex);
	rcu_read_unlock();
	if (!exists)
		return -ENODEV;
	mutex_lock(&list_lock);
	listen_to(s, name->sll_ifindex,
		  name->sll_protocol ? net16(name->sll_protocol) : s->protocol);
	mutex_unlock(&list_lock);
	return 0;
}

static int packet_name(struct socket *socket, bool peer, struct socket_address *out)
{
	struct sockaddr_ll *name = (struct sockaddr_ll *)&out->storage;
	const struct packet_socket *s = packet_of(socket);
	const struct net_device *device;

	if (peer)
		return -EOPNOTSUPP;
	*name = (struct sockaddr_ll){ .sll_family = AF_PACKET,
				      .sll_protocol = net16(s->protocol),
				      .sll_ifindex = s->index };
	rcu_read_lock();
	device = s->index ? net_device_find(socket->network, s->index) : nullptr;
	if (device) {
		name->sll_hatype = device->type;
		name->sll_halen = device->address_length;
		memcpy(name->sll_addr, device->address, sizeof(name->sll_addr));
	}
	rcu_read_unlock();
	out->length = offsetof(struct sockaddr_ll, sll_addr) + MAX(name->sll_halen, (u8)0);
	return 0;
}

struct send_target {
	int index;
	u16 protocol;
	u8 address[8];
	unsigned header; /* what SOCK_DGRAM puts in front */
};

static int find_target(struct socket *socket, const struct socket_message *message,
		       struct send_target *out)
{
	const struct packet_socket *s = packet_of(socket);
	const struct net_device *device;
	size_t limit;
	int error = 0;

	*out = (struct send_target){ .index = s->index, .protocol = s->protocol };
	if (message->address) {
		const struct sockaddr_ll *to =
			(const struct sockaddr_ll *)&message->address->storage;

		if (message->address->length < offsetof(struct sockaddr_ll, sll_addr) ||
		    to->sll_family != AF_PACKET)
			return -EINVAL;
		out->index = to->sll_ifindex;
		out->protocol = net16(to->sll_protocol);
		memcpy(out->address, to->sll_addr,
		       MIN(sizeof(out->address), (size_t)message->address->length -
							 offsetof(struct sockaddr_ll, sll_addr)));
	}
	rcu_read_lock();
	device = net_device_find(socket->network, out->index);
	if (!device) {
		error = -ENXIO;
	} else if (!(device->flags & IFF_UP)) {
		error = -ENETDOWN;
	} else {
		limit = device->mtu;
		if (socket->type == SOCK_RAW)
			limit += device->header_length;
		else
			out->header = device->header_length;
		if (message->data->remaining > limit)
			error = -EMSGSIZE;
		else if (socket->type == SOCK_RAW &&
			 message->data->remaining < device->header_length)
			error = -EINVAL;
	}
	rcu_read_unlock();
	return error;
}

static int fill(struct packet *packet, struct iter *it)
{
	size_t linear = MIN((size_t)packet_tailroom(packet), it->remaining);

	if (iter_copy_from(it, packet_append(packet, (unsigned)linear), linear) < linear)
		return -EFAULT;
	return it->remaining ? packet_append_iter(packet, it, it->remaining) : 0;
}

static void put_header(struct packet *packet, const struct net_device *device,
		       const struct send_target *to)
{
	u8 *header;

	if (to->header != ETH_HLEN)
		return;
	header = packet_push(packet, ETH_HLEN);
	memcpy(header, to->address, ETH_ALEN);
	memcpy(header + ETH_ALEN, device->address, ETH_ALEN);
	store_net16(header + 12, to->protocol);
}

static ssize_t packet_send(struct socket *socket, struct socket_message *message)
{
	size_t size = message->data->remaining;
	struct net_device *device;
	struct send_target to;
	struct packet *packet;
	int error = find_target(socket, message, &to);

	if (error)
		return error;
	packet = packet_alloc();
	if (!packet)
		return -ENOBUFS;
	error = fill(packet, message->data);
	if (error) {
		packet_free(packet);
		return error;
	}
	rcu_read_lock();
	device = net_device_find(socket->network, to.index);
	if (device) {
		put_header(packet, device, &to);
		packet->link_header = (u16)packet_headroom(packet);
		packet->network_header = (u16)(packet->link_header + device->header_length);
		packet->protocol = to.protocol;
		if (device->header_length == ETH_HLEN)
			packet->protocol = load_net16(packet->data + 12);
		packet->device = device;
		net_device_transmit(device, packet);
	} else {
		packet_free(packet);
	}
	rcu_read_unlock();
	return device ? (ssize_t)size : -ENXIO;
}

static void tell_sender(const struct packet *packet, struct socket_address *out)
{
	struct sockaddr_ll *name = (struct sockaddr_ll *)&out->storage;
	const u8 *link = packet->room + packet->link_header;

	*name = (struct sockaddr_ll){ .sll_family = AF_PACKET,
				      .sll_protocol = net16(packet->protocol),
				      .sll_ifindex = (int)(u32)packet->control[0],
				      .sll_hatype = (u16)(packet->control[0] >> 32),
				      .sll_pkttype = packet->kind };
	if (packet->network_header - packet->link_header == ETH_HLEN) {
		name->sll_halen = ETH_ALEN;
		memcpy(name->sll_addr, link + ETH_ALEN, ETH_ALEN);
	}
	out->length = sizeof(*name);
}

static void tell_auxiliary(const struct packet *packet, struct socket_message *message)
{
	struct tpacket_auxdata data = {
		.tp_status = TP_STATUS_USER,
		.tp_len = (u32)packet->control[1],
		.tp_snaplen = packet->length,
		.tp_net = (u16)(packet->network_header - packet_headroom(packet)),
	};

	if (packet->checksum == CHECKSUM_PARTIAL)
		data.tp_status |= TP_STATUS_CSUMNOTREADY;
	else if (packet->checksum == CHECKSUM_VERIFIED)
		data.tp_status |= TP_STATUS_CSUM_VALID;
	if (!socket_control_append(message->control, SOL_PACKET, PACKET_AUXDATA, &data,
				   sizeof(data)))
		message->flags_result |= MSG_CTRUNC;
}

static struct packet *take_packet(struct packet_socket *s)
{
	struct packet *packet;

	spin_lock(&s->lock);
	packet = packet_queue_take(&s->queue);
	if (packet)
		s->queued -= packet_memory(packet);
	spin_unlock(&s->lock);
	return packet;
}

/* MSG_PEEK, or a fault: the packet is the first one again. */
static void put_back(struct packet_socket *s, struct packet *packet)
{
	spin_lock(&s->lock);
	packet->next = s->queue.head;
	s->queue.head = packet;
	if (!s->queue.tail)
		s->queue.tail = packet;
	s->queue.count++;
	s->queued += packet_memory(packet);
	spin_unlock(&s->lock);
}

static ssize_t packet_receive(struct socket *socket, struct socket_message *message)
{
	struct packet_socket *s = packet_of(socket);
	struct packet *packet;
	size_t wanted, n;
	int error = socket_take_error(socket);

	if (error)
		return error;
	if (message->flags & MSG_OOB)
		return -EINVAL;
	packet = take_packet(s);
	if (!packet)
		return -EAGAIN;
	wanted = MIN((size_t)packet->length, message->data->remaining);
	n = packet_copy_to_iter(packet, 0, message->data, wanted);
	if (n < wanted)
		error = -EFAULT;
	if (wanted < packet->length)
		message->flags_result |= MSG_TRUNC;
	if (message->address)
		tell_sender(packet, message->address);
	if (s->auxiliary && message->control)
		tell_auxiliary(packet, message);
	if (message->flags & MSG_TRUNC)
		n = packet->length;
	if (message->flags & MSG_PEEK)
		put_back(s, packet);
	else
		packet_free(packet);
	return error ? error : (ssize_t)n;
}

static u32 packet_ready(struct socket *socket)
{
	struct packet_socket *s = packet_of(socket);
	u32 events = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;

	if (READ_ONCE(s->queued))
		events |= EPOLLIN | EPOLLRDNORM;
	return READ_ONCE(socket->error) ? events | EPOLLERR : events;
}

/* --- Options --- */

/* Promiscuous and all-multicast mode follow from how many ask for them. */
static int apply_mode(struct net_device *device, u16 type, bool on)
	__must_hold(&device->network->config)
{
	u32 flag = type == PACKET_MR_PROMISC	? IFF_PROMISC
		   : type == PACKET_MR_ALLMULTI ? IFF_ALLMULTI
						: 0;

	return flag ? net_device_set_flags(device, on ? flag : 0, flag) : 0;
}

static int change_membership(struct packet_socket *s, const struct packet_mreq *request, bool join)
	__no_lock_analysis /* config of the device's network is that of the socket's */
{
	struct network_namespace *network = s->socket->network;
	struct net_device *device;
	struct membership *m, **link;
	int error = 0;

	mutex_lock(&network->config);
	for (link = &s->memberships; (m = *link); link = &m->next)
		if (m->index == request->mr_ifindex && m->type == request->mr_type)
			break;
	device = net_device_find(network, request->mr_ifindex);
	if (join && !device) {
		error = -ENODEV;
	} else if (join && m) {
		m->count++;
	} else if (join) {
		m = kzalloc(sizeof(*m), 0);
		if (m) {
			*m = (struct membership){ s->memberships, request->mr_ifindex,
						  request->mr_type, 1 };
			s->memberships = m;
			error = apply_mode(device, m->type, true);
		} else {
			error = -ENOMEM;
		}
	} else if (!m) {
		error = -EADDRNOTAVAIL;
	} else if (--m->count == 0) {
		*link = m->next;
		if (device)
			error = apply_mode(device, m->type, false);
		kfree(m);
	}
	mutex_unlock(&network->config);
	return error;
}

static int packet_set_option(struct socket *socket, int level, int option, const void *value,
			     size_t length)
{
	struct packet_socket *s = packet_of(socket);
	struct packet_mreq request;
	int number = 0;

	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	switch (option) {
	case PACKET_ADD_MEMBERSHIP:
	case PACKET_DROP_MEMBERSHIP:
		if (length < sizeof(request))
			return -EINVAL;
		memcpy(&request, value, sizeof(request));
		return change_membership(s, &request, option == PACKET_ADD_MEMBERSHIP);
	case PACKET_AUXDATA:
		if (length < sizeof(number))
			return -EINVAL;
		memcpy(&number, value, sizeof(number));
		s->auxiliary = number;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int packet_get_option(struct socket *socket, int level, int option, void *value,
			     size_t *length)
{
	struct packet_socket *s = packet_of(socket);
	struct tpacket_stats stats;
	int number;

	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	switch (option) {
	case PACKET_STATISTICS:
		spin_lock(&s->lock);
		stats = (struct tpacket_stats){ s->received + s->dropped, s->dropped };
		s->received = s->dropped = 0;
		spin_unlock(&s->lock);
		*length = MIN(*length, sizeof(stats));
		memcpy(value, &stats, *length);
		return 0;
	case PACKET_AUXDATA:
		number = s->auxiliary;
		*length = MIN(*length, sizeof(number));
		memcpy(value, &number, *length);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* --- Life --- */

static void
packet_release(struct socket *socket) __no_lock_analysis /* nobody else sees the queue in the end */
{
	struct packet_socket *s = packet_of(socket), **link;

	mutex_lock(&list_lock);
	listen_to(s, 0, 0);
	for (link = &packet_sockets; *link != s; link = &(*link)->next)
		;
	rcu_assign(*link, s->next);
	mutex_unlock(&list_lock);
	while (s->memberships) {
		struct packet_mreq request = { .mr_ifindex = s->memberships->index,
					       .mr_type = s->memberships->type };

		s->memberships->count = 1;
		(void)change_membership(s, &request, false);
	}
	rcu_synchronize();
	packet_queue_free(&s->queue);
	kfree(s);
}

static const struct socket_ops packet_ops = {
	.family = AF_PACKET,
	.bind = packet_bind,
	.name = packet_name,
	.send = packet_send,
	.receive = packet_receive,
	.set_option = packet_set_option,
	.get_option = packet_get_option,
	.ready = packet_ready,
	.release = packet_release,
};

static int packet_create(struct socket *socket, int protocol)
{
	struct packet_socket *s;

	if (!capable(CAP_NET_RAW))
		return -EPERM;
	if (socket->type != SOCK_RAW && socket->type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	s = kzalloc(sizeof(*s), ALLOC_USER);
	if (!s)
		return -ENOBUFS;
	s->socket = socket;
	s->uid = current_credentials()->euid;
	spin_init(&s->lock, RANK_NET_DEVICE);
	socket->private = s;
	socket->ops = &packet_ops;
	mutex_lock(&list_lock);
	listen_to(s, 0, net16((u16)protocol));
	s->next = packet_sockets;
	rcu_assign(packet_sockets, s);
	mutex_unlock(&list_lock);
	return 0;
}

void packet_socket_for_each(const struct network_namespace *network,
			    void (*visit)(const struct packet_description *socket, void *arg),
			    void *arg)
{
	rcu_read_lock();
	for (struct packet_socket *s = rcu_dereference(packet_sockets); s;
	     s = rcu_dereference(s->next)) {
		struct packet_description description = {
			s->socket->type, s->index, s->protocol,
			s->queued,	 s->uid,   s->socket->file->inode->number
		};

		if (s->socket->network == network)
			visit(&description, arg);
	}
	rcu_read_unlock();
}

static struct socket_family packet_family = { .family = AF_PACKET,
					      .name = "PACKET",
					      .create = packet_create };

void packet_socket_init(void)
{
	net_tap_hook = packet_tap;
	net_device_added_hook = count_taps_of;
	socket_family_register(&packet_family);
}
