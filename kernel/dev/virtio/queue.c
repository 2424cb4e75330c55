/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Split virtqueues (Virtual I/O Device specification 1.2, 2.7).
 *
 * The ring is shared with a device that is not trusted, so what we need to know of a chain is kept in
 * `slots`, which the device cannot reach: (V1) descriptors are written, never read back; (V2) an id in
 * the used ring counts only if its slot has a token; (V3) a length is cut to what the chain can hold.
 * (V4) A violation breaks the device: nothing is added or taken any more.
 */
#include <arch/barrier.h>
#include <core/log.h>
#include <dev/virtio/virtio_priv.h>
#include <lib/errno.h>
#include <mm/slab.h>

#define RING_ALIGN 4096u
#define INDIRECT_MAX 512u
#define NO_SLOT UINT16_MAX

static u16 *used_event(struct virtio_queue *q)
{
	return (u16 *)&q->available->ring[q->size];
}

static u16 *available_event(struct virtio_queue *q)
{
	return (u16 *)&q->used_ring->ring[q->size];
}

void virtio_break(struct virtio_device *device, const char *why)
{
	if (!device->broken)
		log_error("%s: %s; not used any more", device->name, why);
	WRITE_ONCE(device->broken, true);
}

/* --- making and ending --- */

/* The ring in the layout of legacy devices, which fits the others. */
static bool ring_alloc(struct virtio_queue *q)
{
	size_t used_at =
		ALIGN_UP(q->size * sizeof(struct vring_desc) + (3 + q->size) * 2u, RING_ALIGN);
	size_t size = used_at + 6 + q->size * sizeof(struct vring_used_elem);
	char *ring;

	while ((PAGE_SIZE << q->ring_order) < size)
		q->ring_order++;
	ring = page_alloc_address(q->ring_order, ALLOC_ZERO);
	if (!ring)
		return false;
	q->descriptors = (struct vring_desc *)ring;
	q->available = (struct vring_avail *)(ring + q->size * sizeof(struct vring_desc));
	q->used_ring = (struct vring_used *)(ring + used_at);
	return true;
}

int virtio_queue_create(struct virtio_device *device, unsigned index,
			const struct virtio_queue_request *request, struct virtio_queue **out)
{
	unsigned size = device->transport->queue_max(device, index);
	struct virtio_queue *q;

	if (!size)
		return -ENOENT;
	size = MIN(size, VIRTIO_QUEUE_SIZE_MAX);
	if (request->size_max)
		size = MIN(size, request->size_max);
	/* A power of two, as the size of a split queue is. */
	while (size & (size - 1))
		size &= size - 1;
	q = kzalloc(sizeof(*q), 0);
	if (!q)
		return -ENOMEM;
	q->device = device;
	q->name = request->name;
	q->used = request->used;
	q->private = request->private;
	q->index = (u16)index;
	q->size = (u16)size;
	q->event_index = virtio_has(device, VIRTIO_RING_F_EVENT_IDX);
	q->indirect = virtio_has(device, VIRTIO_RING_F_INDIRECT_DESC);
	q->slots = kcalloc(size, sizeof(*q->slots), 0);
	if (!q->slots || !ring_alloc(q)) {
		virtio_queue_destroy(q);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < size; i++)
		q->slots[i].next = i + 1 < size ? (u16)(i + 1) : NO_SLOT;
	q->free_count = (u16)size;
	if (!q->used)
		virtio_queue_interrupts_off(q);
	*out = q;
	return 0;
}

void virtio_queue_destroy(struct virtio_queue *q)
{
	for (unsigned i = 0; q->slots && i < q->size; i++)
		kfree(q->slots[i].table);
	kfree(q->slots);
	if (q->descriptors)
		page_free_address(q->descriptors);
	kfree(q);
}

void *virtio_queue_private(const struct virtio_queue *queue)
{
	return queue->private;
}

struct virtio_device *virtio_queue_device(const struct virtio_queue *queue)
{
	return queue->device;
}

unsigned virtio_queue_size(const struct virtio_queue *queue)
{
	return queue->size;
}

unsigned virtio_queue_room(const struct virtio_queue *queue)
{
	return queue->free_count;
}

/* --- adding --- */

static struct vring_desc descriptor(const struct virtio_buffer *b, bool in, bool more,
				    unsigned next)
{
	return (struct vring_desc){
		.addr = b->address,
		.len = b->length,
		.flags = (u16)((in ? VRING_DESC_F_WRITE : 0) | (more ? VRING_DESC_F_NEXT : 0)),
		.next = more ? (u16)next : 0,
	};
}

/* A table of at least `count` descriptors that belongs to the slot; null without memory. */
static struct vring_desc *slot_table(struct virtio_slot *slot, unsigned count)
{
	if (slot->table_size < count) {
		unsigned size = ALIGN_UP(count, 8u);
		struct vring_desc *table = kmalloc(size * sizeof(*table), ALLOC_ATOMIC);

		if (!table)
			return nullptr;
		kfree(slot->table);
		slot->table = table;
		slot->table_size = (u16)size;
	}
	return slot->table;
}

