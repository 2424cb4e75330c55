/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sending datagrams: where to, corking, segments. */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/checksum.h>
#include <net/udp/udp.h>

#include <linux/rtnetlink.h>

#define SEGMENTS_MAX 128 /* of UDP_SEGMENT */

/* SO_NO_CHECK. The socket is there: it is the one whose send runs. */
static bool no_checksum(const struct udp *u) __no_lock_analysis
{
	return u->inet.socket->options & SOCKET_NO_CHECKSUM;
}

/* The rare case: the program adds headers of its own. Takes the packet. */
static int transmit_extended(struct inet_socket *s, struct packet *p, const struct inet_flow *flow,
			     const struct route_result *route,
			     const struct inet_send_control *control)
{
	struct inet_flow extended = *flow;
	u8 options[IPV4_OPTIONS_MAX];
	int error = inet_extend(s, control, p, &extended, options);

	if (error) {
		packet_free(p);
		return error;
	}
	return inet_output(s->node.network, p, &extended, route);
}

/* RFC 3828, 3.1: the length is how much the checksum covers, 0 for all. */
static void put_lite_checksum(const struct udp *u, struct packet *p, struct udp_header *h,
			      const struct inet_flow *flow)
{
	u16 coverage = u->send_coverage.bytes;
	unsigned covered = p->length;
	u32 sum;

	if (u->send_coverage.given && coverage < p->length) {
		h->length = net16(coverage);
		covered = coverage ? coverage : p->length;
	}
	sum = checksum_pseudo(&flow->source, &flow->destination, p->length, IPPROTO_UDPLITE);
	h->checksum = (u16)~checksum_fold(packet_sum(p, 0, covered, sum));
	if (!h->checksum)
		h->checksum = 0xffff;
}

/* Adds the UDP header to a payload and sends it along `route`. Takes the packet. */
static int transmit(struct udp *u, struct packet *p, struct inet_flow *flow, u16 port,
		    const struct route_result *route, const struct inet_send_control *control)
{
	struct inet_socket *s = &u->inet;
	struct udp_header *h = packet_push(p, sizeof(*h));
	u8 discovery = s->path_mtu_discovery;
	bool v4 = inet_is_v4(&flow->destination);
	unsigned headers = v4 ? 20 : 40;

	*h = (struct udp_header){ net16(s->node.local_port), net16(port), net16((u16)p->length),
				  0 };
	if (unlikely(u->protocol->lite)) {
		put_lite_checksum(u, p, h, flow);
	} else if (likely(v4 ? !no_checksum(u) : !u->no_checksum6_out)) {
		h->checksum = checksum_fold(
			checksum_pseudo(&flow->source, &flow->destination, p->length, IPPROTO_UDP));
		p->checksum = CHECKSUM_PARTIAL;
		p->checksum_start = (u16)packet_headroom(p);
		p->checksum_offset = offsetof(struct udp_header, checksum);
	}
	flow->dont_fragment = discovery == IP_PMTUDISC_DO || discovery == IP_PMTUDISC_PROBE ||
			      (discovery == IP_PMTUDISC_WANT && p->length + headers <= route->mtu);
	if (!v4)
		inet_fill_flow6(s, control, (u32)s->node.local_port << 16 | port, flow);
	if (unlikely(inet_is_extended(s, control, v4)))
		return transmit_extended(s, p, flow, route, control);
	return inet_output(s->node.network, p, flow, route);
}

/* Cuts a payload into datagrams of segment_size bytes (udp(7), UDP_SEGMENT). */
static int transmit_segments(struct udp *u, struct packet *whole, struct inet_flow *flow, u16 port,
			     const struct route_result *route,
			     const struct inet_send_control *control)
{
	unsigned size = control->segment_size;
	int error = 0;

	while (whole->length > size && !error) {
		struct packet *p = packet_clone(whole);

		if (!p) {
			error = -ENOBUFS;
			break;
		}
		packet_trim(p, size);
		packet_pull(whole, size);
		error = transmit(u, p, flow, port, route, control);
	}
	if (!error)
		return transmit(u, whole, flow, port, route, control);
	packet_free(whole);
	return error;
}

static void fill_flow(const struct udp *u, struct inet_flow *flow)
{
	const struct inet_socket *s = &u->inet;

	flow->protocol = u->protocol->number;
	flow->tos = inet_is_v4(&flow->destination) ? s->tos : s->tclass;
	inet_fill_hops(s, flow);
}

/* Where the datagram goes: the address of the message, or of the connection. */
static int destination(struct inet_socket *s, const struct socket_message *m,
		       struct inet_address *to, u16 *port, u32 *scope)
{
	int error;

	*scope = 0;
	if (!m->address || !m->address->length) {
		if (!s->node.remote_port)
			return -EDESTADDRREQ;
		*to = s->node.remote;
		*port = s->node.remote_port;
		*scope = s->scope;
		return 0;
	}
	if (m->address->family == AF_UNSPEC && s->node.family == AF_INET) {
		struct socket_address copy = *m->address;

		copy.family = AF_INET;
		error = inet_decode_remote(&s->node, &copy, to, port, scope);
	} else {
		error = inet_decode_remote(&s->node, m->address, to, port, scope);
	}
	if (error)
		return error;
	return *port ? 0 : -EINVAL;
}

