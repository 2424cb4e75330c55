/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Payload in: the receive queue, what comes out of order, and its bounds. */
#include <core/percpu.h>
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/tcp/tcp.h>

#include <linux/eventpoll.h>

#define OUT_OF_ORDER_MAX 2048

static void charge(struct tcp *t, const struct packet *p)
{
	t->memory += packet_memory(p);
}

static void uncharge(struct tcp *t, const struct packet *p)
{
	t->memory -= packet_memory(p);
}

static struct packet *packet_of(struct rb_node *n)
{
	return container_of((u64(*)[8])(void *)rb_entry(n, struct tcp_received, node),
			    struct packet, control);
}

static void drop_out_of_order(struct tcp *t, struct packet *p)
{
	rb_erase(&t->out_of_order, &tcp_received(p)->node, nullptr);
	t->out_of_order_count--;
	uncharge(t, p);
	packet_free(p);
}

void tcp_free_out_of_order(struct tcp *t)
{
	struct rb_node *n;

	while ((n = rb_first(&t->out_of_order)))
		drop_out_of_order(t, packet_of(n));
}

/* Small payloads join in the linear part of the last packet, which bounds the cost of tiny segments. */
static bool join_last(struct tcp *t, struct packet *p)
{
	struct packet *last = t->received.tail;

	if (!last || last->fragment_count || p->fragment_count ||
	    packet_tailroom(last) < p->length || tcp_received(last)->end != tcp_received(p)->seq)
		return false;
	memcpy(last->data + last->linear, p->data, p->length);
	__atomic_store_n(&last->linear, (u16)(last->linear + p->length), __ATOMIC_RELEASE);
	last->length += p->length;
	tcp_received(last)->end = tcp_received(p)->end;
	last->time_ns = p->time_ns;
	return true;
}

/* A payload that lies behind that of the last packet in the same block, as over loopback, becomes part of it: bytes, not
 * packets, are what a reader of small writes pays for. A reader that looks at the packet now knows how far it may go. */
static bool join_fragment(struct tcp *t, struct packet *p)
{
	struct packet *last = t->received.tail;
	const struct packet_fragment *next = &p->fragments[0];
	struct packet_fragment *f;

	if (!last || !last->fragment_count || p->fragment_count != 1 || p->linear ||
	    tcp_received(last)->end != tcp_received(p)->seq)
		return false;
	f = &last->fragments[last->fragment_count - 1];
	if (f->page != next->page || f->offset + f->length != next->offset)
		return false;
	__atomic_store_n(&f->length, f->length + next->length, __ATOMIC_RELAXED);
	__atomic_store_n(&last->length, last->length + next->length, __ATOMIC_RELAXED);
	tcp_received(last)->end = tcp_received(p)->end;
	last->time_ns = p->time_ns;
	t->memory += next->length;
	return true;
}

static void note_arrival(struct socket *socket, struct packet *p)
{
	WRITE_ONCE(socket->incoming_cpu, (int)cpu_id());
	if (unlikely(socket->options & SOCKET_WANTS_TIME) && !p->time_ns)
		p->time_ns = clock_realtime_ns();
}

/* Appends what continues the stream; takes the packet. */
static void append(struct tcp *t, struct packet *p)
{
	struct tcp_received *r = tcp_received(p);

	t->rcv_nxt = r->end;
	t->bytes_received += p->length;
	if (r->fin) {
		t->fin_received = true;
		t->rcv_nxt++;
	}
	if (tcp_socket(t))
		note_arrival(tcp_socket(t), p);
	if (!p->length || join_fragment(t, p) || join_last(t, p)) {
		if (p->length)
			tcp_count(t, NET_TCP_COALESCED);
		packet_free(p);
		return;
	}
	charge(t, p);
	packet_queue_add(&t->received, p);
}

/* What was waiting for the bytes that have just come. */
static void drain_out_of_order(struct tcp *t)
{
	struct rb_node *n;

	while ((n = rb_first(&t->out_of_order))) {
		struct packet *p = packet_of(n);
		struct tcp_received *r = tcp_received(p);

		if (seq_after(r->seq, t->rcv_nxt))
			return;
		rb_erase(&t->out_of_order, n, nullptr);
		t->out_of_order_count--;
		uncharge(t, p);
		if (!seq_after(r->end + r->fin, t->rcv_nxt)) {
			packet_free(p);
			continue;
		}
		packet_pull(p, MIN(t->rcv_nxt - r->seq, p->length));
		r->seq = t->rcv_nxt;
		append(t, p);
	}
}

static void report_duplicate(struct tcp *t, u32 start, u32 end)
{
	if (!t->sack || !tcp_settings(t)->dsack)
		return;
	tcp_count(t, NET_TCP_DSACK_OLD_SENT);
	t->duplicate_due = true;
	t->duplicate_start = start;
	t->duplicate_end = end;
}

