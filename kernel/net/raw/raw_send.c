/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sending by raw and ping sockets: the headers that programs leave to the kernel, and those that they do not (raw(7), RFC 3542). */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/checksum.h>
#include <net/ipv4/ipv4.h>
#include <net/ipv6/ipv6.h>
#include <net/raw/raw_priv.h>

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>

/* An ICMP message of a user: a ping socket sends echo requests under its identifier only. */
static int prepare_icmp(struct raw *r, struct packet *p, const struct inet_flow *flow)
{
	bool v4 = r->protocol == IPPROTO_ICMP, ping = r->inet.node.kind == INET_PING;
	u32 pseudo = 0;
	u16 sum;

	if (p->length < 8 || !packet_linearize(p, 8))
		return ping ? -EINVAL : 0;
	if (ping) {
		if (p->data[0] != (v4 ? ICMP_ECHO : ICMPV6_ECHO_REQUEST) || p->data[1])
			return -EINVAL;
		store_net16(p->data + 4, r->inet.node.local_port);
	} else if (v4) {
		return 0; /* a raw sender computes its own */
	}
	p->data[2] = p->data[3] = 0;
	if (!v4)
		pseudo = checksum_pseudo(&flow->source, &flow->destination, p->length,
					 IPPROTO_ICMPV6);
	sum = (u16)~checksum_fold(packet_sum(p, 0, p->length, pseudo));
	memcpy(p->data + 2, &sum, 2);
	return 0;
}

/* IPV6_CHECKSUM (RFC 3542, 3.1): the kernel fills in the checksum at that place. */
static int put_checksum(struct packet *p, unsigned at, const struct inet_flow *flow)
{
	u16 sum;

	if (at + 2 > p->length || !packet_linearize(p, at + 2))
		return -EINVAL;
	memset(p->data + at, 0, sizeof(sum));
	sum = (u16)~checksum_fold(packet_sum(
		p, 0, p->length,
		checksum_pseudo(&flow->source, &flow->destination, p->length, flow->protocol)));
	if (!sum && flow->protocol == IPPROTO_UDP)
		sum = 0xffff;
	memcpy(p->data + at, &sum, sizeof(sum));
	return 0;
}

static int prepare(struct raw *r, struct packet *p, const struct inet_flow *flow)
{
	if (r->protocol == IPPROTO_ICMP || r->protocol == IPPROTO_ICMPV6)
		return prepare_icmp(r, p, flow);
	if (r->checksum_at >= 0 && !inet_is_v4(&flow->destination))
		return put_checksum(p, (unsigned)r->checksum_at, flow);
	return 0;
}

/* The packet of a program that made the header, too, has that and fits, or is freed. -EMSGSIZE, -EINVAL. */
static int check_own(struct packet *p, unsigned header, const struct route_result *route)
{
	int error = p->length > route->mtu ? -EMSGSIZE : packet_linearize(p, header) ? 0 : -EINVAL;

	if (error)
		packet_free(p);
	return error;
}

/* A packet that comes with its own IPv4 header (IP_HDRINCL). */
static int send_with_header(struct raw *r, struct packet *p, const struct inet_flow *flow,
			    const struct route_result *route)
{
	int error = check_own(p, sizeof(struct ipv4_header), route);
	struct ipv4_header *h;
	unsigned header;

	if (error)
		return error;
	h = (struct ipv4_header *)p->data;
	header = (h->version_length & 15) * 4u;
	if (header < sizeof(*h) || !packet_linearize(p, header)) {
		packet_free(p);
		return -EINVAL;
	}
	if (!h->source)
		h->source = inet_to_v4(&flow->source);
	h->total_length = net16((u16)p->length);
	h->checksum = 0;
	h->checksum = (u16)~checksum_fold(checksum_add(h, header, 0));
	p->protocol = 0x0800;
	p->network_header = (u16)packet_headroom(p);
	return inet_link_output(route->device, p, &route->next_hop);
}

/* Behind a header of IPv6 that the program made (IPV6_HDRINCL). */
static int send_with_header6(struct packet *p, const struct route_result *route)
{
	int error = check_own(p, sizeof(struct ipv6_header), route);

	if (error)
		return error;
	p->protocol = ETH_P_IPV6;
	p->network_header = (u16)packet_headroom(p);
	return inet_link_output(route->device, p, &route->next_hop);
}

