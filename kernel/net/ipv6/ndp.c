/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Neighbour discovery (RFC 4861): questions, answers, and what they teach. What routers say is in router.c. */
#include <core/time.h>
#include <core/work.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/ipv6/ipv6.h>
#include <net/local.h>
#include <net/namespace.h>
#include <net/neighbour.h>
#include <sys/socket.h>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#define FLAG_ROUTER 0x80
#define FLAG_SOLICITED 0x40
#define FLAG_OVERRIDE 0x20

void ndp_append_link(struct packet *p, u8 type, const struct net_device *device)
{
	u8 *o = packet_append(p, 8);

	o[0] = type;
	o[1] = 1;
	memcpy(o + 2, device->address, 6);
}

struct packet *ndp_message(u8 type, u32 flags, const struct inet_address *target)
{
	struct packet *p = packet_alloc();
	u8 *h;

	if (!p)
		return nullptr;
	h = packet_append(p, target ? 24 : 8);
	memset(h, 0, 8);
	h[0] = type;
	h[4] = (u8)flags;
	if (target)
		memcpy(h + 8, target, 16);
	return p;
}

void ndp_solicit(struct net_device *device, const struct inet_address *target)
{
	struct inet_flow flow = { .protocol = IPPROTO_ICMPV6,
				  .ttl = 255,
				  .tos = ndp_class(device) };
	struct packet *p = ndp_message(NEIGHBOUR_SOLICITATION, 0, target);

	if (!p)
		return;
	ndp_append_link(p, OPTION_SOURCE_LINK, device);
	flow.destination = inet_solicited_group(target);
	icmpv6_finish_and_send(device->network, p, &flow, device->index);
}

void ndp_probe(struct net_device *device, const struct inet_address *target)
{
	struct inet_flow flow = { .protocol = IPPROTO_ICMPV6,
				  .ttl = 255,
				  .tos = ndp_class(device),
				  .destination = inet_solicited_group(target),
				  .no_loop = true }; /* which keeps the source unset, too */
	struct packet *p = ndp_message(NEIGHBOUR_SOLICITATION, 0, target);

	if (p)
		icmpv6_finish_and_send(device->network, p, &flow, device->index);
}

const u8 *ndp_find_option(const struct packet *p, unsigned offset, u8 type, unsigned size)
{
	while (offset + 8 <= p->linear) {
		const u8 *o = p->data + offset;
		unsigned length = o[1] * 8u;

		if (!length || offset + length > p->linear)
			return nullptr;
		if (o[0] == type && length >= size)
			return o;
		offset += length;
	}
	return nullptr;
}

static const struct net_address *find_ours(const struct net_device *device,
					   const struct inet_address *target)
{
	const struct net_address *a = rcu_dereference(device->addresses);

	while (a && !inet_equal(&a->address, target))
		a = rcu_dereference(a->next);
	return a;
}

static u32 router_flag(const struct net_device *device)
{
	return device->settings.ipv6[DEVCONF_FORWARDING] ? FLAG_ROUTER : 0;
}

void ndp_announce(struct net_device *device, const struct inet_address *address)
{
	struct inet_flow flow = { .source = *address,
				  .destination = { .bytes = { 0xff, 2, [15] = 1 } },
				  .protocol = IPPROTO_ICMPV6,
				  .ttl = 255,
				  .tos = ndp_class(device),
				  .no_loop = true };
	struct packet *p =
		ndp_message(NEIGHBOUR_ADVERTISEMENT, router_flag(device) | FLAG_OVERRIDE, address);

	if (!p)
		return;
	ndp_append_link(p, OPTION_TARGET_LINK, device);
	icmpv6_finish_and_send(device->network, p, &flow, device->index);
}

/* Nobody asks for groups; and a mapped address would be one of IPv4, of which ARP has the say. */
static bool target_is_possible(const struct packet *p)
{
	struct inet_address target;

	if (p->linear < 24)
		return false;
	memcpy(&target, p->data + 8, 16);
	return !inet_is_v4(&target) && !inet_is_multicast(&target) && !inet_is_any(&target);
}

