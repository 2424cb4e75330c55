/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advisory file locks.
 *
 * Three kinds that do not see each other as far as flock goes: flock(2) locks cover the file and belong to the open file;
 * fcntl(2) record locks cover ranges and belong to the process (POSIX) or the open file (OFD). Each inode has one list.
 *
 * One spinlock guards all lists, and the list of waiters that finds deadlocks: locking files is rare, and the chains to follow
 * cross inodes. Memory is allocated before it is taken.
 *
 * (L1) No two locks of one list conflict. (L2) Locks of one owner and kind do not overlap. (L3) A waiter is in `waiters` with
 *      what it asks for, while it sleeps on its list's queue; every removal or downgrade wakes the queue.
 */
#include <core/wait.h>
#include <lib/errno.h>
#include <mm/slab.h>
#include <proc/pid_namespace.h>
#include <proc/task.h>
#include <vfs/file_locks.h>

#include <asm/fcntl.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

#ifndef F_OFD_GETLK
#error "uapi headers without open file description locks"
#endif

#define OFFSET_MAX ((u64)INT64_MAX)
#define DEADLOCK_DEPTH 32

struct file_lock {
	struct list_head node;
	struct list_head all_node; /* in `all` while it is in a list */
	struct inode *inode;
	enum file_lock_kind kind;
	int type;	   /* F_RDLCK, F_WRLCK, F_UNLCK */
	u64 start, end;	   /* inclusive */
	const void *owner; /* struct file or struct process, compared only */
	int pid;
};

struct file_lock_list {
	struct list_head locks;
	struct wait_queue queue;
};

struct file_lock_waiter {
	struct list_head node;
	struct inode *inode;
	const struct file_lock *wanted;
};

static struct spinlock locks_lock = SPINLOCK_INIT(RANK_INODE_STATE);
static struct list_head waiters = LIST_INIT(waiters);
static struct list_head all = LIST_INIT(all); /* every lock, oldest first */

static bool overlap(const struct file_lock *a, const struct file_lock *b)
{
	return a->start <= b->end && b->start <= a->end;
}

static bool conflicts(const struct file_lock *held, const struct file_lock *wanted)
{
	if ((held->kind == LOCK_KIND_FLOCK) != (wanted->kind == LOCK_KIND_FLOCK))
		return false;
	if (held->kind == wanted->kind && held->owner == wanted->owner)
		return false;
	return overlap(held, wanted) && (held->type == F_WRLCK || wanted->type == F_WRLCK);
}

static const struct file_lock *find_conflict_locked(struct inode *inode,
						    const struct file_lock *wanted)
	__must_hold(&locks_lock)
{
	struct file_lock *lock;

	if (!inode->locks)
		return nullptr;
	list_for_each (lock, &inode->locks->locks, node) {
		if (conflicts(lock, wanted))
			return lock;
	}
	return nullptr;
}

/* Waiting for `blocker` would wait for ourselves in the end: follows who waits for whom. POSIX locks only. */
static bool deadlock_locked(const struct file_lock *wanted, const struct file_lock *blocker)
	__must_hold(&locks_lock)
{
	for (unsigned depth = 0;
	     depth < DEADLOCK_DEPTH && blocker && blocker->kind == LOCK_KIND_POSIX; depth++) {
		const void *owner = blocker->owner;
		struct file_lock_waiter *w;

		if (owner == wanted->owner)
			return true;
		blocker = nullptr;
		list_for_each (w, &waiters, node) {
			if (w->wanted->kind == LOCK_KIND_POSIX && w->wanted->owner == owner)
				blocker = find_conflict_locked(w->inode, w->wanted);
			if (blocker)
				break;
		}
	}
	return false;
}

/* Takes a lock off; it is freed later, without the lock of all locks. */
static void discard_locked(struct file_lock *lock, struct list_head *garbage)
	__must_hold(&locks_lock)
{
	list_remove(&lock->all_node);
	list_remove(&lock->node);
	list_add(garbage, &lock->node);
}

/* Cuts the range of `wanted` out of the owner's locks; freed ones go to `garbage`. *spare is used for a split. */
static void carve_locked(struct inode *inode, const struct file_lock *wanted,
			 struct file_lock **spare, struct list_head *garbage)
	__must_hold(&locks_lock)
{
	struct file_lock *lock, *next;

	list_for_each_safe (lock, next, &inode->locks->locks, node) {
		if (lock->kind != wanted->kind || lock->owner != wanted->owner ||
		    !overlap(lock, wanted))
			continue;
		if (lock->start < wanted->start && lock->end > wanted->end) {
			struct file_lock *upper = *spare;

			*spare = nullptr;
			*upper = *lock;
			upper->start = wanted->end + 1;
			lock->end = wanted->start - 1;
			list_add(&lock->node, &upper->node);
			list_add(&lock->all_node, &upper->all_node);
			return;
		}
		if (lock->start < wanted->start) {
			lock->end = wanted->start - 1;
		} else if (lock->end > wanted->end) {
			lock->start = wanted->end + 1;
		} else {
			discard_locked(lock, garbage);
		}
	}
}

