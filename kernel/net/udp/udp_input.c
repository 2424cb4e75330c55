/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Datagrams and errors that come in: which sockets they are for. */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/checksum.h>
#include <net/statistics.h>
#include <net/udp/udp.h>

#include <linux/rtnetlink.h>

/* Queues the packet, whose data is the payload; takes it. */
static void deliver(struct udp *u, struct packet *p, const struct inet_info *info, u16 source_port)
{
	int error = datagram_deliver(&u->inet, &u->received, p, info, source_port,
				     sizeof(struct udp_header));

	if (error != -EPERM)
		net_count_family(error ? NET_UDP_NO_ROOM : NET_UDP_RECEIVED, &info->destination);
}

/* Under RCU; the packet's data is the UDP header. */
static struct udp *find(const struct inet_info *info, u16 port, u16 source_port, struct packet *p)
{
	struct inet_node *n =
		port_find(&udp_ports, info, port, source_port, p, sizeof(struct udp_header));

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

/* Group addresses and broadcasts go to every socket that matches. */
static void deliver_to_all(struct packet *p, const struct inet_info *info, u16 port,
			   u16 source_port, bool unchecked)
{
	for (struct inet_node *n = port_owners(&udp_ports, info->network, port); n;
	     n = rcu_dereference(n->port_next)) {
		struct udp *u = container_of(inet_of(n), struct udp, inet);
		struct packet *copy;

		if (inet_match(n, info, source_port) < 0 || (unchecked && !u->no_checksum6_in) ||
		    (info->type == RTN_MULTICAST && !member(u, info)))
			continue;
		copy = packet_clone(p);
		if (copy)
			deliver(u, copy, info, source_port);
	}
	packet_free(p);
}

static bool checksum_ok(const struct packet *p, const struct inet_info *info)
{
	if (p->checksum != CHECKSUM_UNKNOWN)
		return true;
	return checksum_fold(packet_sum(p, 0, p->length,
					checksum_pseudo(&info->source, &info->destination,
							p->length, IPPROTO_UDP))) == 0xffff;
}

void udp_input(struct packet *p, const struct inet_info *info)
{
	struct udp_header h;
	struct udp *u;
	unsigned length;
	bool unchecked;

	if (!packet_copy(p, 0, &h, sizeof(h)))
		goto drop;
	length = net16(h.length);
	if (length < sizeof(h) || length > p->length)
		goto drop;
	packet_trim(p, length);
	if (h.checksum && !checksum_ok(p, info))
		goto drop;
	/* RFC 8200, 8.1: IPv6 must have one, but for sockets that say otherwise. */
	unchecked = !h.checksum && !inet_is_v4(&info->destination);
	u16 port = net16(h.destination), source_port = net16(h.source);

	if (info->type != RTN_LOCAL) {
		packet_pull(p, sizeof(h));
		deliver_to_all(p, info, port, source_port, unchecked);
		return;
	}
	u = find(info, port, source_port, p);
	if (u && unchecked && !u->no_checksum6_in)
		goto drop;
	if (u) {
		packet_pull(p, sizeof(h));
		deliver(u, p, info, source_port);
		return;
	}
	net_count_family(NET_UDP_NO_PORT, &info->destination);
	inet_send_port_unreachable(p, info);
	packet_free(p);
	return;
drop:
	net_count_family(NET_UDP_MALFORMED, &info->destination);
	packet_free(p);
}

void udp_error(const struct inet_error *error)
{
	struct inet_info info = error->inner;
	struct inet_socket *s;
	struct udp *u;
	u16 port, remote_port;
	bool wanted;

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
		inet_queue_error(s, error, remote_port);
		if (wanted || (error->fatal && s->node.remote_port))
			socket_set_error(s->socket, error->error);
	}
	spin_unlock(&s->lock);
}
