/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Splicing. Between two pipes, fragments change hands and nothing is copied. Between a pipe and
 * another file the pages of the pipe are what the file reads into or writes from.
 *
 * A file's write may take locks that rank below the pipe's, so it runs without the pipe's lock.
 * Meanwhile the pipe is `draining`: to readers it looks empty, so what the file took can be dropped
 * afterwards, and what it did not take is still in its place.
 */
#include <ipc/pipe.h>
#include <ipc/pipe_priv.h>
#include <ipc/splice.h>
#include <lib/errno.h>

#include <linux/eventpoll.h>
#include <linux/fcntl.h>

/* Waits for one of `events` of a pipe; -EAGAIN if that is not wanted. */
static int wait_pipe(struct file *pipe, u32 events, bool nonblocking)
{
	if (nonblocking || (pipe->flags & O_NONBLOCK))
		return -EAGAIN;
	return object_wait(&pipe->object, events, NO_DEADLINE);
}

/* Appends a page to the pipe; -EAGAIN if there is no room, -EPIPE. On success the page is the
 * pipe's. */
static int push(struct pipe *pipe, struct page *page, size_t length)
{
	int error = 0;

	mutex_lock(&pipe->lock);
	if (!pipe->readers) {
		error = -EPIPE;
	} else if (pipe_is_full(pipe)) {
		error = -EAGAIN;
	} else {
		*pipe_slot(pipe, pipe->head) =
			(struct pipe_slot){ .page = page, .length = (u16)length, .merge = true };
		WRITE_ONCE(pipe->head, pipe->head + 1);
	}
	mutex_unlock(&pipe->lock);
	if (!error)
		wake_up(&pipe->waiters, EPOLLIN | EPOLLRDNORM);
	return error;
}

/* One page from the file into the pipe, which had room. */
static ssize_t fill_page(struct file *in, u64 *offset, struct file *out, size_t size)
{
	struct page *page = page_alloc(0, ALLOC_USER);
	struct pipe *pipe = out->private;
	struct iter it;
	ssize_t n;
	int error;

	if (!page)
		return -ENOMEM;
	iter_init_kernel(&it, page_address(page), MIN(size, (size_t)PAGE_SIZE));
	n = file_read(in, &it, offset);
	error = n > 0 ? push(pipe, page, (size_t)n) : 0;
	/* Other writers were faster: what was read must not get lost, so only death ends this wait.
	 */
	while (error == -EAGAIN) {
		error = wait_event_killable(&pipe->waiters,
					    !pipe_is_full(pipe) || !READ_ONCE(pipe->readers));
		if (!error)
			error = push(pipe, page, (size_t)n);
	}
	if (n <= 0 || error)
		page_put(page);
	return error ? error : n;
}

ssize_t splice_to_pipe(struct file *in, u64 *offset, struct file *out, size_t size,
		       bool nonblocking)
{
	struct pipe *pipe = out->private;
	size_t total = 0;
	ssize_t n = 0;

	while (total < size) {
		if (pipe_is_full(pipe) && READ_ONCE(pipe->readers)) {
			if (total)
				break;
			n = wait_pipe(out, EPOLLOUT, nonblocking);
			if (n)
				break;
		}
		n = fill_page(in, offset, out, size - total);
		if (n <= 0)
			break;
		total += (size_t)n;
		/* A stream may have no more for now. */
		if ((size_t)n < PAGE_SIZE)
			break;
	}
	if (n == -EPIPE)
		pipe_send_sigpipe(out);
	return total ? (ssize_t)total : n;
}

/* Begins to take from the pipe: the first fragment is the caller's to look at. 0: end of file. */
static ssize_t drain_begin(struct file *in, struct pipe_slot *out, bool nonblocking)
{
	struct pipe *pipe = in->private;

	for (;;) {
		ssize_t n = -EAGAIN;
		int error;

		mutex_lock(&pipe->lock);
		if (pipe->tail != pipe->head && !pipe->draining) {
			*out = *pipe_slot(pipe, pipe->tail);
			n = out->length;
			pipe->draining = true;
		} else if (!pipe->draining && !pipe->writers) {
			n = 0;
		}
		mutex_unlock(&pipe->lock);
		if (n != -EAGAIN)
			return n;
		error = wait_pipe(in, EPOLLIN, nonblocking);
		if (error)
			return error;
	}
}

