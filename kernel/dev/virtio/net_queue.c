/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pair of queues of a network device. Receive buffers are pages; with mergeable buffers a large packet comes in several of
 * them, which become its fragments without copying. A used buffer wakes the pair's network thread, which takes what is
 * there in rounds of BUDGET packets with interrupts off. Sent packets are the tokens of their chains and are freed when the
 * next one is sent; when the ring is full, packets wait in `waiting` and the ring's interrupt sends them. Who sends takes
 * the pair of the CPU on which it runs, so that the device, which answers a connection where it last heard of it, has
 * the answers come to the same CPU.
 */
#include <dev/virtio/net_priv.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/offload.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#define BUDGET 64u
#define WAITING_MAX 1000u
#define LINEAR_MAX 128u /* of a received packet: all headers */

/* --- Receive --- */

void virtio_net_refill(struct virtio_net_pair *q)
{
	bool added = false;

	while (virtio_queue_room(q->receive)) {
		struct page *page = page_alloc(0, ALLOC_ATOMIC);
		struct virtio_buffer buffer;

		if (!page)
			break; /* tried again with the next packet */
		buffer = (struct virtio_buffer){ page_to_phys(page), PAGE_SIZE };
		if (virtio_queue_add(q->receive, &buffer, 0, 1, page)) {
			page_put(page);
			break;
		}
		added = true;
	}
	if (added) {
		q->received.kicks++;
		virtio_queue_kick(q->receive);
	}
}

/* Appends what a page holds from `offset` on; takes the page. */
static bool append_page(struct packet *p, struct page *page, u32 offset, u32 length)
{
	u32 linear = p->length ? 0 : MIN(length, LINEAR_MAX);

	if (!p->length && length <= packet_tailroom(p))
		linear = length;
	memcpy(packet_append(p, linear), (u8 *)page_address(page) + offset, linear);
	if (linear < length && packet_add_fragment(p, page, offset + linear, length - linear))
		return true;
	page_put(page);
	return linear == length;
}

/* The further buffers of a merged packet. False if the device did not deliver what it announced. */
static bool append_merged(struct virtio_net_pair *q, struct packet *p, unsigned count)
{
	bool ok = true;

	while (count--) {
		u32 length;
		struct page *page = virtio_queue_take(q->receive, &length);

		if (!page)
			return false;
		if (!ok) /* too many: the rest is taken and dropped */
			page_put(page);
		else
			ok = append_page(p, page, 0, MIN(length, (u32)PAGE_SIZE));
	}
	return ok;
}

/* Hands a frame, whose data is the Ethernet header, to the Internet layer. */
static void deliver(struct virtio_net_pair *q, struct packet *p)
{
	struct ethhdr eth;

	if (!packet_copy(p, 0, &eth, sizeof(eth))) {
		net_device_count(&q->net->device, receive_errors, 1);
		packet_free(p);
		return;
	}
	q->received.packets++;
	q->received.bytes += p->length;
	p->device = &q->net->device;
	p->queue = (u16)(q - q->net->pairs + 1);
	p->link_header = (u16)packet_headroom(p);
	p->kind = net_ethernet_kind(&q->net->device, eth.h_dest);
	p->protocol = net16(eth.h_proto);
	packet_pull(p, ETH_HLEN);
	preempt_disable();
	packet_merge(&q->merger, p);
	preempt_enable();
}

static void receive_one(struct virtio_net_pair *q, struct page *page, u32 length)
{
	struct virtio_net_hdr_mrg_rxbuf header = {};
	struct packet *p = packet_alloc();
	unsigned more = 0;

	length = MIN(length, (u32)PAGE_SIZE);
	if (length < q->net->header)
		goto bad;
	memcpy(&header, page_address(page), MIN(q->net->header, (unsigned)sizeof(header)));
	if (q->net->merges) {
		if (!header.num_buffers)
			goto bad;
		more = header.num_buffers - 1u;
	}
	if (!p) {
		net_device_count(&q->net->device, receive_dropped, 1);
		goto drop;
	}
	if (!append_page(p, page, q->net->header, length - q->net->header)) {
		page = nullptr;
		goto bad;
	}
	page = nullptr;
	if (!append_merged(q, p, more)) {
		more = 0;
		goto bad;
	}
	more = 0;
	if (!offload_take(p, &header.hdr))
		goto bad;
	deliver(q, p);
	return;
bad:
	net_device_count(&q->net->device, receive_errors, 1);
drop:
	q->received.drops++;
	if (page)
		page_put(page);
	while (more--) {
		u32 unused;
		struct page *next = virtio_queue_take(q->receive, &unused);

		if (!next)
			break;
		page_put(next);
	}
	packet_free(p);
}

static void flush(struct virtio_net_pair *q)
{
	preempt_disable();
	packet_merge_flush(&q->merger);
	preempt_enable();
}

static void receive_round(struct net_task *task)
{
	struct virtio_net_pair *q = container_of(task, struct virtio_net_pair, receive_task);
	unsigned done = 0;

	for (;;) {
		u32 length;
		struct page *page = virtio_queue_take(q->receive, &length);

		if (page) {
			receive_one(q, page, length);
			if (++done < BUDGET)
				continue;
			flush(q);
			virtio_net_refill(q);
			net_task_queue(task); /* others have a turn */
			return;
		}
		flush(q);
		virtio_net_refill(q);
		if (virtio_queue_interrupts_on(q->receive))
			return;
		virtio_queue_interrupts_off(q->receive);
	}
}

