/* SPDX-License-Identifier: GPL-2.0-or-later */
/* poll(2) and ppoll(2). */
#include <lib/errno.h>
#include <linux/descriptor.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <vfs/poll.h>

#include <asm/poll.h>
#include <linux/eventpoll.h>
#include <linux/resource.h>
#include <syscall_prototypes.h>

#define INLINE_FDS 64u
#define INLINE_ITEMS 16u

/* Looks at every descriptor once and keeps nothing; how many have something to tell. */
static int look(struct pollfd *fds, unsigned count)
{
	struct pool *pool = current_pool();
	int ready = 0;

	for (unsigned i = 0; i < count; i++) {
		u32 events = 0;

		if (fds[i].fd >= 0) {
			if (descriptor_ready(pool, fds[i].fd, &events))
				events = POLLNVAL;
			else
				events &= (u16)fds[i].events | EPOLLERR | EPOLLHUP;
		}
		fds[i].revents = (short)events;
		ready += events != 0;
	}
	return ready;
}

static void items_close(struct poll_item *items, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (items[i].object && items[i].owned)
			object_put(items[i].object);
}

/* Waits until one of the descriptors is ready; none was a moment ago. A negative one is skipped, a bad one is ready. */
static long wait_for_items(struct poll_item *items, struct pollfd *fds, unsigned count,
			   u64 deadline_ns)
{
	long result;

	for (unsigned i = 0; i < count; i++) {
		struct poll_item *item = &items[i];

		item->object = nullptr;
		item->owned = false;
		item->events = (u16)fds[i].events;
		item->ready = 0;
		if (fds[i].fd >= 0 && handle_borrow(current_pool(), fds[i].fd, nullptr, RIGHT_WAIT,
						    &item->object, &item->owned))
			item->ready = POLLNVAL;
	}
	result = poll_wait(items, count, deadline_ns);
	items_close(items, count);
	for (unsigned i = 0; i < count; i++)
		fds[i].revents = (short)items[i].ready;
	return result;
}

static long wait_for(struct pollfd *fds, unsigned count, u64 deadline_ns)
{
	__uninitialized struct poll_item inline_items[INLINE_ITEMS];
	struct poll_item *items = inline_items;
	long result;

	if (count > INLINE_ITEMS) {
		items = kvmalloc(count * sizeof(*items), 0);
		if (!items)
			return -ENOMEM;
	}
	result = wait_for_items(items, fds, count, deadline_ns);
	if (items != inline_items)
		kvfree(items);
	return result;
}

/* Number of ready descriptors, 0, or -errno with -ERESTARTSYS for a signal; `fds` is in kernel memory. */
static long poll_copied(struct pollfd __user *user, struct pollfd *fds, unsigned count,
			u64 deadline_ns)
{
	long result;

	if (copy_from_user(fds, user, count * sizeof(*fds)))
		return -EFAULT;
	result = look(fds, count);
	if (!result && deadline_ns)
		result = wait_for(fds, count, deadline_ns);
	if (result < 0)
		return result;
	for (unsigned i = 0; i < count; i++)
		if (put_user(fds[i].revents, &user[i].revents))
			return -EFAULT;
	return result;
}

static long do_poll(struct pollfd __user *user, unsigned count, u64 deadline_ns)
{
	__uninitialized struct pollfd inline_fds[INLINE_FDS];
	struct pollfd *fds = inline_fds;
	long result;

	if (count > current_limit(RLIMIT_NOFILE))
		return -EINVAL;
	if (count > INLINE_FDS) {
		fds = kvmalloc(count * sizeof(*fds), 0);
		if (!fds)
			return -ENOMEM;
	}
	result = poll_copied(user, fds, count, deadline_ns);
	if (fds != inline_fds)
		kvfree(fds);
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
