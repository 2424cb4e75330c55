/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listening: half open connections, SYN cookies (RFC 4987), the queue of accept(2).
 *
 * A child owns a reference of its listener in `parent` until it is accepted. It is in one list of the
 * listener, half_open or ready, which owns the reference that the accepting socket takes over. Lists
 * are guarded by listener->lock, taken inside a child's lock, never outside of one.
 */
#include <core/random.h>
#include <lib/errno.h>
#include <lib/hash.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/tcp/tcp.h>

#include <linux/eventpoll.h>

struct tcp *tcp_find_listener(const struct inet_info *info, u16 port, u16 source_port,
			      struct packet *p)
{
	struct inet_node *n = port_find(&tcp_ports, info, port, source_port, p, 0);

	return n && inet_node_get_unless_zero(n) ? tcp_of_node(n) : nullptr;
}

void tcp_leave_listener(struct tcp *t)
{
	struct tcp_listener *l = t->parent->listener;
	bool mine;

	spin_lock(&l->lock);
	mine = !list_empty(&t->listener_node);
	if (mine) {
		list_remove(&t->listener_node);
		l->half_open_count--;
	}
	spin_unlock(&l->lock);
	inet_node_put(&t->parent->inet.node);
	t->parent = nullptr;
	if (mine)
		inet_node_put(&t->inet.node);
}

bool tcp_hand_over(struct tcp *t)
{
	struct tcp_listener *l = t->parent->listener;
	bool taken = false;

	spin_lock(&l->lock);
	if (!l->closed && l->ready_count <= l->backlog && !list_empty(&t->listener_node)) {
		list_remove(&t->listener_node);
		l->half_open_count--;
		list_add_tail(&l->ready, &t->listener_node);
		l->ready_count++;
		t->handed_over = taken = true;
		if (unlikely(t->parent->filter))
			t->filter = socket_program_get(&t->parent->filter);
		tcp_count(t, NET_TCP_PASSIVE_OPENS);
		/* Not closed: so the listener still has its socket. */
		socket_notify(tcp_socket(t->parent), EPOLLIN | EPOLLRDNORM);
	}
	spin_unlock(&l->lock);
	if (!taken)
		tcp_count(t, NET_TCP_LISTEN_OVERFLOWS);
	return taken;
}

static void end_child(struct tcp *t)
{
	struct tcp *parent;

	tcp_lock(t);
	parent = t->parent;
	t->parent = nullptr;
	t->orphan = true;
	if (t->state != TCP_CLOSED) {
		tcp_send_reset(t);
		tcp_done(t, 0);
	}
	tcp_unlock(t);
	if (parent)
		inet_node_put(&parent->inet.node);
	inet_node_put(&t->inet.node);
}

void tcp_listener_close(struct tcp *listener)
{
	struct tcp_listener *l = listener->listener;

	for (;;) {
		struct list_head *list;
		struct tcp *child = nullptr;

		spin_lock(&l->lock);
		l->closed = true;
		list = !list_empty(&l->ready) ? &l->ready : &l->half_open;
		if (!list_empty(list)) {
			child = list_first(list, struct tcp, listener_node);
			list_remove(&child->listener_node);
		}
		spin_unlock(&l->lock);
		if (!child)
			return;
		end_child(child);
	}
}

/* What a connection has from its listener (socket(7): most options are inherited). */
static void inherit(struct tcp *t, const struct tcp *listener)
{
	const struct inet_socket *from = &listener->inet;
	struct inet_socket *to = &t->inet;

	to->node.family = from->node.family;
	to->node.v6_only = from->node.v6_only;
	to->node.reuse_address = from->node.reuse_address;
	to->node.reuse_port = from->node.reuse_port;
	to->node.uid = from->node.uid;
	to->node.bound_device = from->node.bound_device;
	to->flags = from->flags;
	to->ttl = from->ttl;
	to->hops6 = from->hops6;
	to->tos = from->tos;
	to->tclass = from->tclass;
	to->multicast_ttl = from->multicast_ttl;
	to->path_mtu_discovery = from->path_mtu_discovery;
	t->no_delay = listener->no_delay;
	t->corked = listener->corked;
	t->memory_limit = listener->memory_limit;
	t->memory_fixed = listener->memory_fixed;
	t->receive_scale = listener->receive_scale;
	t->send_fixed = listener->send_fixed;
	t->mss_user = listener->mss_user;
	t->keep_idle_ns = listener->keep_idle_ns;
	t->keep_interval_ns = listener->keep_interval_ns;
	t->keep_probes = listener->keep_probes;
	t->user_timeout_ns = listener->user_timeout_ns;
	t->linger2 = listener->linger2;
	t->congestion = listener->congestion;
	t->unsent_low = listener->unsent_low;
	t->unsent_option = listener->unsent_option;
	t->thin_linear = listener->thin_linear;
	t->pacing_rate = listener->pacing_rate;
}

