/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is read with MSG_ERRQUEUE (recv(2), ip(7)): errors from the network with the packet that they are about, sends with
 * MSG_ZEROCOPY that are over, and the times at which packets were sent (SO_TIMESTAMPING).
 */
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/inet_socket.h>

#include <linux/eventpoll.h>
#include <linux/net_tstamp.h>

/* <linux/errqueue.h> needs the C library's struct timespec. */
struct extended_error {
	u32 number;
	u8 origin, type, code, pad;
	u32 info, data;
};
enum {
	ORIGIN_LOCAL = 1,
	ORIGIN_ICMP = 2,
	ORIGIN_ICMP6 = 3,
	ORIGIN_TIMESTAMPING = 4,
	ORIGIN_ZERO_COPY = 5,
};
enum { CODE_ZERO_COPY_COPIED = 1 };
enum { STAMP_SENT = 0, STAMP_SCHEDULED = 1 }; /* SCM_TSTAMP_SND, SCM_TSTAMP_SCHED */

#define ERRORS_MAX 64

/* control[] of a queued error. */
struct queued_error {
	struct extended_error error; /* first */
	u16 port;		     /* where the packet was sent */
	bool from_network;	     /* the offender is known */
	bool has_destination;
	u8 ttl, tos; /* of the packet of the offender */
	struct inet_address offender, destination;
};
static_assert(sizeof(struct queued_error) <= sizeof(((struct packet *)0)->control));

/* IP_RECVERR, IPV6_RECVERR, and there is room. */
static bool wants_error(const struct inet_socket *s) __must_hold(&s->lock)
{
	u32 flag = s->node.family == AF_INET ? INET_RECEIVE_ERRORS : INET6_RECEIVE_ERRORS;

	return s->flags & flag && s->errors.count < ERRORS_MAX;
}

void inet_queue_error(struct inet_socket *s, const struct inet_error *error, u16 port)
{
	bool v4 = inet_is_v4(&error->inner.destination);
	struct queued_error *q;
	struct packet *p;

	if (!wants_error(s))
		return;
	p = packet_alloc();
	if (!p)
		return;
	unsigned skip =
		error->inner.protocol == IPPROTO_UDP || error->inner.protocol == IPPROTO_UDPLITE
			? 8
			: 0;

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
		.from_network = true,
		.has_destination = true,
		.ttl = error->ttl,
		.tos = error->tos,
		.offender = error->offender,
		.destination = error->inner.destination,
	};
	packet_queue_add(&s->errors, p);
}

void inet_queue_too_big(struct inet_socket *s, const struct inet_address *destination, u16 port,
			u32 mtu)
{
	struct packet *p;

	spin_lock(&s->lock);
	p = wants_error(s) ? packet_alloc() : nullptr;
	if (p) {
		*(struct queued_error *)p->control = (struct queued_error){
			.error = { .number = EMSGSIZE, .origin = ORIGIN_LOCAL, .info = mtu },
			.port = port,
			.has_destination = true,
			.destination = *destination,
		};
		packet_queue_add(&s->errors, p);
		socket_notify(s->socket, EPOLLERR);
	}
	spin_unlock(&s->lock);
}

/* Adds to the queue a notice that is no error. */
static void queue_notice(struct inet_socket *s, struct packet *p,
			 const struct extended_error *error) __must_hold(&s->lock)
{
	*(struct queued_error *)p->control = (struct queued_error){ .error = *error };
	packet_queue_add(&s->errors, p);
	socket_notify(s->socket, EPOLLERR | EPOLLPRI);
}

/*
 * One notice tells of a range of sends, from info to data; it grows while nobody reads it. What could not be told for
 * want of memory is told with the next.
 */
static void zero_copy_done_locked(struct inet_socket *s) __must_hold(&s->lock)
{
	u32 number = s->zero_copy_count++;
	struct packet *p = s->errors.tail;
	struct extended_error *last = p ? (struct extended_error *)p->control : nullptr;

	if (last && last->origin == ORIGIN_ZERO_COPY && last->data + 1 == s->zero_copy_untold) {
		last->data = number;
	} else {
		p = packet_alloc();
		if (!p)
			return;
		queue_notice(s, p,
			     &(struct extended_error){ .origin = ORIGIN_ZERO_COPY,
						       .code = CODE_ZERO_COPY_COPIED,
						       .info = s->zero_copy_untold,
						       .data = number });
	}
	s->zero_copy_untold = number + 1;
}

void inet_zero_copy_done(struct inet_socket *s)
{
	spin_lock(&s->lock);
	if (s->socket)
		zero_copy_done_locked(s);
	spin_unlock(&s->lock);
}

void inet_stamp(struct inet_socket *s, const struct socket *socket, struct packet *p, u32 stamps)
{
	stamps |= socket->timestamping;
	if (!(stamps & (SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_SCHED)))
		return;
	inet_node_get(&s->node);
	p->stamped_for = &s->node;
	p->stamps = (u16)(stamps & SOF_TIMESTAMPING_TX_RECORD_MASK);
	if (socket->timestamping & SOF_TIMESTAMPING_OPT_ID)
		p->stamp_number = __atomic_fetch_add(&s->stamp_count, 1, __ATOMIC_RELAXED);
}

