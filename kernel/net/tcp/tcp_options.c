/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of level IPPROTO_TCP (tcp(7)), and those of SOL_SOCKET that concern a connection. */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/tcp/tcp.h>

#include <asm/socket.h>
#include <linux/tcp.h>

static void set_flag(struct tcp *t, bool *flag, bool on)
{
	tcp_lock(t);
	*flag = on;
	/* What was held back may go now. */
	if (&t->no_delay == flag ? on : !on)
		tcp_push(t, true);
	tcp_unlock(t);
}

static int set_congestion(struct tcp *t, const char *value, size_t length)
{
	char name[16] = {};
	const struct tcp_congestion *congestion;

	memcpy(name, value, MIN(length, sizeof(name) - 1));
	congestion = tcp_congestion_find(name);
	if (!congestion)
		return -ENOENT;
	tcp_lock(t);
	t->congestion = congestion;
	congestion->init(t);
	tcp_unlock(t);
	return 0;
}

static void set_quick_ack(struct tcp *t, bool on)
{
	tcp_lock(t);
	t->quick_ack_option = on;
	if (on && t->ack_at) {
		tcp_send_ack(t);
		t->ack_at = 0;
	}
	tcp_unlock(t);
}

static int set_keepalive(struct tcp *t, int option, int value)
{
	switch (option) {
	case TCP_KEEPIDLE:
		if (value < 1 || value > 32767)
			return -EINVAL;
		t->keep_idle_ns = (u64)value * NSEC_PER_SEC;
		break;
	case TCP_KEEPINTVL:
		if (value < 1 || value > 32767)
			return -EINVAL;
		t->keep_interval_ns = (u64)value * NSEC_PER_SEC;
		break;
	default:
		if (value < 1 || value > 127)
			return -EINVAL;
		t->keep_probes = (u8)value;
	}
	tcp_lock(t);
	tcp_reset_keepalive(t);
	tcp_unlock(t);
	return 0;
}

