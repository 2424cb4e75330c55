/* SPDX-License-Identifier: MIT */
/*
 * Rings in shared memory. Each side has a count of bytes that only it writes, and a flag that says that it waits: a side that finds nothing
 * to do sets its flag, looks once more, and reads its event; the other one moves its count, and writes the event if the flag is set.
 * Both orders are sequentially consistent, so that one of the two sees the other.
 */
#include <cairn/ring.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u

/* A line of the cache for each side. */
struct side {
	_Alignas(64) _Atomic uint64_t count;
	_Atomic uint32_t waits;
};

struct cairn_ring_shared {
	struct side producer, consumer;
};

int cairn_ring_open(struct cairn_ring *ring, int memory, size_t memory_size, int data, int space)
{
	size_t size = memory_size - PAGE;
	void *p;

	if (memory_size < 2 * PAGE || size & (size - 1)) {
		errno = EINVAL;
		return -1;
	}
	p = mmap(NULL, memory_size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (p == MAP_FAILED)
		return -1;
	*ring = (struct cairn_ring){ .shared = p,
				     .bytes = (unsigned char *)p + PAGE,
				     .size = size,
				     .data = data,
				     .space = space };
	return 0;
}

void cairn_ring_close(struct cairn_ring *ring)
{
	munmap(ring->shared, ring->size + PAGE);
}

/* The piece of `amount` bytes from the own count on that does not wrap. */
static ptrdiff_t piece(const struct cairn_ring *ring, uint64_t amount, unsigned char **at)
{
	size_t offset = (size_t)ring->own & (ring->size - 1);

	*at = ring->bytes + offset;
	return (ptrdiff_t)(amount < ring->size - offset ? amount : ring->size - offset);
}

/* How many bytes there are for this side: the peer's count is ahead of the own by that, less `bias`; EPROTO if that cannot be. */
static int64_t amount(const struct cairn_ring *ring, const struct side *peer, uint64_t bias)
{
	uint64_t n = peer->count + bias - ring->own;

	if (n <= ring->size)
		return (int64_t)n;
	errno = EPROTO;
	return -1;
}

static int64_t await(const struct cairn_ring *ring, struct side *self, const struct side *peer,
		     uint64_t bias, int event)
{
	for (;;) {
		int64_t n = amount(ring, peer, bias);
		uint64_t ignored;

		if (n)
			return n;
		self->waits = 1;
		n = amount(ring, peer, bias);
		if (!n && read(event, &ignored, sizeof(ignored)) < 0)
			n = -1;
		self->waits = 0;
		if (n)
			return n;
	}
}

static int advance(struct cairn_ring *ring, struct side *self, const struct side *peer, size_t n,
		   int event)
{
	uint64_t one = 1;

	ring->own += n;
	self->count = ring->own;
	return peer->waits && write(event, &one, sizeof(one)) < 0 ? -1 : 0;
}

ptrdiff_t cairn_ring_reserve(struct cairn_ring *ring, unsigned char **at)
{
	struct cairn_ring_shared *s = ring->shared;
	int64_t n = await(ring, &s->producer, &s->consumer, ring->size, ring->space);

	return n < 0 ? -1 : piece(ring, (uint64_t)n, at);
}

int cairn_ring_produce(struct cairn_ring *ring, size_t n)
{
	return advance(ring, &ring->shared->producer, &ring->shared->consumer, n, ring->data);
}

ptrdiff_t cairn_ring_peek(struct cairn_ring *ring, unsigned char **at)
{
	struct cairn_ring_shared *s = ring->shared;
	int64_t n = await(ring, &s->consumer, &s->producer, 0, ring->data);

	return n < 0 ? -1 : piece(ring, (uint64_t)n, at);
}

int cairn_ring_consume(struct cairn_ring *ring, size_t n)
{
	return advance(ring, &ring->shared->consumer, &ring->shared->producer, n, ring->space);
}
