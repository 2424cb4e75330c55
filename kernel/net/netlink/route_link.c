/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NETLINK_ROUTE: devices (RTM_NEWLINK and its relatives). */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/device_change.h>
#include <net/link_kind.h>
#include <net/namespace.h>
#include <net/netlink/route_priv.h>

#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <sys/socket.h>

#define GSO_SEGMENTS_MAX 65535u
#define GSO_SIZE_MAX 65536u
#define LOOPBACK_TSO_SIZE 524280u

static void fill_stats(const struct net_device *device, struct rtnl_link_stats64 *out)
{
	struct net_device_statistics sum, *s = &sum;

	net_device_statistics_sum(device, s);
	*out = (struct rtnl_link_stats64){
		.rx_packets = s->receive_packets,
		.tx_packets = s->transmit_packets,
		.rx_bytes = s->receive_bytes,
		.tx_bytes = s->transmit_bytes,
		.rx_errors = s->receive_errors,
		.tx_errors = s->transmit_errors,
		.rx_dropped = s->receive_dropped,
		.tx_dropped = s->transmit_dropped,
		.multicast = s->receive_multicast,
		.tx_carrier_errors = s->transmit_carrier,
	};
}

static void put_stats(struct netlink_writer *w, const struct net_device *device)
{
	struct rtnl_link_stats64 stats;
	struct rtnl_link_stats small = {};
	u32 *words = (u32 *)&small;

	/* The old structure has the same fields, 32 bits wide. */
	fill_stats(device, &stats);
	for (size_t i = 0; i < sizeof(small) / sizeof(u32); i++)
		words[i] = (u32)((const __u64 *)&stats)[i];
	netlink_put(w, IFLA_STATS64, &stats, sizeof(stats));
	netlink_put(w, IFLA_STATS, &small, sizeof(small));
}

static void put_map(struct netlink_writer *w)
{
	struct rtnl_link_ifmap map = {};

	netlink_put(w, IFLA_MAP, &map, sizeof(map));
}

/* What kind of virtual device it is, and where its other half is. */
static void put_kind(struct netlink_writer *w, const struct net_device *device)
	__no_lock_analysis /* config of the device's name space is held: it is being told of */
{
	size_t nest = netlink_nest(w, IFLA_LINKINFO);
	const struct net_device *peer;
	int index = 0, number = -1;

	netlink_put_string(w, IFLA_INFO_KIND, device->kind->name);
	if (device->kind->put)
		device->kind->put(device, w);
	netlink_nest_end(w, nest);
	rcu_read_lock();
	peer = device->kind->peer ? device->kind->peer(device) : nullptr;
	if (peer) {
		index = peer->index;
		if (peer->network != device->network)
			number = network_number_of(device->network, peer->network);
	}
	rcu_read_unlock();
	if (index)
		netlink_put_u32(w, IFLA_LINK, (u32)index);
	if (number >= 0)
		netlink_put_u32(w, IFLA_LINK_NETNSID, (u32)number);
}

/* How packets wait for the device; virtual ones take them at once. */
static const char *discipline_of(const struct net_device *device)
{
	if (!(device->flags & IFF_UP))
		return "noop";
	return device->kind || (device->features & DEVICE_LOOPBACK) ? "noqueue" : "pfifo_fast";
}

/* net/device_settings.h numbers them as netlink does, but for IPv4's, which begin at 1. */
static void put_settings(struct netlink_writer *w, const struct device_settings *s)
{
	size_t nest = netlink_nest(w, IFLA_AF_SPEC);
	size_t family = netlink_nest(w, AF_INET);

	netlink_put(w, IFLA_INET_CONF, &s->ipv4[1], sizeof(s->ipv4) - sizeof(s->ipv4[0]));
	netlink_nest_end(w, family);
	family = netlink_nest(w, AF_INET6);
	netlink_put(w, IFLA_INET6_CONF, s->ipv6, sizeof(s->ipv6));
	netlink_put_u8(w, IFLA_INET6_ADDR_GEN_MODE, (u8)s->ipv6[DEVCONF_ADDR_GEN_MODE]);
	netlink_nest_end(w, family);
	netlink_nest_end(w, nest);
}

