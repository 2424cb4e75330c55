/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control messages of Internet sockets (ip(7), ipv6(7)). */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/inet_socket.h>

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

static void put_v4(const struct inet_socket *s, struct socket_message *m,
		   const struct inet_address *destination, int device_index, u8 ttl, u8 tos)
{
	int number;

	if (s->flags & INET_RECEIVE_PKTINFO) {
		struct in_pktinfo info = { .ipi_ifindex = device_index,
					   .ipi_spec_dst.s_addr = inet_to_v4(destination),
					   .ipi_addr.s_addr = inet_to_v4(destination) };

		inet_put_control(m, SOL_IP, IP_PKTINFO, &info, sizeof(info));
	}
	number = ttl;
	if (s->flags & INET_RECEIVE_TTL)
		inet_put_control(m, SOL_IP, IP_TTL, &number, sizeof(number));
	if (s->flags & INET_RECEIVE_TOS)
		inet_put_control(m, SOL_IP, IP_TOS, &tos, sizeof(tos));
}

static void put_v6(const struct inet_socket *s, struct socket_message *m,
		   const struct inet_address *destination, int device_index, u8 ttl, u8 tos)
{
	int number;

	if (s->flags & INET6_RECEIVE_PKTINFO) {
		struct in6_pktinfo {
			struct in6_addr address;
			int index;
		} info = { .index = device_index };

		memcpy(&info.address, destination, sizeof(info.address));
		inet_put_control(m, SOL_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	}
	number = ttl;
	if (s->flags & INET6_RECEIVE_HOPLIMIT)
		inet_put_control(m, SOL_IPV6, IPV6_HOPLIMIT, &number, sizeof(number));
	number = tos;
	if (s->flags & INET6_RECEIVE_TCLASS)
		inet_put_control(m, SOL_IPV6, IPV6_TCLASS, &number, sizeof(number));
}

void inet_put_packet_control(const struct inet_socket *s, struct socket_message *m,
			     const struct packet *p, const struct inet_address *destination,
			     int device_index, u8 ttl, u8 tos) __no_lock_analysis
{
	if (s->socket->options & (SOCKET_TIMESTAMP | SOCKET_TIMESTAMP_NS))
		put_timestamp(s->socket, m, p->time_ns);
	if (unlikely(s->socket->timestamping))
		inet_put_timestamping(s->socket, m, p->time_ns);
	if (s->flags & (INET_RECEIVE_PKTINFO | INET_RECEIVE_TTL | INET_RECEIVE_TOS))
		if (inet_is_v4(destination))
			put_v4(s, m, destination, device_index, ttl, tos);
	if (s->flags & (INET6_RECEIVE_PKTINFO | INET6_RECEIVE_HOPLIMIT | INET6_RECEIVE_TCLASS))
		put_v6(s, m, destination, device_index, ttl, tos);
}

static int parse_one(const struct cmsghdr *c, size_t size, struct inet_send_control *out)
{
	const void *data = CMSG_DATA(c);
	struct in_pktinfo info;
	struct in6_addr address;
	int number = 0;

	if (size == 1)
		number = *(const u8 *)data;
	else if (size >= sizeof(int))
		memcpy(&number, data, sizeof(number));
	if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_PKTINFO) {
		if (size != sizeof(info))
			return -EINVAL;
		memcpy(&info, data, sizeof(info));
		out->device_index = info.ipi_ifindex;
		if (info.ipi_spec_dst.s_addr)
			out->source = inet_from_v4(info.ipi_spec_dst.s_addr);
		return 0;
	}
	if (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		if (size < sizeof(address) + sizeof(int))
			return -EINVAL;
		memcpy(&address, data, sizeof(address));
		memcpy(&out->source, &address, sizeof(address));
		memcpy(&out->device_index, (const u8 *)data + sizeof(address), sizeof(int));
		return 0;
	}
	if ((c->cmsg_level == SOL_IP && c->cmsg_type == IP_TTL) ||
	    (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
		if (size != sizeof(int) || number < -1 || number > 255)
			return -EINVAL;
		out->ttl = number;
		return 0;
	}
	if ((c->cmsg_level == SOL_IP && c->cmsg_type == IP_TOS) ||
	    (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_TCLASS)) {
		if (!size || number < -1 || number > 255)
			return -EINVAL;
		out->tos = number;
		return 0;
	}
	if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_SEGMENT) {
		if (size != sizeof(u16))
			return -EINVAL;
		memcpy(&out->segment_size, data, sizeof(u16));
		return 0;
	}
	if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPING_OLD) {
		if (size != sizeof(u32) || ((u32)number & ~SOF_TIMESTAMPING_TX_RECORD_MASK))
			return -EINVAL;
		out->stamps = (u32)number;
		return 0;
	}
	return c->cmsg_level == SOL_SOCKET ? 0 : -EINVAL;
}

int inet_parse_control(const struct socket_message *m, struct inet_send_control *out)
{
	const struct socket_control *control = m->control;
	size_t at = 0;

	*out = (struct inet_send_control){ .ttl = -1, .tos = -1 };
	while (control && control->raw && at + sizeof(struct cmsghdr) <= control->raw_length) {
		const struct cmsghdr *c = (const void *)((const u8 *)control->raw + at);
		int error;

		if (c->cmsg_len < sizeof(*c) || c->cmsg_len > control->raw_length - at)
			return -EINVAL;
		error = parse_one(c, c->cmsg_len - sizeof(*c), out);
		if (error)
			return error;
		at += CMSG_ALIGN(c->cmsg_len);
	}
	return 0;
}
