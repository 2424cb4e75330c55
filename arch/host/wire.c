/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A wire between hosts of a test: see wire.h. */
#include "wire.h"

#include <core/panic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>

#define HEADER 20u /* IPv4's */

struct event {
	struct event *next;
	u64 at_ns, number;
	struct inet_info info;
	struct packet *packet;
	u8 header[8]; /* of the TCP header, in a complaint */
	u32 mtu;      /* 0: a delivery, else a complaint */
};

struct wire wire;
static struct event *events;
static u64 event_number, bottleneck_free_ns;

static void schedule(struct event *e, u64 at_ns)
{
	struct event **link = &events;

	e->at_ns = at_ns;
	e->number = event_number++;
	while (*link && (*link)->at_ns <= at_ns)
		link = &(*link)->next;
	e->next = *link;
	*link = e;
}

static struct event *make_event(const struct inet_flow *flow)
{
	struct event *e = kzalloc(sizeof(*e), 0);

	ASSERT(e);
	e->info = (struct inet_info){ .source = flow->source,
				      .destination = flow->destination,
				      .network = &initial_network,
				      .device = net_device_find(&initial_network, 2),
				      .protocol = IPPROTO_TCP,
				      .ttl = 64,
				      .tos = flow->tos,
				      .type = RTN_LOCAL };
	return e;
}

static bool chance(u32 of_a_million)
{
	return of_a_million && host_net_random() % 1000000 < of_a_million;
}

static struct wire_segment describe(const struct packet *p, const struct inet_flow *flow)
{
	const struct tcp_header *h = (const struct tcp_header *)p->data;

	return (struct wire_segment){ .source = flow->source,
				      .destination = flow->destination,
				      .source_port = net16(h->source),
				      .destination_port = net16(h->destination),
				      .seq = net32(h->seq),
				      .ack = net32(h->ack),
				      .flags = h->flags,
				      .window = net16(h->window),
				      .length = p->length - (h->offset >> 4) * 4u };
}

/* When a packet that leaves now arrives; 0: the queue of the bottleneck is full. */
static u64 arrival(u32 length)
{
	u64 now = host_clock_ns, out = now;

	if (wire.byte_ns) {
		u64 waiting = bottleneck_free_ns > now ? bottleneck_free_ns - now : 0;

		if (waiting / wire.byte_ns > wire.queue_bytes)
			return 0;
		out = now + waiting + length * wire.byte_ns;
		bottleneck_free_ns = out;
	}
	out += wire.delay_ns;
	if (chance(wire.reorder))
		out += host_net_random() % (wire.late_ns + 1);
	return out;
}

static void complain(const struct packet *p, const struct inet_flow *flow)
{
	struct event *e = make_event(flow);

	wire.too_big++;
	memcpy(e->header, p->data, sizeof(e->header));
	e->mtu = wire.mtu;
	schedule(e, host_clock_ns + wire.delay_ns);
}

/* A segment as a link sees it; takes the packet. */
static void carry(struct packet *p, const struct inet_flow *flow)
{
	struct wire_segment s = describe(p, flow);
	bool lost = wire.look && wire.look(&s);
	u64 at;

	wire.segments++;
	if (wire.mtu && p->length + HEADER > wire.mtu && flow->dont_fragment) {
		complain(p, flow);
		packet_free(p);
		return;
	}
	at = arrival(p->length + HEADER);
	if (lost || !at || chance(wire.loss)) {
		wire.lost++;
		packet_free(p);
		return;
	}
	for (bool again = chance(wire.duplicate);; again = false) {
		struct event *e = make_event(flow);

		e->packet = again ? packet_clone(p) : p;
		if (chance(wire.mark) && (e->info.tos & 3)) {
			e->info.tos |= 3;
			wire.marked++;
		}
		schedule(e, at);
		if (!again)
			return;
	}
}

/* What cuts a large packet into segments, as a network card does. */
static void cut(struct packet *whole, const struct inet_flow *flow)
{
	unsigned headers = (whole->data[12] >> 4) * 4u, size = whole->segment_size;
	unsigned payload = whole->length - headers;

	for (unsigned offset = 0; offset < payload; offset += size) {
		unsigned step = MIN(size, payload - offset);
		struct packet *p = packet_clone(whole);
		struct tcp_header *h;

		ASSERT(p);
		packet_pull(p, headers + offset);
		packet_trim(p, step);
		h = memcpy(packet_push(p, headers), whole->data, headers);
		h->seq = net32(net32(h->seq) + offset);
		if (offset + step < payload)
			h->flags &= (u8) ~(TH_FIN | TH_PSH);
		if (offset)
			h->flags &= (u8)~TH_CWR;
		p->segment_size = 0;
		carry(p, flow);
	}
	packet_free(whole);
}

static void output(struct packet *p, const struct inet_flow *flow)
{
	p->checksum = CHECKSUM_VERIFIED;
	if (p->segment_size)
		cut(p, flow);
	else
		carry(p, flow);
}

static void deliver(struct event *e)
{
	preempt_disable();
	if (e->mtu) {
		struct inet_error error = { .inner = e->info,
					    .offender = e->info.destination,
					    .data = e->header,
					    .length = sizeof(e->header),
					    .error = EMSGSIZE,
					    .mtu = e->mtu };

		tcp_error(&error);
	} else {
		tcp_input(e->packet, &e->info);
	}
	preempt_enable();
	kfree(e);
}

bool wire_step(u64 limit_ns)
{
	u64 timer = host_net_next_timer(), next = events ? events->at_ns : UINT64_MAX;

	if (MIN(timer, next) > limit_ns || MIN(timer, next) == UINT64_MAX) {
		if (limit_ns != UINT64_MAX)
			host_clock_ns = MAX(host_clock_ns, limit_ns);
		return false;
	}
	host_clock_ns = MAX(host_clock_ns, MIN(timer, next));
	if (timer <= next) {
		host_net_run_timers();
	} else {
		struct event *e = events;

		events = e->next;
		deliver(e);
	}
	rcu_barrier();
	return true;
}

void wire_forge(const struct wire_segment *s)
{
	struct inet_flow flow = { .source = s->source, .destination = s->destination };
	struct packet *p = packet_alloc();
	unsigned options = s->flags & TH_SYN ? 4 : 0;
	struct tcp_header *h;

	ASSERT(p);
	h = packet_append(p, sizeof(*h) + options);
	*h = (struct tcp_header){ .source = net16(s->source_port),
				  .destination = net16(s->destination_port),
				  .seq = net32(s->seq),
				  .ack = net32(s->ack),
				  .offset = (u8)((sizeof(*h) + options) / 4 << 4),
				  .flags = s->flags,
				  .window = net16(s->window) };
	if (options)
		store_net32((u8 *)(h + 1), 0x02040000u | 1460);
	memset(packet_append(p, s->length), 0, s->length);
	p->checksum = CHECKSUM_VERIFIED;
	carry(p, &flow);
}

void wire_clear(void)
{
	while (events) {
		struct event *e = events;

		events = e->next;
		packet_free(e->packet);
		kfree(e);
	}
}

void wire_init(u64 seed)
{
	wire = (struct wire){ .delay_ns = 10 * NSEC_PER_MSEC };
	host_net_output = output;
	host_net_init(seed);
}
