/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contract: the address space layout. <arch/impl/layout.h> defines, as plain integer constants
 * that assembler files and linker scripts can use too:
 *
 *   PAGE_SHIFT              12 on both architectures
 *   USER_MAX                first address above user space (as Linux's TASK_SIZE)
 *   DIRECT_MAP_BASE, DIRECT_MAP_SIZE   all of physical memory, mapped with the largest pages
 *   VMAP_BASE, VMAP_SIZE    kernel mappings made at run time (stacks with guard pages, devices)
 *   KERNEL_BASE             where the kernel image is linked
 *   KSTACK_SIZE             bytes of a kernel stack, a power of two of pages
 *   CACHELINE               bytes
 */
#pragma once

#include <arch/impl/layout.h>

#define PAGE_SIZE (1ul << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
