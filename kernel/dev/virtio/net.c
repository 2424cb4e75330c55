/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network device (Virtual I/O Device specification 1.2, 5.1) as an Ethernet device.
 *
 * Receive buffers are pages; with mergeable buffers a large packet comes in several of them, which become its
 * fragments without copying. A used buffer wakes the network thread, which takes what is there in rounds of
 * BUDGET packets with interrupts off. Sent packets are the tokens of their chains and are freed when the
 * next one is sent; when the ring is full, packets wait in `waiting` and the ring's interrupt sends them.
 *
 * The device is not trusted: lengths, counts and header fields are checked here, tokens in the core.
 */
#include <core/log.h>
#include <core/random.h>
#include <dev/virtio/virtio.h>
#include <dev/virtio/virtio_buses.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/device.h>
#include <net/merge.h>
#include <net/thread.h>

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/virtio_net.h>

#define BUDGET 64u
#define WAITING_MAX 1000u
#define LINEAR_MAX 128u /* of a received packet: all headers */
#define RECEIVE_ENTRIES 256u

struct virtio_net {
	struct net_device device;
	struct virtio_device *virtio;
	struct virtio_queue *receive, *transmit;
	struct net_task receive_task, transmit_task, config_task;
	unsigned header; /* bytes of the header in front of each packet */
	bool merges;
	struct packet_merger merger;
	struct spinlock transmit_lock; /* RANK_NET_DEVICE */
	struct packet_queue waiting __guarded_by(&transmit_lock);
};

static struct virtio_net *virtio_net_of(struct net_device *device)
{
	return device->private;
}

/* --- Receive --- */

