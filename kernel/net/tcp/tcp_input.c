/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Segments in (RFC 9293, 3.10.7), with the checks of RFC 7323 and RFC 5961. */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/tcp/tcp.h>

#include <linux/eventpoll.h>
#include <linux/rtnetlink.h>

void tcp_challenge_ack(struct tcp *t)
{
	u64 now = tcp_clock(t);

	/* Ten a second for each connection: a flood of bad segments is not answered in kind. */
	if (now - t->challenge_ns > NSEC_PER_SEC) {
		t->challenge_ns = now;
		t->challenges = 0;
	}
	if (t->challenges++ < 10) {
		tcp_count(t, NET_TCP_CHALLENGE_ACKS);
		tcp_send_ack(t);
	}
}

void tcp_begin_transfer(struct tcp *t)
{
	tcp_mtu_probe_begin(t);
	tcp_update_mss(t);
	t->cwnd = 10 * t->mss;
	t->congestion->init(t);
	t->copied_seq = t->rcv_nxt;
	t->push_seq = t->small_end = t->highest_delivered = t->snd_una;
	t->quick_acks = 8;
	t->reordering_quarters = 1;
	t->mss_received = t->mss;
	t->window_ns = t->last_received_ns = t->first_unacked_ns = tcp_clock(t);
}

/* The three-way handshake is through, from either side. */
void tcp_established(struct tcp *t)
{
	t->state = t->fin_queued ? TCP_FIN_WAIT1 : TCP_ESTABLISHED;
	t->retransmit_at = 0;
	t->retries = 0;
	if (likely(!t->fast_open.accepted)) {
		tcp_begin_transfer(t);
	} else {
		tcp_fast_open_settle(t, false);
		tcp_arm_retransmit(t);
	}
	tcp_reset_keepalive(t);
}

/* State SYN-SENT (3.10.7.3). */
static void syn_sent(struct tcp *t, struct packet *p, struct tcp_segment *s)
{
	bool acked = s->flags & TH_ACK;

	if (acked &&
	    (!seq_after(s->ack, t->iss) || seq_after(s->ack, t->snd_nxt + t->fast_open.syn_data))) {
		if (!(s->flags & TH_RST)) {
			u32 next = t->snd_nxt;

			t->snd_nxt = s->ack;
			t->state = TCP_SYN_RECEIVED; /* so that the reset goes out */
			tcp_send_reset(t);
			t->state = TCP_SYN_SENT;
			t->snd_nxt = next;
		}
		goto out;
	}
	if (s->flags & TH_RST) {
		if (acked)
			tcp_done(t, ECONNREFUSED);
		goto out;
	}
	if (!(s->flags & TH_SYN))
		goto out;
	tcp_take_syn_options(t, s);
	t->ecn = acked && tcp_settings(t)->ecn == 1 && (s->flags & (TH_ECE | TH_CWR)) == TH_ECE;
	if (!acked) { /* both opened at once */
		t->state = TCP_SYN_RECEIVED;
		tcp_send_syn(t, TH_SYN | TH_ACK);
		t->retransmit_at = tcp_clock(t) + NSEC_PER_SEC;
		goto out;
	}
	tcp_fast_open_answered(t, s);
	t->snd_una = t->snd_nxt = s->ack; /* what more our SYN had is as if it was never sent */
	if (!t->retries)
		tcp_measure(t, tcp_clock(t) - t->first_unacked_ns);
	tcp_established(t);
	if (t->write_seq != t->snd_nxt || t->fin_queued) {
		tcp_push(t, false);
		t->ack_due = !t->output.head;
	} else {
		t->ack_due = true;
	}
	if (t->ack_due)
		tcp_send_ack(t);
	tcp_notify(t, EPOLLOUT | EPOLLWRNORM);
out:
	tcp_timers_update(t);
	packet_free(p);
}

/* A segment from before the connection, or one that is not in the window. */
static bool acceptable(struct tcp *t, const struct tcp_segment *s)
{
	u32 window_end = t->rcv_wup + t->rcv_wnd;

	if (t->timestamps && s->options.timestamp && !(s->flags & TH_RST) &&
	    seq_before(s->options.value, t->ts_recent) && t->ts_recent_ns &&
	    tcp_clock(t) - t->ts_recent_ns < 24ull * 86400 * NSEC_PER_SEC) {
		tcp_count(t, NET_TCP_OLD_TIMESTAMP); /* PAWS (RFC 7323, 5.3) */
		return false;
	}
	return !seq_before(s->end, t->rcv_wup) && !seq_after(s->seq, window_end);
}

