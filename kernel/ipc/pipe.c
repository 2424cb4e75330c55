/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pipes: a ring of page fragments between the files that write and those that read.
 *
 * (P1) pipe->lock guards the ring and the counts. It is held across the copy from and to user
 * memory, so it ranks below the locks of the fault path. Readiness is read without it. (P2) A write
 * of at most PIPE_BUF bytes is never torn: it is done under one hold of the lock, and only begun
 * when it fits: what does not go into the last page goes into one free slot. So "writable" means a
 * free slot. (P3) A fragment grows (merging) only while its page belongs to the pipe alone, and
 * never in packet mode. (P4) All files of a pipe share one wait queue; wake-ups carry the events
 * that became true.
 *
 * Life: the pipe lives as long as its files. A FIFO's pipe is found through inode->pipe, guarded by
 * inode->lock, and goes with the last file. A file counts as reader or writer until it is
 * destroyed, not closed: a read that waits in another thread keeps its end open, as on Linux.
 */
#include <ipc/pipe.h>
#include <ipc/pipe_priv.h>
#include <lib/errno.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <proc/signal.h>
#include <proc/task.h>

#include <asm/ioctls.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/limits.h>

#define DEFAULT_SLOTS 16u

unsigned pipe_size_max = 1u << 20;
static struct slab_cache *pipe_cache;

static int pipe_alloc(struct pipe **out)
{
	struct pipe *pipe = slab_alloc(pipe_cache, ALLOC_ZERO);

	if (!pipe)
		return -ENOMEM;
	pipe->slots = kmalloc(DEFAULT_SLOTS * sizeof(struct pipe_slot), 0);
	if (!pipe->slots) {
		slab_free(pipe_cache, pipe);
		return -ENOMEM;
	}
	pipe->size = DEFAULT_SLOTS;
	mutex_init(&pipe->lock, RANK_PIPE);
	wait_queue_init(&pipe->waiters);
	*out = pipe;
	return 0;
}

static void pipe_free(struct pipe *pipe)
{
	while (pipe->tail != pipe->head)
		page_put(pipe_slot(pipe, pipe->tail++)->page);
	while (pipe->spare_count)
		page_put(pipe->spare[--pipe->spare_count]);
	kfree(pipe->slots);
	slab_free(pipe_cache, pipe);
}

struct page *pipe_page_get(struct pipe *pipe)
{
	if (pipe->spare_count)
		return pipe->spare[--pipe->spare_count];
	return page_alloc(0, ALLOC_USER);
}

/* The page of a fragment that is used up: kept for the next write when nobody else has it. */
void pipe_page_put(struct pipe *pipe, struct page *page)
{
	if (pipe->spare_count < ARRAY_SIZE(pipe->spare) && page_refs(page) == 1 &&
	    page->kind == PAGE_KERNEL)
		pipe->spare[pipe->spare_count++] = page;
	else
		page_put(page);
}

static size_t read_locked(struct pipe *pipe, struct iter *it) __must_hold(&pipe->lock)
{
	size_t total = 0;

	while (it->remaining && pipe->tail != pipe->head) {
		struct pipe_slot *slot = pipe_slot(pipe, pipe->tail);
		size_t wanted = MIN((size_t)slot->length, it->remaining);
		size_t n =
			iter_copy_to(it, (char *)page_address(slot->page) + slot->offset, wanted);
		bool packet = slot->packet;

		total += n;
		slot->offset += n;
		slot->length -= n;
		if (n < wanted)
			break;
		if (slot->length == 0 || packet) {
			struct page *page = slot->page;

			WRITE_ONCE(pipe->tail, pipe->tail + 1);
			pipe_page_put(pipe, page);
		}
		if (packet)
			break;
	}
	return total;
}

