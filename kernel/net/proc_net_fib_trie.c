/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/net/fib_trie: the routes of IPv4 as a trie of their prefixes, which scripts read to learn the addresses of a host. The
 * routes themselves are an array (net/route.h); the trie is made of them when the file is read, so each of its nodes decides one bit, and
 * what Linux counts of look-ups in its own (fib_triestat) has no meaning here.
 */
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/sort.h>
#include <mm/slab.h>
#include <net/namespace.h>
#include <net/proc_net.h>
#include <net/route.h>

#include <sys/socket.h>

#define INDENT 3u

struct entry {
	u32 key; /* host byte order */
	const struct route *route;
};

/* The routes of one table by key, the longest prefix of a key first. */
struct trie {
	struct text_buffer *out;
	const struct entry *entries;
};

static int compare(const void *one, const void *other)
{
	const struct entry *a = one, *b = other;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (int)b->route->prefix_length - (int)a->route->prefix_length;
}

static const char *scope_name(u8 scope, char room[static 8])
{
	switch (scope) {
	case RT_SCOPE_UNIVERSE:
		return "universe";
	case RT_SCOPE_SITE:
		return "site";
	case RT_SCOPE_LINK:
		return "link";
	case RT_SCOPE_HOST:
		return "host";
	case RT_SCOPE_NOWHERE:
		return "nowhere";
	default:
		snprintf(room, 8, "%u", scope);
		return room;
	}
}

static const char *type_name(u8 type)
{
	static const char *const names[] = {
		[RTN_UNSPEC] = "UNSPEC",       [RTN_UNICAST] = "UNICAST",
		[RTN_LOCAL] = "LOCAL",	       [RTN_BROADCAST] = "BROADCAST",
		[RTN_ANYCAST] = "ANYCAST",     [RTN_MULTICAST] = "MULTICAST",
		[RTN_BLACKHOLE] = "BLACKHOLE", [RTN_UNREACHABLE] = "UNREACHABLE",
		[RTN_PROHIBIT] = "PROHIBIT",   [RTN_THROW] = "THROW",
	};

	return type < ARRAY_SIZE(names) ? names[type] : names[RTN_UNSPEC];
}

static void put_key(struct text_buffer *out, unsigned indent, const char *mark, u32 key)
{
	text_printf(out, "%*s  %s %u.%u.%u.%u", (int)(indent * INDENT), "", mark, key >> 24,
		    key >> 16 & 255, key >> 8 & 255, key & 255);
}

/* All routes of one key. */
static void put_leaf(const struct trie *t, unsigned first, unsigned end, unsigned depth)
{
	put_key(t->out, depth, "|--", t->entries[first].key);
	text_printf(t->out, "\n");
	for (unsigned i = first; i < end; i++) {
		const struct route *r = t->entries[i].route;
		char room[8];

		text_printf(t->out, "%*s  /%u %s %s\n", (int)((depth + 1) * INDENT), "",
			    r->prefix_length - INET_V4_PREFIX, scope_name(r->scope, room),
			    type_name(r->type));
	}
}

/* How many bits all keys from first to end have in common; 32: they are one key. */
static unsigned common_bits(const struct trie *t, unsigned first, unsigned end)
{
	u32 different = t->entries[first].key ^ t->entries[end - 1].key;

	return different ? (unsigned)__builtin_clz(different) : 32;
}

/* A node, no leaf, that decides the very next bit. */
static bool is_full(const struct trie *t, unsigned first, unsigned end, unsigned parent_bits)
{
	unsigned bits = common_bits(t, first, end);

	return bits < 32 && bits == parent_bits + 1;
}

/* Each step down decides a bit of the key, so there are at most 32. */
static void put_node(const struct trie *t, unsigned first, unsigned end, unsigned depth)
{
	unsigned bits = common_bits(t, first, end), middle = first;
	u32 key = t->entries[first].key;

	if (bits == 32) {
		put_leaf(t, first, end, depth);
		return;
	}
	while (!(t->entries[middle].key >> (31 - bits) & 1))
		middle++;
	put_key(t->out, depth, "+--", bits ? key & ~(UINT32_MAX >> bits) : 0);
	text_printf(t->out, "/%u 1 %u 0\n", bits,
		    is_full(t, first, middle, bits) + is_full(t, middle, end, bits));
	put_node(t, first, middle, depth + 1);
	put_node(t, middle, end, depth + 1);
}

/* Without rules local and main are one table, as the look-up takes them (net/route_rule.h), and stand for each other. */
static bool is_merged(const struct network_namespace *network, u32 table)
{
	return !network->rules && (table == RT_TABLE_MAIN || table == RT_TABLE_LOCAL);
}

static bool belongs(const struct network_namespace *network, const struct route *r, u32 table)
{
	if (r->family != AF_INET)
		return false;
	return is_merged(network, table) ? is_merged(network, r->table) : r->table == table;
}

static void put_table(const struct network_namespace *network, struct entry *entries, u32 table,
		      struct text_buffer *out) __must_hold(&network->config)
{
	const struct route_table *routes = network->routes;
	unsigned count = 0;

	for (unsigned i = 0; i < routes->count; i++) {
		const struct route *r = &routes->routes[i];

		if (belongs(network, r, table))
			entries[count++] = (struct entry){ net32(inet_to_v4(&r->destination)), r };
	}
	if (!count)
		return;
	if (table == RT_TABLE_MAIN)
		text_printf(out, "Main:\n");
	else if (table == RT_TABLE_LOCAL)
		text_printf(out, "Local:\n");
	else
		text_printf(out, "Id %u:\n", table);
	sort(entries, count, sizeof(*entries), compare);
	put_node(&(struct trie){ out, entries }, 0, count, 0);
}

/* The next number of a table with routes behind `after`; RT_TABLE_UNSPEC: there is none. */
static u32 next_table(const struct network_namespace *network, u32 after)
	__must_hold(&network->config)
{
	const struct route_table *routes = network->routes;
	u32 next = RT_TABLE_UNSPEC;

	for (unsigned i = 0; i < routes->count; i++) {
		const struct route *r = &routes->routes[i];
		u32 table = r->table;

		if (is_merged(network, table))
			table = after < RT_TABLE_MAIN ? RT_TABLE_MAIN : RT_TABLE_LOCAL;
		if (r->family == AF_INET && table > after && (!next || table < next))
			next = table;
	}
	return next;
}

static int fib_trie_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	struct entry *entries = nullptr;
	int error = 0;

	mutex_lock(&network->config);
	if (network->routes && network->routes->count) {
		entries = kvmalloc(network->routes->count * sizeof(*entries), ALLOC_USER);
		error = entries ? 0 : -ENOMEM;
	}
	for (u32 table = entries ? next_table(network, 0) : 0; table;
	     table = next_table(network, table))
		put_table(network, entries, table, out);
	mutex_unlock(&network->config);
	kvfree(entries);
	return error;
}
const struct proc_net_text proc_net_fib_trie = { .show = fib_trie_show };

static int rt_cache_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	text_printf(
		out, "%-127s\n",
		"Iface\tDestination\tGateway \tFlags\t\tRefCnt\tUse\tMetric\tSource\t\tMTU\tWindow"
		"\tIRTT\tTOS\tHHRef\tHHUptod\tSpecDst");
	return 0;
}
/* There is no cache of routes, as in Linux since 3.6. */
const struct proc_net_text proc_net_rt_cache = { .show = rt_cache_show };
