/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NETLINK_ROUTE: rules (RTM_NEWRULE and its relatives). */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/netlink/route_priv.h>
#include <net/route_rule.h>

#include <linux/fib_rules.h>
#include <sys/socket.h>

static u8 prefix_told(u8 family, u8 length)
{
	return length ? rtnl_prefix(family, length) : 0;
}

static void put_ports(struct netlink_writer *w, u16 type, const u16 *range)
{
	struct fib_rule_port_range ports = { range[0], range[1] };

	if (range[0])
		netlink_put(w, type, &ports, sizeof(ports));
}

static void put_selectors(struct netlink_writer *w, const struct route_rule *rule)
{
	struct fib_rule_uid_range uids = { rule->uid_first, rule->uid_last };

	if (rule->mark)
		netlink_put_u32(w, FRA_FWMARK, rule->mark);
	if (rule->mark_mask)
		netlink_put_u32(w, FRA_FWMASK, rule->mark_mask);
	if (rule->uid_last != UINT32_MAX)
		netlink_put(w, FRA_UID_RANGE, &uids, sizeof(uids));
	if (rule->ip_protocol)
		netlink_put_u8(w, FRA_IP_PROTO, rule->ip_protocol);
	put_ports(w, FRA_SPORT_RANGE, rule->source_ports);
	put_ports(w, FRA_DPORT_RANGE, rule->destination_ports);
	if (rule->destination_length)
		rtnl_put_address(w, FRA_DST, rule->family, &rule->destination);
	if (rule->source_length)
		rtnl_put_address(w, FRA_SRC, rule->family, &rule->source);
}

/* What does not work as it stands: devices that are not there, a goto to nowhere. */
static u32 flags_of(struct network_namespace *network, const struct route_rule *rule, bool resolved)
{
	u32 flags = rule->inverted ? FIB_RULE_INVERT : 0;

	if (!resolved)
		flags |= FIB_RULE_UNRESOLVED;
	if (rule->input[0] && !net_device_find_name(network, rule->input))
		flags |= FIB_RULE_IIF_DETACHED;
	if (rule->output[0] && !net_device_find_name(network, rule->output))
		flags |= FIB_RULE_OIF_DETACHED;
	return flags;
}

static void put_rule(struct netlink_writer *w, u16 type, const struct route_rule *rule, u32 flags)
{
	struct fib_rule_hdr *info = netlink_begin(w, type, sizeof(*info));
	u8 family = rule->family;

	if (info) {
		info->family = family;
		info->src_len = prefix_told(family, rule->source_length);
		info->dst_len = prefix_told(family, rule->destination_length);
		info->tos = rule->tos;
		info->table = rule->table < 256 ? (u8)rule->table : RT_TABLE_COMPAT;
		info->action = rule->action;
		info->flags = flags;
	}
	netlink_put_u32(w, FRA_TABLE, rule->table);
	netlink_put_u32(w, FRA_SUPPRESS_PREFIXLEN, (u32)rule->suppress);
	netlink_put_u8(w, FRA_PROTOCOL, rule->protocol);
	if (rule->input[0])
		netlink_put_string(w, FRA_IIFNAME, rule->input);
	if (rule->output[0])
		netlink_put_string(w, FRA_OIFNAME, rule->output);
	if (rule->priority)
		netlink_put_u32(w, FRA_PRIORITY, rule->priority);
	if (rule->action == FR_ACT_GOTO)
		netlink_put_u32(w, FRA_GOTO, rule->target);
	put_selectors(w, rule);
	netlink_end(w);
}

struct dump {
	struct netlink_request *request;
	u8 family;
};

static void visit(const struct route_rule *rule, bool resolved, void *arg)
{
	const struct dump *dump = arg;

	if (rule->family == dump->family)
		put_rule(dump->request->reply, RTM_NEWRULE, rule,
			 flags_of(dump->request->network, rule, resolved));
}

int rtnl_rule_dump(struct netlink_request *r)
	__no_lock_analysis /* network->config is held: rtnl_request */
{
	const struct rtgenmsg *wanted = netlink_payload(r->header, sizeof(*wanted));
	static const u8 families[] = { AF_INET, AF_INET6 };

	for (unsigned i = 0; i < ARRAY_SIZE(families); i++)
		if (!wanted->rtgen_family || wanted->rtgen_family == families[i]) {
			struct dump dump = { r, families[i] };

			route_rules_for_each(r->network, visit, &dump);
		}
	return 0;
}

/* What a request names, and with which attributes. */
struct rule_request {
	struct route_rule rule;
	const struct nlattr *table[FRA_MAX + 1];
};

static int decode_prefix(const struct nlattr *attribute, u8 family, u8 length,
			 struct inet_address *address, u8 *prefix_length)
{
	int error;

