/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tests of file systems need besides a disk. */
#pragma once

#include "host.h"

#include <vfs/vfs.h>

/* Gives disks page caches. Before the first disk is made. */
void host_vfs_boot(void);
/* Mounts by the name of a registered type. superblock_put() unmounts. */
[[nodiscard]] int host_mount(const char *type, const char *device, u32 flags, const char *options,
			     struct superblock **out);
