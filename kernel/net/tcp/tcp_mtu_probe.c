/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packetization Layer Path MTU Discovery (RFC 4821): see tcp_mtu_probe.h. */
#include <net/tcp/tcp.h>

#define SEGMENTS_LEAST 11 /* of the window: the loss of a probe is to be found by what follows it */

static u32 packet_of(const struct tcp *t, u32 mss)
{
	return mss + tcp_header_length(t);
}

static u32 largest(const struct tcp *t)
{
	u32 mtu = tcp_route_mtu(t), headers = inet_is_v4(&t->inet.node.remote) ? 40 : 60;

	if (t->path_mtu)
		mtu = MIN(mtu, t->path_mtu);
	return t->mss_peer ? MIN(mtu, t->mss_peer + headers) : mtu;
}

static void search(struct tcp *t)
{
	u32 high = largest(t), base = tcp_settings(t)->base_mss;

	t->mtu_probe = (struct tcp_mtu_probe){ .on = true,
					       .low = MIN(packet_of(t, base), high),
					       .high = high };
}

void tcp_mtu_probe_begin(struct tcp *t)
{
	if (unlikely(tcp_settings(t)->mtu_probing >= 2))
		search(t);
}

void tcp_mtu_probe_timeout(struct tcp *t)
{
	struct tcp_mtu_probe *probe = &t->mtu_probe;
	const struct tcp_sysctl *settings = tcp_settings(t);

	if (likely(!settings->mtu_probing))
		return;
	if (!probe->on) {
		search(t);
	} else {
		u32 mss = (probe->low - MIN(probe->low, tcp_header_length(t))) / 2;

		mss = MAX(MIN(mss, settings->base_mss), settings->mtu_probe_floor);
		probe->low = MIN(probe->low, packet_of(t, mss));
	}
	tcp_update_mss(t);
}

/* Is there anything between what goes through and what does not? After a while the path may be another (RFC 4821, 7.3). */
static bool is_open(struct tcp *t)
{
	struct tcp_mtu_probe *probe = &t->mtu_probe;
	const struct tcp_sysctl *settings = tcp_settings(t);

	if (probe->high >= probe->low + settings->probe_threshold)
		return true;
	if (!probe->done_ns)
		probe->done_ns = tcp_clock(t);
	if (tcp_clock(t) - probe->done_ns < settings->probe_interval * NSEC_PER_SEC)
		return false;
	probe->done_ns = 0;
	probe->high = MAX(largest(t), probe->low);
	return probe->high >= probe->low + settings->probe_threshold;
}

u32 tcp_mtu_probe_due(struct tcp *t)
{
	struct tcp_mtu_probe *probe = &t->mtu_probe;
	u32 window = t->snd_una + t->snd_wnd - t->snd_nxt, size, n;

	if (probe->size || probe->lost || t->phase != PHASE_OPEN || !t->sack || t->md5_keys ||
	    t->cwnd < SEGMENTS_LEAST * t->mss || !is_open(t))
		return 0;
	size = probe->low + (probe->high - probe->low + 1) / 2;
	n = size - tcp_header_length(t);
	/* Segments behind it, so that its loss is told of. */
	if (t->write_seq - t->snd_nxt < n + 4 * t->mss || (s32)window < (s32)(n + 4 * t->mss) ||
	    t->cwnd < tcp_flight(t) + n)
		return 0;
	probe->size = size;
	probe->end = t->snd_nxt + n;
	return n;
}

void tcp_mtu_probe_passed(struct tcp *t, struct tcp_record *r)
{
	struct tcp_mtu_probe *probe = &t->mtu_probe;

	r->flags &= ~(u32)RECORD_PROBE;
	probe->low = MIN(probe->size, probe->high);
	probe->size = 0;
	tcp_count(t, NET_TCP_MTU_PROBES_PASSED);
	tcp_update_mss(t);
}

void tcp_mtu_probe_lost(struct tcp *t, struct tcp_record *r)
{
	struct tcp_mtu_probe *probe = &t->mtu_probe;

	r->flags &= ~(u32)RECORD_PROBE;
	probe->high = MAX(probe->size - 1, probe->low);
	probe->lost = t->phase < PHASE_CWR ? r->end - r->seq : 0;
	probe->size = 0;
	tcp_count(t, NET_TCP_MTU_PROBES_LOST);
}

void tcp_mtu_probe_abandon(struct tcp *t, struct tcp_record *r)
{
	r->flags &= ~(u32)RECORD_PROBE;
	t->mtu_probe.size = 0;
}

void tcp_mtu_probe_told(struct tcp *t, u32 mtu)
{
	t->mtu_probe.high = MIN(t->mtu_probe.high, mtu);
	t->mtu_probe.low = MIN(t->mtu_probe.low, mtu);
}