	if (length > rtnl_address_size(family) * 8 || (length && !attribute))
		return -EINVAL;
	if (!length)
		return 0;
	error = rtnl_get_address(attribute, family, address);
	*prefix_length = (u8)(length + (family == AF_INET ? INET_V4_PREFIX : 0));
	if (!error)
		inet_mask(address, *prefix_length);
	return error;
}

static int decode_ports(const struct nlattr *attribute, u16 *range)
{
	const struct fib_rule_port_range *ports;

	if (!attribute)
		return 0;
	if (netlink_length(attribute) != sizeof(*ports))
		return -EINVAL;
	ports = netlink_data(attribute);
	range[0] = ports->start;
	range[1] = ports->end;
	return !range[0] || range[0] > range[1] ? -EINVAL : 0;
}

static int decode_uids(const struct nlattr *attribute, struct route_rule *rule)
{
	const struct fib_rule_uid_range *uids;

	if (!attribute)
		return 0;
	if (netlink_length(attribute) != sizeof(*uids))
		return -EINVAL;
	uids = netlink_data(attribute);
	rule->uid_first = uids->start;
	rule->uid_last = uids->end;
	return uids->end == UINT32_MAX || uids->start > uids->end ? -EINVAL : 0;
}

static int decode_goto(struct netlink_request *r, struct rule_request *request)
{
	const struct nlattr *target = request->table[FRA_GOTO];
	struct route_rule *rule = &request->rule;

	if (!target != (rule->action != FR_ACT_GOTO)) {
		r->error_text = target ? "Unexpected goto" : "Missing goto target for action goto";
		return -EINVAL;
	}
	if (target)
		rule->target = netlink_get_u32(target);
	if (target && rule->target <= rule->priority) {
		r->error_text = "Backward goto not supported";
		return -EINVAL;
	}
	return 0;
}

static int decode_numbers(struct rule_request *request)
{
	const struct nlattr *const *table = request->table;
	struct route_rule *rule = &request->rule;
	int error = decode_uids(table[FRA_UID_RANGE], rule);

	if (!error)
		error = decode_ports(table[FRA_SPORT_RANGE], rule->source_ports);
	if (!error)
		error = decode_ports(table[FRA_DPORT_RANGE], rule->destination_ports);
	if (error)
		return error;
	if (table[FRA_IP_PROTO])
		rule->ip_protocol = netlink_get_u8(table[FRA_IP_PROTO]);

	if (table[FRA_TABLE])
		rule->table = netlink_get_u32(table[FRA_TABLE]);
	if (table[FRA_PRIORITY])
		rule->priority = netlink_get_u32(table[FRA_PRIORITY]);
	if (table[FRA_FWMARK]) {
		rule->mark = netlink_get_u32(table[FRA_FWMARK]);
		rule->mark_mask = ~0u;
	}
	if (table[FRA_FWMASK])
		rule->mark_mask = netlink_get_u32(table[FRA_FWMASK]);
	if (table[FRA_SUPPRESS_PREFIXLEN])
		rule->suppress = (s32)netlink_get_u32(table[FRA_SUPPRESS_PREFIXLEN]);
	if (table[FRA_PROTOCOL])
		rule->protocol = netlink_get_u8(table[FRA_PROTOCOL]);
	if (table[FRA_IIFNAME])
		error = netlink_get_string(table[FRA_IIFNAME], rule->input, sizeof(rule->input));
	if (!error && table[FRA_OIFNAME])
		error = netlink_get_string(table[FRA_OIFNAME], rule->output, sizeof(rule->output));
	return error;
}

static int decode(struct netlink_request *r, struct rule_request *out)
{
	static const u8 unknown[] = { FRA_FLOW, FRA_TUN_ID, FRA_L3MDEV, FRA_SUPPRESS_IFGROUP };
	const struct fib_rule_hdr *info = netlink_payload(r->header, sizeof(*info));
	struct route_rule *rule = &out->rule;
	int error;

	*out = (struct rule_request){};
	if (!info)
		return -EINVAL;
	error = netlink_parse(r->header, sizeof(*info), out->table, FRA_MAX);
	if (error)
		return error;
	if (info->family != AF_INET && info->family != AF_INET6)
		return -EAFNOSUPPORT;
	for (unsigned i = 0; i < ARRAY_SIZE(unknown); i++)
		if (out->table[unknown[i]] && (unknown[i] != FRA_SUPPRESS_IFGROUP ||
					       netlink_get_u32(out->table[unknown[i]]) != ~0u)) {
			r->error_text = "Rules of this kind are not supported";
			return -EOPNOTSUPP;
		}
	*rule = (struct route_rule){ .table = info->table,
				     .suppress = -1,
				     .uid_last = UINT32_MAX,
				     .family = info->family,
				     .action = info->action,
				     .tos = info->tos,
				     .inverted = info->flags & FIB_RULE_INVERT };
	error = decode_numbers(out);
	if (!error)
		error = decode_prefix(out->table[FRA_SRC], rule->family, info->src_len,
				      &rule->source, &rule->source_length);
	if (!error)
		error = decode_prefix(out->table[FRA_DST], rule->family, info->dst_len,
				      &rule->destination, &rule->destination_length);
	return error;
}

