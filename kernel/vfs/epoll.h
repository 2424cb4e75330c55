/* SPDX-License-Identifier: GPL-2.0-or-later */
/* epoll(7): a set of objects to watch, and the list of those that may be ready. */
#pragma once

#include <obj/file.h>

#include <linux/eventpoll.h>

/* An empty set: a file with a reference and no handle. -ENOMEM, -ENFILE. */
[[nodiscard]] int epoll_create(struct file **out);

/*
 * EPOLL_CTL_ADD, MOD and DEL of `object`, known to the program as `fd`. `event` is not used by DEL.
 * -EINVAL, -EEXIST, -ENOENT, -EPERM (cannot be waited for), -ELOOP, -ENOMEM. May sleep.
 */
[[nodiscard]] int epoll_control(struct file *epoll, int operation, struct object *object, int fd,
				const struct epoll_event *event);

/*
 * Waits for events and copies at most `max` of them out. Their number, 0 when the deadline passed
 * (0: only look), -EINVAL (no epoll), -EFAULT, -ERESTARTSYS. May sleep.
 */
[[nodiscard]] int epoll_wait(struct file *epoll, struct epoll_event __user *events, int max,
			     u64 deadline_ns);

/* Boot. */
void epoll_init(void);
