/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes between user space and a connection. */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/tcp/tcp.h>

#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/tcp.h>

#define BLOCK_ORDER_MAX 4 /* 64 KiB, which many a program writes at once */
#define PUSH_BYTES 65483u /* a large write is sent in pieces of this size */

u32 tcp_send_limit(const struct tcp *t)
{
	u32 limit = tcp_socket(t) ? tcp_socket(t)->send_buffer : tcp_settings(t)->wmem[1];

	if (t->send_fixed)
		return limit;
	/* Room for two windows, so that the next is there when the first is acknowledged. */
	limit = MAX(limit, 87040u);
	limit = MAX(limit, 2 * t->cwnd);
	return MIN(limit, tcp_settings(t)->wmem[2]);
}

/* What stands against sending; 0: nothing. */
static int send_error(struct tcp *t, struct socket *socket)
{
	int error = socket_take_error(socket);

	if (error)
		return error;
	if (socket->shutdown & SOCKET_SHUT_SEND)
		return -EPIPE;
	switch (t->state) {
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
		return 0;
	case TCP_SYN_SENT:
		return t->fast_open.waits ? 0 : -EAGAIN;
	case TCP_SYN_RECEIVED:
		return t->fast_open.accepted ? 0 : -EAGAIN;
	default:
		return -EPIPE;
	}
}

/* A new last block for about `n` bytes. May sleep. */
static struct tcp_block *block_alloc(size_t n)
{
	struct tcp_block *b = kmalloc(sizeof(*b), 0);
	unsigned order = 0;

	if (!b)
		return nullptr;
	while (order < BLOCK_ORDER_MAX && (PAGE_SIZE << order) < n)
		order++;
	while (!(b->page = page_alloc(order, 0)) && order)
		order--;
	if (!b->page) {
		kfree(b);
		return nullptr;
	}
	b->next = nullptr;
	b->used = 0;
	b->capacity = (u32)(PAGE_SIZE << order);
	return b;
}

/* The place for the next bytes: the rest of the last block, which is begun anew if nobody uses it. */
static struct tcp_block *open_block(struct tcp *t, size_t n)
{
	struct tcp_block *b;

	tcp_lock(t);
	b = t->last_block;
	if (b && b->used && t->snd_una == t->write_seq && t->blocks == b &&
	    page_refs(b->page) == 1) {
		b->seq = t->write_seq;
		b->used = 0;
	}
	tcp_unlock(t);
	if (b && b->used < b->capacity)
		return b;
	/* What is written in small pieces faster than it goes gets blocks of many pieces. */
	b = block_alloc(MAX(n, (size_t)tcp_queued(t)));
	if (b)
		b->seq = t->write_seq; /* only senders move it, and they hold send_lock */
	return b;
}

/* Makes `n` bytes that were copied behind the end of `b` part of the stream. */
static void commit(struct tcp *t, struct tcp_block *b, u32 n, bool last, bool more)
{
	tcp_lock(t);
	if (b != t->last_block) {
		if (t->last_block)
			t->last_block->next = b;
		else
			t->blocks = b;
		t->last_block = b;
	}
	b->used += n;
	t->write_seq += n;
	if (last || t->write_seq - t->snd_nxt >= PUSH_BYTES) {
		bool corked = t->corked;

		t->corked |= more || !last; /* the rest of the write is about to come */
		tcp_push(t, false);
		t->corked = corked;
	}
	tcp_unlock(t);
}

