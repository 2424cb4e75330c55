/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports: who is bound to which, and which are free (ip(7), socket(7) SO_REUSEADDR, SO_REUSEPORT). */
#include <core/random.h>
#include <lib/errno.h>
#include <lib/hash.h>
#include <mm/slab.h>
#include <net/filter.h>
#include <net/inet_socket.h>

#include <linux/rtnetlink.h>

void port_table_init(struct port_table *t, bool stream)
{
	for (unsigned i = 0; i < PORT_BUCKETS; i++)
		spin_init(&t->buckets[i].lock, RANK_NET_BINDING);
	t->stream = stream;
}

static struct port_bucket *bucket_of(struct port_table *t, u16 port)
{
	return &t->buckets[port % PORT_BUCKETS];
}

static struct port_binding *find(struct port_bucket *b, struct network_namespace *network, u16 port)
	__must_hold(&b->lock)
{
	struct port_binding *p = b->bindings;

	while (p && (p->port != port || p->network != network))
		p = p->next;
	return p;
}

static bool wildcard_covers(const struct inet_node *wild, const struct inet_node *other)
{
	if (inet_is_v4(&wild->local))
		return inet_is_v4(&other->local) || (inet_is_any(&other->local) && !other->v6_only);
	return !inet_is_v4(&other->local) || !wild->v6_only;
}

static bool overlap(const struct inet_node *a, const struct inet_node *b)
{
	if (a->bound_device && b->bound_device && a->bound_device != b->bound_device)
		return false;
	if (inet_is_any(&a->local))
		return wildcard_covers(a, b);
	if (inet_is_any(&b->local))
		return wildcard_covers(b, a);
	return inet_equal(&a->local, &b->local);
}

static bool list_conflicts(const struct port_table *t, const struct inet_node *list,
			   const struct inet_node *n)
{
	/* Who comes with a program of its own is a group of its own. */
	bool joins = n->reuse_port && (n->binding || !READ_ONCE(n->selector));

	for (const struct inet_node *o = list; o; o = o->port_next) {
		bool share_address =
			n->reuse_address && o->reuse_address && !(t->stream && o->listening);
		bool share_port =
			joins && o->reuse_port && (o->uid == n->uid || o->kind == INET_TIME_WAIT);

		if (o != n && !share_address && !share_port && overlap(n, o))
			return true;
	}
	return false;
}

static bool conflict(const struct port_table *t, const struct port_binding *p,
		     const struct inet_node *n)
{
	return !n->reuse_forced &&
	       (list_conflicts(t, p->owners, n) || list_conflicts(t, p->sharers, n));
}

/*
 * bind(2) without a port, when all are in use: what overlaps shares one only by SO_REUSEADDR (and not so that both could listen,
 * as with SO_REUSEPORT by one user), and only if net.ipv4.ip_autobind_reuse says so.
 */
static bool list_conflicts_automatic(const struct inet_node *list, const struct inet_node *n)
{
	bool allowed = n->reuse_address && n->network->sysctl.ip_autobind_reuse;

	for (const struct inet_node *o = list; o; o = o->port_next) {
		bool share = allowed && o->reuse_address && !o->listening &&
			     !(n->reuse_port && o->reuse_port &&
			       (o->uid == n->uid || o->kind == INET_TIME_WAIT));

		if (o != n && !share && overlap(n, o))
			return true;
	}
	return false;
}

static bool conflict_automatic(const struct port_table *t, const struct port_binding *p,
			       const struct inet_node *n)
{
	return t->stream ? list_conflicts_automatic(p->owners, n) ||
				   list_conflicts_automatic(p->sharers, n)
			 : conflict(t, p, n);
}

static void own(struct port_binding *p, struct inet_node *n, struct inet_node **list)
{
	n->port_next = *list;
	n->port_link = list;
	if (n->port_next)
		n->port_next->port_link = &n->port_next;
	n->binding = p;
	n->local_port = p->port;
	rcu_assign(*list, n);
}

static void disown(struct inet_node *n)
{
	rcu_assign(*n->port_link, n->port_next);
	if (n->port_next)
		n->port_next->port_link = n->port_link;
	n->binding = nullptr;
}

