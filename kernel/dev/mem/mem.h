/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory devices of mem(4), null(4), random(4): null, zero, full, random, urandom, kmsg. */
#pragma once

/* Registers them. Boot, after vfs_init. */
void memory_devices_init(void);
