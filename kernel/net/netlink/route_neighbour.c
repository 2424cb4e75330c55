/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NETLINK_ROUTE: neighbours (RTM_NEWNEIGH and its relatives). */
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/neighbour.h>
#include <net/netlink/route_priv.h>

#include <linux/neighbour.h>
#include <sys/socket.h>

static void put_neighbour(struct netlink_writer *w, const struct neighbour_entry *entry)
{
	struct ndmsg *info = netlink_begin(w, RTM_NEWNEIGH, sizeof(*info));
	u8 family = rtnl_family(&entry->address);
	u32 ticks = (u32)(entry->age_ns / (NSEC_PER_SEC / 100));
	struct nda_cacheinfo times = { ticks, ticks, ticks, 0 };

	if (info) {
		info->ndm_family = family;
		info->ndm_ifindex = entry->device_index;
		info->ndm_state = entry->state;
		info->ndm_type = RTN_UNICAST;
	}
	rtnl_put_address(w, NDA_DST, family, &entry->address);
	if (entry->state & (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT))
		netlink_put(w, NDA_LLADDR, entry->link_address, 6);
	netlink_put(w, NDA_CACHEINFO, &times, sizeof(times));
	netlink_end(w);
}

struct proxy_dump {
	struct netlink_writer *writer;
	u8 family;
};

static void put_proxy(struct net_device *device, const struct inet_address *address, void *arg)
{
	const struct proxy_dump *dump = arg;
	u8 family = rtnl_family(address);
	struct ndmsg *info;

	if (dump->family && dump->family != family)
		return;
	info = netlink_begin(dump->writer, RTM_NEWNEIGH, sizeof(*info));
	if (info) {
		info->ndm_family = family;
		info->ndm_ifindex = device->index;
		info->ndm_flags = NTF_PROXY;
		info->ndm_state = NUD_NONE;
		info->ndm_type = RTN_UNICAST;
	}
	rtnl_put_address(dump->writer, NDA_DST, family, address);
	netlink_end(dump->writer);
}

/* ip neigh show proxy */
static int dump_proxies(struct netlink_request *r,
			u8 family) __no_lock_analysis /* network->config is held: rtnl_request */
{
	struct proxy_dump dump = { r->reply, family };

	for (struct net_device *d = r->network->devices; d; d = d->next)
		neighbour_proxies_for_each(d, put_proxy, &dump);
	return 0;
}

int rtnl_neighbour_dump(struct netlink_request *r)
{
	const struct rtgenmsg *generic = netlink_payload(r->header, sizeof(*generic));
	const struct ndmsg *wanted = netlink_payload(r->header, sizeof(*wanted));
	struct neighbour_entry entry;
	unsigned position = 0;

	if (wanted && wanted->ndm_flags == NTF_PROXY)
		return dump_proxies(r, generic->rtgen_family);
	while (neighbour_next(r->network, &position, &entry))
		if (!generic->rtgen_family || generic->rtgen_family == rtnl_family(&entry.address))
			put_neighbour(r->reply, &entry);
	return 0;
}

struct neighbour_request {
	const struct ndmsg *info;
	const struct nlattr *table[NDA_MAX + 1];
	struct net_device *device;
	struct inet_address address;
};

static int decode(struct netlink_request *r, struct neighbour_request *out)
{
	int error;

	out->info = netlink_payload(r->header, sizeof(*out->info));
	if (!out->info)
		return -EINVAL;
	error = netlink_parse(r->header, sizeof(*out->info), out->table, NDA_MAX);
	if (error)
		return error;
	if (out->info->ndm_family != AF_INET && out->info->ndm_family != AF_INET6)
		return -EAFNOSUPPORT;
	if (!out->table[NDA_DST])
		return -EINVAL;
	out->device = net_device_find(r->network, out->info->ndm_ifindex);
	if (!out->device)
		return -ENODEV;
	return rtnl_get_address(out->table[NDA_DST], out->info->ndm_family, &out->address);
}

int rtnl_neighbour_add(struct netlink_request *r)
	__no_lock_analysis /* network->config is held: rtnl_request */
{
	struct neighbour_request n;
	int error = decode(r, &n);
	const struct nlattr *link;

	if (error)
		return error;
	if (n.info->ndm_flags & NTF_PROXY)
		return neighbour_proxy_add(n.device, &n.address);
	link = n.table[NDA_LLADDR];
	if (!link || netlink_length(link) < n.device->address_length)
		return -EINVAL;
	return neighbour_set(n.device, &n.address, netlink_data(link), n.info->ndm_state);
}

int rtnl_neighbour_delete(struct netlink_request *r)
	__no_lock_analysis /* network->config is held: rtnl_request */
{
	struct neighbour_request n;
	int error = decode(r, &n);

	if (error)
		return error;
	return n.info->ndm_flags & NTF_PROXY ? neighbour_proxy_remove(n.device, &n.address)
					     : neighbour_remove(n.device, &n.address);
}
