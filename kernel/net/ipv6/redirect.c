/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Redirects of IPv6, taken and sent (RFC 4861, section 8). */
#include <lib/string.h>
#include <net/ipv6/ipv6.h>
#include <net/route_exception.h>

#include <linux/rtnetlink.h>

#define HEADERS 40	/* of the message: with its target and destination */
#define QUOTE_MAX 1184u /* the whole is at most 1280 bytes */
#define OPTION_REDIRECTED 4

/* --- Taken --- */

/* A router finds its ways by itself. */
static bool listens(const struct net_device *device)
{
	return !READ_ONCE(device->settings.ipv6[DEVCONF_FORWARDING]) &&
	       READ_ONCE(device->settings.ipv6[DEVCONF_ACCEPT_REDIRECTS]);
}

void ndp_redirected(struct packet *p, const struct inet_info *info)
{
	struct inet_address target, destination;
	const u8 *link;

	if (p->linear < HEADERS || !inet_is_link_local(&info->source) || !listens(info->device))
		return;
	memcpy(&target, p->data + 8, 16);
	memcpy(&destination, p->data + 24, 16);
	/* Either another router, or the destination itself: it is on the link. */
	if (inet_is_multicast(&destination) || inet_is_v4(&destination) ||
	    !(inet_is_link_local(&target) || inet_equal(&target, &destination)) ||
	    route_address_type(info->network, &target, 0) != RTN_UNICAST ||
	    !route_redirect(info->device, &destination, &info->source, &target))
		return;
	link = ndp_find_option(p, HEADERS, OPTION_TARGET_LINK, 8);
	if (link)
		neighbour_update(info->device, &target, link + 2, false, true, true);
}

/* --- Sent --- */

static bool find_link_local(const struct net_device *device, struct inet_address *out)
{
	for (const struct net_address *a = rcu_dereference(device->addresses); a;
	     a = rcu_dereference(a->next))
		if (!inet_is_v4(&a->address) && inet_is_link_local(&a->address)) {
			*out = a->address;
			return true;
		}
	return false;
}

/* The sender is on the link itself, and so is the next hop, which it may name. */
static bool is_better(const struct inet_info *info, const struct route_result *route)
{
	struct inet_address any = {};
	struct route_result back;

	return (inet_is_link_local(&route->next_hop) ||
		inet_equal(&route->next_hop, &info->destination)) &&
	       !route_find(info->network, &info->source, &any, info->device->index, &back) &&
	       back.type == RTN_UNICAST && back.device == info->device &&
	       inet_equal(&back.next_hop, &info->source);
}

static void append_quote(struct packet *message, const struct packet *about)
{
	unsigned quote = MIN((unsigned)about->linear, QUOTE_MAX) & ~7u;
	const u8 head[8] = { OPTION_REDIRECTED, (u8)(quote / 8 + 1) };

	if (!packet_append_bytes(message, head, sizeof(head)))
		(void)!packet_append_bytes(message, about->data, quote);
}

void ndp_redirect_sender(struct packet *p, const struct inet_info *info,
			 const struct route_result *route)
{
	struct inet_flow flow = { .destination = info->source,
				  .protocol = IPPROTO_ICMPV6,
				  .ttl = 255,
				  .tos = ndp_class(info->device) };
	struct packet *message;

	if (likely(route->device != info->device) || !is_better(info, route) ||
	    !find_link_local(info->device, &flow.source) || !icmp_rate_allows())
		return;
	message = ndp_message(REDIRECT, 0, &route->next_hop);
	if (!message)
		return;
	memcpy(packet_append(message, 16), &info->destination, 16);
	append_quote(message, p);
	icmpv6_finish_and_send(info->network, message, &flow, info->device->index);
}
