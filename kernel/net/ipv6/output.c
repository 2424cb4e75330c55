/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv6 out: the header, fragments by the sender, copies that stay on this host. */
#include <core/random.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/ipv6/ipv6.h>
#include <net/local.h>
#include <net/statistics.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>

static void push_header(struct packet *p, const struct inet_flow *flow, u8 next, u8 hop_limit)
{
	unsigned payload = p->length;
	struct ipv6_header *h = packet_push(p, sizeof(*h));

	h->version_class_flow =
		net32(6u << 28 | (u32)flow->tos << 20 | (flow->flow_label & 0xfffff));
	h->payload_length = payload > 0xffff ? 0 : net16((u16)payload);
	h->next_header = next;
	h->hop_limit = hop_limit;
	memcpy(&h->source, &flow->source, sizeof(h->source));
	memcpy(&h->destination, &flow->destination, sizeof(h->destination));
	p->protocol = ETH_P_IPV6;
	p->network_header = (u16)packet_headroom(p);
}

static int send_fragments(struct net_statistics *s, struct packet *whole,
			  const struct inet_flow *flow, const struct route_result *route,
			  u8 hop_limit)
{
	const unsigned headers = sizeof(struct ipv6_header) + sizeof(struct ipv6_fragment_header);
	unsigned step = (route->mtu - headers) & ~7u, length = whole->length;
	u32 id = (u32)random_u64();
	int error = 0;

	if (whole->checksum == CHECKSUM_PARTIAL)
		packet_complete_checksum(whole);
	for (unsigned offset = 0; offset < length && !error; offset += step) {
		unsigned n = MIN(step, length - offset);
		struct packet *p = packet_clone(whole);
		struct ipv6_fragment_header *f;

		if (!p) {
			error = -ENOBUFS;
			break;
		}
		packet_pull(p, offset);
		packet_trim(p, n);
		f = packet_push(p, sizeof(*f));
		*f = (struct ipv6_fragment_header){
			.next_header = flow->protocol,
			.offset = net16((u16)(offset | (offset + n < length))),
			.identification = id,
		};
		push_header(p, flow, IPPROTO_FRAGMENT, hop_limit);
		error = inet_link_output(route->device, p, &route->next_hop);
		s->of[1][NET_IP_FRAGMENTS_MADE] += !error;
	}
	s->of[1][error ? NET_IP_FRAGMENT_FAILED : NET_IP_FRAGMENTED]++;
	packet_free(whole);
	return error;
}

int ipv6_output(struct network_namespace *network, struct packet *packet,
		const struct inet_flow *flow, const struct route_result *route)
{
	u8 hop_limit = flow->ttl ? flow->ttl
				 : (u8)READ_ONCE(route->device->settings.ipv6[DEVCONF_HOPLIMIT]);
	bool fits = packet->length + sizeof(struct ipv6_header) <= route->mtu ||
		    packet->segment_size ||
		    (route->device->features & DEVICE_LOOPBACK && flow->protocol == IPPROTO_TCP);

	if ((!fits && flow->dont_fragment) || (packet->length > 0xffff && !packet->segment_size)) {
		packet_free(packet);
		return -EMSGSIZE;
	}
	if (unlikely(!fits))
		return send_fragments(net_statistics_of(network), packet, flow, route, hop_limit);
	push_header(packet, flow, flow->protocol, hop_limit);
	if (route->type == RTN_MULTICAST && !(route->device->features & DEVICE_LOOPBACK) &&
	    !flow->no_loop)
		net_loop_back(route->device, packet);
	return inet_link_output(route->device, packet, &route->next_hop);
}
