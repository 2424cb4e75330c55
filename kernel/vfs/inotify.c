/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inotify(7): a group whose events are queued until somebody reads them.
 *
 * The queue has a lock of its own inside notify_lock, so readers do not disturb deliveries to others. An event equal to the
 * last one in the queue is dropped, and one IN_Q_OVERFLOW stands for all that did not fit.
 */
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/iter.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <obj/inode.h>
#include <proc/user.h>
#include <vfs/inotify.h>
#include <vfs/notify.h>

#include <asm/ioctls.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>

#define KEPT_FLAGS (IN_EXCL_UNLINK | IN_ONESHOT)

u64 inotify_instances_max = 128;
u64 inotify_watches_max = 65536;
u64 inotify_events_max = 16384;

struct queued_event {
	struct list_head node;
	struct inotify_event event; /* with a name of event.len bytes, padded with zeros */
};

struct inotify {
	struct notify_group group;
	/* Whose waiters are told; not a reference: the group ends before it does. */
	struct file *file;
	struct user_account *account; /* holds a reference */
	int last_watch;		      /* guarded by notify_lock */
	bool reuses_numbers;	      /* the same: numbers have begun anew, so used ones come up */
	struct spinlock lock;	      /* RANK_TIMER_USER */
	struct list_head events __guarded_by(&lock);
	u64 count __guarded_by(&lock);
	u64 bytes __guarded_by(&lock);
	bool overflowed __guarded_by(&lock); /* an IN_Q_OVERFLOW is queued */
};

struct watch {
	struct notify_mark mark;
	int number;
};

static struct inotify *inotify_of(struct notify_group *group)
{
	return container_of(group, struct inotify, group);
}

static struct watch *watch_of(struct notify_mark *mark)
{
	return container_of(mark, struct watch, mark);
}

static bool is_last_locked(struct inotify *in, const struct queued_event *e) __must_hold(&in->lock)
{
	const struct queued_event *last;

	if (list_empty(&in->events))
		return false;
	last = list_last(&in->events, struct queued_event, node);
	return memcmp(&last->event, &e->event, sizeof(e->event)) == 0 &&
	       memcmp(last->event.name, e->event.name, e->event.len) == 0;
}

static bool append_locked(struct inotify *in, struct queued_event *e) __must_hold(&in->lock)
{
	if (is_last_locked(in, e))
		return false;
	if (in->count > READ_ONCE(inotify_events_max) || in->overflowed)
		return false;
	if (in->count == READ_ONCE(inotify_events_max)) {
		e->event = (struct inotify_event){ .wd = -1, .mask = IN_Q_OVERFLOW };
		in->overflowed = true;
	}
	list_add_tail(&in->events, &e->node);
	in->count++;
	in->bytes += sizeof(e->event) + e->event.len;
	return true;
}

static void queue_event(struct inotify *in, int watch, const struct notify_event *event)
{
	const size_t unit = sizeof(struct inotify_event);
	size_t length = event->name ? (event->name_length + unit) / unit * unit : 0;
	struct queued_event *e = kzalloc(sizeof(*e) + length, ALLOC_ATOMIC);
	bool added;

	if (!e)
		return;
	e->event = (struct inotify_event){ watch, event->mask, event->cookie, (u32)length };
	/* As on Linux, what happens to the watched directory itself does not tell that it is one. */
	if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF))
		e->event.mask &= ~(u32)IN_ISDIR;
	if (length)
		memcpy(e->event.name, event->name, event->name_length);
	spin_lock(&in->lock);
	added = append_locked(in, e);
	spin_unlock(&in->lock);
	if (added)
		object_notify(&in->file->object, EPOLLIN | EPOLLRDNORM);
	else
		kfree(e);
}

static void watch_event(struct notify_mark *mark, const struct notify_event *event)
{
	queue_event(inotify_of(mark->group), watch_of(mark)->number, event);
}

static void watch_detached(struct notify_mark *mark)
{
	struct notify_event ignored = { .mask = IN_IGNORED };

	queue_event(inotify_of(mark->group), watch_of(mark)->number, &ignored);
}

