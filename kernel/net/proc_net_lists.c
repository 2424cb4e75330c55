/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/net: link-layer groups, who takes which frames, flow labels; all short lists. */
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <net/flow_label.h>
#include <net/multicast.h>
#include <net/namespace.h>
#include <net/packet/packet.h>
#include <net/proc_net.h>

#include <linux/if_arp.h>
#include <linux/if_ether.h>

#define LISTED_MAX 32u /* of lists that are walked where nothing may sleep */

/* --- dev_mcast: the groups of link addresses that a device listens to --- */

struct link_group {
	u8 address[ETH_ALEN];
	unsigned users;
};
struct link_groups {
	unsigned count;
	struct link_group group[LISTED_MAX];
};

/* Groups of the Internet that share a link address count as so many users of it. */
static void count_group(struct link_groups *g, const struct inet_address *a)
{
	u8 to[ETH_ALEN] = { 0x33, 0x33, a->bytes[12], a->bytes[13], a->bytes[14], a->bytes[15] };
	unsigned i = 0;

	if (inet_is_v4(a)) {
		to[0] = 0x01;
		to[1] = 0x00;
		to[2] = 0x5e;
		to[3] &= 0x7f;
	} else if ((a->bytes[1] & 15) < 2) { /* they stay in this host */
		return;
	}
	while (i < g->count && memcmp(g->group[i].address, to, sizeof(to)))
		i++;
	if (i == LISTED_MAX)
		return;
	if (i == g->count) {
		memcpy(g->group[i].address, to, sizeof(to));
		g->count++;
	}
	g->group[i].users++;
}

static void collect(const struct net_device *d, struct link_groups *g)
{
	static const struct inet_address all6 = { .bytes = { 0xff, 2, [15] = 1 } };
	const struct inet_address all4 = inet_from_v4(net32(0xe0000001));
	struct multicast_entry entry;
	unsigned position = 0;

	count_group(g, &all6);
	if (d->flags & IFF_UP)
		count_group(g, &all4);
	for (const struct net_address *a = d->addresses; a; a = a->next) {
		struct inet_address group = inet_solicited_group(&a->address);

		if (!inet_is_v4(&a->address) && (d->flags & IFF_UP))
			count_group(g, &group);
	}
	while (multicast_next(d, &position, &entry))
		count_group(g, &entry.group);
}

static int dev_mcast_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	mutex_lock(&network->config);
	for (const struct net_device *d = network->devices; d; d = d->next) {
		struct link_groups groups = {};

		if (d->type == ARPHRD_ETHER && !(d->flags & IFF_NOARP))
			collect(d, &groups);
		for (unsigned i = 0; i < groups.count; i++) {
			const u8 *m = groups.group[i].address;

			text_printf(out, "%-4d %-15s %-5u %-5d %02x%02x%02x%02x%02x%02x\n",
				    d->index, d->name, groups.group[i].users, 0, m[0], m[1], m[2],
				    m[3], m[4], m[5]);
		}
	}
	mutex_unlock(&network->config);
	return 0;
}
const struct proc_net_text proc_net_dev_mcast = { .show = dev_mcast_show };

/* --- ip6_flowlabel --- */

struct labels {
	unsigned count;
	struct flow_label_description label[LISTED_MAX];
};

static void keep_label(const struct flow_label_description *label, void *arg)
{
	struct labels *labels = arg;

	if (labels->count < LISTED_MAX)
		labels->label[labels->count++] = *label;
}

static int flowlabel_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	struct labels labels = {};

	inet_flow_labels_for_each(network, keep_label, &labels);
	text_printf(out, "%-5s %-1s %-6s %-6s %-6s %-8s %-32s %s\n", "Label", "S", "Owner", "Users",
		    "Linger", "Expires", "Dst", "Opt");
	for (unsigned i = 0; i < labels.count; i++) {
		const struct flow_label_description *l = &labels.label[i];

		text_printf(out, "%05X %-1d %-6llu %-6u %-6llu %-8llu ", l->label, l->share,
			    (unsigned long long)l->owner, l->users, (unsigned long long)l->linger_s,
			    (unsigned long long)l->expires_s);
		for (unsigned b = 0; b < 16; b++)
			text_printf(out, "%02x", l->destination.s6_addr[b]);
		text_printf(out, " %-4d\n", 0);
	}
	return 0;
}
const struct proc_net_text proc_net_ip6_flowlabel = { .show = flowlabel_show };

/* --- mcfilter, mcfilter6: there are no filters of sources --- */

static int mcfilter_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	text_printf(out, family == AF_INET ? "Idx Device        MCA        SRC    INC    EXC\n"
					   : "Idx Device                Multicast Address          "
					     "         Source Address    INC    EXC\n");
	return 0;
}
const struct proc_net_text proc_net_mcfilter = { .show = mcfilter_show, .family = AF_INET };
const struct proc_net_text proc_net_mcfilter6 = { .show = mcfilter_show, .family = AF_INET6 };

/* --- ptype: who takes frames of which protocol; packet sockets stand where they listen --- */

struct listeners {
	unsigned count;
	struct packet_description socket[LISTED_MAX];
};

static void keep_listener(const struct packet_description *socket, void *arg)
{
	struct listeners *l = arg;

	if (socket->protocol && l->count < LISTED_MAX)
		l->socket[l->count++] = *socket;
}

static void put_listeners(struct network_namespace *network, const struct listeners *l, bool all,
			  struct text_buffer *out)
{
	for (unsigned i = 0; i < l->count; i++) {
		const struct packet_description *s = &l->socket[i];
		const struct net_device *d;
		char name[IFNAMSIZ] = "";

		if ((s->protocol == ETH_P_ALL) != all)
			continue;
		rcu_read_lock();
		d = net_device_find(network, s->device_index);
		if (d)
			string_copy(name, d->name, sizeof(name));
		rcu_read_unlock();
		if (all)
			text_printf(out, "ALL  %-8s packet_rcv\n", name);
		else
			text_printf(out, "%04x %-8s packet_rcv\n", s->protocol, name);
	}
}

static int ptype_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	struct listeners listeners = {};

	packet_socket_for_each(network, keep_listener, &listeners);
	text_printf(out, "Type Device      Function\n");
	put_listeners(network, &listeners, true, out);
	put_listeners(network, &listeners, false, out);
	text_printf(out, "%04x %-8s %s\n", ETH_P_IP, "", "ip_rcv");
	text_printf(out, "%04x %-8s %s\n", ETH_P_ARP, "", "arp_rcv");
	text_printf(out, "%04x %-8s %s\n", ETH_P_IPV6, "", "ipv6_rcv");
	return 0;
}
const struct proc_net_text proc_net_ptype = { .show = ptype_show };