static int take(struct port_bucket *b, struct inet_node *n, u16 port, bool shares)
	__must_hold(&b->lock)
{
	struct port_binding *p = find(b, n->network, port);

	if (!p) {
		p = kmalloc(sizeof(*p), ALLOC_ATOMIC);
		if (!p)
			return -ENOMEM;
		*p = (struct port_binding){ .next = b->bindings,
					    .network = n->network,
					    .port = port };
		rcu_assign(b->bindings, p);
	}
	own(p, n, shares ? &p->sharers : &p->owners);
	return 0;
}

static int try_port(struct port_table *t, struct inet_node *n, u16 port,
		    bool (*conflicts)(const struct port_table *t, const struct port_binding *p,
				      const struct inet_node *n))
{
	struct port_bucket *b = bucket_of(t, port);
	struct port_binding *p;
	int error = -EADDRINUSE;

	spin_lock(&b->lock);
	p = find(b, n->network, port);
	if (!p || !conflicts(t, p, n))
		error = take(b, n, port, false);
	spin_unlock(&b->lock);
	return error;
}

int port_bind(struct port_table *t, struct inet_node *n, u16 port)
{
	unsigned first = n->network->sysctl.local_port_first;
	unsigned count = n->network->sysctl.local_port_last - first + 1u;
	unsigned start;

	if (port)
		return try_port(t, n, port, conflict);
	start = (unsigned)random_below(count);
	for (unsigned i = 0; i < count; i++) {
		u16 candidate = (u16)(first + (start + i) % count);
		struct port_bucket *b = bucket_of(t, candidate);
		int error = -EADDRINUSE;

		/* An unused port first, whatever could be shared. */
		spin_lock(&b->lock);
		if (!find(b, n->network, candidate))
			error = take(b, n, candidate, false);
		spin_unlock(&b->lock);
		if (error != -EADDRINUSE)
			return error;
	}
	for (unsigned i = 0; i < count; i++) {
		int error = try_port(t, n, (u16)(first + (start + i) % count), conflict_automatic);

		if (error != -EADDRINUSE)
			return error;
	}
	return -EADDRINUSE;
}

int port_share(struct port_table *t, struct inet_node *n, struct inet_node *other)
{
	struct port_bucket *b = bucket_of(t, other->local_port);
	int error;

	spin_lock(&b->lock);
	error = take(b, n, other->local_port, true);
	spin_unlock(&b->lock);
	return error;
}

/* Owners that asked for this very port keep outgoing connections of others off it. */
static bool claimed(const struct port_binding *p)
{
	for (const struct inet_node *o = p->owners; o; o = o->port_next)
		if (o->explicit_port)
			return true;
	return false;
}

int port_bind_connect(struct port_table *t, struct inet_node *n,
		      bool (*unique)(struct inet_node *n))
{
	unsigned first = n->network->sysctl.local_port_first;
	unsigned count = n->network->sysctl.local_port_last - first + 1u;
	unsigned start = (unsigned)random_below(count);

	for (unsigned i = 0; i < count; i++) {
		u16 port = (u16)(first + (start + i) % count);
		struct port_bucket *b = bucket_of(t, port);
		struct port_binding *p;
		int error = -EADDRNOTAVAIL;

		spin_lock(&b->lock);
		p = find(b, n->network, port);
		n->local_port = port;
		if (!p || (!claimed(p) && unique)) {
			error = take(b, n, port, false);
			if (!error && !unique(n)) {
				error = -EADDRNOTAVAIL;
				disown(n); /* there are others, or it would have been unique */
			}
		}
		spin_unlock(&b->lock);
		if (error != -EADDRNOTAVAIL)
			return error;
	}
	n->local_port = 0;
	return -EADDRNOTAVAIL;
}

static void binding_free(struct rcu_head *head)
{
	kfree(container_of(head, struct port_binding, rcu));
}

void port_unbind(struct port_table *t, struct inet_node *n)
{
	struct port_bucket *b = bucket_of(t, n->local_port);
	struct port_binding *p, **link;

	spin_lock(&b->lock);
	p = n->binding;
	if (p) {
		disown(n);
		if (!p->owners && !p->sharers) {
			for (link = &b->bindings; *link != p;)
				link = &(*link)->next;
			rcu_assign(*link, p->next);
			rcu_call(&p->rcu, binding_free);
		}
	}
	spin_unlock(&b->lock);
}

bool port_listen_conflicts(struct port_table *t, struct inet_node *n)
{
	struct port_bucket *b = bucket_of(t, n->local_port);
	bool conflicts;

	spin_lock(&b->lock);
	n->listening = true;
	conflicts = n->binding && conflict(t, n->binding, n);
	if (conflicts)
		n->listening = false;
	spin_unlock(&b->lock);
	return conflicts;
}