void virtio_net_receive_used(struct virtio_queue *queue)
{
	struct virtio_net_pair *q = virtio_queue_private(queue);

	virtio_queue_interrupts_off(queue);
	net_task_queue(&q->receive_task);
}

/* --- Transmit --- */

static void free_sent(struct virtio_net_pair *q) __must_hold(&q->transmit_lock)
{
	struct packet *p;
	u32 unused;

	while ((p = virtio_queue_take(q->transmit, &unused)))
		packet_free(p);
}

static void fill_header(const struct virtio_net_pair *q, struct packet *p)
{
	struct virtio_net_hdr_mrg_rxbuf h = {};

	offload_describe(p, &h.hdr);
	memcpy(packet_push(p, q->net->header), &h, q->net->header);
}

/* -ENOSPC when the ring is full; takes the packet otherwise. */
static int offer(struct virtio_net_pair *q, struct packet *p) __must_hold(&q->transmit_lock)
{
	struct virtio_buffer buffers[PACKET_FRAGMENTS_MAX + 1];
	unsigned count = 1;

	buffers[0] = (struct virtio_buffer){ virt_to_phys(p->data), p->linear };
	for (unsigned i = 0; i < p->fragment_count; i++)
		buffers[count++] = (struct virtio_buffer){
			page_to_phys(p->fragments[i].page) + p->fragments[i].offset,
			p->fragments[i].length,
		};
	return virtio_queue_add(q->transmit, buffers, count, 0, p);
}

static void send_waiting(struct virtio_net_pair *q) __must_hold(&q->transmit_lock)
{
	while (q->waiting.head) {
		struct packet *p = q->waiting.head;
		int error = offer(q, p);

		if (error == -ENOSPC)
			return;
		(void)packet_queue_take(&q->waiting);
		if (error)
			packet_free(p);
	}
}

void virtio_net_transmit(struct net_device *device, struct packet *p)
{
	struct virtio_net *n = virtio_net_of(device);
	struct virtio_net_pair *q = &n->pairs[cpu_id() % READ_ONCE(n->active)];
	u32 length = p->length;
	bool more = p->more;

	fill_header(q, p);
	spin_lock(&q->transmit_lock);
	free_sent(q);
	if (q->waiting.count >= WAITING_MAX) {
		net_device_count(device, transmit_dropped, 1);
		q->sent.drops++;
		virtio_queue_kick(q->transmit);
		spin_unlock(&q->transmit_lock);
		packet_free(p);
		return;
	}
	net_device_count(device, transmit_packets, 1);
	net_device_count(device, transmit_bytes, length);
	q->sent.packets++;
	q->sent.bytes += length;
	packet_queue_add(&q->waiting, p);
	send_waiting(q);
	if (!more || q->waiting.head) {
		q->sent.kicks++;
		virtio_queue_kick(q->transmit);
	}
	/* Full: the device says when there is room, unless there is by now. */
	if (q->waiting.head && !virtio_queue_interrupts_on(q->transmit))
		net_task_queue(&q->transmit_task);
	spin_unlock(&q->transmit_lock);
}

static void transmit_round(struct net_task *task)
{
	struct virtio_net_pair *q = container_of(task, struct virtio_net_pair, transmit_task);

	spin_lock(&q->transmit_lock);
	virtio_queue_interrupts_off(q->transmit);
	free_sent(q);
	send_waiting(q);
	virtio_queue_kick(q->transmit);
	if (q->waiting.head && !virtio_queue_interrupts_on(q->transmit))
		net_task_queue(task);
	spin_unlock(&q->transmit_lock);
}

void virtio_net_transmit_used(struct virtio_queue *queue)
{
	struct virtio_net_pair *q = virtio_queue_private(queue);

	net_task_queue(&q->transmit_task);
}

/* --- Making, counting --- */

void virtio_net_pair_init(struct virtio_net_pair *q, struct virtio_net *net,
			  unsigned number) __no_lock_analysis
{
	q->net = net;
	spin_init(&q->transmit_lock, RANK_NET_DEVICE);
	net_task_init_on(&q->receive_task, receive_round, number);
	net_task_init_on(&q->transmit_task, transmit_round, number);
}

void virtio_net_pair_start(struct virtio_net_pair *q)
{
	net_task_queue(&q->receive_task);
}

/* Names as Linux has them. The counts are read without a lock: they are only shown. */
bool virtio_net_statistic(const struct net_device *device, unsigned number,
			  char name[NET_STATISTIC_NAME], u64 *value) __no_lock_analysis
{
	static const char *const names[] = { "packets", "bytes", "drops", "kicks" };
	const struct virtio_net *n = virtio_net_of(device);
	unsigned pair = number / 4 % n->pair_count, what = number % 4;
	bool sent = number / 4 >= n->pair_count;
	const struct virtio_net_counts *c = sent ? &n->pairs[pair].sent : &n->pairs[pair].received;
	const u64 values[] = { c->packets, c->bytes, c->drops, c->kicks };

	if (number >= 8 * n->pair_count)
		return false;
	snprintf(name, NET_STATISTIC_NAME, "%s_queue_%u_%s", sent ? "tx" : "rx", pair, names[what]);
	*value = values[what];
	return true;
}
