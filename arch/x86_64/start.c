/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The boot CPU's way from head.S to kernel_main. */
#include <arch/boot.h>
#include <core/thread_base.h>

#include "boot.h"
#include "cpu_features.h"
#include "descriptor.h"

extern char __kernel_start[], __kernel_end[];

u64 x86_image_to_phys;

void x86_boot_start(u32 kind, paddr_t params, paddr_t image)
{
	x86_image_to_phys = image - (u64)__kernel_start;
	boot_info.kernel_start = image;
	boot_info.kernel_end = image + (__kernel_end - __kernel_start);
	current_base()->kstack_top = boot_stack_top;
	x86_descriptors_init(boot_stack_top);
	x86_features_detect();
	x86_features_enable();
	x86_boot_info_read(kind, params);
	kernel_main();
}
