/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NETLINK_ROUTE: addresses (RTM_NEWADDR and its relatives). */
#include <core/time.h>
#include <core/wait.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/netlink/route_priv.h>

#include <linux/if_addr.h>
#include <sys/socket.h>

/* What is left of a lifetime, in seconds; for ever is all ones. */
static u32 seconds_left(u64 until_ns)
{
	u64 now = clock_monotonic_ns();

	if (until_ns == NO_DEADLINE)
		return ~0u;
	return until_ns > now ? (u32)((until_ns - now) / NSEC_PER_SEC) : 0;
}

static u64 lifetime(u32 seconds)
{
	return seconds == ~0u ? NO_DEADLINE : clock_monotonic_ns() + seconds * NSEC_PER_SEC;
}

static void put_lifetimes(struct netlink_writer *w, const struct net_address *a)
{
	u32 created = (u32)(a->created_ns / (NSEC_PER_SEC / 100));
	struct ifa_cacheinfo info = {
		.ifa_prefered = seconds_left(a->preferred_until_ns),
		.ifa_valid = seconds_left(a->valid_until_ns),
		.cstamp = created,
		.tstamp = created,
	};

	netlink_put(w, IFA_CACHEINFO, &info, sizeof(info));
}

static void put_address(struct netlink_writer *w, u16 type, const struct net_device *device,
			const struct net_address *a)
{
	struct ifaddrmsg *info = netlink_begin(w, type, sizeof(*info));
	u8 family = rtnl_family(&a->address);
	bool has_peer = !inet_is_any(&a->peer);
	u32 flags = a->flags | (a->valid_until_ns == NO_DEADLINE ? IFA_F_PERMANENT : 0);

	if (info) {
		info->ifa_family = family;
		info->ifa_prefixlen = rtnl_prefix(family, a->prefix_length);
		info->ifa_flags = (u8)flags;
		info->ifa_scope = a->scope;
		info->ifa_index = (u32)device->index;
	}
	if (family == AF_INET || has_peer)
		rtnl_put_address(w, IFA_ADDRESS, family, has_peer ? &a->peer : &a->address);
	if (family == AF_INET || has_peer)
		rtnl_put_address(w, IFA_LOCAL, family, &a->address);
	else
		rtnl_put_address(w, IFA_ADDRESS, family, &a->address);
	if (family == AF_INET && !inet_is_any(&a->broadcast))
		rtnl_put_address(w, IFA_BROADCAST, family, &a->broadcast);
	if (family == AF_INET)
		netlink_put_string(w, IFA_LABEL, a->label[0] ? a->label : device->name);
	netlink_put_u32(w, IFA_FLAGS, flags);
	put_lifetimes(w, a);
	netlink_end(w);
}

void rtnl_address_notify(int event, struct net_device *device, const struct net_address *address)
{
	unsigned group = rtnl_family(&address->address) == AF_INET ? RTNLGRP_IPV4_IFADDR
								   : RTNLGRP_IPV6_IFADDR;
	struct netlink_writer w = {};

	if (!netlink_has_listeners(NETLINK_ROUTE, group))
		return;
	put_address(&w, (u16)event, device, address);
	netlink_notify(device->network, NETLINK_ROUTE, group, &w);
}

/* Addresses of one family: Linux tells those of IPv4 of all devices first. */
static void dump_family(struct netlink_request *r, u8 family, u32 index)
{
	for (struct net_device *d = r->network->devices; d; d = d->next)
		for (struct net_address *a = d->addresses; a; a = a->next)
			if (rtnl_family(&a->address) == family &&
			    (!index || (u32)d->index == index))
				put_address(r->reply, RTM_NEWADDR, d, a);
}

