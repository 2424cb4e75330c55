/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals that tell of an open file (fcntl(2), F_SETOWN): of its readiness with O_ASYNC, of leases, of changes in a directory.
 * All go to the file's owner, with the credentials that the caller of F_SETOWN had.
 */
#pragma once

#include <core/time.h>
#include <core/wait.h>
#include <core/work.h>
#include <obj/file.h>

struct dnotify;

struct file_owner {
	u32 refs;
	u32 type;   /* F_OWNER_* */
	int pid;    /* by the kernel's numbers; < 0 process group, 0 none */
	int signal; /* F_SETSIG; 0: SIGIO without details */
	u32 uid, euid;
	/* O_ASYNC: entry -> timer -> work, because a wake-up can neither look up processes nor queue work. */
	int fd;	    /* told in si_fd */
	u32 events; /* EPOLL*, not yet told; atomic */
	struct wait_entry entry;
	struct timer timer;
	struct work work;
	struct dnotify *dnotify; /* vfs/dnotify.c; guarded by notify_lock */
};

/* The record of a file, made if there is none yet; lives as long as the file. -ENOMEM. May sleep. */
[[nodiscard]] int file_owner_get(struct file *file, struct file_owner **out);

/* References besides the file's. Any context. */
void file_owner_hold(struct file_owner *owner);
void file_owner_put(struct file_owner *owner);

/* Sets who is told, by a number of the caller's name space, from now on in the name of the current credentials. -ESRCH. */
[[nodiscard]] int file_owner_set(struct file_owner *owner, u32 type, int pid);

/* The owner by the caller's name space: > 0 a process or task, < 0 a group, 0 none. */
int file_owner_number(const struct file *file);

/* Sends the owner its signal: si_code POLL_IN.., si_band, si_fd. `fallback` is sent when F_SETSIG chose none. May sleep. */
void file_owner_signal(const struct file_owner *owner, int fallback, int fd, int code, long band);

/* Switches O_ASYNC of a file that has wait queues: F_SETFL by descriptor `fd`. -ENOMEM. May sleep. */
[[nodiscard]] int file_owner_set_async(struct file *file, int fd, bool on);

/* Boot. */
void file_owner_init(void);
