/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network driver before a device that lies: lengths, counts, places of checksums, kinds and sizes of segments. What comes
 * through must be sound enough to be forwarded: cut into segments, its checksum completed, and sent again.
 */
#include "../../../arch/host/host.h"
#include "../../../arch/host/net.h"

#include <core/random.h>
#include <dev/virtio/virtio.h>
#include <dev/virtio/virtio_buses.h>
#include <lib/errno.h>
#include <lib/test.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <net/local.h>

#include <linux/if_ether.h>
#include <linux/virtio_net.h>

#define ENTRIES 64

struct virtio_queue {
	struct virtio_queue_request copy;
	void *tokens[ENTRIES];
	unsigned count;
	bool receives;
};

static struct virtio_queue queues[2];
static const struct virtio_driver *driver;
static struct net_device *card;
static u64 offered;
static unsigned received, budget;

/* --- The device --- */

void virtio_driver_register(struct virtio_driver *d)
{
	driver = d;
}

int virtio_negotiate(struct virtio_device *device, u64 wanted)
{
	device->features = wanted & offered;
	return 0;
}

void virtio_config_read(struct virtio_device *device, u32 offset, void *to, u32 size)
{
	random_bytes(to, size);
}

int virtio_queues_create(struct virtio_device *device, const struct virtio_queue_request *requests,
			 unsigned count, struct virtio_queue **out)
{
	for (unsigned i = 0; i < count; i++) {
		queues[i] = (struct virtio_queue){ .copy = requests[i], .receives = i == 0 };
		out[i] = &queues[i];
	}
	return 0;
}

void virtio_ready(struct virtio_device *device)
{
}

void virtio_stop(struct virtio_device *device)
{
}

void *virtio_queue_private(const struct virtio_queue *queue)
{
	return queue->copy.private;
}

unsigned virtio_queue_room(const struct virtio_queue *queue)
{
	return ENTRIES - queue->count;
}

int virtio_queue_add(struct virtio_queue *queue, const struct virtio_buffer *buffers, unsigned out,
		     unsigned in, void *token)
{
	if (queue->count == ENTRIES)
		return -ENOSPC;
	for (unsigned i = 0; i < out + in; i++)
		EXPECT_LT(0, buffers[i].length);
	queue->tokens[queue->count++] = token;
	return 0;
}

void virtio_queue_kick(struct virtio_queue *queue)
{
}

void virtio_queue_interrupts_off(struct virtio_queue *queue)
{
}

bool virtio_queue_interrupts_on(struct virtio_queue *queue)
{
	return true;
}

/* A frame with a header of any content; often enough nearly a right one. */
static u32 write_frame(u8 *to)
{
	struct virtio_net_hdr_mrg_rxbuf h;
	u8 *frame = to + sizeof(h);

	for (unsigned i = 0; i < 256; i++)
		to[i] = (u8)host_net_random();
	random_bytes(&h, sizeof(h));
	if (host_net_random() % 4) {
		bool v6 = host_net_random() % 2;

		frame[12] = v6 ? 0x86 : 8;
		frame[13] = v6 ? 0xdd : 0;
		frame[14] = v6 ? 0x60 : (u8)(0x40 | (4 + host_net_random() % 4));
		frame[v6 ? 20 : 23] = host_net_random() % 4 ? 6 : 17;
		h.hdr.gso_type = host_net_random() % 3 ? (v6 ? 4 : 1) : (u8)(host_net_random() % 6);
		h.hdr.gso_size = (u16)(host_net_random() % 3 ? 100 + host_net_random() % 2000
							     : host_net_random());
	}
	if (host_net_random() % 2) {
		h.hdr.csum_start = (u16)(host_net_random() % 130);
		h.hdr.csum_offset = (u16)(host_net_random() % 30);
	}
	h.num_buffers =
		(u16)(host_net_random() % 8 ? 1 + host_net_random() % 20 : host_net_random());
	memcpy(to, &h, sizeof(h));
	return (u32)(host_net_random() % 3 ? host_net_random() % 8192 : host_net_random() % 80);
}

void *virtio_queue_take(struct virtio_queue *queue, u32 *written)
{
	unsigned pick;
	void *token;

	if (!queue->count || (queue->receives && !budget))
		return nullptr;
	pick = (unsigned)(host_net_random() % queue->count);
	token = queue->tokens[pick];
	queue->tokens[pick] = queue->tokens[--queue->count];
	*written = 0;
	if (queue->receives) {
		budget--;
		*written = write_frame(page_address((struct page *)token));
	}
	return token;
}

/* --- What stands on the device --- */

int net_device_register(struct network_namespace *network, struct net_device *device,
			const char *name)
{
	card = device;
	device->network = network;
	return 0;
}

void net_device_set_carrier(struct net_device *device, bool on)
{
}

/* As a router does: out of the same device. */
void net_receive(struct packet *p)
{
	received++;
	EXPECT_LE(p->linear, p->length);
	if (p->checksum == CHECKSUM_PARTIAL) {
		unsigned start = p->checksum_start - packet_headroom(p);

		EXPECT_LE(start + p->checksum_offset + 2, p->linear);
	}
	packet_push(p, ETH_HLEN);
	if (p->segment_size && host_net_random() % 2) {
		EXPECT_EQ(p->checksum, CHECKSUM_PARTIAL);
		net_segment_in_software(card, p);
		return;
	}
	if (p->checksum == CHECKSUM_PARTIAL && host_net_random() % 2) {
		packet_complete_checksum(p);
		p->segment_size = 0;
	}
	card->ops->transmit(card, p);
}

static void hostile_rounds(u64 features, unsigned rounds)
{
	static struct virtio_device virtio;

	offered = features;
	received = 0;
	virtio = (struct virtio_device){ .name = "virtio0" };
	virtio_net_init();
	if (!EXPECT_EQ(driver->probe(&virtio), 0))
		return;
	for (unsigned i = 0; i < rounds && !test_has_failed(); i++) {
		budget = 1 + (unsigned)(host_net_random() % 100);
		queues[0].copy.used(&queues[0]);
		host_net_run_timers();
		queues[1].copy.used(&queues[1]);
		host_net_run_timers();
	}
	EXPECT_LT(0, received);
	/* What waits for room in the ring is sent. */
	for (unsigned i = 0; i < 100; i++) {
		queues[1].copy.used(&queues[1]);
		host_net_run_timers();
	}
	for (unsigned i = 0; i < queues[0].count; i++)
		page_put(queues[0].tokens[i]);
	for (unsigned i = 0; i < queues[1].count; i++)
		packet_free(queues[1].tokens[i]);
	kfree(virtio.private);
}

TEST(virtio_net_survives_a_device_that_lies)
{
	host_net_init(11);
	host_quiet(1);
	hostile_rounds(UINT64_MAX, 3000);
}

TEST(virtio_net_without_merged_buffers_survives_it_too)
{
	host_net_init(12);
	host_quiet(1);
	hostile_rounds(BIT(VIRTIO_F_VERSION_1), 3000);
}
