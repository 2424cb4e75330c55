/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an acknowledgement says: which records are through, SACK, round trip times, the window. */
#include <lib/errno.h>
#include <mm/slab.h>
#include <net/tcp/tcp.h>

#include <linux/eventpoll.h>

/* Takes the flags of a record that goes, or is sacked, out of the books. */
static void forget_flags(struct tcp *t, struct tcp_record *r)
{
	if (r->flags & RECORD_SACKED)
		t->sacked -= r->end - r->seq;
	if (unlikely(r->flags & (RECORD_LOST | RECORD_RETRANSMITTED)))
		tcp_unmark_lost(t, r);
}

struct tcp_record *tcp_record_alloc(struct tcp *t)
{
	struct tcp_record *r = t->spare_record;

	t->spare_record = nullptr;
	return r ? r : kmalloc(sizeof(*r), ALLOC_ATOMIC);
}

void tcp_record_free(struct tcp *t, struct tcp_record *r)
{
	if (t->spare_record)
		kfree(r);
	else
		t->spare_record = r;
}

static void free_record(struct tcp *t, struct tcp_record *r)
{
	forget_flags(t, r);
	list_remove(&r->node);
	tcp_record_free(t, r);
}

void tcp_drop_records(struct tcp *t)
{
	while (!list_empty(&t->records))
		free_record(t, list_first(&t->records, struct tcp_record, node));
}

/* RACK (RFC 8985, 6.1): the latest sent of all that was delivered. */
static void rack_update(struct tcp *t, const struct tcp_record *r, u64 now)
{
	u64 rtt = now - r->sent_ns;

	/* The ACK of a retransmission that came too soon is that of the original. */
	if ((r->flags & RECORD_EVER_RETRANSMITTED) && t->min_rtt != UINT64_MAX && rtt < t->min_rtt)
		return;
	if (r->sent_ns > t->rack_sent_ns ||
	    (r->sent_ns == t->rack_sent_ns && seq_after(r->end, t->rack_end))) {
		t->rack_sent_ns = r->sent_ns;
		t->rack_end = r->end;
		t->rack_rtt = rtt;
	}
}

struct progress {
	u32 acked, delivered;
	u64 rtt;
	bool retransmitted; /* something acknowledged had been sent twice */
};

static void delivered(struct tcp *t, struct tcp_record *r, u64 now, struct progress *progress)
{
	rack_update(t, r, now);
	if (unlikely(r->flags & RECORD_PROBE))
		tcp_mtu_probe_passed(t, r);
	progress->delivered += r->end - r->seq;
	if (r->flags & RECORD_EVER_RETRANSMITTED)
		return;
	progress->rtt = now - r->sent_ns;
	if (seq_before(r->end, t->highest_delivered))
		t->reordering_seen = true; /* RFC 8985, 6.2, step 3 */
	else
		t->highest_delivered = r->end;
}

static void sack_record(struct tcp *t, struct tcp_record *r, u64 now, struct progress *progress)
{
	u32 n = r->end - r->seq;

	if (r->flags & RECORD_SACKED)
		return;
	delivered(t, r, now, progress);
	forget_flags(t, r);
	r->flags |= RECORD_SACKED;
	t->sacked += n;
}

static void sack_block(struct tcp *t, u32 start, u32 end, u64 now, struct progress *progress)
{
	struct tcp_record *r;

	/* Nothing that we never sent, or that is through already (RFC 2883). */
	if (!seq_before(start, end) || seq_before(start, t->snd_una) || seq_after(end, t->snd_nxt))
		return;
	list_for_each (r, &t->records, node) {
		if (!seq_before(r->seq, end))
			return;
		if (!seq_after(r->end, start))
			continue;
		if (seq_before(r->seq, start)) {
			if (!(r->flags & RECORD_SACKED) && !tcp_split(t, r, start))
				return;
			continue; /* its second half is next */
		}
		if (seq_after(r->end, end) && !(r->flags & RECORD_SACKED) && !tcp_split(t, r, end))
			return;
		sack_record(t, r, now, progress);
	}
}

/* Blocks that are no longer needed go, but never the last one, which belongs to the sender. */
static void free_blocks(struct tcp *t)
{
	while (t->blocks && t->blocks != t->last_block &&
	       !seq_after(t->blocks->seq + t->blocks->used, t->snd_una)) {
		struct tcp_block *b = t->blocks;

		t->blocks = b->next;
		page_put(b->page);
		kfree(b);
	}
}

/* The first block may tell of bytes that came twice (RFC 2883, 4): below the ACK, or in the second block. */
static void duplicate_report(struct tcp *t, const struct tcp_segment *s)
{
	const struct tcp_options *o = &s->options;
	u32 start = o->sack[0].start, end = o->sack[0].end;

	if (!seq_before(start, end))
		return;
	if (seq_after(end, s->ack) && (o->sack_count < 2 || seq_before(start, o->sack[1].start) ||
				       seq_after(end, o->sack[1].end)))
		return;
	tcp_count(t, NET_TCP_DSACK_RECEIVED);
	if (end == t->tail_probe_seq)
		t->tail_probe_out = false; /* the original had come, and its ACK was lost */
	if (tcp_undo_needless(t, start, end))
		tcp_wait_longer(t);
}

