/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling routers and switches which groups this host listens to: IGMPv3 (RFC 3376) and MLDv2 (RFC 3810), host side, without
 * source filters. A change is reported at once and again by the next tick but one; a query has all groups reported within
 * the time it allows, in one packet for each device and family, however many queries come.
 */
#include <core/random.h>
#include <core/time.h>
#include <lib/string.h>
#include <net/checksum.h>
#include <net/local.h>
#include <net/multicast.h>
#include <net/protocol.h>

#include <linux/in.h>

#define IGMP_QUERY 0x11
#define IGMP_REPORT 0x22
#define MLD_REPORT 143

enum { IS_EXCLUDE = 2, TO_INCLUDE = 3, TO_EXCLUDE = 4 }; /* of no sources: member; no member */

#define RECORDS_MAX 12 /* in one packet, so that it stays small */
#define GROUPS_MAX 1000

struct report {
	struct packet *packet; /* null: none begun */
	unsigned records;
	bool v4;
};

static bool begin(struct report *r, bool v4)
{
	u8 *h;

	*r = (struct report){ .packet = packet_alloc(), .v4 = v4 };
	if (!r->packet)
		return false;
	h = packet_append(r->packet, 8);
	memset(h, 0, 8);
	h[0] = v4 ? IGMP_REPORT : MLD_REPORT;
	return true;
}

static void finish(struct report *r, struct net_device *device);

/* A full packet goes, and the next begins. */
static void add(struct report *r, struct net_device *device, u8 type,
		const struct inet_address *group)
{
	unsigned length = r->v4 ? 4 : 16;
	u8 *record;

	if (r->records == RECORDS_MAX) {
		finish(r, device);
		(void)!begin(r, r->v4);
	}
	if (!r->packet)
		return;
	record = packet_append(r->packet, 4 + length);
	memset(record, 0, 4);
	record[0] = type;
	memcpy(record + 4, group->bytes + 16 - length, length);
	store_net16(r->packet->data + 6, (u16)++r->records);
}

/* The link-local address of a device, from which MLD speaks; unset without one. */
static struct inet_address link_local(const struct net_device *device)
{
	for (const struct net_address *a = rcu_dereference(device->addresses); a;
	     a = rcu_dereference(a->next))
		if (!inet_is_v4(&a->address) && inet_is_link_local(&a->address))
			return a->address;
	return (struct inet_address){};
}

static void put_checksum(struct packet *p, u32 pseudo)
{
	u16 sum = (u16)~checksum_fold(packet_sum(p, 0, p->length, pseudo));

	memcpy(p->data + 2, &sum, sizeof(sum));
}

static void send4(struct net_device *device, struct packet *p)
{
	static const u8 router_alert[4] = { 0x94, 4 };
	struct inet_flow flow = { .source = inet_from_v4(0),
				  .destination = inet_from_v4(net32(0xe0000016)),
				  .protocol = IPPROTO_IGMP,
				  .ttl = 1,
				  .tos = 0xc0,
				  .no_loop = true,
				  .options = router_alert,
				  .options_length = sizeof(router_alert) };

	put_checksum(p, 0);
	(void)!inet_send(device->network, p, &flow, device->index);
}

static void send6(struct net_device *device, struct packet *p)
{
	static const u8 router_alert[8] = { IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0 };
	struct inet_flow flow = { .source = link_local(device),
				  .destination = { .bytes = { 0xff, 2, [15] = 0x16 } },
				  .protocol = IPPROTO_HOPOPTS,
				  .ttl = 1,
				  .no_loop = true };

	if (inet_is_any(&flow.source)) {
		packet_free(p);
		return;
	}
	put_checksum(p,
		     checksum_pseudo(&flow.source, &flow.destination, p->length, IPPROTO_ICMPV6));
	memcpy(packet_push(p, sizeof(router_alert)), router_alert, sizeof(router_alert));
	(void)!inet_send(device->network, p, &flow, device->index);
}

