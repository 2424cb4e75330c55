/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Iterators over memory: what read and write operations of files take instead of a user pointer, so
 * that the same code serves system calls, vectors, splice and kernel callers.
 */
#pragma once

#include <lib/types.h>

#include <linux/uio.h>

enum iter_kind { ITER_KERNEL, ITER_USER };

struct iter {
	enum iter_kind kind;
	size_t remaining; /* bytes left in all segments */
	char *address;	  /* current segment: kernel pointer, or user address as a number */
	size_t segment;	  /* bytes left in the current segment */
	const struct iovec *next;
	unsigned long segments_left; /* after the current one */
	/* What a write took before it said -EAGAIN, to tell of it when it is called again; 0: nothing. */
	size_t taken;
};

void iter_init_kernel(struct iter *it, void *buffer, size_t size);
/* One user buffer. The range is checked on use. */
void iter_init_user(struct iter *it, void __user *buffer, size_t size);

#define ITER_INLINE_VECTORS 8
/*
 * A user vector as readv(2) takes: copied in, each length and the sum checked. Small vectors use
 * `inline_vectors`, larger ones are allocated; iter_free_user_vector(*vectors, inline_vectors) in
 * any case. Returns 0, -EINVAL, -EFAULT, -ENOMEM.
 */
[[nodiscard]] int iter_init_user_vector(struct iter *it, const struct iovec __user *uvec,
					unsigned long count,
					struct iovec inline_vectors[ITER_INLINE_VECTORS],
					struct iovec **vectors);
void iter_free_user_vector(struct iovec *vectors, struct iovec *inline_vectors);

/*
 * Copy between kernel memory and the iterator, advancing it. Return the bytes copied, fewer than
 * `size` when the iterator ends or user memory faults (0 copied with bytes remaining means
 * -EFAULT). May sleep.
 */
[[nodiscard]] size_t iter_copy_to(struct iter *it, const void *from, size_t size);
[[nodiscard]] size_t iter_copy_from(struct iter *it, void *to, size_t size);
[[nodiscard]] size_t iter_zero(struct iter *it, size_t size);

/* For those who look at address and segment: skips empty segments, so that the current one has bytes if any remain. */
void iter_next_segment(struct iter *it);

/* Moves forward without copying. */
void iter_advance(struct iter *it, size_t size);

/*
 * Touches the pages of the next `size` bytes so that a following copy under a lock is unlikely to
 * fault; returns the bytes that are accessible.
 */
size_t iter_fault_in(struct iter *it, size_t size, bool write);