int rtnl_address_dump(struct netlink_request *r)
{
	const struct ifaddrmsg *wanted = netlink_payload(r->header, sizeof(*wanted));
	const struct rtgenmsg *generic = netlink_payload(r->header, sizeof(*generic));
	u32 index = wanted && r->strict ? wanted->ifa_index : 0;

	if (generic->rtgen_family == AF_INET || generic->rtgen_family == AF_UNSPEC)
		dump_family(r, AF_INET, index);
	if (generic->rtgen_family == AF_INET6 || generic->rtgen_family == AF_UNSPEC)
		dump_family(r, AF_INET6, index);
	return 0;
}

/* Fills in what a request says. */
static int decode(struct netlink_request *r, struct net_address *out, struct net_device **device)
{
	const struct ifaddrmsg *info = netlink_payload(r->header, sizeof(*info));
	const struct nlattr *table[IFA_MAX + 1], *local;
	u8 family, bits;
	int error;

	if (!info)
		return -EINVAL;
	error = netlink_parse(r->header, sizeof(*info), table, IFA_MAX);
	if (error)
		return error;
	family = info->ifa_family;
	if (family != AF_INET && family != AF_INET6)
		return -EOPNOTSUPP;
	bits = family == AF_INET ? 32 : 128;
	local = table[IFA_LOCAL] ? table[IFA_LOCAL] : table[IFA_ADDRESS];
	if (!local || info->ifa_prefixlen > bits)
		return -EINVAL;
	*device = net_device_find(r->network, (int)info->ifa_index);
	if (!*device)
		return -ENODEV;
	*out = (struct net_address){ .scope = info->ifa_scope, .created_ns = clock_monotonic_ns() };
	out->prefix_length = (u8)(info->ifa_prefixlen + (family == AF_INET ? INET_V4_PREFIX : 0));
	out->flags = table[IFA_FLAGS] ? netlink_get_u32(table[IFA_FLAGS]) : info->ifa_flags;
	/* Follows from its lifetime; from other addresses (and of IPv6 only the kernel makes temporary ones). */
	out->flags &= ~(u32)(IFA_F_PERMANENT | IFA_F_SECONDARY);
	out->valid_until_ns = out->preferred_until_ns = NO_DEADLINE;
	error = rtnl_get_address(local, family, &out->address);
	if (!error && table[IFA_ADDRESS] && table[IFA_LOCAL])
		error = rtnl_get_address(table[IFA_ADDRESS], family, &out->peer);
	if (inet_equal(&out->peer, &out->address))
		out->peer = (struct inet_address){};
	if (!error && table[IFA_BROADCAST])
		error = rtnl_get_address(table[IFA_BROADCAST], family, &out->broadcast);
	if (!error && table[IFA_LABEL])
		error = netlink_get_string(table[IFA_LABEL], out->label, sizeof(out->label));
	if (table[IFA_CACHEINFO] &&
	    netlink_length(table[IFA_CACHEINFO]) >= sizeof(struct ifa_cacheinfo)) {
		const struct ifa_cacheinfo *times = netlink_data(table[IFA_CACHEINFO]);

		if (!times->ifa_valid || times->ifa_prefered > times->ifa_valid)
			return -EINVAL;
		out->valid_until_ns = lifetime(times->ifa_valid);
		out->preferred_until_ns = lifetime(times->ifa_prefered);
	}
	return error;
}

int rtnl_address_add(struct netlink_request *r)
	__no_lock_analysis /* network->config is held: rtnl_request */
{
	struct net_address address;
	struct net_device *device;
	int error = decode(r, &address, &device);

	if (error)
		return error;
	address.device = device;
	error = net_address_add(device, &address);
	if (error == -EEXIST && (r->header->nlmsg_flags & NLM_F_REPLACE) &&
	    !(r->header->nlmsg_flags & NLM_F_EXCL))
		error = net_address_renew(device, &address); /* as dhclient does */
	return error;
}

int rtnl_address_delete(struct netlink_request *r)
	__no_lock_analysis /* network->config is held: rtnl_request */
{
	struct net_address address;
	struct net_device *device;
	int error = decode(r, &address, &device);

	return error ? error : net_address_remove(device, &address.address, address.prefix_length);
}
