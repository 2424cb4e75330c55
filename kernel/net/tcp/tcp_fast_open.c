/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP Fast Open: see tcp_fast_open.h. */
#include <core/random.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/namespace.h>
#include <net/tcp/tcp.h>

#include <linux/tcp.h>

#define RESET_NS (60 * NSEC_PER_SEC) /* how long a reset counts (F1) */
#define FAILURES_MAX 7u		     /* the time of rest doubles that often, less one */

static struct spinlock keys_lock = SPINLOCK_INIT(RANK_NET_LINK); /* all struct fast_open_keys */

/* --- Keys and cookies of a server --- */

void tcp_fast_open_network_keys(struct network_namespace *network, struct fast_open_keys *out)
{
	spin_lock(&keys_lock);
	*out = network->sysctl.tcp.fast_open_keys;
	spin_unlock(&keys_lock);
}

void tcp_fast_open_set_network_keys(struct network_namespace *network,
				    const struct fast_open_keys *keys)
{
	spin_lock(&keys_lock);
	network->sysctl.tcp.fast_open_keys = *keys;
	spin_unlock(&keys_lock);
}

void tcp_fast_open_get_keys(struct tcp *t, struct fast_open_keys *out)
{
	spin_lock(&keys_lock);
	*out = t->fast_open.keys ? *t->fast_open.keys : (struct fast_open_keys){};
	spin_unlock(&keys_lock);
}

int tcp_fast_open_set_keys(struct tcp *t, const void *value, size_t length)
{
	const size_t size = sizeof(struct siphash_key);
	struct fast_open_keys *keys, *old;

	if (length != size && length != 2 * size)
		return -EINVAL;
	keys = kzalloc(sizeof(*keys), 0);
	if (!keys)
		return -ENOMEM;
	memcpy(keys->key, value, length);
	keys->count = (u32)(length / size);
	spin_lock(&keys_lock);
	old = t->fast_open.keys;
	t->fast_open.keys = keys;
	spin_unlock(&keys_lock);
	kfree(old);
	return 0;
}

/* The name space gets a key when the first of its listeners needs one. */
static void make_network_key(struct network_namespace *network)
{
	struct fast_open_keys fresh = { .count = 1 };
	struct fast_open_keys *keys = &network->sysctl.tcp.fast_open_keys;

	random_bytes(&fresh.key[0], sizeof(fresh.key[0]));
	spin_lock(&keys_lock);
	if (!keys->count)
		*keys = fresh;
	spin_unlock(&keys_lock);
}

void tcp_fast_open_listen(struct tcp *listener, u32 maximum)
{
	listener->fast_open.queue_maximum = MIN(maximum, tcp_settings(listener)->somaxconn);
	make_network_key(listener->inet.node.network);
}

static u64 cookie_of(const struct tcp *child, const struct siphash_key *key)
{
	const struct inet_address path[2] = { child->inet.node.remote, child->inet.node.local };

	return siphash(path, sizeof(path), key);
}

/* Which of the keys made the cookie of a SYN; -1: none. */
static int key_of_cookie(const struct tcp *child, const struct fast_open_keys *keys,
			 const struct tcp_options *options)
{
	if (options->cookie_length != TCP_COOKIE_SIZE)
		return -1;
	for (u32 i = 0; i < keys->count; i++) {
		u64 cookie = cookie_of(child, &keys->key[i]);

		if (!memcmp(&cookie, options->cookie, sizeof(cookie)))
			return (int)i;
	}
	return -1;
}

static void give_cookie(struct tcp *child, const struct fast_open_keys *keys)
{
	u64 cookie;

	if (!keys->count)
		return;
	cookie = cookie_of(child, &keys->key[0]);
	memcpy(child->fast_open.cookie, &cookie, sizeof(cookie));
	child->fast_open.cookie_length = sizeof(cookie);
}

