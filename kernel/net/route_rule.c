/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules: see net/route_rule.h. */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/route_rule.h>
#include <sys/socket.h>

#include <linux/fib_rules.h>

#define RULES_MAX 1024
#define LAST_BUT_DEFAULTS 32766

#define USUAL(family_, table_, priority_)                                                          \
	{ .priority = (priority_),                                                                 \
	  .table = (table_),                                                                       \
	  .suppress = -1,                                                                          \
	  .uid_last = UINT32_MAX,                                                                  \
	  .family = (family_),                                                                     \
	  .action = FR_ACT_TO_TBL,                                                                 \
	  .protocol = RTPROT_KERNEL }
static const struct route_rule usual[] = {
	USUAL(AF_INET, RT_TABLE_LOCAL, 0),	 USUAL(AF_INET6, RT_TABLE_LOCAL, 0),
	USUAL(AF_INET, RT_TABLE_MAIN, 32766),	 USUAL(AF_INET6, RT_TABLE_MAIN, 32766),
	USUAL(AF_INET, RT_TABLE_DEFAULT, 32767),
};

/* --- Look-up --- */

static bool device_is(struct network_namespace *network, int index, const char *name)
{
	const struct net_device *d = net_device_find(network, index);

	return d && !strcmp(d->name, name);
}

static bool port_is_in(u16 port, const u16 *range)
{
	return !range[0] || (port >= range[0] && port <= range[1]);
}

static bool selects(struct network_namespace *network, const struct route_rule *rule,
		    const struct route_query *q)
{
	/* What this host itself sends counts as come by the loopback device. */
	int input = q->input_index ? q->input_index : network->loopback->index;

	return inet_prefix_matches(&rule->source, &q->source, rule->source_length) &&
	       inet_prefix_matches(&rule->destination, &q->destination, rule->destination_length) &&
	       (rule->mark & rule->mark_mask) == (q->mark & rule->mark_mask) &&
	       (!rule->tos || rule->tos == q->tos) &&
	       (rule->uid_last == UINT32_MAX ||
		(q->uid >= rule->uid_first && q->uid <= rule->uid_last)) &&
	       (!rule->ip_protocol || rule->ip_protocol == q->protocol) &&
	       port_is_in(q->source_port, rule->source_ports) &&
	       port_is_in(q->destination_port, rule->destination_ports) &&
	       (!rule->input[0] || device_is(network, input, rule->input)) &&
	       (!rule->output[0] || device_is(network, q->device_index, rule->output));
}

static bool is_suppressed(const struct route_rule *rule, const struct route *r)
{
	int length = r->prefix_length - (r->family == AF_INET ? INET_V4_PREFIX : 0);

	return rule->suppress >= 0 && length <= rule->suppress;
}

void route_rules_look_at(struct route_query *query, const struct packet *p,
			 const struct inet_info *info)
{
	u8 ports[4];

	if (likely(!rcu_dereference(info->network->rules)))
		return;
	query->protocol = info->protocol;
	switch (info->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		/* Later fragments have none. */
		if (inet_is_v4(&info->destination) && (load_net16(p->data + 6) & 0x1fff))
			return;
		if (!packet_copy(p, info->header_length, ports, sizeof(ports)))
			return;
		query->source_port = load_net16(ports);
		query->destination_port = load_net16(ports + 2);
	}
}

int route_rule_target(const struct route_rule *rules, unsigned count, const struct route_rule *rule)
{
	for (unsigned i = 0; i < count; i++)
		if (rules[i].family == rule->family && rules[i].priority == rule->target)
			return (int)i;
	return -1;
}

int route_rules_look_up(struct network_namespace *network, const struct route_rules *rules,
			const struct route_table *routes, const struct route_query *q,
			const struct route **out)
{
	u8 family = inet_is_v4(&q->destination) ? AF_INET : AF_INET6;

	int target;

	for (unsigned i = 0; i < rules->count; i++) {
		const struct route_rule *rule = &rules->rules[i];

		if (rule->family != family || selects(network, rule, q) == rule->inverted)
			continue;
		switch (rule->action) {
		case FR_ACT_TO_TBL:
			*out = route_look_up(routes, rule->table, q);
			if (*out && !is_suppressed(rule, *out))
				return 0;
			break;
		case FR_ACT_GOTO: /* forwards only: there is an end of it */
			target = route_rule_target(rules->rules, rules->count, rule);
			if (target > (int)i)
				i = (unsigned)target - 1;
			break;
		case FR_ACT_UNREACHABLE:
			return -ENETUNREACH;
		case FR_ACT_PROHIBIT:
			return -EACCES;
		case FR_ACT_BLACKHOLE:
			return -EINVAL;
		}
	}
	return -ENETUNREACH;
}

