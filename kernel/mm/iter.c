/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Iterators over kernel and user memory. */
#include <mm/iter.h>

#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/ucopy.h>

#include <linux/uio.h>

/* Linux limits one transfer to this (read(2), NOTES). */
#define TRANSFER_MAX ((size_t)INT32_MAX & PAGE_MASK)

void iter_init_kernel(struct iter *it, void *buffer, size_t size)
{
	*it = (struct iter){
		.kind = ITER_KERNEL, .remaining = size, .address = buffer, .segment = size
	};
}

void iter_init_user(struct iter *it, void __user *buffer, size_t size)
{
	*it = (struct iter){
		.kind = ITER_USER,
		.remaining = size,
		.address = __force_user(char *, buffer),
		.segment = size,
	};
}

/* Checks lengths and caps the sum, as readv(2) does. */
static ssize_t vector_total(struct iovec *v, unsigned long count)
{
	size_t total = 0;

	for (unsigned long i = 0; i < count; i++) {
		if ((ssize_t)v[i].iov_len < 0)
			return -EINVAL;
		if (!user_range_ok((const void __user *)v[i].iov_base, v[i].iov_len))
			return -EFAULT;
		v[i].iov_len = MIN((size_t)v[i].iov_len, TRANSFER_MAX - total);
		total += v[i].iov_len;
	}
	return (ssize_t)total;
}

int iter_init_user_vector(struct iter *it, const struct iovec __user *uvec, unsigned long count,
			  struct iovec inline_vectors[ITER_INLINE_VECTORS], struct iovec **vectors)
{
	struct iovec *v = inline_vectors;
	int err = 0;

	*vectors = inline_vectors;
	if (count > UIO_MAXIOV)
		return -EINVAL;
	if (count > ITER_INLINE_VECTORS) {
		v = kmalloc(count * sizeof(*v), 0);
		if (!v)
			return -ENOMEM;
	}
	err = copy_from_user(v, uvec, count * sizeof(*v));
	ssize_t total = err ? err : vector_total(v, count);

	if (total < 0) {
		iter_free_user_vector(v, inline_vectors);
		return (int)total;
	}
	*vectors = v;
	*it = (struct iter){ .kind = ITER_USER, .remaining = (size_t)total };
	if (count) {
		it->address = (char *)v[0].iov_base;
		it->segment = v[0].iov_len;
		it->next = v + 1;
		it->segments_left = count - 1;
	}
	return 0;
}

void iter_free_user_vector(struct iovec *vectors, struct iovec *inline_vectors)
{
	if (vectors != inline_vectors)
		kfree(vectors);
}

/* Makes the current segment one that has bytes; only called with bytes remaining. */
static void next_segment(struct iter *it)
{
	while (!it->segment) {
		it->address = (char *)it->next->iov_base;
		it->segment = it->next->iov_len;
		it->next++;
		it->segments_left--;
	}
}

void iter_next_segment(struct iter *it)
{
	if (it->remaining)
		next_segment(it);
}

static void consume(struct iter *it, size_t n)
{
	it->address += n;
	it->segment -= n;
	it->remaining -= n;
}

enum direction { COPY_TO, COPY_FROM, ZERO };

/* Bytes of one step that could not be moved. */
static __always_inline size_t transfer_step(struct iter *it, enum direction direction, void *kernel,
					    size_t size)
{
	void __user *user;

	if (it->kind == ITER_KERNEL) {
		if (direction == COPY_TO)
			memcpy(it->address, kernel, size);
		else if (direction == COPY_FROM)
			memcpy(kernel, it->address, size);
		else
			memset(it->address, 0, size);
		return 0;
	}
	user = __force_user(void __user *, it->address);
	if (!user_range_ok(user, size))
		return size;
	switch (direction) {
	case COPY_TO:
		return arch_copy_to_user(user, kernel, size);
	case COPY_FROM:
		return arch_copy_from_user(kernel, user, size);
	default:
		return arch_clear_user(user, size);
	}
}

/* What reaches beyond the current segment, or is nothing. */
static __noinline size_t transfer_segments(struct iter *it, enum direction direction, void *kernel,
					   size_t size)
{
	size_t done = 0;

	while (done < size) {
		next_segment(it);
		size_t step = MIN(size - done, it->segment);
		size_t left = transfer_step(it, direction, (char *)kernel + done, step);

		consume(it, step - left);
		done += step - left;
		if (left)
			break;
	}
	return done;
}

static inline size_t transfer(struct iter *it, enum direction direction, void *kernel, size_t size)
{
	size = MIN(size, it->remaining);
	if (unlikely(!size || size > it->segment))
		return transfer_segments(it, direction, kernel, size);
	size_t done = size - transfer_step(it, direction, kernel, size);
	consume(it, done);
	return done;
}

size_t iter_copy_to(struct iter *it, const void *from, size_t size)
{
	return transfer(it, COPY_TO, (void *)(uintptr_t)from, size);
}

size_t iter_copy_from(struct iter *it, void *to, size_t size)
{
	return transfer(it, COPY_FROM, to, size);
}

size_t iter_zero(struct iter *it, size_t size)
{
	return transfer(it, ZERO, nullptr, size);
}

void iter_advance(struct iter *it, size_t size)
{
	size = MIN(size, it->remaining);
	while (size) {
		next_segment(it);
		size_t step = MIN(size, it->segment);

		consume(it, step);
		size -= step;
	}
}

/* Reads, and for `write` writes back, one byte of the page. False if it faults. */
static bool touch(char *address, bool write)
{
	u8 __user *user = __force_user(u8 __user *, address);
	u32 __user *word = __force_user(u32 __user *, (uintptr_t)address & ~3ul);
	u32 old;

	if (!user_range_ok(word, sizeof(u32)))
		return false;
	if (write)
		return arch_user_atomic(USER_ATOMIC_OR, word, 0, &old) == 0;
	u8 byte;

	return arch_copy_from_user(&byte, user, 1) == 0;
}

size_t iter_fault_in(struct iter *it, size_t size, bool write)
{
	struct iter walk = *it;
	size_t done = 0;

	size = MIN(size, it->remaining);
	if (it->kind == ITER_KERNEL)
		return size;
	while (done < size) {
		next_segment(&walk);
		size_t to_edge = PAGE_SIZE - ((uintptr_t)walk.address & (PAGE_SIZE - 1));
		size_t step = MIN(walk.segment, to_edge);

		step = MIN(step, size - done);
		if (!touch(walk.address, write))
			break;
		consume(&walk, step);
		done += step;
	}
	return done;
}
