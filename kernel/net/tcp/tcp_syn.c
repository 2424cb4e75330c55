/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Segments with a SYN: what is offered and agreed to (RFC 9293, 7323, 2018), and the data of a Fast Open (RFC 7413). */
#include <lib/string.h>
#include <net/tcp/tcp.h>

#define OPTIONS_MAX 40u

/* Are time stamps offered? Not beside a signature, which would leave no room for SACK. */
static bool offers_timestamps(const struct tcp *t)
{
	return tcp_settings(t)->timestamps && !tcp_md5_of(t);
}

void tcp_take_syn_options(struct tcp *t, const struct tcp_segment *s)
{
	const struct tcp_options *o = &s->options;

	t->mss_peer = o->mss ? MAX(o->mss, (u16)64) : 536;
	t->scaling = o->window_scale >= 0 && tcp_settings(t)->window_scaling;
	t->send_scale = t->scaling ? (u8)o->window_scale : 0;
	t->timestamps = o->timestamp && offers_timestamps(t);
	t->sack = o->sack_permitted && tcp_settings(t)->sack;
	if (t->timestamps) {
		t->ts_recent = o->value;
		t->ts_recent_ns = tcp_clock(t);
	}
	t->irs = s->seq;
	t->rcv_nxt = t->rcv_wup = t->copied_seq = s->seq + 1;
	t->snd_wnd = t->window_max = s->window;
	t->snd_wl1 = s->seq;
}

/* The cookie of a Fast Open, or that one is wanted, if there is room for it. */
static u8 *put_cookie(const struct tcp *t, u8 *o, u8 *end)
{
	const struct tcp_fast_open *f = &t->fast_open;
	unsigned size = 2u + f->cookie_length, padding = -size % 4;

	if (o + size + padding > end)
		return o;
	memset(o, 1, padding);
	o += padding;
	o[0] = 34;
	o[1] = (u8)size;
	memcpy(o + 2, f->cookie, f->cookie_length);
	return o + size;
}

/* Does a SYN, or its answer, bear the option of Fast Open? */
static bool has_cookie(const struct tcp *t, bool answer)
{
	const struct tcp_fast_open *f = &t->fast_open;

	if (answer)
		return f->cookie_length && !f->tried;
	return f->tried && !t->retries && (f->cookie_length || !f->syn_data);
}

static u8 *put_syn_options(struct tcp *t, u8 *o, u16 mss, bool answer)
{
	bool sack = answer ? t->sack : tcp_settings(t)->sack;
	u8 *end = o + OPTIONS_MAX;

	o[0] = 2;
	o[1] = 4;
	store_net16(o + 2, mss);
	o += 4;
	if (answer ? t->timestamps : offers_timestamps(t)) {
		store_net32(o, sack ? 0x0402080a : 0x0101080a);
		store_net32(o + 4, tcp_timestamp(t, tcp_clock(t)));
		store_net32(o + 8, t->ts_recent);
		o += 12;
	} else if (sack) {
		store_net32(o, 0x01010402);
		o += 4;
	}
	if (answer ? t->scaling : tcp_settings(t)->window_scaling) {
		store_net32(o, 0x01030300u | t->receive_scale);
		o += 4;
	}
	if (unlikely(has_cookie(t, answer)))
		o = put_cookie(t, o, end);
	return unlikely(tcp_md5_of(t)) ? tcp_md5_put_option(o) : o;
}

/* What waits to go with the SYN (RFC 7413, 4.2.1), as much as fits beside any options. */
static bool attach_data(struct tcp *t, struct packet *p)
{
	u32 n = t->write_seq - t->snd_nxt, room = t->mss > OPTIONS_MAX ? t->mss - OPTIONS_MAX : 0;

	room = MIN(room, 65535u);
	n = MIN(n, room);
	if (!tcp_attach(p, t->blocks, t->snd_nxt, n))
		return false;
	t->fast_open.syn_data = (u16)n;
	return true;
}

void tcp_send_syn(struct tcp *t, u8 flags)
{
	struct packet *p = packet_alloc();
	u32 mtu = tcp_route_mtu(t);
	u32 mss = mtu - (inet_is_v4(&t->inet.node.remote) ? 40 : 60);
	u8 options[OPTIONS_MAX], *o;

	if (!p)
		return;
	if (t->mss_user)
		mss = MIN(mss, t->mss_user);
	if (!(flags & TH_ACK)) {
		if (tcp_settings(t)->ecn == 1)
			flags |= TH_ECE | TH_CWR;
		if (unlikely(t->write_seq != t->snd_nxt) && !t->retries && !attach_data(t, p)) {
			packet_free(p);
			return;
		}
	} else if (t->ecn) {
		flags |= TH_ECE;
	}
	o = put_syn_options(t, options, (u16)MIN(mss, 65495u), flags & TH_ACK);
	tcp_finish(t, p, t->iss, flags, options, (unsigned)(o - options));
}

void tcp_open(struct tcp *t)
{
	t->fast_open.waits = false;
	t->first_unacked_ns = tcp_clock(t);
	tcp_send_syn(t, TH_SYN);
	t->retransmit_at = tcp_clock(t) + NSEC_PER_SEC;
	tcp_timers_update(t);
}