static void watch_free(struct notify_mark *mark)
{
	__atomic_fetch_sub(&inotify_of(mark->group)->account->watches, 1, __ATOMIC_RELAXED);
	kfree(watch_of(mark));
}

static const struct notify_group_ops inotify_group_ops = { .event = watch_event,
							   .detached = watch_detached,
							   .free = watch_free };

/* Takes the first event if it fits into `room`. Null with *small: it does not. */
static struct queued_event *take_event(struct inotify *in, size_t room, bool *small)
{
	struct queued_event *e = nullptr;

	spin_guard(&in->lock);
	*small = false;
	if (list_empty(&in->events))
		return nullptr;
	e = list_first(&in->events, struct queued_event, node);
	*small = sizeof(e->event) + e->event.len > room;
	if (*small)
		return nullptr;
	list_remove(&e->node);
	in->count--;
	in->bytes -= sizeof(e->event) + e->event.len;
	if (e->event.mask & IN_Q_OVERFLOW)
		in->overflowed = false;
	return e;
}

static ssize_t inotify_read(struct file *file, struct iter *it, u64 *offset)
{
	struct queued_event *e;
	ssize_t total = 0;
	bool small;

	while ((e = take_event(file->private, it->remaining, &small))) {
		size_t size = sizeof(e->event) + e->event.len;
		size_t copied = iter_copy_to(it, &e->event, size);

		kfree(e);
		if (copied != size)
			return -EFAULT;
		total += (ssize_t)size;
	}
	if (total)
		return total;
	return small ? -EINVAL : -EAGAIN;
}

static u64 bytes_queued(struct inotify *in)
{
	spin_guard(&in->lock);
	return in->bytes;
}

static u32 inotify_ready(struct file *file)
{
	return bytes_queued(file->private) ? EPOLLIN | EPOLLRDNORM : 0;
}

static long inotify_ioctl(struct file *file, unsigned request, unsigned long argument)
{
	struct inotify *in = file->private;

	switch (request) {
	case FIONREAD:
		return put_user((int)bytes_queued(in), (int __user *)argument);
	case INOTIFY_IOC_SETNEXTWD:
		if (argument < 1 || argument > INT32_MAX)
			return -EINVAL;
		spin_lock(&notify_lock);
		in->last_watch = (int)argument - 1;
		in->reuses_numbers = true;
		spin_unlock(&notify_lock);
		return 0;
	default:
		return -ENOTTY;
	}
}

static void inotify_destroy(struct file *file)
{
	struct inotify *in = file->private;
	struct queued_event *e, *next;

	notify_group_remove_marks(&in->group);
	spin_lock(&in->lock);
	list_for_each_safe (e, next, &in->events, node)
		kfree(e);
	spin_unlock(&in->lock);
	__atomic_fetch_sub(&in->account->inotify_instances, 1, __ATOMIC_RELAXED);
	user_account_put(in->account);
	kfree(in);
}

static int inotify_describe(struct file *file, const struct pid_namespace *ns, char *buf,
			    size_t size)
{
	struct inotify *in = file->private;
	struct notify_mark *mark;
	int n = 0;

	spin_guard(&notify_lock);
	list_for_each (mark, &in->group.marks, group_node)
		n += scnprintf(buf + n, size - (size_t)n,
			       "inotify wd:%x ino:%llx sdev:%llx mask:%x ignored_mask:0\n",
			       watch_of(mark)->number, (unsigned long long)mark->inode->number,
			       (unsigned long long)mark->inode->superblock->device,
			       mark->mask & IN_ALL_EVENTS);
	return n;
}

static const struct file_ops inotify_ops = {
	FILE_OPS_DEFAULTS,	.read = inotify_read,	    .ready = inotify_ready,
	.ioctl = inotify_ioctl, .destroy = inotify_destroy, .describe = inotify_describe,
};

/* Counts one more against a limit of a user. */
static bool account_charge(u32 *count, u64 limit)
{
	if (__atomic_add_fetch(count, 1, __ATOMIC_RELAXED) <= limit)
		return true;
	__atomic_fetch_sub(count, 1, __ATOMIC_RELAXED);
	return false;
}