/* The socket is there: it is the one whose send runs. */
static u32 mark_of(const struct inet_socket *s,
		   const struct inet_send_control *control) __no_lock_analysis
{
	return control->has_mark ? control->mark : (u32)s->socket->mark;
}

static int find_route(struct inet_socket *s, struct inet_flow *flow, u16 port, bool connected,
		      const struct inet_send_control *control, struct route_result *route)
{
	struct route_query query = { .destination = flow->destination,
				     .source = flow->source,
				     .device_index = control->device_index,
				     .uid = s->node.uid,
				     .preferences = s->address_preferences,
				     .tos = flow->tos,
				     .protocol = flow->protocol,
				     .source_port = s->node.local_port,
				     .destination_port = port };
	int error = 0;

	if (connected) {
		spin_lock(&s->lock);
		error = inet_route(s);
		*route = s->route;
		spin_unlock(&s->lock);
	} else {
		query.mark = mark_of(s, control);
		if (!query.device_index)
			query.device_index = inet_device_for(s, &flow->destination);
		error = route_find_query(s->node.network, &query, route);
	}
	if (!error && inet_is_any(&flow->source))
		flow->source = route->source;
	if (unlikely(route->narrowed) && s->path_mtu_discovery >= IP_PMTUDISC_PROBE)
		route->mtu = route_device_mtu(route->device, &flow->destination);
	return error;
}

/* The socket is there: it is the one whose send runs. */
static bool may_broadcast(const struct udp *u) __no_lock_analysis
{
	return u->inet.socket->options & SOCKET_BROADCAST;
}

/* Segments that are to be sent in one call: as many, and each within the path, as on Linux. */
static int check_segments(const struct packet *p, const struct inet_flow *flow,
			  const struct route_result *route, unsigned size)
{
	unsigned headers = (inet_is_v4(&flow->destination) ? 20u : 40u) + 8;

	if (p->length > (inet_is_v4(&flow->destination) ? UDP_PAYLOAD_MAX : UDP_PAYLOAD_MAX6))
		return -EMSGSIZE;
	return MIN(size, p->length) + headers > route->mtu || p->length > size * SEGMENTS_MAX
		       ? -EINVAL
		       : 0;
}

static int send_packet(struct udp *u, struct packet *p, struct inet_flow *flow, u16 port,
		       bool connected, const struct inet_send_control *control)
{
	struct inet_socket *s = &u->inet;
	struct route_result route;
	int error;

	rcu_read_lock();
	error = find_route(s, flow, port, connected, control, &route);
	if (!error && route.type == RTN_BROADCAST && !may_broadcast(u))
		error = -EACCES;
	if (!error && control->segment_size)
		error = u->protocol->lite ? -EIO
					  : check_segments(p, flow, &route, control->segment_size);
	if (error)
		packet_free(p);
	else if (control->segment_size && p->length > control->segment_size)
		error = transmit_segments(u, p, flow, port, &route, control);
	else
		error = transmit(u, p, flow, port, &route, control);
	rcu_read_unlock();
	if (unlikely(error == -EMSGSIZE))
		inet_queue_too_big(s, &flow->destination,
				   inet_is_v4(&flow->destination) ? s->node.remote_port : port,
				   route.mtu); /* the port as on Linux */
	return error;
}

void udp_cork_drop(struct udp *u)
{
	mutex_lock(&u->cork_lock);
	packet_free(u->cork);
	u->cork = nullptr;
	mutex_unlock(&u->cork_lock);
}

/* MSG_MORE, UDP_CORK: the payload grows until a send without them. */
static ssize_t send_corked(struct udp *u, struct socket_message *m, struct inet_flow *flow,
			   u16 port, const struct inet_send_control *given, bool more)
{
	struct inet_send_control control = INET_SEND_CONTROL_NONE; /* not the message's headers */
	size_t n = m->data->remaining;
	struct packet *p = nullptr;
	int error;

	mutex_lock(&u->cork_lock);
	if (!u->cork) {
		u->cork = packet_alloc();
		if (u->cork)
			inet_extend_room(&u->inet, nullptr, u->cork);
		u->cork_flow = *flow;
		u->cork_port = port;
		u->cork_device = given->device_index;
		u->cork_segment_size = given->segment_size;
	}
	error = u->cork ? 0 : -ENOBUFS;
	if (!error && u->cork->length + n >
			      (inet_is_v4(&flow->destination) ? UDP_PAYLOAD_MAX : UDP_PAYLOAD_MAX6))
		error = -EMSGSIZE;
	if (!error)
		error = packet_append_iter(u->cork, m->data, n);
	if (error || !more) {
		p = u->cork;
		u->cork = nullptr;
		*flow = u->cork_flow;
		port = u->cork_port;
		control.device_index = u->cork_device;
		control.segment_size = u->cork_segment_size;
	}
	mutex_unlock(&u->cork_lock);
	if (error)
		packet_free(p);
	else if (p)
		error = send_packet(u, p, flow, port, false, &control);
	return error ? error : (ssize_t)n;
}