/* As much as there is room for; send_lock held. */
static ssize_t send_bytes(struct tcp *t, struct socket *socket, struct socket_message *m)
{
	size_t total = 0;

	while (m->data->remaining) {
		u32 queued = tcp_queued(t), limit = tcp_send_limit(t);
		struct tcp_block *b;
		size_t n, copied;
		int error = send_error(t, socket);

		if (!error && (queued >= limit || unlikely(!tcp_has_room(t, 0, limit))))
			error = -EAGAIN;
		if (error)
			return total ? (ssize_t)total : error;
		b = open_block(t, m->data->remaining);
		if (!b)
			return total ? (ssize_t)total : -ENOMEM;
		n = MIN(b->capacity - b->used, limit - queued);
		n = MIN(m->data->remaining, n);
		copied = iter_copy_from(m->data, (u8 *)page_address(b->page) + b->used, n);
		if (copied) {
			if ((m->flags & MSG_OOB) && !m->data->remaining) {
				t->urgent_end = t->write_seq + (u32)copied;
				t->urgent_pending = true;
			}
			/* What fills the buffer goes as well: nothing else may come for long. */
			commit(t, b, (u32)copied,
			       !m->data->remaining || queued + copied >= limit || t->unsent_low,
			       m->flags & MSG_MORE);
		} else if (b != t->last_block) {
			page_put(b->page);
			kfree(b);
		}
		total += copied;
		if (copied < n)
			return total ? (ssize_t)total : -EFAULT;
	}
	return (ssize_t)total;
}

static bool may_wait(const struct socket *socket, const struct socket_message *m)
{
	return !((socket->file->flags & O_NONBLOCK) || (m->flags & MSG_DONTWAIT));
}

/*
 * MSG_FASTOPEN: connects with the send. Without a cookie the data goes after the handshake, and a send that may not wait for it
 * says that it has begun.
 */
static int connect_first(struct socket *socket, struct socket_message *m)
{
	struct tcp *t = tcp_of(socket);
	bool waiting = may_wait(socket, m);
	int error;

	if (!(tcp_settings(t)->fast_open & FAST_OPEN_CLIENT) ||
	    (m->address && m->address->length && m->address->family == AF_UNSPEC))
		return -EOPNOTSUPP;
	if (!m->address || !m->address->length)
		return t->fast_open.waits ? 0 : -EINVAL;
	error = tcp_connect_with(socket, m->address, true);
	if (error && (error != -EINPROGRESS || !waiting))
		return error;
	t->connecting = false;	   /* the send tells how it went */
	m->flags &= ~MSG_FASTOPEN; /* the rest of it is an ordinary send */
	return 0;
}

/* A Fast Open that has nothing to send but the SYN. */
static ssize_t send_nothing(struct tcp *t, struct socket *socket)
{
	tcp_lock(t);
	if (t->state == TCP_SYN_SENT && t->fast_open.waits)
		tcp_open(t);
	tcp_unlock(t);
	return send_error(t, socket);
}

/* The SYN of a Fast Open, with the data, was answered by a reset before the send was over. */
static bool was_refused(const struct tcp *t)
{
	return t->fast_open.tried && !t->srtt && tcp_socket(t)->error;
}

/* A send whose bytes went with the SYN, and that waited for the answer. */
static ssize_t send_again(struct tcp *t, struct socket *socket, struct iter *data)
{
	ssize_t n = send_error(t, socket);

	if (n == -EAGAIN)
		return n;
	if (!n)
		n = (ssize_t)data->taken;
	data->taken = 0;
	return n;
}

/* Nothing that a message may ask for is done, and times of sending are not told (SO_TIMESTAMPING neither). */
static int check_control(const struct socket *socket, const struct socket_message *m)
{
	struct inet_send_control control;
	int error = inet_parse_socket_control(socket, m, &control);

	return !error && control.stamps ? -EOPNOTSUPP : error;
}

