/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions from routes, for single destinations: see net/route_exception.h. */
#include <core/random.h>
#include <core/time.h>
#include <lib/hash.h>
#include <mm/slab.h>
#include <net/protocol.h>
#include <net/route_exception.h>
#include <sys/socket.h>

#define BUCKETS 64
#define BUCKET_DEPTH 8
#define REDIRECT_NS (300 * NSEC_PER_SEC) /* Linux's times */
#define PATH_MTU_NS (600 * NSEC_PER_SEC)
#define PATH_MTU_LEAST4 552u /* a forger shall not make us send crumbs */
#define PATH_MTU_LEAST6 1280u

struct route_exceptions {
	struct siphash_key key;			  /* destinations are chosen by strangers */
	struct route_exception *buckets[BUCKETS]; /* RCU */
};

static struct spinlock lock = SPINLOCK_INIT(RANK_NET_LINK); /* who changes any of them */

static struct route_exception **bucket_of(struct route_exceptions *table,
					  const struct inet_address *destination)
{
	return &table->buckets[siphash(destination, sizeof(*destination), &table->key) % BUCKETS];
}

static bool is_of(const struct route_exception *e, const struct route *route,
		  const struct inet_address *destination)
{
	return inet_equal(&e->destination, destination) &&
	       e->device_index == route->device->index && inet_equal(&e->gateway, &route->gateway);
}

const struct route_exception *route_exception_find(const struct network_namespace *network,
						   const struct route *route,
						   const struct inet_address *destination)
{
	struct route_exceptions *table = rcu_dereference(network->exceptions);
	const struct route_exception *e;

	if (likely(!table) || !route->device)
		return nullptr;
	e = rcu_dereference(*bucket_of(table, destination));
	while (e && !is_of(e, route, destination))
		e = rcu_dereference(e->next);
	return e && e->expires_ns > clock_monotonic_ns() ? e : nullptr;
}

void route_exceptions_for_each(const struct network_namespace *network,
			       void (*visit)(const struct route_exception *e, void *arg), void *arg)
{
	const struct route_exceptions *table = rcu_dereference(network->exceptions);
	u64 now = clock_monotonic_ns();

	for (unsigned i = 0; table && i < BUCKETS; i++)
		for (const struct route_exception *e = rcu_dereference(table->buckets[i]); e;
		     e = rcu_dereference(e->next))
			if (e->expires_ns > now)
				visit(e, arg);
}

static void exception_free(struct rcu_head *head)
{
	kfree(container_of(head, struct route_exception, rcu));
}

static void remove_at(struct route_exception **link) __must_hold(&lock)
{
	struct route_exception *e = *link;

	rcu_assign(*link, e->next);
	rcu_call(&e->rcu, exception_free);
}

static struct route_exceptions *table_of(struct network_namespace *network) __must_hold(&lock)
{
	struct route_exceptions *table = network->exceptions;

	if (!table) {
		table = kzalloc(sizeof(*table), ALLOC_ATOMIC);
		if (!table)
			return nullptr;
		random_bytes(&table->key, sizeof(table->key));
		rcu_assign(network->exceptions, table);
	}
	return table;
}

/* Makes room in a bucket for one more: what would be forgotten first is forgotten now. */
static void make_room(struct route_exception **bucket) __must_hold(&lock)
{
	struct route_exception **oldest = nullptr;
	unsigned depth = 0;

	for (struct route_exception **link = bucket; *link; link = &(*link)->next) {
		depth++;
		if (!oldest || (*link)->expires_ns < (*oldest)->expires_ns)
			oldest = link;
	}
	if (depth >= BUCKET_DEPTH)
		remove_at(oldest);
}

static void generation_advance(struct network_namespace *network)
{
	__atomic_add_fetch(&network->generation, 1, __ATOMIC_RELEASE);
}

