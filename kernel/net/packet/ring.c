/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rings of AF_PACKET (PACKET_RX_RING, TPACKET_V1 and V2): frames in memory that the program has mapped too. A frame belongs to the
 * kernel while its status is TP_STATUS_KERNEL, else to the program, which gives it back by setting that.
 *
 * The memory is an anonymous memory object, all pages of which the ring holds, so that the tap can write them under
 * a spinlock, whatever the program does with its mapping. Nothing in a frame but its status is ever read.
 */
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/memory_object.h>
#include <mm/slab.h>
#include <net/packet/packet_priv.h>

#include <linux/if_ether.h>
#include <sys/socket.h>

#define RING_MAX (256u << 20) /* bytes */

struct packet_ring {
	struct memory_object *object;
	u32 frame_size, frames, head; /* head: the next one to fill */
	u32 block_size, frames_per_block;
	u32 reserve;
	u8 version;
	bool losing; /* the next frame tells that some were lost */
	u32 page_count;
	struct page *pages[] __counted_by(page_count);
};

int packet_ring_header(int version)
{
	switch (version) {
	case TPACKET_V1:
		return sizeof(struct tpacket_hdr);
	case TPACKET_V2:
		return sizeof(struct tpacket2_hdr);
	default:
		return -EINVAL;
	}
}

/* Where the link header's end is at the least: behind the frame's header and the address of the sender. */
static u32 header_room(u8 version)
{
	return (u32)TPACKET_ALIGN(packet_ring_header(version)) + sizeof(struct sockaddr_ll);
}

static u64 frame_offset(const struct packet_ring *r, u32 frame)
{
	return (u64)(frame / r->frames_per_block) * r->block_size +
	       (u64)(frame % r->frames_per_block) * r->frame_size;
}

static void *at(const struct packet_ring *r, u64 offset)
{
	return (char *)page_address(r->pages[offset / PAGE_SIZE]) + offset % PAGE_SIZE;
}

static void write_bytes(struct packet_ring *r, u64 offset, const void *data, size_t size)
{
	while (size) {
		size_t n = MIN(size, (size_t)(PAGE_SIZE - offset % PAGE_SIZE));

		memcpy(at(r, offset), data, n);
		offset += n;
		data = (const char *)data + n;
		size -= n;
	}
}

/* Both headers begin with the status: 8 bytes on these machines in V1, 4 in V2. Frames are aligned. */
static u32 status_of(const struct packet_ring *r, u32 frame)
{
	return __atomic_load_n((u32 *)at(r, frame_offset(r, frame)), __ATOMIC_ACQUIRE);
}

static void put_packet(struct packet_ring *r, u64 offset, const struct packet *packet, u32 size)
{
	u32 done = 0;

	while (done < size) {
		u32 n = MIN(size - done, (u32)(PAGE_SIZE - (offset + done) % PAGE_SIZE));

		if (!packet_copy(packet, done, at(r, offset + done), n))
			return;
		done += n;
	}
}

struct frame_values {
	u32 status, length, snapped;
	u16 mac, net;
	u64 time_ns;
};

/* The header without its status, which comes last: then the frame is the program's. */
static void put_header(struct packet_ring *r, u64 offset, const struct frame_values *v)
{
	u32 seconds = (u32)(v->time_ns / NSEC_PER_SEC), rest = (u32)(v->time_ns % NSEC_PER_SEC);

	if (r->version == TPACKET_V1) {
		struct tpacket_hdr h = { .tp_len = v->length,
					 .tp_snaplen = v->snapped,
					 .tp_mac = v->mac,
					 .tp_net = v->net,
					 .tp_sec = seconds,
					 .tp_usec = rest / 1000 };

		write_bytes(r, offset + sizeof(h.tp_status), &h.tp_len,
			    sizeof(h) - sizeof(h.tp_status));
	} else {
		struct tpacket2_hdr h = { .tp_len = v->length,
					  .tp_snaplen = v->snapped,
					  .tp_mac = v->mac,
					  .tp_net = v->net,
					  .tp_sec = seconds,
					  .tp_nsec = rest };

		write_bytes(r, offset + sizeof(h.tp_status), &h.tp_len,
			    sizeof(h) - sizeof(h.tp_status));
	}
	__atomic_store_n((u32 *)at(r, offset), v->status, __ATOMIC_RELEASE);
}

