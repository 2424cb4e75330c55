/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AF_PACKET: options of SOL_PACKET (packet(7)). */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/packet/packet_priv.h>

#include <sys/socket.h>

#define RESERVE_MAX 4096 /* bytes in front of the data */

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
	struct packet_membership *m, **link;
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
			*m = (struct packet_membership){ s->memberships, request->mr_ifindex,
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

/* Rings and headers in front of packets exclude each other. */
static int set_header(struct packet_socket *s, int number)
{
	int error = 0;

	if (s->socket->type != SOCK_RAW)
		return -EINVAL;
	mutex_lock(&s->ring_lock);
	if (s->rings)
		error = -EBUSY;
	else
		WRITE_ONCE(s->has_header, number != 0);
	mutex_unlock(&s->ring_lock);
	return error;
}

static int set_number(struct packet_socket *s, int option, int number)
{
	switch (option) {
	case PACKET_AUXDATA:
		s->auxiliary = number;
		return 0;
	case PACKET_COPY_THRESH: /* as on Linux, its size is never looked at */
		s->keeps_whole = number;
		return 0;
	case PACKET_IGNORE_OUTGOING:
		if (number < 0 || number > 1)
			return -EINVAL;
		s->ignore_outgoing = number;
		return 0;
	case PACKET_ORIGDEV:
		s->original_device = number;
		return 0;
	case PACKET_QDISC_BYPASS:
		s->bypass = number;
		return 0;
	case PACKET_TIMESTAMP:
		s->time_stamps = number;
		return 0;
	case PACKET_VNET_HDR:
		return set_header(s, number);
	default:
		return -ENOPROTOOPT;
	}
}

/* What rings are made by: it stays as it is while there are any. */
static int set_for_rings(struct packet_socket *s, int option, int number) __must_hold(&s->ring_lock)
{
	if (option == PACKET_RESERVE ? number < 0 || number > RESERVE_MAX
				     : option == PACKET_VERSION && packet_ring_header(number) < 0)
		return -EINVAL;
	if (s->rings)
		return option == PACKET_TX_HAS_OFF ? 0 : -EBUSY; /* as Linux says */
	switch (option) {
	case PACKET_RESERVE:
		s->reserve = (u32)number;
		return 0;
	case PACKET_VERSION:
		s->version = (u8)number;
		return 0;
	case PACKET_LOSS:
		s->lossy = number;
		return 0;
	default:
		s->send_offsets = number;
		return 0;
	}
}

static int set_ring_number(struct packet_socket *s, int option, int number)
{
	int error;

	mutex_lock(&s->ring_lock);
	error = set_for_rings(s, option, number);
	mutex_unlock(&s->ring_lock);
	return error;
}

int packet_set_option(struct socket *socket, int level, int option, const void *value,
		      size_t length)
{
	struct packet_socket *s = packet_of(socket);
	struct packet_mreq request;
	int number;

	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	switch (option) {
	case PACKET_ADD_MEMBERSHIP:
	case PACKET_DROP_MEMBERSHIP:
		if (length < sizeof(request))
			return -EINVAL;
		memcpy(&request, value, sizeof(request));
		return change_membership(s, &request, option == PACKET_ADD_MEMBERSHIP);
	case PACKET_RX_RING:
		return packet_ring_set(s, false, value, length);
	case PACKET_TX_RING:
		return packet_ring_set(s, true, value, length);
	case PACKET_FANOUT:
		return packet_fanout_join(s, value, length);
	case PACKET_FANOUT_DATA:
		return packet_fanout_set_data(s, value, length);
	}
	if (length < sizeof(number))
		return -EINVAL;
	memcpy(&number, value, sizeof(number));
	switch (option) {
	case PACKET_VERSION:
	case PACKET_RESERVE:
	case PACKET_LOSS:
	case PACKET_TX_HAS_OFF:
		return set_ring_number(s, option, number);
	default:
		return set_number(s, option, number);
	}
}

/* Counts since the last time that somebody asked. */
static void take_statistics(struct packet_socket *s, void *value, size_t *length)
{
	size_t size = s->version == TPACKET_V3 ? sizeof(struct tpacket_stats_v3)
					       : sizeof(struct tpacket_stats);
	struct tpacket_stats_v3 stats;

	spin_lock(&s->lock);
	stats = (struct tpacket_stats_v3){ s->received + s->dropped, s->dropped, s->freezes };
	s->received = s->dropped = s->freezes = 0;
	spin_unlock(&s->lock);
	*length = MIN(*length, size);
	memcpy(value, &stats, *length);
}

static int get_rollovers(const struct packet_socket *s, void *value, size_t *length)
{
	const struct tpacket_rollover_stats stats = { .tp_all = READ_ONCE(s->rolled_over),
						      .tp_huge = READ_ONCE(s->rolled_huge),
						      .tp_failed = READ_ONCE(s->rollovers_failed) };

	if (!READ_ONCE(s->fanout))
		return -EINVAL;
	*length = MIN(*length, sizeof(stats));
	memcpy(value, &stats, *length);
	return 0;
}

static int get_number(const struct packet_socket *s, int option)
{
	switch (option) {
	case PACKET_AUXDATA:
		return s->auxiliary;
	case PACKET_IGNORE_OUTGOING:
		return s->ignore_outgoing;
	case PACKET_VERSION:
		return s->version;
	case PACKET_RESERVE:
		return (int)s->reserve;
	case PACKET_LOSS:
		return s->lossy;
	case PACKET_TX_HAS_OFF:
		return s->send_offsets;
	case PACKET_ORIGDEV:
		return s->original_device;
	case PACKET_QDISC_BYPASS:
		return s->bypass;
	case PACKET_VNET_HDR:
		return s->has_header;
	default:
		return -ENOPROTOOPT;
	}
}

int packet_get_option(struct socket *socket, int level, int option, void *value, size_t *length)
{
	struct packet_socket *s = packet_of(socket);
	int number;

	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	switch (option) {
	case PACKET_STATISTICS:
		take_statistics(s, value, length);
		return 0;
	case PACKET_ROLLOVER_STATS:
		return get_rollovers(s, value, length);
	case PACKET_FANOUT:
		number = packet_fanout_describe(s);
		break;
	case PACKET_TIMESTAMP:
		number = s->time_stamps;
		break;
	case PACKET_HDRLEN:
		if (*length < sizeof(number))
			return -EINVAL;
		memcpy(&number, value, sizeof(number)); /* the version that is asked about */
		number = packet_ring_header(number);
		if (number < 0)
			return number;
		break;
	default:
		number = get_number(s, option);
		if (number < 0)
			return number;
	}
	*length = MIN(*length, sizeof(number));
	memcpy(value, &number, *length);
	return 0;
}

void packet_leave_all(struct packet_socket *s)
{
	while (s->memberships) {
		struct packet_mreq request = { .mr_ifindex = s->memberships->index,
					       .mr_type = s->memberships->type };

		s->memberships->count = 1;
		(void)change_membership(s, &request, false);
	}
}
