/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections that are taken from one socket to another: see tcp_repair.h. */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/tcp/tcp.h>
#include <obj/credentials.h>

#include <linux/eventpoll.h>
#include <linux/tcp.h>

#define SCALE_MAX 14	 /* RFC 7323, 2.3 */
#define CHUNK_MAX 32768u /* bytes of a queue that are moved at a time, in fragments of a packet */

/* What options of a SYN would have said (RFC 9293, 7323, 2018). */
enum { REPAIR_MSS = 2, REPAIR_SCALE, REPAIR_SACK, REPAIR_TIMESTAMP = 8 };

/* --- Options --- */

/* The end of the repair: the peer is asked for its window, and what is not acknowledged is waited for. */
static void resume(struct tcp *t, bool probe)
{
	if (t->state != TCP_ESTABLISHED)
		return;
	if (probe) {
		t->snd_wl1 = t->rcv_nxt - 1;
		tcp_send_probe(t);
	}
	tcp_arm_retransmit(t);
	tcp_push(t, false);
}

static int set_repair(struct tcp *t, int value)
{
	if (!capable(CAP_NET_ADMIN) || t->state == TCP_LISTEN)
		return -EPERM;
	if (value < TCP_REPAIR_OFF_NO_WP || value > TCP_REPAIR_ON)
		return -EINVAL;
	tcp_lock(t);
	t->repair = value == TCP_REPAIR_ON;
	t->repair_queue = TCP_NO_QUEUE;
	t->inet.node.reuse_forced = t->repair;
	if (!t->repair)
		resume(t, value == TCP_REPAIR_OFF);
	tcp_unlock(t);
	return 0;
}

static int set_queue(struct tcp *t, int value)
{
	if (!t->repair)
		return -EPERM;
	if (value < 0 || value >= TCP_QUEUES_NR)
		return -EINVAL;
	t->repair_queue = (u8)value;
	return 0;
}

/* Where a queue ends, before the connection is made. */
static int set_sequence(struct tcp *t, u32 value)
{
	if (t->state != TCP_CLOSED)
		return -EPERM;
	switch (t->repair_queue) {
	case TCP_SEND_QUEUE:
		t->snd_una = t->snd_nxt = t->write_seq = value;
		return 0;
	case TCP_RECV_QUEUE:
		if (t->rcv_nxt != t->copied_seq)
			return -EPERM;
		t->rcv_nxt = t->copied_seq = value;
		return 0;
	default:
		return -EINVAL;
	}
}

static int set_agreed(struct tcp *t, const struct tcp_repair_opt *o)
{
	u32 send = o->opt_val & 0xffff, receive = o->opt_val >> 16;

	switch (o->opt_code) {
	case REPAIR_MSS:
		t->mss_peer = o->opt_val;
		return 0;
	case REPAIR_SCALE:
		if (send > SCALE_MAX || receive > SCALE_MAX)
			return -EFBIG;
		t->send_scale = (u8)send;
		t->receive_scale = (u8)receive;
		t->scaling = true;
		return 0;
	case REPAIR_SACK:
		t->sack = true;
		return o->opt_val ? -EINVAL : 0;
	case REPAIR_TIMESTAMP:
		t->timestamps = true;
		return o->opt_val ? -EINVAL : 0;
	default:
		return 0;
	}
}

static int set_options(struct tcp *t, const void *value, size_t length)
{
	struct tcp_repair_opt o;
	int error = 0;

	if (!t->repair)
		return -EINVAL;
	if (t->state != TCP_ESTABLISHED || t->bytes_sent)
		return -EPERM;
	for (; length >= sizeof(o) && !error; length -= sizeof(o)) {
		memcpy(&o, value, sizeof(o));
		value = (const char *)value + sizeof(o);
		error = set_agreed(t, &o);
	}
	t->mss_peer = t->mss_peer ? MAX(t->mss_peer, 64u) : 0;
	tcp_update_mss(t);
	return error;
}

static int set_window(struct tcp *t, const void *value, size_t length)
{
	struct tcp_repair_window w;

	if (!t->repair)
		return -EPERM;
	if (length != sizeof(w))
		return -EINVAL;
	memcpy(&w, value, sizeof(w));
	if (w.max_window < w.snd_wnd || seq_after(w.snd_wl1, t->rcv_nxt + w.rcv_wnd) ||
	    seq_after(w.rcv_wup, t->rcv_nxt))
		return -EINVAL;
	t->snd_wl1 = w.snd_wl1;
	t->snd_wnd = w.snd_wnd;
	t->window_max = w.max_window;
	t->rcv_wnd = w.rcv_wnd;
	t->rcv_wup = w.rcv_wup;
	return 0;
}

static int set_timestamp(struct tcp *t, u32 value)
{
	if (!t->repair)
		return -EPERM;
	t->timestamp_offset = value - (u32)(tcp_clock(t) / NSEC_PER_MSEC);
	return 0;
}

