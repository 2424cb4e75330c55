/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rings of AF_PACKET: packets into frames of fixed size (TPACKET_V1, V2). See ring_priv.h. */
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/packet/ring_priv.h>

#include <sys/socket.h>

int packet_ring_header(int version)
{
	switch (version) {
	case TPACKET_V1:
		return sizeof(struct tpacket_hdr);
	case TPACKET_V2:
		return sizeof(struct tpacket2_hdr);
	case TPACKET_V3:
		return sizeof(struct tpacket3_hdr);
	default:
		return -EINVAL;
	}
}

u32 packet_ring_room(u8 version)
{
	return (u32)TPACKET_ALIGN(packet_ring_header(version)) + sizeof(struct sockaddr_ll);
}

void packet_rings_write(struct packet_rings *rings, u64 offset, const void *data, size_t size)
{
	while (size) {
		size_t n = MIN(size, (size_t)(PAGE_SIZE - offset % PAGE_SIZE));

		memcpy(packet_rings_at(rings, offset), data, n);
		offset += n;
		data = (const char *)data + n;
		size -= n;
	}
}

void packet_frame_fill(const struct packet_socket *s, const struct packet_rings *rings,
		       const struct packet *packet, u32 wanted, u32 length, u32 limit,
		       struct packet_frame *out)
{
	u32 link = packet->network_header - packet->link_header;
	u32 room = packet_ring_room(rings->version);

	*out = (struct packet_frame){ .status = TP_STATUS_USER, .length = length };
	if (s->socket->type == SOCK_DGRAM) {
		out->net = out->mac = (u16)(TPACKET_ALIGN(room) + 16 + rings->reserve);
	} else {
		out->net = (u16)(TPACKET_ALIGN(room + MAX(link, 16u)) + rings->reserve);
		out->mac = (u16)(out->net - link);
	}
	out->snapped = MIN(wanted, limit > out->mac ? limit - out->mac : 0);
	out->time_ns = packet->time_ns ? packet->time_ns : clock_realtime_ns();
	if (packet->checksum == CHECKSUM_PARTIAL)
		out->status |= TP_STATUS_CSUMNOTREADY;
	else if (packet->checksum == CHECKSUM_VERIFIED)
		out->status |= TP_STATUS_CSUM_VALID;
}

void packet_frame_put(struct packet_rings *rings, u64 offset, const struct packet *packet,
		      const struct packet_frame *frame)
{
	u64 data = offset + frame->mac;
	struct sockaddr_ll name;
	u32 done = 0;

	packet_fill_name(packet, &name);
	packet_rings_write(rings, offset + TPACKET_ALIGN(packet_ring_header(rings->version)), &name,
			   sizeof(name));
	while (done < frame->snapped) {
		u32 n = MIN(frame->snapped - done, (u32)(PAGE_SIZE - (data + done) % PAGE_SIZE));

		if (!packet_copy(packet, done, packet_rings_at(rings, data + done), n))
			return;
		done += n;
	}
}

/* The header without its status, which comes last: then the frame is the program's. Both versions begin with the status: 8 bytes on
 * these machines in V1, 4 in V2. */
static void put_header(struct packet_rings *rings, u64 offset, const struct packet_frame *f)
{
	u32 seconds = (u32)(f->time_ns / NSEC_PER_SEC), rest = (u32)(f->time_ns % NSEC_PER_SEC);

	if (rings->version == TPACKET_V1) {
		struct tpacket_hdr h = { .tp_len = f->length,
					 .tp_snaplen = f->snapped,
					 .tp_mac = f->mac,
					 .tp_net = f->net,
					 .tp_sec = seconds,
					 .tp_usec = rest / 1000 };

		packet_rings_write(rings, offset + sizeof(h.tp_status), &h.tp_len,
				   sizeof(h) - sizeof(h.tp_status));
	} else {
		struct tpacket2_hdr h = { .tp_len = f->length,
					  .tp_snaplen = f->snapped,
					  .tp_mac = f->mac,
					  .tp_net = f->net,
					  .tp_sec = seconds,
					  .tp_nsec = rest };

		packet_rings_write(rings, offset + sizeof(h.tp_status), &h.tp_len,
				   sizeof(h) - sizeof(h.tp_status));
	}
	packet_rings_store(rings, offset, f->status);
}

static u32 status_of(const struct packet_rings *rings, u32 frame)
{
	return packet_rings_load(rings, packet_frame_offset(&rings->receive, frame));
}

bool packet_receives_in_ring(const struct packet_socket *s)
{
	return s->rings && s->rings->receive.frames;
}

bool packet_ring_put(struct packet_socket *s, const struct packet *packet, u32 wanted, u32 length,
		     bool *whole)
{
	struct packet_rings *rings = s->rings;
	struct packet_ring *r = &rings->receive;
	struct packet_frame frame;
	u64 offset = packet_frame_offset(r, r->head);

	if (rings->version == TPACKET_V3) {
		*whole = false;
		return packet_blocks_put(s, rings, packet, wanted, length);
	}
	if (status_of(rings, r->head) != TP_STATUS_KERNEL)
		return false;
	packet_frame_fill(s, rings, packet, wanted, length, r->frame_size, &frame);
	*whole = *whole && frame.snapped < wanted;
	if (*whole)
		frame.status |= TP_STATUS_COPY;
	if (s->dropped)
		frame.status |= TP_STATUS_LOSING;
	packet_frame_put(rings, offset, packet, &frame);
	put_header(rings, offset, &frame);
	r->head = (r->head + 1) % r->frames;
	return true;
}

static bool is_ready(const struct packet_rings *rings)
{
	const struct packet_ring *r = &rings->receive;

	if (!r->frames)
		return false;
	if (rings->version == TPACKET_V3)
		return packet_blocks_ready(rings);
	return status_of(rings, (r->head ? r->head : r->frames) - 1) != TP_STATUS_KERNEL;
}

bool packet_ring_ready(struct packet_socket *s)
{
	bool ready;

	spin_lock(&s->lock);
	ready = s->rings && is_ready(s->rings);
	spin_unlock(&s->lock);
	return ready;
}

bool packet_ring_has_room(struct packet_socket *s, u32 divisor)
{
	const struct packet_ring *r = &s->rings->receive;
	u32 ahead = divisor ? r->frames / divisor : 0;

	if (s->rings->version == TPACKET_V3)
		return packet_blocks_have_room(s->rings, divisor);
	return status_of(s->rings, (r->head + ahead) % r->frames) == TP_STATUS_KERNEL;
}
