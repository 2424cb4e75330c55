/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc (proc(5)): processes and the state of the kernel as files. */
#pragma once

/* Boot, after vfs_init. */
void proc_fs_init(void);
