/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Segments out: how much may be sent now (Nagle, windows, congestion), and headers. */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/checksum.h>
#include <net/tcp/tcp.h>

#include <linux/rtnetlink.h>

#define LARGE_MAX 65483u /* payload of one packet; the device or the peer's host cuts it */
/* The same where nobody does: a write of 64 KiB in one packet, whose pages fit into PACKET_FRAGMENTS_MAX wherever it begins. */
#define UNCUT_MAX 65536u
#define COPY_MAX 256u /* payload up to this is copied into the packet rather than referred to */
#define CORK_NS (200 * NSEC_PER_MSEC)

u32 tcp_window(struct tcp *t)
{
	u32 limit = t->memory_limit, free, open;
	u32 before = t->rcv_wup + t->rcv_wnd - t->rcv_nxt; /* never taken back (RFC 9293, 3.8.6) */
	u32 max = 65535u << (t->scaling ? t->receive_scale : 0);

	free = limit > t->memory ? limit - t->memory : 0;
	if ((s32)before < 0)
		before = 0;
	/* A window opens by whole segments, or stays closed (silly window, RFC 9293, 3.8.6.2.2). */
	open = free;
	if (open < MIN(limit / 2, t->mss_received) || (open < limit / 16 && !before))
		open = 0;
	if (t->scaling)
		open &= ~((1u << t->receive_scale) - 1);
	return MIN(MAX(open, before), max);
}

static u8 *put_timestamp(struct tcp *t, u8 *o)
{
	store_net32(o, 0x0101080a);
	store_net32(o + 4, tcp_timestamp(t, tcp_clock(t)));
	store_net32(o + 8, t->ts_recent);
	return o + 12;
}

static u8 *put_block(u8 *o, u32 start, u32 end)
{
	store_net32(o, start);
	store_net32(o + 4, end);
	return o + 8;
}

/* What arrived out of order, the latest first (RFC 2018), behind a duplicate (RFC 2883): at most `room` blocks. */
static u8 *put_sack(struct tcp *t, u8 *o, unsigned room)
{
	unsigned count = 0;
	u8 *start = o + 4;
	u8 *at = start;
	struct rb_node *n = rb_first(&t->out_of_order);
	u32 first_start = 0, first_end = 0;

	if (!room)
		return o;
	if (t->duplicate_due) {
		at = put_block(at, t->duplicate_start, t->duplicate_end);
		t->duplicate_due = false;
		count++;
	}
	/* Two passes over the runs of packets that touch: the one with the latest, then the rest. */
	for (int pass = 0; pass < 2 && count < room; pass++)
		for (n = rb_first(&t->out_of_order); n && count < room;) {
			struct tcp_received *r = rb_entry(n, struct tcp_received, node);
			u32 run_start = r->seq, run_end = r->end;
			bool latest = false;

			for (; n; n = rb_next(n)) {
				r = rb_entry(n, struct tcp_received, node);
				if (seq_after(r->seq, run_end))
					break;
				if (seq_after(r->end, run_end))
					run_end = r->end;
				latest |= r->seq == t->latest_sack;
			}
			if (pass == 0 && !latest)
				continue;
			if (pass == 1 && run_start == first_start && run_end == first_end)
				continue;
			at = put_block(at, run_start, run_end);
			count++;
			if (pass == 0) {
				first_start = run_start;
				first_end = run_end;
				break;
			}
		}
	store_net32(o, 0x01010500 | (2 + 8 * count));
	return at;
}

static void sign(const struct tcp *t, struct packet *p)
{
	const struct tcp_md5_key *key = tcp_md5_of(t);

	if (key)
		tcp_md5_sign(key, &t->inet.node.local, &t->inet.node.remote, p);
}

/* What few segments have: SACK, as far as there is room, and the signature. */
static u8 *put_rare_options(struct tcp *t, u8 *o, bool sack)
{
	bool is_signed = tcp_md5_of(t);

	if (sack && t->sack && (t->out_of_order.root || t->duplicate_due))
		o = put_sack(t, o, is_signed ? (t->timestamps ? 0 : 2) : t->timestamps ? 3 : 4);
	return is_signed ? tcp_md5_put_option(o) : o;
}