int tcp_repair_set(struct tcp *t, int option, const void *value, size_t length)
{
	int number, error;

	memcpy(&number, value, sizeof(number));
	if (option == TCP_REPAIR)
		return set_repair(t, number);
	tcp_lock(t);
	switch (option) {
	case TCP_REPAIR_QUEUE:
		error = set_queue(t, number);
		break;
	case TCP_QUEUE_SEQ:
		error = set_sequence(t, (u32)number);
		break;
	case TCP_REPAIR_OPTIONS:
		error = set_options(t, value, length);
		break;
	case TCP_REPAIR_WINDOW:
		error = set_window(t, value, length);
		break;
	case TCP_TIMESTAMP:
		error = set_timestamp(t, (u32)number);
		break;
	default:
		error = -ENOPROTOOPT;
	}
	tcp_unlock(t);
	return error;
}

static int get_window(const struct tcp *t, void *value, const size_t *length)
{
	struct tcp_repair_window w = { .snd_wl1 = t->snd_wl1,
				       .snd_wnd = t->snd_wnd,
				       .max_window = t->window_max,
				       .rcv_wnd = t->rcv_wnd,
				       .rcv_wup = t->rcv_wup };

	if (*length != sizeof(w))
		return -EINVAL;
	if (!t->repair)
		return -EPERM;
	memcpy(value, &w, sizeof(w));
	return 0;
}

static int get_number(struct tcp *t, int option, u32 *out)
{
	switch (option) {
	case TCP_REPAIR:
		*out = t->repair;
		return 0;
	case TCP_REPAIR_QUEUE:
		*out = t->repair_queue;
		return t->repair ? 0 : -EINVAL;
	case TCP_QUEUE_SEQ:
		*out = t->repair_queue == TCP_SEND_QUEUE ? t->write_seq : t->rcv_nxt;
		return t->repair_queue == TCP_NO_QUEUE ? -EINVAL : 0;
	case TCP_TIMESTAMP:
		*out = tcp_timestamp(t, tcp_clock(t));
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int tcp_repair_get(struct tcp *t, int option, void *value, size_t *length)
{
	u32 number;
	int error;

	tcp_lock(t);
	error = option == TCP_REPAIR_WINDOW ? get_window(t, value, length)
					    : get_number(t, option, &number);
	tcp_unlock(t);
	if (error || option == TCP_REPAIR_WINDOW)
		return error;
	*length = MIN(*length, sizeof(number));
	memcpy(value, &number, *length);
	return 0;
}

/* --- The connection and its queues --- */

void tcp_repair_connect(struct tcp *t)
{
	if (!t->write_seq)
		t->write_seq = tcp_initial_sequence(&t->inet.node);
	t->iss = t->write_seq - 1;
	t->snd_una = t->snd_nxt = t->write_seq;
	t->irs = t->snd_wl1 = t->rcv_nxt - 1;
	t->rcv_wup = t->copied_seq = t->rcv_nxt;
	t->rcv_wnd = MIN(tcp_window(t), 65535u);
	t->ts_recent = 0;
	t->ts_recent_ns = 0; /* not known */
	tcp_established(t);
	tcp_notify(t, EPOLLOUT | EPOLLWRNORM);
}

/* Bytes that the peer had acknowledged before they were read. */
static ssize_t fill_received(struct tcp *t, struct iter *data)
{
	size_t n = MIN(data->remaining, (size_t)CHUNK_MAX);
	struct packet *p = packet_alloc();
	int error = p ? packet_append_iter(p, data, n) : -ENOMEM;
	bool fits;

	if (error) {
		packet_free(p);
		return error;
	}
	tcp_lock(t);
	fits = t->memory + n <= t->memory_limit;
	if (fits)
		tcp_append_repaired(t, p);
	tcp_unlock(t);
	if (!fits)
		packet_free(p);
	return fits ? (ssize_t)n : -ENOBUFS;
}

ssize_t tcp_repair_send(struct tcp *t, struct socket_message *m)
{
	if (t->state != TCP_ESTABLISHED && t->state != TCP_CLOSE_WAIT)
		return -EPIPE;
	if (t->repair_queue == TCP_NO_QUEUE)
		return -EINVAL;
	return t->repair_queue == TCP_RECV_QUEUE ? fill_received(t, m->data) : 0;
}

/* What is sent or waits for it, from the first byte that is not acknowledged on. */
static ssize_t peek_sent(struct tcp *t, struct iter *data)
{
	u32 offset = 0;

	while (data->remaining) {
		struct packet *p = packet_alloc();
		u32 queued, n;
		bool fits;

		if (!p)
			return offset ? (ssize_t)offset : -ENOMEM;
		tcp_lock(t);
		queued = tcp_queued(t);
		n = queued > offset ? (u32)MIN((size_t)(queued - offset), data->remaining) : 0;
		n = MIN(n, CHUNK_MAX);
		fits = tcp_attach(p, t->blocks, t->snd_una + offset, n);
		tcp_unlock(t);
		n = fits ? (u32)packet_copy_to_iter(p, 0, data, n) : 0;
		packet_free(p);
		if (!n)
			break;
		offset += n;
	}
	return offset;
}

bool tcp_repair_receive(struct tcp *t, struct socket_message *m, ssize_t *out)
{
	if (!(m->flags & MSG_PEEK))
		*out = -EPERM;
	else if (t->repair_queue == TCP_NO_QUEUE)
		*out = -EINVAL;
	else if (t->repair_queue == TCP_SEND_QUEUE)
		*out = peek_sent(t, m->data);
	else
		return false;
	return true;
}
