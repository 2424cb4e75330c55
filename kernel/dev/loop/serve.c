/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread behind a bound loop device: takes requests in order and reads and writes the file through its page cache. It
 * is not held up when many pages are dirty, because the pages of its own disk are among those that wait to be clean.
 */
#include <dev/loop/loop_priv.h>

#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <obj/file.h>
#include <sched/thread.h>

#include <linux/falloc.h>

int loop_start(struct block_device *disk, struct block_request *r)
{
	struct loop *loop = block_disk_private(disk);
	irqflags_t flags = spin_lock_irqsave(&loop->queue_lock);
	bool serving = loop->serving;

	if (serving)
		list_add_tail(&loop->requests, &r->node);
	spin_unlock_irqrestore(&loop->queue_lock, flags);
	if (!serving)
		return -EIO;
	wake_up(&loop->work, 0);
	return 0;
}

/* The next request; null: there is none, and *end tells that the thread is to end. */
static struct block_request *take(struct loop *loop, bool *end)
{
	struct block_request *r = nullptr;
	irqflags_t flags = spin_lock_irqsave(&loop->queue_lock);

	if (!list_empty(&loop->requests)) {
		r = list_first(&loop->requests, struct block_request, node);
		list_remove(&r->node);
	} else if (loop->stop) {
		loop->serving = false;
		*end = true;
	}
	spin_unlock_irqrestore(&loop->queue_lock, flags);
	return r;
}

/* One piece of memory; what is behind the end of the file reads as zeros. */
static int transfer(struct file *file, bool write, char *memory, u32 length, u64 position)
{
	while (length) {
		ssize_t n = write ? file_write_kernel(file, memory, length, position)
				  : file_read_kernel(file, memory, length, position);

		if (n < 0)
			return n == -ENOSPC ? -ENOSPC : -EIO;
		if (!n && write)
			return -EIO;
		if (!n) {
			memset(memory, 0, length);
			return 0;
		}
		memory += n;
		position += (u64)n;
		length -= (u32)n;
	}
	return 0;
}

static int carry_out(struct loop *loop, struct block_request *r)
{
	struct file *file = loop->file;
	u64 position = loop->offset + (r->step_sector << SECTOR_SHIFT);
	struct block_cursor cursor;
	paddr_t address;
	u32 length;
	int error = 0;

	switch (r->step) {
	case BLOCK_FLUSH:
		error = file->ops->sync(file, true, 0, UINT64_MAX);
		return error && error != -EINVAL ? -EIO : 0;
	case BLOCK_DISCARD:
	case BLOCK_WRITE_ZEROES:
		error = file->ops->allocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					    position, r->step_sectors << SECTOR_SHIFT);
		return error && error != -EOPNOTSUPP ? -EIO : error;
	case BLOCK_READ:
	case BLOCK_WRITE:
		break;
	}
	block_cursor_init(&cursor, r);
	while (!error && block_cursor_next(&cursor, &address, &length)) {
		error = transfer(file, r->step == BLOCK_WRITE, phys_to_virt(address), length,
				 position);
		position += length;
	}
	return error;
}

static bool has_work(struct loop *loop)
{
	irqflags_t flags = spin_lock_irqsave(&loop->queue_lock);
	bool work = !list_empty(&loop->requests) || loop->stop;

	spin_unlock_irqrestore(&loop->queue_lock, flags);
	return work;
}

static void serve(void *arg)
{
	struct loop *loop = arg;
	bool end = false;

	current_thread()->writes_for_disk = true;
	while (!end) {
		struct block_request *r = take(loop, &end);

		if (r)
			block_request_finish(r, carry_out(loop, r));
		else if (!end)
			(void)wait_event(&loop->work, has_work(loop));
	}
	complete(&loop->stopped);
	thread_exit();
}

static void set_serving(struct loop *loop, bool serving)
{
	irqflags_t flags = spin_lock_irqsave(&loop->queue_lock);

	loop->serving = serving;
	loop->stop = !serving;
	spin_unlock_irqrestore(&loop->queue_lock, flags);
}

int loop_serve(struct loop *loop)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "loop%u", loop->index);
	completion_init(&loop->stopped);
	set_serving(loop, true);
	int error = kthread_start(name, serve, loop);
	if (error)
		set_serving(loop, false);
	return error;
}

void loop_serve_end(struct loop *loop)
{
	irqflags_t flags = spin_lock_irqsave(&loop->queue_lock);

	loop->stop = true;
	spin_unlock_irqrestore(&loop->queue_lock, flags);
	wake_up(&loop->work, 0);
	(void)wait_for_completion(&loop->stopped, SLEEP_UNINTERRUPTIBLE);
}
