/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rings of AF_PACKET: making, removing and mapping them. See ring_priv.h. */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/memory_object.h>
#include <mm/slab.h>
#include <net/packet/ring_priv.h>

#define RINGS_MAX (256u << 20) /* bytes */
#define BLOCK_HEADER ((u32)sizeof(struct tpacket_block_desc))
#define TIMEOUT_DEFAULT 8 /* ms */

static void rings_free(struct packet_rings *rings)
{
	if (!rings)
		return;
	for (u32 i = 0; i < rings->page_count && rings->pages[i]; i++)
		page_put(rings->pages[i]);
	if (rings->object)
		memory_object_put(rings->object);
	kvfree(rings);
}

static u64 size_of(const struct tpacket_req3 *q)
{
	return (u64)q->tp_block_size * q->tp_block_nr;
}

/* Of TPACKET_V3: blocks are filled, but not sent. */
static int check_blocks(const struct tpacket_req3 *q, bool send, u32 least)
{
	if (send)
		return q->tp_retire_blk_tov || q->tp_sizeof_priv || q->tp_feature_req_word ? -EINVAL
											   : 0;
	if (q->tp_sizeof_priv > q->tp_block_size ||
	    q->tp_block_size <= BLOCK_HEADER + ALIGN_UP(q->tp_sizeof_priv, 8u) + least)
		return -EINVAL;
	return q->tp_feature_req_word & ~(u32)TP_FT_REQ_FILL_RXHASH ? -EINVAL : 0;
}

static int check(const struct packet_socket *s, const struct tpacket_req3 *q, bool send)
{
	u32 least = packet_ring_room(s->version) + s->reserve;

	if (!q->tp_block_nr)
		return q->tp_frame_nr ? -EINVAL : 0;
	if ((int)q->tp_block_size <= 0 || q->tp_block_size % PAGE_SIZE)
		return -EINVAL;
	if (q->tp_frame_size < least || q->tp_frame_size % TPACKET_ALIGNMENT ||
	    q->tp_frame_size > q->tp_block_size)
		return -EINVAL;
	if (size_of(q) > RINGS_MAX)
		return -ENOMEM;
	if ((u64)(q->tp_block_size / q->tp_frame_size) * q->tp_block_nr != q->tp_frame_nr)
		return -EINVAL;
	return s->version == TPACKET_V3 ? check_blocks(q, send, least) : 0;
}

static void ring_init(struct packet_ring *r, const struct tpacket_req3 *q, u32 first_page)
{
	if (!q->tp_block_nr)
		return;
	*r = (struct packet_ring){ .first_page = first_page,
				   .frame_size = q->tp_frame_size,
				   .frames = q->tp_frame_nr,
				   .block_size = q->tp_block_size,
				   .blocks = q->tp_block_nr,
				   .frames_per_block = q->tp_block_size / q->tp_frame_size };
}

static int rings_create(const struct packet_socket *s, const struct tpacket_req3 requests[2],
			struct packet_rings **out)
{
	u64 size = size_of(&requests[0]) + size_of(&requests[1]);
	u32 count = (u32)(size / PAGE_SIZE);
	struct packet_rings *rings =
		kvmalloc(sizeof(*rings) + count * sizeof(struct page *), ALLOC_ZERO);
	const struct tpacket_req3 *q = &requests[0];
	int error;

	if (!rings)
		return -ENOMEM;
	rings->page_count = count;
	memcpy(rings->requests, requests, sizeof(rings->requests));
	ring_init(&rings->receive, q, 0);
	ring_init(&rings->send, &requests[1], (u32)(size_of(q) / PAGE_SIZE));
	rings->reserve = s->reserve;
	rings->version = s->version;
	rings->block = (struct packet_block){
		.private_size = q->tp_sizeof_priv,
		.timeout_ms = q->tp_retire_blk_tov ? q->tp_retire_blk_tov : TIMEOUT_DEFAULT,
		.features = q->tp_feature_req_word,
	};
	error = memory_object_create_anonymous(size, &rings->object);
	for (u32 i = 0; i < count && !error; i++)
		error = memory_object_get_page(rings->object, i, true, &rings->pages[i]);
	if (error) {
		rings_free(rings);
		return error;
	}
	if (rings->receive.frames && rings->version == TPACKET_V3)
		packet_blocks_begin(rings);
	*out = rings;
	return 0;
}

static bool is_mapped(struct packet_rings *rings)
{
	bool mapped;

	mutex_lock(&rings->object->mappings_lock);
	mapped = !list_empty(&rings->object->mappings);
	mutex_unlock(&rings->object->mappings_lock);
	return mapped;
}

/* Makes the rings anew, with this one for what was there in its place. */
static int replace(struct packet_socket *s, const struct tpacket_req3 *q, bool send)
	__must_hold(&s->ring_lock)
{
	struct packet_rings *old = s->rings, *rings = nullptr;
	struct tpacket_req3 requests[2] = {};
	int error = 0;

	if (old)
		memcpy(requests, old->requests, sizeof(requests));
	/* A second one while there is one, or while a program sees them. */
	if (old && ((requests[send].tp_block_nr && q->tp_block_nr) || is_mapped(old)))
		return -EBUSY;
	requests[send] = *q;
	if (requests[0].tp_block_nr || requests[1].tp_block_nr)
		error = rings_create(s, requests, &rings);
	if (error)
		return error;
	spin_lock(&s->lock);
	s->rings = rings;
	s->sends_from_ring = rings && rings->send.frames;
	spin_unlock(&s->lock);
	rings_free(old);
	return 0;
}

int packet_ring_set(struct packet_socket *s, bool send, const void *value, size_t length)
{
	size_t size =
		s->version == TPACKET_V3 ? sizeof(struct tpacket_req3) : sizeof(struct tpacket_req);
	struct tpacket_req3 q = {};
	int error;

	if (length < size)
		return -EINVAL;
	memcpy(&q, value, size);
	mutex_lock(&s->ring_lock);
	error = s->has_header ? -EINVAL : check(s, &q, send);
	if (!error)
		error = replace(s, &q, send);
	mutex_unlock(&s->ring_lock);
	return error;
}

void packet_rings_release(struct packet_socket *s)
{
	rings_free(s->rings);
}

int packet_map(struct socket *socket, struct map_request *request)
{
	struct packet_socket *s = packet_of(socket);
	int error = -EINVAL;

	mutex_lock(&s->ring_lock);
	if (s->rings && !request->offset &&
	    ALIGN_UP(request->length, PAGE_SIZE) == (u64)s->rings->page_count * PAGE_SIZE) {
		memory_object_get(s->rings->object);
		request->object = s->rings->object;
		request->object_owned = true;
		/* A mapping keeps the memory, not the socket, whose end takes locks that are outside those of mappings. */
		request->file = nullptr;
		error = 0;
	}
	mutex_unlock(&s->ring_lock);
	return error;
}
