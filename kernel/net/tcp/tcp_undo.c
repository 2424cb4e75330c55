/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Retransmissions that were not needed, since the original was only late: a reduction of the window that rests on nothing
 * else is taken back (RFC 4015). Two things tell: the receiver reports that it has the bytes twice (RFC 2883, RFC 3708), or
 * the time stamp that an acknowledgement echoes is older than the retransmission (RFC 3522). A duplicate that the network
 * made of a segment that was sent once says nothing, which is why the retransmissions are remembered one by one.
 */
#include <net/tcp/tcp.h>

void tcp_undo_begin(struct tcp *t)
{
	/* Without SACK what is not marked lost any more is found by one time-out after the other. */
	t->undo =
		(struct tcp_undo){ .possible = t->sack, .cwnd = t->cwnd, .ssthresh = t->ssthresh };
}

void tcp_undo_retransmitted(struct tcp *t, const struct tcp_record *r)
{
	struct tcp_undo *undo = &t->undo;

	if (!undo->possible)
		return;
	/* Of three copies two reports tell nothing about which was the needless one. */
	if (undo->count == TCP_UNDO_SEGMENTS || (r->flags & RECORD_EVER_RETRANSMITTED)) {
		undo->possible = false;
		return;
	}
	undo->segments[undo->count].start = r->seq;
	undo->segments[undo->count++].end = r->end;
}

static void take_back(struct tcp *t)
{
	struct tcp_record *r;

	t->undo.possible = false;
	tcp_count(t, NET_TCP_UNDONE);
	t->cwnd = MAX(t->cwnd, t->undo.cwnd);
	t->ssthresh = MAX(t->ssthresh, t->undo.ssthresh);
	if (t->phase < PHASE_RECOVERY)
		return;
	list_for_each (r, &t->records, node)
		tcp_unmark_lost(t, r);
	t->phase = t->sacked ? PHASE_DISORDER : PHASE_OPEN;
}

bool tcp_undo_needless(struct tcp *t, u32 start, u32 end)
{
	struct tcp_undo *undo = &t->undo;
	bool found = false;

	if (!undo->possible)
		return false;
	for (unsigned i = undo->count; i-- > 0;) {
		struct tcp_undo_segment *s = &undo->segments[i];

		if (!seq_before(start, s->end) || !seq_after(end, s->start))
			continue;
		found = true;
		/* One that was cut on its way is reported piece by piece. */
		if (!seq_after(start, s->start))
			s->start = end;
		else
			s->end = start;
		if (!seq_before(s->start, s->end))
			*s = undo->segments[--undo->count];
	}
	if (found && !undo->count)
		take_back(t);
	return found;
}