static int set_switch(struct tcp *t, int option, int value)
{
	if (option == TCP_FASTOPEN) {
		if (value < 0 || (t->state != TCP_CLOSED && t->state != TCP_LISTEN))
			return -EINVAL;
		t->fast_open_queue = (u32)value;
		return 0;
	}
	switch (option) {
	case TCP_FASTOPEN_CONNECT:
		if (value < 0 || value > 1 || t->state != TCP_CLOSED)
			return -EINVAL;
		t->fast_open_connect = value;
		return 0;
	case TCP_THIN_LINEAR_TIMEOUTS:
		if (value < 0 || value > 1)
			return -EINVAL;
		t->thin_linear = value;
		return 0;
	case TCP_THIN_DUPACK: /* as on Linux, where RACK took its place */
		return value < 0 || value > 1 ? -EINVAL : 0;
	case TCP_INQ:
		if (value < 0 || value > 1)
			return -EINVAL;
		t->tell_unread = value;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int set_number(struct tcp *t, int option, int value)
{
	switch (option) {
	case TCP_NODELAY:
		set_flag(t, &t->no_delay, value);
		return 0;
	case TCP_CORK:
		set_flag(t, &t->corked, value);
		return 0;
	case TCP_QUICKACK:
		set_quick_ack(t, value);
		return 0;
	case TCP_MAXSEG:
		if (value && (value < 88 || value > 32767))
			return -EINVAL;
		t->mss_user = (u32)value;
		return 0;
	case TCP_KEEPIDLE:
	case TCP_KEEPINTVL:
	case TCP_KEEPCNT:
		return set_keepalive(t, option, value);
	case TCP_SYNCNT:
		if (value < 1 || value > 127)
			return -EINVAL;
		t->syn_retries = (u8)value;
		return 0;
	case TCP_LINGER2:
		t->linger2 = value;
		return 0;
	case TCP_DEFER_ACCEPT:
		t->defer_accept = value > 0 ? (u32)value : 0;
		return 0;
	case TCP_WINDOW_CLAMP:
		if (value > 0) {
			t->memory_limit = MAX((u32)value, 4096u);
			t->memory_fixed = true;
		}
		return 0;
	case TCP_USER_TIMEOUT:
		if (value < 0)
			return -EINVAL;
		t->user_timeout_ns = (u64)value * NSEC_PER_MSEC;
		return 0;
	case TCP_NOTSENT_LOWAT:
		t->unsent_low = value < 0 ? 0 : (u32)value;
		return 0;
	default:
		return set_switch(t, option, value);
	}
}

int tcp_set_option(struct socket *socket, int level, int option, const void *value, size_t length)
{
	struct tcp *t = tcp_of(socket);
	int number;

	if (level != SOL_TCP)
		return inet_set_option(&t->inet, level, option, value, length);
	if (option == TCP_CONGESTION)
		return length < 1 ? -EINVAL : set_congestion(t, value, length);
	if (option == TCP_ULP)
		return -ENOENT;
	if (option == TCP_MD5SIG || option == TCP_REPAIR)
		return -EPERM;
	if (length < sizeof(number))
		return -EINVAL;
	memcpy(&number, value, sizeof(number));
	return set_number(t, option, number);
}

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
	fill_path(t, info);
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

static int get_congestion(const struct tcp *t, void *value, size_t *length)
{
	char name[16] = {};

	string_copy(name, t->congestion->name, sizeof(name));
	*length = MIN(*length, sizeof(name));
	memcpy(value, name, *length);
	return 0;
}

static int get_switch(const struct tcp *t, int option, int *out)
{
	switch (option) {
	case TCP_FASTOPEN:
		*out = (int)t->fast_open_queue;
		return 0;
	case TCP_FASTOPEN_CONNECT:
		*out = t->fast_open_connect;
		return 0;
	case TCP_NOTSENT_LOWAT:
		*out = (int)t->unsent_low;
		return 0;
	case TCP_THIN_LINEAR_TIMEOUTS:
		*out = t->thin_linear;
		return 0;
	case TCP_THIN_DUPACK:
		*out = 0;
		return 0;
	case TCP_INQ:
		*out = t->tell_unread;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int get_number(const struct tcp *t, int option, int *out)
{
	switch (option) {
	case TCP_NODELAY:
		*out = t->no_delay;
		return 0;
	case TCP_CORK:
		*out = t->corked;
		return 0;
	case TCP_QUICKACK:
		*out = t->quick_ack_option || t->quick_acks > 0;
		return 0;
	case TCP_MAXSEG:
		*out = (int)(t->state == TCP_CLOSED || t->state == TCP_LISTEN
				     ? (t->mss_user ? t->mss_user : 536)
				     : t->mss);
		return 0;
	case TCP_KEEPIDLE:
		*out = (int)(t->keep_idle_ns / NSEC_PER_SEC);
		return 0;
	case TCP_KEEPINTVL:
		*out = (int)(t->keep_interval_ns / NSEC_PER_SEC);
		return 0;
	case TCP_KEEPCNT:
		*out = t->keep_probes;
		return 0;
	case TCP_SYNCNT:
		*out = t->syn_retries;
		return 0;
	case TCP_LINGER2:
		*out = t->linger2 ? t->linger2 : tcp_settings(t)->fin_timeout;
		return 0;
	case TCP_DEFER_ACCEPT:
		*out = (int)t->defer_accept;
		return 0;
	case TCP_WINDOW_CLAMP:
		*out = t->memory_fixed ? (int)t->memory_limit : 0;
		return 0;
	case TCP_USER_TIMEOUT:
		*out = (int)(t->user_timeout_ns / NSEC_PER_MSEC);
		return 0;
	default:
		return get_switch(t, option, out);
	}
}

int tcp_get_option(struct socket *socket, int level, int option, void *value, size_t *length)
{
	struct tcp *t = tcp_of(socket);
	int number, error;

	if (level != SOL_TCP)
		return inet_get_option(&t->inet, level, option, value, length);
	if (option == TCP_INFO) {
		tcp_get_info(t, value, length);
		return 0;
	}
	if (option == TCP_CONGESTION)
		return get_congestion(t, value, length);
	error = get_number(t, option, &number);
	if (error)
		return error;
	*length = MIN(*length, sizeof(number));
	memcpy(value, &number, *length);
	return 0;
}

void tcp_option_changed(struct socket *socket, int option)
{
	struct tcp *t = tcp_of(socket);

	tcp_lock(t);
	switch (option) {
	case SO_RCVBUF:
	case SO_RCVBUFFORCE:
		t->memory_limit = MAX(socket->receive_buffer, 4096u);
		t->memory_fixed = true;
		if (t->state == TCP_CLOSED)
			tcp_update_window_scale(t);
		break;
	case SO_SNDBUF:
	case SO_SNDBUFFORCE:
		t->send_fixed = true;
		break;
	case SO_KEEPALIVE:
		tcp_reset_keepalive(t);
		break;
	}
	tcp_unlock(t);
}
