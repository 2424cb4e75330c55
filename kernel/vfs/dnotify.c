/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directory notification by signals; see vfs/dnotify.h. Each open directory that asked has a group of its own with one mark. An event
 * comes under a spinlock, so that a work item sends the signal.
 */
#include <lib/errno.h>
#include <mm/slab.h>
#include <proc/pid_namespace.h>
#include <proc/task.h>
#include <vfs/dnotify.h>
#include <vfs/file_owner.h>
#include <vfs/notify.h>

#include <asm/fcntl.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

struct dnotify {
	struct notify_group group;
	struct notify_mark mark;
	struct file_owner *owner; /* holds a reference */
	int fd;
	u32 bits; /* DN_*; guarded by notify_lock */
	struct work work;
	u32 refs; /* the file's, and one while the work is queued */
};

static const struct {
	u32 bit, events;
} meanings[] = {
	{ DN_ACCESS, IN_ACCESS },
	{ DN_MODIFY, IN_MODIFY },
	{ DN_CREATE, IN_CREATE | IN_MOVED_TO },
	{ DN_DELETE, IN_DELETE | IN_MOVED_FROM },
	{ DN_RENAME, IN_MOVED_FROM },
	{ DN_ATTRIB, IN_ATTRIB },
};

static u32 events_of(u32 bits)
{
	u32 events = 0;

	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		events |= bits & meanings[i].bit ? meanings[i].events : 0;
	return events;
}

static void put(struct dnotify *d)
{
	if (__atomic_fetch_sub(&d->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	file_owner_put(d->owner);
	kfree(d);
}

static void tell(struct work *work)
{
	struct dnotify *d = container_of(work, struct dnotify, work);

	file_owner_signal(d->owner, SIGIO, d->fd, POLL_MSG, POLLIN | POLLRDNORM | POLLMSG);
	put(d);
}

static void on_event(struct notify_mark *mark, const struct notify_event *event)
{
	struct dnotify *d = container_of(mark, struct dnotify, mark);

	/* Of the directory's entries, not of itself. */
	if (!event->name || !d->bits)
		return;
	if (!(d->bits & DN_MULTISHOT)) {
		d->bits = 0;
		mark->mask = 0;
	}
	__atomic_fetch_add(&d->refs, 1, __ATOMIC_RELAXED);
	if (!work_queue(&d->work))
		__atomic_fetch_sub(&d->refs, 1, __ATOMIC_RELAXED);
}

static void detached(struct notify_mark *mark)
{
	struct dnotify *d = container_of(mark, struct dnotify, mark);

	d->bits = 0;
}

/* The mark is part of the record, which the file keeps. */
static void mark_free(struct notify_mark *mark)
{
	mark->inode = nullptr;
}

static const struct notify_group_ops ops = { .event = on_event,
					     .detached = detached,
					     .free = mark_free };

static int create(struct file *file, int fd)
{
	struct file_owner *owner;
	int err = file_owner_get(file, &owner);

	if (!err && !owner->pid)
		err = file_owner_set(owner, F_OWNER_PID, pid_to_user(current_process()->pid));
	if (err)
		return err;
	struct dnotify *d = kzalloc(sizeof(*d), 0);

	if (!d)
		return -ENOMEM;
	d->refs = 1;
	d->fd = fd;
	d->owner = owner;
	d->group.ops = &ops;
	list_init(&d->group.marks);
	d->mark.group = &d->group;
	d->mark.inode = file->inode;
	work_init(&d->work, tell);
	spin_lock(&notify_lock);
	bool mine = !owner->dnotify;

	if (mine) {
		file_owner_hold(owner);
		owner->dnotify = d;
		notify_mark_add_locked(&d->mark);
	}
	spin_unlock(&notify_lock);
	if (!mine)
		kfree(d);
	return 0;
}

int dnotify_set(struct file *file, int fd, u32 bits)
{
	const u32 known = DN_MULTISHOT | DN_ACCESS | DN_MODIFY | DN_CREATE | DN_DELETE | DN_RENAME |
			  DN_ATTRIB;

	if (!S_ISDIR(file->inode->mode))
		return -ENOTDIR;
	if (!(bits & ~DN_MULTISHOT)) {
		dnotify_file_gone(file);
		return 0;
	}
	if (bits & ~known)
		return -EINVAL;
	if (!file->owner || !file->owner->dnotify) {
		int err = create(file, fd);

		if (err)
			return err;
	}
	spin_guard(&notify_lock);
	struct dnotify *d = file->owner->dnotify;

	if (d) {
		d->bits |= bits;
		d->mark.mask = events_of(d->bits);
	}
	return 0;
}

void dnotify_file_gone(struct file *file)
{
	struct dnotify *d = nullptr;

	if (!file->owner)
		return;
	spin_lock(&notify_lock);
	d = file->owner->dnotify;
	file->owner->dnotify = nullptr;
	spin_unlock(&notify_lock);
	if (!d)
		return;
	notify_group_remove_marks(&d->group);
	put(d);
}
