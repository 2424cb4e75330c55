/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timers of a connection. One kernel timer serves all deadlines; it is set only when the first
 * deadline moves forward, so that the usual life of a segment (sent, acknowledged) touches it not at
 * all: it fires, finds a later deadline, and is set anew. While it is armed or its task is queued it
 * owns a reference.
 */
#include <lib/errno.h>
#include <mm/slab.h>
#include <net/tcp/tcp.h>

#define RTO_MIN (200 * NSEC_PER_MSEC)
#define RTO_MAX (120 * NSEC_PER_SEC)
#define TAIL_PROBE_MIN (10 * NSEC_PER_MSEC)

static u64 earlier(u64 a, u64 b)
{
	return !a ? b : !b ? a : MIN(a, b);
}

void tcp_timers_update(struct tcp *t)
{
	u64 first = earlier(earlier(t->retransmit_at, t->reorder_at),
			    earlier(earlier(t->tail_at, t->ack_at),
				    earlier(earlier(t->probe_at, t->keep_at), t->cork_at)));

	if (!first || (t->timer_ns && t->timer_ns <= first))
		return;
	if (!t->timer_ns)
		inet_node_get(&t->inet.node);
	t->timer_ns = first;
	timer_set(&t->timer.timer, first);
}

static u64 backed_off(const struct tcp *t, unsigned times)
{
	u64 rto = t->rto;

	/* tcp(7): a thin stream waits no longer than the first time, for a while. */
	if (t->thin_linear && times <= 6 && t->snd_nxt - t->snd_una < 4 * t->mss &&
	    t->state == TCP_ESTABLISHED)
		return rto;
	while (times-- && rto < RTO_MAX)
		rto *= 2;
	return MIN(rto, RTO_MAX);
}

/* The last segment may be lost without anybody telling: a probe is sent before the time-out (RFC 8985, 7). */
static u64 tail_timeout(const struct tcp *t)
{
	u64 timeout = t->srtt ? 2 * t->srtt : NSEC_PER_SEC;

	if (tcp_flight(t) <= t->mss) /* one segment: its ACK may be delayed */
		timeout += 200 * NSEC_PER_MSEC;
	return MAX(timeout, TAIL_PROBE_MIN);
}

void tcp_arm_retransmit(struct tcp *t)
{
	u64 now = tcp_clock(t);

	if (list_empty(&t->records)) {
		t->retransmit_at = t->tail_at = 0;
		return;
	}
	t->retransmit_at = now + backed_off(t, t->retries);
	t->tail_at = 0;
	/* Never after the time-out, in whose place it comes then. */
	if (t->sack && t->phase <= PHASE_DISORDER && !t->tail_probe_out && !t->retries &&
	    tcp_settings(t)->early_retrans >= 3)
		t->tail_at = MIN(now + tail_timeout(t), t->retransmit_at);
}

void tcp_reset_keepalive(struct tcp *t)
{
	bool on = tcp_socket(t) && (tcp_socket(t)->options & SOCKET_KEEP_ALIVE);

	t->keep_count = 0;
	t->keep_at =
		on && t->state != TCP_LISTEN && t->state != TCP_CLOSED && t->state != TCP_SYN_SENT
			? tcp_clock(t) + t->keep_idle_ns
			: 0;
	tcp_timers_update(t);
}

static bool user_timeout_reached(struct tcp *t, u64 since)
{
	return t->user_timeout_ns && tcp_clock(t) - since >= t->user_timeout_ns;
}

static void give_up(struct tcp *t)
{
	tcp_count(t, NET_TCP_ABORT_ON_TIMEOUT);
	if (t->state != TCP_SYN_SENT && t->state != TCP_SYN_RECEIVED)
		tcp_send_reset(t);
	tcp_done(t, ETIMEDOUT);
}

static void syn_timeout(struct tcp *t)
{
	unsigned limit =
		t->state == TCP_SYN_SENT ? t->syn_retries : tcp_settings(t)->synack_retries;

	tcp_fast_open_timeout(t, t->retries >= limit);
	if (t->retries >= limit || user_timeout_reached(t, t->first_unacked_ns)) {
		tcp_done(t, ETIMEDOUT);
		return;
	}
	t->retries++;
	t->total_retransmitted++;
	tcp_count(t, NET_TCP_SYN_RETRANSMITTED);
	tcp_count(t, NET_TCP_RETRANSMITTED);
	tcp_send_syn(t, t->state == TCP_SYN_SENT ? TH_SYN : TH_SYN | TH_ACK);
	t->retransmit_at = tcp_clock(t) + backed_off(t, t->retries);
}

static void retransmission_timeout(struct tcp *t)
{
	unsigned limit = t->orphan ? tcp_settings(t)->orphan_retries : tcp_settings(t)->retries2;

	t->retransmit_at = t->tail_at = t->reorder_at = 0;
	tcp_count(t, NET_TCP_TIMEOUTS);
	if (t->state == TCP_SYN_SENT || t->state == TCP_SYN_RECEIVED) {
		syn_timeout(t);
		return;
	}
	if (list_empty(&t->records))
		return;
	tcp_fast_open_timeout(t, t->retries >= limit);
	if (t->retries >= limit || user_timeout_reached(t, t->first_unacked_ns)) {
		give_up(t);
		return;
	}
	/* A window that was closed behind data in flight: not the path's fault (RFC 9293, 3.8.6.1). */
	if (t->snd_wnd)
		tcp_enter_loss(t);
	else
		(void)!tcp_retransmit(t, list_first(&t->records, struct tcp_record, node));
	t->retries++;
	if (t->retries >= tcp_settings(t)->retries1)
		tcp_mtu_probe_timeout(t);
	tcp_retransmit_lost(t);
	t->retransmit_at = tcp_clock(t) + backed_off(t, t->retries);
}