/* The options of a segment without SYN, at `o`; `sack`: what came out of order is told. Where they end. */
static inline u8 *put_options(struct tcp *t, u8 *o, bool sack)
{
	if (t->timestamps)
		o = put_timestamp(t, o);
	if (likely(!t->out_of_order.root && !t->duplicate_due && !t->md5_keys))
		return o;
	return put_rare_options(t, o, sack);
}

void tcp_finish(struct tcp *t, struct packet *p, u32 seq, u8 flags, const u8 *options,
		unsigned options_length)
{
	const struct inet_node *n = &t->inet.node;
	unsigned header = sizeof(struct tcp_header) + options_length;
	struct tcp_header *h;
	u32 window;

	if (flags & TH_SYN) {
		t->rcv_wnd = MIN(tcp_window(t), 65535u);
		window = t->rcv_wnd;
	} else {
		u32 next = tcp_window(t);

		t->rcv_wnd = next;
		window = next >> (t->scaling ? t->receive_scale : 0);
	}
	if (flags & TH_ACK) {
		t->rcv_wup = t->rcv_nxt;
		t->last_ack_sent = t->rcv_nxt;
		t->ack_due = false;
		t->ack_at = 0;
		if (t->quick_acks && !p->length)
			t->quick_acks--;
		if (t->ece_due && !(flags & TH_SYN))
			flags |= TH_ECE;
	}
	memcpy(packet_push(p, options_length), options, options_length);
	h = packet_push(p, sizeof(*h));
	*h = (struct tcp_header){
		.source = net16(n->local_port),
		.destination = net16(n->remote_port),
		.seq = net32(seq),
		.ack = flags & TH_ACK ? net32(t->rcv_nxt) : 0,
		.offset = (u8)(header / 4 << 4),
		.flags = flags,
		.window = net16((u16)window),
	};
	if (unlikely(t->urgent_pending) && seq_after(t->urgent_end, seq) &&
	    t->urgent_end - seq <= 0xffff) {
		h->flags |= TH_URG;
		h->urgent = net16((u16)(t->urgent_end - seq));
	}
	if (unlikely(t->md5_keys))
		sign(t, p);
	h->checksum = checksum_fold(checksum_pseudo(&n->local, &n->remote, p->length, IPPROTO_TCP));
	p->checksum = CHECKSUM_PARTIAL;
	p->checksum_start = (u16)packet_headroom(p);
	p->checksum_offset = offsetof(struct tcp_header, checksum);
	t->segments_out++;
	packet_queue_add(&t->output, p);
}

static void send_control(struct tcp *t, u32 seq, u8 flags)
{
	struct packet *p = packet_alloc();
	__uninitialized u8 options[40];

	if (!p) {
		t->ack_due = true; /* tried again by the timer */
		t->ack_at = tcp_clock(t) + CORK_NS;
		return;
	}
	tcp_finish(t, p, seq, flags, options,
		   (unsigned)(put_options(t, options, flags & TH_ACK) - options));
}

void tcp_send_ack(struct tcp *t)
{
	if (t->state != TCP_CLOSED && t->state != TCP_LISTEN)
		send_control(t, t->snd_nxt, TH_ACK);
}

void tcp_send_reset(struct tcp *t)
{
	if (t->state == TCP_SYN_SENT || t->state == TCP_CLOSED || t->state == TCP_LISTEN)
		return;
	tcp_count(t, NET_TCP_RESETS_SENT);
	send_control(t, t->snd_nxt, TH_RST | TH_ACK);
}

void tcp_send_probe(struct tcp *t)
{
	send_control(t, t->snd_una - 1, TH_ACK); /* outside the window: answered by an ACK */
}

static bool stays_here(const struct tcp *t) __no_lock_analysis
{
	const struct net_device *device = t->inet.route.device;

	return device && device->features & DEVICE_LOOPBACK;
}

static u32 options_length(const struct tcp *t)
{
	return (t->timestamps ? 12u : 0) + (tcp_md5_of(t) ? TCP_SIGNATURE_OPTION : 0);
}

u32 tcp_header_length(const struct tcp *t)
{
	return (inet_is_v4(&t->inet.node.remote) ? 40u : 60u) + options_length(t);
}