/* Ends it, dropping `n` bytes of the first fragment. */
static void drain_end(struct pipe *pipe, size_t n)
{
	struct pipe_slot *slot;

	mutex_lock(&pipe->lock);
	slot = pipe_slot(pipe, pipe->tail);
	slot->offset += n;
	slot->length -= n;
	if (slot->length == 0) {
		WRITE_ONCE(pipe->tail, pipe->tail + 1);
		pipe_page_put(pipe, slot->page);
	}
	WRITE_ONCE(pipe->draining, false);
	mutex_unlock(&pipe->lock);
	wake_up(&pipe->waiters, EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM);
}

ssize_t splice_from_pipe(struct file *in, struct file *out, u64 *offset, size_t size,
			 bool nonblocking)
{
	size_t total = 0;
	ssize_t n = 0;

	while (total < size) {
		struct pipe_slot slot;
		struct iter it;
		size_t wanted;

		n = drain_begin(in, &slot, nonblocking || total);
		if (n <= 0)
			break;
		wanted = MIN((size_t)n, size - total);
		iter_init_kernel(&it, (char *)page_address(slot.page) + slot.offset, wanted);
		n = file_write(out, &it, offset);
		drain_end(in->private, n > 0 ? (size_t)n : 0);
		if (n <= 0)
			break;
		total += (size_t)n;
		if ((size_t)n < wanted)
			break;
	}
	return total ? (ssize_t)total : n;
}

/* Both locks in order of address, whichever is which. */
static void lock_both(struct pipe *a, struct pipe *b) __no_lock_analysis
{
	mutex_lock(a < b ? &a->lock : &b->lock);
	mutex_lock_nested(a < b ? &b->lock : &a->lock);
}

static void unlock_both(struct pipe *a, struct pipe *b) __no_lock_analysis
{
	mutex_unlock(&a->lock);
	mutex_unlock(&b->lock);
}

/* Gives `to` the fragment at `position` of `from`, or as much of it as fits into `size`. */
static size_t share_locked(struct pipe *from, u32 position, struct pipe *to, size_t size)
{
	struct pipe_slot *slot = pipe_slot(from, position), *copy = pipe_slot(to, to->head);

	page_get(slot->page);
	slot->merge = false; /* shared from now on (P3) */
	*copy = *slot;
	copy->length = (u16)MIN((size_t)slot->length, size);
	WRITE_ONCE(to->head, to->head + 1);
	return copy->length;
}

static void consume_locked(struct pipe *pipe, size_t n)
{
	struct pipe_slot *slot = pipe_slot(pipe, pipe->tail);

	slot->offset += n;
	slot->length -= n;
	if (slot->length)
		return;
	WRITE_ONCE(pipe->tail, pipe->tail + 1);
	page_put(slot->page);
}

/* What can be done at once; -EAGAIN if nothing, with what to wait for in *events. */
static ssize_t transfer_locked(struct pipe *from, struct pipe *to, size_t size, bool take,
			       bool *wait_for_input)
{
	u32 position = from->tail;
	size_t total = 0;

	if (!to->readers)
		return -EPIPE;
	if (from->draining || from->tail == from->head) {
		*wait_for_input = true;
		return from->writers || from->draining ? -EAGAIN : 0;
	}
	*wait_for_input = false;
	while (total < size && position != from->head && !pipe_is_full(to)) {
		size_t n = share_locked(from, position, to, size - total);

		total += n;
		if (take)
			consume_locked(from, n);
		position = take ? from->tail : position + 1;
	}
	return total ? (ssize_t)total : -EAGAIN;
}

static ssize_t transfer(struct file *in, struct file *out, size_t size, bool take, bool nonblocking)
{
	struct pipe *from = in->private, *to = out->private;

	if (from == to)
		return -EINVAL;
	for (;;) {
		bool wait_for_input;
		ssize_t n;

		lock_both(from, to);
		n = transfer_locked(from, to, size, take, &wait_for_input);
		unlock_both(from, to);
		if (n > 0) {
			wake_up(&to->waiters, EPOLLIN | EPOLLRDNORM);
			if (take)
				wake_up(&from->waiters, EPOLLOUT | EPOLLWRNORM);
		}
		if (n == -EPIPE)
			pipe_send_sigpipe(out);
		if (n != -EAGAIN)
			return n;
		n = wait_for_input ? wait_pipe(in, EPOLLIN, nonblocking)
				   : wait_pipe(out, EPOLLOUT, nonblocking);
		if (n)
			return n;
	}
}

ssize_t splice_pipes(struct file *in, struct file *out, size_t size, bool nonblocking)
{
	return transfer(in, out, size, true, nonblocking);
}

ssize_t splice_tee(struct file *in, struct file *out, size_t size, bool nonblocking)
{
	return transfer(in, out, size, false, nonblocking);
}
