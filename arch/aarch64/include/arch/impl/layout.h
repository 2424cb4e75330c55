/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The aarch64 address space: 48-bit virtual addresses, user in TTBR0, kernel in TTBR1. */
#pragma once

#define PAGE_SHIFT 12

#define USER_MAX 0x0001000000000000

#define DIRECT_MAP_BASE 0xffff000000000000
#define DIRECT_MAP_SIZE 0x0000400000000000
#define VMAP_BASE 0xffff800000000000
#define VMAP_SIZE 0x0000010000000000
#define KERNEL_BASE 0xffffffff80000000

#define KSTACK_SIZE 0x4000
#define CACHELINE 64

/*
 * Below the kernel image: 2 MiB blocks for devices and the device tree, mapped before the page
 * allocator works (early_map.c). They share the level 1 table of the image.
 */
#define EARLY_MAP_BASE 0xffffffffa0000000
#define EARLY_MAP_BLOCKS 128
