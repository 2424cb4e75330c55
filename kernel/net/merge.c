/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Merging segments (what Linux calls GRO). A segment joins if nothing is lost by it: the same connection, the next byte, the
 * same acknowledgement, window, options and marks, a right checksum, no flag but ACK and PSH; all have the size of the first
 * but the last, which ends the packet as PSH does. Forwarding can so cut it into the same segments again.
 */
#include <lib/string.h>
#include <net/checksum.h>
#include <net/ipv4/ipv4.h>
#include <net/merge.h>
#include <net/protocol.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>

#define ACK 0x10
#define PSH 0x08
#define LENGTH_MAX 65000u

/* Bytes of the Internet header, if the packet is a plain TCP segment with payload that lies in one page; else 0. */
static unsigned mergeable(const struct packet *p)
{
	const u8 *ip = p->data;
	bool v4 = p->protocol == ETH_P_IP;
	unsigned header = v4 ? 20 : 40, tcp;

	if (p->kind != PACKET_HOST || p->fragment_count != 1 || p->segment_size || p->linear < 60 ||
	    (!v4 && p->protocol != ETH_P_IPV6))
		return 0;
	if (v4 ? ip[0] != 0x45 || ip[9] != IPPROTO_TCP || (load_net16(ip + 6) & 0x3fff) ||
			    load_net16(ip + 2) != p->length
	       : ip[0] >> 4 != 6 || ip[6] != IPPROTO_TCP || load_net16(ip + 4) + 40u != p->length)
		return 0;
	tcp = (ip[header + 12] >> 4) * 4u;
	if (tcp < 20 || header + tcp > p->linear || (ip[header + 13] & ~PSH) != ACK)
		return 0;
	return header;
}

static void addresses(const struct packet *p, struct inet_address *from, struct inet_address *to)
{
	if (p->protocol == ETH_P_IP) {
		const struct ipv4_header *h = (const struct ipv4_header *)p->data;

		*from = inet_from_v4(h->source);
		*to = inet_from_v4(h->destination);
	} else {
		memcpy(from, p->data + 8, 16);
		memcpy(to, p->data + 24, 16);
	}
}

static bool checksums_ok(const struct packet *p, unsigned header)
{
	struct inet_address from, to;
	unsigned length = p->length - header;

	if (p->protocol == ETH_P_IP && checksum_fold(checksum_add(p->data, header, 0)) != 0xffff)
		return false;
	if (p->checksum != CHECKSUM_UNKNOWN)
		return true;
	addresses(p, &from, &to);
	return checksum_fold(packet_sum(p, header, length,
					checksum_pseudo(&from, &to, length, IPPROTO_TCP))) ==
	       0xffff;
}

/* All that must be alike: for IPv4 everything but length, identification and checksum. */
static bool same_flow(const struct packet *a, const struct packet *b, unsigned header,
		      unsigned headers)
{
	const u8 *one = a->data, *two = b->data;

	if (a->protocol != b->protocol)
		return false;
	if (a->protocol == ETH_P_IP ? one[1] != two[1] || memcmp(one + 6, two + 6, 4) ||
					      memcmp(one + 12, two + 12, 8)
				    : memcmp(one, two, 4) || memcmp(one + 6, two + 6, 34))
		return false;
	one += header;
	two += header;
	return !memcmp(one, two, 4) && !memcmp(one + 8, two + 8, 5) &&
	       !memcmp(one + 14, two + 14, 2) && !memcmp(one + 18, two + 18, headers - header - 18);
}

/* The headers of the packet as it is now. */
static void fix_headers(struct packet *p, unsigned header)
{
	struct inet_address from, to;
	unsigned length = p->length - header;
	u16 sum;

	if (p->protocol == ETH_P_IP) {
		struct ipv4_header *h = (struct ipv4_header *)p->data;

		h->total_length = net16((u16)p->length);
		h->checksum = 0;
		h->checksum = (u16)~checksum_fold(checksum_add(h, header, 0));
	} else {
		store_net16(p->data + 4, (u16)length);
	}
	addresses(p, &from, &to);
	sum = checksum_fold(checksum_pseudo(&from, &to, length, IPPROTO_TCP));
	memcpy(p->data + header + 16, &sum, sizeof(sum));
	p->checksum = CHECKSUM_PARTIAL;
	p->checksum_start = (u16)(packet_headroom(p) + header);
	p->checksum_offset = 16;
}

void packet_merge_flush(struct packet_merger *m)
{
	struct packet *p = m->held;

	m->held = nullptr;
	if (!p)
		return;
	if (p->segment_size)
		fix_headers(p, p->protocol == ETH_P_IP ? 20 : 40);
	net_receive(p);
}

/* Appends the payload of `p`, which has the same headers. False: there is no room. */
static bool join(struct packet_merger *m, struct packet *p)
{
	struct packet *held = m->held;
	unsigned copied =
		p->linear - m->headers; /* payload beside the headers: still in the page, too */
	struct packet_fragment *f = &p->fragments[0];
	unsigned header = held->protocol == ETH_P_IP ? 20 : 40;

	if (held->length + p->length > LENGTH_MAX || f->offset < copied)
		return false;
	page_get(f->page);
	if (!packet_add_fragment(held, f->page, f->offset - copied, f->length + copied)) {
		page_put(f->page);
		return false;
	}
	held->data[header + 13] |= p->data[header + 13] & PSH;
	return true;
}

void packet_merge(struct packet_merger *m, struct packet *p)
{
	unsigned header = mergeable(p), headers, payload;
	struct packet *held = m->held;
	bool ends;

	if (!header || !checksums_ok(p, header)) {
		packet_merge_flush(m);
		net_receive(p);
		return;
	}
	p->checksum = CHECKSUM_VERIFIED;
	headers = header + (p->data[header + 12] >> 4) * 4u;
	payload = p->length - headers;
	ends = p->data[header + 13] & PSH;
	if (held && headers == m->headers && load_net32(p->data + header + 4) == m->next_seq &&
	    same_flow(held, p, header, headers)) {
		unsigned size = held->segment_size ? held->segment_size : held->length - headers;

		if (payload <= size && join(m, p)) {
			held->segment_size = (u16)size;
			m->next_seq += payload;
			packet_free(p);
			if (ends || payload < size)
				packet_merge_flush(m);
			return;
		}
	}
	packet_merge_flush(m);
	if (ends) {
		net_receive(p);
		return;
	}
	m->held = p;
	m->headers = (u16)headers;
	m->next_seq = load_net32(p->data + header + 4) + payload;
}