/* How large packets may be that are cut or were merged. */
static void put_limits(struct netlink_writer *w, const struct net_device *device)
{
	bool loopback = device->features & DEVICE_LOOPBACK;

	netlink_put_u32(w, IFLA_ALLMULTI, !!(device->flags & IFF_ALLMULTI));
	netlink_put_u32(w, IFLA_GSO_MAX_SEGS, GSO_SEGMENTS_MAX);
	netlink_put_u32(w, IFLA_GSO_MAX_SIZE, GSO_SIZE_MAX);
	netlink_put_u32(w, IFLA_GRO_MAX_SIZE, GSO_SIZE_MAX);
	netlink_put_u32(w, IFLA_TSO_MAX_SIZE, loopback ? LOOPBACK_TSO_SIZE : GSO_SIZE_MAX);
	netlink_put_u32(w, IFLA_TSO_MAX_SEGS, GSO_SEGMENTS_MAX);
	put_settings(w, &device->settings);
}

static void put_link(struct netlink_writer *w, u16 type, const struct net_device *device)
{
	struct ifinfomsg *info = netlink_begin(w, type, sizeof(*info));
	bool carrier = device->flags & IFF_RUNNING;

	if (info) {
		info->ifi_type = device->type;
		info->ifi_index = device->index;
		info->ifi_flags = device->flags;
		if (carrier)
			info->ifi_flags |= IFF_LOWER_UP;
	}
	netlink_put_string(w, IFLA_IFNAME, device->name);
	netlink_put_u32(w, IFLA_TXQLEN, device->transmit_queue_length);
	netlink_put_u8(w, IFLA_OPERSTATE, net_device_operational_state(device));
	netlink_put_u8(w, IFLA_LINKMODE, 0);
	netlink_put_u32(w, IFLA_MTU, device->mtu);
	netlink_put_u32(w, IFLA_MIN_MTU, device->mtu_min);
	netlink_put_u32(w, IFLA_MAX_MTU, device->features & DEVICE_LOOPBACK ? 0 : device->mtu_max);
	netlink_put_u32(w, IFLA_GROUP, 0);
	netlink_put_u32(w, IFLA_PROMISCUITY, !!(device->flags & IFF_PROMISC));
	netlink_put_u32(w, IFLA_NUM_TX_QUEUES, 1);
	netlink_put_u32(w, IFLA_NUM_RX_QUEUES, 1);
	netlink_put_u8(w, IFLA_CARRIER, carrier || !(device->flags & IFF_UP));
	netlink_put_string(w, IFLA_QDISC, discipline_of(device));
	put_limits(w, device);
	put_map(w);
	if (device->address_length) {
		netlink_put(w, IFLA_ADDRESS, device->address, device->address_length);
		netlink_put(w, IFLA_BROADCAST, device->broadcast, device->address_length);
	}
	put_stats(w, device);
	if (device->kind)
		put_kind(w, device);
	netlink_end(w);
}

void rtnl_link_notify(int event, struct net_device *device)
{
	struct netlink_writer w = {};

	if (!netlink_has_listeners(NETLINK_ROUTE, RTNLGRP_LINK))
		return;
	put_link(&w, (u16)event, device);
	netlink_notify(device->network, NETLINK_ROUTE, RTNLGRP_LINK, &w);
}

int rtnl_link_dump(struct netlink_request *r)
{
	const struct ifinfomsg *wanted = netlink_payload(r->header, sizeof(*wanted));

	/* Other families' views of links (bridge ports) are empty. */
	if (wanted && wanted->ifi_family != AF_UNSPEC && wanted->ifi_family != AF_INET &&
	    wanted->ifi_family != AF_INET6 && wanted->ifi_family != AF_PACKET)
		return 0;
	for (struct net_device *d = r->network->devices; d; d = d->next)
		put_link(r->reply, RTM_NEWLINK, d);
	return 0;
}

