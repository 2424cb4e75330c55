/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The address space of x86_64, as constants for C, assembler and linker script. The areas of the
 * kernel half each begin at an entry of the root table, and all root entries of that half are
 * filled in before the first user address space exists: roots then never have to be kept in step.
 */
#pragma once

#define PAGE_SHIFT 12

/* One page is left free below the hole, so that SYSRET never sees a non-canonical address. */
#define USER_MAX 0x00007ffffffff000

#define DIRECT_MAP_BASE 0xffff800000000000
#define DIRECT_MAP_SIZE 0x0000400000000000 /* 64 TiB */

#define VMAP_BASE 0xffffc00000000000
#define VMAP_SIZE 0x0000008000000000 /* 512 GiB: one root entry */

#define KERNEL_BASE 0xffffffff80000000
#define KERNEL_LOAD_OFFSET 0x100000    /* the image begins at KERNEL_BASE + this */
#define KERNEL_IMAGE_MAX 0x800000      /* what the static page tables map: 8 MiB from KERNEL_BASE */
#define FIXMAP_BASE 0xffffffffbfe00000 /* 2 MiB of pages for devices that are needed early */
#define FIXMAP_PAGES 512

#define KSTACK_SIZE 16384
#define CACHELINE 64
