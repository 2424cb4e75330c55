/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network driver before a device that lies: lengths, counts, places of checksums, kinds and sizes of segments. What comes
 * through must be sound enough to be forwarded: cut into segments, its checksum completed, and sent again.
 */
#include "../../../arch/host/host.h"
#include "../../../arch/host/net.h"

#include <core/random.h>
#include <dev/virtio/net_priv.h>
#include <dev/virtio/virtio_buses.h>
#include <lib/errno.h>
#include <lib/test.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <net/checksum.h>
#include <net/local.h>
#include <sched/thread.h>

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/virtio_net.h>

#define ENTRIES 64
#define QUEUES_MAX 33

struct virtio_queue {
	struct virtio_queue_request copy;
	void *tokens[ENTRIES];
	unsigned count;
	bool receives, commands;
};

static struct virtio_queue queues[QUEUES_MAX];
static unsigned queue_count;
static u16 offered_pairs;  /* max_virtqueue_pairs */
static unsigned commanded; /* the last number of pairs that the driver asked for */
static unsigned sent_by[QUEUES_MAX];
static const struct virtio_driver *driver;
static struct net_device *card;
static u64 offered;
static unsigned received, budget;
static bool deaf;	/* to commands */
static bool honest;	/* the device delivers segments of a stream, not garbage */
static u32 next_seq;	/* of it */
static unsigned merged; /* packets that came through with more than one segment */

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
	*(u8 *)to &= 0xfe; /* an address of one card */
	if (offset == offsetof(struct virtio_net_config, max_virtqueue_pairs))
		memcpy(to, &offered_pairs, sizeof(offered_pairs));
}

