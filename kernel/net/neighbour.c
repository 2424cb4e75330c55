/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Neighbours: which link address an Internet address of a link has (RFC 826, RFC 4861 section 7).
 * One table for all devices and both families; packets to an address not yet known wait here.
 *
 * INCOMPLETE entries ask once a second, three times, then fail and drop what waited; REACHABLE ones
 * turn STALE after 30 s; a STALE one that is used asks after 5 s (DELAY), then three times (PROBE).
 * These are the numbers that net.{ipv4,ipv6}.neigh has unless it was told others; time goes in steps of a second.
 * The table is bounded: a new entry beyond the limit evicts the one unused for longest.
 */
#include <core/time.h>
#include <lib/errno.h>
#include <lib/hash.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/neighbour.h>
#include <net/protocol.h>

#include <linux/if_ether.h>
#include <linux/neighbour.h>

#define BUCKETS 256
#define ENTRIES_MAX 1024
/* States in which there is a link address. */
#define KNOWN (NUD_REACHABLE | NUD_PERMANENT | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_NOARP)

struct neighbour {
	struct neighbour *next;
	struct net_device *device;
	struct inet_address address;
	u8 link_address[8];
	u8 state; /* NUD_* */
	u8 probes;
	u64 changed_ns, used_ns, asked_ns;
	struct packet_queue waiting;
	u32 waiting_bytes;
};

static struct spinlock table_lock = SPINLOCK_INIT(RANK_NET_LINK);
static struct neighbour *buckets[BUCKETS] __guarded_by(&table_lock);
static unsigned entries __guarded_by(&table_lock);

static struct neighbour **bucket_of(const struct net_device *device,
				    const struct inet_address *address) __must_hold(&table_lock)
{
	return &buckets[hash_bits(
		address->halves[0] ^ address->halves[1] ^ (u64)device->index << 56, 8)];
}

static struct neighbour *find(const struct net_device *device, const struct inet_address *address)
	__must_hold(&table_lock)
{
	struct neighbour *n = *bucket_of(device, address);

	while (n && (n->device != device || !inet_equal(&n->address, address)))
		n = n->next;
	return n;
}

static s32 setting(const struct net_device *device, const struct inet_address *address,
		   unsigned number)
{
	return READ_ONCE(device->settings.neighbour[!inet_is_v4(address)][number]);
}

static u64 time_setting(const struct neighbour *n, unsigned number)
{
	return (u64)setting(n->device, &n->address, number) * NSEC_PER_MSEC;
}

static void drop_waiting(struct neighbour *n, struct packet_queue *dropped) __must_hold(&table_lock)
{
	struct packet *p;

	while ((p = packet_queue_take(&n->waiting)))
		packet_queue_add(dropped, p);
	n->waiting_bytes = 0;
}

static void remove_at(struct neighbour **link, struct packet_queue *dropped)
	__must_hold(&table_lock)
{
	struct neighbour *n = *link;

	*link = n->next;
	entries--;
	drop_waiting(n, dropped);
	kfree(n);
}

static void evict_oldest(struct packet_queue *dropped) __must_hold(&table_lock)
{
	struct neighbour **oldest = nullptr;

	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct neighbour **link = &buckets[i]; *link; link = &(*link)->next)
			if ((*link)->state != NUD_PERMANENT &&
			    (!oldest || (*link)->used_ns < (*oldest)->used_ns))
				oldest = link;
	if (oldest)
		remove_at(oldest, dropped);
}

static struct neighbour *create(struct net_device *device, const struct inet_address *address,
				struct packet_queue *dropped) __must_hold(&table_lock)
{
	struct neighbour *n, **link;

	if (READ_ONCE(device->gone))
		return nullptr;
	if (entries >= ENTRIES_MAX)
		evict_oldest(dropped);
	n = kzalloc(sizeof(*n), ALLOC_ATOMIC);
	if (!n)
		return nullptr;
	link = bucket_of(device, address);
	n->next = *link;
	n->device = device;
	n->address = *address;
	n->state = NUD_NONE;
	n->used_ns = n->changed_ns = clock_monotonic_ns();
	*link = n;
	entries++;
	return n;
}

static void solicit(struct net_device *device, const struct inet_address *address,
		    const struct inet_address *from)
{
	if (inet_is_v4(address))
		arp_solicit(device, address, from);
	else
		ndp_solicit(device, address);
}

static void ethernet_send(struct net_device *device, struct packet *packet, const u8 *to)
{
	struct ethhdr *eth = packet_push(packet, ETH_HLEN);

	memcpy(eth->h_dest, to, ETH_ALEN);
	memcpy(eth->h_source, device->address, ETH_ALEN);
	eth->h_proto = net16(packet->protocol);
	net_device_transmit(device, packet);
}