/* Adds what is not zero in `news` to what is known. No memory: it will be said again. */
static bool learn(struct network_namespace *network, const struct route *route,
		  const struct inet_address *destination, const struct route_exception *news)
{
	struct route_exception *e = kzalloc(sizeof(*e), ALLOC_ATOMIC), **link;
	struct route_exceptions *table;

	if (!e)
		return false;
	spin_lock(&lock);
	table = table_of(network);
	if (!table) {
		spin_unlock(&lock);
		kfree(e);
		return false;
	}
	link = bucket_of(table, destination);
	while (*link && !is_of(*link, route, destination))
		link = &(*link)->next;
	if (*link) {
		*e = **link;
		remove_at(link);
	}
	link = bucket_of(table, destination);
	make_room(link);
	e->destination = *destination;
	e->gateway = route->gateway;
	e->device_index = route->device->index;
	if (news->mtu)
		e->mtu = news->mtu;
	else
		e->next_hop = news->next_hop;
	e->expires_ns = news->expires_ns;
	e->next = *link;
	rcu_assign(*link, e);
	spin_unlock(&lock);
	generation_advance(network);
	return true;
}

bool route_redirect(struct net_device *device, const struct inet_address *destination,
		    const struct inet_address *from, const struct inet_address *next_hop)
{
	struct network_namespace *network = device->network;
	struct route_query query = { .destination = *destination, .device_index = device->index };
	struct route_exception news = { .next_hop = *next_hop,
					.expires_ns = clock_monotonic_ns() + REDIRECT_NS };
	struct route_result now;
	const struct route *route;

	if (route_find_query(network, &query, &now) || now.type != RTN_UNICAST ||
	    now.device != device || !inet_equal(&now.next_hop, from))
		return false;
	if (route_select(network, &query, &route) || route->device != device ||
	    inet_is_any(&route->gateway))
		return false; /* what is on the link says nothing of the way to itself */
	if (inet_is_v4(next_hop) && !neighbour_seek(device, next_hop))
		return false; /* it will be said again when it has answered */
	return learn(network, route, destination, &news);
}

void route_path_mtu_learned(struct network_namespace *network, const struct route_query *packet,
			    u32 mtu)
{
	bool v4 = inet_is_v4(&packet->destination);
	struct route_exception news = { .mtu = MAX(mtu, v4 ? PATH_MTU_LEAST4 : PATH_MTU_LEAST6),
					.expires_ns = clock_monotonic_ns() + PATH_MTU_NS };
	struct route_result now;
	const struct route *route;

	if (route_find_query(network, packet, &now) || now.type != RTN_UNICAST || now.mtu_locked ||
	    news.mtu >= now.mtu || route_select(network, packet, &route) || !route->device)
		return;
	(void)learn(network, route, &packet->destination, &news);
}

/* Removes those that `matches`; true: there were any. */
static bool remove_if(struct network_namespace *network,
		      bool (*matches)(const struct route_exception *e, const void *arg),
		      const void *arg)
{
	struct route_exceptions *table = rcu_dereference(network->exceptions);
	bool any = false;

	if (!table)
		return false;
	spin_lock(&lock);
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct route_exception **link = &table->buckets[i]; *link;)
			if (matches(*link, arg)) {
				remove_at(link);
				any = true;
			} else {
				link = &(*link)->next;
			}
	spin_unlock(&lock);
	return any;
}

struct forgotten {
	u8 family;
	const struct inet_address *destination;
};

static bool is_forgotten(const struct route_exception *e, const void *arg)
{
	const struct forgotten *f = arg;
	u8 family = inet_is_v4(&e->destination) ? AF_INET : AF_INET6;

	return (!f->family || f->family == family) &&
	       (!f->destination || inet_equal(&e->destination, f->destination));
}

void route_exceptions_forget(struct network_namespace *network, u8 family,
			     const struct inet_address *destination)
{
	struct forgotten which = { family, destination };

	(void)remove_if(network, is_forgotten, &which);
	generation_advance(network);
}

static bool is_over(const struct route_exception *e, const void *now)
{
	return e->expires_ns <= *(const u64 *)now;
}

void route_exceptions_expire(struct network_namespace *network, u64 now)
{
	if (remove_if(network, is_over, &now))
		generation_advance(network);
}

void route_exceptions_destroy(struct network_namespace *network)
{
	struct route_exceptions *table = network->exceptions;

	for (unsigned i = 0; table && i < BUCKETS; i++)
		while (table->buckets[i]) {
			struct route_exception *e = table->buckets[i];

			table->buckets[i] = e->next;
			kfree(e);
		}
	kfree(table);
}