/* Looks at the cookie of a SYN, or the lack of it, and has the answer bring a new one where that is due. */
static bool is_known(struct tcp *listener, struct tcp *child, const struct tcp_segment *s)
{
	const struct tcp_options *options = &s->options;
	struct fast_open_keys keys;
	int which;

	if ((tcp_settings(listener)->fast_open & FAST_OPEN_SERVER_NO_COOKIE) ||
	    listener->fast_open.no_cookie)
		return true;
	if (options->cookie_length < 0)
		return false;
	tcp_fast_open_get_keys(listener, &keys);
	if (!keys.count)
		tcp_fast_open_network_keys(listener->inet.node.network, &keys);
	which = key_of_cookie(child, &keys, options);
	if (which != 0)
		give_cookie(child, &keys);
	if (which > 0)
		tcp_count(listener, NET_TCP_FAST_OPEN_OTHER_KEY);
	else if (which < 0 && options->cookie_length > 0)
		tcp_count(listener, NET_TCP_FAST_OPEN_PASSIVE_FAILED);
	return which >= 0;
}

/* --- (F1) --- */

static bool enter_queue(struct tcp *listener, struct tcp *child)
{
	struct tcp_listener *l = listener->listener;
	bool room;

	spin_lock(&l->lock);
	if (l->fast_resets && tcp_now() >= l->fast_resets_until)
		l->fast_resets = 0;
	room = l->fast_pending + l->fast_resets < listener->fast_open.queue_maximum;
	if (room)
		l->fast_pending++;
	spin_unlock(&l->lock);
	if (!room) {
		tcp_count(listener, NET_TCP_FAST_OPEN_OVERFLOWS);
		return false;
	}
	inet_node_get(&listener->inet.node);
	child->fast_open.listener = listener;
	return true;
}

void tcp_fast_open_settle(struct tcp *child, bool reset)
{
	struct tcp *listener = child->fast_open.listener;
	struct tcp_listener *l;

	if (likely(!listener))
		return;
	child->fast_open.listener = nullptr;
	l = listener->listener;
	spin_lock(&l->lock);
	l->fast_pending--;
	if (reset) {
		l->fast_resets++;
		l->fast_resets_until = tcp_now() + RESET_NS;
	}
	spin_unlock(&l->lock);
	inet_node_put(&listener->inet.node);
}

/* Data of the SYN, into the receive queue; takes the packet. */
static void take_data(struct tcp *child, struct packet *p, const struct tcp_segment *s)
{
	struct tcp_segment data = *s;

	if (!p->length) {
		packet_free(p);
		return;
	}
	data.seq++;
	data.flags &= (u8)~TH_SYN;
	child->rcv_wnd = MIN(tcp_window(child), 65535u);
	child->fast_open.data_acked = true;
	tcp_queue_data(child, p, &data);
}

bool tcp_fast_open_accept(struct tcp *listener, struct tcp *child, struct packet *p,
			  const struct tcp_segment *s)
{
	if (likely(s->options.cookie_length < 0 && !p->length))
		return false;
	if (s->options.cookie_length == 0)
		tcp_count(listener, NET_TCP_FAST_OPEN_COOKIE_REQUESTS);
	if (!(tcp_settings(listener)->fast_open & FAST_OPEN_SERVER) ||
	    !listener->fast_open.queue_maximum || child->md5_keys ||
	    !is_known(listener, child, s) || !enter_queue(listener, child))
		return false;
	child->fast_open.accepted = true;
	tcp_begin_transfer(child);
	if (!tcp_hand_over(child)) {
		/* The queue of accept(2) has just filled: as if the SYN were lost. */
		packet_free(p);
		tcp_done(child, 0);
		return true;
	}
	tcp_count(listener, NET_TCP_FAST_OPEN_PASSIVE);
	take_data(child, p, s);
	tcp_send_syn(child, TH_SYN | TH_ACK);
	return true;
}

/* --- Client --- */

/* Something swallowed what began so, not long ago. */
static bool rests(const struct network_namespace *network)
{
	u32 failures = READ_ONCE(network->fast_open_failures);
	int timeout = network->sysctl.tcp.fast_open_blackhole_timeout;
	u64 ns = (u64)timeout * NSEC_PER_SEC;

	if (likely(!failures) || !timeout)
		return false;
	return tcp_now() - READ_ONCE(network->fast_open_failed_ns) <
	       ns << (MIN(failures, FAILURES_MAX) - 1);
}

