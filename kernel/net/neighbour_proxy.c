/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Neighbours that a router answers for by hand (ip-neighbour(8), `proxy`): a short list of each device, changed under network->config, read
 * under RCU. Of IPv6 the device listens to the groups in which they are asked for.
 */
#include <core/rcu.h>
#include <lib/errno.h>
#include <mm/slab.h>
#include <net/multicast.h>
#include <net/neighbour.h>

struct neighbour_proxy {
	struct neighbour_proxy *next; /* RCU */
	struct rcu_head rcu;
	struct inet_address address;
};

bool neighbour_is_proxied(const struct net_device *device, const struct inet_address *address)
{
	const struct neighbour_proxy *p = rcu_dereference(device->proxies);

	while (p && !inet_equal(&p->address, address))
		p = rcu_dereference(p->next);
	return p;
}

int neighbour_proxy_add(struct net_device *device, const struct inet_address *address)
{
	struct inet_address group = inet_solicited_group(address);
	struct neighbour_proxy *p;
	int error = 0;

	if (neighbour_is_proxied(device, address))
		return 0; /* as on Linux */
	p = kzalloc(sizeof(*p), 0);
	if (!p)
		return -ENOBUFS;
	if (!inet_is_v4(address))
		error = multicast_join(device, &group);
	if (error) {
		kfree(p);
		return error;
	}
	p->address = *address;
	p->next = device->proxies;
	rcu_assign(device->proxies, p);
	return 0;
}

static void proxy_free(struct rcu_head *head)
{
	kfree(container_of(head, struct neighbour_proxy, rcu));
}

static void remove_at(struct net_device *device, struct neighbour_proxy **link)
{
	struct neighbour_proxy *p = *link;
	struct inet_address group = inet_solicited_group(&p->address);

	rcu_assign(*link, p->next);
	if (!inet_is_v4(&p->address))
		multicast_leave(device, &group);
	rcu_call(&p->rcu, proxy_free);
}

int neighbour_proxy_remove(struct net_device *device, const struct inet_address *address)
{
	struct neighbour_proxy **link = &device->proxies;

	while (*link && !inet_equal(&(*link)->address, address))
		link = &(*link)->next;
	if (!*link)
		return -ENOENT;
	remove_at(device, link);
	return 0;
}

void neighbour_proxies_remove(struct net_device *device)
{
	while (device->proxies)
		remove_at(device, &device->proxies);
}

void neighbour_proxies_for_each(struct net_device *device,
				void (*visit)(struct net_device *device,
					      const struct inet_address *address, void *arg),
				void *arg)
{
	for (const struct neighbour_proxy *p = device->proxies; p; p = p->next)
		visit(device, &p->address, arg);
}
