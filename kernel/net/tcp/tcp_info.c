/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP_INFO: what a connection knows of itself (tcp(7)). */
#include <lib/string.h>
#include <net/tcp/tcp.h>

#include <linux/tcp.h>

static u32 microseconds(u64 ns)
{
	return (u32)(ns / 1000);
}

static u32 milliseconds_since(u64 ns)
{
	return ns ? (u32)((tcp_now() - ns) / NSEC_PER_MSEC) : 0;
}

static void fill_path(const struct tcp *t, struct tcp_info *info)
{
	u32 mss = MAX(t->mss, 1u);

	info->tcpi_rto = microseconds(t->rto);
	info->tcpi_ato = 40000;
	info->tcpi_snd_mss = t->mss;
	info->tcpi_rcv_mss = t->mss_received;
	info->tcpi_unacked = DIV_ROUND_UP(t->snd_nxt - t->snd_una, mss);
	info->tcpi_sacked = DIV_ROUND_UP(t->sacked, mss);
	info->tcpi_lost = DIV_ROUND_UP(t->lost, mss);
	info->tcpi_retrans = DIV_ROUND_UP(t->retransmitted, mss);
	info->tcpi_pmtu = tcp_route_mtu(t);
	info->tcpi_rtt = microseconds(t->srtt);
	info->tcpi_rttvar = microseconds(t->rttvar);
	info->tcpi_min_rtt = t->min_rtt == UINT64_MAX ? UINT32_MAX : microseconds(t->min_rtt);
	info->tcpi_snd_ssthresh = t->ssthresh >= INT32_MAX ? INT32_MAX : t->ssthresh / mss;
	info->tcpi_snd_cwnd =
		t->state == TCP_LISTEN ? t->listener->backlog : MAX(t->cwnd / mss, 1u);
	info->tcpi_advmss = t->mss;
	info->tcpi_reordering = 3;
	info->tcpi_rcv_space = t->memory_limit;
	info->tcpi_rcv_ssthresh = t->memory_limit;
	info->tcpi_snd_wnd = t->snd_wnd;
}

/* How fast the connection may go: two windows in a round trip, or 1.2 once it has met losses, as Linux paces. */
static u64 pacing_rate(const struct tcp *t)
{
	u64 percent = t->cwnd < t->ssthresh / 2 ? 200 : 120, rate;

	if (!t->srtt)
		return t->pacing_rate ? t->pacing_rate : UINT64_MAX;
	rate = t->cwnd * percent / 100 * NSEC_PER_SEC / t->srtt;
	return t->pacing_rate ? MIN(rate, t->pacing_rate) : rate;
}

static void fill_info(const struct tcp *t, struct tcp_info *info) __no_lock_analysis
{
	info->tcpi_state = t->state;
	info->tcpi_ca_state = t->phase;
	info->tcpi_retransmits = t->retries;
	info->tcpi_probes = t->probes;
	info->tcpi_backoff = t->retries;
	if (t->timestamps)
		info->tcpi_options |= TCPI_OPT_TIMESTAMPS;
	if (t->sack)
		info->tcpi_options |= TCPI_OPT_SACK;
	if (t->scaling) {
		info->tcpi_options |= TCPI_OPT_WSCALE;
		info->tcpi_snd_wscale = t->send_scale & 15;
		info->tcpi_rcv_wscale = t->receive_scale & 15;
	}
	if (t->ecn)
		info->tcpi_options |= TCPI_OPT_ECN;
	if (t->fast_open.data_acked)
		info->tcpi_options |= TCPI_OPT_SYN_DATA;
	info->tcpi_fastopen_client_fail = t->fast_open.client_fail & 3;
	fill_path(t, info);
	info->tcpi_max_pacing_rate = t->pacing_rate ? t->pacing_rate : UINT64_MAX;
	info->tcpi_pacing_rate = pacing_rate(t);
	info->tcpi_last_data_recv = milliseconds_since(t->last_received_ns);
	info->tcpi_last_ack_recv = milliseconds_since(t->last_received_ns);
	info->tcpi_last_data_sent = milliseconds_since(t->first_unacked_ns);
	info->tcpi_total_retrans = t->total_retransmitted;
	info->tcpi_bytes_acked = t->bytes_acked;
	info->tcpi_bytes_received = t->bytes_received;
	info->tcpi_bytes_sent = t->bytes_sent;
	info->tcpi_segs_out = t->segments_out;
	info->tcpi_segs_in = t->segments_in;
	info->tcpi_notsent_bytes = t->write_seq - t->snd_nxt;
	if (t->state == TCP_LISTEN)
		info->tcpi_unacked = t->listener->ready_count;
}

void tcp_get_info(struct tcp *t, void *value, size_t *length)
{
	struct tcp_info info = {};

	tcp_lock(t);
	fill_info(t, &info);
	tcp_unlock(t);
	*length = MIN(*length, sizeof(info));
	memcpy(value, &info, *length);
}
