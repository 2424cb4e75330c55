/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Name spaces as files: what /proc/<pid>/ns/ leads to (namespaces(7), ioctl_ns(2)). */
#pragma once

#include <proc/namespaces.h>
#include <vfs/vfs.h>

/* A path whose file stands for the name space, with references. -ENOMEM. */
[[nodiscard]] int namespace_path(struct namespace *ns, struct path *out);

/* The name space of such a file, borrowed from it; null: it is another file. */
struct namespace *namespace_of_file(const struct file *file);
