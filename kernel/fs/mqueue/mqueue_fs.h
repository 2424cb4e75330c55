/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file system of POSIX message queues (mq_overview(7)): what mq_open(3) names and /dev/mqueue shows. */
#pragma once

#include <ipc/mqueue.h>
#include <vfs/vfs.h>

/* /proc/sys/fs/mqueue/queues_max */
extern u32 mqueue_queues_max;

/* mq_open(2), mq_unlink(2) in the current task's IPC name space; kernel strings without a slash. Errors as their man pages. */
[[nodiscard]] int mqueue_open(const char *name, u32 flags, u32 mode,
			      const struct mq_attr *attributes, struct file **out);
[[nodiscard]] int mqueue_unlink(const char *name);

/* The queue behind an open file; null: it is no queue. */
struct mqueue *mqueue_of_file(struct file *file);

/* Boot, after vfs_init. */
void mqueue_fs_init(void);
