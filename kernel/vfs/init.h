/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boot of the virtual file system, after vfs_init() of <vfs/vfs.h>. */
#pragma once

/* Mounts the first file system, of a registered type ("rootfs"), and puts the kernel's root and working directory there. */
void vfs_mount_root(const char *type_name);

/* Parts of vfs_init. */
void open_init(void);
