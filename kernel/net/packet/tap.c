/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AF_PACKET: packets on their way from the devices to the sockets, and to programs by recvmsg. */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/byte_order.h>
#include <net/filter.h>
#include <net/packet/packet_priv.h>

#include <asm/socket.h>
#include <linux/eventpoll.h>
#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <sys/socket.h>

/* --- What devices see --- */

static bool wants(const struct packet_socket *s, const struct net_device *device, u16 protocol,
		  bool outgoing)
{
	u16 wanted = READ_ONCE(s->protocol);

	if (outgoing && s->ignore_outgoing)
		return false;
	if (s->socket->network != device->network || (s->index && s->index != device->index))
		return false;
	return wanted == ETH_P_ALL || (wanted && !outgoing && wanted == protocol);
}

/* Appends the first `wanted` bytes of a packet. Takes it. */
static void add_locked(struct packet_socket *s, struct packet *packet, u32 wanted)
	__must_hold(&s->lock)
{
	packet->control[1] = packet->length; /* what there was before the filter cut it */
	packet_trim(packet, wanted);
	s->queued += packet_memory(packet);
	packet_queue_add(&s->queue, packet);
}

/* Takes the packet. */
static void enqueue(struct packet_socket *s, struct packet *packet, u32 wanted)
{
	u32 memory = packet_memory(packet);
	bool full;

	spin_lock(&s->lock);
	full = s->queued + memory > s->socket->receive_buffer;
	if (full) {
		s->dropped++;
	} else {
		s->received++;
		add_locked(s, packet, wanted);
	}
	spin_unlock(&s->lock);
	if (full)
		packet_free(packet);
	else
		socket_notify(s->socket, EPOLLIN | EPOLLRDNORM);
}

/* Takes the packet if there is a ring. */
static bool put_in_ring(struct packet_socket *s, struct packet *packet, u32 wanted)
{
	u32 memory = packet_memory(packet);
	bool done = false, ring, whole;

	spin_lock(&s->lock);
	ring = packet_receives_in_ring(s);
	if (ring) {
		whole = s->keeps_whole && s->queued + memory <= s->socket->receive_buffer;
		done = packet_ring_put(s, packet, MIN(wanted, packet->length), packet->length,
				       &whole);
		s->received += done;
		s->dropped += !done;
		if (done && whole) {
			add_locked(s, packet, wanted);
			packet = nullptr;
		}
	}
	spin_unlock(&s->lock);
	if (!ring)
		return false;
	packet_free(packet);
	if (done)
		socket_notify(s->socket, EPOLLIN | EPOLLRDNORM);
	return true;
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
	if (rcu_dereference(s->fanout))
		s = packet_fanout_choose(s, &copy);
	if (!s) {
		packet_free(copy);
		return;
	}
	if (s->socket->type == SOCK_DGRAM)
		packet_pull(copy, header);
	length = socket_filter_run(s->socket, copy);
	if (!length) {
		packet_free(copy);
		return;
	}
	copy->control[0] = (u64)(u32)packet->device->index | (u64)packet->device->type << 32;
	if (READ_ONCE(s->rings) && put_in_ring(s, copy, length))
		return;
	enqueue(s, copy, length);
}

void packet_tap(struct net_device *device, struct packet *packet, bool outgoing)
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

void packet_device_added(struct net_device *device)
{
	u32 taps = 0;

	mutex_lock(&packet_list_lock);
	for (const struct packet_socket *s = packet_sockets; s; s = s->next)
		if (s->tapping && s->socket->network == device->network &&
		    (!s->index || s->index == device->index))
			taps++;
	__atomic_store_n(&device->taps, taps, __ATOMIC_RELAXED);
	mutex_unlock(&packet_list_lock);
}

void packet_listen_to(struct packet_socket *s, int index, u16 protocol)
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

/* --- Receiving --- */

void packet_fill_name(const struct packet *packet, struct sockaddr_ll *name)
{
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

ssize_t packet_receive(struct socket *socket, struct socket_message *message)
{
	struct packet_socket *s = packet_of(socket);
	struct packet *packet;
	size_t wanted, header, n;
	int error = socket_take_error(socket);

	if (error)
		return error;
	if (message->flags & MSG_OOB)
		return -EINVAL;
	packet = take_packet(s);
	if (!packet)
		return -EAGAIN;
	if (READ_ONCE(s->has_header))
		error = packet_header_write(packet, message);
	header = READ_ONCE(s->has_header) ? sizeof(struct virtio_net_hdr) : 0;
	wanted = error ? 0 : MIN((size_t)packet->length, message->data->remaining);
	n = packet_copy_to_iter(packet, 0, message->data, wanted);
	if (n < wanted)
		error = -EFAULT;
	if (wanted < packet->length)
		message->flags_result |= MSG_TRUNC;
	if (message->address) {
		packet_fill_name(packet, (struct sockaddr_ll *)&message->address->storage);
		message->address->length = sizeof(struct sockaddr_ll);
	}
	if (s->auxiliary && message->control)
		tell_auxiliary(packet, message);
	if (message->flags & MSG_TRUNC)
		n = packet->length;
	if (message->flags & MSG_PEEK)
		put_back(s, packet);
	else
		packet_free(packet);
	return error ? error : (ssize_t)(n + header);
}

u32 packet_ready(struct socket *socket)
{
	struct packet_socket *s = packet_of(socket);
	u32 events = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;

	if (READ_ONCE(s->queued) || packet_ring_ready(s))
		events |= EPOLLIN | EPOLLRDNORM;
	return READ_ONCE(socket->error) ? events | EPOLLERR : events;
}