/* All of it is old, but not so old that somebody else could have made it up. */
static bool received_before(const struct tcp *t, const struct tcp_segment *s)
{
	return !(s->flags & (TH_RST | TH_SYN)) && t->state != TCP_SYN_RECEIVED &&
	       !seq_after(s->end, t->rcv_nxt) && !seq_before(s->seq, t->rcv_nxt - (1u << 20));
}

static void update_timestamp(struct tcp *t, const struct tcp_segment *s)
{
	if (t->timestamps && s->options.timestamp && !seq_after(s->seq, t->last_ack_sent) &&
	    (!seq_before(s->options.value, t->ts_recent) || unlikely(!t->ts_recent_ns))) {
		t->ts_recent = s->options.value;
		t->ts_recent_ns = tcp_clock(t);
	}
}

static void reset_received(struct tcp *t, const struct tcp_segment *s)
{
	if (s->seq != t->rcv_nxt) {
		/* Whoever swallowed what came before may have let the end of it pass. */
		if (t->fast_open.tried && !t->bytes_received && t->state == TCP_ESTABLISHED)
			tcp_fast_open_blackholed(t);
		tcp_challenge_ack(t);
		return;
	}
	if (t->state == TCP_SYN_RECEIVED) {
		tcp_fast_open_settle(t, true);
		tcp_done(t, t->fast_open.accepted ? ECONNRESET : ECONNREFUSED);
	} else {
		tcp_done(t, t->state == TCP_CLOSE_WAIT ? EPIPE : ECONNRESET);
	}
}

/* RFC 6093: the byte before the pointer is urgent. */
static void urgent_received(struct tcp *t, const struct packet *p, const struct tcp_segment *s)
{
	u32 at = s->seq + s->urgent - !tcp_settings(t)->stdurg; /* RFC 1122, 4.2.2.4: not 1 less */

	if (!s->urgent || seq_before(at, t->copied_seq) || seq_before(at, t->rcv_nxt))
		return;
	if (!t->urgent_announced || seq_after(at, t->urgent_seq)) {
		t->urgent_seq = at;
		t->urgent_announced = true;
		t->urgent_valid = false;
	}
	if (packet_copy(p, at - s->seq, &t->urgent_byte, 1)) {
		t->urgent_valid = true;
		tcp_notify(t, EPOLLPRI | EPOLLIN | EPOLLRDNORM);
	}
}

/* The handshake of a passive (or simultaneous) open ends with this ACK. */
static bool complete_handshake(struct tcp *t, const struct packet *p, const struct tcp_segment *s)
{
	/* Of more than our SYN only if a Fast Open let it be sent. */
	if (!seq_after(s->ack, t->iss) || seq_after(s->ack, t->snd_nxt)) {
		tcp_challenge_ack(t);
		return false;
	}
	if (t->parent && !t->handed_over) {
		/* TCP_DEFER_ACCEPT: an ACK without data is as good as lost, for a while. */
		if (t->parent->defer_accept && !p->length && !(s->flags & TH_FIN) &&
		    t->retries < 2) {
			tcp_count(t, NET_TCP_DEFER_ACCEPT_DROPPED);
			return false;
		}
		if (!tcp_hand_over(t)) {
			if (tcp_settings(t)->abort_on_overflow) {
				tcp_send_reset(t);
				tcp_done(t, ECONNRESET);
			}
			return false;
		}
	}
	if (!t->retries)
		tcp_measure(t, tcp_clock(t) - t->first_unacked_ns);
	t->snd_una = t->iss + 1;
	t->snd_wnd = s->window << (t->scaling ? t->send_scale : 0);
	t->window_max = t->snd_wnd;
	tcp_established(t);
	if (!t->parent)
		tcp_notify(t, EPOLLOUT | EPOLLWRNORM);
	return true;
}

/* Our FIN was acknowledged. False: the connection is over. */
static bool fin_acknowledged(struct tcp *t)
{
	switch (t->state) {
	case TCP_FIN_WAIT1:
		t->state = TCP_FIN_WAIT2;
		tcp_notify(t, EPOLLOUT | EPOLLWRNORM);
		return true;
	case TCP_CLOSING:
		tcp_become_time_wait(t, TCP_TIME_WAIT);
		return false;
	case TCP_LAST_ACK:
		tcp_done(t, 0);
		return false;
	default:
		return true;
	}
}

static bool fin_is_acknowledged(const struct tcp *t)
{
	return t->fin_queued && t->snd_una == t->write_seq + 1 && list_empty(&t->records);
}