void tcp_update_mss(struct tcp *t)
{
	u32 mtu = tcp_route_mtu(t), options = options_length(t), headers = tcp_header_length(t);

	if (t->path_mtu)
		mtu = MIN(mtu, t->path_mtu);
	if (unlikely(t->mtu_probe.on))
		mtu = MIN(mtu, t->mtu_probe.low);
	t->mss = mtu > headers + 32 ? MIN(mtu - headers, LARGE_MAX) : 32;
	if (t->mss_peer)
		t->mss = MIN(t->mss, t->mss_peer > options + 32 ? t->mss_peer - options : 32);
	if (t->mss_user)
		t->mss = MIN(t->mss, t->mss_user > options + 32 ? t->mss_user - options : 32);
	if (unlikely(tcp_md5_of(t))) /* what cuts a packet into segments cannot sign them */
		t->burst = t->mss;
	else
		t->burst = stays_here(t) ? UNCUT_MAX : LARGE_MAX / t->mss * t->mss;
}

bool tcp_attach(struct packet *p, struct tcp_block *block, u32 seq, u32 n)
{
	while (n) {
		u32 offset = seq - block->seq, step;

		if (offset >= block->used) {
			block = block->next;
			continue;
		}
		step = MIN(n, block->used - offset);
		if (n <= COPY_MAX && !p->fragment_count) {
			memcpy(packet_append(p, step), (u8 *)page_address(block->page) + offset,
			       step);
		} else {
			page_get(block->page);
			if (!packet_add_fragment(p, block->page, offset, step)) {
				page_put(block->page);
				return false;
			}
		}
		seq += step;
		n -= step;
	}
	return true;
}

/* Sends the bytes of a record. False without memory. */
static bool transmit(struct tcp *t, struct tcp_record *r, bool push)
{
	u32 n = r->end - r->seq - !!(r->flags & RECORD_FIN);
	struct packet *p;
	__uninitialized u8 options[40];
	u8 flags = TH_ACK;

	if (unlikely(t->repair))
		return true;
	p = packet_alloc();
	if (!p)
		return false;
	if (n && !tcp_attach(p, r->block, r->seq, n)) {
		packet_free(p);
		return false;
	}
	if (n > t->mss && likely(!(r->flags & RECORD_PROBE)))
		p->segment_size = (u16)t->mss;
	if (r->flags & RECORD_FIN)
		flags |= TH_FIN;
	if (push && n)
		flags |= TH_PSH;
	if (t->cwr_due && n) {
		flags |= TH_CWR;
		t->cwr_due = false;
	}
	tcp_finish(t, p, r->seq, flags, options,
		   (unsigned)(put_options(t, options, n + 36 <= t->mss) - options));
	t->bytes_sent += n;
	return true;
}

/* A block that holds the byte `seq`: searched from the last record's on. */
static struct tcp_block *block_at(const struct tcp *t, u32 seq)
{
	struct tcp_block *b = t->blocks;

	if (!list_empty(&t->records))
		b = list_last(&t->records, struct tcp_record, node)->block;
	if (!b)
		b = t->blocks;
	while (b && b->next && seq - b->seq >= b->used)
		b = b->next;
	return b;
}

/* May what is left go in a segment that is not full? */
static bool may_be_small(const struct tcp *t, bool force)
{
	if (force || t->fin_queued)
		return true;
	/* Nagle, as Minshall refined it: one small segment in flight. */
	return !t->corked && (t->no_delay || !seq_after(t->small_end, t->snd_una));
}

/* How many bytes the next packet may have: 0 for none now. */
static u32 allowed(struct tcp *t, bool force, bool *limited)
{
	u32 pending = t->write_seq - t->snd_nxt, flight = tcp_flight(t);
	u32 window = t->snd_una + t->snd_wnd - t->snd_nxt, n;
	u32 room = t->cwnd > flight ? t->cwnd - flight : 0;

	if ((s32)window < 0)
		window = 0;
	window = MIN(window, t->burst);
	n = MIN(pending, window);
	if (n > room) {
		*limited = true;
		n = room;
	}
	if (n >= t->mss) {
		u32 rest = n % t->mss;

		/* A last segment that is small goes along, if it may. */
		return n == pending && may_be_small(t, force) ? n : n - rest;
	}
	if (n < pending) {
		/* Silly window avoidance: wait for more unless this is half of what they ever offer. */
		return n && n >= t->window_max / 2 && n <= window ? n : 0;
	}
	return may_be_small(t, force) ? n : 0;
}

