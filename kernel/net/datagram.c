/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queues of datagrams. One that comes in waits in the queue of its socket, bounded by SO_RCVBUF, with its pages; a receive
 * takes it out under the lock and copies it without.
 */
#include <net/datagram.h>

#include <core/percpu.h>
#include <core/time.h>
#include <lib/errno.h>
#include <net/filter.h>

#include <linux/eventpoll.h>
#include <linux/udp.h>

#define MERGED_MAX 65507u

/* SO_ATTACH_FILTER: the program may cut what is read. */
static bool passes_filter(struct socket *socket, struct packet *p, unsigned header)
{
	u32 wanted;

	packet_push(p, header);
	wanted = socket_filter_run(socket, p);
	packet_pull(p, header);
	if (!wanted)
		return false;
	wanted = MAX(wanted, header) - header;
	if (wanted < p->length)
		packet_trim(p, wanted);
	return true;
}

/* Both are of one flow, and the last one holds nothing but datagrams as long as the first of them. */
static bool may_merge(const struct packet *last, const struct packet *p)
{
	const struct datagram_received *a = datagram_received(last), *b = datagram_received(p);
	u32 size = a->segment_size ? a->segment_size : last->length;

	return p->length && !p->linear && p->length <= size && last->length % size == 0 &&
	       last->length + p->length <= MERGED_MAX &&
	       last->fragment_count + p->fragment_count <= PACKET_FRAGMENTS_MAX &&
	       a->source_port == b->source_port && a->device_index == b->device_index &&
	       a->ttl == b->ttl && a->tos == b->tos && inet_equal(&a->source, &b->source) &&
	       inet_equal(&a->destination, &b->destination);
}

/* UDP_GRO: makes `p` part of the last datagram. */
static bool merge(struct packet *last, const struct packet *p)
{
	struct datagram_received *a;

	if (!last || !may_merge(last, p))
		return false;
	a = (struct datagram_received *)last->control;
	if (!a->segment_size)
		a->segment_size = (u16)last->length;
	for (unsigned i = 0; i < p->fragment_count; i++) {
		const struct packet_fragment *f = &p->fragments[i];

		page_get(f->page);
		(void)!packet_add_fragment(last, f->page, f->offset, f->length);
	}
	return true;
}

/* 0: queued; 1: merged, so that the packet is not needed any more. */
static int enqueue(struct inet_socket *s, struct datagram_queue *q, struct packet *p,
		   unsigned header) __must_hold(&s->lock)
{
	struct socket *socket = s->socket;
	u32 cost = DATAGRAM_COST + p->length;
	bool merged;

	if (!socket || (socket->shutdown & SOCKET_SHUT_RECEIVE) ||
	    (q->memory && q->memory + cost > socket->receive_buffer)) {
		q->dropped++;
		return -ENOBUFS;
	}
	if (unlikely(socket->filter) && !passes_filter(socket, p, header)) {
		q->dropped++;
		return -EPERM;
	}
	if (unlikely(socket->options & SOCKET_WANTS_TIME) && !p->time_ns)
		p->time_ns = clock_realtime_ns();
	WRITE_ONCE(socket->incoming_cpu, (int)cpu_id());
	merged = unlikely(q->merge) && merge(q->packets.tail, p);
	q->memory += merged ? p->length : DATAGRAM_COST + p->length;
	if (!merged)
		packet_queue_add(&q->packets, p);
	socket_notify(socket, EPOLLIN | EPOLLRDNORM);
	return merged;
}

int datagram_deliver(struct inet_socket *s, struct datagram_queue *q, struct packet *p,
		     const struct inet_info *info, u16 source_port, unsigned header)
{
	int result;

	*(struct datagram_received *)p->control = (struct datagram_received){
		.source = info->source,
		.destination = info->destination,
		.device_index = info->device->index,
		.dropped = q->dropped,
		.source_port = source_port,
		.header_length = info->header_length,
		.ttl = info->ttl,
		.tos = info->tos,
	};
	spin_lock(&s->lock);
	result = enqueue(s, q, p, header);
	spin_unlock(&s->lock);
	if (result)
		packet_free(p);
	return MIN(result, 0);
}

