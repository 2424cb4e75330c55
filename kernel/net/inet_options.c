/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of levels IPPROTO_IP and IPPROTO_IPV6 (ip(7), ipv6(7)). */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/inet_socket.h>
#include <net/multicast.h>
#include <obj/credentials.h>

#define MEMBERSHIPS_MAX 20 /* igmp_max_memberships */

/* Options that are a flag. */
struct flag_option {
	int level, option;
	u32 flag;
};
static const struct flag_option flag_options[] = {
	{ SOL_IP, IP_PKTINFO, INET_RECEIVE_PKTINFO },
	{ SOL_IP, IP_RECVTTL, INET_RECEIVE_TTL },
	{ SOL_IP, IP_RECVTOS, INET_RECEIVE_TOS },
	{ SOL_IP, IP_RECVERR, INET_RECEIVE_ERRORS },
	{ SOL_IP, IP_RECVORIGDSTADDR, INET_RECEIVE_ORIGINAL },
	{ SOL_IP, IP_HDRINCL, INET_HEADER_INCLUDED },
	{ SOL_IP, IP_FREEBIND, INET_FREEBIND },
	{ SOL_IP, IP_TRANSPARENT, INET_TRANSPARENT },
	{ SOL_IP, IP_MULTICAST_ALL, INET_MULTICAST_ALL },
	{ SOL_IPV6, IPV6_RECVPKTINFO, INET6_RECEIVE_PKTINFO },
	{ SOL_IPV6, IPV6_RECVHOPLIMIT, INET6_RECEIVE_HOPLIMIT },
	{ SOL_IPV6, IPV6_RECVTCLASS, INET6_RECEIVE_TCLASS },
	{ SOL_IPV6, IPV6_RECVERR, INET6_RECEIVE_ERRORS },
	{ SOL_IPV6, IPV6_FREEBIND, INET_FREEBIND },
	{ SOL_IPV6, IPV6_TRANSPARENT, INET_TRANSPARENT },
};

static u32 flag_of(int level, int option)
{
	for (size_t i = 0; i < ARRAY_SIZE(flag_options); i++)
		if (flag_options[i].level == level && flag_options[i].option == option)
			return flag_options[i].flag;
	return 0;
}

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