static ssize_t pipe_read(struct file *file, struct iter *it, u64 *offset)
{
	struct pipe *pipe = file->private;
	bool was_full, nothing_there;
	ssize_t n;

	if (it->remaining == 0)
		return 0;
	mutex_lock(&pipe->lock);
	was_full = pipe_is_full(pipe);
	nothing_there = pipe->tail == pipe->head || unlikely(pipe->draining);
	n = nothing_there ? 0 : (ssize_t)read_locked(pipe, it);
	if (nothing_there)
		n = pipe->writers || pipe->draining ? -EAGAIN : 0;
	else if (n == 0)
		n = -EFAULT;
	was_full = was_full && !pipe_is_full(pipe);
	mutex_unlock(&pipe->lock);
	if (was_full)
		wake_up(&pipe->waiters, EPOLLOUT | EPOLLWRNORM);
	return n;
}

/* Appends to the last fragment what fits there without tearing a small write. */
static size_t merge_locked(struct pipe *pipe, struct iter *it) __must_hold(&pipe->lock)
{
	struct pipe_slot *slot;
	size_t room, n, copied;

	if (pipe->tail == pipe->head)
		return 0;
	slot = pipe_slot(pipe, pipe->head - 1);
	room = PAGE_SIZE - (slot->offset + slot->length);
	if (!slot->merge || room == 0)
		return 0;
	n = MIN(room, it->remaining);
	if (n < it->remaining && it->remaining <= PIPE_BUF && pipe_is_full(pipe))
		return 0;
	copied = iter_copy_from(it, (char *)page_address(slot->page) + slot->offset + slot->length,
				n);
	slot->length += copied;
	return copied;
}

/* One new fragment. Bytes, or -EFAULT, -ENOMEM. */
static ssize_t append_locked(struct pipe *pipe, struct iter *it, bool packet)
	__must_hold(&pipe->lock)
{
	struct page *page = pipe_page_get(pipe);
	size_t n;

	if (!page)
		return -ENOMEM;
	n = iter_copy_from(it, page_address(page), MIN(it->remaining, (size_t)PAGE_SIZE));
	if (n == 0) {
		pipe_page_put(pipe, page);
		return -EFAULT;
	}
	*pipe_slot(pipe, pipe->head) = (struct pipe_slot){
		.page = page, .length = (u16)n, .packet = packet, .merge = !packet
	};
	WRITE_ONCE(pipe->head, pipe->head + 1);
	return (ssize_t)n;
}

static ssize_t write_locked(struct pipe *pipe, struct iter *it, bool packet)
	__must_hold(&pipe->lock)
{
	ssize_t n = 0, total = packet ? 0 : (ssize_t)merge_locked(pipe, it);

	while (it->remaining && !pipe_is_full(pipe)) {
		n = append_locked(pipe, it, packet);
		if (n < 0)
			break;
		total += n;
	}
	if (total)
		return total;
	return n < 0 ? n : -EAGAIN;
}

void pipe_send_sigpipe(const struct file *file)
{
	siginfo_t info;

	if (!current_task() || (file->mode & FILE_MODE_NOSIGPIPE))
		return;
	siginfo_user(&info, SIGPIPE, SI_USER);
	signal_send_task(current_task(), &info);
}

static ssize_t pipe_write(struct file *file, struct iter *it, u64 *offset)
{
	struct pipe *pipe = file->private;
	ssize_t n;

	if (it->remaining == 0)
		return 0;
	mutex_lock(&pipe->lock);
	n = pipe->readers ? write_locked(pipe, it, file->flags & O_DIRECT) : -EPIPE;
	mutex_unlock(&pipe->lock);
	if (n > 0)
		wake_up(&pipe->waiters, EPOLLIN | EPOLLRDNORM);
	else if (n == -EPIPE)
		pipe_send_sigpipe(file);
	return n;
}

static u32 pipe_ready(struct file *file)
{
	struct pipe *pipe = file->private;
	u32 head = READ_ONCE(pipe->head), tail = READ_ONCE(pipe->tail), events = 0;

	if (file->mode & FILE_MODE_READ) {
		if (head != tail && !READ_ONCE(pipe->draining))
			events |= EPOLLIN | EPOLLRDNORM;
		if (!READ_ONCE(pipe->writers) && !READ_ONCE(pipe->draining) &&
		    pipe_had_writer(file, pipe))
			events |= EPOLLHUP;
	}
	if (file->mode & FILE_MODE_WRITE) {
		if (head - tail < READ_ONCE(pipe->size))
			events |= EPOLLOUT | EPOLLWRNORM;
		if (!READ_ONCE(pipe->readers))
			events |= EPOLLERR;
	}
	return events;
}

