/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rings of AF_PACKET: frames that a program has filled are sent (PACKET_TX_RING). See ring_priv.h. */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/packet/ring_priv.h>

#include <sys/socket.h>

/* What the program says of a frame, read once. */
struct sent_frame {
	u32 length, offset; /* of the data, in the frame */
};

static u64 status_offset(const struct packet_rings *rings, u32 frame)
{
	u64 at = packet_frame_offset(&rings->send, frame);

	return rings->version == TPACKET_V3 ? at + offsetof(struct tpacket3_hdr, tp_status) : at;
}

static u32 load(const struct packet_rings *rings, u64 at, size_t in_v1, size_t in_v2, size_t in_v3)
{
	return packet_rings_load(rings, at + (rings->version == TPACKET_V1   ? in_v1
					      : rings->version == TPACKET_V2 ? in_v2
									     : in_v3));
}

/* -EINVAL, -EMSGSIZE: the frame is not sound. */
static int read_frame(const struct socket *socket, const struct packet_rings *rings,
		      const struct packet_target *to, struct sent_frame *out)
{
	const struct packet_socket *s = packet_of(socket);
	u64 at = packet_frame_offset(&rings->send, rings->send.head);
	u32 least = packet_ring_room(rings->version) - (u32)sizeof(struct sockaddr_ll);

	if (rings->version == TPACKET_V3 &&
	    packet_rings_load(rings, at + offsetof(struct tpacket3_hdr, tp_next_offset)))
		return -EINVAL; /* frames have one size */
	out->length =
		load(rings, at, offsetof(struct tpacket_hdr, tp_len),
		     offsetof(struct tpacket2_hdr, tp_len), offsetof(struct tpacket3_hdr, tp_len));
	out->offset = least;
	if (out->length > rings->send.frame_size - least || out->length > to->most)
		return -EMSGSIZE;
	if (out->length < to->least)
		return -EINVAL;
	if (s->send_offsets) {
		/* tp_mac in the lower half, tp_net in the upper one. */
		u32 places = load(rings, at, offsetof(struct tpacket_hdr, tp_mac),
				  offsetof(struct tpacket2_hdr, tp_mac),
				  offsetof(struct tpacket3_hdr, tp_mac));

		out->offset = socket->type == SOCK_DGRAM ? places >> 16 : places & 0xffff;
		if (out->offset < least || out->offset > rings->send.frame_size - out->length)
			return -EINVAL;
	}
	return 0;
}

/* A packet with the bytes of the frame, headers in one piece. */
static int copy_frame(const struct packet_rings *rings, const struct sent_frame *frame,
		      struct packet **out)
{
	u64 from = packet_frame_offset(&rings->send, rings->send.head) + frame->offset;
	struct packet *p = packet_alloc();
	u32 done = 0;
	int error = p ? 0 : -ENOBUFS;

	while (!error && done < frame->length) {
		u32 n = MIN(frame->length - done, (u32)(PAGE_SIZE - (from + done) % PAGE_SIZE));
		const void *bytes = packet_rings_at(rings, from + done);

		if (packet_tailroom(p)) {
			n = MIN(n, packet_tailroom(p));
			memcpy(packet_append(p, n), bytes, n);
		} else {
			error = packet_append_bytes(p, bytes, n);
		}
		done += n;
	}
	if (error)
		packet_free(p);
	else
		*out = p;
	return error;
}

/* Sends the frame at the head. Bytes, or -errno; the frame stays the kernel's only for want of memory. */
static ssize_t send_frame(struct socket *socket, struct packet_rings *rings,
			  const struct packet_target *to)
{
	struct packet_socket *s = packet_of(socket);
	u64 status = status_offset(rings, rings->send.head);
	struct sent_frame frame;
	struct packet *packet;
	int error = read_frame(socket, rings, to, &frame);

	if (error && !s->lossy) {
		packet_rings_store(rings, status, TP_STATUS_WRONG_FORMAT);
		return error;
	}
	if (!error) {
		packet_rings_store(rings, status, TP_STATUS_SENDING);
		error = copy_frame(rings, &frame, &packet);
		if (error) {
			packet_rings_store(rings, status, TP_STATUS_SEND_REQUEST);
			return error;
		}
		error = packet_transmit(socket, packet, to);
	} else {
		frame.length = 0;
	}
	packet_rings_store(rings, status, TP_STATUS_AVAILABLE);
	rings->send.head = (rings->send.head + 1) % rings->send.frames;
	return error ? error : (ssize_t)frame.length;
}

ssize_t packet_ring_send(struct socket *socket, const struct socket_message *message)
{
	struct packet_socket *s = packet_of(socket);
	struct packet_target to;
	ssize_t total = 0, n = 0;
	int error = packet_find_target(socket, message, &to);

	if (error)
		return error;
	mutex_lock(&s->ring_lock);
	for (u32 i = 0; s->rings && i < s->rings->send.frames && n >= 0; i++) {
		struct packet_rings *rings = s->rings;

		if (packet_rings_load(rings, status_offset(rings, rings->send.head)) !=
		    TP_STATUS_SEND_REQUEST)
			break;
		n = send_frame(socket, rings, &to);
		total += MAX(n, (ssize_t)0);
	}
	mutex_unlock(&s->ring_lock);
	return n < 0 ? n : total;
}
