/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tmpfs(5), also as the first root file system; devtmpfs is built from its parts. */
#pragma once

#include <vfs/vfs.h>

/* Boot, after vfs_init: registers "tmpfs" and "rootfs". */
void tmpfs_init(void);

/* A superblock with tmpfs's contents and default limits for another type of file system. -ENOMEM. */
[[nodiscard]] int tmpfs_superblock_create(const struct file_system_type *type, const char *options,
					  struct superblock **out);
