/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loss detection and recovery: RACK with SACK (RFC 8985), duplicate ACKs without (RFC 5681, RFC 6582),
 * proportional rate reduction (RFC 6937), ECN (RFC 3168).
 */
#include <net/tcp/tcp.h>

#define DUPLICATE_THRESHOLD 3

static void mark_lost(struct tcp *t, struct tcp_record *r)
{
	u32 n = r->end - r->seq;

	if (unlikely(r->flags & RECORD_PROBE))
		tcp_mtu_probe_lost(t, r);
	if (r->flags & RECORD_RETRANSMITTED) {
		r->flags &= ~(u32)RECORD_RETRANSMITTED;
		t->retransmitted -= n;
	}
	if (!(r->flags & RECORD_LOST)) {
		r->flags |= RECORD_LOST;
		t->lost += n;
	}
}

void tcp_unmark_lost(struct tcp *t, struct tcp_record *r)
{
	u32 n = r->end - r->seq;

	if (r->end == t->mtu_probe.end)
		t->mtu_probe.lost = 0;
	if (r->flags & RECORD_LOST)
		t->lost -= n;
	if (r->flags & RECORD_RETRANSMITTED)
		t->retransmitted -= n;
	r->flags &= ~(u32)(RECORD_LOST | RECORD_RETRANSMITTED);
}

/*
 * How long a segment may be late before it counts as lost (RFC 8985, 6.2, step 4). Before anything was seen to be overtaken
 * the RFC waits not at all once three segments are through; an eighth of a round trip costs less than a needless
 * retransmission.
 */
static u64 reordering_window(const struct tcp *t)
{
	u64 rtt = t->min_rtt == UINT64_MAX ? t->srtt : t->min_rtt;

	if (!t->reordering_seen && t->phase >= PHASE_RECOVERY &&
	    t->sacked >= DUPLICATE_THRESHOLD * t->mss)
		return rtt / 8;
	rtt = MAX(rtt / 4 * t->reordering_quarters, NSEC_PER_MSEC);
	return MIN(rtt, MAX(t->srtt, NSEC_PER_MSEC));
}

#define REORDERING_KEEP 16 /* recoveries */

void tcp_wait_longer(struct tcp *t)
{
	if (t->reordering_quarters > 1 && seq_before(t->snd_una, t->reordering_round))
		return; /* once in a round trip */
	t->reordering_round = t->snd_nxt;
	t->reordering_quarters = (u8)MIN(t->reordering_quarters + 1, 4);
	t->reordering_keep = REORDERING_KEEP;
	t->reordering_seen = true;
}

/* Marks what was sent long enough before the latest delivery (RFC 8985, 6.2, step 5). */
static void rack_detect(struct tcp *t, u64 now)
{
	u64 window = reordering_window(t), next = 0;
	struct tcp_record *r;

	if (!t->rack_sent_ns)
		return;
	list_for_each (r, &t->records, node) {
		u64 deadline = r->sent_ns + t->rack_rtt + window;

		if (r->flags & RECORD_SACKED)
			continue;
		if ((r->flags & RECORD_LOST) && !(r->flags & RECORD_RETRANSMITTED))
			continue;
		if (r->sent_ns > t->rack_sent_ns ||
		    (r->sent_ns == t->rack_sent_ns && !seq_before(r->end, t->rack_end)))
			continue;
		if (deadline <= now)
			mark_lost(t, r);
		else if (!next || deadline < next)
			next = deadline;
	}
	t->reorder_at = next;
}

static void begin_reduction(struct tcp *t, enum tcp_phase phase)
{
	if (phase == PHASE_RECOVERY)
		tcp_count(t, t->sack ? NET_TCP_SACK_RECOVERY : NET_TCP_RENO_RECOVERY);
	if (phase == PHASE_RECOVERY)
		tcp_undo_begin(t);
	t->ssthresh = MAX(t->congestion->threshold(t), 2 * t->mss);
	t->recover_seq = t->snd_nxt;
	t->recover_flight = tcp_flight(t) + t->lost;
	t->prr_delivered = t->prr_out = 0;
	t->tail_probe_out = false;
	t->phase = (u8)phase;
	if (t->ecn)
		t->cwr_due = true;
}

void tcp_probe_acknowledged(struct tcp *t, u32 ack)
{
	if (!t->tail_probe_out || !seq_after(ack, t->tail_probe_seq))
		return;
	t->tail_probe_out = false;
	if (t->phase < PHASE_CWR) {
		tcp_count(t, NET_TCP_LOSS_PROBE_RECOVERY);
		begin_reduction(t, PHASE_CWR);
	}
}

void tcp_detect_losses(struct tcp *t)
{
	rack_detect(t, tcp_clock(t));
	if (t->lost > t->mtu_probe.lost && t->phase < PHASE_RECOVERY)
		begin_reduction(t, PHASE_RECOVERY);
}

/* The peer reported what it did not keep (RFC 2018, 8): what it has not acknowledged counts as not received. */
static void forget_sacks(struct tcp *t)
{
	struct tcp_record *r;

	list_for_each (r, &t->records, node)
		r->flags &= ~(u32)RECORD_SACKED;
	t->sacked = 0;
	tcp_count(t, NET_TCP_SACK_RENEGING);
}

