/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/net: devices, routes, neighbours, and the sockets of families that are no Internet's. */
#include <core/rcu.h>
#include <fs/proc/proc.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <net/multicast.h>
#include <net/namespace.h>
#include <net/neighbour.h>
#include <net/netlink/netlink.h>
#include <net/packet/packet.h>
#include <net/proc_net.h>
#include <net/route.h>
#include <net/unix/unix.h>
#include <proc/task.h>

#include <linux/if_ether.h>
#include <linux/ipv6_route.h>
#include <linux/neighbour.h>
#include <linux/net.h>
#include <linux/route.h>
#include <sys/socket.h>

#define LINE_MAX 256
/* Flags of groups that are never reported, as /proc/net/igmp6 has them. */
#define MAF_LAST_REPORTER 4
#define MAF_NOREPORT 8
#define NUD_USABLE (NUD_REACHABLE | NUD_PERMANENT | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_NOARP)

/* Lines of a list that is walked where nothing may sleep: what does not fit is asked for again. */
struct lines {
	struct network_namespace *network;
	char *at;
	size_t used, size;
	unsigned count; /* lines that there were */
};

static void add_line(struct lines *l, const char *fmt, ...)
{
	__builtin_va_list arguments;

	l->count++;
	if (!l->at || l->size - l->used < LINE_MAX)
		return;
	__builtin_va_start(arguments, fmt);
	l->used += MIN((size_t)vsnprintf(l->at + l->used, LINE_MAX, fmt, arguments),
		       (size_t)LINE_MAX - 1);
	__builtin_va_end(arguments);
}

/* Has `walk` add its lines, first to count them, then into room for as many and some more. */
static int show_lines(struct network_namespace *network, struct text_buffer *out,
		      void (*walk)(struct lines *l))
{
	struct lines l = { .network = network };

	walk(&l);
	l.size = (l.count + 16ul) * LINE_MAX;
	l.at = text_reserve(out, l.size);
	if (!l.at)
		return -ENOMEM;
	walk(&l);
	out->size += l.used;
	return 0;
}

/* --- dev --- */

static void device_line(struct text_buffer *out, const struct net_device *d)
{
	struct net_device_statistics sum, *s = &sum;

	net_device_statistics_sum(d, s);
	text_printf(out,
		    "%6s: %7llu %7llu %4llu %4llu %4u %5u %10u %9llu %8llu %7llu %4llu %4llu "
		    "%4u %5u %7llu %10u\n",
		    d->name, (unsigned long long)s->receive_bytes,
		    (unsigned long long)s->receive_packets, (unsigned long long)s->receive_errors,
		    (unsigned long long)s->receive_dropped, 0, 0, 0,
		    (unsigned long long)s->receive_multicast, (unsigned long long)s->transmit_bytes,
		    (unsigned long long)s->transmit_packets, (unsigned long long)s->transmit_errors,
		    (unsigned long long)s->transmit_dropped, 0, 0,
		    (unsigned long long)s->transmit_carrier, 0);
}

static int dev_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	text_printf(out,
		    "Inter-|   Receive                                                |  "
		    "Transmit\n"
		    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    "
		    "packets errs drop fifo colls carrier compressed\n");
	mutex_lock(&network->config);
	for (const struct net_device *d = network->devices; d; d = d->next)
		device_line(out, d);
	mutex_unlock(&network->config);
	return 0;
}

/* --- route: the main table of IPv4 --- */

static u32 mask_of(u8 prefix_length)
{
	unsigned bits = prefix_length - INET_V4_PREFIX;

	return bits ? net32(~0u << (32 - bits)) : 0;
}

