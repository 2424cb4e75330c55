/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control messages of Internet sockets (ip(7), ipv6(7)). */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/byte_order.h>
#include <net/datagram.h>
#include <obj/credentials.h>

#include <asm/socket.h>
#include <linux/net_tstamp.h>
#include <linux/time_types.h>
#include <linux/udp.h>

void inet_put_control(struct socket_message *m, int level, int type, const void *data, size_t size)
{
	if (!m->control || !socket_control_append(m->control, level, type, data, size))
		m->flags_result |= MSG_CTRUNC;
}

static void put_timestamp(const struct socket *socket, struct socket_message *m, u64 ns)
{
	if (socket->options & SOCKET_TIMESTAMP_NS) {
		struct __kernel_timespec t = { (s64)(ns / 1000000000), (s64)(ns % 1000000000) };

		inet_put_control(m, SOL_SOCKET, SO_TIMESTAMPNS_OLD, &t, sizeof(t));
	} else {
		struct __kernel_sock_timeval t = { (s64)(ns / 1000000000),
						   (s64)(ns % 1000000000 / 1000) };

		inet_put_control(m, SOL_SOCKET, SO_TIMESTAMP_OLD, &t, sizeof(t));
	}
}

/* SCM_TIMESTAMPING: the first of the three is the one of software. */
void inet_put_timestamping(const struct socket *socket, struct socket_message *m, u64 ns)
{
	struct __kernel_timespec t[3] = { { (s64)(ns / 1000000000), (s64)(ns % 1000000000) } };

	if ((socket->timestamping & SOF_TIMESTAMPING_SOFTWARE) && ns)
		inet_put_control(m, SOL_SOCKET, SO_TIMESTAMPING_OLD, t, sizeof(t));
}

void inet_put_times(const struct socket *socket, struct socket_message *m, u64 ns)
{
	if (socket->options & (SOCKET_TIMESTAMP | SOCKET_TIMESTAMP_NS))
		put_timestamp(socket, m, ns);
	if (unlikely(socket->timestamping))
		inet_put_timestamping(socket, m, ns);
}

/* The Internet header that came with the packet. */
static const u8 *header_of(const struct packet *p)
{
	return p->room + p->network_header;
}

/* The address that the packet was sent to, with the port (IP_RECVORIGDSTADDR). */
static void put_original(const struct inet_socket *s, struct socket_message *m,
			 const struct datagram_received *r, bool v4)
{
	struct inet_node as = { .family = v4 ? AF_INET : AF_INET6 };
	struct socket_address address;

	inet_encode(&as, &r->destination, s->node.local_port, (u32)r->device_index, &address);
	inet_put_control(m, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_ORIGDSTADDR : IPV6_ORIGDSTADDR,
			 &address.storage, address.length);
}

static void put_v4(const struct inet_socket *s, struct socket_message *m, const struct packet *p,
		   const struct datagram_received *r)
{
	const unsigned fixed = 20;
	int number = r->ttl;

	if (s->flags & INET_RECEIVE_PKTINFO) {
		struct in_pktinfo info = { .ipi_ifindex = r->device_index,
					   .ipi_spec_dst.s_addr = inet_to_v4(&r->destination),
					   .ipi_addr.s_addr = inet_to_v4(&r->destination) };

		inet_put_control(m, SOL_IP, IP_PKTINFO, &info, sizeof(info));
	}
	if (s->flags & INET_RECEIVE_TTL)
		inet_put_control(m, SOL_IP, IP_TTL, &number, sizeof(number));
	if (s->flags & INET_RECEIVE_TOS)
		inet_put_control(m, SOL_IP, IP_TOS, &r->tos, sizeof(r->tos));
	if ((s->flags & INET_RECEIVE_OPTIONS) && r->header_length > fixed)
		inet_put_control(m, SOL_IP, IP_RECVOPTS, header_of(p) + fixed,
				 r->header_length - fixed);
	if ((s->flags & INET_RETURN_OPTIONS) && r->header_length > fixed)
		inet_put_control(m, SOL_IP, IP_RETOPTS, header_of(p) + fixed,
				 r->header_length - fixed);
	if (s->flags & INET_RECEIVE_ORIGINAL)
		put_original(s, m, r, true);
}

/* RFC 3542, 7 to 9: the extension headers that are asked for, in their order. */
static void put_extensions(const struct inet_socket *s, struct socket_message *m,
			   const struct packet *p, const struct datagram_received *r)
{
	const u8 *header = header_of(p);
	unsigned at = 40, length;
	u8 next = header[6];

	for (; at + 8u <= r->header_length; next = header[at], at += length) {
		u32 flag = next == IPPROTO_HOPOPTS   ? INET6_RECEIVE_HOP_OPTIONS
			   : next == IPPROTO_ROUTING ? INET6_RECEIVE_ROUTING
						     : INET6_RECEIVE_DESTINATION_OPTIONS;
		int type = next == IPPROTO_HOPOPTS   ? IPV6_HOPOPTS
			   : next == IPPROTO_ROUTING ? IPV6_RTHDR
						     : IPV6_DSTOPTS;

		length = next == IPPROTO_FRAGMENT ? 8 : (header[at + 1] + 1u) * 8;
		if (length > r->header_length - at)
			return;
		if (next != IPPROTO_FRAGMENT && (s->flags & flag))
			inet_put_control(m, SOL_IPV6, type, header + at, length);
	}
}

