/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leases on files; see vfs/lease.h.
 *
 * (L1) A file has at most one lease; all stand in one list, because there are few. A lease borrows its file, whose end takes
 *      it off.
 * (L2) A lease that is being broken has a deadline and the type that it must come down to; when the deadline has passed
 *      whoever waits brings it down.
 */
#include <core/time.h>
#include <lib/errno.h>
#include <mm/slab.h>
#include <proc/pid_namespace.h>
#include <proc/task.h>
#include <vfs/dcache.h>
#include <vfs/file_owner.h>
#include <vfs/lease.h>

#include <asm/fcntl.h>
#include <linux/capability.h>
#include <linux/poll.h>

struct lease {
	struct list_head node;
	struct file *file;
	int fd;
	int type;
	bool breaking;
	int wanted;	 /* while breaking */
	u64 deadline_ns; /* the same */
};

u32 lease_count;
s64 lease_break_seconds = 45;

static struct spinlock lock = SPINLOCK_INIT(RANK_INODE_STATE);
static struct list_head leases __guarded_by(&lock) = LIST_INIT(leases);
static struct wait_queue changed = WAIT_QUEUE_INIT(changed);

static struct lease *find_locked(const struct file *file) __must_hold(&lock)
{
	struct lease *lease;

	list_for_each (lease, &leases, node) {
		if (lease->file == file)
			return lease;
	}
	return nullptr;
}

int lease_type(const struct file *file)
{
	spin_guard(&lock);
	const struct lease *lease = find_locked(file);

	return !lease ? F_UNLCK : lease->breaking ? lease->wanted : lease->type;
}

/* fcntl(2), F_SETLEASE: who may have which. */
static int check(const struct file *file, int type)
{
	const struct inode *inode = file->inode;

	if (type != F_RDLCK && type != F_WRLCK && type != F_UNLCK)
		return -EINVAL;
	if (current_credentials()->fsuid != inode->uid && !capable(CAP_LEASE))
		return -EACCES;
	if (!S_ISREG(inode->mode) || !file->dentry)
		return -EINVAL;
	if (type == F_RDLCK && (s32)READ_ONCE(inode->write_count) > 0)
		return -EAGAIN;
	if (type == F_WRLCK && READ_ONCE(file->dentry->refs) > 1)
		return -EAGAIN;
	return 0;
}

static void remove_locked(struct lease *lease) __must_hold(&lock)
{
	list_remove(&lease->node);
	__atomic_fetch_sub(&lease_count, 1, __ATOMIC_RELAXED);
}

static int clear(struct file *file)
{
	spin_lock(&lock);
	struct lease *lease = find_locked(file);

	if (lease)
		remove_locked(lease);
	spin_unlock(&lock);
	kfree(lease);
	wake_up(&changed, 0);
	return lease ? 0 : -EAGAIN;
}

/* Changes the file's lease or puts in *new, which is null afterwards. */
static int change(struct file *file, int fd, int type, struct lease **new)
{
	spin_guard(&lock);
	struct lease *lease = find_locked(file);

	if (lease && lease->breaking && lease->wanted != type)
		return -EAGAIN;
	if (lease) {
		lease->type = type;
		lease->breaking = false;
	} else {
		lease = *new;
		*new = nullptr;
		*lease = (struct lease){ .file = file, .fd = fd, .type = type };
		list_add_tail(&leases, &lease->node);
		__atomic_fetch_add(&lease_count, 1, __ATOMIC_RELAXED);
	}
	return 0;
}

int lease_set(struct file *file, int fd, int type)
{
	struct file_owner *owner;
	int err = check(file, type);

	if (err || type == F_UNLCK)
		return err ? err : clear(file);
	err = file_owner_get(file, &owner);
	if (!err && !owner->pid)
		err = file_owner_set(owner, F_OWNER_PID, pid_to_user(current_process()->pid));
	if (err)
		return err;
	struct lease *new = kzalloc(sizeof(*new), 0);

	if (!new)
		return -ENOMEM;
	err = change(file, fd, type, &new);
	kfree(new);
	wake_up(&changed, 0);
	return err;
}

void lease_file_gone(struct file *file)
{
	if (READ_ONCE(lease_count))
		(void)clear(file);
}

static struct lease *find_conflict_locked(const struct inode *inode, bool write) __must_hold(&lock)
{
	struct lease *lease;

	list_for_each (lease, &leases, node) {
		if (lease->file->inode == inode && (write || lease->type == F_WRLCK))
			return lease;
	}
	return nullptr;
}

/* What a look at the leases found. */
struct obstacle {
	u64 deadline_ns;       /* until then it may stand in the way */
	struct file *told;     /* its owner is to be told; a reference; may be null */
	int fd;		       /* of told */
	struct lease *garbage; /* whose time was over; to be freed */
};

/* Brings a lease down whose time is over. */
static void force_locked(struct lease *lease, struct obstacle *o) __must_hold(&lock)
{
	lease->breaking = false;
	lease->type = lease->wanted;
	if (lease->type == F_UNLCK) {
		remove_locked(lease);
		o->garbage = lease;
	}
}

/* True if a lease stands in the way; the first one that comes begins to break it. */
static bool look(const struct inode *inode, bool write, struct obstacle *o)
{
	spin_guard(&lock);
	struct lease *lease = find_conflict_locked(inode, write);

	*o = (struct obstacle){ 0 };
	if (!lease)
		return false;
	if (lease->breaking && clock_monotonic_ns() >= lease->deadline_ns) {
		force_locked(lease, o);
		return true;
	}
	if (!lease->breaking) {
		lease->breaking = true;
		lease->wanted = write ? F_UNLCK : F_RDLCK;
		lease->deadline_ns = clock_monotonic_ns() + (u64)lease_break_seconds * NSEC_PER_SEC;
		if (object_get_unless_zero(&lease->file->object))
			o->told = lease->file;
		o->fd = lease->fd;
	}
	o->deadline_ns = lease->deadline_ns;
	return true;
}

static bool in_the_way(const struct inode *inode, bool write)
{
	spin_guard(&lock);
	return find_conflict_locked(inode, write);
}

int lease_break_slow(struct inode *inode, bool write, bool nonblock)
{
	struct obstacle o;

	while (look(inode, write, &o)) {
		kfree(o.garbage);
		if (o.told) {
			file_owner_signal(o.told->owner, SIGIO, o.fd, POLL_MSG,
					  POLLIN | POLLRDNORM | POLLMSG);
			file_put(o.told);
		}
		if (nonblock)
			return -EWOULDBLOCK;
		int err = wait_event_until(&changed, !in_the_way(inode, write), SLEEP_INTERRUPTIBLE,
					   o.deadline_ns);

		if (err && err != -ETIMEDOUT)
			return err;
	}
	return 0;
}
