/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reassembly (RFC 791 section 3.2, RFC 8200 section 4.5). Fragments of a datagram wait in a tree, by
 * offset; one that overlaps another ends the datagram (RFC 5722, and for IPv4 too, as Linux does);
 * an exact duplicate is ignored. Bounded in datagrams and bytes of memory; 30 s.
 */
#include <core/time.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/protocol.h>
#include <net/statistics.h>

#include <sys/socket.h>

#define DATAGRAMS_MAX 256
#define MEMORY_MAX (4u << 20) /* of all */
#define TIME_NS (30 * NSEC_PER_SEC)
#define DATAGRAM_MAX 65535u

/* packet->control of what waits. */
struct fragment {
	struct rb_node node;
	u32 offset, length; /* of its payload */
};
static_assert(sizeof(struct fragment) <= sizeof(((struct packet *)0)->control));

struct datagram {
	struct list_head node; /* by age */
	struct fragment_key key;
	struct network_namespace *network;
	struct rb_tree fragments; /* by offset */
	unsigned received, total; /* bytes; total 0: the last one has not come */
	unsigned end;		  /* of what has come so far */
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

static struct fragment *fragment_of(struct packet *p)
{
	return (struct fragment *)p->control;
}

static struct packet *packet_of(struct rb_node *n)
{
	return container_of((u64(*)[8])(void *)rb_entry(n, struct fragment, node), struct packet,
			    control);
}

static void count(const struct network_namespace *network, const struct fragment_key *key,
		  enum net_counter counter)
{
	net_count_family(network, counter, &key->destination);
}

/* All of it as a list, by offset. */
static struct packet *take_all(struct datagram *d)
{
	struct packet *first = nullptr, **link = &first;

