/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections: making and ending them, the lock, initial sequence numbers, errors from ICMP. */
#include <net/namespace.h>
#include <net/tcp/tcp.h>

#include <core/random.h>
#include <core/time.h>
#include <lib/errno.h>
#include <lib/hash.h>
#include <lib/string.h>
#include <mm/slab.h>

#include <linux/eventpoll.h>

struct port_table tcp_ports;
static struct slab_cache *tcp_cache;
static struct siphash_key sequence_key;

u64 tcp_now(void)
{
	return clock_monotonic_ns();
}

static void tcp_free(struct rcu_head *head)
{
	slab_free(tcp_cache,
		  container_of(container_of(head, struct inet_node, rcu), struct tcp, inet.node));
}

static void free_blocks(struct tcp *t)
{
	while (t->blocks) {
		struct tcp_block *b = t->blocks;

		t->blocks = b->next;
		page_put(b->page);
		kfree(b);
	}
	t->last_block = nullptr;
}

/* The end of everything: no table, timer or user has it. Called with the last reference. */
static void destroy_data(struct tcp *t)
{
	packet_queue_free(&t->received);
	packet_queue_free(&t->output);
	free_blocks(t);
	tcp_md5_free_list(t->md5_keys);
	if (t->filter)
		(void)socket_program_detach(&t->filter);
	kfree(t->fast_open.keys);
	kfree(t->spare_record);
	kfree(t->saved_syn);
	kfree(t->listener);
}

static void tcp_final(struct rcu_head *head)
{
	struct inet_node *n = container_of(head, struct inet_node, rcu);
	struct tcp *t = tcp_of_node(n);

	destroy_data(t);
	tcp_free(head);
}

struct tcp *tcp_alloc(struct network_namespace *network)
{
	const struct tcp_sysctl *settings = &network->sysctl.tcp;
	struct tcp *t = slab_alloc(tcp_cache, ALLOC_ZERO);

	if (!t)
		return nullptr;
	network_node_get(network);
	t->inet.node.refs = 1;
	t->inet.node.kind = INET_TCP;
	t->inet.node.network = network;
	t->inet.node.free = tcp_final;
	spin_init(&t->inet.lock, RANK_NET_SOCKET);
	mutex_init(&t->send_lock, RANK_NET_SEND);
	mutex_init(&t->receive_lock, RANK_NET_SEND);
	list_init(&t->records);
	list_init(&t->listener_node);
	wait_queue_init(&t->lingering);
	t->state = TCP_CLOSED;
	t->congestion = READ_ONCE(settings->congestion);
	if (!t->congestion)
		t->congestion = tcp_congestion_default;
	t->memory_limit = settings->rmem[1] * 4;
	t->unsent_low = settings->notsent_lowat == UINT32_MAX ? 0 : settings->notsent_lowat;
	t->thin_linear = settings->thin_linear_timeouts;
	t->mss = t->mss_received = 536;
	t->rto = NSEC_PER_SEC;
	t->min_rtt = UINT64_MAX;
	t->ssthresh = INT32_MAX;
	t->keep_idle_ns = settings->keepalive_time * NSEC_PER_SEC;
	t->keep_interval_ns = settings->keepalive_interval * NSEC_PER_SEC;
	t->keep_probes = settings->keepalive_probes;
	t->syn_retries = settings->syn_retries;
	tcp_timer_init(t);
	return t;
}

static void transmit_all(struct network_namespace *network, struct packet *first,
			 struct inet_flow *flow, const struct route_result *route)
{
	while (first) {
		struct packet *p = first;

		first = p->next;
		p->next = nullptr;
		(void)inet_output(network, p, flow, route);
	}
}

/* The route may have changed since the last segment. False: there is none, what was made is lost. */
static bool current_route(struct tcp *t) __must_hold(&t->inet.lock)
{
	u32 mtu = t->inet.route.mtu;

	if (inet_route(&t->inet))
		return false;
	if (unlikely(t->inet.route.mtu != mtu))
		tcp_update_mss(t);
	return true;
}

void tcp_unlock_sending(struct tcp *t)
{
	struct inet_socket *s = &t->inet;
	struct packet *first = t->output.head;
	__uninitialized struct route_result route;
	__uninitialized struct inet_flow flow;

	rcu_read_lock();
	if (current_route(t)) {
		bool v4 = inet_is_v4(&s->node.remote);
		int ttl = v4 ? s->ttl : s->hops6;

		flow = (struct inet_flow){
			.source = s->node.local,
			.destination = s->node.remote,
			.protocol = IPPROTO_TCP,
			.tos = (u8)(((v4 ? s->tos : s->tclass) & ~3u) | (t->ecn ? 2 : 0)),
			.ttl = ttl > 0 ? (u8)ttl : 0,
			.dont_fragment = s->path_mtu_discovery != IP_PMTUDISC_DONT,
		};
		route = s->route;
		t->output = (struct packet_queue){};
	} else {
		packet_queue_free(&t->output);
		first = nullptr;
	}
	spin_unlock(&s->lock);
	transmit_all(s->node.network, first, &flow, &route);
	rcu_read_unlock();
}

