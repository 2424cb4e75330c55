/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process's address space: all of it counts as user space, so that copy functions accept test buffers. */
#pragma once

#define PAGE_SHIFT 12
#define USER_MAX 0x00007ffffffff000
#define DIRECT_MAP_BASE 0ul /* a physical address is a pointer */
#define KSTACK_SIZE 16384
#define CACHELINE 64
