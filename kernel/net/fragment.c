/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reassembly (RFC 791 section 3.2, RFC 8200 section 4.5). Fragments of a datagram wait sorted by
 * offset; one that overlaps another ends the datagram (RFC 5722, and for IPv4 too, as Linux does);
 * an exact duplicate is ignored. Bounded in datagrams, fragments and bytes; 30 s.
 */
#include <core/time.h>
#include <lib/list.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/protocol.h>

#define DATAGRAMS_MAX 256
#define FRAGMENTS_MAX 128     /* of one datagram */
#define MEMORY_MAX (4u << 20) /* of all */
#define TIME_NS (30 * NSEC_PER_SEC)
#define DATAGRAM_MAX 65535u

struct datagram {
	struct list_head node; /* by age */
	struct fragment_key key;
	struct network_namespace *network;
	struct packet *fragments; /* by offset; control[0]: offset, control[1]: payload length */
	unsigned count, received, total; /* bytes; total 0: the last one has not come */
	unsigned end;			 /* of what has come so far */
	u32 memory;
	u64 started_ns;
};

static struct spinlock lock = SPINLOCK_INIT(RANK_NET_LINK);
static struct list_head datagrams __guarded_by(&lock) = LIST_INIT(datagrams);
static unsigned datagram_count __guarded_by(&lock);
static u32 memory_used __guarded_by(&lock);

static void remove(struct datagram *d) __must_hold(&lock)
{
	list_remove(&d->node);
	datagram_count--;
	memory_used -= d->memory;
}

static void discard(struct datagram *d) __must_hold(&lock)
{
	remove(d);
	while (d->fragments) {
		struct packet *p = d->fragments;

		d->fragments = p->next;
		packet_free(p);
	}
	kfree(d);
}

static struct datagram *find(const struct fragment_key *key, struct network_namespace *network)
	__must_hold(&lock)
{
	struct datagram *d;

	list_for_each (d, &datagrams, node)
		if (d->network == network && d->key.identification == key->identification &&
		    d->key.protocol == key->protocol && inet_equal(&d->key.source, &key->source) &&
		    inet_equal(&d->key.destination, &key->destination))
			return d;
	if (datagram_count >= DATAGRAMS_MAX || memory_used >= MEMORY_MAX)
		discard(list_first(&datagrams, struct datagram, node));
	d = kzalloc(sizeof(*d), ALLOC_ATOMIC);
	if (!d)
		return nullptr;
	d->key = *key;
	d->network = network;
	d->started_ns = clock_monotonic_ns();
	list_add_tail(&datagrams, &d->node);
	datagram_count++;
	return d;
}

enum insertion { INSERTED, DUPLICATE, OVERLAP };

static enum insertion insert(struct datagram *d, struct packet *p, unsigned offset, unsigned n)
{
	struct packet **link = &d->fragments;

	while (*link && (*link)->control[0] + (*link)->control[1] <= offset)
		link = &(*link)->next;
	if (*link && (*link)->control[0] < offset + n)
		return (*link)->control[0] == offset && (*link)->control[1] == n ? DUPLICATE
										 : OVERLAP;
	p->control[0] = offset;
	p->control[1] = n;
	p->next = *link;
	*link = p;
	d->count++;
	d->received += n;
	return INSERTED;
}

/* Appends the payload of `p` behind the header that it has in common with the first fragment. */
static bool join(struct packet *whole, struct packet *p)
{
	unsigned n = (unsigned)p->control[1];

	packet_pull(p, p->length - n);
	if (!p->linear && whole->fragment_count + p->fragment_count <= PACKET_FRAGMENTS_MAX) {
		for (unsigned i = 0; i < p->fragment_count; i++) {
			page_get(p->fragments[i].page);
			if (!packet_add_fragment(whole, p->fragments[i].page,
						 p->fragments[i].offset, p->fragments[i].length))
				return false;
		}
		return true;
	}
	return false;
}

/* The whole datagram with the headers of its first fragment, or null without memory. */
static struct packet *assemble(struct datagram *d)
{
	struct packet *whole = d->fragments, *p;
	unsigned header = whole->length - (unsigned)whole->control[1];
	u8 *buffer;

	d->fragments = whole->next;
	whole->next = nullptr;
	/* Simple when the payloads lie in pages; gathered in one buffer when they do not. */
	for (p = d->fragments; p && p->linear <= header &&
			       whole->fragment_count + p->fragment_count <= PACKET_FRAGMENTS_MAX;
	     p = p->next)
		if (!join(whole, p))
			break;
	if (!p)
		return whole;
	buffer = kmalloc(d->total, ALLOC_ATOMIC);
	if (!buffer)
		goto fail;
	unsigned at = whole->length - header;

	if (!packet_copy(whole, header, buffer, at))
		goto fail;
	for (; p; p = p->next) {
		unsigned n = (unsigned)p->control[1];

		if (!packet_copy(p, p->length - n, buffer + at, n))
			goto fail;
		at += n;
	}
	packet_trim(whole, header);
	if (packet_append_bytes(whole, buffer, at))
		goto fail;
	kfree(buffer);
	return whole;
fail:
	kfree(buffer);
	packet_free(whole);
	return nullptr;
}

struct packet *inet_reassemble(struct packet *p, const struct fragment_key *key,
			       struct network_namespace *network, unsigned header, unsigned offset,
			       bool more)
{
	unsigned n = p->length - header;
	struct datagram *d;
	struct packet *whole = nullptr;

	if (!n || (more && n % 8) || offset + n > DATAGRAM_MAX) {
		packet_free(p);
		return nullptr;
	}
	spin_lock(&lock);
	d = find(key, network);
	if (!d) {
		packet_free(p);
		goto out;
	}
	bool bad = (!more && ((d->total && d->total != offset + n) || d->end > offset + n)) ||
		   (d->total && offset + n > d->total) || d->count >= FRAGMENTS_MAX;
	u32 memory = packet_memory(p);
	enum insertion result = bad ? OVERLAP : insert(d, p, offset, n);

	if (result != INSERTED) {
		packet_free(p);
		if (result == OVERLAP)
			discard(d);
		goto out;
	}
	d->end = MAX(d->end, offset + n);
	d->memory += memory;
	memory_used += memory;
	if (!more)
		d->total = offset + n;
	if (d->total && d->received == d->total) {
		whole = assemble(d);
		discard(d);
	}
out:
	spin_unlock(&lock);
	return whole;
}

void inet_fragments_expire(void)
{
	u64 now = clock_monotonic_ns();

	spin_lock(&lock);
	while (!list_empty(&datagrams) &&
	       now - list_first(&datagrams, struct datagram, node)->started_ns > TIME_NS)
		discard(list_first(&datagrams, struct datagram, node));
	spin_unlock(&lock);
}

static bool came_by(const struct datagram *d, const struct net_device *device)
{
	const struct packet *p = d->fragments;

	while (p && p->device != device)
		p = p->next;
	return p;
}

void inet_fragments_drop(const struct net_device *device)
{
	struct datagram *d, *next;

	spin_lock(&lock);
	list_for_each_safe (d, next, &datagrams, node)
		if (came_by(d, device))
			discard(d);
	spin_unlock(&lock);
}
