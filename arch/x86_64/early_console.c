/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Output on COM1 by polling, for the time before its driver and for panics. */
#include <arch/boot.h>
#include <arch/cpu.h>

#include "x86.h"

#define COM1 0x3f8
#define UART_DIVISOR_LOW 0
#define UART_DIVISOR_HIGH 1
#define UART_LINE_CONTROL 3
#define UART_LINE_STATUS 5
#define LINE_8N1 0x03
#define LINE_DIVISOR_ACCESS 0x80
#define STATUS_TRANSMIT_EMPTY 0x20

/* About a tenth of a second at worst; a port that takes longer is not there. */
#define POLL_LIMIT 100000

static enum { PORT_UNKNOWN, PORT_READY, PORT_ABSENT } port_state;

/* 115200 baud, in case the firmware did not do it. */
static void port_probe(void)
{
	if (port_read8(COM1 + UART_LINE_STATUS) == 0xff) {
		port_state = PORT_ABSENT;
		return;
	}
	port_write8(COM1 + UART_LINE_CONTROL, LINE_8N1 | LINE_DIVISOR_ACCESS);
	port_write8(COM1 + UART_DIVISOR_LOW, 1);
	port_write8(COM1 + UART_DIVISOR_HIGH, 0);
	port_write8(COM1 + UART_LINE_CONTROL, LINE_8N1);
	port_state = PORT_READY;
}

void arch_early_putc(char c)
{
	if (port_state == PORT_UNKNOWN)
		port_probe();
	if (port_state == PORT_ABSENT)
		return;
	for (unsigned i = 0; i < POLL_LIMIT; i++) {
		if (port_read8(COM1 + UART_LINE_STATUS) & STATUS_TRANSMIT_EMPTY)
			break;
		arch_pause();
	}
	port_write8(COM1, c);
}
