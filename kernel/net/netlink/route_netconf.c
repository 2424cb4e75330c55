/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NETLINK_ROUTE: settings of devices, a few of them (RTM_GETNETCONF, ip-netconf(8)). */
#include <lib/errno.h>
#include <net/netlink/route_priv.h>

#include <linux/netconf.h>
#include <sys/socket.h>

/* Which settings are told, by family; 0: none. Those that are not built are told as off. */
struct told {
	u16 attribute;
	int number;
};
#define UNBUILT (-1)
static const struct told told4[] = {
	{ NETCONFA_FORWARDING, IPV4_DEVCONF_FORWARDING },
	{ NETCONFA_RP_FILTER, IPV4_DEVCONF_RP_FILTER },
	{ NETCONFA_MC_FORWARDING, UNBUILT },
	{ NETCONFA_BC_FORWARDING, UNBUILT },
	{ NETCONFA_PROXY_NEIGH, IPV4_DEVCONF_PROXY_ARP },
	{ NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN, UNBUILT },
};
static const struct told told6[] = {
	{ NETCONFA_FORWARDING, DEVCONF_FORWARDING },
	{ NETCONFA_MC_FORWARDING, UNBUILT },
	{ NETCONFA_PROXY_NEIGH, DEVCONF_PROXY_NDP },
	{ NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN, UNBUILT },
};

/* Netlink numbers `all` and `default` as net/device_settings.h does. */
static_assert(NETCONFA_IFINDEX_ALL == SETTINGS_OF_ALL);
static_assert(NETCONFA_IFINDEX_DEFAULT == SETTINGS_OF_DEFAULT);

static void put_netconf(struct netlink_writer *w, u8 family, int index,
			const struct device_settings *settings)
{
	const struct told *told = family == AF_INET ? told4 : told6;
	size_t count = family == AF_INET ? ARRAY_SIZE(told4) : ARRAY_SIZE(told6);
	const s32 *values = family == AF_INET ? settings->ipv4 : settings->ipv6;
	struct netconfmsg *info = netlink_begin(w, RTM_NEWNETCONF, sizeof(*info));

	if (info)
		info->ncm_family = family;
	netlink_put_u32(w, NETCONFA_IFINDEX, (u32)index);
	for (size_t i = 0; i < count; i++)
		netlink_put_u32(w, told[i].attribute,
				told[i].number == UNBUILT ? 0 : (u32)values[told[i].number]);
	netlink_end(w);
}

static void dump_family(struct netlink_request *r, u8 family)
{
	for (struct net_device *d = r->network->devices; d; d = d->next)
		put_netconf(r->reply, family, d->index, &d->settings);
	put_netconf(r->reply, family, SETTINGS_OF_ALL, &r->network->settings_all);
	put_netconf(r->reply, family, SETTINGS_OF_DEFAULT, &r->network->settings_default);
}

int rtnl_netconf_dump(struct netlink_request *r)
{
	const struct rtgenmsg *wanted = netlink_payload(r->header, sizeof(*wanted));

	if (wanted->rtgen_family == AF_INET || !wanted->rtgen_family)
		dump_family(r, AF_INET);
	if (wanted->rtgen_family == AF_INET6 || !wanted->rtgen_family)
		dump_family(r, AF_INET6);
	return 0;
}

int rtnl_netconf_get(struct netlink_request *r)
{
	const struct netconfmsg *wanted = netlink_payload(r->header, sizeof(*wanted));
	const struct nlattr *table[NETCONFA_MAX + 1];
	const struct device_settings *settings;
	int error = netlink_parse(r->header, sizeof(*wanted), table, NETCONFA_MAX), index;

	if (error)
		return error;
	if (wanted->ncm_family != AF_INET && wanted->ncm_family != AF_INET6)
		return -EOPNOTSUPP;
	if (!table[NETCONFA_IFINDEX])
		return -EINVAL;
	index = (int)netlink_get_u32(table[NETCONFA_IFINDEX]);
	settings = device_settings_find(r->network, index);
	if (!settings)
		return -EINVAL;
	put_netconf(r->reply, wanted->ncm_family, index, settings);
	return 0;
}

void rtnl_netconf_notify(struct network_namespace *network, int index,
			 enum device_setting_family family, unsigned number)
{
	bool v4 = family == SETTING_IPV4, v6 = family == SETTING_IPV6;
	unsigned group = v4 ? RTNLGRP_IPV4_NETCONF : RTNLGRP_IPV6_NETCONF;
	const struct told *told = v4 ? told4 : told6;
	size_t count = v4 ? ARRAY_SIZE(told4) : ARRAY_SIZE(told6);
	struct netlink_writer w = {};
	bool is_told = false;

	for (size_t i = 0; i < count; i++)
		is_told |= told[i].number == (int)number;
	if (!(v4 || v6) || !is_told || !netlink_has_listeners(NETLINK_ROUTE, group))
		return;
	put_netconf(&w, v4 ? AF_INET : AF_INET6, index, device_settings_find(network, index));
	netlink_notify(network, NETLINK_ROUTE, group, &w);
}
