/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICMPv6 (RFC 4443): echo and errors; neighbour discovery goes to ndp.c. */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/checksum.h>
#include <net/ipv6/ipv6.h>
#include <net/multicast.h>

#include <linux/icmpv6.h>
#include <linux/rtnetlink.h>

void icmpv6_finish_and_send(struct network_namespace *network, struct packet *p,
			    struct inet_flow *flow, int device_index)
{
	struct route_result route;
	u16 sum;

	rcu_read_lock();
	if (route_find(network, &flow->destination, &flow->source, device_index, &route)) {
		packet_free(p);
	} else {
		if (inet_is_any(&flow->source) && !flow->no_loop)
			flow->source = route.source;
		p->data[2] = p->data[3] = 0;
		sum = (u16)~checksum_fold(
			packet_sum(p, 0, p->length,
				   checksum_pseudo(&flow->source, &flow->destination, p->length,
						   IPPROTO_ICMPV6)));
		memcpy(p->data + 2, &sum, 2);
		(void)inet_output(network, p, flow, &route);
	}
	rcu_read_unlock();
}

static void echo(struct packet *p, const struct inet_info *info)
{
	struct inet_flow flow = { .source = info->destination,
				  .destination = info->source,
				  .protocol = IPPROTO_ICMPV6,
				  .tos = info->tos };

	if (info->type != RTN_LOCAL)
		flow.source = (struct inet_address){};
	if (info->network->sysctl.ipv6_echo_reflects_label)
		flow.flow_label = load_net32(p->room + p->network_header) & 0xfffff;
	p->data[0] = ICMPV6_ECHO_REPLY;
	p->checksum = CHECKSUM_UNKNOWN;
	p->echoed = false;
	icmpv6_finish_and_send(info->network, p, &flow,
			       inet_is_link_local(&info->source) ? info->device->index : 0);
}

static void error_in(struct packet *p, const struct inet_info *info)
{
	static const int unreachable[] = { ENETUNREACH,	 EACCES, EHOSTUNREACH, EHOSTUNREACH,
					   ECONNREFUSED, EACCES, EACCES };
	struct inet_error error = { .offender = info->source, .ttl = info->ttl, .tos = info->tos };
	struct ipv6_header h;

	if (!packet_linearize(p, 8 + sizeof(h) + 8))
		return;
	memcpy(&h, p->data + 8, sizeof(h));
	error.icmp_type = p->data[0];
	error.icmp_code = p->data[1];
	error.data = p->data + 8 + sizeof(h);
	error.length = p->linear - 8 - sizeof(h);
	error.inner = (struct inet_info){ .network = info->network,
					  .device = info->device,
					  .protocol = h.next_header,
					  .header_length = sizeof(h) };
	memcpy(&error.inner.source, &h.source, 16);
	memcpy(&error.inner.destination, &h.destination, 16);
	/* No packet of IPv6 has such addresses, and connections of IPv4 are not its business. */
	if (inet_is_v4(&error.inner.source) || inet_is_v4(&error.inner.destination))
		return;
	switch (p->data[0]) {
	case ICMPV6_DEST_UNREACH:
		error.error =
			p->data[1] < ARRAY_SIZE(unreachable) ? unreachable[p->data[1]] : EPROTO;
		error.fatal = p->data[1] == ICMPV6_PORT_UNREACH || p->data[1] == 1;
		break;
	case ICMPV6_PKT_TOOBIG:
		error.error = EMSGSIZE;
		error.mtu = error.info = load_net32(p->data + 4);
		break;
	case ICMPV6_TIME_EXCEED:
		error.error = EHOSTUNREACH;
		break;
	default:
		error.error = EPROTO;
		error.fatal = true;
	}
	inet_error_deliver(&error);
}

static bool checksum_ok(const struct packet *p, const struct inet_info *info)
{
	return p->checksum != CHECKSUM_UNKNOWN ||
	       checksum_fold(packet_sum(p, 0, p->length,
					checksum_pseudo(&info->source, &info->destination,
							p->length, IPPROTO_ICMPV6))) == 0xffff;
}

void icmpv6_input(struct packet *p, const struct inet_info *info)
{
	if (p->length < 8 || !packet_linearize(p, 8) || !checksum_ok(p, info))
		goto out;
	switch (p->data[0]) {
	case ICMPV6_ECHO_REQUEST:
		if (info->network->sysctl.icmp_echo_ignore_all)
			break;
		echo(p, info);
		return;
	case ICMPV6_ECHO_REPLY:
		ping_input(p, info, load_net16(p->data + 4));
		break;
	case ICMPV6_DEST_UNREACH:
	case ICMPV6_PKT_TOOBIG:
	case ICMPV6_TIME_EXCEED:
	case ICMPV6_PARAMPROB:
		error_in(p, info);
		break;
	case ICMPV6_MGM_QUERY:
		if (packet_linearize(p, MIN(p->length, 24u)))
			mld_query(p, info);
		break;
	default:
		ndp_input(p, info);
	}
out:
	packet_free(p);
}
