/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv4 as a router (RFC 1812): packets for others go on to their next hop, with their time to live less by one; whoever sent one that
 * cannot go on is told. And whether a packet comes from where its source is (net.ipv4.conf.*.rp_filter, RFC 3704).
 */
#include <core/log.h>
#include <core/time.h>
#include <lib/errno.h>
#include <net/checksum.h>
#include <net/ipv4/ipv4.h>
#include <net/local.h>
#include <net/route_rule.h>
#include <net/statistics.h>

#include <linux/icmp.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>

/* --- Sources --- */

enum { REVERSE_PATH_OFF, REVERSE_PATH_STRICT, REVERSE_PATH_LOOSE };

static bool reverse_path_is_good(const struct packet *p, const struct inet_info *info, s32 mode)
{
	struct route_query query = { .destination = info->source,
				     .source = info->destination,
				     .input_index = info->device->index,
				     .tos = info->tos };
	struct route_result route;

	if (route_find_query(info->network, &query, &route) || route.type != RTN_UNICAST)
		return false;
	return mode == REVERSE_PATH_LOOSE || route.device == p->device;
}

bool ipv4_source_is_good(const struct packet *p, const struct inet_info *info)
{
	s32 mode;

	if (p->echoed || inet_is_any(&info->source))
		return true;
	/* Nobody else has an address of ours. */
	if (route_address_type(info->network, &info->source, 0) != RTN_UNICAST)
		return info->device->settings.ipv4[IPV4_DEVCONF_ACCEPT_LOCAL] ||
		       info->network->settings_all.ipv4[IPV4_DEVCONF_ACCEPT_LOCAL];
	mode = device_setting4_largest(info->device, IPV4_DEVCONF_RP_FILTER);
	return likely(mode == REVERSE_PATH_OFF) || reverse_path_is_good(p, info, mode);
}

void ipv4_log_martian(const struct inet_info *info)
{
	static u64 last_ns;
	const u8 *s = info->source.bytes + 12, *d = info->destination.bytes + 12;
	u64 now = clock_monotonic_ns();

	/* Once a second at most: whoever sends them may send many. */
	if (!device_setting4_either(info->device, IPV4_DEVCONF_LOG_MARTIANS) ||
	    now - READ_ONCE(last_ns) < NSEC_PER_SEC)
		return;
	WRITE_ONCE(last_ns, now);
	log_warning("IPv4: martian source %u.%u.%u.%u from %u.%u.%u.%u, on dev %s", d[0], d[1],
		    d[2], d[3], s[0], s[1], s[2], s[3], info->device->name);
}

/* --- Forwarding --- */

/* Says so unless nobody is to know. */
static void tell_sender(struct packet *p, const struct inet_info *info, int error)
{
	if (error == -EINVAL) /* a black hole */
		return;
	icmp_send_error(p, info, ICMP_DEST_UNREACH,
			error == -EACCES	 ? ICMP_PKT_FILTERED
			: error == -EHOSTUNREACH ? ICMP_HOST_UNREACH
						 : ICMP_NET_UNREACH,
			0);
}

void ipv4_forward(struct packet *p, struct inet_info *info)
{
	struct route_query query = { .destination = info->destination,
				     .source = info->source,
				     .input_index = info->device->index,
				     .mark = p->mark,
				     .tos = info->tos };
	struct ipv4_header *h = (struct ipv4_header *)p->data;
	struct route_result route;
	int error;

	if (h->ttl <= 1) {
		net_statistics_of(info->network)->of[0][NET_IP_MALFORMED]++;
		icmp_send_error(p, info, ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, 0);
		goto drop;
	}
	route_rules_look_at(&query, p, info);
	error = route_find_query(info->network, &query, &route);
	if (!error && route.type != RTN_UNICAST)
		error = -EINVAL; /* a broadcast, which does not cross a router */
	if (error) {
		tell_sender(p, info, error);
		goto drop;
	}
	icmp_redirect_sender(p, info, &route);
	if (!net_packet_fits(p, info->header_length, route.mtu) &&
	    (p->segment_size || h->fragment & net16(IPV4_DONT_FRAGMENT))) {
		icmp_send_error(p, info, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, route.mtu);
		goto drop;
	}
	h->ttl--;
	h->checksum = 0;
	h->checksum = (u16)~checksum_fold(checksum_add(h, info->header_length, 0));
	net_statistics_of(info->network)->of[0][NET_IP_FORWARDED]++;
	p->echoed = false;
	if (net_packet_fits(p, info->header_length, route.mtu))
		(void)inet_link_output(route.device, p, &route.next_hop);
	else
		(void)ipv4_send_fragments(info->network, p, info->header_length, &route);
	return;
drop:
	packet_free(p);
}
