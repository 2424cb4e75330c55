/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules (ip-rule(8)): which tables are asked for which packets. A name space without rules of its own has none of these, and asks
 * local, main and default; with the first change it gets a list, in the order of priority, with those three in it. Like routes the
 * list is immutable, replaced as a whole under network->config, and read under RCU.
 */
#pragma once

#include <net/route.h>

struct route_rule {
	u32 priority;
	u32 table;
	u32 mark, mark_mask; /* mask 0: any */
	s32 suppress;	     /* routes of prefixes not longer than this do not count; -1 */
	struct inet_address source, destination;
	u8 family;			      /* AF_INET, AF_INET6 */
	u8 source_length, destination_length; /* of 128 bits; as in struct route */
	u8 action;			      /* FR_ACT_* */
	u8 tos;
	u8 protocol; /* RTPROT_* */
	bool inverted;
	char input[IFNAMSIZ], output[IFNAMSIZ]; /* devices; empty: any */
};

struct route_rules {
	struct rcu_head rcu;
	unsigned count;
	struct route_rule rules[] __counted_by(count);
};

/* As route_find_query, but for what the type of the route says. Under RCU. */
[[nodiscard]] int route_rules_look_up(struct network_namespace *network,
				      const struct route_rules *rules,
				      const struct route_table *routes,
				      const struct route_query *query, const struct route **out);

/* Calls `visit` for all rules, also for those of a name space without any of its own. */
void route_rules_for_each(struct network_namespace *network,
			  void (*visit)(const struct route_rule *rule, void *arg), void *arg)
	__must_hold(&network->config);
/* Adds a rule; priority 0 without `exact`: before all but the first. -EEXIST, -ENOMEM, -ENOSPC. */
[[nodiscard]] int route_rule_add(struct network_namespace *network, struct route_rule *rule,
				 bool exact) __must_hold(&network->config);
/* Removes the first rule that `matches`. It is copied out. -ENOENT, -ENOMEM. */
[[nodiscard]] int route_rule_remove(struct network_namespace *network,
				    bool (*matches)(const struct route_rule *rule, const void *arg),
				    const void *arg, struct route_rule *gone)
	__must_hold(&network->config);