bool packet_ring_put(struct packet_socket *s, const struct packet *packet, u32 wanted, u32 length)
{
	struct packet_ring *r = s->ring;
	u32 link = packet->network_header - packet->link_header;
	struct frame_values v = { .status = TP_STATUS_USER, .length = length };
	struct sockaddr_ll name;
	u64 offset = frame_offset(r, r->head);

	if (status_of(r, r->head) != TP_STATUS_KERNEL) {
		r->losing = true;
		return false;
	}
	if (s->socket->type == SOCK_DGRAM) {
		v.net = v.mac = (u16)(TPACKET_ALIGN(header_room(r->version)) + 16 + r->reserve);
	} else {
		v.net = (u16)(TPACKET_ALIGN(header_room(r->version) + MAX(link, 16u)) + r->reserve);
		v.mac = (u16)(v.net - link);
	}
	v.snapped = MIN(wanted, r->frame_size > v.mac ? r->frame_size - v.mac : 0);
	v.time_ns = packet->time_ns ? packet->time_ns : clock_realtime_ns();
	if (packet->checksum == CHECKSUM_PARTIAL)
		v.status |= TP_STATUS_CSUMNOTREADY;
	else if (packet->checksum == CHECKSUM_VERIFIED)
		v.status |= TP_STATUS_CSUM_VALID;
	if (r->losing)
		v.status |= TP_STATUS_LOSING;
	r->losing = false;
	packet_fill_name(packet, &name);
	put_packet(r, offset + v.mac, packet, v.snapped);
	write_bytes(r, offset + TPACKET_ALIGN(packet_ring_header(r->version)), &name, sizeof(name));
	put_header(r, offset, &v);
	r->head = (r->head + 1) % r->frames;
	return true;
}

bool packet_ring_ready(struct packet_socket *s)
{
	const struct packet_ring *r;
	bool is_ready = false;

	spin_lock(&s->lock);
	r = s->ring;
	if (r)
		is_ready = status_of(r, (r->head ? r->head : r->frames) - 1) != TP_STATUS_KERNEL;
	spin_unlock(&s->lock);
	return is_ready;
}

/* --- Making and removing --- */

static void ring_free(struct packet_ring *r)
{
	if (!r)
		return;
	for (u32 i = 0; i < r->page_count && r->pages[i]; i++)
		page_put(r->pages[i]);
	memory_object_put(r->object);
	kvfree(r);
}

static int check(const struct packet_socket *s, const struct tpacket_req *q)
{
	u64 size;

	if ((int)q->tp_block_size <= 0 || q->tp_block_size % PAGE_SIZE)
		return -EINVAL;
	if (q->tp_frame_size < header_room(s->version) + s->reserve ||
	    q->tp_frame_size % TPACKET_ALIGNMENT || q->tp_frame_size > q->tp_block_size)
		return -EINVAL;
	if (mul_overflows((u64)q->tp_block_size, (u64)q->tp_block_nr, &size) || size > RING_MAX)
		return -ENOMEM;
	return (u64)(q->tp_block_size / q->tp_frame_size) * q->tp_block_nr == q->tp_frame_nr
		       ? 0
		       : -EINVAL;
}

static int ring_create(const struct packet_socket *s, const struct tpacket_req *q,
		       struct packet_ring **out)
{
	u64 size = (u64)q->tp_block_size * q->tp_block_nr;
	u32 count = (u32)(size / PAGE_SIZE);
	struct packet_ring *r = kvmalloc(sizeof(*r) + count * sizeof(struct page *), ALLOC_ZERO);
	int error;

	if (!r)
		return -ENOMEM;
	r->page_count = count;
	r->frame_size = q->tp_frame_size;
	r->frames = q->tp_frame_nr;
	r->block_size = q->tp_block_size;
	r->frames_per_block = q->tp_block_size / q->tp_frame_size;
	r->reserve = s->reserve;
	r->version = s->version;
	error = memory_object_create_anonymous(size, &r->object);
	if (error) {
		kvfree(r);
		return error;
	}
	for (u32 i = 0; i < count && !error; i++)
		error = memory_object_get_page(r->object, i, true, &r->pages[i]);
	if (error)
		ring_free(r);
	else
		*out = r;
	return error;
}

static bool is_mapped(struct packet_ring *r)
{
	bool mapped;

	mutex_lock(&r->object->mappings_lock);
	mapped = !list_empty(&r->object->mappings);
	mutex_unlock(&r->object->mappings_lock);
	return mapped;
}

int packet_ring_set(struct packet_socket *s, const void *value, size_t length)
{
	struct packet_ring *old, *ring = nullptr;
	struct tpacket_req q;
	int error;

	if (length < sizeof(q))
		return -EINVAL;
	memcpy(&q, value, sizeof(q));
	if (q.tp_block_nr) {
		error = check(s, &q);
		if (!error)
			error = ring_create(s, &q, &ring);
		if (error)
			return error;
	} else if (q.tp_frame_nr) {
		return -EINVAL;
	}
	mutex_lock(&packet_list_lock);
	old = s->ring;
	/* A second ring while there is one, or while a program sees it. */
	if (old && (ring || is_mapped(old))) {
		mutex_unlock(&packet_list_lock);
		ring_free(ring);
		return -EBUSY;
	}
	spin_lock(&s->lock);
	s->ring = ring;
	spin_unlock(&s->lock);
	mutex_unlock(&packet_list_lock);
	ring_free(old);
	return 0;
}

int packet_map(struct socket *socket, struct map_request *request)
{
	struct packet_socket *s = packet_of(socket);
	int error = -EINVAL;

	mutex_lock(&packet_list_lock);
	if (s->ring && !request->offset &&
	    ALIGN_UP(request->length, PAGE_SIZE) == (u64)s->ring->page_count * PAGE_SIZE) {
		memory_object_get(s->ring->object);
		request->object = s->ring->object;
		request->object_owned = true;
		error = 0;
	}
	mutex_unlock(&packet_list_lock);
	return error;
}