/* Group addresses need no asking (RFC 1112 section 6.4, RFC 2464 section 7). */
static bool group_address(const struct net_device *device, const struct inet_address *a, u8 *to)
{
	if (inet_is_multicast(a) && inet_is_v4(a)) {
		const u8 prefix[6] = { 0x01,	     0x00,	  0x5e, a->bytes[13] & 0x7f,
				       a->bytes[14], a->bytes[15] };

		memcpy(to, prefix, sizeof(prefix));
		return true;
	}
	if (inet_is_multicast(a)) {
		to[0] = to[1] = 0x33;
		memcpy(to + 2, &a->words[3], 4);
		return true;
	}
	memset(to, 0xff, ETH_ALEN);
	return inet_is_limited_broadcast(a) ||
	       (inet_is_v4(a) &&
		route_address_type(device->network, a, device->index) == RTN_BROADCAST);
}

/* The packet waits for an answer; older ones make room (net.*.neigh.*.unres_qlen_bytes). */
static void wait_for_answer(struct neighbour *n, struct packet *packet,
			    struct packet_queue *dropped) __must_hold(&table_lock)
{
	u32 most = (u32)setting(n->device, &n->address, NDTPA_QUEUE_LENBYTES);
	u32 memory = packet_memory(packet);

	while (n->waiting.count && n->waiting_bytes + memory > most) {
		struct packet *oldest = packet_queue_take(&n->waiting);

		n->waiting_bytes -= packet_memory(oldest);
		packet_queue_add(dropped, oldest);
	}
	n->waiting_bytes += memory;
	packet_queue_add(&n->waiting, packet);
}

/* Where a packet of IPv4 comes from; unset of others. */
static struct inet_address source_of(const struct packet *p)
{
	u32 v4;

	if (!p || p->protocol != ETH_P_IP)
		return (struct inet_address){};
	memcpy(&v4, p->room + p->network_header + 12, sizeof(v4));
	return inet_from_v4(v4);
}

/* False: somebody is being asked already. */
static bool begin_asking(struct neighbour *n) __must_hold(&table_lock)
{
	if (n->state == NUD_INCOMPLETE)
		return false;
	n->state = NUD_INCOMPLETE;
	n->probes = 1;
	n->changed_ns = n->asked_ns = clock_monotonic_ns();
	return true;
}

bool neighbour_seek(struct net_device *device, const struct inet_address *address)
{
	struct packet_queue dropped = {};
	struct inet_address any = {};
	bool known, ask = false;
	struct neighbour *n;

	spin_lock(&table_lock);
	n = find(device, address);
	if (!n)
		n = create(device, address, &dropped);
	known = n && (n->state & KNOWN);
	if (n && !known)
		ask = begin_asking(n);
	spin_unlock(&table_lock);
	if (ask)
		solicit(device, address, &any);
	packet_queue_free(&dropped);
	return known;
}

void neighbour_output(struct net_device *device, struct packet *packet,
		      const struct inet_address *next_hop)
{
	struct packet_queue dropped = {};
	struct inet_address from;
	struct neighbour *n;
	u8 to[ETH_ALEN];
	bool ask = false;

	if (device->flags & IFF_NOARP) {
		memset(to, 0, sizeof(to));
		ethernet_send(device, packet, to);
		return;
	}
	spin_lock(&table_lock);
	n = find(device, next_hop);
	if (!n) {
		if (group_address(device, next_hop, to)) {
			spin_unlock(&table_lock);
			ethernet_send(device, packet, to);
			return;
		}
		n = create(device, next_hop, &dropped);
	}
	if (n && (n->state & KNOWN)) {
		n->used_ns = clock_monotonic_ns();
		if (n->state == NUD_STALE) {
			n->state = NUD_DELAY;
			n->changed_ns = n->used_ns;
		}
		memcpy(to, n->link_address, sizeof(to));
		spin_unlock(&table_lock);
		ethernet_send(device, packet, to);
		return;
	}
	if (n) {
		ask = begin_asking(n);
		if (ask)
			from = source_of(packet);
		wait_for_answer(n, packet, &dropped);
	} else {
		packet_queue_add(&dropped, packet);
	}
	spin_unlock(&table_lock);
	if (ask)
		solicit(device, next_hop, &from);
	packet_queue_free(&dropped);
}

void neighbour_update(struct net_device *device, const struct inet_address *address,
		      const u8 *link_address, bool solicited, bool override, bool make)
{
	struct packet_queue send = {}, dropped = {};
	struct packet *p;
	struct neighbour *n;
	bool differs;

	spin_lock(&table_lock);
	n = find(device, address);
	if (!n && make)
		n = create(device, address, &dropped);
	if (n && n->state != NUD_PERMANENT) {
		bool known = n->state & ~(NUD_NONE | NUD_INCOMPLETE | NUD_FAILED);

		differs = memcmp(n->link_address, link_address, ETH_ALEN) != 0;
		if (!known || override || !differs) {
			memcpy(n->link_address, link_address, ETH_ALEN);
			if (solicited)
				n->state = NUD_REACHABLE;
			else if (!known || differs)
				n->state = NUD_STALE;
			n->changed_ns = clock_monotonic_ns();
			send = n->waiting;
			n->waiting = (struct packet_queue){};
			n->waiting_bytes = 0;
		}
	}
	spin_unlock(&table_lock);
	while ((p = packet_queue_take(&send)))
		ethernet_send(device, p, link_address);
	packet_queue_free(&dropped);
}