int virtio_queues_create(struct virtio_device *device, const struct virtio_queue_request *requests,
			 unsigned count, struct virtio_queue **out)
{
	EXPECT_LE(count, QUEUES_MAX);
	queue_count = count;
	for (unsigned i = 0; i < count; i++) {
		queues[i] = (struct virtio_queue){ .copy = requests[i],
						   .receives = !(i & 1) && requests[i].used,
						   .commands = !requests[i].used };
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

/* Does as it is told; one that is not honest does not always. */
static void obey(const struct virtio_buffer *buffers)
{
	const struct virtio_net_ctrl_hdr *header = phys_to_virt(buffers[0].address);
	const struct virtio_net_ctrl_mq *mq = phys_to_virt(buffers[1].address);
	u8 *answer = phys_to_virt(buffers[2].address);

	*answer = honest ? VIRTIO_NET_OK : (u8)(host_net_random() % 3);
	if (header->class == VIRTIO_NET_CTRL_MQ)
		commanded = mq->virtqueue_pairs;
}

int virtio_queue_add(struct virtio_queue *queue, const struct virtio_buffer *buffers, unsigned out,
		     unsigned in, void *token)
{
	if (queue->count == ENTRIES)
		return -ENOSPC;
	for (unsigned i = 0; i < out + in; i++)
		EXPECT_LT(0, buffers[i].length);
	if (queue->commands)
		obey(buffers);
	else if (!queue->receives)
		sent_by[queue - queues]++;
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

static u8 byte_at(u32 seq)
{
	return (u8)(seq * 131 + (seq >> 8) * 17);
}

/* The next segment of a stream, at times an old one, or one whose payload was damaged on the way. */
static u32 write_segment(u8 *to)
{
	const unsigned headers = 20 + 32;
	struct virtio_net_hdr_mrg_rxbuf h = { .num_buffers = 1 };
	u32 seq = host_net_random() % 16 ? next_seq : next_seq - 5000, length = 1448, sum;
	u8 *ip = to + sizeof(h) + ETH_HLEN, *tcp = ip + 20;
	struct inet_address from = inet_from_v4(net32(0x0a000001)),
			    ours = inet_from_v4(net32(0x0a000002));

	if (host_net_random() % 8 == 0)
		length = 1 + (u32)(host_net_random() % 1448);
	memset(to, 0, sizeof(h) + ETH_HLEN + headers);
	memcpy(to, &h, sizeof(h));
	memcpy(to + sizeof(h), card->address, ETH_ALEN);
	store_net16(ip - 2, ETH_P_IP);
	ip[0] = 0x45;
	store_net16(ip + 2, (u16)(headers + length));
	ip[8] = 64;
	ip[9] = IPPROTO_TCP;
	store_net32(ip + 12, 0x0a000001);
	store_net32(ip + 16, 0x0a000002);
	sum = (u16)~checksum_fold(checksum_add(ip, 20, 0));
	memcpy(ip + 10, &sum, 2);
	store_net32(tcp + 4, seq);
	tcp[12] = 8 << 4;
	tcp[13] = host_net_random() % 12 ? 0x10 : 0x18;
	store_net32(tcp + 20, 0x0101080a);
	store_net32(tcp + 24, host_net_random() % 12 ? 7 : 8);
	for (u32 i = 0; i < length; i++)
		tcp[32 + i] = byte_at(seq + i);
	sum = (u16)~checksum_fold(checksum_add(
		tcp, 32 + length, checksum_pseudo(&from, &ours, 32 + length, IPPROTO_TCP)));
	memcpy(tcp + 16, &sum, 2);
	if (host_net_random() % 32 == 0)
		tcp[32 + host_net_random() % length] ^= 1;
	if (seq == next_seq)
		next_seq += length;
	return (u32)sizeof(h) + ETH_HLEN + headers + length;
}

/* What comes through is what was sent, or still has a checksum that says that it is not. */
static void expect_stream(struct packet *p)
{
	static u8 payload[65536];
	u32 seq, length = p->length - 52;
	bool right = true;

	EXPECT_EQ(load_net16(p->data + 2), p->length);
	EXPECT_EQ(checksum_fold(checksum_add(p->data, 20, 0)), 0xffff);
	seq = load_net32(p->data + 24);
	EXPECT(packet_copy(p, 52, payload, length));
	for (u32 i = 0; i < length; i++)
		right &= payload[i] == byte_at(seq + i);
	EXPECT(right || (p->checksum == CHECKSUM_UNKNOWN && !p->segment_size));
	if (p->segment_size) {
		merged++;
		packet_complete_checksum(p);
		EXPECT_EQ(checksum_fold(packet_sum(
				  p, 20, p->length - 20,
				  checksum_pseudo(
					  &(struct inet_address){ .words = { 0, 0, net32(0xffff),
									     net32(0x0a000001) } },
					  &(struct inet_address){ .words = { 0, 0, net32(0xffff),
									     net32(0x0a000002) } },
					  p->length - 20, IPPROTO_TCP))),
			  0xffff);
	}
	packet_free(p);
}

void *virtio_queue_take(struct virtio_queue *queue, u32 *written)
{
	unsigned pick;
	void *token;

	if (!queue->count || (queue->receives && !budget) || (queue->commands && deaf))
		return nullptr;
	pick = honest ? 0 : (unsigned)(host_net_random() % queue->count);
	token = queue->tokens[pick];
	queue->tokens[pick] = queue->tokens[--queue->count];
	*written = 0;
	if (queue->receives) {
		budget--;
		*written =
			(honest ? write_segment : write_frame)(page_address((struct page *)token));
	}
	return token;
}

/* --- The machine --- */

unsigned arch_cpu_count(void)
{
	return 4;
}

void thread_sleep_ns(u64 ns)
{
	host_clock_ns += ns;
}

/* --- What stands on the device --- */

int net_device_register(struct network_namespace *network, struct net_device *device,
			const char *name)
{
	card = device;
	device->network = network;
	return 0;
}

int net_device_take_address(struct net_device *device, const u8 *address)
{
	memcpy(device->address, address, ETH_ALEN);
	return 0;
}

void net_device_set_carrier(struct net_device *device, bool on)
{
}

/* As a router does: out of the same device. */
void net_receive(struct packet *p)
{
	received++;
	if (honest) {
		expect_stream(p);
		return;
	}
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

/* Interrupts of all queues that a task serves. */
static void interrupt(void)
{
	for (unsigned i = 0; i < queue_count; i++)
		if (queues[i].copy.used)
			queues[i].copy.used(&queues[i]);
	host_net_run_timers();
}

static void start(u64 features, struct virtio_device *virtio)
{
	offered = features;
	received = 0;
	commanded = 0;
	memset(sent_by, 0, sizeof(sent_by));
	*virtio = (struct virtio_device){ .name = "virtio0" };
	virtio_net_init();
	EXPECT_EQ(driver->probe(virtio), 0);
	budget = 0;
	host_net_run_timers();
}

static void end(struct virtio_device *virtio)
{
	struct virtio_net *n = virtio->private;

	for (unsigned i = 0; i < queue_count; i++)
		for (unsigned k = 0; k < queues[i].count; k++)
			if (queues[i].receives)
				page_put(queues[i].tokens[k]);
			else if (!queues[i].commands)
				packet_free(queues[i].tokens[k]);
	kfree(n->command);
	kfree(n);
}

static void rounds(u64 features, unsigned count)
{
	static struct virtio_device virtio;

	start(features, &virtio);
	for (unsigned i = 0; i < count && !test_has_failed(); i++) {
		budget = 1 + (unsigned)(host_net_random() % 100);
		interrupt();
	}
	EXPECT_LT(0, received);
	/* What waits for room in the ring is sent. */
	budget = 0;
	for (unsigned i = 0; i < 100; i++)
		interrupt();
	end(&virtio);
}

TEST(virtio_net_survives_a_device_that_lies)
{
	host_net_init(11);
	host_quiet(1);
	rounds(UINT64_MAX, 3000);
}

TEST(virtio_net_without_merged_buffers_survives_it_too)
{
	host_net_init(12);
	host_quiet(1);
	rounds(BIT(VIRTIO_F_VERSION_1), 3000);
}

TEST(virtio_net_merges_segments_and_keeps_the_stream)
{
	host_net_init(13);
	host_quiet(1);
	honest = true;
	rounds(UINT64_MAX, 1000);
	EXPECT_LT(1000, merged);
}

TEST(virtio_net_has_a_pair_of_queues_for_each_processor)
{
	static struct virtio_device virtio;
	struct virtio_net *n;
	char name[NET_STATISTIC_NAME];
	u32 maximum, used;
	u64 value;

	host_net_init(14);
	host_quiet(1);
	honest = true;
	offered_pairs = 8;
	start(UINT64_MAX, &virtio);
	n = virtio.private;
	EXPECT_EQ(queue_count, 17);
	EXPECT(queues[16].commands);
	EXPECT_EQ(commanded, 4);
	card->ops->channels(card, &maximum, &used);
	EXPECT_EQ(maximum, 8);
	EXPECT_EQ(used, 4);
	for (unsigned i = 0; i < 16; i += 2)
		EXPECT_EQ(queues[i].count, i < 8 ? ENTRIES : 0);

	EXPECT_EQ(card->ops->set_channels(card, 9), -EINVAL);
	EXPECT_EQ(card->ops->set_channels(card, 6), 0);
	EXPECT_EQ(commanded, 6);
	budget = 0;
	host_net_run_timers();
	EXPECT_EQ(queues[10].count, ENTRIES);
	EXPECT_EQ(queues[12].count, 0);

	/* The host's one CPU sends by the first pair, whatever queue packets came from. */
	budget = 600;
	for (unsigned i = 0; i < 20; i++)
		interrupt();
	EXPECT_LT(0, received);
	EXPECT(card->ops->statistic(card, 0, name, &value));
	EXPECT_EQ(strcmp(name, "rx_queue_0_packets"), 0);
	EXPECT_LT(0, value);
	EXPECT(card->ops->statistic(card, 63, name, &value));
	EXPECT_EQ(strcmp(name, "tx_queue_7_kicks"), 0);
	EXPECT(!card->ops->statistic(card, 64, name, &value));
	EXPECT_EQ(n->active, 6);
	end(&virtio);
}

TEST(virtio_net_with_too_many_pairs_or_none_has_one)
{
	static struct virtio_device virtio;
	static const u16 counts[] = { 0, 17, 0x8000, UINT16_MAX };

	host_net_init(15);
	host_quiet(1);
	honest = true;
	for (unsigned i = 0; i < ARRAY_SIZE(counts); i++) {
		offered_pairs = counts[i];
		start(UINT64_MAX, &virtio);
		EXPECT_EQ(queue_count, 3);
		EXPECT(!virtio_has(&virtio, VIRTIO_NET_F_MQ));
		end(&virtio);
	}
}

TEST(virtio_net_does_with_one_pair_when_commands_are_not_answered)
{
	static struct virtio_device virtio;
	struct virtio_net *n;

	host_net_init(17);
	host_quiet(1);
	honest = deaf = true;
	offered_pairs = 4;
	start(UINT64_MAX, &virtio);
	n = virtio.private;
	EXPECT_EQ(n->active, 1);
	EXPECT_EQ(card->ops->set_channels(card, 2), -EIO);
	EXPECT_EQ(card->ops->set_address(card, card->address), -EIO);
	EXPECT_EQ(queues[8].count, 1); /* it was given one command, and no other */
	end(&virtio);
}

TEST(virtio_net_with_many_queues_survives_a_device_that_lies)
{
	host_net_init(16);
	host_quiet(1);
	offered_pairs = 3;
	rounds(UINT64_MAX, 1000);
}
