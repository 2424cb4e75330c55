/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RAM disks (ram(4), initrd(4)). */
#pragma once

/* Boot, after block_init: /dev/ram0 and on, as many as rd_nr= says, of ramdisk_size= KiB. */
void ram_disk_init(void);