static int set_ip(struct inet_socket *s, int option, int value)
{
	switch (option) {
	case IP_TOS:
		s->tos = (u8)value;
		return 0;
	case IP_TTL:
		if (value != -1 && (value < 1 || value > 255))
			return -EINVAL;
		s->ttl = value;
		return 0;
	case IP_MTU_DISCOVER:
		if (value < IP_PMTUDISC_DONT || value > IP_PMTUDISC_OMIT)
			return -EINVAL;
		s->path_mtu_discovery = (u8)value;
		return 0;
	case IP_MULTICAST_TTL:
		if (value < -1 || value > 255)
			return -EINVAL;
		s->multicast_ttl = value == -1 ? 1 : (u8)value;
		return 0;
	case IP_MULTICAST_LOOP:
		s->multicast_loop = value;
		return 0;
	case IP_BIND_ADDRESS_NO_PORT:
	case IP_RECVOPTS:
	case IP_RETOPTS:
	case IP_PASSSEC:
	case IP_CHECKSUM:
		return value < 0 ? -EINVAL : 0;
	case IP_OPTIONS:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int set_ipv6(struct inet_socket *s, int option, int value)
{
	switch (option) {
	case IPV6_V6ONLY:
		if (s->node.local_port)
			return -EINVAL;
		s->node.v6_only = value;
		return 0;
	case IPV6_UNICAST_HOPS:
		if (value < -1 || value > 255)
			return -EINVAL;
		s->hops6 = value;
		return 0;
	case IPV6_MULTICAST_HOPS:
		if (value < -1 || value > 255)
			return -EINVAL;
		s->multicast_hops6 = value == -1 ? 1 : (u8)value;
		return 0;
	case IPV6_MULTICAST_LOOP:
		if (value != 0 && value != 1)
			return -EINVAL;
		s->multicast_loop6 = value;
		return 0;
	case IPV6_MULTICAST_IF:
		s->multicast_device = value;
		return 0;
	case IPV6_TCLASS:
		if (value < -1 || value > 255)
			return -EINVAL;
		s->tclass = value == -1 ? 0 : (u8)value;
		return 0;
	case IPV6_MTU_DISCOVER:
		if (value < IPV6_PMTUDISC_DONT || value > IPV6_PMTUDISC_OMIT)
			return -EINVAL;
		s->path_mtu_discovery = (u8)value;
		return 0;
	case IPV6_DONTFRAG:
	case IPV6_AUTOFLOWLABEL:
	case IPV6_FLOWINFO_SEND:
	case IPV6_RECVRTHDR:
	case IPV6_RECVHOPOPTS:
	case IPV6_RECVDSTOPTS:
	case IPV6_ADDR_PREFERENCES:
	case IPV6_MINHOPCOUNT:
	case IPV6_MULTICAST_ALL:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int set_number(struct inet_socket *s, int level, int option, int value)
{
	u32 flag = flag_of(level, option);

	if (!flag)
		return level == SOL_IP ? set_ip(s, option, value) : set_ipv6(s, option, value);
	if (flag == INET_TRANSPARENT && value && !capable(CAP_NET_ADMIN) && !capable(CAP_NET_RAW))
		return -EPERM;
	if (flag == INET_HEADER_INCLUDED && s->node.kind != INET_RAW)
		return -ENOPROTOOPT;
	if (value)
		__atomic_fetch_or(&s->flags, flag, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&s->flags, ~flag, __ATOMIC_RELAXED);
	return 0;
}

int inet_set_option(struct inet_socket *s, int level, int option, const void *value, size_t length)
{
	int number = 0;

	if ((level != SOL_IP && level != SOL_IPV6) ||
	    (level == SOL_IPV6 && s->node.family != AF_INET6))
		return -ENOPROTOOPT;
	if (level == SOL_IP && (option == IP_ADD_MEMBERSHIP || option == IP_DROP_MEMBERSHIP))
		return membership_v4(s, option == IP_ADD_MEMBERSHIP, value, length);
	if (level == SOL_IPV6 && (option == IPV6_ADD_MEMBERSHIP || option == IPV6_DROP_MEMBERSHIP))
		return membership_v6(s, option == IPV6_ADD_MEMBERSHIP, value, length);
	if (option == MCAST_JOIN_GROUP || option == MCAST_LEAVE_GROUP)
		return membership_generic(s, option == MCAST_JOIN_GROUP, value, length);
	if (level == SOL_IP && option == IP_MULTICAST_IF)
		return set_multicast_device(s, value, length);
	if (length >= sizeof(int))
		memcpy(&number, value, sizeof(number));
	else if (length >= 1 && level == SOL_IP)
		number = *(const u8 *)value;
	else if (!(level == SOL_IP && option == IP_OPTIONS))
		return -EINVAL;
	return set_number(s, level, option, number);
}

static int path_mtu(struct inet_socket *s, int *out)
{
	int error;

	if (!s->node.remote_port)
		return -ENOTCONN;
	rcu_read_lock();
	spin_lock(&s->lock);
	error = inet_route(s);
	*out = (int)s->route.mtu;
	spin_unlock(&s->lock);
	rcu_read_unlock();
	return error;
}

static int get_ip(struct inet_socket *s, int option, int *out)
{
	switch (option) {
	case IP_TOS:
		*out = s->tos;
		return 0;
	case IP_TTL:
		*out = s->ttl < 0 ? s->node.network->sysctl.ip_default_ttl : s->ttl;
		return 0;
	case IP_MTU_DISCOVER:
		*out = s->path_mtu_discovery;
		return 0;
	case IP_MULTICAST_TTL:
		*out = s->multicast_ttl;
		return 0;
	case IP_MULTICAST_LOOP:
		*out = s->multicast_loop;
		return 0;
	case IP_MTU:
		return path_mtu(s, out);
	case IP_BIND_ADDRESS_NO_PORT:
	case IP_RECVOPTS:
	case IP_RETOPTS:
		*out = 0;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int get_ipv6(struct inet_socket *s, int option, int *out)
{
	switch (option) {
	case IPV6_V6ONLY:
		*out = s->node.v6_only;
		return 0;
	case IPV6_UNICAST_HOPS:
		*out = s->hops6 < 0 ? s->node.network->sysctl.ipv6_hop_limit : s->hops6;
		return 0;
	case IPV6_MULTICAST_HOPS:
		*out = s->multicast_hops6;
		return 0;
	case IPV6_MULTICAST_LOOP:
		*out = s->multicast_loop6;
		return 0;
	case IPV6_MULTICAST_IF:
		*out = s->multicast_device;
		return 0;
	case IPV6_TCLASS:
		*out = s->tclass;
		return 0;
	case IPV6_MTU_DISCOVER:
		*out = s->path_mtu_discovery;
		return 0;
	case IPV6_MTU:
		return path_mtu(s, out);
	case IPV6_DONTFRAG:
	case IPV6_AUTOFLOWLABEL:
	case IPV6_MULTICAST_ALL:
		*out = option == IPV6_MULTICAST_ALL;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* IP_MULTICAST_IF tells an address of the device. */
static int get_multicast_device(struct inet_socket *s, void *value, size_t *length)
{
	struct in_addr answer = {};
	struct net_device *device;

	rcu_read_lock();
	device = net_device_find(s->node.network, s->multicast_device);
	for (struct net_address *a = device ? device->addresses : nullptr; a; a = a->next)
		if (inet_is_v4(&a->address) && !answer.s_addr)
			answer.s_addr = inet_to_v4(&a->address);
	rcu_read_unlock();
	*length = MIN(*length, sizeof(answer));
	memcpy(value, &answer, *length);
	return 0;
}

int inet_get_option(struct inet_socket *s, int level, int option, void *value, size_t *length)
{
	u32 flag = flag_of(level, option);
	int number, error = 0;

	if ((level != SOL_IP && level != SOL_IPV6) ||
	    (level == SOL_IPV6 && s->node.family != AF_INET6))
		return -ENOPROTOOPT;
	if (level == SOL_IP && option == IP_MULTICAST_IF)
		return get_multicast_device(s, value, length);
	if (level == SOL_IP && option == IP_OPTIONS) {
		*length = 0;
		return 0;
	}
	if (flag)
		number = (s->flags & flag) != 0;
	else
		error = level == SOL_IP ? get_ip(s, option, &number) : get_ipv6(s, option, &number);
	if (error)
		return error;
	if (*length < sizeof(int) && *length > 0 && number >= 0 && number <= 255) {
		*(u8 *)value = (u8)number; /* ip(7): a char is enough for a small value */
		*length = 1;
		return 0;
	}
	*length = MIN(*length, sizeof(number));
	memcpy(value, &number, *length);
	return 0;
}
