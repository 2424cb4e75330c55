/* SPDX-License-Identifier: GPL-2.0-or-later */
/* select(2) and pselect(2). */
#include <lib/errno.h>
#include <lib/string.h>
#include <linux/descriptor.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <vfs/poll.h>

#include <linux/eventpoll.h>
#include <syscall_prototypes.h>

#define WORD_BITS 64u
#define INLINE_WORDS 16u /* sets of 1024 descriptors, as FD_SETSIZE */
#define INLINE_ITEMS 8u

enum { SET_READ, SET_WRITE, SET_EXCEPT, SET_COUNT };

/* What makes a descriptor a member of each set, select(2) "Correspondence between select() and
 * poll() notifications". */
static const u32 set_events[SET_COUNT] = {
	[SET_READ] = EPOLLIN | EPOLLRDNORM | EPOLLRDBAND | EPOLLHUP | EPOLLERR,
	[SET_WRITE] = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND | EPOLLERR,
	[SET_EXCEPT] = EPOLLPRI,
};

struct select_request {
	unsigned count, words; /* descriptors; words of a set */
	unsigned long __user *user[SET_COUNT];
	u64 *bits[SET_COUNT];
	u64 inline_bits[SET_COUNT][INLINE_WORDS];
	u64 *allocated_bits;
	unsigned item_count;
	struct poll_item *items;
	unsigned *numbers; /* the descriptor of each item */
	struct poll_item inline_items[INLINE_ITEMS];
	unsigned inline_numbers[INLINE_ITEMS];
};

static u64 used_word(const struct select_request *req, unsigned word)
{
	return req->bits[SET_READ][word] | req->bits[SET_WRITE][word] | req->bits[SET_EXCEPT][word];
}

static int copy_sets(struct select_request *req)
{
	size_t bytes = req->words * sizeof(u64);

	if (req->words > INLINE_WORDS) {
		req->allocated_bits = kvmalloc(SET_COUNT * bytes, 0);
		if (!req->allocated_bits)
			return -ENOMEM;
	}
	for (unsigned s = 0; s < SET_COUNT; s++) {
		req->bits[s] = req->allocated_bits ? req->allocated_bits + s * req->words
						   : req->inline_bits[s];
		if (!req->user[s])
			memset(req->bits[s], 0, bytes);
		else if (copy_from_user(req->bits[s], req->user[s], bytes))
			return -EFAULT;
		/* Bits behind the last descriptor do not count. */
		if (req->count % WORD_BITS)
			req->bits[s][req->words - 1] &= (1ull << req->count % WORD_BITS) - 1;
	}
	for (unsigned w = 0; w < req->words; w++)
		req->item_count += (unsigned)__builtin_popcountll(used_word(req, w));
	return 0;
}

static int item_open(struct select_request *req, unsigned index, unsigned fd)
{
	struct poll_item *item = &req->items[index];

	item->events = item->ready = 0;
	req->numbers[index] = fd;
	for (unsigned s = 0; s < SET_COUNT; s++)
		if (req->bits[s][fd / WORD_BITS] >> fd % WORD_BITS & 1)
			item->events |= set_events[s];
	return handle_borrow(current_pool(), (int)fd, nullptr, RIGHT_WAIT, &item->object,
			     &item->owned)
		       ? -EBADF
		       : 0;
}

static void items_close(struct poll_item *items, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (items[i].owned)
			object_put(items[i].object);
}

static int items_open(struct select_request *req)
{
	unsigned n = 0;

	if (req->item_count > INLINE_ITEMS) {
		req->items =
			kvmalloc(req->item_count * (sizeof(*req->items) + sizeof(unsigned)), 0);
		if (!req->items)
			return -ENOMEM;
		req->numbers = (unsigned *)(req->items + req->item_count);
	}
	for (unsigned w = 0; w < req->words; w++) {
		for (u64 word = used_word(req, w); word; word &= word - 1) {
			unsigned fd = w * WORD_BITS + (unsigned)__builtin_ctzll(word);

			if (item_open(req, n, fd)) {
				items_close(req->items, n);
				return -EBADF;
			}
			n++;
		}
	}
	return 0;
}

/* Turns the request sets into result sets and counts their members. */
static int encode_result(struct select_request *req)
{
	int members = 0;

	for (unsigned i = 0; i < req->item_count; i++) {
		unsigned w = req->numbers[i] / WORD_BITS;
		u64 bit = 1ull << req->numbers[i] % WORD_BITS;

		for (unsigned s = 0; s < SET_COUNT; s++) {
			if (!(req->bits[s][w] & bit))
				continue;
			if (req->items[i].ready & set_events[s])
				members++;
			else
				req->bits[s][w] &= ~bit;
		}
	}
	return members;
}

/*
 * Looks at the descriptors of one word of the sets and leaves the members that are ready. How many there are, or
 * -EBADF.
 */
static int look_at_word(struct pool *pool, unsigned first, u64 words[SET_COUNT])
{
	u64 ready[SET_COUNT] = {};
	u64 word = words[SET_READ] | words[SET_WRITE] | words[SET_EXCEPT];
	int members = 0;

	for (; word; word &= word - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(word);
		u32 events;

		if (descriptor_ready(pool, (int)(first + bit), &events))
			return -EBADF;
		for (unsigned s = 0; s < SET_COUNT; s++)
			ready[s] |= (u64)((events & set_events[s]) != 0) << bit;
	}
	for (unsigned s = 0; s < SET_COUNT; s++) {
		words[s] &= ready[s];
		members += __builtin_popcountll(words[s]);
	}
	return members;
}