/* TCP_SAVE_SYN: the headers of the SYN, whose data the packet now begins with. Without memory there are none. */
static void save_syn(struct tcp *t, const struct packet *p, bool link)
{
	const u8 *start = p->room + (link ? p->link_header : p->network_header);
	u32 length = (u32)(p->data - start);

	t->saved_syn = kmalloc(sizeof(*t->saved_syn) + length, ALLOC_ATOMIC);
	if (!t->saved_syn)
		return;
	t->saved_syn->length = length;
	memcpy(t->saved_syn->bytes, start, length);
}

static void take_syn(struct tcp *t, const struct inet_info *info, const struct tcp_segment *s)
{
	t->inet.node.local = info->destination;
	t->inet.node.remote_port = s->remote_port;
	t->inet.scope = inet_is_link_local(&info->source) ? (u32)info->device->index : 0;
	if (tcp_settings(t)->reflect_tos) {
		t->inet.tos = (u8)((info->tos & ~3u) | (t->inet.tos & 3));
		t->inet.tclass = (u8)((info->tos & ~3u) | (t->inet.tclass & 3));
	}
	tcp_take_syn_options(t, s);
	t->ecn = tcp_settings(t)->ecn && (s->flags & (TH_ECE | TH_CWR)) == (TH_ECE | TH_CWR);
	t->timestamp_offset = (u32)random_u64();
}

/* A child in the tables, not yet in a list of the listener; null without memory, or if it is there. */
static struct tcp *make_child(struct tcp *listener, const struct inet_info *info,
			      const struct tcp_segment *s)
{
	struct tcp *t = tcp_alloc(info->network);

	if (!t)
		return nullptr;
	inherit(t, listener);
	t->inet.node.remote = info->source;
	if (!tcp_md5_inherit(t, listener)) {
		inet_node_put(&t->inet.node);
		return nullptr;
	}
	take_syn(t, info, s);
	t->state = TCP_SYN_RECEIVED;
	if (port_share(&tcp_ports, &t->inet.node, &listener->inet.node)) {
		inet_node_put(&t->inet.node);
		return nullptr;
	}
	t->iss = tcp_initial_sequence(&t->inet.node);
	t->snd_una = t->iss;
	t->snd_nxt = t->write_seq = t->iss + 1;
	t->first_unacked_ns = tcp_clock(t);
	return t;
}

static void discard_child(struct tcp *t)
{
	port_unbind(&tcp_ports, &t->inet.node);
	inet_node_put(&t->inet.node);
}

/* Enters the child among the half open. False if the listener was closed. */
static bool enter(struct tcp *listener, struct tcp *t)
{
	struct tcp_listener *l = listener->listener;
	bool ok;

	spin_lock(&l->lock);
	ok = !l->closed && connection_insert_unique(&t->inet.node, nullptr);
	if (ok) {
		inet_node_get(&listener->inet.node);
		t->parent = listener;
		list_add_tail(&l->half_open, &t->listener_node);
		l->half_open_count++;
	}
	spin_unlock(&l->lock);
	return ok;
}

/* --- SYN cookies: the state of a half open connection in the sequence number that answers --- */

static const u16 cookie_mss[] = { 536, 1220, 1300, 1400, 1440, 1460, 4312, 8960 };
static struct siphash_key cookie_key;

static u32 cookie_minute(void)
{
	return (u32)(tcp_now() / (64 * NSEC_PER_SEC));
}

static u32 cookie_hash(const struct inet_info *info, const struct tcp_segment *s, u32 peer_seq,
		       u32 minute)
{
	struct {
		struct inet_address local, remote;
		u16 local_port, remote_port;
		u32 seq, minute, zero;
	} key = {
		info->destination, info->source, s->local_port, s->remote_port, peer_seq, minute, 0
	};

	if (!cookie_key.words[0])
		random_bytes(&cookie_key, sizeof(cookie_key));
	return (u32)siphash(&key, sizeof(key), &cookie_key);
}

/* Bits 31..8 of the hash, 7..3 of the minute, 2..0 of the MSS. */
static void send_cookie(const struct tcp *listener, const struct inet_info *info,
			const struct tcp_segment *s)
{
	struct tcp_bare bare = { .ack = s->seq + 1,
				 .flags = TH_SYN | TH_ACK,
				 .window = 65535,
				 .mss = 1460,
				 .key = tcp_md5_find(rcu_dereference(listener->md5_keys),
						     &info->source) };
	unsigned index = ARRAY_SIZE(cookie_mss) - 1;
	u32 minute = cookie_minute();

	while (index && cookie_mss[index] > s->options.mss)
		index--;
	bare.seq = (cookie_hash(info, s, s->seq, minute) & ~0xffu) | (minute & 31) << 3 | index;
	net_count(info->network, NET_TCP_COOKIES_SENT);
	tcp_send_bare(info, s, &bare);
}

/* An ACK that proves that its sender got our cookie: its MSS, or 0. */
static u16 check_cookie(const struct inet_info *info, const struct tcp_segment *s)
{
	u32 cookie = s->ack - 1, now = cookie_minute();

	for (u32 age = 0; age < 2; age++) {
		u32 minute = now - age;

		if ((minute & 31) == (cookie >> 3 & 31) &&
		    !((cookie_hash(info, s, s->seq - 1, minute) ^ cookie) & ~0xffu))
			return cookie_mss[cookie & 7];
	}
	return 0;
}

