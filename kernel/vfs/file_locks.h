/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Advisory locks on files: flock(2), fcntl(2) F_SETLK and F_OFD_SETLK. */
#pragma once

#include <vfs/vfs.h>

struct flock;

/* flock(2): operation LOCK_SH, LOCK_EX, LOCK_UN, with LOCK_NB. -EWOULDBLOCK, -EINTR (as -ERESTARTSYS), -EINVAL, -ENOMEM. */
[[nodiscard]] int file_lock_flock(struct file *file, int operation);

/*
 * fcntl(2): command F_GETLK, F_SETLK, F_SETLKW or their F_OFD_ forms; `lock` is read and, for GETLK, written. -EAGAIN,
 * -EDEADLK, -EINVAL, -EOVERFLOW, -EBADF (not open for what the lock needs), -ENOMEM, -ERESTARTSYS.
 */
[[nodiscard]] int file_lock_fcntl(struct file *file, unsigned command, struct flock *lock);

/* What /proc/locks shows of a lock, or of one that is waited for. */
enum file_lock_kind { LOCK_KIND_FLOCK, LOCK_KIND_POSIX, LOCK_KIND_OFD };
struct file_lock_summary {
	enum file_lock_kind kind;
	int type; /* F_RDLCK, F_WRLCK */
	int pid;  /* -1: of no process */
	bool waits;
	u64 device, inode, start, end; /* end: inclusive; INT64_MAX: of the file */
};
/* Calls visit for every lock, then for everything that waits for one, under a spinlock. */
void file_lock_for_each(void (*visit)(const struct file_lock_summary *lock, void *arg), void *arg);

/* Boot. */
void file_locks_init(void);