void tcp_acknowledge_again(struct tcp *t, const struct tcp_segment *s)
{
	tcp_count(t, NET_TCP_DELAYED_ACK_LOST);
	report_duplicate(t, s->seq, s->end - !!(s->flags & TH_FIN));
	tcp_send_ack(t);
}

/* Over the limit the end of the queue goes: it is the least useful (RFC 2018, 8 allows it). */
static void prune(struct tcp *t)
{
	while (t->out_of_order.root && (t->out_of_order_count > OUT_OF_ORDER_MAX ||
					t->memory > t->memory_limit + t->memory_limit / 4)) {
		tcp_count(t, NET_TCP_OUT_OF_ORDER_DROPPED);
		drop_out_of_order(t, packet_of(rb_last(&t->out_of_order)));
	}
}

static void insert_out_of_order(struct tcp *t, struct packet *p)
{
	struct rb_node **link = &t->out_of_order.root, *parent = nullptr;
	struct tcp_received *r = tcp_received(p);

	while (*link) {
		struct tcp_received *o = rb_entry(*link, struct tcp_received, node);

		parent = *link;
		if (!seq_before(r->seq, o->seq) && !seq_after(r->end, o->end)) {
			tcp_count(t, NET_TCP_OUT_OF_ORDER_MERGED);
			report_duplicate(t, r->seq, r->end);
			packet_free(p);
			return;
		}
		link = seq_before(r->seq, o->seq) ? &parent->left : &parent->right;
	}
	rb_insert(&t->out_of_order, &r->node, parent, link, nullptr);
	t->out_of_order_count++;
	tcp_count(t, NET_TCP_OUT_OF_ORDER);
	t->latest_sack = r->seq;
	charge(t, p);
	prune(t);
}

/*
 * More than a segment is not acknowledged (RFC 5681, 4.2). While the reader has much to catch up with, an ACK would hardly move the
 * window: it is sent when the reader comes (window_opened), or by the timer.
 */
static bool much_arrived(const struct tcp *t)
{
	return t->rcv_nxt - t->rcv_wup > t->mss_received &&
	       t->rcv_nxt - t->copied_seq < t->memory_limit / 4;
}

/* A few ACKs at once at the start and after loss, so that the sender's window opens. */
static void acknowledge_data(struct tcp *t)
{
	if (t->quick_acks || t->out_of_order.root || t->quick_ack_option || much_arrived(t)) {
		t->ack_due = true;
		return;
	}
	if (!t->ack_at)
		t->ack_at = tcp_clock(t) + 40 * NSEC_PER_MSEC;
}

void tcp_append_repaired(struct tcp *t, struct packet *p)
{
	*tcp_received(p) =
		(struct tcp_received){ .seq = t->rcv_nxt, .end = t->rcv_nxt + p->length };
	append(t, p);
	t->rcv_wup = t->rcv_nxt;
	if (tcp_socket(t))
		tcp_notify(t, EPOLLIN | EPOLLRDNORM);
}

void tcp_queue_data(struct tcp *t, struct packet *p, const struct tcp_segment *s)
{
	struct tcp_received *r = tcp_received(p);
	u32 window_end = t->rcv_wup + t->rcv_wnd,
	    length = p->segment_size ? p->segment_size : p->length;

	*r = (struct tcp_received){ .seq = s->seq,
				    .end = s->seq + p->length,
				    .fin = s->flags & TH_FIN };
	if (length >= t->mss_received || (s->flags & TH_PSH))
		t->mss_received = MIN(MAX(t->mss_received, length), 65535u);
	if (seq_before(r->seq, t->rcv_nxt)) {
		u32 old = MIN(t->rcv_nxt - r->seq, p->length);

		if (old)
			report_duplicate(t, r->seq, r->seq + old);
		packet_pull(p, old);
		r->seq += old;
	}
	if (seq_after(r->end, window_end)) {
		packet_trim(p, seq_before(r->seq, window_end) ? window_end - r->seq : 0);
		r->end = r->seq + p->length;
		r->fin = false;
		t->ack_due = true;
	}
	if (!seq_after(r->end + r->fin, t->rcv_nxt) && !(r->fin && r->end == t->rcv_nxt)) {
		packet_free(p); /* nothing new */
		t->ack_due = true;
		return;
	}
	if (r->seq != t->rcv_nxt) {
		insert_out_of_order(t, p);
		t->ack_due = true;
		t->quick_acks = MAX(t->quick_acks, 4u);
		return;
	}
	append(t, p);
	if (t->out_of_order.root) {
		drain_out_of_order(t);
		t->ack_due = true;
	}
	acknowledge_data(t);
	if (t->received.head && tcp_socket(t))
		tcp_notify(t, EPOLLIN | EPOLLRDNORM);
}
