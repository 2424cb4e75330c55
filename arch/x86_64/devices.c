/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices that every PC has at fixed places: four serial ports. */
#include <arch/boot.h>
#include <dev/uart/uart.h>

#include "x86.h"

static u8 uart_read(u64 base, unsigned reg)
{
	return port_read8(base + reg);
}

static void uart_write(u64 base, unsigned reg, u8 value)
{
	port_write8(base + reg, value);
}

void arch_devices_init(void)
{
	static const struct uart_8250_access access = { .read = uart_read, .write = uart_write };
	static const struct {
		u16 base;
		u8 irq;
	} ports[] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };
	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++)
		uart_8250_register(i, ports[i].base, ports[i].irq, &access);
}
