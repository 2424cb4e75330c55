/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups that a socket is a member of, and the device of what it sends to groups (ip(7), ipv6(7)). */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/inet_socket.h>
#include <net/multicast.h>

#define MEMBERSHIPS_MAX 20 /* igmp_max_memberships */

/* The device that a membership names by index, by an address of its own, or not at all. */
static struct net_device *membership_device(struct inet_socket *s, const struct inet_address *group,
					    int index, u32 address)
{
	struct network_namespace *network = s->node.network;
	struct inet_address any = {};
	struct route_result route;

	if (index)
		return net_device_find(network, index);
	if (address) {
		struct inet_address local = inet_from_v4(address);

		for (struct net_device *d = rcu_dereference(network->devices); d;
		     d = rcu_dereference(d->next))
			for (struct net_address *a = rcu_dereference(d->addresses); a;
			     a = rcu_dereference(a->next))
				if (inet_equal(&a->address, &local))
					return d;
		return nullptr;
	}
	return route_find(network, group, &any, s->multicast_device, &route) ? nullptr
									     : route.device;
}

static int add_membership(struct inet_socket *s, struct net_device *device,
			  const struct inet_address *group)
{
	struct inet_membership *m = kmalloc(sizeof(*m), ALLOC_ATOMIC), *old;
	unsigned count = 0;
	int error = m ? multicast_join(device, group) : -ENOBUFS;

	if (error) {
		kfree(m);
		return error;
	}
	*m = (struct inet_membership){ .group = *group, .device_index = device->index };
	spin_lock(&s->lock);
	for (old = s->memberships; old; old = old->next, count++)
		if (old->device_index == device->index && inet_equal(&old->group, group))
			break;
	if (old)
		error = -EADDRINUSE;
	else if (count >= MEMBERSHIPS_MAX)
		error = -ENOBUFS;
	if (!error) {
		m->next = s->memberships;
		s->memberships = m;
	}
	spin_unlock(&s->lock);
	if (error) {
		multicast_leave(device, group);
		kfree(m);
	}
	return error;
}

static int drop_membership(struct inet_socket *s, struct net_device *device,
			   const struct inet_address *group)
{
	struct inet_membership **link, *gone = nullptr;

	spin_lock(&s->lock);
	for (link = &s->memberships; *link; link = &(*link)->next)
		if ((*link)->device_index == device->index && inet_equal(&(*link)->group, group)) {
			gone = *link;
			*link = gone->next;
			break;
		}
	spin_unlock(&s->lock);
	if (!gone)
		return -EADDRNOTAVAIL;
	multicast_leave(device, group);
	kfree(gone);
	return 0;
}

static int membership(struct inet_socket *s, bool add, const struct inet_address *group, int index,
		      u32 address)
{
	struct net_device *device;
	int error = -ENODEV;

	if (!inet_is_multicast(group))
		return -EINVAL;
	rcu_read_lock();
	device = membership_device(s, group, index, address);
	if (device)
		error = add ? add_membership(s, device, group) : drop_membership(s, device, group);
	rcu_read_unlock();
	return error;
}

static int membership_v4(struct inet_socket *s, bool add, const void *value, size_t length)
{
	struct ip_mreqn mreq = {};
	struct inet_address group;

	if (length < sizeof(struct ip_mreq))
		return -EINVAL;
	memcpy(&mreq, value, MIN(length, sizeof(mreq)));
	group = inet_from_v4(mreq.imr_multiaddr.s_addr);
	return membership(s, add, &group, mreq.imr_ifindex, mreq.imr_address.s_addr);
}

static int membership_v6(struct inet_socket *s, bool add, const void *value, size_t length)
{
	struct inet_address group;
	struct ipv6_mreq mreq;

	if (length < sizeof(mreq))
		return -EINVAL;
	memcpy(&mreq, value, sizeof(mreq));
	memcpy(&group, &mreq.ipv6mr_multiaddr, sizeof(group));
	return membership(s, add, &group, mreq.ipv6mr_ifindex, 0);
}

/* MCAST_JOIN_GROUP and MCAST_LEAVE_GROUP of either family. */
static int membership_generic(struct inet_socket *s, bool add, const void *value, size_t length)
{
	struct inet_address group;
	struct group_req req;
	struct socket_address address;
	u32 scope;
	u16 port;

	if (length < sizeof(req))
		return -EINVAL;
	memcpy(&req, value, sizeof(req));
	memcpy(&address.storage, &req.gr_group, sizeof(address.storage));
	address.length = sizeof(address.storage);
	if (inet_decode(&s->node, &address, &group, &port, &scope))
		return -EINVAL;
	return membership(s, add, &group, (int)req.gr_interface, 0);
}

static int set_multicast_device(struct inet_socket *s, const void *value, size_t length)
{
	struct ip_mreqn mreq = {};
	struct net_device *device = nullptr;
	struct inet_address any = inet_from_v4(0);

	if (length >= sizeof(struct ip_mreq))
		memcpy(&mreq, value, MIN(length, sizeof(mreq)));
	else if (length >= sizeof(struct in_addr))
		memcpy(&mreq.imr_address, value, sizeof(struct in_addr));
	else
		return -EINVAL;
	if (!mreq.imr_ifindex && !mreq.imr_address.s_addr) {
		s->multicast_device = 0;
		return 0;
	}
	rcu_read_lock();
	device = membership_device(s, &any, mreq.imr_ifindex, mreq.imr_address.s_addr);
	if (device)
		s->multicast_device = device->index;
	rcu_read_unlock();
	return device ? 0 : -EADDRNOTAVAIL;
}

int inet_set_membership(struct inet_socket *s, int level, int option, const void *value,
			size_t length)
{
	if (level == SOL_IP && (option == IP_ADD_MEMBERSHIP || option == IP_DROP_MEMBERSHIP))
		return membership_v4(s, option == IP_ADD_MEMBERSHIP, value, length);
	if (level == SOL_IPV6 && (option == IPV6_ADD_MEMBERSHIP || option == IPV6_DROP_MEMBERSHIP))
		return membership_v6(s, option == IPV6_ADD_MEMBERSHIP, value, length);
	if (option == MCAST_JOIN_GROUP || option == MCAST_LEAVE_GROUP)
		return membership_generic(s, option == MCAST_JOIN_GROUP, value, length);
	if (level == SOL_IP && option == IP_MULTICAST_IF)
		return set_multicast_device(s, value, length);
	return -ENOPROTOOPT;
}