/* Joins `added` with neighbours of the same owner and type. */
static void merge_locked(struct inode *inode, struct file_lock *added, struct list_head *garbage)
	__must_hold(&locks_lock)
{
	struct file_lock *lock, *next;

	list_for_each_safe (lock, next, &inode->locks->locks, node) {
		if (lock == added || lock->kind != added->kind || lock->owner != added->owner ||
		    lock->type != added->type)
			continue;
		if (lock->end + 1 == added->start)
			added->start = lock->start;
		else if (added->end + 1 == lock->start)
			added->end = lock->end;
		else
			continue;
		discard_locked(lock, garbage);
	}
}

static void free_locks(struct list_head *garbage)
{
	while (!list_empty(garbage)) {
		struct file_lock *lock = list_first(garbage, struct file_lock, node);

		list_remove(&lock->node);
		kfree(lock);
	}
}

/* The inode's list, made when it is missing. */
static int lock_list_get(struct inode *inode)
{
	struct file_lock_list *list;

	if (inode->locks)
		return 0;
	list = kzalloc(sizeof(*list), 0);
	if (!list)
		return -ENOMEM;
	list_init(&list->locks);
	wait_queue_init(&list->queue);
	spin_lock(&locks_lock);
	if (!inode->locks) {
		inode->locks = list;
		list = nullptr;
	}
	spin_unlock(&locks_lock);
	kfree(list);
	return 0;
}

static bool still_blocked(struct inode *inode, const struct file_lock *wanted)
{
	spin_guard(&locks_lock);
	return find_conflict_locked(inode, wanted);
}

/* Sleeps until `wanted` conflicts with nothing; somebody may be faster then. */
static int wait_for_others(struct inode *inode, const struct file_lock *wanted)
{
	struct file_lock_waiter waiter = { .inode = inode, .wanted = wanted };
	const struct file_lock *blocker;
	int result;

	spin_lock(&locks_lock);
	blocker = find_conflict_locked(inode, wanted);
	if (blocker && wanted->kind == LOCK_KIND_POSIX && deadlock_locked(wanted, blocker)) {
		spin_unlock(&locks_lock);
		return -EDEADLK;
	}
	list_add(&waiters, &waiter.node);
	spin_unlock(&locks_lock);
	result = wait_event_interruptible(&inode->locks->queue, !still_blocked(inode, wanted));
	spin_lock(&locks_lock);
	list_remove(&waiter.node);
	spin_unlock(&locks_lock);
	return result;
}

/* Sets, changes or (F_UNLCK) removes a lock. */
static int set_lock(struct inode *inode, const struct file_lock *wanted, bool wait)
{
	struct file_lock *added = nullptr, *spare = nullptr;
	struct list_head garbage = LIST_INIT(garbage);
	bool unlock = wanted->type == F_UNLCK;
	int result = lock_list_get(inode);

	if (result)
		return result;
	spare = kmalloc(sizeof(*spare), 0);
	added = unlock ? nullptr : kmalloc(sizeof(*added), 0);
	if (!spare || (!unlock && !added)) {
		result = -ENOMEM;
		goto out;
	}
	for (;;) {
		spin_lock(&locks_lock);
		if (unlock || !find_conflict_locked(inode, wanted))
			break;
		spin_unlock(&locks_lock);
		result = wait ? wait_for_others(inode, wanted) : -EAGAIN;
		if (result)
			goto out;
	}
	carve_locked(inode, wanted, &spare, &garbage);
	if (added) {
		*added = *wanted;
		added->inode = inode;
		list_add_tail(&inode->locks->locks, &added->node);
		list_add_tail(&all, &added->all_node);
		merge_locked(inode, added, &garbage);
		added = nullptr;
	}
	spin_unlock(&locks_lock);
	wake_up(&inode->locks->queue, 0);
out:
	kfree(added);
	kfree(spare);
	free_locks(&garbage);
	return result;
}

int file_lock_flock(struct file *file, int operation)
{
	struct file_lock wanted = { .kind = LOCK_KIND_FLOCK, .end = OFFSET_MAX, .owner = file };
	int result;

	if (operation & LOCK_MAND) /* mandatory locks are gone; Linux answers this */
		return 0;
	switch (operation & ~LOCK_NB) {
	case LOCK_SH:
		wanted.type = F_RDLCK;
		break;
	case LOCK_EX:
		wanted.type = F_WRLCK;
		break;
	case LOCK_UN:
		wanted.type = F_UNLCK;
		break;
	default:
		return -EINVAL;
	}
	wanted.pid = current_process()->pid;
	result = set_lock(file->inode, &wanted, false);
	if (result != -EAGAIN)
		return result;
	if (operation & LOCK_NB)
		return -EWOULDBLOCK;
	/* A conversion gives up what it had before it waits, flock(2) "NOTES". */
	wanted.type = F_UNLCK;
	result = set_lock(file->inode, &wanted, false);
	wanted.type = (operation & ~LOCK_NB) == LOCK_SH ? F_RDLCK : F_WRLCK;
	return result ? result : set_lock(file->inode, &wanted, true);
}

