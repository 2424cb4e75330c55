/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NETLINK_ROUTE: routes (RTM_NEWROUTE and its relatives). */
#include <core/rcu.h>
#include <core/time.h>
#include <core/wait.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/netlink/route_priv.h>
#include <net/route_exception.h>
#include <obj/credentials.h>

#include <linux/in_route.h>
#include <sys/socket.h>

/* What is left of a route's time; of one without an end 0, as Linux has it. */
static void put_times(struct netlink_writer *w, const struct route *route)
{
	const u64 tick = NSEC_PER_SEC / 100; /* USER_HZ */
	u64 now = clock_monotonic_ns();
	struct rta_cacheinfo info = {};

	if (route->expires_ns != NO_DEADLINE && route->expires_ns > now)
		info.rta_expires = (s32)MIN((route->expires_ns - now) / tick, (u64)INT32_MAX);
	netlink_put(w, RTA_CACHEINFO, &info, sizeof(info));
}

/* `flags`: RTM_F_* and RTCF_* of the answer to a question about one packet, with which goes the user who asked. */
static void put_route(struct netlink_writer *w, u16 type, const struct route *route, u32 flags)
{
	struct rtmsg *info = netlink_begin(w, type, sizeof(*info));
	u8 family = route->family;

	if (info) {
		info->rtm_family = family;
		info->rtm_dst_len = rtnl_prefix(family, route->prefix_length);
		info->rtm_table = route->table < 256 ? (u8)route->table : RT_TABLE_COMPAT;
		info->rtm_protocol = route->protocol;
		info->rtm_scope = family == AF_INET ? route->scope : RT_SCOPE_UNIVERSE;
		info->rtm_type = route->type;
		info->rtm_flags = flags;
	}
	netlink_put_u32(w, RTA_TABLE, route->table);
	if (rtnl_prefix(family, route->prefix_length))
		rtnl_put_address(w, RTA_DST, family, &route->destination);
	if (route->metric || family == AF_INET6)
		netlink_put_u32(w, RTA_PRIORITY, route->metric);
	if (route->mtu) {
		size_t nest = netlink_nest(w, RTA_METRICS);

		if (route->mtu_locked)
			netlink_put_u32(w, RTAX_LOCK, BIT(RTAX_MTU));
		netlink_put_u32(w, RTAX_MTU, route->mtu);
		netlink_nest_end(w, nest);
	}
	if (!inet_is_any(&route->source))
		rtnl_put_address(w, RTA_PREFSRC, family, &route->source);
	if (!inet_is_any(&route->gateway))
		rtnl_put_address(w, RTA_GATEWAY, family, &route->gateway);
	if (route->device)
		netlink_put_u32(w, RTA_OIF, (u32)route->device->index);
	if (family == AF_INET6 || (flags & RTM_F_CLONED))
		put_times(w, route);
	if (family == AF_INET6)
		netlink_put_u8(w, RTA_PREF, 0);
	if (flags & RTM_F_CLONED)
		netlink_put_u32(w, RTA_UID, current_credentials()->uid);
	netlink_end(w);
}

void rtnl_route_notify(int event, struct network_namespace *network, const struct route *route)
{
	unsigned group = route->family == AF_INET ? RTNLGRP_IPV4_ROUTE : RTNLGRP_IPV6_ROUTE;
	struct netlink_writer w = {};

	if (!netlink_has_listeners(NETLINK_ROUTE, group))
		return;
	put_route(&w, (u16)event, route, 0);
	netlink_notify(network, NETLINK_ROUTE, group, &w);
}

struct exception_dump {
	struct netlink_request *request;
	u8 family;
};

static void put_exception(const struct route_exception *e, void *arg)
{
	const struct exception_dump *dump = arg;
	struct network_namespace *network = dump->request->network;
	struct route route = { .destination = e->destination,
			       .gateway = inet_is_any(&e->next_hop) ? e->gateway : e->next_hop,
			       .family = rtnl_family(&e->destination),
			       .prefix_length = 128,
			       .type = RTN_UNICAST,
			       .table = RT_TABLE_MAIN,
			       .mtu = e->mtu,
			       .device = net_device_find(network, e->device_index),
			       .expires_ns = e->expires_ns };

	if (inet_equal(&route.gateway, &route.destination))
		route.gateway = (struct inet_address){};
	if (!dump->family || dump->family == route.family)
		put_route(dump->request->reply, RTM_NEWROUTE, &route,
			  RTM_F_CLONED | (inet_is_any(&e->next_hop) ? 0 : RTCF_REDIRECTED));
}

/* ip route show cache: what was learned of single destinations. */
static int dump_exceptions(struct netlink_request *r, u8 family)
{
	struct exception_dump dump = { r, family };

	rcu_read_lock();
	route_exceptions_for_each(r->network, put_exception, &dump);
	rcu_read_unlock();
	return 0;
}

