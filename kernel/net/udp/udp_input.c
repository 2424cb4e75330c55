/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Datagrams and errors that come in: which sockets they are for. */
#include <core/time.h>
#include <lib/errno.h>
#include <lib/hash.h>
#include <lib/string.h>
#include <net/checksum.h>
#include <net/filter.h>
#include <net/statistics.h>
#include <net/udp/udp.h>

#include <linux/eventpoll.h>
#include <linux/rtnetlink.h>

/* SO_ATTACH_FILTER: the program sees the UDP header, which stands in front of the data, and may cut the data. Under RCU. */
static bool passes_filter(const struct socket *socket, struct packet *p)
{
	u32 wanted;

	packet_push(p, sizeof(struct udp_header));
	wanted = socket_filter_run(socket, p);
	packet_pull(p, sizeof(struct udp_header));
	if (!wanted)
		return false;
	wanted = MAX(wanted, (u32)sizeof(struct udp_header)) - (u32)sizeof(struct udp_header);
	if (wanted < p->length)
		packet_trim(p, wanted);
	return true;
}

/* Queues the packet, whose data is the payload; takes it. */
static void deliver(struct udp *u, struct packet *p, const struct inet_info *info, u16 source_port)
{
	struct udp_received *r = (struct udp_received *)p->control;
	struct socket *socket;
	u32 cost = UDP_PACKET_COST + p->length;

	*r = (struct udp_received){ info->source, info->destination, info->device->index,
				    source_port,  info->ttl,	     info->tos };
	spin_lock(&u->inet.lock);
	socket = u->inet.socket;
	if (!socket || (socket->shutdown & SOCKET_SHUT_RECEIVE) ||
	    (u->received_memory && u->received_memory + cost > socket->receive_buffer)) {
		u->dropped++;
		net_count_family(NET_UDP_NO_ROOM, &info->destination);
		spin_unlock(&u->inet.lock);
		packet_free(p);
		return;
	}
	if (unlikely(socket->filter) && !passes_filter(socket, p)) {
		u->dropped++;
		spin_unlock(&u->inet.lock);
		packet_free(p);
		return;
	}
	if (unlikely(socket->options & SOCKET_WANTS_TIME) && !p->time_ns)
		p->time_ns = clock_realtime_ns();
	net_count_family(NET_UDP_RECEIVED, &info->destination);
	u->received_memory += cost;
	packet_queue_add(&u->received, p);
	socket_notify(socket, EPOLLIN | EPOLLRDNORM);
	spin_unlock(&u->inet.lock);
}

/* The best owner of the port; among equals that share the port, by a hash of the sender. Under RCU. */
static struct udp *find(const struct inet_info *info, u16 port, u16 source_port)
{
	struct inet_node *best = nullptr;
	int best_score = -1;
	unsigned equals = 0;
	u32 hash = (u32)hash_u64(info->source.halves[0] ^ info->source.halves[1] ^ source_port);

	for (struct inet_node *n = port_owners(&udp_ports, info->network, port); n;
	     n = rcu_dereference(n->port_next)) {
		int score = inet_match(n, info, source_port);

		if (score > best_score) {
			best = n;
			best_score = score;
			equals = 1;
		} else if (score == best_score && score >= 0 && n->reuse_port && best->reuse_port) {
			equals++;
			if (hash_u64(hash + equals) % equals == 0)
				best = n;
		}
	}
	return best ? container_of(inet_of(best), struct udp, inet) : nullptr;
}

static bool member(struct udp *u, const struct inet_info *info)
{
	bool found = u->inet.flags & INET_MULTICAST_ALL;

	spin_lock(&u->inet.lock);
	for (const struct inet_membership *m = u->inet.memberships; m && !found; m = m->next)
		found = m->device_index == info->device->index &&
			inet_equal(&m->group, &info->destination);
	spin_unlock(&u->inet.lock);
	return found;
}

/* Group addresses and broadcasts go to every socket that matches. */
static void deliver_to_all(struct packet *p, const struct inet_info *info, u16 port,
			   u16 source_port)
{
	for (struct inet_node *n = port_owners(&udp_ports, info->network, port); n;
	     n = rcu_dereference(n->port_next)) {
		struct udp *u = container_of(inet_of(n), struct udp, inet);
		struct packet *copy;

		if (inet_match(n, info, source_port) < 0 ||
		    (info->type == RTN_MULTICAST && !member(u, info)))
			continue;
		copy = packet_clone(p);
		if (copy)
			deliver(u, copy, info, source_port);
	}
	packet_free(p);
}

static bool checksum_ok(const struct packet *p, const struct udp_header *h,
			const struct inet_info *info)
{
	if (p->checksum != CHECKSUM_UNKNOWN)
		return true;
	if (!h->checksum)
		return inet_is_v4(&info->destination); /* RFC 8200, 8.1: IPv6 must have one */
	return checksum_fold(packet_sum(p, 0, p->length,
					checksum_pseudo(&info->source, &info->destination,
							p->length, IPPROTO_UDP))) == 0xffff;
}

void udp_input(struct packet *p, const struct inet_info *info)
{
	struct udp_header h;
	struct udp *u;
	unsigned length;

	if (!packet_copy(p, 0, &h, sizeof(h)))
		goto drop;
	length = net16(h.length);
	if (length < sizeof(h) || length > p->length)
		goto drop;
	packet_trim(p, length);
	if (!checksum_ok(p, &h, info))
		goto drop;
	u16 port = net16(h.destination), source_port = net16(h.source);

	if (info->type != RTN_LOCAL) {
		packet_pull(p, sizeof(h));
		deliver_to_all(p, info, port, source_port);
		return;
	}
	u = find(info, port, source_port);
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
	u = find(&info, port, remote_port);
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
