/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv6 in: validation, extension headers, reassembly, delivery (RFC 8200). */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/ipv6/ipv6.h>
#include <net/statistics.h>

#include <linux/icmpv6.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>

#define EXTENSIONS_MAX 8

static struct inet_address from_in6(struct in6_addr a)
{
	struct inet_address r;

	memcpy(&r, &a, sizeof(r));
	return r;
}

/* Options of a hop-by-hop or destination header: unknown ones say themselves what to do (4.2). */
static bool options_ok(const u8 *options, unsigned length)
{
	for (unsigned i = 0; i < length;) {
		if (options[i] == 0) {
			i++;
			continue;
		}
		if (i + 2 > length)
			return false;
		if (options[i] != 1 && options[i] != 5 && options[i] >> 6)
			return false;
		i += 2u + options[i + 1];
	}
	return true;
}

enum walk { WALK_DONE, WALK_FRAGMENT, WALK_BAD };

/*
 * Follows the extension headers from *offset (behind the fixed header) to the transport header or a
 * fragment header. The packet is linear up to *offset.
 */
static enum walk walk_headers(struct packet *p, unsigned *offset, u8 *next)
{
	for (unsigned i = 0; i < EXTENSIONS_MAX; i++) {
		unsigned length;

		switch (*next) {
		case IPPROTO_HOPOPTS:
			if (*offset != sizeof(struct ipv6_header))
				return WALK_BAD;
			[[fallthrough]];
		case IPPROTO_DSTOPTS:
		case IPPROTO_ROUTING:
			if (!packet_linearize(p, *offset + 8))
				return WALK_BAD;
			length = (p->data[*offset + 1] + 1u) * 8;
			if (!packet_linearize(p, *offset + length))
				return WALK_BAD;
			if (*next == IPPROTO_ROUTING) {
				if (p->data[*offset + 3]) /* segments left: not for us to follow */
					return WALK_BAD;
			} else if (!options_ok(p->data + *offset + 2, length - 2)) {
				return WALK_BAD;
			}
			*next = p->data[*offset];
			*offset += length;
			break;
		case IPPROTO_FRAGMENT:
			return WALK_FRAGMENT;
		default:
			return WALK_DONE;
		}
	}
	return WALK_BAD;
}

/* Takes a fragment; the whole datagram, if this completed it, with its fragment header still there. */
static struct packet *take_fragment(struct packet *p, struct inet_info *info, unsigned offset)
{
	struct ipv6_fragment_header f;
	struct fragment_key key = { .source = info->source, .destination = info->destination };
	u16 bits;

	if (!packet_linearize(p, offset + sizeof(f))) {
		packet_free(p);
		return nullptr;
	}
	memcpy(&f, p->data + offset, sizeof(f));
	bits = net16(f.offset);
	key.identification = f.identification;
	key.protocol = IPPROTO_FRAGMENT;
	return inet_reassemble(p, &key, info->network, offset + sizeof(f), bits & ~7u, bits & 1);
}

static bool validate(struct packet *p, struct ipv6_header *h)
{
	unsigned payload;

	if (!packet_linearize(p, sizeof(*h)))
		return false;
	memcpy(h, p->data, sizeof(*h));
	payload = net16(h->payload_length);
	if (!payload && p->length > 0xffff)
		payload = p->length - sizeof(*h); /* over loopback, or merged by the receiver */
	if (p->data[0] >> 4 != 6 || payload > p->length - sizeof(*h))
		return false;
	packet_trim(p, payload + sizeof(*h));
	return true;
}

static bool accepted(struct packet *p, struct inet_info *info)
{
	info->type = (u8)route_address_type(info->network, &info->destination, 0);
	if (info->type == RTN_MULTICAST)
		return p->echoed || multicast_joined(info->device, &info->destination);
	return info->type == RTN_LOCAL;
}

/* No packet from outside has such addresses (RFC 4291, 2.5.3, 2.5.5.2, 2.7). */
static bool is_martian(const struct packet *p, const struct inet_info *info)
{
	return inet_is_multicast(&info->source) || inet_is_v4(&info->source) ||
	       inet_is_v4(&info->destination) ||
	       ((inet_is_loopback(&info->source) || inet_is_loopback(&info->destination)) &&
		!p->echoed);
}

/* A frame for a group of link addresses has no packet for one host. */
static bool is_misaddressed(const struct packet *p, const struct inet_info *info)
{
	return (p->kind == PACKET_BROADCAST || p->kind == PACKET_MULTICAST) && !p->echoed &&
	       info->type != RTN_MULTICAST &&
	       device_setting6_either(info->device, DEVCONF_DROP_UNICAST_IN_L2_MULTICAST);
}

static struct inet_info describe(const struct packet *p, const struct ipv6_header *h)
{
	return (struct inet_info){
		.source = from_in6(h->source),
		.destination = from_in6(h->destination),
		.network = p->device->network,
		.device = p->device,
		.protocol = h->next_header,
		.ttl = h->hop_limit,
		.tos = (u8)(net32(h->version_class_flow) >> 20),
		.header_length = sizeof(*h),
	};
}

/* Past the extension headers, of all of a packet that came in fragments. *p is null: one is taken, and others are to come. */
static enum walk find_transport(struct packet **p, struct inet_info *info, unsigned *offset)
{
	enum walk walk = walk_headers(*p, offset, &info->protocol);

	if (walk != WALK_FRAGMENT)
		return walk;
	*p = take_fragment(*p, info, *offset);
	if (!*p)
		return WALK_FRAGMENT;
	info->fragmented = true;
	info->protocol = (*p)->data[*offset];
	*offset += sizeof(struct ipv6_fragment_header);
	return walk_headers(*p, offset, &info->protocol);
}

void ipv6_input(struct packet *p)
{
	struct net_statistics *s = net_statistics_of(p->device->network);
	struct inet_info info;
	struct ipv6_header h;
	unsigned offset = sizeof(h);
	enum walk walk;

	s->of[1][NET_IP_RECEIVED]++;
	s->of[1][NET_IP_BYTES_IN] += p->length;
	if (p->kind == PACKET_OTHERHOST)
		goto drop;
	if (!validate(p, &h)) {
		s->of[1][NET_IP_MALFORMED]++;
		goto drop;
	}
	info = describe(p, &h);
	if (is_martian(p, &info) ||
	    (info.device->settings.ipv6[DEVCONF_DISABLE_IPV6] && !p->echoed))
		goto drop;
	s->of[1][NET_IP_ECN + (info.tos & 3)]++;
	if (!accepted(p, &info) && !ndp_takes_for_proxy(p, &info)) {
		if (!ipv6_is_forwarded(p, &info))
			goto drop;
		ipv6_forward(p, &info);
		return;
	}
	if (unlikely(is_misaddressed(p, &info)))
		goto drop;
	if (unlikely(info.type != RTN_LOCAL))
		net_count_group(s, info.type, p->length, true, false);
	walk = find_transport(&p, &info, &offset);
	if (!p)
		return;
	if (walk != WALK_DONE || offset > p->length)
		goto drop;
	info.header_length = (u16)offset;
	packet_pull(p, offset);
	inet_deliver(p, &info);
	return;
drop:
	s->of[1][NET_IP_DISCARDED]++;
	net_device_count(p->device, receive_dropped, 1);
	packet_free(p);
}
