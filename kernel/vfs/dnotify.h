/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directory notification by signals (fcntl(2), F_NOTIFY): the old way, on the marks of vfs/notify.h. */
#pragma once

#include <lib/types.h>

struct file;

/* F_NOTIFY of an open directory: adds DN_* bits, 0 ends it. -ENOTDIR, -EINVAL, -ENOMEM. May sleep. */
[[nodiscard]] int dnotify_set(struct file *file, int fd, u32 bits);

/* The file ends. May sleep. */
void dnotify_file_gone(struct file *file);
