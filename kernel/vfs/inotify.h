/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watching files: inotify(7). */
#pragma once

#include <obj/file.h>
#include <vfs/vfs.h>

/* /proc/sys/fs/inotify; instances and watches are per user. */
extern u64 inotify_instances_max, inotify_watches_max, inotify_events_max;

/* inotify_init1(2): a file with one reference. -EMFILE (too many of this user), -ENOMEM. */
[[nodiscard]] int inotify_create(u32 flags, struct file **out);

/*
 * inotify_add_watch(2) on what `path` is. The watch descriptor; -EINVAL (no inotify file, no events), -EEXIST, -ENOSPC,
 * -ENOMEM. The caller checked that it may be read.
 */
[[nodiscard]] int inotify_add(struct file *file, const struct path *path, u32 mask);

/* inotify_rm_watch(2). -EINVAL. May sleep. */
[[nodiscard]] int inotify_remove(struct file *file, int watch);
