/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets: allocation, headers, fragments, copying, checksums. */
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/checksum.h>
#include <net/inet_socket.h>
#include <net/packet_buffer.h>

#define UDP_CHECKSUM_OFFSET 6 /* in its header (RFC 768); of no other protocol */
#define BLOCK_ORDER_MAX 3     /* payload is gathered in blocks of up to 32 KiB */

static struct slab_cache *packet_cache;

void packet_init(void)
{
	packet_cache = slab_cache_create("packet", sizeof(struct packet), 64);
}

struct packet *packet_alloc(void)
{
	struct packet *p = slab_alloc(packet_cache, ALLOC_ATOMIC);

	if (!p)
		return nullptr;
	memset(p, 0, offsetof(struct packet, fragments));
	p->data = p->room + PACKET_HEADROOM;
	return p;
}

void packet_free(struct packet *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < p->fragment_count; i++)
		page_put(p->fragments[i].page);
	if (unlikely(p->stamped_for))
		inet_packet_dropped(p);
	slab_free(packet_cache, p);
}

struct packet *packet_clone(const struct packet *from)
{
	struct packet *p = slab_alloc(packet_cache, ALLOC_ATOMIC);

	if (!p)
		return nullptr;
	memcpy(p, from,
	       offsetof(struct packet, fragments) + from->fragment_count * sizeof(p->fragments[0]));
	memcpy(p->room, from->room, (size_t)(from->data - from->room) + from->linear);
	p->data = p->room + (from->data - from->room);
	p->next = nullptr;
	p->stamped_for = nullptr;
	for (unsigned i = 0; i < p->fragment_count; i++)
		page_get(p->fragments[i].page);
	return p;
}

static const u8 *fragment_bytes(const struct packet_fragment *f)
{
	return (const u8 *)page_address(f->page) + f->offset;
}

static void drop_first_fragment(struct packet *p)
{
	page_put(p->fragments[0].page);
	p->fragment_count--;
	memmove(&p->fragments[0], &p->fragments[1], p->fragment_count * sizeof(p->fragments[0]));
}

void packet_pull_fragments(struct packet *p, unsigned n)
{
	while (n) {
		struct packet_fragment *f = &p->fragments[0];

		if (n < f->length) {
			f->offset += n;
			f->length -= n;
			return;
		}
		n -= f->length;
		drop_first_fragment(p);
	}
}

bool packet_linearize_more(struct packet *p, unsigned n)
{
	unsigned missing;

	if (n > p->length || packet_headroom(p) + n > PACKET_ROOM)
		return false;
	missing = n - p->linear;
	if (!packet_copy(p, p->linear, p->data + p->linear, missing))
		return false;
	p->linear = (u16)n;
	packet_pull_fragments(p, missing);
	return true;
}

void packet_trim(struct packet *p, unsigned length)
{
	unsigned cut;

	if (length >= p->length)
		return;
	cut = p->length - length;
	p->length = length;
	while (cut && p->fragment_count) {
		struct packet_fragment *f = &p->fragments[p->fragment_count - 1];
		unsigned step = MIN(cut, f->length);

		f->length -= step;
		cut -= step;
		if (!f->length) {
			page_put(f->page);
			p->fragment_count--;
		}
	}
	p->linear -= (u16)cut;
}

bool packet_add_fragment(struct packet *p, struct page *page, u32 offset, u32 length)
{
	if (p->fragment_count) {
		struct packet_fragment *last = &p->fragments[p->fragment_count - 1];

		if (last->page == page && last->offset + last->length == offset) {
			last->length += length;
			p->length += length;
			page_put(page);
			return true;
		}
	}
	if (p->fragment_count == PACKET_FRAGMENTS_MAX)
		return false;
	p->fragments[p->fragment_count++] = (struct packet_fragment){ page, offset, length };
	p->length += length;
	return true;
}

/* A block for `n` bytes, smaller if there is no large one. */
static struct page *block_alloc(size_t n, u32 flags, size_t *size)
{
	unsigned order = 0;
	struct page *page;

	while (order < BLOCK_ORDER_MAX && (PAGE_SIZE << order) < n)
		order++;
	page = page_alloc(order, flags);
	if (!page && order) {
		order = 0;
		page = page_alloc(0, flags);
	}
	*size = PAGE_SIZE << order;
	return page;
}

/* Appends from an iterator, or from kernel memory. */
static int append(struct packet *p, struct iter *it, const u8 *from, size_t n, u32 flags)
{
	size_t linear = MIN(n, (size_t)packet_tailroom(p));

	if (n > linear && n > PACKET_ROOM) /* large payload stays in one piece, behind headers */
		linear = 0;
	if (linear) {
		if (!from && iter_copy_from(it, p->data + p->linear, linear) < linear)
			return -EFAULT;
		if (from)
			memcpy(p->data + p->linear, from, linear);
		packet_append(p, (unsigned)linear);
		from = from ? from + linear : nullptr;
		n -= linear;
	}
	while (n) {
		size_t size, step;
		struct page *page = block_alloc(n, flags, &size);

		if (!page)
			return -ENOMEM;
		step = MIN(n, size);
		if (from)
			memcpy(page_address(page), from, step);
		else if (iter_copy_from(it, page_address(page), step) < step) {
			page_put(page);
			return -EFAULT;
		}
		if (!packet_add_fragment(p, page, 0, (u32)step)) {
			page_put(page);
			return -EMSGSIZE;
		}
		from = from ? from + step : nullptr;
		n -= step;
	}
	return 0;
}