static int route_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	const struct route_table *table;

	text_printf(out, "%-127s\n",
		    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow"
		    "\tIRTT");
	mutex_lock(&network->config);
	table = network->routes;
	for (unsigned i = 0; table && i < table->count; i++) {
		const struct route *r = &table->routes[i];
		bool gateway = !inet_is_any(&r->gateway);
		unsigned reject =
			r->type == RTN_UNREACHABLE || r->type == RTN_PROHIBIT ? RTF_REJECT : 0;
		char line[128];

		if (r->family != AF_INET || r->table != RT_TABLE_MAIN)
			continue;
		snprintf(line, sizeof(line), "%s\t%08X\t%08X\t%04X\t%d\t%u\t%u\t%08X\t%d\t%u\t%u",
			 r->device ? r->device->name : "*", inet_to_v4(&r->destination),
			 gateway ? inet_to_v4(&r->gateway) : 0,
			 RTF_UP | (gateway ? RTF_GATEWAY : 0) | reject |
				 (r->prefix_length == 128 ? RTF_HOST : 0),
			 0, 0, r->metric, mask_of(r->prefix_length), 0, 0, 0);
		text_printf(out, "%-127s\n", line);
	}
	mutex_unlock(&network->config);
	return 0;
}

/* --- if_inet6 --- */

static int if_inet6_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	mutex_lock(&network->config);
	for (const struct net_device *d = network->devices; d; d = d->next)
		for (const struct net_address *a = d->addresses; a; a = a->next) {
			/* Scopes of the file are those of the address, not of rtnetlink. */
			unsigned scope = a->scope == RT_SCOPE_HOST   ? 0x10
					 : a->scope == RT_SCOPE_LINK ? 0x20
								     : 0;

			if (inet_is_v4(&a->address))
				continue;
			for (unsigned i = 0; i < 16; i++)
				text_printf(out, "%02x", a->address.bytes[i]);
			text_printf(out, " %02x %02x %02x %02x %8s\n", (unsigned)d->index,
				    a->prefix_length, scope, a->flags & 0xff, d->name);
		}
	mutex_unlock(&network->config);
	return 0;
}

/* --- arp --- */

static int arp_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	struct neighbour_entry entry;
	unsigned position = 0;

	text_printf(out, "IP address       HW type     Flags       HW address            Mask     "
			 "Device\n");
	while (neighbour_next(network, &position, &entry)) {
		const u8 *b = entry.address.bytes + 12, *m = entry.link_address;
		unsigned flags = entry.state & NUD_PERMANENT ? 6 : entry.state & NUD_USABLE ? 2 : 0;
		char address[16];

		if (!inet_is_v4(&entry.address))
			continue;
		snprintf(address, sizeof(address), "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
		text_printf(
			out, "%-16s 0x%-10x0x%-10x%02x:%02x:%02x:%02x:%02x:%02x     *        %s\n",
			address, 1, flags, m[0], m[1], m[2], m[3], m[4], m[5], entry.device_name);
	}
	return 0;
}

/* --- igmp: groups of IPv4 that devices listen to, all hosts always --- */

static void group_line(struct text_buffer *out, u32 group, unsigned users)
{
	text_printf(out, "\t\t\t\t%08X %5u %d:%08X\t\t%d\n", group, users, 0, 0, 0);
}

static void device_groups(struct text_buffer *out, const struct net_device *d)
{
	struct multicast_entry entry;
	unsigned position = 0, count = 1;

	while (multicast_next(d, &position, &entry))
		count += inet_is_v4(&entry.group);
	text_printf(out, "%d\t%-10s: %5u %7s\n", d->index, d->name, count, "V3");
	for (position = 0; multicast_next(d, &position, &entry);)
		if (inet_is_v4(&entry.group))
			group_line(out, inet_to_v4(&entry.group), entry.users);
	group_line(out, net32(0xe0000001), 1);
}

static int igmp_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	text_printf(out, "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n");
	mutex_lock(&network->config);
	for (const struct net_device *d = network->devices; d; d = d->next)
		if ((d->flags & IFF_UP) && (d->flags & (IFF_MULTICAST | IFF_LOOPBACK)))
			device_groups(out, d);
	mutex_unlock(&network->config);
	return 0;
}

