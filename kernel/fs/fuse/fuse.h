/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File systems of user-space servers, fuse(4). */
#pragma once

/* Boot: registers the file system type and /dev/fuse. */
void fuse_init(void);