/*
 * Looks at all descriptors and keeps nothing. If one is ready, or `always`, the request sets become the result sets.
 * Members of them, or -EBADF.
 */
static int look(struct select_request *req, bool always)
{
	struct pool *pool = current_pool();
	int members = 0;

	for (unsigned w = 0; w < req->words; w++) {
		u64 words[SET_COUNT];

		for (unsigned s = 0; s < SET_COUNT; s++)
			words[s] = req->bits[s][w];
		int found = look_at_word(pool, w * WORD_BITS, words);
		if (found < 0)
			return found;
		/* From the first member on the call will not wait: words before had none. */
		if (found && !members)
			for (unsigned s = 0; s < SET_COUNT; s++)
				memset(req->bits[s], 0, w * sizeof(u64));
		members += found;
		if (members || always)
			for (unsigned s = 0; s < SET_COUNT; s++)
				req->bits[s][w] = words[s];
	}
	return members;
}

static int select_wait(struct select_request *req, u64 deadline_ns)
{
	int result = items_open(req);

	if (result)
		return result;
	result = (int)poll_wait(req->items, req->item_count, deadline_ns);
	items_close(req->items, req->item_count);
	return result < 0 ? result : encode_result(req);
}

static long select_prepared(struct select_request *req, u64 deadline_ns)
{
	long result = copy_sets(req);

	if (result)
		return result;
	result = look(req, deadline_ns == 0);
	if (!result && deadline_ns)
		result = select_wait(req, deadline_ns);
	if (result < 0)
		return result;
	for (unsigned s = 0; s < SET_COUNT; s++)
		if (req->user[s] &&
		    copy_to_user(req->user[s], req->bits[s], req->words * sizeof(u64)))
			return -EFAULT;
	return result;
}

static long do_select(int count, unsigned long __user *const user[SET_COUNT], u64 deadline_ns)
{
	__uninitialized struct select_request req;
	long result;

	if (count < 0)
		return -EINVAL;
	req.count = MIN((unsigned)count, pool_size(current_pool()));
	req.words = DIV_ROUND_UP(req.count, WORD_BITS);
	memcpy(req.user, user, sizeof(req.user));
	req.allocated_bits = nullptr;
	req.item_count = 0;
	req.items = req.inline_items;
	req.numbers = req.inline_numbers;
	result = select_prepared(&req, deadline_ns);
	if (req.items != req.inline_items)
		kvfree(req.items);
	kvfree(req.allocated_bits);
	return result == -ERESTARTSYS ? -ERESTARTNOHAND : result;
}

long sys_select(int count, unsigned long __user *read, unsigned long __user *write,
		unsigned long __user *except, struct __kernel_old_timeval __user *timeout)
{
	unsigned long __user *user[SET_COUNT] = { read, write, except };
	struct __kernel_old_timeval tv;
	u64 deadline = NO_DEADLINE, left;
	long result;

	if (timeout) {
		struct __kernel_timespec ts;

		if (get_user(tv, timeout))
			return -EFAULT;
		/* More than a second of microseconds is accepted here, unlike in a timespec. */
		ts = timespec_of_ns(tv.tv_usec < 0 ? 0 : (u64)tv.tv_usec * NSEC_PER_USEC);
		if (tv.tv_usec < 0 || tv.tv_sec < 0 ||
		    add_overflows(ts.tv_sec, tv.tv_sec, &ts.tv_sec) ||
		    timespec_to_ns(&ts, &deadline))
			return -EINVAL;
		deadline = deadline_after(deadline);
	}
	result = do_select(count, user, deadline);
	if (timeout) {
		left = time_left(deadline);
		tv = (struct __kernel_old_timeval){ .tv_sec = (long)(left / NSEC_PER_SEC),
						    .tv_usec = (long)(left % NSEC_PER_SEC /
								      NSEC_PER_USEC) };
		(void)put_user(tv, timeout);
	}
	return result;
}

/* The sixth argument of pselect6 points at a mask and its size. */
struct pselect_mask {
	const u64 __user *mask;
	size_t size;
};

long sys_pselect6(int count, unsigned long __user *read, unsigned long __user *write,
		  unsigned long __user *except, struct __kernel_timespec __user *timeout,
		  void __user *mask)
{
	unsigned long __user *user[SET_COUNT] = { read, write, except };
	struct pselect_mask wanted = {};
	u64 span, deadline;
	long result;

	if (mask && copy_from_user(&wanted, mask, sizeof(wanted)))
		return -EFAULT;
	result = timeout_from_user(timeout, &span);
	if (result)
		return result;
	result = waiting_mask_begin(wanted.mask, wanted.size);
	if (result)
		return result;
	deadline = deadline_after(span);
	result = do_select(count, user, deadline);
	if (timeout && span != 0)
		(void)put_user(timespec_of_ns(time_left(deadline)), timeout);
	return waiting_mask_end(wanted.mask, result);
}