static void put_pktinfo6(const struct inet_socket *s, struct socket_message *m,
			 const struct datagram_received *r)
{
	struct in6_pktinfo {
		struct in6_addr address;
		int index;
	} info = { .index = r->device_index };

	memcpy(&info.address, &r->destination, sizeof(info.address));
	if (s->flags & INET6_RECEIVE_PKTINFO)
		inet_put_control(m, SOL_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	if (s->flags & INET6_RECEIVE_OLD_PKTINFO)
		inet_put_control(m, SOL_IPV6, IPV6_2292PKTINFO, &info, sizeof(info));
}

static void put_v6(const struct inet_socket *s, struct socket_message *m, const struct packet *p,
		   const struct datagram_received *r)
{
	bool v4 = inet_is_v4(&r->destination);
	int number;

	if (s->flags & (INET6_RECEIVE_PKTINFO | INET6_RECEIVE_OLD_PKTINFO))
		put_pktinfo6(s, m, r);
	number = r->ttl;
	if (s->flags & INET6_RECEIVE_HOPLIMIT)
		inet_put_control(m, SOL_IPV6, IPV6_HOPLIMIT, &number, sizeof(number));
	if (s->flags & INET6_RECEIVE_OLD_HOPLIMIT)
		inet_put_control(m, SOL_IPV6, IPV6_2292HOPLIMIT, &number, sizeof(number));
	number = r->tos;
	if (s->flags & INET6_RECEIVE_TCLASS)
		inet_put_control(m, SOL_IPV6, IPV6_TCLASS, &number, sizeof(number));
	if (s->flags & INET6_RECEIVE_ORIGINAL)
		put_original(s, m, r, false);
	if (v4 || r->header_length < 40)
		return;
	memcpy(&number, header_of(p), sizeof(number));
	number &= (int)net32(0x0fffffff);
	if ((s->flags & INET6_RECEIVE_FLOWINFO) && number)
		inet_put_control(m, SOL_IPV6, IPV6_FLOWINFO, &number, sizeof(number));
	put_extensions(s, m, p, r);
}

#define WANTED_V4                                                                                  \
	(INET_RECEIVE_PKTINFO | INET_RECEIVE_TTL | INET_RECEIVE_TOS | INET_RECEIVE_OPTIONS |       \
	 INET_RETURN_OPTIONS | INET_RECEIVE_ORIGINAL)
#define WANTED_V6                                                                                  \
	(INET6_RECEIVE_PKTINFO | INET6_RECEIVE_HOPLIMIT | INET6_RECEIVE_TCLASS |                   \
	 INET6_RECEIVE_FLOWINFO | INET6_RECEIVE_HOP_OPTIONS | INET6_RECEIVE_ROUTING |              \
	 INET6_RECEIVE_DESTINATION_OPTIONS | INET6_RECEIVE_ORIGINAL | INET6_RECEIVE_OLD_PKTINFO |  \
	 INET6_RECEIVE_OLD_HOPLIMIT)

void inet_put_packet_control(const struct inet_socket *s, struct socket_message *m,
			     const struct packet *p) __no_lock_analysis
{
	const struct datagram_received *r = datagram_received(p);

	inet_put_times(s->socket, m, p->time_ns);
	if (unlikely(s->socket->options & SOCKET_RECEIVE_OVERFLOWS) && r->dropped)
		inet_put_control(m, SOL_SOCKET, SO_RXQ_OVFL, &r->dropped, sizeof(r->dropped));
	if ((s->flags & WANTED_V4) && inet_is_v4(&r->destination))
		put_v4(s, m, p, r);
	if (s->flags & WANTED_V6)
		put_v6(s, m, p, r);
}

/* Control messages of IPv6 whose data is 4 bytes. */
static int parse_ipv6_number(int type, int number, struct inet_send_control *out)
{
	switch (type) {
	case IPV6_HOPLIMIT:
	case IPV6_2292HOPLIMIT:
		if (number < -1 || number > 255)
			return -EINVAL;
		out->ttl = number;
		return 0;
	case IPV6_TCLASS:
		if (number < -1 || number > 255)
			return -EINVAL;
		out->tos = number;
		return 0;
	case IPV6_DONTFRAG:
		if (number < 0 || number > 1)
			return -EINVAL;
		out->dont_fragment = number;
		return 0;
	case IPV6_FLOWINFO:
		out->has_flow_label = true;
		out->flow_label = net32((u32)number) & 0xfffff;
		return 0;
	default:
		return -EINVAL;
	}
}

static int parse_ipv6(const struct cmsghdr *c, size_t size, struct inet_send_control *out)
{
	const void *data = CMSG_DATA(c);
	int extension = inet_extension_of(c->cmsg_type), number, error;

	if (c->cmsg_type == IPV6_PKTINFO || c->cmsg_type == IPV6_2292PKTINFO) {
		if (size < sizeof(out->source) + sizeof(int))
			return -EINVAL;
		memcpy(&out->source, data, sizeof(out->source));
		memcpy(&out->device_index, (const u8 *)data + sizeof(out->source), sizeof(int));
		return 0;
	}
	if (extension >= 0) {
		error = inet_check_extension(data, size);
		if (!error)
			out->extensions[extension] = data;
		return error;
	}
	if (size != sizeof(number) && !(c->cmsg_type == IPV6_TCLASS && size > sizeof(number)))
		return -EINVAL;
	memcpy(&number, data, sizeof(number));
	return parse_ipv6_number(c->cmsg_type, number, out);
}

static int parse_ip(const struct cmsghdr *c, size_t size, struct inet_send_control *out)
{
	const void *data = CMSG_DATA(c);
	struct in_pktinfo info;
	int number = 0;

	if (size == 1)
		number = *(const u8 *)data;
	else if (size >= sizeof(int))
		memcpy(&number, data, sizeof(number));
	switch (c->cmsg_type) {
	case IP_PKTINFO:
		if (size != sizeof(info))
			return -EINVAL;
		memcpy(&info, data, sizeof(info));
		out->device_index = info.ipi_ifindex;
		if (info.ipi_spec_dst.s_addr)
			out->source = inet_from_v4(info.ipi_spec_dst.s_addr);
		return 0;
	case IP_TTL:
		if (size != sizeof(int) || number < 1 || number > 255)
			return -EINVAL;
		out->ttl = number;
		return 0;
	case IP_TOS:
		if (!size || number < 0 || number > 255)
			return -EINVAL;
		out->tos = number;
		return 0;
	default:
		return -EINVAL;
	}
}

static int parse_socket(const struct socket *socket, const struct cmsghdr *c, size_t size,
			struct inet_send_control *out)
{
	u32 number = 0;

	if (size >= sizeof(number))
		memcpy(&number, CMSG_DATA(c), sizeof(number));
	switch (c->cmsg_type) {
	case SO_TIMESTAMPING_OLD:
	case SO_TIMESTAMPING_NEW:
		if (size != sizeof(number) || (number & ~SOF_TIMESTAMPING_TX_RECORD_MASK))
			return -EINVAL;
		out->stamps = number;
		return 0;
	case SO_MARK:
		if (!capable(CAP_NET_RAW) && !capable(CAP_NET_ADMIN))
			return -EPERM;
		if (size != sizeof(number))
			return -EINVAL;
		out->has_mark = true;
		out->mark = number;
		return 0;
	case SCM_TXTIME: /* it goes at once, see set_txtime() */
		return (socket->options & SOCKET_TXTIME) && size == sizeof(u64) ? 0 : -EINVAL;
	case SCM_RIGHTS: /* unix(7): nothing to do here */
	case SCM_CREDENTIALS:
		return 0;
	default:
		return -EINVAL;
	}
}

static int parse_one(const struct socket *socket, const struct cmsghdr *c, size_t size,
		     struct inet_send_control *out)
{
	switch (c->cmsg_level) {
	case SOL_SOCKET:
		return parse_socket(socket, c, size, out);
	case SOL_IP:
		return parse_ip(c, size, out);
	case SOL_IPV6:
		return parse_ipv6(c, size, out);
	case SOL_UDP:
		if (c->cmsg_type != UDP_SEGMENT || size != sizeof(u16))
			return -EINVAL;
		memcpy(&out->segment_size, CMSG_DATA(c), sizeof(u16));
		return 0;
	default:
		return -EINVAL;
	}
}

static int parse_all(const struct socket *socket, const struct socket_message *m, bool of_socket,
		     struct inet_send_control *out)
{
	const struct socket_control *control = m->control;
	size_t at = 0;

	*out = (struct inet_send_control)INET_SEND_CONTROL_NONE;
	while (control && control->raw && at + sizeof(struct cmsghdr) <= control->raw_length) {
		const struct cmsghdr *c = (const void *)((const u8 *)control->raw + at);
		int error = 0;

		if (c->cmsg_len < sizeof(*c) || c->cmsg_len > control->raw_length - at)
			return -EINVAL;
		if (!of_socket || c->cmsg_level == SOL_SOCKET)
			error = parse_one(socket, c, c->cmsg_len - sizeof(*c), out);
		if (error)
			return error;
		at += CMSG_ALIGN(c->cmsg_len);
	}
	return 0;
}

int inet_parse_control(const struct socket *socket, const struct socket_message *m,
		       struct inet_send_control *out)
{
	return parse_all(socket, m, false, out);
}

int inet_parse_socket_control(const struct socket *socket, const struct socket_message *m,
			      struct inet_send_control *out)
{
	return parse_all(socket, m, true, out);
}