static void group6_line(struct text_buffer *out, const struct net_device *d,
			const struct inet_address *group, unsigned users)
{
	text_printf(out, "%-4d %-15s ", d->index, d->name);
	for (unsigned i = 0; i < 16; i++)
		text_printf(out, "%02x", group->bytes[i]);
	text_printf(out, " %5u %08X %d\n", users, MAF_LAST_REPORTER | MAF_NOREPORT, 0);
}

static int igmp6_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	static const struct inet_address all_nodes = { .bytes = { 0xff, 2, [15] = 1 } },
					 all_here = { .bytes = { 0xff, 1, [15] = 1 } };
	mutex_lock(&network->config);
	for (const struct net_device *d = network->devices; d; d = d->next) {
		struct multicast_entry entry;
		unsigned position = 0;

		if (!(d->flags & IFF_UP))
			continue;
		while (multicast_next(d, &position, &entry))
			if (!inet_is_v4(&entry.group))
				group6_line(out, d, &entry.group, entry.users);
		group6_line(out, d, &all_nodes, 1);
		group6_line(out, d, &all_here, 1);
	}
	mutex_unlock(&network->config);
	return 0;
}

/* --- unix --- */

static bool unix_line(const struct unix_description *u, void *arg)
{
	add_line(arg, "%016x: %08X %08X %08X %04X %02X %5llu%s%s\n", 0, u->refs, 0,
		 u->listening ? 0x10000 : 0, u->type,
		 u->state == SS_CONNECTED ? SS_CONNECTED : SS_UNCONNECTED,
		 (unsigned long long)u->inode, u->name[0] ? " " : "", u->name);
	return true;
}

static void unix_walk(struct lines *l)
{
	unix_for_each(l->network, unix_line, l);
}

static int unix_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	text_printf(out, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	return show_lines(network, out, unix_walk);
}

/* --- netlink --- */

static bool netlink_line(const struct netlink_description *s, void *arg)
{
	add_line(arg, "%016x %-3d %-10u %08x %-8d %-8d %-5d %-8d %-8u %-8llu\n", 0, s->protocol,
		 s->port, s->groups, s->queued, 0, 0, s->refs, 0, (unsigned long long)s->inode);
	return true;
}

static void netlink_walk(struct lines *l)
{
	netlink_for_each(l->network, netlink_line, l);
}

static int netlink_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	text_printf(out,
		    "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    "
		    "Drops    Inode\n");
	return show_lines(network, out, netlink_walk);
}

/* --- packet --- */

static void packet_line(const struct packet_description *s, void *arg)
{
	add_line(arg, "%016x %-6d %-4d %04x   %-5d %1d %-6u %-6u %-6llu\n", 0, 3, s->type,
		 s->protocol, s->device_index, 1, s->queued, s->uid, (unsigned long long)s->inode);
}

static void packet_walk(struct lines *l)
{
	packet_socket_for_each(l->network, packet_line, l);
}

static int packet_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	text_printf(out, "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n");
	return show_lines(network, out, packet_walk);
}

/* --- ipv6_route: both tables, as route -6 and netstat -6r read them --- */

static const char *address_text(const struct inet_address *a, char text[static 33])
{
	for (unsigned i = 0; i < sizeof(a->bytes); i++)
		snprintf(text + 2 * i, 3, "%02x", a->bytes[i]);
	return text;
}

static void route6_line(struct text_buffer *out, const struct route *r)
{
	char to[33], source[33], gateway[33];
	bool has_gateway = !inet_is_any(&r->gateway);
	u32 flags = r->device ? RTF_UP : RTF_REJECT | RTF_NONEXTHOP;

	if (has_gateway)
		flags |= RTF_GATEWAY;
	if (r->prefix_length == 128 && r->table != RT_TABLE_LOCAL)
		flags |= RTF_HOST;
	if (r->type == RTN_LOCAL)
		flags |= RTF_LOCAL | RTF_NONEXTHOP;
	text_printf(out, "%s %02x %s %02x %s %08x %08x %08x %08x %8s\n",
		    address_text(&r->destination, to), r->prefix_length,
		    address_text(&(struct inet_address){}, source), 0,
		    address_text(&r->gateway, gateway), r->metric, 1, 0, flags,
		    r->device ? r->device->name : "lo");
}