/* --- Changes --- */

static const struct route_rule *list_of(const struct network_namespace *network, unsigned *count)
{
	const struct route_rules *rules = network->rules;

	*count = rules ? rules->count : ARRAY_SIZE(usual);
	return rules ? rules->rules : usual;
}

static struct route_rules *rules_alloc(unsigned count)
{
	struct route_rules *r = kmalloc(sizeof(*r) + count * sizeof(struct route_rule), 0);

	if (r)
		r->count = count;
	return r;
}

static void rules_free(struct rcu_head *head)
{
	kfree(container_of(head, struct route_rules, rcu));
}

static void publish(struct network_namespace *network, struct route_rules *rules)
{
	struct route_rules *old = network->rules;

	rcu_assign(network->rules, rules);
	__atomic_add_fetch(&network->generation, 1, __ATOMIC_RELEASE);
	if (old)
		rcu_call(&old->rcu, rules_free);
}

void route_rules_for_each(struct network_namespace *network,
			  void (*visit)(const struct route_rule *rule, bool resolved, void *arg),
			  void *arg)
{
	unsigned count;
	const struct route_rule *list = list_of(network, &count);

	for (unsigned i = 0; i < count; i++)
		visit(&list[i],
		      list[i].action != FR_ACT_GOTO ||
			      route_rule_target(list, count, &list[i]) >= 0,
		      arg);
}

static bool same(const struct route_rule *a, const struct route_rule *b)
{
	return a->priority == b->priority && a->table == b->table && a->mark == b->mark &&
	       a->target == b->target && a->uid_first == b->uid_first &&
	       a->uid_last == b->uid_last && a->ip_protocol == b->ip_protocol &&
	       !memcmp(a->source_ports, b->source_ports, sizeof(a->source_ports)) &&
	       !memcmp(a->destination_ports, b->destination_ports, sizeof(a->destination_ports)) &&
	       a->mark_mask == b->mark_mask && a->suppress == b->suppress &&
	       a->family == b->family && a->source_length == b->source_length &&
	       a->destination_length == b->destination_length && a->action == b->action &&
	       a->tos == b->tos && a->inverted == b->inverted &&
	       inet_equal(&a->source, &b->source) && inet_equal(&a->destination, &b->destination) &&
	       !strcmp(a->input, b->input) && !strcmp(a->output, b->output);
}

/* Just before the second rule of the family: whatever is added without a priority is asked first of all but `local`. */
static u32 default_priority(const struct route_rule *list, unsigned count, u8 family)
{
	unsigned seen = 0;

	for (unsigned i = 0; i < count; i++)
		if (list[i].family == family && ++seen == 2)
			return list[i].priority ? list[i].priority - 1 : 0;
	return LAST_BUT_DEFAULTS - 1;
}

int route_rule_add(struct network_namespace *network, struct route_rule *rule, bool exact)
{
	unsigned count, at = 0;
	const struct route_rule *list = list_of(network, &count);
	struct route_rules *r;

	if (!rule->priority && !exact)
		rule->priority = default_priority(list, count, rule->family);
	for (unsigned i = 0; i < count; i++)
		if (same(&list[i], rule))
			return -EEXIST;
	if (count >= RULES_MAX)
		return -ENOSPC;
	r = rules_alloc(count + 1);
	if (!r)
		return -ENOMEM;
	while (at < count && list[at].priority <= rule->priority)
		at++;
	memcpy(r->rules, list, at * sizeof(*rule));
	r->rules[at] = *rule;
	for (unsigned i = at; i < count; i++)
		r->rules[i + 1] = list[i];
	publish(network, r);
	return 0;
}

int route_rule_remove(struct network_namespace *network,
		      bool (*matches)(const struct route_rule *rule, const void *arg),
		      const void *arg, struct route_rule *gone)
{
	unsigned count, at = 0;
	const struct route_rule *list = list_of(network, &count);
	struct route_rules *r;

	while (at < count && !matches(&list[at], arg))
		at++;
	if (at == count)
		return -ENOENT;
	r = rules_alloc(count - 1);
	if (!r)
		return -ENOMEM;
	*gone = list[at];
	for (unsigned i = 0; i < r->count; i++)
		r->rules[i] = list[i < at ? i : i + 1];
	publish(network, r);
	return 0;
}
