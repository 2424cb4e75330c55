/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The binfmt_misc file system. */
#pragma once

/* Boot, after vfs_init. */
void binfmt_misc_init(void);
