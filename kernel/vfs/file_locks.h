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

/* Boot. */
void file_locks_init(void);
