/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of a host's addresses a packet comes from (RFC 1122 3.3.4.3, RFC 6724 section 5). */
#include <net/route.h>

#include <linux/if_addr.h>

/* --- IPv6: the rules of RFC 6724 that make a difference here, in their order --- */

enum { SCOPE_LINK = 2, SCOPE_GLOBAL = 14 };

static unsigned scope_of(const struct inet_address *a)
{
	if (inet_is_multicast(a))
		return a->bytes[1] & 15;
	return inet_is_link_local(a) || inet_is_loopback(a) ? SCOPE_LINK : SCOPE_GLOBAL;
}

/* The default policy table (2.1). */
static unsigned label_of(const struct inet_address *a)
{
	static const struct {
		u8 prefix[4], mask[4];
		unsigned label;
	} policies[] = {
		{ { 0xfc }, { 0xfe }, 13 },
		{ { 0x20, 0x02 }, { 0xff, 0xff }, 2 },
		{ { 0x20, 0x01 }, { 0xff, 0xff, 0xff, 0xff }, 5 },
		{ { 0xfe, 0xc0 }, { 0xff, 0xc0 }, 11 },
		{ { 0x3f, 0xfe }, { 0xff, 0xff }, 12 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(policies); i++) {
		bool matches = true;

		for (unsigned j = 0; j < 4; j++)
			matches &= (a->bytes[j] & policies[i].mask[j]) == policies[i].prefix[j];
		if (matches)
			return policies[i].label;
	}
	return 1;
}

static unsigned common_bits(const struct inet_address *a, const struct inet_address *b)
{
	unsigned bits = 0;

	while (bits < 128 && inet_prefix_matches(a, b, bits + 1))
		bits++;
	return bits;
}

static bool wants_temporary(const struct net_device *device, u16 preferences)
{
	if (preferences & (IPV6_PREFER_SRC_TMP | IPV6_PREFER_SRC_PUBLIC))
		return preferences & IPV6_PREFER_SRC_TMP;
	return device->settings.ipv6[DEVCONF_USE_TEMPADDR] >= 2;
}

/* Rule by rule: the first that tells them apart decides; none does: the one that is there for longer stays. */
static bool is_better6(const struct net_address *a, const struct net_address *b,
		       const struct net_device *device, const struct route_query *q)
{
	const struct inet_address *to = &q->destination;
	unsigned scope_a = scope_of(&a->address), scope_b = scope_of(&b->address);
	unsigned label = label_of(to);
	bool temporary = wants_temporary(device, q->preferences);

	if (inet_equal(&b->address, to) || inet_equal(&a->address, to))
		return inet_equal(&a->address, to);
	if (scope_a != scope_b) /* the smaller one that is large enough */
		return scope_a < scope_b ? scope_a >= scope_of(to) : scope_b < scope_of(to);
	if ((a->flags ^ b->flags) & IFA_F_DEPRECATED)
		return b->flags & IFA_F_DEPRECATED;
	if ((label_of(&a->address) == label) != (label_of(&b->address) == label))
		return label_of(&a->address) == label;
	if ((a->flags ^ b->flags) & IFA_F_TEMPORARY)
		return temporary == ((a->flags & IFA_F_TEMPORARY) != 0);
	return common_bits(&a->address, to) > common_bits(&b->address, to);
}

/* --- Both --- */

static const struct net_address *choose(const struct net_device *device,
					const struct route_query *q)
{
	const struct net_address *a, *best = nullptr;
	bool v4 = inet_is_v4(&q->destination);

	for (a = rcu_dereference(device->addresses); a; a = rcu_dereference(a->next)) {
		if (inet_is_v4(&a->address) != v4)
			continue;
		if (v4 && inet_prefix_matches(&a->address, &q->destination, a->prefix_length))
			return a;
		if (!best || (!v4 && is_better6(a, best, device, q)))
			best = a;
	}
	return best;
}

struct inet_address route_choose_source(struct network_namespace *network,
					const struct net_device *device,
					const struct route_query *q)
{
	const struct net_address *a = choose(device, q);

	/* A device without an address of its own answers with one of any device, as Linux does. */
	for (device = rcu_dereference(network->devices); !a && device;
	     device = rcu_dereference(device->next)) {
		a = choose(device, q);
		if (a && inet_is_loopback(&a->address))
			a = nullptr;
	}
	if (a)
		return a->address;
	return inet_is_v4(&q->destination) ? inet_from_v4(0) : (struct inet_address){};
}
