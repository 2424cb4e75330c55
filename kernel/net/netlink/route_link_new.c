/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NETLINK_ROUTE: devices that are made, destroyed and moved between name spaces (`ip link add`, `del`, `set netns`). */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/device_change.h>
#include <net/link_kind.h>
#include <net/namespace.h>
#include <net/netlink/route_priv.h>

#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/veth.h>
#include <sys/socket.h>

/* The name space that attributes of a device name, with a user; that of the request if they name none. */
static int named_network(struct netlink_request *r, const struct nlattr *const *table,
			 struct network_namespace **out)
{
	if (table[IFLA_NET_NS_PID])
		return network_of_process((int)netlink_get_u32(table[IFLA_NET_NS_PID]), out);
	if (table[IFLA_NET_NS_FD])
		return network_of_descriptor((int)netlink_get_u32(table[IFLA_NET_NS_FD]), out);
	*out = r->network;
	network_get(*out);
	return 0;
}

static int get_name(const struct nlattr *a, char name[IFNAMSIZ])
{
	if (!a)
		return 0;
	if (netlink_get_string(a, name, IFNAMSIZ) || !*name)
		return -EINVAL;
	return net_device_name_valid(name) ? 0 : -EINVAL;
}

static int get_link_address(const struct nlattr *a, const u8 **out)
{
	if (!a)
		return 0;
	*out = netlink_data(a);
	return netlink_length(a) != 6 || ((*out)[0] & 1) ? -EADDRNOTAVAIL : 0;
}

/* The other half of a pair: a struct ifinfomsg with attributes of its own. */
static int parse_peer(const struct nlattr *data, const struct nlattr **table,
		      struct net_link_request *request)
{
	const struct nlattr *info[VETH_INFO_MAX + 1];
	int error;

	memset(table, 0, (IFLA_MAX + 1) * sizeof(*table));
	if (!data)
		return 0;
	error = netlink_parse_nested(data, info, VETH_INFO_MAX);
	if (error || !info[VETH_INFO_PEER])
		return error;
	error = netlink_parse_behind(info[VETH_INFO_PEER], sizeof(struct ifinfomsg), table,
				     IFLA_MAX);
	if (!error)
		error = get_name(table[IFLA_IFNAME], request->peer_name);
	if (!error)
		error = get_link_address(table[IFLA_ADDRESS], &request->peer_address);
	return error;
}

static int create_in(struct netlink_request *r, const struct net_link_kind *kind,
		     const struct nlattr *const *peer, struct net_link_request *request)
{
	int error = named_network(r, peer, &request->peer_network);

	if (error)
		return error;
	mutex_lock(&net_links_lock);
	error = kind->create(request);
	mutex_unlock(&net_links_lock);
	network_put(request->peer_network);
	return error;
}

int rtnl_link_create(struct netlink_request *r, const struct nlattr *const *table)
{
	const struct nlattr *info[IFLA_INFO_MAX + 1], *peer[IFLA_MAX + 1];
	struct net_link_request request = {};
	const struct net_link_kind *kind = nullptr;
	char name[16];
	int error;

	if (!table[IFLA_LINKINFO])
		return -EOPNOTSUPP;
	error = netlink_parse_nested(table[IFLA_LINKINFO], info, IFLA_INFO_MAX);
	if (error)
		return error;
	if (info[IFLA_INFO_KIND] && !netlink_get_string(info[IFLA_INFO_KIND], name, sizeof(name)))
		kind = net_link_kind_find(name);
	if (!kind || !kind->create) {
		r->error_text = "Unknown device type";
		return -EOPNOTSUPP;
	}
	request.data = info[IFLA_INFO_DATA];
	if (table[IFLA_MTU])
		request.mtu = netlink_get_u32(table[IFLA_MTU]);
	error = get_name(table[IFLA_IFNAME], request.name);
	if (!error)
		error = get_link_address(table[IFLA_ADDRESS], &request.address);
	if (!error)
		error = parse_peer(request.data, peer, &request);
	if (!error)
		error = named_network(r, table, &request.network);
	if (error)
		return error;
	error = create_in(r, kind, peer, &request);
	network_put(request.network);
	return error;
}

int rtnl_link_delete(struct netlink_request *r)
{
	const struct nlattr *table[IFLA_MAX + 1];
	struct net_device *device;
	int error;

	/* Whoever destroys a device does so under net_links_lock: it stays until then. */
	mutex_lock(&net_links_lock);
	mutex_lock(&r->network->config);
	error = rtnl_find_link(r, table, &device);
	mutex_unlock(&r->network->config);
	if (!error && (!device->kind || !device->kind->destroy))
		error = -EOPNOTSUPP;
	if (!error)
		device->kind->destroy(device);
	mutex_unlock(&net_links_lock);
	return error;
}

int rtnl_link_move(struct netlink_request *r, struct net_device *device,
		   const struct nlattr *const *table)
{
	char name[IFNAMSIZ] = "";
	struct network_namespace *to;
	int error = get_name(table[IFLA_IFNAME], name);

	if (!error)
		error = named_network(r, table, &to);
	if (error)
		return error;
	error = net_device_move(device, to, name);
	network_put(to);
	return error;
}

/* --- Numbers of name spaces --- */

int rtnl_number_get(struct netlink_request *r)
{
	const struct nlattr *table[NETNSA_MAX + 1];
	struct network_namespace *other;
	struct rtgenmsg *generic;
	int error = netlink_parse(r->header, sizeof(*generic), table, NETNSA_MAX), number = -1;

	if (error)
		return error;
	if (table[NETNSA_PID])
		error = network_of_process((int)netlink_get_u32(table[NETNSA_PID]), &other);
	else if (table[NETNSA_FD])
		error = network_of_descriptor((int)netlink_get_u32(table[NETNSA_FD]), &other);
	else
		return -EINVAL;
	if (error)
		return error;
	/* Only what was given already: asking gives none. */
	for (unsigned i = 0; i < NETWORK_NUMBERS && r->network->numbers[i]; i++)
		if (r->network->numbers[i] == other->serial)
			number = (int)i;
	network_put(other);
	generic = netlink_begin(r->reply, RTM_NEWNSID, sizeof(*generic));
	if (generic)
		generic->rtgen_family = AF_UNSPEC;
	netlink_put_u32(r->reply, NETNSA_NSID, (u32)number);
	netlink_end(r->reply);
	return 0;
}
