/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICMP (RFC 792): echo, errors in and out, limited in rate (RFC 1812, 4.3.2.8). */
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/checksum.h>
#include <net/ipv4/ipv4.h>
#include <net/ipv6/ipv6.h>
#include <net/neighbour.h>
#include <net/protocol.h>
#include <net/statistics.h>

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>

struct icmp_limits icmp_limits = { .per_second = 1000, .burst = 50 };

/* A token bucket for all errors that this host sends. */
bool icmp_rate_allows(void)
{
	static struct spinlock lock = SPINLOCK_INIT(RANK_NET_LINK);
	static u64 last_ns, tokens;
	u64 now = clock_monotonic_ns(), more;
	bool ok;

	spin_lock(&lock);
	more = (now - last_ns) / NSEC_PER_USEC * (u64)READ_ONCE(icmp_limits.per_second) / 1000000;
	if (more) {
		tokens = MIN(tokens + more, (u64)READ_ONCE(icmp_limits.burst));
		last_ns = now;
	}
	ok = tokens > 0;
	if (ok)
		tokens--;
	spin_unlock(&lock);
	return ok;
}

/*
 * The type of the ICMPv6 message in an IPv6 packet, behind whatever extension headers there are; -1: it is another protocol, or a
 * later fragment of it, which nobody can tell.
 */
static int message_type6(const u8 *header, unsigned length)
{
	unsigned at = sizeof(struct ipv6_header);
	u8 next = header[6];

	while (at + 8 <= length) {
		switch (next) {
		case IPPROTO_ICMPV6:
			return header[at];
		case IPPROTO_FRAGMENT:
			if (load_net16(header + at + 2) & ~7u)
				return -1;
			next = header[at];
			at += 8;
			break;
		case IPPROTO_HOPOPTS:
		case IPPROTO_DSTOPTS:
		case IPPROTO_ROUTING:
			next = header[at];
			at += (header[at + 1] + 1u) * 8;
			break;
		default:
			return -1;
		}
	}
	return -1;
}

/*
 * An error is never answered by an error, nor is what others got too, or a fragment but the first (RFC 1122, 3.2.2; RFC 4443, 2.4).
 * `header`: that of IP, of which `length` bytes are there.
 */
static bool may_complain(const struct packet *about, const struct inet_info *info, const u8 *header,
			 unsigned length)
{
	bool v4 = inet_is_v4(&info->destination);
	const u8 *transport = header + info->header_length;
	int type;

	if (about->kind != PACKET_HOST || info->type == RTN_BROADCAST ||
	    info->type == RTN_MULTICAST || inet_is_any(&info->source) ||
	    inet_is_multicast(&info->source))
		return false;
	if (!v4) {
		type = message_type6(header, length);
		return type < 0 || (type >= 128 && type != REDIRECT);
	}
	if (load_net16(header + 6) & IPV4_OFFSET_MASK)
		return false;
	if (info->protocol != IPPROTO_ICMP)
		return true;
	return length > info->header_length &&
	       (transport[0] == ICMP_ECHO || transport[0] == ICMP_ECHOREPLY ||
		transport[0] == ICMP_TIMESTAMP);
}

#define QUOTE4_MAX 548	/* of the offending packet: RFC 1812, 4.3.2.3 */
#define QUOTE6_MAX 1232 /* RFC 4443, 3.1 */