/* The listener sent cookies of late, so that ACKs may be answers to them. */
static u64 cookies_sent_ns;

static bool open_by_cookie(struct tcp *listener, struct packet *p, const struct inet_info *info,
			   struct tcp_segment *s)
{
	bool expected = READ_ONCE(cookies_sent_ns) &&
			tcp_now() - READ_ONCE(cookies_sent_ns) < 130 * NSEC_PER_SEC;
	u16 mss = expected ? check_cookie(info, s) : 0;
	struct tcp_segment syn = *s;
	struct tcp *t;

	if (s->flags & (TH_RST | TH_SYN))
		return false;
	if (expected)
		net_count(info->network, mss ? NET_TCP_COOKIES_RECEIVED : NET_TCP_COOKIES_FAILED);
	if (!mss)
		return false;
	syn.seq = s->seq - 1;
	syn.options = (struct tcp_options){ .mss = mss, .window_scale = -1 };
	syn.flags = TH_SYN;
	t = make_child(listener, info, &syn);
	if (!t)
		return false;
	t->iss = t->snd_una = s->ack - 1;
	t->snd_nxt = t->write_seq = s->ack;
	t->rcv_wnd = 65535;
	tcp_lock(t);
	if (!enter(listener, t)) {
		tcp_unlock(t);
		discard_child(t);
		return false;
	}
	inet_node_get(&t->inet.node);
	(void)!inet_route(&t->inet);
	t->retransmit_at = tcp_clock(t) + NSEC_PER_SEC;
	tcp_receive_segment(t, p, info, s);
	tcp_unlock(t);
	inet_node_put(&t->inet.node);
	return true;
}

/* Takes the packet. */
static void open_child(struct tcp *listener, struct packet *p, const struct inet_info *info,
		       const struct tcp_segment *s)
{
	struct tcp *t = make_child(listener, info, s);

	if (!t) {
		packet_free(p);
		return;
	}
	tcp_lock(t);
	if (!enter(listener, t)) {
		tcp_unlock(t);
		discard_child(t);
		packet_free(p);
		return;
	}
	if (unlikely(listener->save_syn))
		save_syn(t, p, listener->save_syn == 2);
	inet_node_get(&t->inet.node);
	if (inet_route(&t->inet)) {
		tcp_done(t, 0);
		packet_free(p);
	} else if (!tcp_fast_open_accept(listener, t, p, s)) {
		tcp_send_syn(t, TH_SYN | TH_ACK);
		packet_free(p);
	}
	if (t->state == TCP_SYN_RECEIVED) {
		t->retransmit_at = tcp_clock(t) + NSEC_PER_SEC;
		tcp_timers_update(t);
	}
	tcp_unlock(t);
	inet_node_put(&t->inet.node);
}

/* The lock of the accept queue keeps the socket, which programs may ask about. */
static bool listener_passes(struct tcp *listener, struct packet *p, struct tcp_segment *s)
{
	struct tcp_listener *l = listener->listener;
	bool passes;

	spin_lock(&l->lock);
	passes = !l->closed && tcp_filter_segment(&listener->filter, tcp_socket(listener), p, s);
	spin_unlock(&l->lock);
	return passes;
}

void tcp_listen_input(struct tcp *listener, struct packet *p, const struct inet_info *info,
		      struct tcp_segment *s)
{
	struct tcp_listener *l = listener->listener;
	bool full, crowded;

	if (unlikely(READ_ONCE(listener->filter)) && !listener_passes(listener, p, s))
		goto drop;
	if (s->flags & TH_RST)
		goto drop;
	if (s->flags & TH_ACK) {
		if (open_by_cookie(listener, p, info, s))
			return;
		tcp_reject(info, s, rcu_dereference(listener->md5_keys));
		goto drop;
	}
	if (!(s->flags & TH_SYN) || (s->flags & TH_FIN) || inet_is_multicast(&info->source))
		goto drop;
	spin_lock(&l->lock);
	full = l->ready_count > l->backlog;
	crowded = l->half_open_count >=
		  MIN(MAX(l->backlog, 8u), tcp_settings(listener)->max_syn_backlog);
	spin_unlock(&l->lock);
	if (full) {
		tcp_count(listener, NET_TCP_LISTEN_OVERFLOWS);
		tcp_count(listener, NET_TCP_LISTEN_DROPS);
		goto drop;
	}
	if (crowded) {
		bool cookies = tcp_settings(listener)->syn_cookies;

		tcp_count(listener,
			  cookies ? NET_TCP_QUEUE_FULL_COOKIES : NET_TCP_QUEUE_FULL_DROPPED);
		if (cookies) {
			WRITE_ONCE(cookies_sent_ns, tcp_now());
			send_cookie(listener, info, s);
		}
		goto drop;
	}
	open_child(listener, p, info, s);
	return;
drop:
	packet_free(p);
}
