/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the entry code and boot_info.c: how the loader called us, and the tables made for it.
 */
#pragma once

#define BOOT_LINUX 0 /* struct boot_params of the Linux boot protocol */
#define BOOT_PVH 1   /* struct hvm_start_info of the PVH boot protocol */

#define BOOT_CS32 0x08 /* 32-bit code segment of the boot GDT */

/* The end of boot_params.scratch, which the 32-bit entry may use as a stack. */
#define BOOT_PARAMS_SCRATCH_END 0x1e8

#ifndef __ASSEMBLY__
#include <arch/mmu.h>

/* Tables of the kernel half that head.S linked together. */
extern pte_t kernel_root[512], fixmap_pt[512], boot_direct_pd[2048];
extern char boot_stack[], boot_stack_top[];

/* What is added to an image address to get its physical address. */
extern u64 x86_image_to_phys;

/* Called by head.S on the boot stack. `params` is the loader's structure, `image` where the kernel
 * lies. */
[[noreturn]] void x86_boot_start(u32 kind, paddr_t params, paddr_t image);

/* Fills in boot_info. */
void x86_boot_info_read(u32 kind, paddr_t params);
#endif
