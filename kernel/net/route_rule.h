/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules (ip-rule(8)): which tables are asked for which packets. A name space without rules of its own has none of these, and asks
 * local, main and default; with the first change it gets a list, in the order of priority, with those three in it. Like routes the
 * list is immutable, replaced as a whole under network->config, and read under RCU.
 */
#pragma once

#include <net/protocol.h>
#include <net/route.h>

struct route_rule {
	u32 priority;
	u32 table;
	u32 target;		 /* of FR_ACT_GOTO: the priority of the rule to go on with */
	u32 mark, mark_mask;	 /* mask 0: any */
	u32 uid_first, uid_last; /* of the sender; last UINT32_MAX: any */
	u16 source_ports[2], destination_ports[2]; /* first and last; 0: any */
	s32 suppress; /* routes of prefixes not longer than this do not count; -1 */
	struct inet_address source, destination;
	u8 family;			      /* AF_INET, AF_INET6 */
	u8 source_length, destination_length; /* of 128 bits; as in struct route */
	u8 action;			      /* FR_ACT_* */
	u8 tos;
	u8 ip_protocol; /* IPPROTO_*; 0: any */
	u8 protocol;	/* RTPROT_* */
	bool inverted;
	char input[IFNAMSIZ], output[IFNAMSIZ]; /* devices; empty: any */
};

struct route_rules {
	struct rcu_head rcu;
	unsigned count;
	struct route_rule rules[] __counted_by(count);
};

/* The rule of which `rule`, with FR_ACT_GOTO, speaks: its index; -1: there is none. */
int route_rule_target(const struct route_rule *rules, unsigned count,
		      const struct route_rule *rule);

/* The protocol and ports of a packet that came by a device, if rules may ask for them; data at its Internet header. Under RCU. */
void route_rules_look_at(struct route_query *query, const struct packet *packet,
			 const struct inet_info *info);

/* As route_find_query, but for what the type of the route says. Under RCU. */
[[nodiscard]] int route_rules_look_up(struct network_namespace *network,
				      const struct route_rules *rules,
				      const struct route_table *routes,
				      const struct route_query *query, const struct route **out);

/* Calls `visit` for all rules (`resolved`: not a goto to nowhere), also for those of a name space without any of its own. */
void route_rules_for_each(struct network_namespace *network,
			  void (*visit)(const struct route_rule *rule, bool resolved, void *arg),
			  void *arg) __must_hold(&network->config);
/* Adds a rule; priority 0 without `exact`: before all but the first. -EEXIST, -ENOMEM, -ENOSPC. */
[[nodiscard]] int route_rule_add(struct network_namespace *network, struct route_rule *rule,
				 bool exact) __must_hold(&network->config);
/* Removes the first rule that `matches`. It is copied out. -ENOENT, -ENOMEM. */
[[nodiscard]] int route_rule_remove(struct network_namespace *network,
				    bool (*matches)(const struct route_rule *rule, const void *arg),
				    const void *arg, struct route_rule *gone)
	__must_hold(&network->config);
