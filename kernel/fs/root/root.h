/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounting the disk that root= names (bootparam(7)) when there is no initramfs, or none with an init. */
#pragma once

/* Boot: tells proc/init.c how to mount the root file system. */
void root_init(void);