int rtnl_route_dump(struct netlink_request *r)
{
	const struct rtgenmsg *generic = netlink_payload(r->header, sizeof(*generic));
	const struct rtmsg *wanted = netlink_payload(r->header, sizeof(*wanted));
	u8 family = generic->rtgen_family;
	u32 table = wanted && r->strict ? wanted->rtm_table : 0;
	const struct route_table *routes = r->network->routes; /* changes need network->config */
	static const u8 families[] = { AF_INET, AF_INET6 };

	if (wanted && r->strict && (wanted->rtm_flags & RTM_F_CLONED))
		return dump_exceptions(r, family);
	for (unsigned f = 0; routes && f < ARRAY_SIZE(families); f++)
		for (unsigned i = 0; i < routes->count; i++) {
			const struct route *route = &routes->routes[i];

			if (route->family == families[f] && (!family || family == route->family) &&
			    (!table || table == route->table))
				put_route(r->reply, RTM_NEWROUTE, route, 0);
		}
	return 0;
}

static u32 flags_of(const struct route_result *found, u8 family)
{
	if (family == AF_INET6)
		return found->expires_ns ? RTM_F_CLONED : 0;
	return RTM_F_CLONED | (found->type == RTN_LOCAL ? RTCF_LOCAL : 0) |
	       (found->redirected ? RTCF_REDIRECTED : 0);
}

/* What rules may ask for besides addresses. */
static void decode_flow(const struct nlattr *const *table, struct route_query *query)
{
	query->uid = current_credentials()->uid;
	if (table[RTA_UID])
		query->uid = netlink_get_u32(table[RTA_UID]);
	if (table[RTA_OIF])
		query->device_index = (int)netlink_get_u32(table[RTA_OIF]);
	if (table[RTA_IIF])
		query->input_index = (int)netlink_get_u32(table[RTA_IIF]);
	if (table[RTA_MARK])
		query->mark = netlink_get_u32(table[RTA_MARK]);
	if (table[RTA_IP_PROTO])
		query->protocol = netlink_get_u8(table[RTA_IP_PROTO]);
	if (table[RTA_SPORT] && netlink_length(table[RTA_SPORT]) >= 2)
		query->source_port = load_net16(netlink_data(table[RTA_SPORT]));
	if (table[RTA_DPORT] && netlink_length(table[RTA_DPORT]) >= 2)
		query->destination_port = load_net16(netlink_data(table[RTA_DPORT]));
}

/* The packet that a question is about. */
static int decode_query(struct netlink_request *r, struct route_query *query)
{
	const struct rtmsg *info = netlink_payload(r->header, sizeof(*info));
	const struct nlattr *table[RTA_MAX + 1];
	int error;

	if (!info || netlink_parse(r->header, sizeof(*info), table, RTA_MAX))
		return -EINVAL;
	if (info->rtm_family != AF_INET && info->rtm_family != AF_INET6)
		return -EOPNOTSUPP;
	if (!table[RTA_DST])
		return -EINVAL;
	error = rtnl_get_address(table[RTA_DST], info->rtm_family, &query->destination);
	if (!error && table[RTA_SRC])
		error = rtnl_get_address(table[RTA_SRC], info->rtm_family, &query->source);
	decode_flow(table, query);
	query->tos = info->rtm_tos;
	return error;
}

/* ip route get: the route that a packet would take. */
int rtnl_route_get(struct netlink_request *r)
{
	struct route_query query = {};
	struct route answer = {};
	struct route_result found;
	int error = decode_query(r, &query);

	if (error)
		return error;
	rcu_read_lock();
	error = route_find_query(r->network, &query, &found);
	rcu_read_unlock();
	if (error)
		return error;
	answer.family = rtnl_family(&query.destination);
	answer.destination = query.destination;
	answer.prefix_length = 128;
	answer.type = found.type;
	/* IPv4 does not tell in which table it was found. */
	answer.table = found.type == RTN_LOCAL && answer.family == AF_INET6 ? RT_TABLE_LOCAL
									    : RT_TABLE_MAIN;
	answer.device = found.device;
	answer.source = found.source;
	if (found.type == RTN_LOCAL && answer.family == AF_INET6)
		answer.protocol = RTPROT_KERNEL;
	if (!inet_equal(&found.next_hop, &query.destination))
		answer.gateway = found.next_hop;
	if (found.mtu != route_device_mtu(found.device, &query.destination))
		answer.mtu = found.mtu;
	answer.mtu_locked = found.mtu_locked;
	answer.expires_ns = found.expires_ns ? found.expires_ns : NO_DEADLINE;
	put_route(r->reply, RTM_NEWROUTE, &answer, flags_of(&found, answer.family));
	return 0;
}