static int ipv6_route_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	mutex_lock(&network->config);
	for (unsigned i = 0; network->routes && i < network->routes->count; i++)
		if (network->routes->routes[i].family == AF_INET6)
			route6_line(out, &network->routes->routes[i]);
	mutex_unlock(&network->config);
	return 0;
}

/* --- The directory --- */

static int show_of_process(const struct synthetic_node *node, struct text_buffer *out)
{
	const struct proc_net_text *text = node->data;
	struct network_namespace *network;
	struct task *task;
	int error = proc_node_task(node, &task);

	if (error)
		return error;
	error = network_of_task(task, &network);
	task_put(task);
	if (error)
		return -EINVAL;
	error = text->show(network, text->family, out);
	network_put(network);
	return error;
}

const struct synthetic_type proc_net_file = { .mode = S_IFREG | 0444, .show = show_of_process };

static const struct proc_net_text dev_text = { .show = dev_show },
				  route_text = { .show = route_show },
				  if_inet6_text = { .show = if_inet6_show },
				  arp_text = { .show = arp_show },
				  ipv6_route_text = { .show = ipv6_route_show },
				  igmp_text = { .show = igmp_show },
				  igmp6_text = { .show = igmp6_show },
				  unix_text = { .show = unix_show },
				  netlink_text = { .show = netlink_show },
				  packet_text = { .show = packet_show };

static const struct synthetic_named files[] = {
	{ "arp", &proc_net_file, &arp_text },
	{ "dev", &proc_net_file, &dev_text },
	{ "dev_mcast", &proc_net_file, &proc_net_dev_mcast },
	{ "igmp", &proc_net_file, &igmp_text },
	{ "igmp6", &proc_net_file, &igmp6_text },
	{ "if_inet6", &proc_net_file, &if_inet6_text },
	{ "ip6_flowlabel", &proc_net_file, &proc_net_ip6_flowlabel },
	{ "ipv6_route", &proc_net_file, &ipv6_route_text },
	{ "mcfilter", &proc_net_file, &proc_net_mcfilter },
	{ "mcfilter6", &proc_net_file, &proc_net_mcfilter6 },
	{ "netlink", &proc_net_file, &netlink_text },
	{ "netstat", &proc_net_file, &proc_net_netstat },
	{ "packet", &proc_net_file, &packet_text },
	{ "ptype", &proc_net_file, &proc_net_ptype },
	{ "route", &proc_net_file, &route_text },
	{ "tcp", &proc_net_file, &proc_net_tcp },
	{ "tcp6", &proc_net_file, &proc_net_tcp6 },
	{ "udp", &proc_net_file, &proc_net_udp },
	{ "udp6", &proc_net_file, &proc_net_udp6 },
	{ "udplite", &proc_net_file, &proc_net_udplite },
	{ "udplite6", &proc_net_file, &proc_net_udplite6 },
	{ "unix", &proc_net_file, &unix_text },
	{ "raw", &proc_net_file, &proc_net_raw },
	{ "raw6", &proc_net_file, &proc_net_raw6 },
	{ "fib_trie", &proc_net_file, &proc_net_fib_trie },
	{ "rt_cache", &proc_net_file, &proc_net_rt_cache },
	{ "icmp", &proc_net_file, &proc_net_icmp },
	{ "icmp6", &proc_net_file, &proc_net_icmp6 },
	{ "snmp", &proc_net_file, &proc_net_snmp },
	{ "snmp6", &proc_net_file, &proc_net_snmp6 },
	{ "sockstat", &proc_net_file, &proc_net_sockstat },
	{ "sockstat6", &proc_net_file, &proc_net_sockstat6 },
	{ "softnet_stat", &proc_net_file, &proc_net_softnet_stat },
};
const struct synthetic_table proc_net_table = SYNTHETIC_TABLE(files);
