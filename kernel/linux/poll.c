/* SPDX-License-Identifier: GPL-2.0-or-later */
/* poll(2) and ppoll(2). */
#include <lib/errno.h>
#include <linux/descriptor.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <vfs/poll.h>

#include <asm/poll.h>
#include <linux/resource.h>
#include <syscall_prototypes.h>

#define INLINE_ITEMS 16u
#define CHUNK 16u

/* Looks one descriptor up. A negative one is skipped; a bad one is ready with POLLNVAL. */
static void item_open(struct poll_item *item, const struct pollfd *fd)
{
	item->object = nullptr;
	item->owned = false;
	item->events = (u16)fd->events;
	item->ready = 0;
	if (fd->fd >= 0 &&
	    handle_borrow(current_pool(), fd->fd, nullptr, RIGHT_WAIT, &item->object, &item->owned))
		item->ready = POLLNVAL;
}

static void items_close(struct poll_item *items, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (items[i].object && items[i].owned)
			object_put(items[i].object);
}

static int items_open(struct poll_item *items, const struct pollfd __user *fds, unsigned count)
{
	__uninitialized struct pollfd chunk[CHUNK];

	for (unsigned i = 0; i < count; i += CHUNK) {
		unsigned n = MIN(count - i, CHUNK);

		if (copy_from_user(chunk, &fds[i], n * sizeof(chunk[0]))) {
			items_close(items, i);
			return -EFAULT;
		}
		for (unsigned j = 0; j < n; j++)
			item_open(&items[i + j], &chunk[j]);
	}
	return 0;
}

static int report(const struct poll_item *items, struct pollfd __user *fds, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (put_user((short)items[i].ready, &fds[i].revents))
			return -EFAULT;
	return 0;
}

/* Number of ready descriptors, 0, or -errno with -ERESTARTSYS for a signal. */
static long do_poll(struct pollfd __user *fds, unsigned count, u64 deadline_ns)
{
	__uninitialized struct poll_item inline_items[INLINE_ITEMS];
	struct poll_item *items = inline_items;
	long result;

	if (count > current_limit(RLIMIT_NOFILE))
		return -EINVAL;
	if (count > INLINE_ITEMS) {
		items = kvmalloc(count * sizeof(*items), 0);
		if (!items)
			return -ENOMEM;
	}
	result = items_open(items, fds, count);
	if (!result) {
		result = poll_wait(items, count, deadline_ns);
		items_close(items, count);
		if (result >= 0 && report(items, fds, count))
			result = -EFAULT;
	}
	if (items != inline_items)
		kvfree(items);
	return result;
}

static long poll_until(struct pollfd __user *fds, unsigned count, u64 deadline_ns);

static long poll_restart(struct task *task)
{
	return poll_until(__force_user(struct pollfd __user *, task->restart_data[0]),
			  (unsigned)task->restart_data[1], task->restart_deadline);
}

/* After a signal without a handler the call goes on with the deadline that it had. */
static long poll_until(struct pollfd __user *fds, unsigned count, u64 deadline_ns)
{
	struct task *task = current_task();
	long result = do_poll(fds, count, deadline_ns);

	if (result != -ERESTARTSYS)
		return result;
	task->restart = poll_restart;
	task->restart_data[0] = (u64)(uintptr_t)fds;
	task->restart_data[1] = count;
	task->restart_deadline = deadline_ns;
	return -ERESTART_RESTARTBLOCK;
}

long sys_poll(struct pollfd __user *fds, unsigned count, int timeout)
{
	return poll_until(fds, count,
			  deadline_after(timeout < 0 ? NO_DEADLINE : (u64)timeout * NSEC_PER_MSEC));
}

long sys_ppoll(struct pollfd __user *fds, unsigned count, struct __kernel_timespec __user *timeout,
	       const u64 __user *mask, size_t size)
{
	u64 span, deadline;
	long result = timeout_from_user(timeout, &span);

	if (result)
		return result;
	result = waiting_mask_begin(mask, size);
	if (result)
		return result;
	deadline = deadline_after(span);
	result = do_poll(fds, count, deadline);
	if (result == -ERESTARTSYS)
		result = -ERESTARTNOHAND;
	/* The time that is left is told if it can be; an unwritable time-out is no error. */
	if (timeout && span != 0)
		(void)put_user(timespec_of_ns(time_left(deadline)), timeout);
	return waiting_mask_end(mask, result);
}
