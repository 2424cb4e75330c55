/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checksums and segments that are left to others: see net/offload.h. */
#include <net/byte_order.h>
#include <net/offload.h>

#include <linux/if_ether.h>
#include <linux/in.h>

/* Where the TCP header of a frame is that was merged from segments; 0: it has none. */
static unsigned tcp_offset(const struct packet *p, bool v6)
{
	const u8 *ip = p->data + ETH_HLEN;
	unsigned header;

	if (p->linear < ETH_HLEN + 40 || load_net16(p->data + 12) != (v6 ? ETH_P_IPV6 : ETH_P_IP))
		return 0;
	header = v6 ? 40 : (ip[0] & 15) * 4u;
	if (ip[v6 ? 6 : 9] != IPPROTO_TCP || header < 20 || p->linear < ETH_HLEN + header + 20)
		return 0;
	return ETH_HLEN + header;
}

bool offload_take(struct packet *p, const struct virtio_net_hdr *h)
{
	u8 type = h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;
	unsigned start = h->csum_start, offset = h->csum_offset;

	if (h->flags & VIRTIO_NET_HDR_F_DATA_VALID)
		p->checksum = CHECKSUM_VERIFIED;
	if (type != VIRTIO_NET_HDR_GSO_NONE) {
		if (type != VIRTIO_NET_HDR_GSO_TCPV4 && type != VIRTIO_NET_HDR_GSO_TCPV6)
			return false;
		start = tcp_offset(p, type == VIRTIO_NET_HDR_GSO_TCPV6);
		offset = 16;
		p->segment_size = h->gso_size;
		if (!start || !h->gso_size)
			return false;
	} else if (!(h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)) {
		return true;
	}
	if (start < ETH_HLEN || start + offset + 2 > p->linear)
		return false;
	p->checksum = CHECKSUM_PARTIAL;
	p->checksum_start = (u16)(packet_headroom(p) + start);
	p->checksum_offset = (u16)offset;
	return true;
}

void offload_describe(const struct packet *p, struct virtio_net_hdr *out)
{
	unsigned transport = p->checksum_start - packet_headroom(p);

	*out = (struct virtio_net_hdr){};
	if (p->checksum == CHECKSUM_PARTIAL) {
		out->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		out->csum_start = (u16)transport;
		out->csum_offset = p->checksum_offset;
	}
	if (p->segment_size) {
		out->gso_type = p->protocol == ETH_P_IP ? VIRTIO_NET_HDR_GSO_TCPV4
							: VIRTIO_NET_HDR_GSO_TCPV6;
		out->gso_size = p->segment_size;
		out->hdr_len = (u16)(transport + (p->data[transport + 12] >> 4) * 4u);
	}
}