static void refill(struct virtio_net *n)
{
	bool added = false;

	while (virtio_queue_room(n->receive)) {
		struct page *page = page_alloc(0, ALLOC_ATOMIC);
		struct virtio_buffer buffer;

		if (!page)
			break; /* tried again with the next packet */
		buffer = (struct virtio_buffer){ page_to_phys(page), PAGE_SIZE };
		if (virtio_queue_add(n->receive, &buffer, 0, 1, page)) {
			page_put(page);
			break;
		}
		added = true;
	}
	if (added)
		virtio_queue_kick(n->receive);
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
static bool append_merged(struct virtio_net *n, struct packet *p, unsigned count)
{
	bool ok = true;

	while (count--) {
		u32 length;
		struct page *page = virtio_queue_take(n->receive, &length);

		if (!page)
			return false;
		if (!ok) /* too many: the rest is taken and dropped */
			page_put(page);
		else
			ok = append_page(p, page, 0, MIN(length, (u32)PAGE_SIZE));
	}
	return ok;
}

/* Where the TCP header of a frame is that was merged from segments; 0: it has none. */
static unsigned tcp_offset(const struct packet *p, bool v6)
{
	const u8 *ip = p->data + ETH_HLEN;
	unsigned header;

	if (p->linear < ETH_HLEN + 40 || load_net16(p->data + 12) != (v6 ? ETH_P_IPV6 : ETH_P_IP))
		return 0;
	header = v6 ? 40 : (ip[0] & 15) * 4u;
	if (ip[v6 ? 6 : 9] != IPPROTO_TCP || header < 20 || p->linear < ETH_HLEN + header + 20)
		return 0;
	return ETH_HLEN + header;
}

/*
 * What the device says of checksum and segments; data is the Ethernet header. What it says of places in the packet is
 * believed only if they are there: forwarding writes to them. False: impossible.
 */
static bool take_header(struct packet *p, const struct virtio_net_hdr *h)
{
	u8 type = h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;
	unsigned start = h->csum_start, offset = h->csum_offset;

	if (h->flags & VIRTIO_NET_HDR_F_DATA_VALID)
		p->checksum = CHECKSUM_VERIFIED;
	if (type != VIRTIO_NET_HDR_GSO_NONE) {
		if (type != VIRTIO_NET_HDR_GSO_TCPV4 && type != VIRTIO_NET_HDR_GSO_TCPV6)
			return false;
		start = tcp_offset(p, type == VIRTIO_NET_HDR_GSO_TCPV6);
		offset = 16;
		p->segment_size = h->gso_size;
		if (!start || !h->gso_size)
			return false;
	} else if (!(h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)) {
		return true;
	}
	if (start < ETH_HLEN || start + offset + 2 > p->linear)
		return false;
	p->checksum = CHECKSUM_PARTIAL;
	p->checksum_start = (u16)(packet_headroom(p) + start);
	p->checksum_offset = (u16)offset;
	return true;
}

static u8 kind_of(const struct net_device *device, const struct ethhdr *eth)
{
	if (eth->h_dest[0] & 1)
		return memcmp(eth->h_dest, device->broadcast, ETH_ALEN) ? PACKET_MULTICAST
									: PACKET_BROADCAST;
	return memcmp(eth->h_dest, device->address, ETH_ALEN) ? PACKET_OTHERHOST : PACKET_HOST;
}

/* Hands a frame, whose data is the Ethernet header, to the Internet layer. */
static void deliver(struct virtio_net *n, struct packet *p)
{
	struct ethhdr eth;

	if (!packet_copy(p, 0, &eth, sizeof(eth))) {
		n->device.statistics.receive_errors++;
		packet_free(p);
		return;
	}
	p->device = &n->device;
	p->link_header = (u16)packet_headroom(p);
	p->kind = kind_of(&n->device, &eth);
	p->protocol = net16(eth.h_proto);
	packet_pull(p, ETH_HLEN);
	preempt_disable();
	packet_merge(&n->merger, p);
	preempt_enable();
}

static void receive_one(struct virtio_net *n, struct page *page, u32 length)
{
	struct virtio_net_hdr_mrg_rxbuf header = {};
	struct packet *p = packet_alloc();
	unsigned more = 0;

	length = MIN(length, (u32)PAGE_SIZE);
	if (length < n->header)
		goto bad;
	memcpy(&header, page_address(page), MIN(n->header, (unsigned)sizeof(header)));
	if (n->merges) {
		if (!header.num_buffers)
			goto bad;
		more = header.num_buffers - 1u;
	}
	if (!p) {
		n->device.statistics.receive_dropped++;
		goto drop;
	}
	if (!append_page(p, page, n->header, length - n->header)) {
		page = nullptr;
		goto bad;
	}
	page = nullptr;
	if (!append_merged(n, p, more)) {
		more = 0;
		goto bad;
	}
	more = 0;
	if (!take_header(p, &header.hdr))
		goto bad;
	deliver(n, p);
	return;
bad:
	n->device.statistics.receive_errors++;
drop:
	if (page)
		page_put(page);
	while (more--) {
		u32 unused;
		struct page *next = virtio_queue_take(n->receive, &unused);

		if (!next)
			break;
		page_put(next);
	}
	packet_free(p);
}

static void flush(struct virtio_net *n)
{
	preempt_disable();
	packet_merge_flush(&n->merger);
	preempt_enable();
}

static void receive_round(struct net_task *task)
{
	struct virtio_net *n = container_of(task, struct virtio_net, receive_task);
	unsigned done = 0;

	for (;;) {
		u32 length;
		struct page *page = virtio_queue_take(n->receive, &length);

		if (page) {
			receive_one(n, page, length);
			if (++done < BUDGET)
				continue;
			flush(n);
			refill(n);
			net_task_queue(task); /* others have a turn */
			return;
		}
		flush(n);
		refill(n);
		if (virtio_queue_interrupts_on(n->receive))
			return;
		virtio_queue_interrupts_off(n->receive);
	}
}

static void receive_used(struct virtio_queue *queue)
{
	struct virtio_net *n = virtio_queue_private(queue);

	virtio_queue_interrupts_off(queue);
	net_task_queue(&n->receive_task);
}

/* --- Transmit --- */

static void free_sent(struct virtio_net *n) __must_hold(&n->transmit_lock)
{
	struct packet *p;
	u32 unused;

	while ((p = virtio_queue_take(n->transmit, &unused)))
		packet_free(p);
}

static void fill_header(const struct virtio_net *n, struct packet *p)
{
	unsigned headers = packet_headroom(p), transport = p->checksum_start - headers;
	struct virtio_net_hdr_mrg_rxbuf h = {};

	if (p->checksum == CHECKSUM_PARTIAL) {
		h.hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h.hdr.csum_start = (u16)transport;
		h.hdr.csum_offset = p->checksum_offset;
	}
	if (p->segment_size) {
		h.hdr.gso_type = p->protocol == ETH_P_IP ? VIRTIO_NET_HDR_GSO_TCPV4
							 : VIRTIO_NET_HDR_GSO_TCPV6;
		h.hdr.gso_size = p->segment_size;
		h.hdr.hdr_len = (u16)(transport + (p->data[transport + 12] >> 4) * 4u);
	}
	memcpy(packet_push(p, n->header), &h, n->header);
}

/* -ENOSPC when the ring is full; takes the packet otherwise. */
static int offer(struct virtio_net *n, struct packet *p) __must_hold(&n->transmit_lock)
{
	struct virtio_buffer buffers[PACKET_FRAGMENTS_MAX + 1];
	unsigned count = 1;

	buffers[0] = (struct virtio_buffer){ virt_to_phys(p->data), p->linear };
	for (unsigned i = 0; i < p->fragment_count; i++)
		buffers[count++] = (struct virtio_buffer){
			page_to_phys(p->fragments[i].page) + p->fragments[i].offset,
			p->fragments[i].length,
		};
	return virtio_queue_add(n->transmit, buffers, count, 0, p);
}

static void send_waiting(struct virtio_net *n) __must_hold(&n->transmit_lock)
{
	while (n->waiting.head) {
		struct packet *p = n->waiting.head;
		int error = offer(n, p);

		if (error == -ENOSPC)
			return;
		(void)packet_queue_take(&n->waiting);
		if (error)
			packet_free(p);
	}
}

static void virtio_net_transmit(struct net_device *device, struct packet *p)
{
	struct virtio_net *n = virtio_net_of(device);
	u32 length = p->length;
	bool more = p->more;

	fill_header(n, p);
	spin_lock(&n->transmit_lock);
	free_sent(n);
	if (n->waiting.count >= WAITING_MAX) {
		device->statistics.transmit_dropped++;
		virtio_queue_kick(n->transmit);
		spin_unlock(&n->transmit_lock);
		packet_free(p);
		return;
	}
	device->statistics.transmit_packets++;
	device->statistics.transmit_bytes += length;
	packet_queue_add(&n->waiting, p);
	send_waiting(n);
	if (!more || n->waiting.head)
		virtio_queue_kick(n->transmit);
	/* Full: the device says when there is room, unless there is by now. */
	if (n->waiting.head && !virtio_queue_interrupts_on(n->transmit))
		net_task_queue(&n->transmit_task);
	spin_unlock(&n->transmit_lock);
}

static void transmit_round(struct net_task *task)
{
	struct virtio_net *n = container_of(task, struct virtio_net, transmit_task);

	spin_lock(&n->transmit_lock);
	virtio_queue_interrupts_off(n->transmit);
	free_sent(n);
	send_waiting(n);
	virtio_queue_kick(n->transmit);
	if (n->waiting.head && !virtio_queue_interrupts_on(n->transmit))
		net_task_queue(task);
	spin_unlock(&n->transmit_lock);
}

static void transmit_used(struct virtio_queue *queue)
{
	struct virtio_net *n = virtio_queue_private(queue);

	net_task_queue(&n->transmit_task);
}

/* --- Configuration --- */

static void read_status(struct net_task *task)
{
	struct virtio_net *n = container_of(task, struct virtio_net, config_task);
	u16 status = VIRTIO_NET_S_LINK_UP;

	if (virtio_has(n->virtio, VIRTIO_NET_F_STATUS))
		virtio_config_read(n->virtio, offsetof(struct virtio_net_config, status), &status,
				   sizeof(status));
	net_device_set_carrier(&n->device, status & VIRTIO_NET_S_LINK_UP);
}

static void config_changed(struct virtio_device *virtio)
{
	struct virtio_net *n = virtio->private;

	if (n)
		net_task_queue(&n->config_task);
}

static const struct net_device_ops virtio_net_ops = {
	.transmit = virtio_net_transmit,
	.driver = "virtio_net",
};

static void read_config(struct virtio_net *n)
{
	struct net_device *d = &n->device;
	u16 mtu = 0;

	if (virtio_has(n->virtio, VIRTIO_NET_F_MAC)) {
		virtio_config_read(n->virtio, 0, d->address, ETH_ALEN);
	} else {
		random_bytes(d->address, ETH_ALEN);
		d->address[0] = (u8)((d->address[0] & 0xfe) | 2);
	}
	d->mtu = ETH_DATA_LEN;
	d->mtu_max = 65535 - ETH_HLEN;
	if (!n->merges)
		d->mtu_max = ETH_DATA_LEN;
	if (virtio_has(n->virtio, VIRTIO_NET_F_MTU)) {
		virtio_config_read(n->virtio, offsetof(struct virtio_net_config, mtu), &mtu,
				   sizeof(mtu));
		if (mtu >= 68 && mtu <= d->mtu_max)
			d->mtu = d->mtu_max = mtu;
	}
	if (virtio_has(n->virtio, VIRTIO_NET_F_CSUM)) {
		d->features |= DEVICE_CHECKSUM;
		if (virtio_has(n->virtio, VIRTIO_NET_F_HOST_TSO4))
			d->features |= DEVICE_SEGMENT_TCP4;
		if (virtio_has(n->virtio, VIRTIO_NET_F_HOST_TSO6))
			d->features |= DEVICE_SEGMENT_TCP6;
	}
}

static void fill_device(struct virtio_net *n) __no_lock_analysis
{
	struct net_device *d = &n->device;

	d->type = ARPHRD_ETHER;
	d->flags = IFF_BROADCAST | IFF_MULTICAST;
	d->address_length = ETH_ALEN;
	d->header_length = ETH_HLEN;
	memset(d->broadcast, 0xff, ETH_ALEN);
	d->mtu_min = 68;
	d->transmit_queue_length = 1000;
	d->ops = &virtio_net_ops;
	d->private = n;
	spin_init(&n->transmit_lock, RANK_NET_DEVICE);
	net_task_init(&n->receive_task, receive_round);
	net_task_init(&n->transmit_task, transmit_round);
	net_task_init(&n->config_task, read_status);
}

#define FEATURES                                                                                   \
	(BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_MAC) |           \
	 BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6) | BIT(VIRTIO_NET_F_HOST_ECN) |  \
	 BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6) |                             \
	 BIT(VIRTIO_NET_F_GUEST_ECN) | BIT(VIRTIO_NET_F_MRG_RXBUF) | BIT(VIRTIO_NET_F_STATUS) |    \
	 BIT(VIRTIO_NET_F_MTU))
