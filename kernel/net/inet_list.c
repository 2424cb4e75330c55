/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Visits the owners of ports, one bucket at a time: a socket's lock is outside of its bucket's, so they are collected first. */
#include <core/time.h>
#include <lib/errno.h>
#include <mm/slab.h>
#include <net/inet_list.h>
#include <net/raw/raw.h>
#include <net/tcp/tcp.h>
#include <net/udp/udp.h>
#include <obj/inode.h>

enum { TIMER_NONE, TIMER_RETRANSMIT, TIMER_KEEP_ALIVE, TIMER_TIME_WAIT, TIMER_PROBE };

struct collection {
	const struct network_namespace *network;
	struct inet_node **nodes;
	unsigned count, room;
};

static void set_timer(struct inet_description *out, u8 timer, u64 deadline_ns)
{
	u64 now = clock_monotonic_ns();

	out->timer = timer;
	out->expires_ms = deadline_ns > now ? (u32)((deadline_ns - now) / NSEC_PER_MSEC) : 0;
}

/* The lock of the socket is held, by another name. */
static void describe_tcp(const struct tcp *t, struct inet_description *out)
{
	out->state = t->state;
	if (t->state == TCP_LISTEN) {
		out->receiving = t->listener->ready_count;
		out->sending = t->listener->backlog;
		return;
	}
	out->sending = t->write_seq - t->snd_una;
	out->receiving = t->rcv_nxt - t->copied_seq;
	out->retransmits = t->retries;
	out->probes = t->probes;
	if (t->retransmit_at)
		set_timer(out, TIMER_RETRANSMIT, t->retransmit_at);
	else if (t->probe_at)
		set_timer(out, TIMER_PROBE, t->probe_at);
	else if (t->keep_at)
		set_timer(out, TIMER_KEEP_ALIVE, t->keep_at);
}

static void describe_udp(const struct udp *u, struct inet_description *out)
{
	out->state = u->inet.node.remote_port ? TCP_ESTABLISHED : TCP_CLOSED;
	out->receiving = u->received.memory;
	out->dropped = u->received.dropped;
}

static void describe_raw(struct inet_socket *s, struct inet_description *out) __must_hold(&s->lock)
{
	out->state = inet_is_any(&s->node.remote) ? TCP_CLOSED : TCP_ESTABLISHED;
	out->receiving = raw_socket_queued(s);
	if (s->node.kind == INET_RAW)
		out->local_port = raw_socket_protocol(&s->node);
}

static void describe(struct inet_node *n, struct inet_description *out)
{
	struct inet_socket *s = inet_of(n);

	*out = (struct inet_description){ .node = n, .uid = n->uid, .local_port = n->local_port };
	if (n->kind == INET_TIME_WAIT) {
		out->state = tcp_time_wait_state(n);
		out->timer = TIMER_TIME_WAIT;
		return;
	}
	spin_lock(&s->lock);
	if (n->kind == INET_TCP)
		describe_tcp(container_of(s, struct tcp, inet), out);
	else if (n->kind == INET_UDP)
		describe_udp(container_of(s, struct udp, inet), out);
	else
		describe_raw(s, out);
	if (s->socket) {
		out->inode = s->socket->file->inode->number;
		out->mark = (u32)s->socket->mark;
		out->shutdown = (u8)s->socket->shutdown;
		out->cookie = socket_cookie(s->socket);
	}
	spin_unlock(&s->lock);
}

static void add_list(struct collection *c, struct inet_node *list)
{
	for (struct inet_node *n = list; n; n = n->port_next) {
		if (n->network != c->network)
			continue;
		if (c->count < c->room && inet_node_get_unless_zero(n))
			c->nodes[c->count] = n;
		else if (c->count < c->room)
			continue;
		c->count++;
	}
}

/* Collects as many as there is room for, each with a reference, and counts all. */
static void collect(struct collection *c, struct port_bucket *bucket)
{
	c->count = 0;
	spin_lock(&bucket->lock);
	for (struct port_binding *b = bucket->bindings; b; b = b->next) {
		add_list(c, b->owners);
		add_list(c, b->sharers);
	}
	spin_unlock(&bucket->lock);
}

static int visit_bucket(struct collection *c, struct port_bucket *bucket,
			int (*visit)(const struct inet_description *, void *), void *arg)
{
	struct inet_description description;
	int error = 0;

	c->room = 0;
	collect(c, bucket);
	if (!c->count)
		return 0;
	c->room = c->count + 4;
	c->nodes = kcalloc(c->room, sizeof(*c->nodes), 0);
	if (!c->nodes)
		return -ENOMEM;
	collect(c, bucket);
	for (unsigned i = 0; i < MIN(c->count, c->room); i++) {
		if (!error) {
			describe(c->nodes[i], &description);
			error = visit(&description, arg);
		}
		inet_node_put(c->nodes[i]);
	}
	kfree(c->nodes);
	return error;
}

int inet_list(struct port_table *table, const struct network_namespace *network,
	      int (*visit)(const struct inet_description *, void *), void *arg)
{
	struct collection c = { .network = network };
	int error = 0;

	for (unsigned i = 0; i < PORT_BUCKETS && !error; i++)
		error = visit_bucket(&c, &table->buckets[i], visit, arg);
	return error;
}

int inet_list_raw(const struct network_namespace *network,
		  int (*visit)(const struct inet_description *, void *), void *arg)
{
	struct inet_description description;
	struct inet_node *n;
	int error = 0;

	for (unsigned position = 0; !error && (n = raw_socket_get(position)); position++) {
		if (n->network == network) {
			describe(n, &description);
			error = visit(&description, arg);
		}
		inet_node_put(n);
	}
	return error;
}
