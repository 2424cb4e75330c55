/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What programs of sockets load: bytes, headers in front of them, and what is known of a packet (filter.rst, bpf(2)). */
#include <core/percpu.h>
#include <core/random.h>
#include <lib/string.h>
#include <net/byte_order.h>
#include <net/device.h>
#include <net/filter_view.h>

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netlink.h>
#include <linux/udp.h>

#define IP_OFFSET_MASK 0x1fff
#define TCP_WORDS 12 /* the byte of its header that has the header's length */

bool filter_view_copy(const struct filter_view *view, u32 offset, void *to, unsigned size)
{
	if (view->packet)
		return packet_copy(view->packet, offset, to, size);
	if (offset > view->length || size > view->length - offset)
		return false;
	memcpy(to, view->message + offset, size);
	return true;
}

/* Bytes from a header of the packet on: what was taken off lies in front of its data still. */
static bool copy_from_header(const struct packet *packet, unsigned header, u32 offset, void *to,
			     unsigned size)
{
	unsigned at = header + offset, base = packet_headroom(packet);

	if (at >= base)
		return packet_copy(packet, at - base, to, size);
	if (at + size > base + packet->linear)
		return false;
	memcpy(to, packet->room + at, size);
	return true;
}

/* A message has no headers: it begins where the network header of a packet does. */
static bool copy_by_offset(const struct filter_view *view, u32 offset, void *to, unsigned size)
{
	const struct packet *packet = view->packet;
	s32 place = (s32)offset;

	if (place >= 0)
		return filter_view_copy(view, offset, to, size);
	if (place >= SKF_NET_OFF) {
		offset -= (u32)SKF_NET_OFF;
		return packet ? copy_from_header(packet, packet->network_header, offset, to, size)
			      : filter_view_copy(view, offset, to, size);
	}
	if (place < SKF_LL_OFF || !packet)
		return false;
	return copy_from_header(packet, packet->link_header, offset - (u32)SKF_LL_OFF, to, size);
}

bool filter_view_load(const struct filter_view *view, u32 offset, unsigned size, u32 *out)
{
	u8 bytes[4];

	if (!copy_by_offset(view, offset, bytes, size))
		return false;
	*out = size == 1 ? bytes[0] : size == 2 ? load_net16(bytes) : load_net32(bytes);
	return true;
}

/* The place of the first attribute of the type from `at` on, before `end`; 0: there is none. */
static u32 find_attribute(const struct filter_view *view, u32 at, u32 end, u32 type)
{
	struct nlattr attribute;

	while (end - at >= sizeof(attribute) &&
	       filter_view_copy(view, at, &attribute, sizeof(attribute)) &&
	       attribute.nla_len >= sizeof(attribute) && attribute.nla_len <= end - at) {
		if ((attribute.nla_type & NLA_TYPE_MASK) == type)
			return at;
		at += MIN((u32)NLA_ALIGN(attribute.nla_len), end - at);
	}
	return 0;
}

/* SKF_AD_NLATTR: from A on, of type X; SKF_AD_NLATTR_NEST: in the attribute at A. */
static u32 netlink_attribute(const struct filter_view *view, u32 a, u32 x, bool nested)
{
	struct nlattr nest;

	if (a > view->length || view->length - a < sizeof(nest))
		return 0;
	if (!nested)
		return find_attribute(view, a, view->length, x);
	if (!filter_view_copy(view, a, &nest, sizeof(nest)) || nest.nla_len < sizeof(nest) ||
	    nest.nla_len > view->length - a)
		return 0;
	return find_attribute(view, a + NLA_HDRLEN, a + nest.nla_len, x);
}

/* Where the header behind an IPv6 header and its extensions is, from the network header on; its protocol. False: it is cut off. */
static bool find_transport6(const struct packet *packet, unsigned *at, u8 *protocol)
{
	u8 extension[2];

	*at = sizeof(struct ipv6hdr);
	if (!copy_from_header(packet, packet->network_header, offsetof(struct ipv6hdr, nexthdr),
			      protocol, 1))
		return false;
	while (*protocol == IPPROTO_HOPOPTS || *protocol == IPPROTO_ROUTING ||
	       *protocol == IPPROTO_DSTOPTS) {
		if (!copy_from_header(packet, packet->network_header, *at, extension,
				      sizeof(extension)))
			return false;
		*protocol = extension[0];
		*at += (extension[1] + 1u) * 8;
	}
	return true;
}

static bool find_transport(const struct packet *packet, unsigned *at, u8 *protocol)
{
	struct iphdr ip;

	if (packet->protocol == ETH_P_IPV6)
		return find_transport6(packet, at, protocol);
	if (packet->protocol != ETH_P_IP ||
	    !copy_from_header(packet, packet->network_header, 0, &ip, sizeof(ip)))
		return false;
	*at = ip.ihl * 4u;
	*protocol = ip.frag_off & net16(IP_OFFSET_MASK) ? IPPROTO_RAW : ip.protocol;
	return true;
}

/* SKF_AD_PAY_OFFSET: where what the transport protocol carries begins, from the view's start on; 0: nobody knows. */
static u32 payload_offset(const struct packet *packet)
{
	unsigned at;
	u8 protocol, words = 0;

	if (!packet || !find_transport(packet, &at, &protocol))
		return 0;
	switch (protocol) {
	case IPPROTO_TCP:
		if (copy_from_header(packet, packet->network_header, at + TCP_WORDS, &words, 1))
			at += (words >> 4) * 4u;
		break;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
	case IPPROTO_IGMP:
		at += sizeof(struct udphdr);
		break;
	default:
		break;
	}
	return packet->network_header + at - packet_headroom(packet);
}

/* What only a packet has: from a message on the way within this machine nothing but zeroes. */
static bool load_of_packet(const struct packet *packet, u32 what, u32 *out)
{
	switch (what) {
	case SKF_AD_IFINDEX:
	case SKF_AD_HATYPE:
		if (!packet || !packet->device)
			return false;
		*out = what == SKF_AD_IFINDEX ? (u32)packet->device->index : packet->device->type;
		return true;
	case SKF_AD_PROTOCOL:
		*out = packet ? packet->protocol : 0;
		return true;
	case SKF_AD_PKTTYPE:
		*out = packet ? packet->kind : 0;
		return true;
	case SKF_AD_MARK:
		*out = packet ? packet->mark : 0;
		return true;
	case SKF_AD_QUEUE:
		*out = packet ? packet->queue : 0;
		return true;
	default:
		return false;
	}
}

bool filter_view_ancillary(const struct filter_view *view, u32 what, u32 a, u32 x, u32 *out)
{
	switch (what) {
	case SKF_AD_NLATTR:
	case SKF_AD_NLATTR_NEST:
		*out = netlink_attribute(view, a, x, what == SKF_AD_NLATTR_NEST);
		return true;
	case SKF_AD_PAY_OFFSET:
		*out = payload_offset(view->packet);
		return true;
	case SKF_AD_CPU:
		*out = cpu_id();
		return true;
	case SKF_AD_ALU_XOR_X:
		*out = a ^ x;
		return true;
	case SKF_AD_RXHASH:   /* no device tells one */
	case SKF_AD_VLAN_TAG: /* tags stay in the frame */
	case SKF_AD_VLAN_TAG_PRESENT:
	case SKF_AD_VLAN_TPID:
		*out = 0;
		return true;
	case SKF_AD_RANDOM:
		random_bytes(out, sizeof(*out));
		return true;
	default:
		return load_of_packet(view->packet, what, out);
	}
}