	for (struct rb_node *n = rb_first(&d->fragments); n; n = rb_next(n)) {
		*link = packet_of(n);
		link = &(*link)->next;
	}
	*link = nullptr;
	d->fragments.root = nullptr;
	return first;
}

static void free_list(struct packet *p)
{
	while (p) {
		struct packet *next = p->next;

		packet_free(p);
		p = next;
	}
}

static void discard(struct datagram *d) __must_hold(&lock)
{
	remove(d);
	free_list(take_all(d));
	kfree(d);
}

static struct datagram *find(const struct fragment_key *key, struct network_namespace *network)
	__must_hold(&lock)
{
	struct datagram *d;

	list_for_each (d, &datagrams, node)
		if (d->network == network && d->key.identification == key->identification &&
		    d->key.protocol == key->protocol && d->key.user == key->user &&
		    inet_equal(&d->key.source, &key->source) &&
		    inet_equal(&d->key.destination, &key->destination))
			return d;
	if (datagram_count >= DATAGRAMS_MAX)
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

/* A new one has bytes in common with `old`: what adds nothing is a duplicate, perhaps cut otherwise on its way. */
static enum insertion compare(const struct fragment *old, unsigned offset, unsigned n)
{
	unsigned start = old->offset, end = old->offset + old->length;
	const struct fragment *f;

	for (struct rb_node *at = rb_prev(&old->node); at && start > offset; at = rb_prev(at)) {
		f = rb_entry(at, struct fragment, node);
		if (f->offset + f->length != start)
			break;
		start = f->offset;
	}
	for (struct rb_node *at = rb_next(&old->node); at && end < offset + n; at = rb_next(at)) {
		f = rb_entry(at, struct fragment, node);
		if (f->offset != end)
			break;
		end += f->length;
	}
	return start <= offset && offset + n <= end ? DUPLICATE : OVERLAP;
}

static enum insertion insert(struct datagram *d, struct packet *p, unsigned offset, unsigned n)
{
	struct rb_node **link = &d->fragments.root, *parent = nullptr;
	struct fragment *new = fragment_of(p);

	while (*link) {
		const struct fragment *old = rb_entry(*link, struct fragment, node);

		parent = *link;
		if (offset + n <= old->offset)
			link = &parent->left;
		else if (offset >= old->offset + old->length)
			link = &parent->right;
		else
			return compare(old, offset, n);
	}
	*new = (struct fragment){ .offset = offset, .length = n };
	rb_insert(&d->fragments, &new->node, parent, link, nullptr);
	d->received += n;
	return INSERTED;
}

/* Appends the payload of `p` behind the header that it has in common with the first fragment. */
static bool join(struct packet *whole, struct packet *p)
{
	unsigned n = fragment_of(p)->length;

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
	struct packet *whole = take_all(d), *rest = whole->next, *p;
	unsigned header = whole->length - fragment_of(whole)->length;
	u8 *buffer = nullptr;

	whole->next = nullptr;
	/* Simple when the payloads lie in pages; gathered in one buffer when they do not. */
	for (p = rest; p && p->linear <= header &&
		       whole->fragment_count + p->fragment_count <= PACKET_FRAGMENTS_MAX;
	     p = p->next)
		if (!join(whole, p))
			break;
	if (!p)
		goto out;
	buffer = kmalloc(d->total, ALLOC_ATOMIC);
	if (!buffer)
		goto fail;
	unsigned at = whole->length - header;

	if (!packet_copy(whole, header, buffer, at))
		goto fail;
	for (; p; p = p->next) {
		unsigned n = fragment_of(p)->length;

		if (!packet_copy(p, p->length - n, buffer + at, n))
			goto fail;
		at += n;
	}
	packet_trim(whole, header);
	if (packet_append_bytes(whole, buffer, at))
		goto fail;
	goto out;
fail:
	packet_free(whole);
	whole = nullptr;
out:
	kfree(buffer);
	free_list(rest);
	return whole;
}

struct packet *inet_reassemble(struct packet *p, const struct fragment_key *key,
			       struct network_namespace *network, unsigned header, unsigned offset,
			       bool more)
{
	unsigned n = p->length - header;
	struct datagram *d;
	struct packet *whole = nullptr;

	count(network, key, NET_IP_REASSEMBLY_NEEDED);
	if (!n || (more && n % 8) || offset + n > DATAGRAM_MAX) {
		count(network, key, NET_IP_REASSEMBLY_FAILED);
		packet_free(p);
		return nullptr;
	}
	spin_lock(&lock);
	while (memory_used >= MEMORY_MAX)
		discard(list_first(&datagrams, struct datagram, node));
	d = p->device && READ_ONCE(p->device->gone) ? nullptr : find(key, network);
	if (!d) {
		packet_free(p);
		goto out;
	}
	bool bad = (!more && ((d->total && d->total != offset + n) || d->end > offset + n)) ||
		   (d->total && offset + n > d->total);
	u32 memory = packet_memory(p);
	enum insertion result = bad ? OVERLAP : insert(d, p, offset, n);

	if (result != INSERTED) {
		packet_free(p);
		if (result == OVERLAP) {
			count(network, key, NET_IP_REASSEMBLY_FAILED);
			count(network, key, NET_IP_REASSEMBLY_OVERLAP);
			discard(d);
		}
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
		count(network, key, whole ? NET_IP_REASSEMBLED : NET_IP_REASSEMBLY_FAILED);
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
	       now - list_first(&datagrams, struct datagram, node)->started_ns > TIME_NS) {
		const struct datagram *d = list_first(&datagrams, struct datagram, node);

		count(d->network, &d->key, NET_IP_REASSEMBLY_TIMEOUT);
		count(d->network, &d->key, NET_IP_REASSEMBLY_FAILED);
		discard(list_first(&datagrams, struct datagram, node));
	}
	spin_unlock(&lock);
}

static bool came_by(const struct datagram *d, const struct net_device *device)
{
	struct rb_node *n = rb_first(&d->fragments);

	while (n && packet_of(n)->device != device)
		n = rb_next(n);
	return n;
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

void inet_fragments_count(const struct network_namespace *network, u8 family,
			  unsigned *datagrams_out, u32 *memory_out)
{
	const struct datagram *d;

	*datagrams_out = *memory_out = 0;
	spin_lock(&lock);
	list_for_each (d, &datagrams, node) {
		if (d->network != network || inet_is_v4(&d->key.destination) != (family == AF_INET))
			continue;
		++*datagrams_out;
		*memory_out += d->memory;
	}
	spin_unlock(&lock);
}