static bool send_next(struct tcp *t, u32 n, u32 flags)
{
	struct tcp_record *r = tcp_record_alloc(t);
	u64 now = tcp_clock(t);

	if (!r)
		return false;
	*r = (struct tcp_record){
		.seq = t->snd_nxt, .end = t->snd_nxt + n, .flags = flags, .sent_ns = now
	};
	r->block = n ? block_at(t, t->snd_nxt) : nullptr;
	if (t->fin_queued && r->end == t->write_seq && t->state != TCP_ESTABLISHED &&
	    t->state != TCP_CLOSE_WAIT) {
		r->flags |= RECORD_FIN;
		r->end++;
	}
	if (!transmit(t, r, r->end - !!(r->flags & RECORD_FIN) == t->write_seq)) {
		tcp_record_free(t, r);
		return false;
	}
	if (n && (n < t->mss || unlikely(n % t->mss)))
		t->small_end = r->end;
	if (t->phase == PHASE_RECOVERY || t->phase == PHASE_CWR)
		t->prr_out += n;
	if (list_empty(&t->records))
		t->first_unacked_ns = now;
	list_add_tail(&t->records, &r->node);
	t->snd_nxt = r->end;
	if (n)
		tcp_count(t, NET_TCP_DATA_SENT);
	return true;
}

void tcp_count_as_sent(struct tcp *t)
{
	u32 n;

	/* Its acknowledgement tells nothing of the time that it took. */
	while ((n = MIN(t->write_seq - t->snd_nxt, t->mss)) &&
	       send_next(t, n, RECORD_EVER_RETRANSMITTED))
		;
}

bool tcp_push_little(struct tcp *t)
{
	u32 n = MIN(t->write_seq - t->snd_nxt, t->snd_wnd);

	n = MIN(n, t->mss);
	if (!n || !send_next(t, n, 0))
		return false;
	tcp_arm_retransmit(t);
	return true;
}

/* The FIN is due once all data is sent and it is not. */
static bool fin_pending(const struct tcp *t)
{
	return t->fin_queued && t->snd_nxt == t->write_seq;
}

/* Does the state allow data? What waits for a Fast Open begins the connection. */
static bool may_push(struct tcp *t)
{
	switch (t->state) {
	case TCP_SYN_SENT:
		if (t->fast_open.waits)
			tcp_open(t);
		return false;
	case TCP_SYN_RECEIVED:
		return t->fast_open.accepted;
	default:
		return t->state != TCP_LISTEN && t->state != TCP_CLOSED && !t->repair;
	}
}

/* SO_MAX_PACING_RATE: how much of `n` bytes may go now, for a millisecond or two segments at a time; 0: later. */
static u32 pace(struct tcp *t, u32 n)
{
	u64 now = tcp_clock(t), most = MAX(t->pacing_rate / 1000, 2ull * t->mss);

	if (t->pace_next_ns > now) {
		t->cork_at = t->pace_next_ns;
		t->pace_waits = true;
		return 0;
	}
	if (n > most)
		n = (u32)most / t->mss * t->mss;
	/* A timer that was late is made up for. */
	t->pace_next_ns =
		MAX(t->pace_next_ns, now - NSEC_PER_MSEC) + n * NSEC_PER_SEC / t->pacing_rate;
	return n;
}

