/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Segments of no connection: resets, cookies, answers of TIME_WAIT. */
#include <lib/string.h>
#include <net/checksum.h>
#include <net/tcp/tcp.h>

#include <linux/rtnetlink.h>

static u8 *put_options(u8 *o, const struct tcp_bare *bare)
{
	if (bare->mss) {
		store_net32(o, 0x02040000u | bare->mss);
		o += 4;
	}
	if (bare->timestamps) {
		store_net32(o, 0x0101080a);
		store_net32(o + 4, bare->timestamps[0]);
		store_net32(o + 8, bare->timestamps[1]);
		o += 12;
	}
	return bare->key ? tcp_md5_put_option(o) : o;
}

void tcp_send_bare(const struct inet_info *info, const struct tcp_segment *s,
		   const struct tcp_bare *bare)
{
	struct inet_flow flow = { .source = info->destination,
				  .destination = info->source,
				  .protocol = IPPROTO_TCP,
				  .tos = info->tos & ~3u,
				  .dont_fragment = true };
	struct packet *p = packet_alloc();
	struct tcp_header *h;
	u8 options[40];
	unsigned length = (unsigned)(put_options(options, bare) - options);

	if (!p)
		return;
	h = packet_append(p, sizeof(*h));
	memcpy(packet_append(p, length), options, length);
	*h = (struct tcp_header){
		.source = net16(s->local_port),
		.destination = net16(s->remote_port),
		.seq = net32(bare->seq),
		.ack = net32(bare->ack),
		.offset = (u8)((sizeof(*h) + length) / 4 << 4),
		.flags = bare->flags,
		.window = net16((u16)MIN(bare->window, 65535u)),
	};
	if (bare->key)
		tcp_md5_sign(bare->key, &flow.source, &flow.destination, p);
	h->checksum = checksum_fold(
		checksum_pseudo(&flow.source, &flow.destination, p->length, IPPROTO_TCP));
	p->checksum = CHECKSUM_PARTIAL;
	p->checksum_start = (u16)packet_headroom(p);
	p->checksum_offset = offsetof(struct tcp_header, checksum);
	(void)inet_send(info->network, p, &flow,
			inet_is_link_local(&info->source) ? info->device->index : 0);
}

void tcp_reject(const struct inet_info *info, const struct tcp_segment *s,
		const struct tcp_md5_key *keys)
{
	struct tcp_bare bare = { .flags = TH_RST };

	if ((s->flags & TH_RST) || info->type != RTN_LOCAL)
		return;
	net_count(info->network, NET_TCP_RESETS_SENT);
	if (s->flags & TH_ACK) {
		bare.seq = s->ack;
	} else {
		bare.ack = s->end;
		bare.flags |= TH_ACK;
	}
	bare.key = tcp_md5_find(keys, &info->source);
	tcp_send_bare(info, s, &bare);
}