static int transmit(struct raw *r, struct packet *p, struct inet_flow *flow,
		    const struct inet_send_control *control)
{
	bool v4 = inet_is_v4(&flow->destination);
	bool own_header = r->inet.flags & (v4 ? INET_HEADER_INCLUDED : INET6_HEADER_INCLUDED);
	struct inet_socket *s = &r->inet;
	struct route_query query;
	struct route_result route;
	u8 options[IPV4_OPTIONS_MAX];
	int error;

	rcu_read_lock();
	query = (struct route_query){ .destination = flow->destination,
				      .source = flow->source,
				      .device_index = control->device_index,
				      .mark = p->mark,
				      .uid = s->node.uid,
				      .preferences = s->address_preferences,
				      .tos = flow->tos,
				      .protocol = flow->protocol };
	error = route_find_query(s->node.network, &query, &route);
	if (!error && inet_is_any(&flow->source))
		flow->source = route.source;
	if (!error && !own_header)
		error = prepare(r, p, flow);
	if (!error && !own_header && !v4)
		inet_fill_flow6(s, control, 0, flow);
	if (!error && !own_header && inet_is_extended(s, control, v4))
		error = inet_extend(s, control, p, flow, options);
	if (error)
		packet_free(p);
	else if (own_header)
		error = v4 ? send_with_header(r, p, flow, &route) : send_with_header6(p, &route);
	else
		error = inet_output(s->node.network, p, flow, &route);
	rcu_read_unlock();
	if (unlikely(error == -EMSGSIZE))
		inet_queue_too_big(s, &flow->destination, 0, route.mtu);
	return error;
}

/* One call of raw_send: where the packet goes, and how. */
struct sending {
	struct inet_flow flow;
	struct inet_send_control control;
};

/* What the message and the socket say of the Internet header. */
static void complete_flow(const struct inet_socket *s, u32 scope, struct sending *out)
{
	struct inet_send_control *control = &out->control;
	struct inet_flow *flow = &out->flow;
	bool v4 = inet_is_v4(&flow->destination);

	flow->tos = control->tos >= 0 ? (u8)control->tos : v4 ? s->tos : s->tclass;
	inet_fill_hops(s, flow);
	if (control->ttl > 0)
		flow->ttl = (u8)control->ttl;
	if (!inet_is_any(&control->source))
		flow->source = control->source;
	flow->dont_fragment = s->path_mtu_discovery == IP_PMTUDISC_DO;
	if (!control->device_index)
		control->device_index = inet_device_for(s, &flow->destination) ?: (int)scope;
}

/* Decodes the message but for its data; a ping socket has an identifier then. */
static int prepare_send(struct socket *socket, const struct socket_message *m, struct sending *out)
{
	struct inet_socket *s = &raw_of(socket)->inet;
	u32 scope = s->scope;
	u16 port;
	int error = socket_take_error(socket);

	if (!error && m->data->remaining > 65535)
		error = -EMSGSIZE;
	if (!error && m->address && m->address->length)
		error = inet_decode_remote(&s->node, m->address, &out->flow.destination, &port,
					   &scope);
	else if (!error && !s->node.remote_port)
		error = -EDESTADDRREQ;
	else
		out->flow.destination = s->node.remote;
	if (!error)
		error = inet_parse_control(socket, m, &out->control);
	if (!error)
		error = inet_take_flow_label(s, m, &out->control);
	if (!error && s->node.kind == INET_PING && !s->node.binding) {
		spin_lock(&s->lock);
		error = port_bind(&ping_ports, &s->node, 0);
		spin_unlock(&s->lock);
	}
	if (!error)
		complete_flow(s, scope, out);
	return error;
}

ssize_t raw_send(struct socket *socket, struct socket_message *m)
{
	struct raw *r = raw_of(socket);
	struct inet_socket *s = &r->inet;
	struct sending sending = { .flow = { .source = s->node.local, .protocol = r->protocol } };
	size_t n = m->data->remaining;
	struct packet *p;
	int error = prepare_send(socket, m, &sending);

	if (error)
		return error;
	p = packet_alloc();
	if (!p)
		return -ENOBUFS;
	inet_extend_room(s, &sending.control, p);
	p->mark = sending.control.has_mark ? sending.control.mark : (u32)socket->mark;
	error = packet_append_iter(p, m->data, n);
	if (error) {
		packet_free(p);
		return error;
	}
	if (unlikely(socket->timestamping | sending.control.stamps))
		inet_stamp(s, socket, p, sending.control.stamps);
	error = transmit(r, p, &sending.flow, &sending.control);
	return error ? error : (ssize_t)n;
}
