/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network devices: the list of a name space, flags, and the way of packets out of a device and in.
 *
 * Everything that is received is processed in thread context with preemption off: by the network
 * thread for hardware, by the sender itself for loopback. Deliveries do not nest: what is sent over
 * loopback while a packet is being delivered joins the queue of this CPU and is taken by the
 * outermost delivery.
 */
#include <core/percpu.h>
#include <core/time.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <net/device.h>
#include <net/inet_socket.h>
#include <net/local.h>
#include <net/multicast.h>
#include <net/neighbour.h>
#include <net/protocol.h>
#include <net/route.h>

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>

#define VLAN_TAG 4 /* bytes: priority and network, and the protocol behind */
#define VLAN_IDENTIFIER 0xfff

struct network_namespace initial_network = {
	.nodes = 1,
	.config = MUTEX_INIT(RANK_NET_CONFIG),
	.next_index = 1,
	.sysctl = NETWORK_SYSCTL_DEFAULTS,
};

DEFINE_PER_CPU(u32, net_packets_received);
void (*net_device_added_hook)(struct net_device *device);
void (*net_tap_hook)(struct net_device *device, struct packet *packet, bool outgoing);
void (*net_link_event_hook)(int event, struct net_device *device);
void (*net_settings_event_hook)(struct network_namespace *network, int index,
				enum device_setting_family family, unsigned number);

struct net_device *net_device_find(struct network_namespace *network, int index)
{
	struct net_device *d = rcu_dereference(network->devices);

	while (d && d->index != index)
		d = rcu_dereference(d->next);
	return d;
}

struct net_device *net_device_find_name(struct network_namespace *network, const char *name)
{
	struct net_device *d = rcu_dereference(network->devices);

	while (d && strcmp(d->name, name))
		d = rcu_dereference(d->next);
	return d;
}

static void tell(int event, struct net_device *device)
{
	if (net_link_event_hook)
		net_link_event_hook(event, device);
}

static int choose_name(struct network_namespace *network, struct net_device *device,
		       const char *name)
{
	if (!strchr(name, '%')) {
		if (string_copy(device->name, name, sizeof(device->name)) < 0)
			return -EINVAL;
		return net_device_find_name(network, device->name) ? -EEXIST : 0;
	}
	for (int i = 0; i < 1024; i++) {
		char stem[IFNAMSIZ];

		if (string_copy(stem, name, sizeof(stem)) < 0)
			return -EINVAL;
		*strchr(stem, '%') = '\0';
		snprintf(device->name, sizeof(device->name), "%s%d", stem, i);
		if (!net_device_find_name(network, device->name))
			return 0;
	}
	return -EEXIST;
}

static int insert(struct network_namespace *network, struct net_device *device, const char *name)
{
	struct net_device **link = &network->devices;
	int error;

	mutex_guard(&network->config);
	WRITE_ONCE(device->network, network);
	error = choose_name(network, device, name);
	if (error)
		return error;
	/* One that moves keeps its number if it can. */
	if (!device->index || net_device_find(network, device->index))
		device->index = network->next_index;
	network->next_index = MAX(network->next_index, device->index + 1);
	device_settings_take_default(device);
	device->next = nullptr;
	WRITE_ONCE(device->gone, false);
	while (*link)
		link = &(*link)->next;
	rcu_assign(*link, device);
	if (!network->loopback)
		network->loopback = device;
	tell(RTM_NEWLINK, device);
	return 0;
}

int net_device_register(struct network_namespace *network, struct net_device *device,
			const char *name)
{
	int error = insert(network, device, name);

	if (!error && net_device_added_hook)
		net_device_added_hook(device);
	return error;
}