ssize_t tcp_send(struct socket *socket, struct socket_message *m)
{
	struct tcp *t = tcp_of(socket);
	ssize_t n;

	if (unlikely(m->data->taken))
		return send_again(t, socket, m->data);
	if (unlikely(m->control && m->control->raw_length)) {
		n = check_control(socket, m);
		if (n)
			return n;
	}
	if (unlikely(m->flags & MSG_FASTOPEN)) {
		n = connect_first(socket, m);
		if (n)
			return n;
	}
	if (!m->data->remaining)
		return send_nothing(t, socket);
	if (unlikely(t->repair)) {
		n = tcp_repair_send(t, m);
		if (n)
			return n;
	}
	mutex_lock(&t->send_lock);
	n = send_bytes(t, socket, m);
	if (unlikely(t->repair)) {
		tcp_lock(t);
		tcp_count_as_sent(t);
		tcp_unlock(t);
	}
	mutex_unlock(&t->send_lock);
	if (n == -EAGAIN)
		WRITE_ONCE(t->send_room_wanted, true);
	if (unlikely(t->fast_open.tried) && n > 0) {
		if (t->state == TCP_CLOSED && was_refused(t)) {
			n = socket_take_error(socket);
		} else if (t->state == TCP_SYN_SENT && may_wait(socket, m)) {
			m->data->taken = (size_t)n;
			n = -EAGAIN;
		}
	}
	if (unlikely(m->flags & MSG_ZEROCOPY) && n > 0 && (socket->options & SOCKET_ZERO_COPY))
		inet_zero_copy_done(&t->inet);
	return n;
}

/* Receive buffer tuning: a reader that keeps up gets a larger window (as Linux, by what it took in a
 * round trip). */
static void tune(struct tcp *t, u32 copied)
{
	u64 rtt = t->srtt ? t->srtt : NSEC_PER_MSEC, now;

	t->window_copied += copied;
	if (t->memory_fixed || !tcp_settings(t)->moderate_rcvbuf ||
	    t->window_copied < t->memory_limit / 4)
		return;
	now = tcp_clock(t);
	if (now - t->window_ns < MAX(rtt, NSEC_PER_MSEC) * 2)
		t->memory_limit = MIN(t->memory_limit * 2, tcp_settings(t)->rmem[2]);
	t->window_copied = 0;
	t->window_ns = now;
}

/* The reader made room: the sender must know when its view of the window is much too small. */
static void window_opened(struct tcp *t)
{
	u32 known = t->rcv_wup + t->rcv_wnd - t->rcv_nxt, now;

	if (t->state != TCP_ESTABLISHED && t->state != TCP_FIN_WAIT1 && t->state != TCP_FIN_WAIT2)
		return;
	if (t->ack_at && t->rcv_nxt - t->rcv_wup > t->mss_received) {
		tcp_send_ack(t);
		return;
	}
	if (2 * known > t->memory_limit)
		return;
	now = tcp_window(t);
	if (now >= 2 * known && now - known >= MIN(t->mss_received, t->memory_limit / 2))
		tcp_send_ack(t);
}

/* Takes what has been read out of the queue; gone packets go to `done`. */
static void consume(struct tcp *t, u32 n, struct packet_queue *done)
{
	t->copied_seq += n;
	while (t->received.head && !seq_after(tcp_received(t->received.head)->end, t->copied_seq)) {
		struct packet *p = packet_queue_take(&t->received);

		t->memory -= packet_memory(p);
		packet_queue_add(done, p);
	}
	tune(t, n);
	window_opened(t);
}

/* The packet with the byte `seq`; receive_lock keeps it there. */
static struct packet *packet_at(struct tcp *t, u32 seq, u32 *offset, u32 *available)
{
	struct packet *p;

	tcp_lock(t);
	p = t->received.head;
	while (p && !seq_after(tcp_received(p)->end, seq))
		p = p->next;
	if (p) {
		/* Bytes before the first unread one of a packet stay in it. */
		*offset = seq - (tcp_received(p)->end - p->length);
		*available = tcp_received(p)->end - seq;
		if (t->urgent_announced && !seq_before(t->urgent_seq, seq))
			*available = MIN(*available, t->urgent_seq - seq);
	}
	tcp_unlock(t);
	return p;
}

/* At the urgent byte, which is not part of the stream without SO_OOBINLINE: steps over it. */
static void skip_urgent(struct tcp *t, struct socket *socket)
{
	struct packet_queue done = {};

	tcp_lock(t);
	t->urgent_announced = false;
	if (!(socket->options & SOCKET_OOB_INLINE))
		consume(t, 1, &done);
	tcp_unlock(t);
	packet_queue_free(&done);
}