static void fin_arrived(struct tcp *t)
{
	t->ack_due = true;
	if (tcp_socket(t))
		__atomic_fetch_or(&tcp_socket(t)->shutdown, SOCKET_SHUT_RECEIVE, __ATOMIC_RELEASE);
	switch (t->state) {
	case TCP_ESTABLISHED:
		t->state = TCP_CLOSE_WAIT;
		break;
	case TCP_FIN_WAIT1:
		t->state = TCP_CLOSING;
		break;
	case TCP_FIN_WAIT2:
		tcp_send_ack(t);
		if (tcp_socket(t)) /* readers see the end first */
			__atomic_store_n(&tcp_socket(t)->shutdown,
					 SOCKET_SHUT_RECEIVE | SOCKET_SHUT_SEND, __ATOMIC_RELEASE);
		tcp_notify(t, EPOLLIN | EPOLLRDNORM | EPOLLRDHUP | EPOLLHUP);
		tcp_become_time_wait(t, TCP_TIME_WAIT);
		return;
	}
	tcp_notify(t,
		   EPOLLIN | EPOLLRDNORM | EPOLLRDHUP | (t->state == TCP_CLOSING ? EPOLLHUP : 0));
}

/* Text and FIN of an acceptable segment. Takes the packet. */
static void take_data(struct tcp *t, struct packet *p, const struct tcp_segment *s)
{
	bool had_fin = t->fin_received;

	if (s->flags & TH_URG)
		urgent_received(t, p, s);
	if (t->orphan && seq_after(s->end - !!(s->flags & TH_FIN), t->rcv_nxt)) {
		packet_free(p); /* nobody will read it (RFC 9293, 3.6.1) */
		tcp_count(t, NET_TCP_ABORT_ON_DATA);
		tcp_send_reset(t);
		tcp_done(t, ECONNRESET);
		return;
	}
	tcp_queue_data(t, p, s);
	if (t->fin_received && !had_fin)
		fin_arrived(t);
}

static bool receives(const struct tcp *t)
{
	return t->state == TCP_ESTABLISHED || t->state == TCP_FIN_WAIT1 ||
	       t->state == TCP_FIN_WAIT2;
}

static void answer_unacceptable(struct tcp *t, const struct packet *p, const struct tcp_segment *s)
{
	/* A SYN sent again means that our SYN and ACK was lost. */
	if (t->state == TCP_SYN_RECEIVED && (s->flags & TH_SYN) && s->seq == t->irs)
		tcp_send_syn(t, TH_SYN | TH_ACK);
	else if (p->length && received_before(t, s))
		tcp_acknowledge_again(t, s);
	else if (!(s->flags & TH_RST))
		tcp_challenge_ack(t);
}

/* A SYN in the window: true if it is the other half of a simultaneous open, whose ACK is then looked at. */
static bool syn_again(struct tcp *t, struct tcp_segment *s)
{
	if (t->state != TCP_SYN_RECEIVED || s->seq != t->irs ||
	    ((s->flags & TH_ACK) && s->ack != t->iss + 1)) {
		tcp_count(t, NET_TCP_SYN_CHALLENGES);
		tcp_challenge_ack(t);
		return false;
	}
	if (!(s->flags & TH_ACK)) {
		tcp_send_syn(t, TH_SYN | TH_ACK);
		return false;
	}
	s->flags &= (u8)~TH_SYN;
	s->seq++;
	return true;
}

/* What any acceptable segment with an ACK says of the peer and the path. */
static void note_arrival(struct tcp *t, const struct tcp_segment *s)
{
	update_timestamp(t, s);
	t->last_received_ns = t->keep_at ? tcp_clock(t) : t->last_received_ns;
	t->keep_count = 0;
	if (t->ecn) {
		if (s->congestion)
			t->ece_due = t->ack_due = true;
		if (s->flags & TH_CWR)
			t->ece_due = false;
	}
}

/* All states with both sequence numbers known. Takes the packet. */
static void synchronized(struct tcp *t, struct packet *p, struct tcp_segment *s)
{
	if (unlikely(!acceptable(t, s))) {
		answer_unacceptable(t, p, s);
		goto drop;
	}
	if (unlikely(s->flags & TH_RST)) {
		reset_received(t, s);
		goto drop;
	}
	if (unlikely(s->flags & TH_SYN) && !syn_again(t, s))
		goto drop;
	if (unlikely(!(s->flags & TH_ACK)))
		goto drop;
	if (unlikely(t->state == TCP_SYN_RECEIVED) && !complete_handshake(t, p, s))
		goto drop;
	note_arrival(t, s);
	if (!tcp_acknowledge(t, s, s->end != s->seq))
		goto drop;
	if (unlikely(t->fin_queued) && fin_is_acknowledged(t) && !fin_acknowledged(t)) {
		/* FIN with the ACK of ours: both ends are through. */
		goto drop;
	}
	if (s->end != s->seq && receives(t))
		take_data(t, p, s);
	else if (s->end != s->seq) {
		tcp_challenge_ack(t);
		packet_free(p);
	} else {
		packet_free(p);
	}
	if (t->state == TCP_FIN_WAIT2 && t->orphan)
		tcp_become_time_wait(t, TCP_FIN_WAIT2);
	if (t->state == TCP_CLOSED)
		return;
	if (t->snd_nxt != t->write_seq || t->lost || t->fin_queued)
		tcp_push(t, false);
	if (t->ack_due)
		tcp_send_ack(t);
	tcp_timers_update(t);
	return;
drop:
	packet_free(p);
	tcp_timers_update(t);
}