void tcp_notify(struct tcp *t, u32 events)
{
	if (tcp_socket(t))
		socket_notify(tcp_socket(t), events);
	else
		wake_up(&t->lingering, 0);
}

/* RFC 4022: attempts that failed, and connections that ended without the exchange of FINs. */
static void count_end(const struct tcp *t)
{
	if (t->state == TCP_SYN_SENT || t->state == TCP_SYN_RECEIVED)
		tcp_count(t, NET_TCP_ATTEMPTS_FAILED);
	else if (t->state == TCP_ESTABLISHED || t->state == TCP_CLOSE_WAIT)
		tcp_count(t, NET_TCP_ESTABLISHED_RESET);
}

void tcp_done(struct tcp *t, int error)
{
	struct inet_node *n = &t->inet.node;

	if (t->state == TCP_CLOSED && !n->hashed && !n->binding)
		return;
	count_end(t);
	tcp_fast_open_judge(t);
	tcp_fast_open_settle(t, false);
	t->fast_open.waits = false;
	t->state = TCP_CLOSED;
	tcp_drop_records(t);
	t->retransmit_at = t->reorder_at = t->tail_at = t->ack_at = t->probe_at = t->keep_at = 0;
	t->cork_at = 0;
	t->pace_waits = false;
	tcp_free_out_of_order(t);
	if (t->orphan) /* else a sender may be filling the last one */
		free_blocks(t);
	if (n->binding && !(tcp_socket(t) && n->explicit_port))
		port_unbind(&tcp_ports, n);
	if (tcp_socket(t)) {
		__atomic_store_n(&tcp_socket(t)->shutdown, SOCKET_SHUT_RECEIVE | SOCKET_SHUT_SEND,
				 __ATOMIC_RELEASE);
		if (error)
			__atomic_store_n(&tcp_socket(t)->error, error, __ATOMIC_RELEASE);
	}
	tcp_notify(t, EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM | EPOLLHUP | EPOLLRDHUP |
			      (error ? EPOLLERR : 0));
	if (t->parent && !t->handed_over)
		tcp_leave_listener(t);
	else if (t->parent)
		t->early_error = error; /* accept finds it dead, as on Linux */
	if (n->hashed)
		connection_remove(n);
}

u32 tcp_initial_sequence(const struct inet_node *n)
{
	struct {
		struct inet_address local, remote;
		u16 local_port, remote_port;
		u32 zero;
	} key = { n->local, n->remote, n->local_port, n->remote_port, 0 };

	return (u32)siphash(&key, sizeof(key), &sequence_key) + (u32)(tcp_now() / 64);
}

/* A segment too large for a link on the way (RFC 1191, RFC 8201): believed within reason. */
static void path_mtu_changed(struct tcp *t, u32 mtu)
{
	if (mtu < 552 || t->inet.path_mtu_discovery == IP_PMTUDISC_DONT ||
	    (t->path_mtu && mtu >= t->path_mtu) || mtu >= tcp_route_mtu(t))
		return;
	t->path_mtu = mtu;
	tcp_mtu_probe_told(t, mtu);
	tcp_update_mss(t);
	tcp_enter_loss(t);
	tcp_retransmit_lost(t);
	tcp_arm_retransmit(t);
	tcp_timers_update(t);
}

void tcp_error(const struct inet_error *error)
{
	struct inet_info info = error->inner;
	struct inet_node *n;
	struct tcp *t;
	u32 seq = load_net32(error->data + 4);

	info.source = error->inner.destination;
	info.destination = error->inner.source;
	n = connection_find(&info, load_net16(error->data), load_net16(error->data + 2));
	if (!n)
		return;
	t = tcp_of_node(n);
	if (n->kind == INET_TCP) {
		tcp_lock(t);
		/* Only about what is in flight (RFC 5927, 4.1). */
		if (t->state != TCP_CLOSED && !seq_before(seq, t->snd_una) &&
		    !seq_after(seq, t->snd_nxt)) {
			bool opening = t->state == TCP_SYN_SENT || t->state == TCP_SYN_RECEIVED;

			if (error->error == EMSGSIZE)
				path_mtu_changed(t, error->mtu);
			else if (opening && error->fatal)
				tcp_done(t, error->error);
			else if (opening && tcp_socket(t) && error->error == EHOSTUNREACH &&
				 inet_equal(&error->offender, &error->inner.source))
				tcp_done(t, error->error); /* nobody answers on our own link */
			else if (tcp_socket(t) &&
				 (t->inet.flags & (INET_RECEIVE_ERRORS | INET6_RECEIVE_ERRORS)))
				socket_set_error(tcp_socket(t), error->error);
		}
		tcp_unlock(t);
	}
	inet_node_put(n);
}

void tcp_init(void)
{
	tcp_cache = slab_cache_create("TCP", sizeof(struct tcp), 64);
	port_table_init(&tcp_ports, true);
	connection_table_init();
	random_bytes(&sequence_key, sizeof(sequence_key));
	tcp_peers_init();
	tcp_time_wait_init();
}