int rtnl_find_link(struct netlink_request *r, const struct nlattr **table, struct net_device **out)
{
	const struct ifinfomsg *info = netlink_payload(r->header, sizeof(*info));
	const struct nlattr *name;
	char text[IFNAMSIZ];
	int error = netlink_parse(r->header, sizeof(*info), table, IFLA_MAX);

	if (error)
		return error;
	name = table[IFLA_IFNAME];
	if (info->ifi_index > 0) {
		*out = net_device_find(r->network, info->ifi_index);
	} else {
		if (!name)
			name = table[IFLA_ALT_IFNAME];
		if (!name)
			return -EINVAL;
		if (netlink_get_string(name, text, sizeof(text)))
			return -ENODEV;
		*out = net_device_find_name(r->network, text);
	}
	return *out ? 0 : -ENODEV;
}

int rtnl_link_get(struct netlink_request *r)
{
	const struct nlattr *table[IFLA_MAX + 1];
	struct net_device *device;
	int error = rtnl_find_link(r, table, &device);

	if (!error)
		put_link(r->reply, RTM_NEWLINK, device);
	return error;
}

static int set_address(struct net_device *device, const struct nlattr *attribute)
	__must_hold(&device->network->config)
{
	if (netlink_length(attribute) < device->address_length || !device->address_length)
		return -EINVAL;
	return net_device_set_address(device, netlink_data(attribute));
}

static int rename_link(struct net_device *device, const struct nlattr *attribute)
	__must_hold(&device->network->config)
{
	char name[IFNAMSIZ];

	if (netlink_get_string(attribute, name, sizeof(name)))
		return -EINVAL;
	return strcmp(name, device->name) ? net_device_rename(device, name) : 0;
}

static int apply(struct netlink_request *r, struct net_device *device,
		 const struct nlattr *const *table) __must_hold(&device->network->config)
{
	const struct ifinfomsg *info = netlink_payload(r->header, sizeof(*info));
	u32 mask;
	int error = 0;

	if (table[IFLA_ADDRESS])
		error = set_address(device, table[IFLA_ADDRESS]);
	if (!error && table[IFLA_MTU])
		error = net_device_set_mtu(device, netlink_get_u32(table[IFLA_MTU]));
	if (!error && table[IFLA_TXQLEN])
		device->transmit_queue_length = netlink_get_u32(table[IFLA_TXQLEN]);
	if (!error && info->ifi_index > 0 && table[IFLA_IFNAME])
		error = rename_link(device, table[IFLA_IFNAME]);
	/* Without a mask all flags are meant, as long as there are any. */
	mask = info->ifi_change ? info->ifi_change : info->ifi_flags ? ~0u : 0;
	if (!error && mask)
		error = net_device_set_flags(device, info->ifi_flags, mask);
	return error;
}

/* Another name space first: the rest of the request is meant there. */
static int change(struct netlink_request *r, const struct nlattr **table)
	__must_hold(&net_links_lock) __no_lock_analysis
{
	struct network_namespace *network = r->network;
	struct net_device *device;
	int error;

	mutex_lock(&network->config);
	error = rtnl_find_link(r, table, &device);
	if (!error && (r->header->nlmsg_flags & NLM_F_EXCL))
		error = -EEXIST;
	if (!error && (table[IFLA_NET_NS_PID] || table[IFLA_NET_NS_FD])) {
		mutex_unlock(&network->config);
		error = rtnl_link_move(r, device, table);
		network = device->network;
		mutex_lock(&network->config);
	}
	if (!error)
		error = apply(r, device, table);
	mutex_unlock(&network->config);
	return error;
}

/* RTM_NEWLINK, RTM_SETLINK. */
int rtnl_link_change(struct netlink_request *r)
{
	const struct ifinfomsg *info = netlink_payload(r->header, sizeof(*info));
	const struct nlattr *table[IFLA_MAX + 1];
	int error;

	if (!info)
		return -EINVAL;
	mutex_lock(&net_links_lock);
	error = change(r, table);
	mutex_unlock(&net_links_lock);
	if (r->header->nlmsg_type != RTM_NEWLINK || info->ifi_index > 0)
		return error;
	/* No device was named (programs ask so whether RTM_NEWLINK is known at all), or one that does not exist. */
	if (error == -EINVAL && !table[IFLA_IFNAME])
		error = -ENODEV;
	if (error == -ENODEV && (r->header->nlmsg_flags & NLM_F_CREATE))
		return rtnl_link_create(r, table);
	return error;
}
