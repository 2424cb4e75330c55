/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Serial ports, registered by the architecture's arch_devices_init. */
#pragma once

#include <lib/types.h>

/*
 * A 16550-compatible port in x86 I/O space, as ttyS<line>. Probed first: nothing happens when no
 * chip answers. `access` reads and writes its registers, so that the same driver serves I/O ports
 * and memory. Boot, thread context.
 */
struct uart_8250_access {
	u8 (*read)(u64 base, unsigned reg);
	void (*write)(u64 base, unsigned reg, u8 value);
};
void uart_8250_register(int line, u64 base, unsigned irq, const struct uart_8250_access *access);

/* A PL011 (ARM DDI 0183) at physical address `base`, as ttyAMA<line>. Boot, thread context. */
void uart_pl011_register(int line, paddr_t base, unsigned irq);
