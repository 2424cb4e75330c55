/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cutting large TCP packets into segments, for devices that do not do it themselves. */
#include <lib/string.h>
#include <net/checksum.h>
#include <net/ipv4/ipv4.h>
#include <net/local.h>

#include <linux/if_ether.h>

#define TCP_HEADER_MAX 60
#define TCP_OFFSET 12 /* where the header says how long it is */
#define TCP_FIN 0x01
#define TCP_PSH 0x08
#define TCP_CWR 0x80

bool net_packet_fits(const struct packet *p, unsigned header, u32 mtu)
{
	unsigned transport = TCP_HEADER_MAX;

	if (likely(p->length <= mtu))
		return true;
	if (!p->segment_size)
		return false;
	if (p->linear > header + TCP_OFFSET)
		transport = (p->data[header + TCP_OFFSET] >> 4) * 4u;
	return header + transport + p->segment_size <= mtu;
}

bool net_device_segments(const struct net_device *device, const struct packet *p)
{
	if (device->features & DEVICE_LOOPBACK)
		return true;
	return device->features &
	       (p->protocol == ETH_P_IP ? DEVICE_SEGMENT_TCP4 : DEVICE_SEGMENT_TCP6);
}

/* Corrects the headers of segment number `n` that starts `offset` bytes into the payload. */
static void fix_headers(struct packet *p, unsigned link, unsigned transport, unsigned offset,
			unsigned n, bool last)
{
	u8 *ip = p->data + link, *tcp = p->data + transport;
	unsigned length = p->length - transport;

	store_net32(tcp + 4, load_net32(tcp + 4) + offset);
	if (!last)
		tcp[13] &= (u8) ~(TCP_FIN | TCP_PSH);
	if (n)
		tcp[13] &= (u8)~TCP_CWR;
	if (p->protocol == ETH_P_IP) {
		struct ipv4_header *h = (struct ipv4_header *)ip;
		struct inet_address from = inet_from_v4(h->source);
		struct inet_address to = inet_from_v4(h->destination);
		u16 sum = checksum_fold(checksum_pseudo(&from, &to, length, IPPROTO_TCP));

		h->total_length = net16((u16)(p->length - link));
		h->identification = net16((u16)(net16(h->identification) + n));
		h->checksum = 0;
		h->checksum =
			(u16)~checksum_fold(checksum_add(h, (h->version_length & 15) * 4u, 0));
		memcpy(tcp + 16, &sum, 2);
	} else {
		struct inet_address from, to;
		u16 sum;

		store_net16(ip + 4, (u16)(p->length - link - 40));
		memcpy(&from, ip + 8, 16);
		memcpy(&to, ip + 24, 16);
		sum = checksum_fold(checksum_pseudo(&from, &to, length, IPPROTO_TCP));
		memcpy(tcp + 16, &sum, 2);
	}
}

/* All headers up to the payload, or 0: a packet that is forwarded has headers of a stranger's making. */
static unsigned headers_of(const struct packet *p, unsigned transport, unsigned limit)
{
	unsigned length;

	limit = MIN(limit, (unsigned)p->linear);
	if (transport > limit || limit - transport < 20)
		return 0;
	length = (p->data[transport + 12] >> 4) * 4u;
	return length >= 20 && transport + length <= limit ? transport + length : 0;
}

void net_segment_in_software(struct net_device *device, struct packet *whole)
{
	unsigned link = device->header_length;
	unsigned transport = whole->checksum_start - packet_headroom(whole);
	unsigned headers, payload, size = whole->segment_size;
	u8 saved[PACKET_HEADROOM];

	headers = headers_of(whole, transport, sizeof(saved));
	if (!headers) {
		packet_free(whole);
		return;
	}
	payload = whole->length - headers;
	memcpy(saved, whole->data, headers);
	for (unsigned offset = 0, n = 0; offset < payload; offset += size, n++) {
		unsigned step = MIN(size, payload - offset);
		struct packet *p = packet_clone(whole);

		if (!p)
			continue; /* lost, as on a wire */
		packet_pull(p, headers + offset);
		packet_trim(p, step);
		memcpy(packet_push(p, headers), saved, headers);
		p->segment_size = 0;
		p->more = offset + step < payload;
		p->network_header = (u16)(packet_headroom(p) + link);
		p->checksum_start = (u16)(packet_headroom(p) + transport);
		fix_headers(p, link, transport, offset, n, offset + step == payload);
		if (!(device->features & DEVICE_CHECKSUM))
			packet_complete_checksum(p);
		device->ops->transmit(device, p);
	}
	packet_free(whole);
}
