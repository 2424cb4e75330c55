/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Name spaces as files: what /proc/<pid>/ns/ leads to (namespaces(7), ioctl_ns(2)). */
#pragma once

#include <proc/namespaces.h>
#include <vfs/vfs.h>

/* A path whose file stands for the name space, with references. -ENOMEM. */
[[nodiscard]] int namespace_path(struct namespace *ns, struct path *out);

/* The name space of such a file, borrowed from it; null: it is another file. */
struct namespace *namespace_of_file(const struct file *file);

/* True for a mount of such files: a bind mount of one keeps its name space alive. */
bool mount_is_of_namespaces(const struct mount *mount);

/*
 * May the file be bind mounted by the current task? -EINVAL for a name space of mounts that is not younger than the task's own: they
 * would hold each other.
 */
[[nodiscard]] int namespace_check_bindable(const struct inode *inode);

/* It stands for a name space of mounts: copies of mount trees leave it out, for the same reason. */
bool namespace_is_of_mounts(const struct inode *inode);

/* Boot: the file system that such files are on, "nsfs". */
void namespace_files_init(void);