/* A neighbour of others that this router answers for (RFC 4389, 4.1; net.ipv6.conf.*.proxy_ndp). */
static bool is_proxied(const struct net_device *device, const struct inet_address *target)
{
	return device->settings.ipv6[DEVCONF_FORWARDING] &&
	       device_setting6_either(device, DEVCONF_PROXY_NDP) &&
	       neighbour_is_proxied(device, target);
}

bool ndp_takes_for_proxy(const struct packet *p, const struct inet_info *info)
{
	u8 type;

	return unlikely(info->device->proxies) && info->protocol == IPPROTO_ICMPV6 &&
	       packet_copy(p, info->header_length, &type, 1) && type == NEIGHBOUR_SOLICITATION &&
	       is_proxied(info->device, &info->destination);
}

static void solicited(struct packet *p, const struct inet_info *info)
{
	const u8 *link = ndp_find_option(p, 24, OPTION_SOURCE_LINK, 8);
	struct inet_flow flow = { .destination = info->source,
				  .protocol = IPPROTO_ICMPV6,
				  .ttl = 255,
				  .tos = ndp_class(info->device) };
	bool asks = !inet_is_any(&info->source);
	const struct net_address *ours;
	struct packet *answer;

	memcpy(&flow.source, p->data + 8, 16);
	ours = find_ours(info->device, &flow.source);
	if (!ours && !(asks && is_proxied(info->device, &flow.source)))
		return;
	if (!asks)
		dad_heard(info->device, ours, p->room + p->link_header + 6);
	if (link && asks)
		neighbour_update(info->device, &info->source, link + 2, false, true, true);
	if (!asks) /* somebody looks whether the address is free */
		flow.destination = (struct inet_address){ .bytes = { 0xff, 2, [15] = 1 } };
	answer = ndp_message(
		NEIGHBOUR_ADVERTISEMENT,
		router_flag(info->device) | (asks ? FLAG_SOLICITED : 0) |
			(ours ? FLAG_OVERRIDE : 0), /* who is there itself comes first */
		&flow.source);
	if (!answer)
		return;
	ndp_append_link(answer, OPTION_TARGET_LINK, info->device);
	icmpv6_finish_and_send(info->network, answer, &flow, info->device->index);
}

static void advertised(struct packet *p, const struct inet_info *info)
{
	const u8 *link = ndp_find_option(p, 24, OPTION_TARGET_LINK, 8);
	const struct net_address *ours;
	struct inet_address target;

	if (!(p->data[4] & FLAG_SOLICITED) &&
	    device_setting6_either(info->device, DEVCONF_DROP_UNSOLICITED_NA))
		return;
	memcpy(&target, p->data + 8, 16);
	ours = find_ours(info->device, &target);
	if (link && ours)
		dad_heard(info->device, ours, link + 2);
	else if (link)
		neighbour_update(info->device, &target, link + 2, p->data[4] & FLAG_SOLICITED,
				 p->data[4] & FLAG_OVERRIDE, false);
}

void ndp_input(struct packet *p, const struct inet_info *info)
{
	/* Nothing that crossed a router is believed (RFC 4861, 6.1 and 7.1). */
	if (info->ttl != 255 || p->data[1] != 0 ||
	    (info->fragmented && info->device->settings.ipv6[DEVCONF_SUPPRESS_FRAG_NDISC]) ||
	    !packet_linearize(p, MIN(p->length, (unsigned)(PACKET_ROOM - packet_headroom(p)))))
		return;
	switch (p->data[0]) {
	case NEIGHBOUR_SOLICITATION:
		if (target_is_possible(p))
			solicited(p, info);
		break;
	case NEIGHBOUR_ADVERTISEMENT:
		if (target_is_possible(p))
			advertised(p, info);
		break;
	case ROUTER_ADVERTISEMENT:
		ndp_router_advertised(p, info);
		break;
	case REDIRECT:
		ndp_redirected(p, info);
		break;
	}
}