void icmp_send_error(struct packet *about, const struct inet_info *info, u8 type, u8 code, u32 word)
{
	const u8 *start = about->room + about->network_header;
	unsigned before = (unsigned)(about->data - start);
	bool v4 = inet_is_v4(&info->destination);
	unsigned have = about->linear + before, quote;
	struct inet_flow flow = { .source = info->destination,
				  .destination = info->source,
				  .protocol = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
				  .tos = 0xc0 };
	struct packet *p;
	u8 *h;

	if (have < info->header_length || !may_complain(about, info, start, have))
		return;
	if (!about->echoed && !icmp_rate_allows()) {
		net_count_family(info->network, NET_ICMP_RATE_LIMITED, &info->destination);
		return;
	}
	if (info->type != RTN_LOCAL)
		flow.source = v4 ? inet_from_v4(0) : (struct inet_address){};
	p = packet_alloc();
	if (!p)
		return;
	quote = MIN(about->length + before, v4 ? (unsigned)QUOTE4_MAX : (unsigned)QUOTE6_MAX);
	h = packet_append(p, 8);
	h[0] = type;
	h[1] = code;
	h[2] = h[3] = 0;
	store_net32(h + 4, word);
	if (packet_append_bytes(p, start, MIN(quote, have))) {
		packet_free(p);
		return;
	}
	if (quote > have && packet_tailroom(p) >= quote - have)
		(void)!packet_copy(about, about->linear, packet_append(p, quote - have),
				   quote - have);
	if (v4) {
		u16 sum = (u16)~checksum_fold(packet_sum(p, 0, p->length, 0));

		memcpy(h + 2, &sum, 2);
		(void)inet_send(info->network, p, &flow, 0);
	} else {
		icmpv6_finish_and_send(info->network, p, &flow, 0);
	}
}

/* Turns the request into its answer. */
static void echo(struct packet *p, const struct inet_info *info, u8 reply)
{
	struct inet_flow flow = { .source = info->destination,
				  .destination = info->source,
				  .protocol = info->protocol,
				  .tos = info->tos };
	u16 sum;

	if (info->type != RTN_LOCAL)
		flow.source = inet_from_v4(0);
	p->data[0] = reply;
	p->data[2] = p->data[3] = 0;
	sum = (u16)~checksum_fold(packet_sum(p, 0, p->length, 0));
	memcpy(p->data + 2, &sum, 2);
	p->checksum = CHECKSUM_UNKNOWN;
	p->echoed = false;
	p->segment_size = 0;
	(void)inet_send(info->network, p, &flow, 0);
}

struct meaning {
	int error;
	bool fatal;
};

/* icmp(7) and RFC 1122, 4.2.3.9. */
static struct meaning meaning_of(u8 type, u8 code)
{
	static const struct meaning unreachable[] = {
		[ICMP_NET_UNREACH] = { ENETUNREACH, false },
		[ICMP_HOST_UNREACH] = { EHOSTUNREACH, false },
		[ICMP_PROT_UNREACH] = { ENOPROTOOPT, true },
		[ICMP_PORT_UNREACH] = { ECONNREFUSED, true },
		[ICMP_FRAG_NEEDED] = { EMSGSIZE, false },
		[ICMP_SR_FAILED] = { EOPNOTSUPP, false },
		[ICMP_NET_UNKNOWN] = { ENETUNREACH, true },
		[ICMP_HOST_UNKNOWN] = { EHOSTDOWN, true },
		[ICMP_HOST_ISOLATED] = { ENONET, true },
		[ICMP_NET_ANO] = { ENETUNREACH, true },
		[ICMP_HOST_ANO] = { EHOSTUNREACH, true },
		[ICMP_NET_UNR_TOS] = { ENETUNREACH, false },
		[ICMP_HOST_UNR_TOS] = { EHOSTUNREACH, false },
		[ICMP_PKT_FILTERED] = { EHOSTUNREACH, true },
		[ICMP_PREC_VIOLATION] = { EHOSTUNREACH, true },
		[ICMP_PREC_CUTOFF] = { EHOSTUNREACH, true },
	};

	switch (type) {
	case ICMP_DEST_UNREACH:
		return code < ARRAY_SIZE(unreachable) ? unreachable[code] : unreachable[1];
	case ICMP_TIME_EXCEEDED:
		return (struct meaning){ EHOSTUNREACH, false };
	case ICMP_PARAMETERPROB:
		return (struct meaning){ EPROTO, true };
	default:
		return (struct meaning){};
	}
}