void neighbour_confirm(struct net_device *device, const struct inet_address *address)
{
	struct neighbour *n;

	spin_lock(&table_lock);
	n = find(device, address);
	if (n && (n->state & (NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_REACHABLE))) {
		n->state = NUD_REACHABLE;
		n->changed_ns = clock_monotonic_ns();
	}
	spin_unlock(&table_lock);
}

static void flush(const struct net_device *device, struct packet_queue *dropped)
	__must_hold(&table_lock)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct neighbour **link = &buckets[i]; *link;)
			if ((*link)->device == device)
				remove_at(link, dropped);
			else
				link = &(*link)->next;
}

void neighbour_flush_device(struct net_device *device)
{
	struct packet_queue dropped = {};

	spin_lock(&table_lock);
	flush(device, &dropped);
	spin_unlock(&table_lock);
	packet_queue_free(&dropped);
}

#define ASK_MAX 32 /* questions of one tick */
struct question {
	struct net_device *device;
	struct inet_address address, from;
};

#define TICK_SLACK_NS (NSEC_PER_SEC / 10) /* a tick may come a little early */

/* One entry a second later. True if it wants to ask. */
static bool age(struct neighbour *n, u64 now, struct packet_queue *dropped) __must_hold(&table_lock)
{
	s32 probes;

	if (n->state == NUD_REACHABLE &&
	    now - n->changed_ns > time_setting(n, NDTPA_BASE_REACHABLE_TIME))
		n->state = NUD_STALE;
	if (n->state == NUD_DELAY &&
	    now - n->changed_ns > time_setting(n, NDTPA_DELAY_PROBE_TIME)) {
		n->state = NUD_PROBE;
		n->probes = 0;
		n->asked_ns = 0;
	}
	if (!(n->state & (NUD_INCOMPLETE | NUD_PROBE)) ||
	    now - n->asked_ns + TICK_SLACK_NS < time_setting(n, NDTPA_RETRANS_TIME))
		return false;
	n->asked_ns = now;
	probes = setting(n->device, &n->address,
			 n->state == NUD_PROBE ? NDTPA_UCAST_PROBES : NDTPA_MCAST_PROBES);
	if (n->probes < UINT8_MAX && n->probes++ < probes)
		return true;
	n->state = NUD_FAILED;
	drop_waiting(n, dropped);
	return false;
}

void neighbour_tick(void)
{
	struct question ask[ASK_MAX];
	struct packet_queue dropped = {};
	struct packet *p;
	unsigned asked = 0;
	u64 now = clock_monotonic_ns();

	spin_lock(&table_lock);
	for (unsigned i = 0; i < BUCKETS && entries; i++)
		for (struct neighbour *n = buckets[i]; n; n = n->next)
			if (asked < ASK_MAX && age(n, now, &dropped))
				ask[asked++] = (struct question){ n->device, n->address,
								  source_of(n->waiting.head) };
	spin_unlock(&table_lock);
	for (unsigned i = 0; i < asked; i++)
		solicit(ask[i].device, &ask[i].address, &ask[i].from);
	while ((p = packet_queue_take(&dropped))) {
		inet_unreachable_here(p);
		packet_free(p);
	}
}

int neighbour_set(struct net_device *device, const struct inet_address *address,
		  const u8 *link_address, u16 state)
{
	struct packet_queue dropped = {};
	struct neighbour *n;

	spin_lock(&table_lock);
	n = find(device, address);
	if (!n)
		n = create(device, address, &dropped);
	if (n) {
		memcpy(n->link_address, link_address, ETH_ALEN);
		n->state = (u8)state;
	}
	spin_unlock(&table_lock);
	packet_queue_free(&dropped);
	return n ? 0 : -ENOBUFS;
}

int neighbour_remove(struct net_device *device, const struct inet_address *address)
{
	struct packet_queue dropped = {};
	int error = -ENOENT;

	spin_lock(&table_lock);
	for (struct neighbour **link = bucket_of(device, address); *link; link = &(*link)->next)
		if ((*link)->device == device && inet_equal(&(*link)->address, address)) {
			remove_at(link, &dropped);
			error = 0;
			break;
		}
	spin_unlock(&table_lock);
	packet_queue_free(&dropped);
	return error;
}

bool neighbour_next(const struct network_namespace *network, unsigned *position,
		    struct neighbour_entry *out)
{
	unsigned at = 0;
	bool found = false;

	spin_lock(&table_lock);
	for (unsigned i = 0; i < BUCKETS && !found; i++)
		for (struct neighbour *n = buckets[i]; n && !found; n = n->next)
			if (n->device->network == network && at++ == *position) {
				*out = (struct neighbour_entry){ .device_index = n->device->index,
								 .address = n->address,
								 .state = n->state,
								 .age_ns = clock_monotonic_ns() -
									   n->changed_ns };
				string_copy(out->device_name, n->device->name,
					    sizeof(out->device_name));
				memcpy(out->link_address, n->link_address, ETH_ALEN);
				found = true;
			}
	spin_unlock(&table_lock);
	*position = at;
	return found;
}