void tcp_push(struct tcp *t, bool force)
{
	bool sent = false, limited = false;
	u32 n;

	if (unlikely(!may_push(t)))
		return;
	if (t->lost > 0)
		tcp_retransmit_lost(t);
	if (list_empty(&t->records) && t->snd_nxt != t->write_seq)
		tcp_restart_after_idle(t);
	if (unlikely(t->mtu_probe.on) && (n = tcp_mtu_probe_due(t)))
		sent = send_next(t, n, RECORD_PROBE);
	while ((n = seq_before(t->snd_nxt, t->write_seq) ? allowed(t, force, &limited) : 0)) {
		if (unlikely(t->pacing_rate) && !(n = pace(t, n)))
			break;
		if (!send_next(t, n, 0))
			break;
		sent = true;
	}
	if (fin_pending(t) && send_next(t, 0, 0))
		sent = true;
	if (sent)
		tcp_arm_retransmit(t);
	if (seq_before(t->snd_nxt, t->write_seq) && list_empty(&t->records)) {
		/* Nothing in flight and nothing allowed: the window is closed, or the data corked. */
		if (t->corked && t->write_seq - t->snd_nxt < t->mss) {
			if (!t->cork_at)
				t->cork_at = tcp_clock(t) + CORK_NS;
		} else if (!t->probe_at && !t->pace_waits) {
			t->probe_at = tcp_clock(t) + t->rto;
		}
	} else {
		t->probe_at = 0;
	}
	tcp_timers_update(t);
}

void tcp_queue_fin(struct tcp *t)
{
	t->fin_queued = true;
	t->cork_at = 0;
	tcp_push(t, true);
}

/* Divides a record at sequence number `at`, strictly inside. */
bool tcp_split(struct tcp *t, struct tcp_record *r, u32 at)
{
	struct tcp_record *rest = tcp_record_alloc(t);
	struct tcp_block *b = r->block;

	if (!rest)
		return false;
	if (unlikely(r->flags & RECORD_PROBE))
		tcp_mtu_probe_abandon(t, r);
	*rest = *r;
	rest->seq = at;
	while (b && b->next && at - b->seq >= b->used)
		b = b->next;
	rest->block = b;
	r->end = at;
	r->flags &= ~(u32)RECORD_FIN;
	list_add(&r->node, &rest->node);
	return true;
}

bool tcp_retransmit(struct tcp *t, struct tcp_record *r)
{
	u32 n = r->end - r->seq;

	if (unlikely(r->flags & RECORD_PROBE))
		tcp_mtu_probe_abandon(t, r);
	if (n > t->mss + !!(r->flags & RECORD_FIN) &&
	    (t->cwnd < n + tcp_flight(t) || t->burst == t->mss) &&
	    !tcp_split(t, r, r->seq + t->mss))
		return false;
	if (!transmit(t, r, r->end == t->write_seq))
		return false;
	n = r->end - r->seq;
	if (t->phase >= PHASE_RECOVERY)
		tcp_undo_retransmitted(t, r);
	if (!(r->flags & RECORD_RETRANSMITTED))
		t->retransmitted += n;
	if (r->flags & RECORD_EVER_RETRANSMITTED)
		tcp_count(t, NET_TCP_LOST_RETRANSMIT);
	r->flags |= RECORD_RETRANSMITTED | RECORD_EVER_RETRANSMITTED;
	r->sent_ns = tcp_clock(t);
	t->total_retransmitted++;
	tcp_count(t, NET_TCP_RETRANSMITTED);
	if (t->phase == PHASE_RECOVERY)
		tcp_count(t, NET_TCP_FAST_RETRANSMIT);
	else if (t->phase == PHASE_LOSS)
		tcp_count(t, NET_TCP_SLOW_START_RETRANSMIT);
	if (t->phase == PHASE_RECOVERY)
		t->prr_out += n;
	return true;
}

/* Does SO_MAX_PACING_RATE let it go now, or as much of it as is then left in the record? */
static bool pace_record(struct tcp *t, struct tcp_record *r)
{
	u32 length = r->end - r->seq, n = pace(t, length);

	return n && (n >= length || tcp_split(t, r, r->seq + n));
}

void tcp_retransmit_lost(struct tcp *t)
{
	struct tcp_record *r;

	list_for_each (r, &t->records, node) {
		if (!(r->flags & RECORD_LOST) ||
		    (r->flags & (RECORD_RETRANSMITTED | RECORD_SACKED)))
			continue;
		if (tcp_flight(t) >= t->cwnd && tcp_flight(t) > 0)
			return;
		if (unlikely(t->pacing_rate) && !pace_record(t, r))
			return;
		if (!tcp_retransmit(t, r))
			return;
	}
}
