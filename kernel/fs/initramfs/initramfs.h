/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The initial root file system, from the archives that the boot loader put into memory. */
#pragma once

/*
 * Boot, in a thread: makes what Linux's own first archive holds (/dev, /dev/console, /root), unpacks boot_info's initrd
 * into the root and gives its memory back. What is damaged is told in the log; what was unpacked before stays.
 */
void initramfs_unpack(void);