void tcp_enter_loss(struct tcp *t)
{
	struct tcp_record *r;

	if (list_empty(&t->records))
		return;
	if (list_first(&t->records, struct tcp_record, node)->flags & RECORD_SACKED)
		forget_sacks(t);
	if (t->phase < PHASE_RECOVERY) {
		tcp_undo_begin(t);
		t->ssthresh = MAX(t->congestion->threshold(t), 2 * t->mss);
	}
	list_for_each (r, &t->records, node)
		if (!(r->flags & RECORD_SACKED))
			mark_lost(t, r);
	t->recover_seq = t->snd_nxt;
	t->cwnd = t->mss;
	t->phase = PHASE_LOSS;
	t->duplicate_acks = 0;
	t->tail_probe_out = false;
	t->reorder_at = 0;
}

/* The window during recovery follows what is delivered. */
static void proportional_reduction(struct tcp *t, u32 delivered, bool new_losses)
{
	u32 flight = tcp_flight(t), send;

	t->prr_delivered += delivered;
	if (flight > t->ssthresh) {
		u64 target = (u64)t->prr_delivered * t->ssthresh;

		target = (target + MAX(t->recover_flight, 1u) - 1) / MAX(t->recover_flight, 1u);
		send = target > t->prr_out ? (u32)(target - t->prr_out) : 0;
	} else {
		u32 limit = t->prr_delivered > t->prr_out ? t->prr_delivered - t->prr_out : 0;

		limit = MAX(limit, delivered);
		if (!new_losses)
			limit += t->mss;
		send = MIN(t->ssthresh - flight, limit);
	}
	if (!t->prr_out && !send)
		send = t->mss; /* the first retransmission goes at once */
	t->cwnd = MAX(flight + send, t->mss);
}

static void end_recovery(struct tcp *t)
{
	if (t->phase == PHASE_RECOVERY || t->phase == PHASE_CWR)
		t->cwnd = MAX(t->ssthresh, 2 * t->mss);
	if (t->phase >= PHASE_RECOVERY && t->reordering_keep && !--t->reordering_keep)
		t->reordering_quarters = 1;
	t->phase = t->sacked ? PHASE_DISORDER : PHASE_OPEN;
	t->duplicate_acks = 0;
}

static bool window_used(const struct tcp *t, u32 acked)
{
	return tcp_flight(t) + acked + t->mss >= t->cwnd ||
	       (t->cwnd < t->ssthresh && (tcp_flight(t) + acked) * 2ull >= t->cwnd);
}

static void grow(struct tcp *t, u32 acked)
{
	if (!acked || !window_used(t, acked) || t->cwnd > 1u << 30)
		return;
	if (t->cwnd < t->ssthresh) {
		u32 n = MIN(acked, t->ssthresh - t->cwnd);

		t->cwnd += n;
		acked -= n;
	}
	if (acked && t->cwnd >= t->ssthresh)
		t->congestion->acknowledged(t, acked);
}

/* Without SACK three duplicates mean that the first segment is lost, and each partial ACK the next. */
static void duplicates(struct tcp *t, u32 acked, bool duplicate)
{
	struct tcp_record *first;

	if (acked && t->phase == PHASE_RECOVERY && seq_before(t->snd_una, t->recover_seq)) {
		first = list_first(&t->records, struct tcp_record, node);
		if (!list_empty(&t->records) && !(first->flags & RECORD_LOST))
			mark_lost(t, first);
	}
	if (acked)
		t->duplicate_acks = 0;
	if (!duplicate)
		return;
	if (++t->duplicate_acks == DUPLICATE_THRESHOLD && t->phase < PHASE_RECOVERY) {
		first = list_first(&t->records, struct tcp_record, node);
		if (first->end - first->seq > t->mss && !tcp_split(t, first, first->seq + t->mss))
			return;
		mark_lost(t, first);
		begin_reduction(t, PHASE_RECOVERY);
	}
}

void tcp_after_ack(struct tcp *t, u32 delivered, u32 acked, bool duplicate, bool ece)
{
	u32 lost = t->lost;

	if (t->phase >= PHASE_CWR && !seq_before(t->snd_una, t->recover_seq))
		end_recovery(t);
	if (t->sack) {
		if (t->sacked || t->phase >= PHASE_RECOVERY)
			rack_detect(t, tcp_clock(t));
		if (t->sacked && t->phase == PHASE_OPEN)
			t->phase = PHASE_DISORDER;
		else if (!t->sacked && t->phase == PHASE_DISORDER)
			t->phase = PHASE_OPEN;
		if (t->lost > t->mtu_probe.lost && t->phase < PHASE_RECOVERY)
			begin_reduction(t, PHASE_RECOVERY);
	} else {
		duplicates(t, acked, duplicate);
	}
	if (ece && t->phase < PHASE_CWR)
		begin_reduction(t, PHASE_CWR);
	if (t->phase == PHASE_RECOVERY || t->phase == PHASE_CWR) {
		if (!t->sack && duplicate)
			delivered += t->mss; /* something has left the network */
		proportional_reduction(t, delivered, t->lost > lost);
	} else {
		grow(t, acked);
	}
}

/* After an idle time longer than the time-out the path is unknown again (RFC 5681, 4.1). */
void tcp_restart_after_idle(struct tcp *t)
{
	u32 initial = 10 * t->mss;
	u64 now = tcp_clock(t);

	if (tcp_settings(t)->slow_start_after_idle && t->first_unacked_ns &&
	    now - t->first_unacked_ns > t->rto && t->cwnd > initial) {
		u64 idle = now - t->first_unacked_ns;

		t->ssthresh = MAX(t->ssthresh, t->cwnd / 4 * 3);
		while (idle > t->rto && t->cwnd > initial) {
			t->cwnd /= 2;
			idle -= t->rto;
		}
		t->cwnd = MAX(t->cwnd, initial);
	}
}