void tcp_receive_segment(struct tcp *t, struct packet *p, const struct inet_info *info,
			 struct tcp_segment *s)
{
	t->segments_in++;
	switch (t->state) {
	case TCP_CLOSED:
		tcp_reject(info, s, t->md5_keys);
		packet_free(p);
		return;
	case TCP_SYN_SENT:
		syn_sent(t, p, s);
		return;
	default:
		synchronized(t, p, s);
	}
}

/* RFC 5082: IP_MINTTL, IPV6_MINHOPCOUNT; RFC 2385: TCP_MD5SIG. */
static bool is_welcome(const struct tcp *t, const struct packet *p, const struct inet_info *info,
		       const struct tcp_segment *s)
{
	if (likely(info->ttl >= (inet_is_v4(&info->source) ? t->inet.min_ttl : t->inet.min_hops6)))
		return tcp_md5_allows(rcu_dereference(t->md5_keys), p, info, s);
	tcp_count(t, NET_TCP_MIN_TTL_DROPPED);
	return false;
}

/* SO_ATTACH_FILTER: the program sees the segment with its header. What it cuts off the peer sends again, the FIN behind it too. */
bool tcp_filter_segment(struct socket_program *const *place, struct socket *socket,
			struct packet *p, struct tcp_segment *s)
{
	const struct socket_program *program = rcu_dereference(*place);
	unsigned header = (s->header->offset >> 4) * 4u;
	struct filter_view view;
	u32 wanted;

	if (!program)
		return true;
	packet_push(p, header);
	view = filter_view_packet(p);
	wanted = socket_program_run(program, &view, socket);
	packet_pull(p, header);
	if (!wanted)
		return false;
	wanted = MAX(wanted, header) - header;
	if (wanted < p->length) {
		packet_trim(p, wanted);
		s->flags &= (u8)~TH_FIN;
		s->end = s->seq + wanted + !!(s->flags & TH_SYN);
	}
	return true;
}

/* Until the handshake is through the listener's filter counts, then what was inherited from it. */
static bool passes_filter(struct tcp *t, struct packet *p, struct tcp_segment *s)
{
	bool half_open = t->state == TCP_SYN_RECEIVED && t->parent && !t->handed_over;
	struct socket_program *const *place = half_open ? &t->parent->filter : &t->filter;

	return likely(!READ_ONCE(*place)) || tcp_filter_segment(place, tcp_socket(t), p, s);
}

/* A segment of no connection that there is: for a listener, or nobody. */
static void input_unconnected(struct packet *p, const struct inet_info *info, struct tcp_segment *s)
{
	struct tcp *t = tcp_find_listener(info, s->local_port, s->remote_port, p);

	if (!t) {
		if (!s->signature) /* else nobody has the key for an answer */
			tcp_reject(info, s, nullptr);
		packet_free(p);
		return;
	}
	if (likely(is_welcome(t, p, info, s)))
		tcp_listen_input(t, p, info, s);
	else
		packet_free(p);
	inet_node_put(&t->inet.node);
}

/* Under RCU: preemption is off. */
void tcp_input(struct packet *p, const struct inet_info *info)
{
	struct tcp_segment s;
	struct inet_node *n;
	struct tcp *t;

	if (info->type != RTN_LOCAL || !tcp_parse(p, info, &s)) {
		net_count(info->network, NET_TCP_MALFORMED);
		packet_free(p);
		return;
	}
	n = connection_find(info, s.local_port, s.remote_port);
	if (n && n->kind == INET_TIME_WAIT) {
		bool open = tcp_time_wait_input(n, p, info, &s);

		inet_node_put(n);
		if (!open)
			return;
		n = nullptr;
	}
	if (!n) {
		input_unconnected(p, info, &s);
		return;
	}
	t = tcp_of_node(n);
	if (likely(is_welcome(t, p, info, &s))) {
		tcp_lock(t);
		if (likely(passes_filter(t, p, &s)))
			tcp_receive_segment(t, p, info, &s);
		else
			packet_free(p);
		tcp_unlock(t);
	} else {
		packet_free(p);
	}
	inet_node_put(n);
}
