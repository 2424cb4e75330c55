/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The header of a segment and its options; everything in it is hostile. */
#include <lib/md5.h>
#include <lib/string.h>
#include <net/checksum.h>
#include <net/tcp/tcp.h>

enum {
	OPTION_END,
	OPTION_NOP,
	OPTION_MSS,
	OPTION_SCALE,
	OPTION_SACK_PERMITTED,
	OPTION_SACK,
	OPTION_TIMESTAMP = 8,
	OPTION_SIGNATURE = 19,
	OPTION_FAST_OPEN = 34,
};

static void parse_sack(const u8 *o, unsigned size, struct tcp_options *out)
{
	if ((size - 2) % 8)
		return;
	out->sack_count = (u8)MIN((size - 2) / 8, (unsigned)TCP_SACK_BLOCKS);
	for (unsigned i = 0; i < out->sack_count; i++) {
		out->sack[i].start = load_net32(o + 2 + i * 8);
		out->sack[i].end = load_net32(o + 6 + i * 8);
	}
}

/* RFC 7413, 4.1.1: a cookie has 4 to 16 bytes, an even number of them; none asks for one. */
static void parse_cookie(const u8 *o, unsigned size, struct tcp_options *out)
{
	unsigned length = size - 2;

	if (length && (length < 4 || length > TCP_COOKIE_MAX || length % 2))
		return;
	out->cookie_length = (s8)length;
	out->cookie = o + 2;
}

static void parse_option(const u8 *o, unsigned size, bool syn, struct tcp_segment *s)
{
	struct tcp_options *out = &s->options;

	switch (o[0]) {
	case OPTION_MSS:
		if (size == 4 && syn)
			out->mss = load_net16(o + 2);
		break;
	case OPTION_SCALE:
		if (size == 3 && syn)
			out->window_scale = (s8)MIN(o[2], (u8)14);
		break;
	case OPTION_SACK_PERMITTED:
		if (size == 2 && syn)
			out->sack_permitted = true;
		break;
	case OPTION_SACK:
		if (size >= 10)
			parse_sack(o, size, out);
		break;
	case OPTION_TIMESTAMP:
		if (size == 10) {
			out->timestamp = true;
			out->value = load_net32(o + 2);
			out->echo = load_net32(o + 6);
		}
		break;
	case OPTION_SIGNATURE:
		if (size == 2 + MD5_SIZE)
			s->signature = o + 2;
		break;
	case OPTION_FAST_OPEN:
		if (syn)
			parse_cookie(o, size, out);
		break;
	}
}

static void parse_options(const u8 *o, unsigned length, bool syn, struct tcp_segment *s)
{
	struct tcp_options *out = &s->options;

	/* What nearly every segment has: two NOPs and a time stamp. */
	if (length == 12 && load_net32(o) == 0x0101080a) {
		out->timestamp = true;
		out->value = load_net32(o + 4);
		out->echo = load_net32(o + 8);
		return;
	}
	while (length) {
		unsigned size;

		if (o[0] == OPTION_END)
			return;
		if (o[0] == OPTION_NOP) {
			o++;
			length--;
			continue;
		}
		if (length < 2 || o[1] < 2 || o[1] > length)
			return;
		size = o[1];
		parse_option(o, size, syn, s);
		o += size;
		length -= size;
	}
}

static bool checksum_ok(const struct packet *p, const struct inet_info *info)
{
	return p->checksum != CHECKSUM_UNKNOWN ||
	       checksum_fold(packet_sum(p, 0, p->length,
					checksum_pseudo(&info->source, &info->destination,
							p->length, IPPROTO_TCP))) == 0xffff;
}

bool tcp_parse(struct packet *p, const struct inet_info *info, struct tcp_segment *s)
{
	struct tcp_header h;
	unsigned header;

	if (!packet_linearize(p, sizeof(h)))
		return false;
	memcpy(&h, p->data, sizeof(h));
	header = (h.offset >> 4) * 4u;
	if (header < sizeof(h) || !packet_linearize(p, header))
		return false;
	if (!checksum_ok(p, info)) {
		net_count(info->network, NET_TCP_CHECKSUM);
		return false;
	}
	s->seq = net32(h.seq);
	s->ack = net32(h.ack);
	s->flags = h.flags;
	s->window = net16(h.window);
	s->urgent = net16(h.urgent);
	s->remote_port = net16(h.source);
	s->local_port = net16(h.destination);
	s->congestion = (info->tos & 3) == 3;
	s->options.timestamp = s->options.sack_permitted = false;
	s->options.window_scale = s->options.cookie_length = -1;
	s->signature = nullptr;
	s->header = (const struct tcp_header *)p->data;
	s->options.sack_count = 0;
	s->options.mss = 0;
	parse_options(p->data + sizeof(h), header - (unsigned)sizeof(h), h.flags & TH_SYN, s);
	packet_pull(p, header);
	s->end = s->seq + p->length + !!(h.flags & TH_SYN) + !!(h.flags & TH_FIN);
	return true;
}
