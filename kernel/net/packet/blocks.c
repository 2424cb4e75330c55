/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TPACKET_V3: packets of any size one behind the other in blocks. A block is handed to the program when the next packet does not
 * fit, or some time after its first packet. See ring_priv.h.
 *
 * One timer serves the blocks of all sockets. It is armed for the first of them that has to go when a block gets its first packet;
 * then a task of the network thread hands over what is due, and arms it for the next.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/packet/ring_priv.h>
#include <net/thread.h>

#include <linux/eventpoll.h>

#define PACKET_ALIGNMENT 8u /* of packets in a block */
#define BLOCK_HEADER ((u32)sizeof(struct tpacket_block_desc))

static struct net_timer retire_timer;
static struct spinlock retire_lock = SPINLOCK_INIT(RANK_TIMER_USER);
static u64 armed_ns __guarded_by(&retire_lock); /* 0: it is not */

static void arm(u64 at_ns)
{
	spin_lock(&retire_lock);
	if (!armed_ns || at_ns < armed_ns) {
		armed_ns = at_ns;
		timer_set(&retire_timer.timer, at_ns);
	}
	spin_unlock(&retire_lock);
}

static u64 block_offset(const struct packet_rings *rings, u32 number)
{
	return (u64)rings->receive.first_page * PAGE_SIZE + (u64)number * rings->receive.block_size;
}

static u64 status_offset(const struct packet_rings *rings, u32 number)
{
	return block_offset(rings, number) +
	       offsetof(struct tpacket_block_desc, hdr.bh1.block_status);
}

static bool is_ours(const struct packet_rings *rings, u32 number)
{
	return packet_rings_load(rings, status_offset(rings, number)) == TP_STATUS_KERNEL;
}

/* Where the first packet of a block is. */
static u32 first_offset(const struct packet_block *b)
{
	return BLOCK_HEADER + ALIGN_UP(b->private_size, PACKET_ALIGNMENT);
}

/* Everything of the block's header but its status, which it begins with. */
static void put_header(struct packet_rings *rings)
{
	const struct packet_block *b = &rings->block;
	struct tpacket_block_desc d = {
		.version = TPACKET_V3,
		.offset_to_priv = BLOCK_HEADER,
		.hdr.bh1 = {
			.num_pkts = b->count,
			.offset_to_first_pkt = first_offset(b),
			.blk_len = b->next,
			.seq_num = b->sequence,
			.ts_first_pkt = { .ts_sec = (u32)(b->first_ns / NSEC_PER_SEC),
					  .ts_nsec = (u32)(b->first_ns % NSEC_PER_SEC) },
			.ts_last_pkt = { .ts_sec = (u32)(b->last_ns / NSEC_PER_SEC),
					 .ts_nsec = (u32)(b->last_ns % NSEC_PER_SEC) },
		},
	};
	u64 at = block_offset(rings, b->number);
	const size_t behind = offsetof(struct tpacket_block_desc, hdr.bh1.num_pkts);

	packet_rings_write(rings, at, &d,
			   offsetof(struct tpacket_block_desc, hdr.bh1.block_status));
	packet_rings_write(rings, at + behind, (const char *)&d + behind, sizeof(d) - behind);
}

static void open_block(struct packet_rings *rings)
{
	struct packet_block *b = &rings->block;

	b->frozen = false;
	b->count = 0;
	b->next = first_offset(b);
	b->sequence++;
	b->first_ns = b->last_ns = clock_realtime_ns();
	b->retire_at_ns = 0;
	put_header(rings);
}

void packet_blocks_begin(struct packet_rings *rings)
{
	open_block(rings);
}

/* The block becomes the program's, and the next one is filled once it is ours. */
static void retire(struct packet_socket *s, struct packet_rings *rings, u32 status)
	__must_hold(&s->lock)
{
	struct packet_block *b = &rings->block;

	/* Nothing follows the last packet. */
	packet_rings_store(rings,
			   block_offset(rings, b->number) + b->last +
				   offsetof(struct tpacket3_hdr, tp_next_offset),
			   0);
	put_header(rings);
	if (s->dropped)
		status |= TP_STATUS_LOSING;
	packet_rings_store(rings, status_offset(rings, b->number), TP_STATUS_USER | status);
	b->number = (b->number + 1) % rings->receive.blocks;
	b->retire_at_ns = 0;
	b->count = 0;
	if (is_ours(rings, b->number)) {
		open_block(rings);
	} else {
		b->frozen = true;
		s->freezes++;
	}
}

