/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses and routes that were given for a time (RFC 4862, 5.5.4; RFC 4861, 6.3.4): a tick looks whether any is due, and the
 * work thread, which may sleep, takes them away.
 */
#include <core/time.h>
#include <core/work.h>
#include <net/local.h>
#include <net/namespace.h>
#include <net/route.h>
#include <net/route_exception.h>

#include <linux/if_addr.h>

static bool address_due(const struct net_address *a, u64 now)
{
	u64 ahead = !inet_is_v4(&a->address) && (a->flags & IFA_F_TEMPORARY)
			    ? NET_TEMPORARY_REGENERATE_NS
			    : 0;

	return a->valid_until_ns <= now ||
	       (a->preferred_until_ns <= now + ahead && !(a->flags & IFA_F_DEPRECATED));
}

static bool anything_due(struct network_namespace *network, u64 now)
{
	const struct route_table *t = rcu_dereference(network->routes);

	for (unsigned i = 0; t && i < t->count; i++)
		if (t->routes[i].expires_ns <= now)
			return true;
	for (const struct net_device *d = rcu_dereference(network->devices); d;
	     d = rcu_dereference(d->next))
		for (const struct net_address *a = rcu_dereference(d->addresses); a;
		     a = rcu_dereference(a->next))
			if (address_due(a, now))
				return true;
	return false;
}

/* The analysis does not see that a device's network is the one whose device it is. */
static void expire(struct work *work) __no_lock_analysis
{
	struct network_namespace *network = container_of(work, struct network_namespace, expiring);
	u64 now = clock_monotonic_ns();

	mutex_lock(&network->config);
	for (struct net_device *d = network->devices; d; d = d->next)
		net_addresses_expire(d, now);
	routes_expire(network, now);
	mutex_unlock(&network->config);
	network_node_put(network);
}

void net_lifetimes_init(struct network_namespace *network)
{
	work_init(&network->expiring, expire);
}

void net_lifetimes_tick(struct network_namespace *network)
{
	route_exceptions_expire(network, clock_monotonic_ns());
	if (!anything_due(network, clock_monotonic_ns()))
		return;
	network_node_get(network);
	if (!work_queue(&network->expiring))
		network_node_put(network);
}
