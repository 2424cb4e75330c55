/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every PC has at fixed places: four serial ports, and I/O ports at all. */
#include <arch/boot.h>
#include <arch/ports.h>
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

const u32 arch_port_count = 65536;

u32 arch_port_read(u32 port, unsigned size)
{
	if (size == 1)
		return port_read8((u16)port);
	return size == 2 ? port_read16((u16)port) : port_read32((u16)port);
}

void arch_port_write(u32 port, u32 value, unsigned size)
{
	if (size == 1)
		port_write8((u16)port, (u8)value);
	else if (size == 2)
		port_write16((u16)port, (u16)value);
	else
		port_write32((u16)port, value);
}
