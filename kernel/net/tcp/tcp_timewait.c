/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TIME_WAIT (RFC 9293, 3.6; RFC 1337; RFC 6191): what is left of a connection is a small node in the
 * same tables, for a minute. Also FIN_WAIT2 of a connection that nobody owns. All wait in one list, oldest
 * first; a connection beyond the limit of its name space ends at once, as on Linux.
 */
#include <core/panic.h>
#include <lib/list.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/namespace.h>
#include <net/tcp/tcp.h>

#define TIME_WAIT_NS (60 * NSEC_PER_SEC)

struct time_wait {
	struct inet_node node; /* first */
	struct list_head list; /* by deadline; self-linked when it is gone */
	u64 deadline_ns, ts_recent_ns;
	u32 rcv_nxt, snd_nxt, ts_recent, timestamp_offset, window;
	u8 state;		     /* TCP_TIME_WAIT, TCP_FIN_WAIT2 */
	struct tcp_md5_key *md5_key; /* of its peer; owns a reference; null: nothing is signed */
	bool timestamps;
};

static struct spinlock list_lock = SPINLOCK_INIT(RANK_NET_LINK);
static struct list_head waiting __guarded_by(&list_lock) = LIST_INIT(waiting);
static struct net_timer timer;
static struct slab_cache *cache;

static struct time_wait *time_wait_of(struct inet_node *n)
{
	return container_of(n, struct time_wait, node);
}

static void time_wait_free(struct rcu_head *head)
{
	struct time_wait *w =
		container_of(container_of(head, struct inet_node, rcu), struct time_wait, node);

	tcp_md5_put(w->md5_key);
	slab_free(cache, w);
}

/* Takes it out of the list; true for the one caller that did, and owns the list's reference. */
static bool unlink(struct time_wait *w)
{
	bool mine;

	spin_lock(&list_lock);
	mine = !list_empty(&w->list);
	if (mine) {
		list_remove(&w->list);
		w->node.network->time_wait_count--;
	}
	spin_unlock(&list_lock);
	return mine;
}

static void end(struct time_wait *w)
{
	connection_remove(&w->node);
	port_unbind(&tcp_ports, &w->node);
	inet_node_put(&w->node);
}

/* The oldest, taken out, if it is due. */
static struct time_wait *take_due(u64 now, u64 *next)
{
	struct time_wait *w = nullptr;

	spin_lock(&list_lock);
	*next = 0;
	if (!list_empty(&waiting)) {
		struct time_wait *first = list_first(&waiting, struct time_wait, list);

		if (first->deadline_ns <= now) {
			list_remove(&first->list);
			first->node.network->time_wait_count--;
			w = first;
		} else {
			*next = first->deadline_ns;
		}
	}
	spin_unlock(&list_lock);
	return w;
}

static void expire(struct net_task *task)
{
	struct time_wait *w;
	u64 next;

	(void)task;
	while ((w = take_due(tcp_now(), &next))) {
		if (w->state == TCP_TIME_WAIT)
			net_count(w->node.network, NET_TCP_TIME_WAIT);
		end(w);
	}
	if (next)
		timer_set(&timer.timer, next);
}

/* Puts it at the end of the list, with a full time to wait. */
static void enter(struct time_wait *w, bool fresh)
{
	const struct tcp_sysctl *settings = &w->node.network->sysctl.tcp;
	bool first;

	spin_lock(&list_lock);
	if (!fresh && list_empty(&w->list)) { /* it is on its way out */
		spin_unlock(&list_lock);
		return;
	}
	first = list_empty(&waiting);
	if (!fresh)
		list_remove(&w->list);
	else
		w->node.network->time_wait_count++;
	w->deadline_ns =
		tcp_now() + (w->state == TCP_FIN_WAIT2 ? (u64)settings->fin_timeout * NSEC_PER_SEC
						       : TIME_WAIT_NS);
	list_add_tail(&waiting, &w->list);
	spin_unlock(&list_lock);
	if (first)
		timer_set(&timer.timer, w->deadline_ns);
}

static void fill(struct time_wait *w, const struct tcp *t, enum tcp_state state)
{
	w->node = t->inet.node;
	w->node.binding = nullptr;
	w->node.hashed = w->node.listening = false;
	w->node.refs = 1;
	w->node.kind = INET_TIME_WAIT;
	w->node.free = time_wait_free;
	w->state = (u8)state;
	w->rcv_nxt = t->rcv_nxt;
	w->snd_nxt = t->snd_nxt;
	w->timestamps = t->timestamps;
	w->ts_recent = t->ts_recent;
	w->ts_recent_ns = t->ts_recent_ns;
	w->timestamp_offset = t->timestamp_offset;
	w->window = t->rcv_wnd >> (t->scaling ? t->receive_scale : 0);
	list_init(&w->list);
}

