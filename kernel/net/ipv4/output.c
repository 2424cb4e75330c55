/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv4 out: the header, fragments, and copies that stay on this host. */
#include <core/random.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/checksum.h>
#include <net/ipv4/ipv4.h>
#include <net/local.h>
#include <net/protocol.h>
#include <net/statistics.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>

static u32 next_identification; /* atomic; starts at random */

static u16 identification(void)
{
	u32 id = __atomic_add_fetch(&next_identification, 1, __ATOMIC_RELAXED);

	if (unlikely(id < 0x10000)) {
		id |= (u32)random_u64() | 0x10000;
		__atomic_store_n(&next_identification, id, __ATOMIC_RELAXED);
	}
	return (u16)id;
}

static void finish_header(struct ipv4_header *h, unsigned header, unsigned total)
{
	h->total_length = total > 0xffff ? 0 : net16((u16)total);
	h->checksum = 0;
	h->checksum = (u16)~checksum_fold(checksum_add(h, header, 0));
}

struct packet *ipv4_fragment(const struct packet *whole, unsigned header, unsigned offset,
			     unsigned n, bool last)
{
	struct packet *p = packet_clone(whole);
	struct ipv4_header *h;
	u8 saved[IPV4_HEADER_MAX];
	u16 position;

	if (!p)
		return nullptr;
	memcpy(saved, whole->data, header);
	packet_pull(p, header + offset);
	packet_trim(p, n);
	h = packet_push(p, header);
	memcpy(h, saved, header);
	/* What is cut may be a fragment itself. */
	position = net16(h->fragment);
	h->fragment = net16((u16)(((position & IPV4_OFFSET_MASK) + offset / 8) |
				  (last ? position & IPV4_MORE_FRAGMENTS : IPV4_MORE_FRAGMENTS)));
	p->network_header = (u16)packet_headroom(p);
	p->checksum = CHECKSUM_UNKNOWN;
	finish_header(h, header, header + n);
	return p;
}

int ipv4_send_fragments(struct network_namespace *network, struct packet *packet, unsigned header,
			const struct route_result *route)
{
	struct net_statistics *s = net_statistics_of(network);
	unsigned payload = packet->length - header, step = (route->mtu - header) & ~7u;
	int error = 0;

	if (packet->checksum == CHECKSUM_PARTIAL)
		packet_complete_checksum(packet);
	for (unsigned offset = 0; offset < payload && !error; offset += step) {
		unsigned n = MIN(step, payload - offset);
		struct packet *p = ipv4_fragment(packet, header, offset, n, offset + n == payload);

		error = p ? inet_link_output(route->device, p, &route->next_hop) : -ENOBUFS;
		s->of[0][NET_IP_FRAGMENTS_MADE] += !error;
	}
	s->of[0][error ? NET_IP_FRAGMENT_FAILED : NET_IP_FRAGMENTED]++;
	packet_free(packet);
	return error;
}

int ipv4_output(struct network_namespace *network, struct packet *packet,
		const struct inet_flow *flow, const struct route_result *route)
{
	unsigned header = sizeof(struct ipv4_header) + flow->options_length;
	struct ipv4_header *h = packet_push(packet, header);
	bool fits = packet->length <= route->mtu || packet->segment_size ||
		    (route->device->features & DEVICE_LOOPBACK && packet->length <= 0xffff &&
		     flow->protocol == 6);

	*h = (struct ipv4_header){
		.version_length = (u8)(0x40 | header / 4),
		.tos = flow->tos,
		.identification = flow->dont_fragment && fits ? 0 : net16(identification()),
		.fragment = flow->dont_fragment ? net16(IPV4_DONT_FRAGMENT) : 0,
		.ttl = flow->ttl ? flow->ttl : network->sysctl.ip_default_ttl,
		.protocol = flow->protocol,
		.source = inet_to_v4(&flow->source),
		.destination = inet_to_v4(&flow->destination),
	};
	if (flow->options_length)
		memcpy(h + 1, flow->options, flow->options_length);
	if (packet->length > 0xffff && !packet->segment_size) {
		packet_free(packet);
		return -EMSGSIZE;
	}
	finish_header(h, header, packet->length);
	packet->protocol = ETH_P_IP;
	packet->network_header = (u16)packet_headroom(packet);
	if ((route->type == RTN_MULTICAST || route->type == RTN_BROADCAST) &&
	    !(route->device->features & DEVICE_LOOPBACK) && !flow->no_loop)
		net_loop_back(route->device, packet);
	if (route->type == RTN_MULTICAST && h->ttl == 0) {
		packet_free(packet);
		return 0;
	}
	if (likely(fits))
		return inet_link_output(route->device, packet, &route->next_hop);
	if (flow->dont_fragment) {
		net_count(network, NET_IP_FRAGMENT_FAILED);
		packet_free(packet);
		return -EMSGSIZE;
	}
	return ipv4_send_fragments(network, packet, header, route);
}