static int decode_metrics(const struct nlattr *nest, struct route *out)
{
	const struct nlattr *table[RTAX_MAX + 1];
	int error = netlink_parse_nested(nest, table, RTAX_MAX);

	if (!error && table[RTAX_MTU])
		out->mtu = netlink_get_u32(table[RTAX_MTU]);
	if (!error && table[RTAX_LOCK])
		out->mtu_locked = out->mtu && (netlink_get_u32(table[RTAX_LOCK]) & BIT(RTAX_MTU));
	return error;
}

static int decode_addresses(const struct nlattr **table, struct route *out)
{
	int error = 0;

	out->destination = out->family == AF_INET ? inet_from_v4(0) : (struct inet_address){};
	if (table[RTA_DST])
		error = rtnl_get_address(table[RTA_DST], out->family, &out->destination);
	if (!error && table[RTA_GATEWAY])
		error = rtnl_get_address(table[RTA_GATEWAY], out->family, &out->gateway);
	if (!error && table[RTA_PREFSRC])
		error = rtnl_get_address(table[RTA_PREFSRC], out->family, &out->source);
	return error;
}

/* The device that a gateway is reached through. */
static struct net_device *gateway_device(struct network_namespace *network,
					 const struct inet_address *gateway)
{
	struct inet_address any = {};
	struct route_result found;
	int error;

	rcu_read_lock();
	error = route_find(network, gateway, &any, 0, &found);
	rcu_read_unlock();
	return error ? nullptr : found.device;
}

static int decode(struct netlink_request *r, struct route *out)
{
	const struct rtmsg *info = netlink_payload(r->header, sizeof(*info));
	const struct nlattr *table[RTA_MAX + 1];
	int error;

	if (!info)
		return -EINVAL;
	error = netlink_parse(r->header, sizeof(*info), table, RTA_MAX);
	if (error)
		return error;
	if (info->rtm_family != AF_INET && info->rtm_family != AF_INET6)
		return -EOPNOTSUPP;
	if (info->rtm_dst_len > rtnl_address_size(info->rtm_family) * 8)
		return -EINVAL;
	*out = (struct route){ .family = info->rtm_family,
			       .type = info->rtm_type,
			       .scope = info->rtm_scope,
			       .protocol = info->rtm_protocol,
			       .table = info->rtm_table,
			       .expires_ns = NO_DEADLINE };
	out->prefix_length =
		(u8)(info->rtm_dst_len + (out->family == AF_INET ? INET_V4_PREFIX : 0));
	if (table[RTA_TABLE])
		out->table = netlink_get_u32(table[RTA_TABLE]);
	if (!out->table)
		out->table = RT_TABLE_MAIN;
	if (table[RTA_PRIORITY])
		out->metric = netlink_get_u32(table[RTA_PRIORITY]);
	error = decode_addresses(table, out);
	if (!error && table[RTA_METRICS])
		error = decode_metrics(table[RTA_METRICS], out);
	if (!error && table[RTA_OIF]) {
		out->device = net_device_find(r->network, (int)netlink_get_u32(table[RTA_OIF]));
		error = out->device ? 0 : -ENODEV;
	}
	return error;
}

static bool needs_device(const struct route *route)
{
	return route->type != RTN_UNREACHABLE && route->type != RTN_BLACKHOLE &&
	       route->type != RTN_PROHIBIT && route->type != RTN_THROW;
}

int rtnl_route_add(struct netlink_request *r)
	__no_lock_analysis /* network->config is held: rtnl_request */
{
	bool replace = r->header->nlmsg_flags & NLM_F_REPLACE;
	struct route route;
	int error = decode(r, &route);

	if (error)
		return error;
	if (!(r->header->nlmsg_flags & (NLM_F_CREATE | NLM_F_REPLACE)))
		return -ENOENT;
	if (!route.device && needs_device(&route)) {
		if (!inet_is_any(&route.gateway))
			route.device = gateway_device(r->network, &route.gateway);
		if (!route.device) {
			r->error_text = "Nexthop has invalid gateway";
			return inet_is_any(&route.gateway) ? -ENODEV : -ENETUNREACH;
		}
	}
	if (route.device && !(route.device->flags & IFF_UP)) {
		r->error_text = "Device for nexthop is not up";
		return -ENETDOWN;
	}
	/* Linux gives routes of IPv6 a metric. */
	if (route.family == AF_INET6 && !route.metric)
		route.metric = 1024;
	return route_add(r->network, &route, replace);
}

int rtnl_route_delete(struct netlink_request *r)
	__no_lock_analysis /* network->config is held: rtnl_request */
{
	const struct rtmsg *info = netlink_payload(r->header, sizeof(*info));
	struct route route;
	int error = decode(r, &route);

	if (error)
		return error;
	if (info->rtm_flags & RTM_F_CLONED) { /* ip -6 route flush cache */
		rcu_read_lock();
		route_exceptions_forget(r->network, route.family, &route.destination);
		rcu_read_unlock();
		return 0;
	}
	return route_remove(r->network, &route);
}
