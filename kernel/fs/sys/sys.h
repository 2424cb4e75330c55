/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /sys (sysfs(5)): devices by class and number, CPUs, kernel settings. */
#pragma once

/* Boot, after vfs_init. */
void sys_fs_init(void);