static void notify(struct netlink_request *r, u16 type, const struct route_rule *rule)
{
	unsigned group = rule->family == AF_INET ? RTNLGRP_IPV4_RULE : RTNLGRP_IPV6_RULE;
	struct netlink_writer w = {};

	if (!netlink_has_listeners(NETLINK_ROUTE, group))
		return;
	put_rule(&w, type, rule, flags_of(r->network, rule, true));
	netlink_notify(r->network, NETLINK_ROUTE, group, &w);
}

int rtnl_rule_add(struct netlink_request *r)
	__no_lock_analysis /* network->config is held: rtnl_request */
{
	struct rule_request request;
	struct route_rule *rule = &request.rule;
	int error = decode(r, &request);

	if (error)
		return error;
	if (rule->action != FR_ACT_TO_TBL && rule->action != FR_ACT_NOP &&
	    rule->action != FR_ACT_GOTO && rule->action != FR_ACT_BLACKHOLE &&
	    rule->action != FR_ACT_UNREACHABLE && rule->action != FR_ACT_PROHIBIT)
		return -EINVAL;
	error = decode_goto(r, &request);
	if (error)
		return error;
	if (rule->action == FR_ACT_TO_TBL && !rule->table)
		return -EINVAL; /* Linux chooses a free table; nobody asks for that */
	error = route_rule_add(r->network, rule, request.table[FRA_PRIORITY]);
	if (!error)
		notify(r, RTM_NEWRULE, rule);
	return error;
}

static bool selects_the_same(const struct route_rule *rule, const struct rule_request *request)
{
	const struct route_rule *wanted = &request->rule;
	const struct nlattr *const *table = request->table;

	return (!table[FRA_GOTO] || rule->target == netlink_get_u32(table[FRA_GOTO])) &&
	       (!table[FRA_IP_PROTO] || rule->ip_protocol == wanted->ip_protocol) &&
	       (!table[FRA_UID_RANGE] ||
		(rule->uid_first == wanted->uid_first && rule->uid_last == wanted->uid_last)) &&
	       (!table[FRA_SPORT_RANGE] ||
		!memcmp(rule->source_ports, wanted->source_ports, sizeof(rule->source_ports))) &&
	       (!table[FRA_DPORT_RANGE] ||
		!memcmp(rule->destination_ports, wanted->destination_ports,
			sizeof(rule->destination_ports)));
}

/* A request to remove means the first rule of which all that it names is true. */
static bool named(const struct route_rule *rule, const void *arg)
{
	const struct rule_request *request = arg;
	const struct route_rule *wanted = &request->rule;
	const struct nlattr *const *table = request->table;

	return rule->family == wanted->family &&
	       (!wanted->action || rule->action == wanted->action) &&
	       (!wanted->table || rule->table == wanted->table) &&
	       (!wanted->tos || rule->tos == wanted->tos) &&
	       (!wanted->inverted || rule->inverted) &&
	       (!table[FRA_PRIORITY] || rule->priority == wanted->priority) &&
	       (!table[FRA_FWMARK] || rule->mark == wanted->mark) &&
	       (!table[FRA_FWMASK] || rule->mark_mask == wanted->mark_mask) &&
	       selects_the_same(rule, request) &&
	       (wanted->suppress < 0 || rule->suppress == wanted->suppress) &&
	       (!table[FRA_IIFNAME] || !strcmp(rule->input, wanted->input)) &&
	       (!table[FRA_OIFNAME] || !strcmp(rule->output, wanted->output)) &&
	       (!wanted->source_length || (rule->source_length == wanted->source_length &&
					   inet_equal(&rule->source, &wanted->source))) &&
	       (!wanted->destination_length ||
		(rule->destination_length == wanted->destination_length &&
		 inet_equal(&rule->destination, &wanted->destination)));
}

int rtnl_rule_delete(struct netlink_request *r)
	__no_lock_analysis /* network->config is held: rtnl_request */
{
	struct rule_request request;
	struct route_rule gone;
	int error = decode(r, &request);

	if (!error)
		error = route_rule_remove(r->network, named, &request, &gone);
	if (!error)
		notify(r, RTM_DELRULE, &gone);
	return error;
}