/* One descriptor of the ring that refers to a table of its own. False without memory. */
static bool add_indirect(struct virtio_queue *q, const struct virtio_buffer *buffers, unsigned out,
			 unsigned count)
{
	u16 head = q->free_head;
	struct virtio_slot *slot = &q->slots[head];
	struct vring_desc *table = slot_table(slot, count);

	if (!table)
		return false;
	for (unsigned i = 0; i < count; i++)
		table[i] = descriptor(&buffers[i], i >= out, i + 1 < count, i + 1);
	q->descriptors[head] = (struct vring_desc){ .addr = virt_to_phys(table),
						    .len = (u32)(count * sizeof(*table)),
						    .flags = VRING_DESC_F_INDIRECT };
	q->free_head = slot->next;
	slot->next = NO_SLOT;
	slot->count = 1;
	return true;
}

static void add_direct(struct virtio_queue *q, const struct virtio_buffer *buffers, unsigned out,
		       unsigned count)
{
	u16 head = q->free_head, at = head, last = head;

	for (unsigned i = 0; i < count; i++) {
		q->descriptors[at] =
			descriptor(&buffers[i], i >= out, i + 1 < count, q->slots[at].next);
		last = at;
		at = q->slots[at].next;
	}
	q->free_head = at;
	q->slots[last].next = NO_SLOT;
	q->slots[head].count = (u16)count;
}

int virtio_queue_add(struct virtio_queue *q, const struct virtio_buffer *buffers, unsigned out,
		     unsigned in, void *token)
{
	unsigned count = out + in;
	u16 head = q->free_head;
	u64 in_bytes = 0;

	if (q->device->broken)
		return -EIO;
	if (!q->free_count)
		return -ENOSPC;
	for (unsigned i = out; i < count; i++)
		in_bytes += buffers[i].length;
	if (count == 1 || !q->indirect || count > INDIRECT_MAX ||
	    !add_indirect(q, buffers, out, count)) {
		if (count > q->free_count)
			return -ENOSPC;
		add_direct(q, buffers, out, count);
	}
	q->free_count -= q->slots[head].count;
	q->slots[head].token = token;
	q->slots[head].in_bytes = (u32)MIN(in_bytes, (u64)UINT32_MAX);
	q->available->ring[q->added & (q->size - 1)] = head;
	q->added++;
	/* The entry is written before the index that shows it. */
	arch_wmb();
	WRITE_ONCE(q->available->idx, q->added);
	return 0;
}

void virtio_queue_kick(struct virtio_queue *q)
{
	u16 from = q->notified, to = q->added;
	bool wanted;

	if (from == to || q->device->broken)
		return;
	q->notified = to;
	/* The index is written before we look whether the device wants to know of it. */
	arch_mb();
	if (q->event_index)
		wanted = vring_need_event(READ_ONCE(*available_event(q)), to, from);
	else
		wanted = !(READ_ONCE(q->used_ring->flags) & VRING_USED_F_NO_NOTIFY);
	if (wanted)
		q->device->transport->notify(q->device, q);
}

/* --- taking --- */

static void slot_free(struct virtio_queue *q, u16 head)
{
	u16 last = head;

	while (q->slots[last].next != NO_SLOT)
		last = q->slots[last].next;
	q->slots[last].next = q->free_head;
	q->free_head = head;
	q->free_count += q->slots[head].count;
	q->slots[head].token = nullptr;
}

void *virtio_queue_take(struct virtio_queue *q, u32 *written)
{
	u16 now = READ_ONCE(q->used_ring->idx);

	if (now == q->taken || q->device->broken)
		return nullptr;
	if ((u16)(now - q->taken) > q->size) {
		virtio_break(q->device, "used index out of range");
		return nullptr;
	}
	/* The entry is read after the index that shows it. */
	arch_rmb();
	const struct vring_used_elem *e = &q->used_ring->ring[q->taken & (q->size - 1)];
	u32 id = READ_ONCE(e->id), length = READ_ONCE(e->len);
	if (id >= q->size || !q->slots[id].token) {
		virtio_break(q->device, "used what it was not given");
		return nullptr;
	}
	struct virtio_slot *slot = &q->slots[id];
	void *token = slot->token;
	*written = MIN(length, slot->in_bytes);
	slot_free(q, (u16)id);
	q->taken++;
	if (q->event_index && !q->polled)
		WRITE_ONCE(*used_event(q), q->taken);
	return token;
}

void *virtio_queue_detach(struct virtio_queue *q)
{
	for (u16 i = 0; i < q->size; i++) {
		void *token = q->slots[i].token;

		if (token) {
			slot_free(q, i);
			return token;
		}
	}
	return nullptr;
}

void virtio_queue_interrupts_off(struct virtio_queue *q)
{
	q->polled = true;
	WRITE_ONCE(q->available->flags, VRING_AVAIL_F_NO_INTERRUPT);
	/* As far behind as can be: half of the numbers go by before it fits. */
	if (q->event_index)
		WRITE_ONCE(*used_event(q), (u16)(q->taken + 0x8000));
}

bool virtio_queue_interrupts_on(struct virtio_queue *q)
{
	q->polled = false;
	WRITE_ONCE(q->available->flags, 0);
	if (q->event_index)
		WRITE_ONCE(*used_event(q), q->taken);
	/* The wish is written before we look whether it came too late. */
	arch_mb();
	return READ_ONCE(q->used_ring->idx) == q->taken || q->device->broken;
}

void virtio_queue_interrupt(struct virtio_queue *q)
{
	if (q->used && READ_ONCE(q->used_ring->idx) != q->taken && !q->device->broken)
		q->used(q);
}