/* From struct flock, fcntl(2): whence and a length that may be negative. */
static int decode(struct file *file, const struct flock *from, struct file_lock *to)
{
	s64 base, start, end;

	switch (from->l_whence) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = (s64)file->offset;
		break;
	case SEEK_END:
		base = (s64)file->inode->size;
		break;
	default:
		return -EINVAL;
	}
	if (add_overflows(base, (s64)from->l_start, &start))
		return -EOVERFLOW;
	end = INT64_MAX;
	if (from->l_len > 0 && add_overflows(start, (s64)from->l_len - 1, &end))
		return -EOVERFLOW;
	if (from->l_len < 0) {
		end = start - 1;
		if (add_overflows(start, (s64)from->l_len, &start))
			return -EINVAL;
	}
	if (start < 0)
		return -EINVAL;
	if (from->l_type != F_RDLCK && from->l_type != F_WRLCK && from->l_type != F_UNLCK)
		return -EINVAL;
	to->type = from->l_type;
	to->start = (u64)start;
	to->end = (u64)end;
	return 0;
}

static void get_lock(struct inode *inode, const struct file_lock *wanted, struct flock *out)
{
	const struct file_lock *found;

	spin_guard(&locks_lock);
	found = find_conflict_locked(inode, wanted);
	if (!found) {
		out->l_type = F_UNLCK;
		return;
	}
	out->l_type = (short)found->type;
	out->l_whence = SEEK_SET;
	out->l_start = (s64)found->start;
	out->l_len = found->end == OFFSET_MAX ? 0 : (s64)(found->end - found->start + 1);
	out->l_pid = found->kind == LOCK_KIND_OFD ? -1 : pid_to_user(found->pid);
}

int file_lock_fcntl(struct file *file, unsigned command, struct flock *lock)
{
	bool ofd = command == F_OFD_GETLK || command == F_OFD_SETLK || command == F_OFD_SETLKW;
	bool get = command == F_GETLK || command == F_OFD_GETLK;
	struct file_lock wanted = { .kind = ofd ? LOCK_KIND_OFD : LOCK_KIND_POSIX };
	int result = decode(file, lock, &wanted);

	if (result)
		return result;
	if (ofd && lock->l_pid)
		return -EINVAL;
	wanted.owner = ofd ? (const void *)file : current_process();
	wanted.pid = current_process()->pid;
	if (get) {
		if (wanted.type == F_UNLCK)
			return -EINVAL;
		get_lock(file->inode, &wanted, lock);
		return 0;
	}
	if ((wanted.type == F_RDLCK && !(file->mode & FILE_MODE_READ)) ||
	    (wanted.type == F_WRLCK && !(file->mode & FILE_MODE_WRITE)))
		return -EBADF;
	return set_lock(file->inode, &wanted, command == F_SETLKW || command == F_OFD_SETLKW);
}

/* Removes all locks of these owners from the inode. Either may be null. */
static void remove_locks(struct inode *inode, const struct file *file,
			 const struct process *process)
{
	struct list_head garbage = LIST_INIT(garbage);
	struct file_lock *lock, *next;

	spin_lock(&locks_lock);
	list_for_each_safe (lock, next, &inode->locks->locks, node) {
		bool posix = lock->kind == LOCK_KIND_POSIX;

		if (posix ? process && lock->owner == process : file && lock->owner == file) {
			discard_locked(lock, &garbage);
		}
	}
	spin_unlock(&locks_lock);
	if (!list_empty(&garbage))
		wake_up(&inode->locks->queue, 0);
	free_locks(&garbage);
}

static void locks_of_file_closed(struct file *file)
{
	remove_locks(file->inode, file, nullptr);
}

static void locks_flushed(struct file *file)
{
	if (current_task())
		remove_locks(file->inode, nullptr, current_process());
}

static void summarise(const struct file_lock *lock, const struct inode *inode, bool waits,
		      struct file_lock_summary *out)
{
	*out = (struct file_lock_summary){
		.kind = lock->kind,
		.type = lock->type,
		.pid = lock->kind == LOCK_KIND_OFD ? -1 : lock->pid,
		.waits = waits,
		.device = inode->superblock ? inode->superblock->device : 0,
		.inode = inode->number,
		.start = lock->start,
		.end = lock->end,
	};
}

void file_lock_for_each(void (*visit)(const struct file_lock_summary *lock, void *arg), void *arg)
{
	struct file_lock_waiter *waiter;
	struct file_lock_summary s;
	struct file_lock *lock;

	spin_guard(&locks_lock);
	list_for_each (lock, &all, all_node) {
		summarise(lock, lock->inode, false, &s);
		visit(&s, arg);
	}
	list_for_each (waiter, &waiters, node) {
		summarise(waiter->wanted, waiter->inode, true, &s);
		visit(&s, arg);
	}
}

void file_locks_init(void)
{
	file_locks_closed_hook = locks_of_file_closed;
	file_locks_flush_hook = locks_flushed;
}