void net_device_unregister(struct net_device *device)
{
	struct network_namespace *network = device->network;
	struct net_device **link = &network->devices;

	mutex_guard(&network->config);
	(void)net_device_set_flags(device, 0, IFF_UP);
	net_addresses_remove_all(device);
	while (*link != device)
		link = &(*link)->next;
	rcu_assign(*link, device->next);
	WRITE_ONCE(device->gone, true);
	neighbour_flush_device(device);
	neighbour_proxies_remove(device);
	inet_fragments_drop(device);
	multicast_drop_device(device);
	__atomic_add_fetch(&network->generation, 1, __ATOMIC_RELEASE);
	tell(RTM_DELLINK, device);
}

static int bring_up(struct net_device *device) __must_hold(&device->network->config)
{
	int error = device->ops->open ? device->ops->open(device) : 0;

	if (error)
		return error;
	__atomic_fetch_or(&device->flags, IFF_UP, __ATOMIC_RELAXED);
	net_addresses_device_up(device);
	return 0;
}

int net_device_set_flags(struct net_device *device, u32 flags, u32 mask)
{
	const u32 settable = IFF_UP | IFF_PROMISC | IFF_ALLMULTI | IFF_NOARP | IFF_DEBUG |
			     IFF_NOTRAILERS | IFF_DYNAMIC | IFF_MULTICAST | IFF_PORTSEL |
			     IFF_AUTOMEDIA;
	u32 changed = (device->flags ^ flags) & mask & settable;
	int error = 0;

	__atomic_fetch_xor(&device->flags, changed & ~IFF_UP, __ATOMIC_RELAXED);
	if (changed & IFF_UP) {
		if (flags & IFF_UP) {
			error = bring_up(device);
		} else {
			__atomic_fetch_and(&device->flags, ~(u32)IFF_UP, __ATOMIC_RELAXED);
			route_remove_device(device->network, device);
			net_addresses_device_down(device);
			neighbour_flush_device(device);
			neighbour_proxies_remove(device);
			if (device->ops->stop)
				device->ops->stop(device);
		}
	}
	__atomic_add_fetch(&device->network->generation, 1, __ATOMIC_RELEASE);
	if (changed && !error)
		tell(RTM_NEWLINK, device);
	return error;
}

int net_device_set_mtu(struct net_device *device, u32 mtu)
{
	int error = 0;

	if (mtu < device->mtu_min || (device->mtu_max && mtu > device->mtu_max))
		return -EINVAL;
	if (device->ops->set_mtu)
		error = device->ops->set_mtu(device, mtu);
	if (error)
		return error;
	device->mtu = mtu;
	device_settings_follow_mtu(device);
	__atomic_add_fetch(&device->network->generation, 1, __ATOMIC_RELEASE);
	tell(RTM_NEWLINK, device);
	return 0;
}

void net_device_set_carrier(struct net_device *device, bool on)
{
	struct network_namespace *network;

	for (;;) { /* it may be moving */
		network = READ_ONCE(device->network);
		mutex_lock(&network->config);
		if (network == READ_ONCE(device->network))
			break;
		mutex_unlock(&network->config);
	}
	if (!!(device->flags & IFF_RUNNING) != on) {
		__atomic_fetch_xor(&device->flags, IFF_RUNNING | IFF_LOWER_UP, __ATOMIC_RELAXED);
		tell(RTM_NEWLINK, device);
	}
	mutex_unlock(&network->config);
}

void net_device_statistics_sum(const struct net_device *device, struct net_device_statistics *out)
{
	u64 *sum = (u64 *)out;

	*out = (struct net_device_statistics){};
	for (unsigned copy = 0; copy < NET_STATISTICS_COPIES; copy++)
		for (size_t i = 0; i < sizeof(*out) / sizeof(u64); i++)
			sum[i] += ((const u64 *)&device->statistics[copy])[i];
}

static void tap(struct net_device *device, struct packet *packet, bool outgoing)
{
	if (unlikely(__atomic_load_n(&device->taps, __ATOMIC_RELAXED)) && net_tap_hook)
		net_tap_hook(device, packet, outgoing);
}

