/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Contract: what the boot loader told us. Filled in by the architecture's entry code. */
#pragma once

#include <lib/types.h>

struct thread;

#define BOOT_MEMORY_MAX 64
#define BOOT_COMMAND_LINE_MAX 4096

struct boot_memory {
	paddr_t start;
	u64 size;
	bool usable; /* RAM for us; else reserved by firmware (but still RAM if `ram`) */
};

struct boot_info {
	char command_line[BOOT_COMMAND_LINE_MAX];
	struct boot_memory memory[BOOT_MEMORY_MAX]; /* sorted, not overlapping */
	unsigned memory_count;
	paddr_t kernel_start, kernel_end; /* the image with its bss, physical */
	paddr_t initrd_start, initrd_end; /* equal when there is none */
	paddr_t device_tree;		  /* 0 when there is none */
	u64 device_tree_size;
	paddr_t acpi_rsdp; /* 0 when there is none */
};

extern struct boot_info boot_info;

/*
 * The thread that boots and becomes the idle thread of CPU 0. Defined (statically, zeroed) in sched/. Entry code
 * makes it arch_current() and sets its thread_base.kstack_top before kernel_main.
 */
extern struct thread boot_thread;

/*
 * The generic kernel's entry. Called once by the architecture on the boot CPU with: boot_info filled
 * in, the boot thread current on a proper stack, bss cleared, the MMU on with the kernel image and
 * the whole direct map of usable memory mapped, interrupts masked, an early console
 * usable through arch_early_putc. Implemented in core/init.c.
 */
[[noreturn]] void kernel_main(void);

/* Writes one character to the firmware-known serial port by polling; works from the first instruction on.
 * Does nothing when there is no port. */
void arch_early_putc(char c);

/*
 * Registers the devices that only the architecture knows (serial ports with their interrupts, RTC),
 * once interrupts and memory work: calls uart_8250_register() or uart_pl011_register() of dev/.
 */
void arch_devices_init(void);

/* Extends the direct map, mapped by entry code for memory below some limit, to all of boot_info.memory. */
void arch_direct_map_init(void);
