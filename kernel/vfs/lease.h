/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Leases on files (fcntl(2), F_SETLEASE): their holder is told before somebody else opens or truncates the file. */
#pragma once

#include <vfs/vfs.h>

/* F_SETLEASE: type F_RDLCK, F_WRLCK, F_UNLCK. -EINVAL (no regular file), -EACCES, -EAGAIN (open elsewhere), -ENOMEM. May sleep. */
[[nodiscard]] int lease_set(struct file *file, int fd, int type);

/* F_GETLEASE: the type, or while it is being broken what it must become. */
int lease_type(const struct file *file);

/* The file ends: its lease does, too. */
void lease_file_gone(struct file *file);

/* Leases in force, of all files. */
extern u32 lease_count;
/* /proc/sys/fs/lease-break-time, seconds. */
extern s64 lease_break_seconds;

[[nodiscard]] int lease_break_slow(struct inode *inode, bool write, bool nonblock);

/*
 * Somebody is about to open (`write`: for writing) or truncate the file: tells who holds a lease against it and waits until it
 * is given up, at most lease_break_seconds. -EWOULDBLOCK with `nonblock`, -ERESTARTSYS. May sleep.
 */
[[nodiscard]] static inline int lease_break(struct inode *inode, bool write, bool nonblock)
{
	return unlikely(READ_ONCE(lease_count)) ? lease_break_slow(inode, write, nonblock) : 0;
}