void tcp_become_time_wait(struct tcp *t, enum tcp_state state)
{
	struct network_namespace *network = t->inet.node.network;
	struct time_wait *w = nullptr;

	if (READ_ONCE(network->time_wait_count) < network->sysctl.tcp.max_tw_buckets)
		w = slab_alloc(cache, ALLOC_ATOMIC | ALLOC_ZERO);
	else
		net_count(network, NET_TCP_TIME_WAIT_OVERFLOW);
	if (w && t->inet.node.binding) {
		fill(w, t, state);
		if (!port_share(&tcp_ports, &w->node, &t->inet.node)) {
			network_node_get(w->node.network);
			w->md5_key = tcp_md5_get(tcp_md5_of(t));
			connection_replace(&t->inet.node, &w->node);
			enter(w, true);
		} else {
			slab_free(cache, w);
		}
	} else if (w) {
		slab_free(cache, w);
	}
	tcp_done(t, 0);
}

u8 tcp_time_wait_state(struct inet_node *n)
{
	return time_wait_of(n)->state;
}

bool tcp_time_wait_reusable(struct inet_node *n)
{
	struct time_wait *w = time_wait_of(n);

	/* RFC 6191: time stamps tell old segments apart once a second has passed. */
	if (n->kind != INET_TIME_WAIT || !n->network->sysctl.tcp.time_wait_reuse ||
	    !w->timestamps || w->state != TCP_TIME_WAIT)
		return false;
	return tcp_now() - w->ts_recent_ns > NSEC_PER_SEC;
}

static void answer(const struct time_wait *w, const struct inet_info *info,
		   const struct tcp_segment *s)
{
	u32 stamps[2] = { (u32)(tcp_now() / NSEC_PER_MSEC) + w->timestamp_offset, w->ts_recent };

	tcp_send_bare(info, s,
		      &(struct tcp_bare){ .seq = w->snd_nxt,
					  .ack = w->rcv_nxt,
					  .flags = TH_ACK,
					  .window = w->window,
					  .timestamps = w->timestamps ? stamps : nullptr,
					  .key = w->md5_key });
}

/* FIN_WAIT2 without owner: the peer's FIN ends it properly, its data is refused. */
static bool fin_wait2(struct time_wait *w, const struct inet_info *info,
		      const struct tcp_segment *s)
{
	u32 data_end = s->end - !!(s->flags & TH_FIN);

	if ((s->flags & TH_RST) || seq_after(data_end, w->rcv_nxt)) {
		if (!(s->flags & TH_RST))
			tcp_reject(info, s, w->md5_key);
		if (unlink(w))
			end(w);
		return true;
	}
	if ((s->flags & TH_FIN) && data_end == w->rcv_nxt) {
		w->rcv_nxt++;
		w->state = TCP_TIME_WAIT;
		answer(w, info, s);
		enter(w, false);
		return true;
	}
	return false;
}

bool tcp_time_wait_input(struct inet_node *n, struct packet *p, const struct inet_info *info,
			 const struct tcp_segment *s)
{
	struct time_wait *w = time_wait_of(n);
	bool newer =
		w->timestamps && s->options.timestamp && seq_after(s->options.value, w->ts_recent);

	if (!tcp_md5_allows(w->md5_key, p, info, s))
		goto done;
	if (w->state == TCP_FIN_WAIT2 && fin_wait2(w, info, s))
		goto done;
	if (s->flags & TH_RST) {
		if (s->seq == w->rcv_nxt && !n->network->sysctl.tcp.rfc1337 && unlink(w))
			end(w);
		goto done;
	}
	if ((s->flags & (TH_SYN | TH_ACK)) == TH_SYN && (seq_after(s->seq, w->rcv_nxt) || newer)) {
		net_count(n->network, NET_TCP_TIME_WAIT_REUSED);
		if (unlink(w))
			end(w);
		return true; /* a new connection, whose packet the caller goes on with */
	}
	if ((s->flags & (TH_SYN | TH_FIN)) || s->end != s->seq || !(s->flags & TH_ACK)) {
		answer(w, info, s);
		if (s->flags & TH_FIN)
			enter(w, false);
	}
done:
	packet_free(p);
	return false;
}

void tcp_time_wait_init(void)
{
	cache = slab_cache_create("tw_sock_TCP", sizeof(struct time_wait), 0);
	net_timer_init(&timer, expire);
}
