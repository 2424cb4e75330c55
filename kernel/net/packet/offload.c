/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AF_PACKET: packets with a struct virtio_net_hdr in front (PACKET_VNET_HDR), by which a program leaves checksums and segments to the
 * kernel or the card, and learns which are left.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/byte_order.h>
#include <net/ipv4/ipv4.h>
#include <net/offload.h>
#include <net/packet/packet_priv.h>

#include <linux/if_ether.h>

int packet_header_read(struct socket_message *message, struct virtio_net_hdr *h)
{
	unsigned needed;

	if (message->data->remaining < sizeof(*h))
		return -EINVAL;
	if (iter_copy_from(message->data, h, sizeof(*h)) != sizeof(*h))
		return -EFAULT;
	needed = h->hdr_len;
	if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		needed = MAX(needed, (unsigned)h->csum_start + h->csum_offset + 2u);
	if (needed > message->data->remaining)
		return -EINVAL;
	switch (h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return 0;
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV6:
	case VIRTIO_NET_HDR_GSO_UDP:
		return h->gso_size ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

/* A datagram of UDP over IPv4 that is to be cut into fragments, behind an Ethernet header. */
static bool is_datagram4(const struct packet *p)
{
	const u8 *ip = p->data + ETH_HLEN;

	return p->linear >= ETH_HLEN + sizeof(struct ipv4_header) &&
	       load_net16(p->data + 12) == ETH_P_IP && (ip[0] & 15) >= 5 && ip[9] == IPPROTO_UDP &&
	       p->linear >= ETH_HLEN + (ip[0] & 15) * 4u;
}

int packet_header_apply(struct packet *p, const struct virtio_net_hdr *header,
			struct packet_target *to)
{
	struct virtio_net_hdr h = *header;

	if ((h.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_UDP) {
		if (!is_datagram4(p))
			return -EINVAL;
		to->fragment_size = h.gso_size & ~7u;
		if (!to->fragment_size)
			return -EINVAL;
		h.gso_type = VIRTIO_NET_HDR_GSO_NONE;
	}
	h.flags &=
		VIRTIO_NET_HDR_F_NEEDS_CSUM; /* what a program says that it verified is not believed */
	return offload_take(p, &h) ? 0 : -EINVAL;
}

int packet_header_write(const struct packet *p, struct socket_message *message)
{
	struct virtio_net_hdr h;

	if (message->data->remaining < sizeof(h))
		return -EINVAL;
	offload_describe(p, &h);
	if (p->checksum == CHECKSUM_VERIFIED)
		h.flags |= VIRTIO_NET_HDR_F_DATA_VALID;
	return iter_copy_to(message->data, &h, sizeof(h)) == sizeof(h) ? 0 : -EFAULT;
}

void packet_send_fragments(struct net_device *device, struct packet *packet, unsigned size)
{
	u8 link[ETH_HLEN];
	unsigned header, payload;

	if (packet->checksum == CHECKSUM_PARTIAL)
		packet_complete_checksum(packet);
	memcpy(link, packet->data, sizeof(link));
	packet_pull(packet, ETH_HLEN);
	header = (packet->data[0] & 15) * 4u;
	payload = packet->length - header;
	for (unsigned offset = 0; offset < payload; offset += size) {
		unsigned n = MIN(size, payload - offset);
		struct packet *p = ipv4_fragment(packet, header, offset, n, offset + n == payload);

		if (!p)
			continue; /* lost, as on a wire */
		memcpy(packet_push(p, ETH_HLEN), link, sizeof(link));
		net_device_transmit(device, p);
	}
	packet_free(packet);
}
