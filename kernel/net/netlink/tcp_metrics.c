/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The "tcp_metrics" family of NETLINK_GENERIC (ip-tcp_metrics(8)): what TCP remembers of peers, which is their Fast Open cookies. */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/netlink/generic.h>
#include <net/tcp/tcp.h>

#include <linux/tcp_metrics.h>

static struct generic_family family;

static void put_address(struct netlink_writer *w, u16 v4_type, u16 v6_type,
			const struct inet_address *address)
{
	if (inet_is_v4(address))
		netlink_put_u32(w, v4_type, inet_to_v4(address));
	else
		netlink_put(w, v6_type, address, sizeof(*address));
}

static void put_age(struct netlink_writer *w, u16 type, u64 since_ns)
{
	u64 milliseconds = (tcp_now() - since_ns) / NSEC_PER_MSEC;

	netlink_put(w, type, &milliseconds, sizeof(milliseconds));
}

static void put_entry(struct netlink_writer *w, const struct tcp_peer_entry *e)
{
	struct genlmsghdr *header = netlink_begin(w, family.number, sizeof(*header));
	const struct tcp_peer *peer = &e->peer;

	if (header)
		*header = (struct genlmsghdr){ .cmd = TCP_METRICS_CMD_GET,
					       .version = TCP_METRICS_GENL_VERSION };
	put_address(w, TCP_METRICS_ATTR_ADDR_IPV4, TCP_METRICS_ATTR_ADDR_IPV6, &e->remote);
	put_address(w, TCP_METRICS_ATTR_SADDR_IPV4, TCP_METRICS_ATTR_SADDR_IPV6, &e->local);
	put_age(w, TCP_METRICS_ATTR_AGE, e->used_ns);
	if (peer->mss)
		netlink_put_u16(w, TCP_METRICS_ATTR_FOPEN_MSS, peer->mss);
	if (peer->losses) {
		netlink_put_u16(w, TCP_METRICS_ATTR_FOPEN_SYN_DROPS,
				(u16)MIN(peer->losses, 65535u));
		put_age(w, TCP_METRICS_ATTR_FOPEN_SYN_DROP_TS, peer->loss_ns);
	}
	if (peer->cookie_length)
		netlink_put(w, TCP_METRICS_ATTR_FOPEN_COOKIE, peer->cookie, peer->cookie_length);
	netlink_end(w);
}

/* An address of either family among the attributes. *given: there is one. -EINVAL. */
static int take_address(const struct nlattr *v4, const struct nlattr *v6,
			struct inet_address *address, bool *given)
{
	*given = v4 || v6;
	if (v4) {
		if (netlink_length(v4) < sizeof(u32))
			return -EINVAL;
		*address = inet_from_v4(netlink_get_u32(v4));
	} else if (v6) {
		if (netlink_length(v6) < sizeof(*address))
			return -EINVAL;
		memcpy(address, netlink_data(v6), sizeof(*address));
	}
	return 0;
}

/* Who a request is about. */
struct target {
	struct inet_address remote, local;
	bool has_remote, has_local;
};

static int parse(const struct netlink_request *r, struct target *out)
{
	const struct nlattr *table[TCP_METRICS_ATTR_MAX + 1];
	int error =
		netlink_parse(r->header, sizeof(struct genlmsghdr), table, TCP_METRICS_ATTR_MAX);

	if (!error)
		error = take_address(table[TCP_METRICS_ATTR_ADDR_IPV4],
				     table[TCP_METRICS_ATTR_ADDR_IPV6], &out->remote,
				     &out->has_remote);
	if (!error)
		error = take_address(table[TCP_METRICS_ATTR_SADDR_IPV4],
				     table[TCP_METRICS_ATTR_SADDR_IPV6], &out->local,
				     &out->has_local);
	return error;
}

static int get(struct netlink_request *r)
{
	struct tcp_peer_entry entry;
	struct target target;
	u32 cursor = 0;
	int error = parse(r, &target);

	if (error)
		return error;
	if (!target.has_remote)
		return -EINVAL;
	while (tcp_peer_next(r->network, &cursor, &entry)) {
		if (!inet_equal(&entry.remote, &target.remote) ||
		    (target.has_local && !inet_equal(&entry.local, &target.local)))
			continue;
		put_entry(r->reply, &entry);
		return 0;
	}
	return -ESRCH;
}

static int dump(struct netlink_request *r)
{
	struct tcp_peer_entry entry;

	for (u32 cursor = 0; tcp_peer_next(r->network, &cursor, &entry);)
		put_entry(r->reply, &entry);
	return 0;
}

/* One peer, or without an address all. */
static int forget(struct netlink_request *r)
{
	struct target target;
	int error = parse(r, &target);

	if (error)
		return error;
	if (tcp_peer_forget(r->network, target.has_remote ? &target.remote : nullptr,
			    target.has_local ? &target.local : nullptr))
		return 0;
	return target.has_remote ? -ESRCH : 0;
}

static const struct generic_operation operations[] = {
	{ .command = TCP_METRICS_CMD_GET, .request = get, .dump = dump },
	{ .command = TCP_METRICS_CMD_DEL, .flags = GENL_ADMIN_PERM, .request = forget },
};
static struct generic_family family = { .name = TCP_METRICS_GENL_NAME,
					.version = TCP_METRICS_GENL_VERSION,
					.attribute_maximum = TCP_METRICS_ATTR_MAX,
					.operations = operations,
					.operation_count = ARRAY_SIZE(operations) };

void tcp_metrics_init(void)
{
	generic_family_register(&family);
}