static void tail_probe(struct tcp *t)
{
	struct tcp_record *last;

	t->tail_at = 0;
	if (list_empty(&t->records) || t->tail_probe_out)
		return;
	last = list_last(&t->records, struct tcp_record, node);
	if (last->flags & (RECORD_SACKED | RECORD_LOST))
		return; /* then it is not the tail that is missing: the time-out stands */
	t->tail_probe_out = true;
	tcp_count(t, NET_TCP_LOSS_PROBES);
	t->tail_probe_seq = t->snd_nxt;
	if (last->end - last->seq > t->mss + 1 &&
	    tcp_split(t, last, last->end - !!(last->flags & RECORD_FIN) - t->mss))
		last = list_last(&t->records, struct tcp_record, node);
	(void)!tcp_retransmit(t, last);
	t->retransmit_at = tcp_clock(t) + backed_off(t, t->retries);
}

static void window_probe(struct tcp *t)
{
	unsigned limit = t->orphan ? tcp_settings(t)->orphan_retries : tcp_settings(t)->retries2;

	t->probe_at = 0;
	if (!list_empty(&t->records) || t->write_seq == t->snd_una)
		return;
	/* A window that stays closed is answered for ever, one that answers nothing is not. */
	if (t->probes >= limit || user_timeout_reached(t, t->last_received_ns)) {
		give_up(t);
		return;
	}
	t->probes++;
	if (tcp_push_little(t))
		return;
	tcp_count(t, NET_TCP_WINDOW_PROBES);
	tcp_send_probe(t);
	t->probe_at = tcp_clock(t) + backed_off(t, t->probes);
}

static void keepalive(struct tcp *t)
{
	u64 now = tcp_clock(t), idle = now - t->last_received_ns;

	t->keep_at = 0;
	if (!tcp_socket(t) || !(tcp_socket(t)->options & SOCKET_KEEP_ALIVE) ||
	    t->state == TCP_SYN_SENT || t->state == TCP_LISTEN)
		return;
	if (!list_empty(&t->records) || t->write_seq != t->snd_nxt) {
		t->keep_at = now + t->keep_idle_ns; /* the retransmission timer watches */
		return;
	}
	if (idle < t->keep_idle_ns) {
		t->keep_count = 0;
		t->keep_at = t->last_received_ns + t->keep_idle_ns;
		return;
	}
	if (t->user_timeout_ns ? idle >= t->user_timeout_ns && t->keep_count > 0
			       : t->keep_count >= t->keep_probes) {
		give_up(t);
		return;
	}
	t->keep_count++;
	tcp_count(t, NET_TCP_KEEP_ALIVES);
	tcp_send_probe(t);
	t->keep_at = now + t->keep_interval_ns;
}

static bool due(u64 at, u64 now)
{
	return at && at <= now;
}

static void expire(struct tcp *t)
{
	u64 now = tcp_clock(t);

	if (due(t->ack_at, now)) {
		t->ack_at = 0;
		tcp_count(t, NET_TCP_DELAYED_ACKS);
		tcp_send_ack(t);
	}
	if (due(t->reorder_at, now)) {
		t->reorder_at = 0;
		tcp_detect_losses(t);
		tcp_retransmit_lost(t);
	}
	if (due(t->tail_at, now))
		tail_probe(t);
	if (due(t->retransmit_at, now))
		retransmission_timeout(t);
	if (due(t->probe_at, now))
		window_probe(t);
	if (due(t->keep_at, now))
		keepalive(t);
	if (due(t->cork_at, now)) {
		bool force = !t->pace_waits;

		t->cork_at = 0;
		t->pace_waits = false;
		tcp_push(t, force);
	}
}

static void run(struct net_task *task)
{
	struct tcp *t = container_of(container_of(task, struct net_timer, task), struct tcp, timer);

	tcp_lock(t);
	t->timer_ns = 0;
	if (t->state != TCP_CLOSED)
		expire(t);
	tcp_timers_update(t);
	tcp_unlock(t);
	inet_node_put(&t->inet.node); /* that of the timer that fired */
}

void tcp_timer_init(struct tcp *t)
{
	net_timer_init(&t->timer, run);
}

/* RFC 6298, with the minimum and the variance floor that Linux uses. */
void tcp_measure(struct tcp *t, u64 rtt)
{
	if (!rtt)
		rtt = 1;
	t->min_rtt = MIN(t->min_rtt, rtt);
	if (!t->srtt) {
		t->srtt = rtt;
		t->rttvar = rtt / 2;
	} else {
		u64 error = rtt > t->srtt ? rtt - t->srtt : t->srtt - rtt;

		t->rttvar = (3 * t->rttvar + error) / 4;
		t->srtt = (7 * t->srtt + rtt) / 8;
	}
	t->rto = t->srtt + MAX(4 * t->rttvar, RTO_MIN);
	t->rto = MIN(t->rto, RTO_MAX);
}
