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

static int set_number(struct packet_socket *s, int option, int number)
{
	switch (option) {
	case PACKET_AUXDATA:
		s->auxiliary = number;
		return 0;
	case PACKET_IGNORE_OUTGOING:
		if (number < 0 || number > 1)
			return -EINVAL;
		s->ignore_outgoing = number;
		return 0;
	case PACKET_VERSION:
	case PACKET_RESERVE:
		if (READ_ONCE(s->ring))
			return -EBUSY;
		if (option == PACKET_RESERVE ? number < 0 || number > RESERVE_MAX
					     : packet_ring_header(number) < 0)
			return -EINVAL;
		if (option == PACKET_RESERVE)
			s->reserve = (u32)number;
		else
			s->version = (u8)number;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
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
		return packet_ring_set(s, value, length);
	default:
		if (length < sizeof(number))
			return -EINVAL;
		memcpy(&number, value, sizeof(number));
		return set_number(s, option, number);
	}
}

int packet_get_option(struct socket *socket, int level, int option, void *value, size_t *length)
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
	case PACKET_HDRLEN:
		if (*length < sizeof(number))
			return -EINVAL;
		memcpy(&number, value, sizeof(number)); /* the version that is asked about */
		number = packet_ring_header(number);
		if (number < 0)
			return number;
		break;
	case PACKET_AUXDATA:
		number = s->auxiliary;
		break;
	case PACKET_IGNORE_OUTGOING:
		number = s->ignore_outgoing;
		break;
	case PACKET_VERSION:
		number = s->version;
		break;
	case PACKET_RESERVE:
		number = (int)s->reserve;
		break;
	default:
		return -ENOPROTOOPT;
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
