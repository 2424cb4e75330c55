/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control messages of Internet sockets, and errors that are read as messages (ip(7), ipv6(7)). */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/inet_socket.h>

#include <asm/socket.h>
#include <linux/icmp.h>
#include <linux/time_types.h>
#include <linux/udp.h>

/* <linux/errqueue.h> needs the C library's struct timespec. */
struct extended_error {
	u32 number;
	u8 origin, type, code, pad;
	u32 info, data;
};
enum { ORIGIN_LOCAL = 1, ORIGIN_ICMP = 2, ORIGIN_ICMP6 = 3 };

#define ERRORS_MAX 64

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

/* control[] of a queued error. */
struct queued_error {
	struct extended_error error;
	u16 port; /* where the packet was sent */
	u16 unused;
	struct inet_address offender, destination;
};
static_assert(sizeof(struct queued_error) <= sizeof(((struct packet *)0)->control));

void inet_queue_error(struct inet_socket *s, const struct inet_error *error, u16 port)
{
	bool v4 = inet_is_v4(&error->inner.destination);
	bool wanted =
		s->flags & (s->node.family == AF_INET ? INET_RECEIVE_ERRORS : INET6_RECEIVE_ERRORS);
	struct queued_error *q;
	struct packet *p;

	if (!wanted || s->errors.count >= ERRORS_MAX)
		return;
	p = packet_alloc();
	if (!p)
		return;
	unsigned skip = error->inner.protocol == IPPROTO_UDP ? 8 : 0;

	if (error->length > skip &&
	    packet_append_bytes(p, error->data + skip,
				MIN(error->length - skip, packet_tailroom(p)))) {
		packet_free(p);
		return;
	}
	q = (struct queued_error *)p->control;
	*q = (struct queued_error){
		.error = { .number = (u32)error->error,
			   .origin = v4 ? ORIGIN_ICMP : ORIGIN_ICMP6,
			   .type = error->icmp_type,
			   .code = error->icmp_code,
			   .info = error->info },
		.port = port,
		.offender = error->offender,
		.destination = error->inner.destination,
	};
	packet_queue_add(&s->errors, p);
}

static void put_error(const struct inet_socket *s, const struct queued_error *q,
		      struct socket_message *m)
{
	struct {
		struct extended_error error;
		struct __kernel_sockaddr_storage offender;
	} message = { .error = q->error };
	struct socket_address offender;

	inet_encode(&s->node, &q->offender, 0, 0, &offender);
	memcpy(&message.offender, &offender.storage, offender.length);
	if (s->node.family == AF_INET)
		inet_put_control(m, SOL_IP, IP_RECVERR, &message,
				 sizeof(message.error) + offender.length);
	else
		inet_put_control(m, SOL_IPV6, IPV6_RECVERR, &message,
				 sizeof(message.error) + offender.length);
}

ssize_t inet_receive_error(struct inet_socket *s, struct socket_message *m)
{
	struct packet *p;
	const struct queued_error *q;
	size_t n;

	spin_lock(&s->lock);
	p = packet_queue_take(&s->errors);
	spin_unlock(&s->lock);
	if (!p)
		return -EAGAIN;
	q = (const struct queued_error *)p->control;
	n = packet_copy_to_iter(p, 0, m->data, p->length);
	if (n < p->length)
		m->flags_result |= MSG_TRUNC;
	if (m->address)
		inet_encode(&s->node, &q->destination, q->port, 0, m->address);
	put_error(s, q, m);
	m->flags_result |= MSG_ERRQUEUE;
	packet_free(p);
	return (ssize_t)n;
}