static void finish(struct report *r, struct net_device *device)
{
	if (!r->records)
		packet_free(r->packet);
	else if (r->v4)
		send4(device, r->packet);
	else
		send6(device, r->packet);
}

static bool reports(const struct net_device *device)
{
	return (device->flags & IFF_UP) && !(device->flags & IFF_LOOPBACK);
}

/* All hosts, and what stays in the host, need no report (RFC 3376, 6; RFC 3810, 6). */
static bool reported(const struct inet_address *group)
{
	if (inet_is_v4(group))
		return group->words[3] != net32(0xe0000001);
	return (group->bytes[1] & 15) > 1 &&
	       !inet_equal(group, &(struct inet_address){ .bytes = { 0xff, 2, [15] = 1 } });
}

static void schedule(struct net_device *device, bool v4, u64 delay_ns)
{
	u64 *due = &device->group_report_ns[!v4], at = clock_monotonic_ns() + delay_ns;
	u64 old = READ_ONCE(*due);

	if (!old || old > at)
		WRITE_ONCE(*due, at);
}

/* When a report that nobody asked for is said again. */
static u64 report_interval(const struct net_device *device, bool v4)
{
	s32 ms = v4 ? device->settings.ipv4[IPV4_DEVCONF_IGMPV3_UNSOLICITED_REPORT_INTERVAL]
		    : device->settings.ipv6[DEVCONF_MLDV2_UNSOLICITED_REPORT_INTERVAL];

	return (u64)MAX(ms, 1) * NSEC_PER_MSEC;
}

void multicast_report_change(struct net_device *device, const struct inet_address *group,
			     bool joined)
{
	bool v4 = inet_is_v4(group);
	struct report r;

	if (!reports(device) || !reported(group) || !begin(&r, v4))
		return;
	add(&r, device, joined ? TO_EXCLUDE : TO_INCLUDE, group);
	finish(&r, device);
	if (joined)
		schedule(device, v4, report_interval(device, v4));
}

void multicast_report_soon(struct net_device *device)
{
	schedule(device, false, report_interval(device, false));
}

/* Everything that is listened to: memberships, and the groups in which IPv6 neighbours ask for our addresses. */
static void report_all(struct net_device *device, bool v4)
{
	struct multicast_entry e;
	unsigned position = 0;
	struct report r;

	if (!reports(device) || !begin(&r, v4))
		return;
	while (position < GROUPS_MAX && multicast_next(device, &position, &e))
		if (inet_is_v4(&e.group) == v4 && reported(&e.group))
			add(&r, device, IS_EXCLUDE, &e.group);
	for (const struct net_address *a = rcu_dereference(device->addresses); a && !v4;
	     a = rcu_dereference(a->next)) {
		struct inet_address group = inet_solicited_group(&a->address);

		if (!inet_is_v4(&a->address))
			add(&r, device, IS_EXCLUDE, &group);
	}
	finish(&r, device);
}

void multicast_tick(struct network_namespace *network)
{
	u64 now = clock_monotonic_ns();

	for (struct net_device *d = rcu_dereference(network->devices); d;
	     d = rcu_dereference(d->next))
		for (unsigned family = 0; family < 2; family++) {
			u64 due = READ_ONCE(d->group_report_ns[family]);

			if (!due || due > now)
				continue;
			WRITE_ONCE(d->group_report_ns[family], 0);
			report_all(d, family == 0);
		}
}

void igmp_input(struct packet *p, const struct inet_info *info)
{
	if (p->length >= 8 && packet_linearize(p, 8) && p->data[0] == IGMP_QUERY &&
	    checksum_fold(packet_sum(p, 0, p->length, 0)) == 0xffff)
		schedule(info->device, true, random_below((p->data[1] + 1u) * 100 * NSEC_PER_MSEC));
	packet_free(p);
}

void mld_query(const struct packet *p, const struct inet_info *info)
{
	if (p->linear >= 24 && info->ttl == 1 && inet_is_link_local(&info->source))
		schedule(info->device, false,
			 random_below((load_net16(p->data + 4) + 1u) * NSEC_PER_MSEC));
}