static long pipe_ioctl(struct file *file, unsigned request, unsigned long argument)
{
	struct pipe *pipe = file->private;
	int total = 0;

	if (request != FIONREAD)
		return -ENOTTY;
	mutex_lock(&pipe->lock);
	for (u32 i = pipe->tail; i != pipe->head; i++)
		total += pipe_slot(pipe, i)->length;
	mutex_unlock(&pipe->lock);
	return put_user(total, __force_user(int __user *, argument));
}

/* The file no longer reads or writes; the others see end of file or a broken pipe. */
static void leave(struct pipe *pipe, const struct file *file)
{
	mutex_lock(&pipe->lock);
	if (file->mode & FILE_MODE_READ)
		pipe->readers--;
	if (file->mode & FILE_MODE_WRITE)
		pipe->writers--;
	mutex_unlock(&pipe->lock);
	wake_up(&pipe->waiters,
		EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM | EPOLLERR | EPOLLHUP);
}

/* Drops a file's share in the pipe itself. */
static void pipe_put(struct inode *inode, struct pipe *pipe)
{
	bool last;

	write_lock(&inode->lock);
	last = --pipe->files == 0;
	if (last)
		inode->pipe = nullptr;
	write_unlock(&inode->lock);
	if (last)
		pipe_free(pipe);
}

static void pipe_destroy(struct file *file)
{
	struct pipe *pipe = file->private;

	leave(pipe, file);
	file->object.waiters = &file->object.own_waiters;
	pipe_put(file->inode, pipe);
}

static const struct file_ops pipe_file_ops = {
	FILE_OPS_DEFAULTS,   .read = pipe_read,	  .write = pipe_write,
	.ready = pipe_ready, .ioctl = pipe_ioctl, .destroy = pipe_destroy,
};

bool file_is_pipe(const struct file *file)
{
	return file->ops == &pipe_file_ops;
}

/* Makes `file` one of the pipe's files; its share in pipe->files is the caller's already. */
static void attach(struct file *file, struct pipe *pipe)
{
	file->ops = &pipe_file_ops;
	file->mode |= FILE_MODE_STREAM | FILE_MODE_WRITE_ALL;
	file->private = pipe;
	file->object.waiters = &pipe->waiters;
}

static int create_end(struct inode *inode, struct pipe *pipe, u32 flags, struct file **out)
{
	int error = file_create(&pipe_file_ops, flags, 0, inode, pipe, out);

	if (error)
		return error;
	pipe->files++;
	if (flags & O_WRONLY)
		pipe->writers++;
	else
		pipe->readers++;
	attach(*out, pipe);
	return 0;
}

int pipe_create(u32 flags, struct file *out[2])
{
	struct inode *inode;
	struct pipe *pipe;
	int error = inode_create_anonymous("pipe", S_IFIFO | 0600, &inode);

	if (error)
		return error;
	error = pipe_alloc(&pipe);
	if (error)
		goto out_put_inode;
	pipe->writer_generation = 1;
	pipe->unnamed = true;
	inode->pipe = pipe;
	error = create_end(inode, pipe, O_RDONLY | (flags & O_NONBLOCK), &out[0]);
	if (error) {
		pipe_free(pipe);
		goto out_put_inode;
	}
	error = create_end(inode, pipe, O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)), &out[1]);
	if (error)
		file_put(out[0]); /* and with it the pipe */
out_put_inode:
	inode_put(inode); /* the files have their own references */
	return error;
}

/* Waits in open(2) until the other end was opened after generation `seen`. */
static int wait_for_other_end(struct pipe *pipe, const u32 *generation, u32 seen)
{
	return wait_event_interruptible(&pipe->waiters, READ_ONCE(*generation) != seen);
}

/* Counts the file in. Returns 0, -ENXIO, or 1 if it must wait for the generation in *seen to
 * change. */
