/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv6 as a router (RFC 8200, section 3; RFC 4443, section 3): packets for others go on, and their senders are told if they cannot. */
#include <lib/errno.h>
#include <net/ipv6/ipv6.h>
#include <net/local.h>
#include <net/route_rule.h>
#include <net/statistics.h>

#include <linux/icmpv6.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>

bool ipv6_is_forwarded(const struct packet *p, const struct inet_info *info)
{
	return info->type == RTN_UNICAST && p->kind == PACKET_HOST &&
	       READ_ONCE(info->device->settings.ipv6[DEVCONF_FORWARDING]) &&
	       !inet_is_link_local(&info->destination) && !inet_is_any(&info->source) &&
	       !inet_is_any(&info->destination);
}

static void tell_sender(struct packet *p, const struct inet_info *info, int error)
{
	if (error == -EINVAL) /* a black hole */
		return;
	icmp_send_error(p, info, ICMPV6_DEST_UNREACH,
			error == -EACCES ? ICMPV6_ADM_PROHIBITED : ICMPV6_NOROUTE, 0);
}

void ipv6_forward(struct packet *p, struct inet_info *info)
{
	struct route_query query = { .destination = info->destination,
				     .source = info->source,
				     .input_index = info->device->index,
				     .mark = p->mark,
				     .tos = info->tos };
	struct ipv6_header *h = (struct ipv6_header *)p->data;
	struct route_result route;
	int error;

	if (h->hop_limit <= 1) {
		net_statistics_of(info->network)->of[1][NET_IP_MALFORMED]++;
		icmp_send_error(p, info, ICMPV6_TIME_EXCEED, ICMPV6_EXC_HOPLIMIT, 0);
		goto drop;
	}
	route_rules_look_at(&query, p, info);
	error = route_find_query(info->network, &query, &route);
	if (!error && route.type != RTN_UNICAST)
		error = -EINVAL;
	if (error) {
		tell_sender(p, info, error);
		goto drop;
	}
	/* A link-local address means nobody on another link (RFC 4007, section 9). */
	if (inet_is_link_local(&info->source)) {
		icmp_send_error(p, info, ICMPV6_DEST_UNREACH, ICMPV6_NOT_NEIGHBOUR, 0);
		goto drop;
	}
	ndp_redirect_sender(p, info, &route);
	if (!net_packet_fits(p, info->header_length, route.mtu)) {
		icmp_send_error(p, info, ICMPV6_PKT_TOOBIG, 0, route.mtu);
		goto drop;
	}
	h->hop_limit--;
	net_statistics_of(info->network)->of[1][NET_IP_FORWARDED]++;
	p->echoed = false;
	(void)inet_link_output(route.device, p, &route.next_hop);
	return;
drop:
	packet_free(p);
}