static int create_file(struct inotify *in, u32 flags, struct file **out)
{
	struct inode *inode;
	int result = inode_create_anonymous("anon_inode:inotify", 0600, &inode);

	if (result)
		return result;
	result = file_create(&inotify_ops, O_RDONLY | (flags & O_NONBLOCK), FILE_MODE_STREAM, inode,
			     in, out);
	inode_put(inode);
	return result;
}

int inotify_create(u32 flags, struct file **out)
{
	struct inotify *in = kzalloc(sizeof(*in), 0);
	int result;

	if (!in)
		return -ENOMEM;
	in->group.ops = &inotify_group_ops;
	list_init(&in->group.marks);
	spin_init(&in->lock, RANK_TIMER_USER);
	spin_lock(&in->lock);
	list_init(&in->events);
	spin_unlock(&in->lock);
	result = user_account_get(current_credentials()->euid, &in->account);
	if (result) {
		kfree(in);
		return result;
	}
	result = -EMFILE;
	if (account_charge(&in->account->inotify_instances, READ_ONCE(inotify_instances_max))) {
		result = create_file(in, flags, out);
		if (!result) {
			in->file = *out;
			return 0;
		}
		__atomic_fetch_sub(&in->account->inotify_instances, 1, __ATOMIC_RELAXED);
	}
	user_account_put(in->account);
	kfree(in);
	return result;
}

/* Changes the watch that the group has on the inode; *found tells whether there is one. */
static int change_locked(struct inotify *in, struct inode *inode, u32 mask, bool *found)
	__must_hold(&notify_lock)
{
	struct notify_mark *mark = notify_mark_find_locked(&in->group, inode);
	u32 wanted = mask & (IN_ALL_EVENTS | IN_UNMOUNT | KEPT_FLAGS);

	*found = mark;
	if (!mark)
		return 0;
	if (mask & IN_MASK_CREATE)
		return -EEXIST;
	mark->mask = mask & IN_MASK_ADD ? mark->mask | wanted : wanted | IN_UNMOUNT;
	return watch_of(mark)->number;
}

static bool number_used_locked(struct inotify *in, int number) __must_hold(&notify_lock)
{
	struct notify_mark *mark;

	list_for_each (mark, &in->group.marks, group_node) {
		if (watch_of(mark)->number == number)
			return true;
	}
	return false;
}

static int next_number_locked(struct inotify *in) __must_hold(&notify_lock)
{
	do {
		if (in->last_watch == INT32_MAX) {
			in->last_watch = 0;
			in->reuses_numbers = true;
		}
		in->last_watch++;
	} while (in->reuses_numbers && number_used_locked(in, in->last_watch));
	return in->last_watch;
}

int inotify_add(struct file *file, const struct path *path, u32 mask)
{
	struct inode *inode = path->dentry->inode;
	struct inotify *in = file->private;
	struct watch *watch;
	bool found;
	int result;

	if (file->ops != &inotify_ops)
		return -EINVAL;
	watch = kzalloc(sizeof(*watch), 0);
	if (!watch)
		return -ENOMEM;
	watch->mark = (struct notify_mark){
		.group = &in->group,
		.inode = inode,
		.mask = (mask & (IN_ALL_EVENTS | KEPT_FLAGS)) | IN_UNMOUNT,
	};
	spin_lock(&notify_lock);
	result = change_locked(in, inode, mask, &found);
	if (!found && !account_charge(&in->account->watches, READ_ONCE(inotify_watches_max))) {
		result = -ENOSPC;
	} else if (!found) {
		result = watch->number = next_number_locked(in);
		notify_mark_add_locked(&watch->mark);
		watch = nullptr;
	}
	spin_unlock(&notify_lock);
	kfree(watch);
	return result;
}

int inotify_remove(struct file *file,
		   int number) __no_lock_analysis /* notify_mark_remove releases the lock */
{
	struct inotify *in = file->private;
	struct notify_mark *mark;

	if (file->ops != &inotify_ops)
		return -EINVAL;
	spin_lock(&notify_lock);
	list_for_each (mark, &in->group.marks, group_node) {
		if (watch_of(mark)->number == number) {
			watch_detached(mark);
			notify_mark_remove(mark);
			return 0;
		}
	}
	spin_unlock(&notify_lock);
	return -EINVAL;
}