static void queue_stamp(struct inet_socket *s, const struct packet *sent, u32 when)
	__must_hold(&s->lock)
{
	struct packet *p;

	if (s->errors.count >= ERRORS_MAX)
		return;
	p = s->socket->timestamping & SOF_TIMESTAMPING_OPT_TSONLY ? packet_alloc()
								  : packet_clone(sent);
	if (!p)
		return;
	p->time_ns = clock_realtime_ns();
	queue_notice(s, p,
		     &(struct extended_error){ .number = ENOMSG,
					       .origin = ORIGIN_TIMESTAMPING,
					       .info = when,
					       .data = sent->stamp_number });
}

void inet_packet_sent(struct packet *p)
{
	struct inet_node *node = p->stamped_for;
	struct inet_socket *s = inet_of(node);

	p->stamped_for = nullptr;
	spin_lock(&s->lock);
	if (s->socket && (p->stamps & SOF_TIMESTAMPING_TX_SCHED))
		queue_stamp(s, p, STAMP_SCHEDULED);
	if (s->socket && (p->stamps & SOF_TIMESTAMPING_TX_SOFTWARE))
		queue_stamp(s, p, STAMP_SENT);
	spin_unlock(&s->lock);
	inet_node_put(node);
}

void inet_packet_dropped(struct packet *p)
{
	inet_node_put(p->stamped_for);
}

static void put_error(const struct inet_socket *s, const struct queued_error *q,
		      struct socket_message *m)
{
	struct {
		struct extended_error error;
		struct __kernel_sockaddr_storage offender;
	} message = { .error = q->error };
	struct socket_address offender;
	bool v4 = s->node.family == AF_INET;

	inet_encode(&s->node, &q->offender, 0, 0, &offender);
	if (q->from_network)
		memcpy(&message.offender, &offender.storage, offender.length);
	inet_put_control(m, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, &message,
			 sizeof(message.error) + offender.length);
}

/* What of the header of the packet that told of the error is asked for. */
static void put_header(const struct inet_socket *s, const struct queued_error *q,
		       struct socket_message *m)
{
	const int ttl = q->ttl, tos = q->tos;

	if (inet_is_v4(&q->offender)) {
		if (s->flags & INET_RECEIVE_TTL)
			inet_put_control(m, SOL_IP, IP_TTL, &ttl, sizeof(ttl));
		if (s->flags & INET_RECEIVE_TOS)
			inet_put_control(m, SOL_IP, IP_TOS, &q->tos, sizeof(q->tos));
		return;
	}
	if (s->flags & INET6_RECEIVE_HOPLIMIT)
		inet_put_control(m, SOL_IPV6, IPV6_HOPLIMIT, &ttl, sizeof(ttl));
	if (s->flags & INET6_RECEIVE_OLD_HOPLIMIT)
		inet_put_control(m, SOL_IPV6, IPV6_2292HOPLIMIT, &ttl, sizeof(ttl));
	if (s->flags & INET6_RECEIVE_TCLASS)
		inet_put_control(m, SOL_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
}

static const struct queued_error *error_of(const struct packet *p)
{
	return (const struct queued_error *)p->control;
}

/* One was taken from the queue: the error that the next call returns is that of the next one, or none, as on Linux. */
static void follow_queue(struct inet_socket *s, const struct packet *taken) __must_hold(&s->lock)
{
	const struct packet *next = s->errors.head;

	if (next && error_of(next)->from_network)
		__atomic_store_n(&s->socket->error, (int)error_of(next)->error.number,
				 __ATOMIC_RELEASE);
	else if (error_of(taken)->from_network)
		(void)socket_take_error(s->socket);
}

ssize_t inet_receive_error(struct inet_socket *s, struct socket_message *m)
{
	const struct socket *socket;
	struct packet *p;
	const struct queued_error *q;
	size_t n;

	spin_lock(&s->lock);
	socket = s->socket; /* that of the caller */
	p = packet_queue_take(&s->errors);
	if (p && s->socket)
		follow_queue(s, p);
	spin_unlock(&s->lock);
	if (!p)
		return -EAGAIN;
	q = error_of(p);
	n = packet_copy_to_iter(p, 0, m->data, p->length);
	if (n < p->length)
		m->flags_result |= MSG_TRUNC;
	if (m->address && q->has_destination)
		inet_encode(&s->node, &q->destination, q->port, 0, m->address);
	if (q->error.origin == ORIGIN_TIMESTAMPING)
		inet_put_timestamping(socket, m, p->time_ns);
	if (q->from_network)
		put_header(s, q, m);
	put_error(s, q, m);
	m->flags_result |= MSG_ERRQUEUE;
	packet_free(p);
	return (ssize_t)n;
}