static int autobind(struct udp *u)
{
	struct inet_socket *s = &u->inet;
	int error = 0;

	spin_lock(&s->lock);
	if (!s->node.binding)
		error = port_bind(&u->protocol->ports, &s->node, 0);
	spin_unlock(&s->lock);
	return error == -EADDRINUSE ? -EAGAIN : error;
}

static bool corking(struct udp *u) __no_lock_analysis
{
	return READ_ONCE(u->cork) != nullptr;
}

/* What the message and the socket say of the Internet header. */
static void complete_flow(const struct udp *u, struct inet_send_control *control, u32 scope,
			  struct inet_flow *flow)
{
	if (!inet_is_any(&control->source))
		flow->source = control->source;
	if (inet_is_v4(&flow->destination) && !inet_is_v4(&flow->source))
		flow->source = inet_from_v4(0);
	if (inet_is_multicast(&flow->source) || inet_is_limited_broadcast(&flow->source))
		flow->source =
			inet_is_v4(&flow->source) ? inet_from_v4(0) : (struct inet_address){};
	fill_flow(u, flow);
	if (control->ttl > 0)
		flow->ttl = (u8)control->ttl;
	if (control->tos >= 0)
		flow->tos = (u8)control->tos;
	if (!control->device_index)
		control->device_index = (int)scope;
	if (!control->segment_size)
		control->segment_size = u->segment_size;
}

/* More than a datagram may have: over IPv6, what would have fit is told as of one that does not fit into the path. */
static int refuse_large(struct inet_socket *s, struct inet_flow *flow,
			const struct inet_send_control *control, u16 port)
{
	struct route_result route;
	int error;

	if (inet_is_v4(&flow->destination))
		return -EMSGSIZE;
	rcu_read_lock();
	error = find_route(s, flow, port, false, control, &route);
	rcu_read_unlock();
	if (error)
		return error;
	inet_queue_too_big(s, &flow->destination, port, route.mtu);
	return -EMSGSIZE;
}

/* Decodes the message but for its data; the socket has a port then. */
static int prepare(struct socket *socket, const struct socket_message *m, struct inet_flow *flow,
		   struct inet_send_control *control, u16 *port)
{
	struct udp *u = udp_of(socket);
	struct inet_socket *s = &u->inet;
	u32 scope;
	int error;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (socket->shutdown & SOCKET_SHUT_SEND)
		return -EPIPE;
	error = socket_take_error(socket);
	if (!error && m->data->remaining > 65535 - 8 && s->node.family == AF_INET)
		error = -EMSGSIZE;
	if (!error)
		error = destination(s, m, &flow->destination, port, &scope);
	if (!error && m->control)
		error = inet_parse_control(socket, m, control);
	if (!error)
		error = inet_take_flow_label(s, m, control);
	if (!error && !s->node.binding)
		error = autobind(u);
	if (error)
		return error;
	complete_flow(u, control, scope, flow);
	return m->data->remaining > 65535 - 8 ? refuse_large(s, flow, control, *port) : 0;
}

/* A packet with the payload. */
static int take_payload(struct socket *socket, struct socket_message *m,
			const struct inet_send_control *control, struct packet **out)
{
	struct inet_socket *s = &udp_of(socket)->inet;
	struct packet *p = packet_alloc();
	int error;

	if (!p)
		return -ENOBUFS;
	inet_extend_room(s, control, p);
	p->mark = control->has_mark ? control->mark : (u32)socket->mark;
	error = packet_append_iter(p, m->data, m->data->remaining);
	if (error) {
		packet_free(p);
		return error;
	}
	if (unlikely(socket->timestamping | control->stamps))
		inet_stamp(s, socket, p, control->stamps);
	*out = p;
	return 0;
}

ssize_t udp_send(struct socket *socket, struct socket_message *m)
{
	struct udp *u = udp_of(socket);
	struct inet_send_control control = INET_SEND_CONTROL_NONE;
	struct inet_flow flow = { .source = u->inet.node.local };
	bool connected = !m->address || !m->address->length;
	size_t n = m->data->remaining;
	struct packet *p;
	u16 port;
	int error = prepare(socket, m, &flow, &control, &port);

	if (error)
		return error;
	if ((m->flags & MSG_MORE) || u->corked || corking(u))
		return send_corked(u, m, &flow, port, &control, (m->flags & MSG_MORE) || u->corked);
	if (n > UDP_PAYLOAD_MAX && inet_is_v4(&flow.destination))
		return -EMSGSIZE;
	error = take_payload(socket, m, &control, &p);
	if (error)
		return error;
	error = send_packet(u, p, &flow, port,
			    connected && inet_is_any(&control.source) && !control.device_index,
			    &control);
	if (unlikely(m->flags & MSG_ZEROCOPY) && !error && (socket->options & SOCKET_ZERO_COPY))
		inet_zero_copy_done(&u->inet);
	return error ? error : (ssize_t)n;
}