static ssize_t read_bytes(struct tcp *t, struct socket *socket, struct socket_message *m)
{
	struct packet_queue done = {};
	u32 seq = t->copied_seq, total = 0;
	bool peek = m->flags & MSG_PEEK, discard = m->flags & MSG_TRUNC;

	while (m->data->remaining) {
		u32 offset, available, n, copied;
		struct packet *p = packet_at(t, seq, &offset, &available);

		if (!p)
			break;
		if (!available) { /* the urgent mark: a read ends before it, the next begins behind */
			if (total || peek)
				break;
			skip_urgent(t, socket);
			seq = t->copied_seq;
			continue;
		}
		n = (u32)MIN((size_t)available, m->data->remaining);
		if (discard) {
			m->data->remaining -= n;
			copied = n;
		} else {
			copied = (u32)packet_copy_to_iter(p, offset, m->data, n);
		}
		t->read_time_ns = p->time_ns;
		seq += copied;
		total += copied;
		if (!peek && copied) {
			tcp_lock(t);
			consume(t, copied, &done);
			tcp_unlock(t);
			packet_queue_free(&done);
		}
		if (copied < n)
			return total ? (ssize_t)total : -EFAULT;
	}
	return total;
}

/* What recv(2) says when there are no bytes. */
static ssize_t nothing_to_read(struct tcp *t, struct socket *socket)
{
	int error;

	/* Data may have come between looking and here: then the caller comes again. */
	if (READ_ONCE(t->received.head))
		return -EAGAIN;
	error = socket_take_error(socket);
	if (error)
		return error;
	if (__atomic_load_n(&socket->shutdown, __ATOMIC_ACQUIRE) & SOCKET_SHUT_RECEIVE)
		return READ_ONCE(t->received.head) ? -EAGAIN : 0;
	if (t->state == TCP_CLOSED || t->state == TCP_LISTEN)
		return -ENOTCONN;
	return -EAGAIN;
}

static ssize_t read_urgent(struct tcp *t, struct socket *socket, struct socket_message *m)
{
	u8 byte = 0;
	bool valid;

	if (socket->options & SOCKET_OOB_INLINE)
		return -EINVAL;
	tcp_lock(t);
	valid = t->urgent_valid;
	byte = t->urgent_byte;
	if (valid && !(m->flags & MSG_PEEK))
		t->urgent_valid = false;
	tcp_unlock(t);
	if (!valid)
		return t->urgent_announced ? -EAGAIN : -EINVAL;
	m->flags_result |= MSG_OOB;
	return m->data->remaining ? (ssize_t)iter_copy_to(m->data, &byte, 1) : 0;
}

/* When the bytes came, and how many are left (TCP_INQ). */
static void put_control(struct tcp *t, const struct socket *socket, struct socket_message *m)
{
	int left;

	if (t->read_time_ns)
		inet_put_times(socket, m, t->read_time_ns);
	if (!t->tell_unread)
		return;
	tcp_lock(t);
	left = (int)(t->rcv_nxt - t->copied_seq - t->fin_received);
	if (!left && t->fin_received)
		left = 1; /* the end can be read */
	tcp_unlock(t);
	inet_put_control(m, SOL_TCP, TCP_CM_INQ, &left, sizeof(left));
}

ssize_t tcp_receive(struct socket *socket, struct socket_message *m)
{
	struct tcp *t = tcp_of(socket);
	ssize_t n;

	if (unlikely(m->flags & MSG_ERRQUEUE))
		return inet_receive_error(&t->inet, m);
	if (unlikely(t->state == TCP_LISTEN))
		return -ENOTCONN;
	if (unlikely(m->flags & MSG_OOB))
		return read_urgent(t, socket, m);
	if (unlikely(t->repair) && tcp_repair_receive(t, m, &n))
		return n;
	if (!m->data->remaining)
		return 0;
	if (!READ_ONCE(t->received.head))
		return nothing_to_read(t, socket);
	mutex_lock(&t->receive_lock);
	n = read_bytes(t, socket, m);
	if (unlikely(m->control) && n > 0)
		put_control(t, socket, m);
	mutex_unlock(&t->receive_lock);
	return n ? n : nothing_to_read(t, socket);
}