/* The ACK of a retransmission echoes when that was sent, or later; an older echo is of the original (RFC 3522). */
static void original_came(struct tcp *t, const struct tcp_record *r, const struct tcp_segment *s)
{
	u32 sent = (u32)(r->sent_ns / NSEC_PER_MSEC) + t->timestamp_offset;

	if (t->timestamps && s->options.timestamp && s->options.echo &&
	    seq_before(s->options.echo, sent) && tcp_undo_needless(t, r->seq, r->end))
		tcp_wait_longer(t);
}

static void acknowledge_records(struct tcp *t, const struct tcp_segment *s, u64 now,
				struct progress *progress)
{
	u32 ack = s->ack;

	while (!list_empty(&t->records)) {
		struct tcp_record *r = list_first(&t->records, struct tcp_record, node);

		if (!seq_before(r->seq, ack))
			break;
		if (seq_after(r->end, ack) && !tcp_split(t, r, ack))
			break;
		if (r->flags & RECORD_EVER_RETRANSMITTED) {
			progress->retransmitted = true;
			if (r->seq == t->snd_una)
				original_came(t, r, s);
		}
		if (!(r->flags & RECORD_SACKED)) {
			delivered(t, r, now, progress);
		}
		free_record(t, r);
	}
}

static void update_window(struct tcp *t, const struct tcp_segment *s)
{
	u32 window = s->window << (t->scaling && !(s->flags & TH_SYN) ? t->send_scale : 0);

	if (seq_after(s->ack, t->snd_una) || seq_after(s->seq, t->snd_wl1) ||
	    (s->seq == t->snd_wl1 && window > t->snd_wnd)) {
		t->snd_wl1 = s->seq;
		t->snd_wnd = window;
		t->window_max = MAX(t->window_max, window);
	}
}

static void measure(struct tcp *t, const struct tcp_segment *s, const struct progress *progress,
		    u64 now)
{
	if (progress->rtt) {
		tcp_measure(t, progress->rtt);
	} else if (progress->retransmitted && t->timestamps && s->options.timestamp &&
		   s->options.echo) {
		u32 ms = (u32)(now / NSEC_PER_MSEC) + t->timestamp_offset - s->options.echo;

		if (ms < 120000)
			tcp_measure(t, ms ? ms * NSEC_PER_MSEC : NSEC_PER_MSEC);
	}
}

/* There is room again for a sender that waits. */
static void announce_room(struct tcp *t)
{
	u32 queued = tcp_queued(t);

	if (t->send_room_wanted && tcp_has_room(t, queued, tcp_send_limit(t))) {
		t->send_room_wanted = false;
		tcp_notify(t, EPOLLOUT | EPOLLWRNORM);
	}
}

static void advance(struct tcp *t, u32 ack, u64 now)
{
	t->bytes_acked += ack - t->snd_una;
	t->snd_una = ack;
	t->retries = 0;
	t->probes = 0;
	t->first_unacked_ns = now;
	if (t->urgent_pending && !seq_before(ack, t->urgent_end))
		t->urgent_pending = false;
	if (seq_before(t->snd_nxt, ack))
		t->snd_nxt = ack;
	free_blocks(t);
}

bool tcp_acknowledge(struct tcp *t, const struct tcp_segment *s, bool carries_data)
{
	struct progress progress = {};
	u32 una = t->snd_una, window = t->snd_wnd;
	u64 now;
	bool duplicate;

	if (seq_after(s->ack, t->snd_nxt)) {
		tcp_challenge_ack(t); /* of what we never sent */
		return false;
	}
	if (seq_before(s->ack, t->snd_una - MAX(t->window_max, 65535u))) {
		tcp_challenge_ack(t); /* RFC 5961, 5.2 */
		return false;
	}
	update_window(t, s);
	if (!carries_data)
		tcp_count(t, NET_TCP_PURE_ACKS);
	if (unlikely(s->options.sack_count) && t->sack)
		duplicate_report(t, s);
	if (s->ack == una && list_empty(&t->records)) {
		t->probes = 0;
		return true;
	}
	now = tcp_clock(t);
	for (unsigned i = 0; t->sack && i < s->options.sack_count; i++)
		sack_block(t, s->options.sack[i].start, s->options.sack[i].end, now, &progress);
	if (seq_after(s->ack, una)) {
		progress.acked = s->ack - una;
		tcp_probe_acknowledged(t, s->ack);
		acknowledge_records(t, s, now, &progress);
		advance(t, s->ack, now);
	}
	measure(t, s, &progress, now);
	duplicate =
		s->ack == una && !carries_data && t->snd_wnd == window && !list_empty(&t->records);
	tcp_after_ack(t, progress.delivered, progress.acked, duplicate,
		      t->ecn && (s->flags & TH_ECE));
	if (progress.acked || progress.delivered) {
		tcp_count(t, NET_TCP_DELIVERED);
		if (unlikely(t->ecn && (s->flags & TH_ECE)))
			tcp_count(t, NET_TCP_DELIVERED_CE);
		tcp_arm_retransmit(t);
	}
	if (progress.acked)
		announce_room(t);
	return true;
}