#define LARGE_RECEIVE                                                                              \
	(BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6) | BIT(VIRTIO_NET_F_GUEST_ECN))

static int start(struct virtio_net *n)
{
	struct virtio_queue *queues[2];
	const struct virtio_queue_request requests[2] = {
		{ .name = "virtio-net receive",
		  .size_max = RECEIVE_ENTRIES,
		  .used = receive_used,
		  .private = n },
		{ .name = "virtio-net transmit", .used = transmit_used, .private = n },
	};
	int error = virtio_queues_create(n->virtio, requests, ARRAY_SIZE(requests), queues);

	if (error)
		return error;
	n->receive = queues[0];
	n->transmit = queues[1];
	virtio_queue_interrupts_off(n->transmit);
	n->virtio->private = n;
	refill(n);
	virtio_ready(n->virtio);
	virtio_queue_kick(n->receive);
	return net_device_register(&initial_network, &n->device, "eth%d");
}

static int probe(struct virtio_device *virtio)
{
	struct virtio_net *n;
	int error = virtio_negotiate(virtio, FEATURES);

	/* Without mergeable buffers a page would not hold a large packet. */
	if (!error && !virtio_has(virtio, VIRTIO_NET_F_MRG_RXBUF) &&
	    (virtio->features & LARGE_RECEIVE))
		error = virtio_negotiate(virtio, FEATURES & ~LARGE_RECEIVE);
	if (error)
		return error;
	n = kzalloc(sizeof(*n), 0);
	if (!n)
		return -ENOMEM;
	n->virtio = virtio;
	n->merges = virtio_has(virtio, VIRTIO_NET_F_MRG_RXBUF);
	n->header = n->merges || virtio_has(virtio, VIRTIO_F_VERSION_1)
			    ? sizeof(struct virtio_net_hdr_mrg_rxbuf)
			    : sizeof(struct virtio_net_hdr);
	fill_device(n);
	read_config(n);
	error = start(n);
	if (error) {
		virtio_stop(virtio); /* buffers that it had are lost with it */
		virtio->private = nullptr;
		kfree(n);
		return error;
	}
	log_info("%s: %s, Ethernet", virtio->name, n->device.name);
	net_task_queue(&n->config_task);
	return 0;
}

void virtio_net_init(void)
{
	static struct virtio_driver driver = { .name = "virtio-net",
					       .type = VIRTIO_ID_NET,
					       .probe = probe,
					       .config_changed = config_changed };

	virtio_driver_register(&driver);
}