void inet_error_deliver(const struct inet_error *error)
{
	raw_error(error);
	if (error->inner.protocol == IPPROTO_TCP)
		tcp_error(error);
	else if (error->inner.protocol == IPPROTO_UDP || error->inner.protocol == IPPROTO_UDPLITE)
		udp_error(error);
}

static void error_in(struct packet *p, const struct inet_info *info)
{
	struct meaning meaning = meaning_of(p->data[0], p->data[1]);
	const struct ipv4_header *h = (const struct ipv4_header *)(p->data + 8);
	unsigned header;

	if (!meaning.error || !packet_linearize(p, 8 + sizeof(*h)))
		return;
	h = (const struct ipv4_header *)(p->data + 8);
	header = (h->version_length & 15) * 4u;
	if (h->version_length >> 4 != 4 || header < sizeof(*h) ||
	    !packet_linearize(p, 8 + header + 8))
		return;
	h = (const struct ipv4_header *)(p->data + 8);
	struct inet_error error = {
		.inner = { .source = inet_from_v4(h->source),
			   .destination = inet_from_v4(h->destination),
			   .network = info->network,
			   .device = info->device,
			   .protocol = h->protocol,
			   .header_length = (u16)header },
		.offender = info->source,
		.data = p->data + 8 + header,
		.length = p->linear - 8 - header,
		.icmp_type = p->data[0],
		.icmp_code = p->data[1],
		.ttl = info->ttl,
		.tos = info->tos,
		.error = meaning.error,
		.fatal = meaning.fatal,
		.mtu = load_net16(p->data + 6),
	};

	if (error.error == EMSGSIZE)
		error.info = error.mtu;
	inet_error_deliver(&error);
}

void icmp_input(struct packet *p, const struct inet_info *info)
{
	bool verified = p->checksum != CHECKSUM_UNKNOWN;

	if (!packet_linearize(p, MIN(p->length, 8u)) || p->length < 8 ||
	    (!verified && checksum_fold(packet_sum(p, 0, p->length, 0)) != 0xffff))
		goto out;
	switch (p->data[0]) {
	case ICMP_ECHO:
		if (info->network->sysctl.icmp_echo_ignore_all ||
		    (info->type != RTN_LOCAL && info->network->sysctl.icmp_echo_ignore_broadcasts))
			break;
		echo(p, info, ICMP_ECHOREPLY);
		return;
	case ICMP_ECHOREPLY:
		ping_input(p, info, load_net16(p->data + 4));
		break;
	case ICMP_DEST_UNREACH:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB:
		error_in(p, info);
		break;
	case ICMP_REDIRECT:
		icmp_redirected(p, info);
		break;
	}
out:
	packet_free(p);
}

void inet_unreachable_here(struct packet *p)
{
	const struct ipv4_header *h = (const struct ipv4_header *)(p->room + p->network_header);
	struct inet_info info;

	if (p->protocol != ETH_P_IP)
		return;
	info = (struct inet_info){
		.source = inet_from_v4(h->source),
		.destination = inet_from_v4(h->destination),
		.network = p->device->network,
		.device = p->device,
		.protocol = h->protocol,
		.type = RTN_LOCAL,
		.header_length = (u16)((h->version_length & 15) * 4),
	};
	if (route_address_type(info.network, &info.source, 0) != RTN_LOCAL) {
		p->kind = PACKET_HOST;
		icmp_send_error(p, &info, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
		return;
	}
	struct inet_error error = {
		.inner = info,
		.offender = info.source,
		.data = (const u8 *)h + info.header_length,
		.length = p->linear + (unsigned)(p->data - (const u8 *)h) - info.header_length,
		.icmp_type = ICMP_DEST_UNREACH,
		.icmp_code = ICMP_HOST_UNREACH,
		.error = EHOSTUNREACH,
	};

	if (error.length >= 8)
		inet_error_deliver(&error);
}