int packet_append_iter(struct packet *p, struct iter *it, size_t n)
{
	return append(p, it, nullptr, n, 0);
}

int packet_fill(struct packet *p, struct iter *it)
{
	size_t linear = MIN((size_t)packet_tailroom(p), it->remaining);

	if (iter_copy_from(it, packet_append(p, (unsigned)linear), linear) < linear)
		return -EFAULT;
	return it->remaining ? packet_append_iter(p, it, it->remaining) : 0;
}

int packet_append_bytes(struct packet *p, const void *from, size_t n)
{
	return n ? append(p, nullptr, from, n, ALLOC_ATOMIC) : 0;
}

/* Calls `step` for each contiguous piece of [offset, offset + n); ends when it returns false. */
static unsigned for_each_piece(const struct packet *p, unsigned offset, unsigned n,
			       bool (*step)(void *arg, const u8 *bytes, unsigned n), void *arg)
{
	unsigned done = 0;

	if (offset < p->linear && n) {
		unsigned piece = MIN(n, p->linear - offset);

		if (!step(arg, p->data + offset, piece))
			return done;
		done = piece;
	}
	offset = offset + done - p->linear;
	for (unsigned i = 0; i < p->fragment_count && done < n; i++) {
		const struct packet_fragment *f = &p->fragments[i];

		if (offset >= f->length) {
			offset -= f->length;
			continue;
		}
		unsigned piece = MIN(n - done, f->length - offset);

		if (!step(arg, fragment_bytes(f) + offset, piece))
			return done;
		done += piece;
		offset = 0;
	}
	return done;
}

static bool step_copy(void *arg, const u8 *bytes, unsigned n)
{
	u8 **to = arg;

	memcpy(*to, bytes, n);
	*to += n;
	return true;
}

bool packet_copy_pieces(const struct packet *p, unsigned offset, void *to, unsigned n)
{
	u8 *at = to;

	if (offset > p->length || n > p->length - offset)
		return false;
	return for_each_piece(p, offset, n, step_copy, &at) == n;
}

struct to_iter {
	struct iter *it;
	size_t done;
};

static bool step_to_iter(void *arg, const u8 *bytes, unsigned n)
{
	struct to_iter *to = arg;
	size_t copied = iter_copy_to(to->it, bytes, n);

	to->done += copied;
	return copied == n;
}

size_t packet_copy_to_iter(const struct packet *p, unsigned offset, struct iter *it, size_t n)
{
	struct to_iter to = { it, 0 };

	if (offset > p->length)
		return 0;
	n = MIN(n, (size_t)(p->length - offset));
	for_each_piece(p, offset, (unsigned)MIN(n, it->remaining), step_to_iter, &to);
	return to.done;
}

struct summing {
	u32 sum;
	unsigned done;
};

static bool step_sum(void *arg, const u8 *bytes, unsigned n)
{
	struct summing *s = arg;
	u32 sum = checksum_add(bytes, n, 0);

	s->sum = checksum_combine(s->sum, s->done & 1 ? checksum_swap(sum) : sum);
	s->done += n;
	return true;
}

u32 packet_sum(const struct packet *p, unsigned offset, unsigned n, u32 sum)
{
	struct summing s = { sum, 0 };

	for_each_piece(p, offset, n, step_sum, &s);
	return s.sum;
}

void packet_complete_checksum(struct packet *p)
{
	unsigned start = p->checksum_start - packet_headroom(p);
	u16 sum;

	ASSERT(p->checksum == CHECKSUM_PARTIAL && start <= p->linear);
	sum = (u16)~checksum_fold(packet_sum(p, start, p->length - start, 0));
	if (!sum && p->checksum_offset == UDP_CHECKSUM_OFFSET)
		sum = 0xffff; /* there 0 means that there is none; elsewhere it is the sum (RFC 1624) */
	memcpy(p->room + p->checksum_start + p->checksum_offset, &sum, sizeof(sum));
	p->checksum = CHECKSUM_UNKNOWN;
}

u32 packet_memory(const struct packet *p)
{
	u32 n = sizeof(*p);

	for (unsigned i = 0; i < p->fragment_count; i++)
		n += p->fragments[i].length;
	return n;
}

void packet_queue_free(struct packet_queue *q)
{
	struct packet *p;

	while ((p = packet_queue_take(q)))
		packet_free(p);
}
