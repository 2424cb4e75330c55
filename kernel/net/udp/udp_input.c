/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Datagrams and errors that come in: which sockets they are for. */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/checksum.h>
#include <net/route_exception.h>
#include <net/statistics.h>
#include <net/udp/udp.h>

#include <linux/rtnetlink.h>

static struct udp_protocol *protocol_of(const struct inet_info *info)
{
	return info->protocol == IPPROTO_UDPLITE ? &udp_lite : &udp_plain;
}

/* One of the counters of UDP, or its twin of UDP-Lite. */
static void count(const struct inet_info *info, enum net_counter counter)
{
	if (protocol_of(info)->lite)
		counter += NET_UDP_LITE - NET_UDP_RECEIVED;
	net_count_family(info->network, counter, &info->destination);
}

/* Queues the packet, whose data is the payload; takes it. */
static void deliver(struct udp *u, struct packet *p, const struct inet_info *info, u16 source_port)
{
	int error = datagram_deliver(&u->inet, &u->received, p, info, source_port,
				     sizeof(struct udp_header));

	if (error != -EPERM)
		count(info, error ? NET_UDP_NO_ROOM : NET_UDP_RECEIVED);
}

/* Under RCU; the packet's data is the UDP header. */
static struct udp *find(const struct inet_info *info, u16 port, u16 source_port, struct packet *p)
{
	struct inet_node *n = port_find(&protocol_of(info)->ports, info, port, source_port, p,
					sizeof(struct udp_header));

	return n ? container_of(inet_of(n), struct udp, inet) : nullptr;
}

static bool member(struct udp *u, const struct inet_info *info)
{
	bool found = u->inet.flags &
		     (inet_is_v4(&info->destination) ? INET_MULTICAST_ALL : INET6_MULTICAST_ALL);

	spin_lock(&u->inet.lock);
	for (const struct inet_membership *m = u->inet.memberships; m && !found; m = m->next)
		found = m->device_index == info->device->index &&
			inet_equal(&m->group, &info->destination);
	spin_unlock(&u->inet.lock);
	return found;
}

/*
 * IPv6 must have a checksum (RFC 8200, 8.1), but for sockets that say otherwise; a receiver of UDP-Lite that asks for all or so many
 * bytes to be covered gets nothing else. The packet's data is the UDP header.
 */
static bool takes(const struct udp *u, const struct packet *p, const struct inet_info *info,
		  unsigned covered)
{
	if (likely(covered == p->length))
		return true;
	if (!u->protocol->lite)
		return inet_is_v4(&info->destination) || u->no_checksum6_in;
	return !u->receive_coverage.given ||
	       (u->receive_coverage.bytes && covered >= u->receive_coverage.bytes);
}

/* Group addresses and broadcasts go to every socket that matches. */
static void deliver_to_all(struct packet *p, const struct inet_info *info, u16 port,
			   u16 source_port, unsigned covered)
{
	for (struct inet_node *n = port_owners(&protocol_of(info)->ports, info->network, port); n;
	     n = rcu_dereference(n->port_next)) {
		struct udp *u = container_of(inet_of(n), struct udp, inet);
		struct packet *copy;

		if (inet_match(n, info, source_port) < 0 || !takes(u, p, info, covered) ||
		    (info->type == RTN_MULTICAST && !member(u, info)))
			continue;
		copy = packet_clone(p);
		if (!copy)
			continue;
		packet_pull(copy, sizeof(struct udp_header));
		deliver(u, copy, info, source_port);
	}
	packet_free(p);
}

/* The checksum over the pseudo header and the first `covered` bytes (RFC 768; RFC 3828, 3.2). */
static bool checksum_ok(const struct packet *p, const struct inet_info *info, unsigned covered)
{
	if (p->checksum != CHECKSUM_UNKNOWN)
		return true;
	return checksum_fold(packet_sum(p, 0, covered,
					checksum_pseudo(&info->source, &info->destination,
							p->length, info->protocol))) == 0xffff;
}

/*
 * Cuts what is behind the datagram, and tells how many bytes of it the checksum covers: 0 for UDP without one. False: it is
 * damaged.
 */
static bool verify(struct packet *p, const struct inet_info *info, const struct udp_header *h,
		   unsigned *covered)
{
	unsigned length = net16(h->length);

	if (protocol_of(info)->lite) {
		*covered = length ? length : p->length;
		if (*covered < sizeof(*h) || *covered > p->length || !h->checksum)
			return false;
	} else {
		if (length < sizeof(*h) || length > p->length)
			return false;
		packet_trim(p, length);
		*covered = h->checksum ? length : 0;
		if (!*covered)
			return true;
	}
	if (checksum_ok(p, info, *covered))
		return true;
	count(info, NET_UDP_CHECKSUM);
	return false;
}

void udp_input(struct packet *p, const struct inet_info *info)
{
	struct udp_header h;
	struct udp *u;
	unsigned covered;

	if (!packet_copy(p, 0, &h, sizeof(h)) || !verify(p, info, &h, &covered))
		goto drop;
	u16 port = net16(h.destination), source_port = net16(h.source);

	if (info->type != RTN_LOCAL) {
		deliver_to_all(p, info, port, source_port, covered);
		return;
	}
	u = find(info, port, source_port, p);
	if (u && !takes(u, p, info, covered))
		goto drop;
	if (u) {
		packet_pull(p, sizeof(h));
		deliver(u, p, info, source_port);
		return;
	}
	count(info, NET_UDP_NO_PORT);
	inet_send_port_unreachable(p, info);
	packet_free(p);
	return;
drop:
	count(info, NET_UDP_MALFORMED);
	packet_free(p);
}

/* Who had a datagram that was too large on its way, and cares (RFC 1191, RFC 8201): all of this host know the limit from now on. */
static void learn_path_mtu(struct inet_socket *s, const struct inet_error *error, u32 mark)
{
	struct route_query packet = { .destination = error->inner.destination,
				      .source = error->inner.source,
				      .device_index = s->node.bound_device,
				      .mark = mark,
				      .tos = s->tos };

	if (s->path_mtu_discovery < IP_PMTUDISC_PROBE && s->path_mtu_discovery != IP_PMTUDISC_DONT)
		route_path_mtu_learned(error->inner.network, &packet, error->mtu);
}

void udp_error(const struct inet_error *error)
{
	struct inet_info info = error->inner;
	struct inet_socket *s;
	struct udp *u;
	u16 port, remote_port;
	bool wanted;
	u32 mark = 0;

	info.source = error->inner.destination;
	info.destination = error->inner.source;
	port = load_net16(error->data);
	remote_port = load_net16(error->data + 2);
	u = find(&info, port, remote_port, nullptr);
	if (!u)
		return;
	s = &u->inet;
	wanted =
		s->flags & (s->node.family == AF_INET ? INET_RECEIVE_ERRORS : INET6_RECEIVE_ERRORS);
	spin_lock(&s->lock);
	if (s->socket) {
		mark = (u32)s->socket->mark;
		inet_queue_error(s, error, remote_port);
		if (wanted || (error->fatal && s->node.remote_port))
			socket_set_error(s->socket, error->error);
	}
	spin_unlock(&s->lock);
	if (error->error == EMSGSIZE)
		learn_path_mtu(s, error, mark);
}