static int join_locked(struct pipe *pipe, struct file *file, u32 *seen) __must_hold(&pipe->lock)
{
	bool reads = file->mode & FILE_MODE_READ, writes = file->mode & FILE_MODE_WRITE;
	bool nonblocking = file->flags & O_NONBLOCK;

	if (writes && !reads && nonblocking && !pipe->readers && !pipe->unnamed)
		return -ENXIO;
	if (reads) {
		pipe->readers++;
		pipe->reader_generation++;
	}
	if (writes) {
		pipe->writers++;
		pipe->writer_generation++;
	}
	if (pipe->unnamed)
		return 0;
	if (reads && !writes && !pipe->writers) {
		*seen = pipe->writer_generation;
		file->offset = *seen; /* no hang-up before the first writer, see pipe_had_writer */
		return nonblocking ? 0 : 1;
	}
	*seen = pipe->reader_generation;
	return writes && !reads && !pipe->readers;
}

/* The FIFO's pipe, made if this is the first file, with a share in it. */
static int fifo_pipe(struct inode *inode, struct pipe **out)
{
	int error = 0;

	write_lock(&inode->lock);
	if (!inode->pipe)
		error = pipe_alloc((struct pipe **)&inode->pipe);
	if (!error) {
		*out = inode->pipe;
		(*out)->files++;
	}
	write_unlock(&inode->lock);
	return error;
}

int fifo_open(struct inode *inode, struct file *file)
{
	const u32 *generation;
	struct pipe *pipe;
	u32 seen;
	int error = fifo_pipe(inode, &pipe);

	if (error)
		return error;
	mutex_lock(&pipe->lock);
	error = join_locked(pipe, file, &seen);
	mutex_unlock(&pipe->lock);
	if (error < 0) {
		pipe_put(inode, pipe);
		return error;
	}
	attach(file, pipe); /* from now on destroying the file leaves the pipe */
	wake_up(&pipe->waiters, 0);
	if (error == 0)
		return 0;
	generation =
		file->mode & FILE_MODE_READ ? &pipe->writer_generation : &pipe->reader_generation;
	return wait_for_other_end(pipe, generation, seen);
}

long pipe_size(struct file *file)
{
	struct pipe *pipe = file->private;

	if (!file_is_pipe(file))
		return -EBADF;
	return (long)READ_ONCE(pipe->size) * PAGE_SIZE;
}

/* Moves the fragments into a ring of `size` slots. Returns the ring to free, or null if they do not
 * fit. */
static struct pipe_slot *resize_locked(struct pipe *pipe, struct pipe_slot *slots, u32 size)
	__must_hold(&pipe->lock)
{
	struct pipe_slot *old = pipe->slots;
	u32 used = pipe->head - pipe->tail;

	if (used > size)
		return nullptr;
	for (u32 i = 0; i < used; i++)
		slots[i] = *pipe_slot(pipe, pipe->tail + i);
	pipe->slots = slots;
	pipe->size = size;
	pipe->tail = 0;
	pipe->head = used;
	return old;
}

long pipe_set_size(struct file *file, unsigned bytes)
{
	struct pipe *pipe = file->private;
	struct pipe_slot *slots, *old;
	u32 size = 1;

	if (!file_is_pipe(file))
		return -EBADF;
	if (bytes > 1u << 31)
		return -EINVAL;
	while ((u64)size * PAGE_SIZE < bytes)
		size *= 2;
	if ((u64)size * PAGE_SIZE > pipe_size_max && size > READ_ONCE(pipe->size) &&
	    !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	slots = kvmalloc(size * sizeof(*slots), 0);
	if (!slots)
		return -ENOMEM;
	mutex_lock(&pipe->lock);
	old = resize_locked(pipe, slots, size);
	mutex_unlock(&pipe->lock);
	kvfree(old ? old : slots);
	if (!old)
		return -EBUSY;
	wake_up(&pipe->waiters, EPOLLOUT | EPOLLWRNORM);
	return (long)size * PAGE_SIZE;
}

void pipe_cache_init(void)
{
	pipe_cache = slab_cache_create("pipe", sizeof(struct pipe), 0);
}