struct inet_node *port_owners(struct port_table *t, struct network_namespace *network,
			      u16 port) __no_lock_analysis
{
	struct port_binding *p = rcu_dereference(bucket_of(t, port)->bindings);

	while (p && (p->port != port || p->network != network))
		p = rcu_dereference(p->next);
	return p ? rcu_dereference(p->owners) : nullptr;
}

int inet_match(const struct inet_node *n, const struct inet_info *info, u16 remote_port)
{
	bool v4 = inet_is_v4(&info->destination);
	int score = v4 == (n->family == AF_INET) ? 1 : 0;

	if (v4 && n->family == AF_INET6 && n->v6_only)
		return -1;
	if (!v4 && n->family == AF_INET)
		return -1;
	if (!inet_is_any(&n->local)) {
		if (!inet_equal(&n->local, &info->destination))
			return -1;
		score += 4;
	} else if (n->family == AF_INET6 && inet_is_v4(&n->local) && !v4) {
		return -1;
	}
	if (n->remote_port) {
		if (n->remote_port != remote_port || !inet_equal(&n->remote, &info->source))
			return -1;
		score += 8;
	}
	if (n->bound_device) {
		if (n->bound_device != info->device->index)
			return -1;
		score += 4;
	}
	return score;
}

static int score_of(const struct port_table *t, const struct inet_node *n,
		    const struct inet_info *info, u16 remote_port)
{
	return t->stream && !n->listening ? -1 : inet_match(n, info, remote_port);
}

bool port_group_clear(struct inet_node *n)
{
	const struct port_binding *p;
	bool any = false;

	rcu_read_lock();
	p = rcu_dereference(n->binding);
	for (struct inet_node *o = p ? rcu_dereference(p->owners) : nullptr; o;
	     o = rcu_dereference(o->port_next))
		if (o != n && o->reuse_port && inet_equal(&o->local, &n->local))
			any |= !socket_program_detach(&o->selector);
	rcu_read_unlock();
	return any;
}

struct group {
	struct port_table *table;
	const struct inet_info *info;
	u16 port, remote_port;
	int score;	  /* of its members */
	unsigned members; /* owners with that score */
	const struct socket_program *selector;
};

/* The member that bound as the number `index`; the list has the latest first. */
static struct inet_node *member(const struct group *g, u32 index)
{
	u32 skip = g->members - 1 - index;

	for (struct inet_node *n = port_owners(g->table, g->info->network, g->port); n;
	     n = rcu_dereference(n->port_next))
		if (score_of(g->table, n, g->info, g->remote_port) == g->score && !skip--)
			return n;
	return nullptr;
}

static struct inet_node *select(const struct group *g, struct inet_node *otherwise,
				struct packet *p, unsigned header)
{
	struct inet_node *chosen = nullptr;
	struct filter_view view;
	u32 index;

	packet_pull(p, header);
	view = filter_view_packet(p);
	index = socket_program_run(g->selector, &view, nullptr);
	packet_push(p, header);
	if (index < g->members)
		chosen = member(g, index);
	return chosen ? chosen : otherwise;
}

struct inet_node *port_find(struct port_table *t, const struct inet_info *info, u16 port,
			    u16 remote_port, struct packet *p, unsigned header)
{
	struct group g = { t, info, port, remote_port, .score = -1 };
	struct inet_node *best = nullptr;
	u64 hash =
		hash_u64(info->source.halves[0] ^ info->source.halves[1] ^ (u64)remote_port << 32);

	for (struct inet_node *n = port_owners(t, info->network, port); n;
	     n = rcu_dereference(n->port_next)) {
		int score = score_of(t, n, info, remote_port);

		if (score < 0 || score < g.score)
			continue;
		if (score > g.score) {
			best = n;
			g.score = score;
			g.members = 0;
			g.selector = nullptr;
		} else if (!n->reuse_port || !best->reuse_port) {
			continue;
		}
		g.members++;
		if (unlikely(READ_ONCE(n->selector)))
			g.selector = rcu_dereference(n->selector);
		if (g.members > 1 && hash_u64(hash + g.members) % g.members == 0)
			best = n;
	}
	return unlikely(g.selector) && p ? select(&g, best, p, header) : best;
}