/* The datagram at SO_PEEK_OFF, which becomes the place in it; those that are empty count once they were seen. */
static struct packet *find_locked(const struct inet_socket *s, const struct datagram_queue *q,
				  s32 *offset) __must_hold(&s->lock)
{
	struct packet *p = q->packets.head;
	u32 skip = (u32)MAX(*offset, 0);

	if (*offset >= 0)
		for (; p && skip >= p->length && (skip || datagram_received(p)->seen); p = p->next)
			skip -= p->length;
	*offset = (s32)skip;
	return p;
}

/* The first datagram, taken out, or a copy of the one at the offset for MSG_PEEK. */
static struct packet *take(struct inet_socket *s, struct datagram_queue *q, bool peek, s32 *offset)
{
	struct packet *p;

	spin_lock(&s->lock);
	if (peek) {
		p = find_locked(s, q, offset);
		if (p && !p->length)
			((struct datagram_received *)p->control)->seen = true;
		p = p ? packet_clone(p) : nullptr;
	} else {
		p = packet_queue_take(&q->packets);
		if (p)
			q->memory -= DATAGRAM_COST + p->length;
		*offset = 0;
	}
	spin_unlock(&s->lock);
	return p;
}

static ssize_t nothing_to_read(struct socket *socket)
{
	int error = socket_take_error(socket);

	return error ? error : socket->shutdown & SOCKET_SHUT_RECEIVE ? 0 : -EAGAIN;
}

static void put_control(struct inet_socket *s, const struct datagram_queue *q,
			struct socket_message *m, const struct packet *p)
{
	int size = datagram_received(p)->segment_size;

	inet_put_packet_control(s, m, p);
	if (q->merge && size)
		inet_put_control(m, SOL_UDP, UDP_GRO, &size, sizeof(size));
}

ssize_t datagram_receive(struct socket *socket, struct inet_socket *s, struct datagram_queue *q,
			 struct socket_message *m)
{
	s32 offset = socket_peek_offset(socket, m->flags);
	const struct datagram_received *r;
	struct packet *p;
	ssize_t result;
	size_t n;

	if (m->flags & MSG_ERRQUEUE)
		return inet_receive_error(s, m);
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	p = take(s, q, m->flags & MSG_PEEK, &offset);
	if (!p)
		return nothing_to_read(socket);
	r = datagram_received(p);
	n = MIN((size_t)p->length - (u32)offset, m->data->remaining);
	if (n < p->length - (u32)offset)
		m->flags_result |= MSG_TRUNC;
	result = m->flags & MSG_TRUNC ? (ssize_t)p->length : (ssize_t)n;
	if (packet_copy_to_iter(p, (u32)offset, m->data, n) < n)
		result = -EFAULT;
	else
		socket_peek_moves(socket, m->flags, (u32)result);
	if (m->address)
		inet_encode(&s->node, &r->source, r->source_port, (u32)r->device_index, m->address);
	if (m->control)
		put_control(s, q, m, p);
	packet_free(p);
	return result;
}

int datagram_first_length(struct inet_socket *s, const struct datagram_queue *q)
{
	int n;

	spin_lock(&s->lock);
	n = q->packets.head ? (int)q->packets.head->length : 0;
	spin_unlock(&s->lock);
	return n;
}

u32 datagram_ready(const struct socket *socket, const struct inet_socket *s,
		   const struct datagram_queue *q) __no_lock_analysis
{
	u32 ready = EPOLLOUT | EPOLLWRNORM;

	if (READ_ONCE(q->packets.head) || (READ_ONCE(socket->shutdown) & SOCKET_SHUT_RECEIVE))
		ready |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(socket->error) || READ_ONCE(s->errors.head))
		ready |= EPOLLERR;
	return ready;
}

bool datagram_peek_ready(const struct socket *socket, struct inet_socket *s,
			 const struct datagram_queue *q)
{
	s32 offset = READ_ONCE(socket->peek_offset);
	bool found;

	spin_lock(&s->lock);
	found = find_locked(s, q, &offset);
	spin_unlock(&s->lock);
	return found || READ_ONCE(socket->error) ||
	       (READ_ONCE(socket->shutdown) & SOCKET_SHUT_RECEIVE);
}

void datagram_close(struct inet_socket *s, struct datagram_queue *q)
{
	struct packet_queue packets;

	spin_lock(&s->lock);
	s->socket = nullptr;
	packets = q->packets;
	q->packets = (struct packet_queue){};
	spin_unlock(&s->lock);
	packet_queue_free(&packets);
}