static void put_packet(struct packet_rings *rings, const struct packet *packet,
		       const struct packet_frame *f)
{
	struct packet_block *b = &rings->block;
	u64 at = block_offset(rings, b->number) + b->next;
	u32 size = ALIGN_UP(f->mac + f->snapped, PACKET_ALIGNMENT);
	struct tpacket3_hdr h = { .tp_next_offset = size,
				  .tp_sec = (u32)(f->time_ns / NSEC_PER_SEC),
				  .tp_nsec = (u32)(f->time_ns % NSEC_PER_SEC),
				  .tp_snaplen = f->snapped,
				  .tp_len = f->length,
				  .tp_status = f->status,
				  .tp_mac = f->mac,
				  .tp_net = f->net,
				  .hv1.tp_rxhash = f->hash };

	packet_rings_write(rings, at, &h, sizeof(h));
	packet_frame_put(rings, at, packet, f);
	b->last = b->next;
	b->next += size;
	b->count++;
	b->last_ns = f->time_ns;
}

bool packet_blocks_put(struct packet_socket *s, struct packet_rings *rings,
		       const struct packet *packet, u32 wanted, u32 length)
{
	struct packet_block *b = &rings->block;
	u32 limit = rings->receive.block_size - first_offset(b);
	struct packet_frame frame;

	packet_frame_fill(s, rings, packet, wanted, length, limit, &frame);
	if (b->features & TP_FT_REQ_FILL_RXHASH)
		frame.hash = packet_flow_hash(packet);
	if (!b->frozen && b->next + ALIGN_UP(frame.mac + frame.snapped, PACKET_ALIGNMENT) >
				  rings->receive.block_size) {
		retire(s, rings, 0);
		socket_notify(s->socket, EPOLLIN | EPOLLRDNORM);
	}
	if (b->frozen) {
		if (!is_ours(rings, b->number))
			return false;
		open_block(rings);
	}
	put_packet(rings, packet, &frame);
	if (b->count == 1) {
		b->retire_at_ns = clock_monotonic_ns() + b->timeout_ms * NSEC_PER_MSEC;
		arm(b->retire_at_ns);
	}
	return true;
}

bool packet_blocks_ready(const struct packet_rings *rings)
{
	u32 current = rings->block.number;

	return !is_ours(rings, (current ? current : rings->receive.blocks) - 1);
}

bool packet_blocks_have_room(const struct packet_rings *rings, u32 divisor)
{
	u32 ahead = divisor ? rings->receive.blocks / divisor : 0;

	return is_ours(rings, (rings->block.number + ahead) % rings->receive.blocks);
}

/* True if a block was handed over. *next: when the one that is being filled has to go, 0 for not yet. */
static bool retire_due(struct packet_socket *s, u64 now, u64 *next)
{
	struct packet_rings *rings;
	bool due = false;

	spin_lock(&s->lock);
	rings = s->rings;
	*next = rings ? rings->block.retire_at_ns : 0;
	if (*next && *next <= now) {
		retire(s, rings, TP_STATUS_BLK_TMO);
		due = true;
		*next = 0;
	}
	spin_unlock(&s->lock);
	return due;
}

static void disarmed(void)
{
	spin_lock(&retire_lock);
	armed_ns = 0;
	spin_unlock(&retire_lock);
}

static void run(struct net_task *task)
{
	u64 now = clock_monotonic_ns(), next;

	(void)task;
	disarmed();
	rcu_read_lock();
	for (struct packet_socket *s = rcu_dereference(packet_sockets); s;
	     s = rcu_dereference(s->next)) {
		if (retire_due(s, now, &next))
			socket_notify(s->socket, EPOLLIN | EPOLLRDNORM);
		if (next)
			arm(next);
	}
	rcu_read_unlock();
}

void packet_blocks_init(void)
{
	net_timer_init(&retire_timer, run);
}