void tcp_fast_open_blackholed(struct tcp *t)
{
	struct network_namespace *network = t->inet.node.network;

	if (!tcp_settings(t)->fast_open_blackhole_timeout)
		return;
	WRITE_ONCE(network->fast_open_failed_ns, tcp_now());
	__atomic_add_fetch(&network->fast_open_failures, 1, __ATOMIC_RELEASE);
	tcp_count(t, NET_TCP_FAST_OPEN_BLACKHOLES);
}

/* SYNs with data were lost of late, again and again: for a while without (RFC 7413, 4.1.3.1). */
static bool loses_data(const struct tcp_peer *peer)
{
	return peer->losses > 1 && tcp_now() - peer->loss_ns < 60 * NSEC_PER_SEC
								       << MIN(peer->losses, 16u);
}

bool tcp_fast_open_begin(struct tcp *t)
{
	struct tcp_fast_open *f = &t->fast_open;
	struct tcp_peer peer = {};
	bool needs_cookie;

	f->tried = f->waits = f->data_acked = false;
	f->syn_data = f->client_fail = f->cookie_length = 0;
	if (!f->wanted || !(tcp_settings(t)->fast_open & FAST_OPEN_CLIENT) || t->md5_keys ||
	    rests(t->inet.node.network))
		return false;
	(void)!tcp_peer_find(t, &peer);
	if (loses_data(&peer))
		return false;
	f->tried = true;
	if (peer.mss)
		t->mss_peer = peer.mss;
	needs_cookie = !f->no_cookie && !(tcp_settings(t)->fast_open & FAST_OPEN_CLIENT_NO_COOKIE);
	if (needs_cookie) {
		memcpy(f->cookie, peer.cookie, sizeof(f->cookie));
		f->cookie_length = peer.cookie_length;
	}
	f->waits = !needs_cookie || f->cookie_length;
	if (!f->waits)
		f->client_fail = TFO_COOKIE_UNAVAILABLE;
	return f->waits;
}

/* What the answer teaches of the peer, for the next time. */
static void learn(struct tcp *t, const struct tcp_options *options, bool lost)
{
	struct tcp_peer peer = {};

	(void)!tcp_peer_find(t, &peer);
	if (options->cookie_length > 0) {
		peer.cookie_length = (u8)options->cookie_length;
		memcpy(peer.cookie, options->cookie, peer.cookie_length);
	}
	peer.mss = (u16)t->mss_peer;
	peer.losses = lost ? peer.losses + 1 : 0;
	peer.loss_ns = lost ? tcp_now() : 0;
	tcp_peer_store(t, &peer);
}

void tcp_fast_open_answered(struct tcp *t, const struct tcp_segment *s)
{
	struct tcp_fast_open *f = &t->fast_open;
	bool lost;

	if (likely(!f->tried))
		return;
	/* Only the plain SYN came through. */
	lost = t->retries && f->syn_data && s->options.cookie_length < 0;
	if (f->syn_data || s->options.cookie_length > 0)
		learn(t, &s->options, lost);
	if (!f->syn_data)
		return;
	f->data_acked = s->ack == t->iss + 1 + f->syn_data;
	if (f->data_acked) {
		tcp_count(t, NET_TCP_FAST_OPEN_ACTIVE);
		return;
	}
	f->client_fail = t->retries ? TFO_SYN_RETRANSMITTED : TFO_DATA_NOT_ACKED;
	tcp_count(t, NET_TCP_FAST_OPEN_ACTIVE_FAILED);
}

void tcp_fast_open_judge(struct tcp *t)
{
	const struct rb_node *first = rb_first(&t->out_of_order);

	if (likely(!t->fast_open.tried))
		return;
	if (t->bytes_received)
		WRITE_ONCE(t->inet.node.network->fast_open_failures, 0);
	else if (first && rb_entry(first, struct tcp_received, node)->fin)
		tcp_fast_open_blackholed(t);
}

void tcp_fast_open_timeout(struct tcp *t, bool last)
{
	if (likely(!t->fast_open.tried) || (!t->fast_open.syn_data && !t->fast_open.data_acked))
		return;
	if (t->retries == 2 || (t->retries < 2 && last))
		tcp_fast_open_blackholed(t);
}
