/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv4 in: validation, reassembly, delivery (RFC 791, RFC 1122). */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/checksum.h>
#include <net/ipv4/ipv4.h>
#include <net/protocol.h>
#include <net/statistics.h>

#include <linux/if_packet.h>
#include <linux/rtnetlink.h>

/* The header is sound and linear, and the packet as long as it says. */
static bool validate(struct packet *p, struct ipv4_header *h)
{
	unsigned header, total;

	if (!packet_copy(p, 0, h, sizeof(*h)))
		return false;
	header = (h->version_length & 15) * 4;
	total = net16(h->total_length);
	/* A packet of more than 64 KiB that loopback did not cut says 0. */
	if (!total && p->segment_size)
		total = p->length;
	if (h->version_length >> 4 != 4 || header < sizeof(*h) || total < header ||
	    total > p->length)
		return false;
	if (!packet_linearize(p, header))
		return false;
	/* What left its transport checksum to the device came from our own transports, header and all. */
	if (!(p->echoed && p->checksum == CHECKSUM_PARTIAL) &&
	    checksum_fold(checksum_add(p->data, header, 0)) != 0xffff)
		return false;
	packet_trim(p, total);
	return true;
}

static bool accepted(struct packet *p, const struct inet_info *info)
{
	switch (info->type) {
	case RTN_LOCAL:
	case RTN_BROADCAST:
		return true;
	case RTN_MULTICAST:
		return p->echoed || multicast_joined(info->device, &info->destination);
	default:
		return false;
	}
}

/* Nobody outside has such an address (RFC 1122, 3.2.1.3). */
static bool is_martian(const struct packet *p, const struct inet_info *info)
{
	if (inet_is_multicast(&info->source) || inet_is_limited_broadcast(&info->source))
		return true;
	/* Who has no address yet speaks to all of the link only. */
	if (info->source.bytes[12] == 0 && info->type != RTN_BROADCAST &&
	    info->type != RTN_MULTICAST)
		return !p->echoed;
	if ((inet_is_loopback(&info->source) || inet_is_loopback(&info->destination)) &&
	    !p->echoed && !device_setting4_either(info->device, IPV4_DEVCONF_ROUTE_LOCALNET))
		return true;
	return !ipv4_source_is_good(p, info);
}

/* A frame for a group of link addresses has no packet for one host (RFC 1122, 3.3.6). */
static bool is_misaddressed(const struct packet *p, const struct inet_info *info)
{
	return (p->kind == PACKET_BROADCAST || p->kind == PACKET_MULTICAST) && !p->echoed &&
	       info->type != RTN_BROADCAST && info->type != RTN_MULTICAST &&
	       device_setting4_either(info->device, IPV4_DEVCONF_DROP_UNICAST_IN_L2_MULTICAST);
}

static bool is_forwarded(const struct packet *p, const struct inet_info *info)
{
	return info->type == RTN_UNICAST && p->kind == PACKET_HOST &&
	       READ_ONCE(info->device->settings.ipv4[IPV4_DEVCONF_FORWARDING]);
}

static struct packet *reassemble(struct packet *p, struct inet_info *info)
{
	const struct ipv4_header *h = (const struct ipv4_header *)p->data;
	u16 fragment = net16(h->fragment);
	struct fragment_key key = {
		.source = info->source,
		.destination = info->destination,
		.identification = h->identification,
		.protocol = h->protocol,
	};

	return inet_reassemble(p, &key, info->network, info->header_length,
			       (fragment & IPV4_OFFSET_MASK) * 8u, fragment & IPV4_MORE_FRAGMENTS);
}

void ipv4_input(struct packet *p)
{
	struct net_statistics *s = net_statistics_of(p->device->network);
	struct inet_info info;
	struct ipv4_header h;

	s->of[0][NET_IP_RECEIVED]++;
	s->of[0][NET_IP_BYTES_IN] += p->length;
	if (p->kind == PACKET_OTHERHOST)
		goto drop;
	if (!validate(p, &h)) {
		s->of[0][NET_IP_MALFORMED]++;
		goto drop;
	}
	s->of[0][NET_IP_ECN + (h.tos & 3)]++;
	info = (struct inet_info){
		.source = inet_from_v4(h.source),
		.destination = inet_from_v4(h.destination),
		.network = p->device->network,
		.device = p->device,
		.protocol = h.protocol,
		.ttl = h.ttl,
		.tos = h.tos,
		.header_length = (u16)((h.version_length & 15) * 4),
	};
	info.type = (u8)route_address_type(info.network, &info.destination, info.device->index);
	if (unlikely(is_martian(p, &info))) {
		ipv4_log_martian(&info);
		goto drop;
	}
	if (unlikely(is_misaddressed(p, &info)))
		goto drop;
	if (!accepted(p, &info)) {
		if (!is_forwarded(p, &info))
			goto drop;
		ipv4_forward(p, &info);
		return;
	}
	if (unlikely(info.type != RTN_LOCAL))
		net_count_group(s, info.type, p->length, false, false);
	if (h.fragment & net16(IPV4_MORE_FRAGMENTS | IPV4_OFFSET_MASK)) {
		p = reassemble(p, &info);
		if (!p)
			return;
	}
	packet_pull(p, info.header_length);
	inet_deliver(p, &info);
	return;
drop:
	s->of[0][NET_IP_DISCARDED]++;
	net_device_count(p->device, receive_dropped, 1);
	packet_free(p);
}