void net_device_transmit(struct net_device *device, struct packet *packet)
{
	if (unlikely(!(device->flags & IFF_UP))) {
		packet_free(packet);
		return;
	}
	packet->device = device;
	if (unlikely(packet->stamped_for))
		inet_packet_sent(packet);
	tap(device, packet, true);
	if (packet->segment_size && !net_device_segments(device, packet)) {
		net_segment_in_software(device, packet);
		return;
	}
	if (packet->checksum == CHECKSUM_PARTIAL &&
	    !(device->features & (DEVICE_CHECKSUM | DEVICE_LOOPBACK)))
		packet_complete_checksum(packet);
	device->ops->transmit(device, packet);
}

/*
 * A frame of IEEE 802.1Q whose tag names no virtual network, only a priority, is one without the tag. Its tag is taken out of the
 * link header, which moves up to what follows.
 */
static void remove_priority_tag(struct packet *packet)
{
	u8 *link = packet->room + packet->link_header;

	if (packet->linear < VLAN_TAG ||
	    packet_headroom(packet) - packet->link_header != ETH_HLEN ||
	    load_net16(packet->data) & VLAN_IDENTIFIER)
		return;
	packet->protocol = load_net16(packet->data + 2);
	memmove(link + VLAN_TAG, link, 2 * ETH_ALEN);
	packet->link_header += VLAN_TAG;
	packet_pull(packet, VLAN_TAG);
}

void net_receive(struct packet *packet)
{
	struct net_device *device = packet->device;
	struct net_device_statistics *statistics =
		&device->statistics[cpu_id() % NET_STATISTICS_COPIES];

	this_cpu(net_packets_received)++;
	statistics->receive_packets++;
	statistics->receive_bytes += packet->length;
	if (unlikely(packet->protocol == ETH_P_8021Q))
		remove_priority_tag(packet);
	if (unlikely(__atomic_load_n(&device->taps, __ATOMIC_RELAXED)) && net_tap_hook) {
		unsigned header = packet_headroom(packet) - packet->link_header;

		packet_push(packet, header);
		net_tap_hook(device, packet, false);
		packet_pull(packet, header);
	}
	packet->network_header = (u16)packet_headroom(packet);
	switch (packet->protocol) {
	case ETH_P_IP:
		ipv4_input(packet);
		return;
	case ETH_P_IPV6:
		ipv6_input(packet);
		return;
	case ETH_P_ARP:
		arp_input(packet);
		return;
	default:
		net_device_count(device, receive_dropped, 1);
		packet_free(packet);
	}
}

/* The queue of packets that this CPU sent to itself. */
struct local_queue {
	struct packet_queue packets;
	bool delivering;
};
static DEFINE_PER_CPU(struct local_queue, local_queue);

void net_receive_local(struct packet *packet)
{
	struct local_queue *q;

	preempt_disable();
	q = &this_cpu(local_queue);
	packet_queue_add(&q->packets, packet);
	if (!q->delivering) {
		q->delivering = true;
		while ((packet = packet_queue_take(&q->packets)))
			net_receive(packet);
		q->delivering = false;
	}
	preempt_enable();
}

void net_loop_back(struct net_device *device, const struct packet *packet)
{
	struct packet *copy = packet_clone(packet);

	if (!copy)
		return;
	copy->device = device;
	copy->echoed = true;
	copy->kind = PACKET_MULTICAST;
	copy->link_header = (u16)packet_headroom(copy);
	if (copy->checksum == CHECKSUM_UNKNOWN)
		copy->checksum = CHECKSUM_VERIFIED;
	net_receive_local(copy);
}

void net_device_mark_carrier(struct net_device *device, bool on)
{
	if (on)
		__atomic_fetch_or(&device->flags, IFF_RUNNING | IFF_LOWER_UP, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&device->flags, ~(u32)(IFF_RUNNING | IFF_LOWER_UP),
				   __ATOMIC_RELAXED);
}

int net_device_take_address(struct net_device *device, const u8 *address)
{
	memcpy(device->address, address, device->address_length);
	return 0;
}
