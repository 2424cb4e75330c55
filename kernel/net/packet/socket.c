/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AF_PACKET sockets (packet(7)): they see what devices receive and send, and send past all
 * protocols.
 *
 * The list of sockets is read under RCU by the tap, which runs with each packet of a device that has
 * taps; a socket leaves the list and lets a grace period pass before it goes. Each gets a clone of the
 * packet: bytes in pages are shared.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/byte_order.h>
#include <net/inet_socket.h>
#include <net/packet/packet_priv.h>
#include <obj/credentials.h>
#include <obj/inode.h>

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <sys/socket.h>

#define GSO_MAX 65535u /* bytes of a packet that will be cut, without its link header */

struct mutex packet_list_lock = MUTEX_INIT(RANK_PIPE);
struct packet_socket *packet_sockets;

static int packet_bind(struct socket *socket, const struct socket_address *address)
{
	const struct sockaddr_ll *name = (const struct sockaddr_ll *)&address->storage;
	struct packet_socket *s = packet_of(socket);
	int error = 0;
	bool exists;

	if (address->length < sizeof(*name) || name->sll_family != AF_PACKET)
		return -EINVAL;
	rcu_read_lock();
	exists = !name->sll_ifindex || net_device_find(socket->network, name->sll_ifindex);
	rcu_read_unlock();
	if (!exists)
		return -ENODEV;
	mutex_lock(&packet_list_lock);
	if (s->fanout) /* all of a group listen to the same */
		error = -EINVAL;
	else
		packet_listen_to(s, name->sll_ifindex,
				 name->sll_protocol ? net16(name->sll_protocol) : s->protocol);
	mutex_unlock(&packet_list_lock);
	return error;
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

int packet_find_target(struct socket *socket, const struct socket_message *message,
		       struct packet_target *out)
{
	const struct packet_socket *s = packet_of(socket);
	const struct net_device *device;
	struct inet_send_control control;
	int error = inet_parse_socket_control(socket, message, &control);

	if (error)
		return error;
	*out = (struct packet_target){ .index = s->index, .protocol = s->protocol };
	out->mark = control.has_mark ? control.mark : (u32)socket->mark;
	if (message->address && message->address->length) {
		const struct sockaddr_ll *to =
			(const struct sockaddr_ll *)&message->address->storage;

		/* Linux does not look at the family, and programs leave it out. */
		if (message->address->length < offsetof(struct sockaddr_ll, sll_addr))
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
		out->most = device->mtu;
		if (socket->type == SOCK_RAW) {
			out->most += device->header_length;
			out->least = device->header_length;
		} else {
			out->header = device->header_length;
		}
	}
	rcu_read_unlock();
	return error;
}

static void put_header(struct packet *packet, const struct net_device *device,
		       const struct packet_target *to)
{
	u8 *header;

	if (to->header != ETH_HLEN)
		return;
	header = packet_push(packet, ETH_HLEN);
	memcpy(header, to->address, ETH_ALEN);
	memcpy(header + ETH_ALEN, device->address, ETH_ALEN);
	store_net16(header + 12, to->protocol);
}

int packet_transmit(struct socket *socket, struct packet *packet, const struct packet_target *to)
{
	struct net_device *device;

	rcu_read_lock();
	device = net_device_find(socket->network, to->index);
	if (device) {
		put_header(packet, device, to);
		packet->link_header = (u16)packet_headroom(packet);
		packet->network_header = (u16)(packet->link_header + device->header_length);
		packet->protocol = to->protocol;
		if (device->header_length == ETH_HLEN)
			packet->protocol = load_net16(packet->data + 12);
		packet->device = device;
		packet->mark = to->mark;
		if (unlikely(to->fragment_size && !(device->features & DEVICE_LOOPBACK)))
			packet_send_fragments(device, packet, to->fragment_size);
		else
			net_device_transmit(device, packet);
	} else {
		packet_free(packet);
	}
	rcu_read_unlock();
	return device ? 0 : -ENXIO;
}

static ssize_t packet_send(struct socket *socket, struct socket_message *message)
{
	bool has_header = READ_ONCE(packet_of(socket)->has_header);
	size_t given = message->data->remaining, size;
	struct virtio_net_hdr header = {};
	struct packet_target to;
	struct packet *packet;
	int error;

	if (READ_ONCE(packet_of(socket)->sends_from_ring))
		return packet_ring_send(socket, message);
	error = packet_find_target(socket, message, &to);
	if (!error && has_header)
		error = packet_header_read(message, &header);
	size = message->data->remaining;
	if (!error && size > (header.gso_type ? GSO_MAX + to.least : to.most))
		error = -EMSGSIZE;
	if (!error && size < to.least)
		error = -EINVAL;
	if (error)
		return error;
	packet = packet_alloc();
	if (!packet)
		return -ENOBUFS;
	error = packet_fill(packet, message->data);
	if (!error && has_header)
		error = packet_header_apply(packet, &header, &to);
	if (error) {
		packet_free(packet);
		return error;
	}
	error = packet_transmit(socket, packet, &to);
	return error ? error : (ssize_t)given;
}

/* --- Life --- */

static void
packet_release(struct socket *socket) __no_lock_analysis /* nobody else sees the queue in the end */
{
	struct packet_socket *s = packet_of(socket), **link;
	struct packet_fanout *fanout;

	mutex_lock(&packet_list_lock);
	fanout = packet_fanout_leave(s);
	packet_listen_to(s, 0, 0);
	for (link = &packet_sockets; *link != s; link = &(*link)->next)
		;
	rcu_assign(*link, s->next);
	mutex_unlock(&packet_list_lock);
	packet_leave_all(s);
	rcu_synchronize();
	packet_fanout_free(fanout);
	packet_rings_release(s);
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
	.map = packet_map,
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
	mutex_init(&s->ring_lock, RANK_NET_SEND);
	socket->private = s;
	socket->ops = &packet_ops;
	mutex_lock(&packet_list_lock);
	packet_listen_to(s, 0, net16((u16)protocol));
	s->next = packet_sockets;
	rcu_assign(packet_sockets, s);
	mutex_unlock(&packet_list_lock);
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
	packet_blocks_init();
	net_tap_hook = packet_tap;
	net_device_added_hook = packet_device_added;
	socket_family_register(&packet_family);
}
