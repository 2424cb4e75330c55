/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ARM PrimeCell UART PL011 (ARM DDI 0183G, chapter 3). */
#include <dev/uart/serial.h>
#include <dev/uart/uart.h>

#include <arch/barrier.h>
#include <core/log.h>
#include <lib/format.h>
#include <mm/slab.h>
#include <mm/vmap.h>

#define DR 0x00
#define DR_BREAK (1u << 10)
#define FR 0x18
#define FR_RXFE (1u << 4)
#define FR_TXFF (1u << 5)
#define LCR_H 0x2c
#define LCR_H_FIFO (1u << 4)
#define LCR_H_8BIT (3u << 5)
#define CR 0x30
#define CR_ENABLE ((1u << 0) | (1u << 8) | (1u << 9)) /* UART, transmit, receive */
#define IMSC 0x38
#define ICR 0x44
#define INT_RECEIVE ((1u << 4) | (1u << 6)) /* level reached, time-out */
#define INT_ALL 0x7ffu

/* Linux's "low density" serial devices: ttyAMA0 is 204:64. */
#define PL011_MAJOR 204
#define PL011_MINOR 64

static volatile char *at(struct uart_port *port, unsigned reg)
{
	return (volatile char *)port->registers + reg;
}

static void send_pl011(struct uart_port *port, char c)
{
	while (mmio_read32(at(port, FR)) & FR_TXFF)
		arch_pause();
	mmio_write32(at(port, DR), (u8)c);
}

static bool receive_pl011(struct uart_port *port, char *c, bool *is_break)
{
	if (mmio_read32(at(port, FR)) & FR_RXFE)
		return false;
	u32 data = mmio_read32(at(port, DR));
	*c = (char)data;
	*is_break = data & DR_BREAK;
	return true;
}

static void enable_pl011(struct uart_port *port)
{
	mmio_write32(at(port, ICR), INT_ALL);
	mmio_write32(at(port, LCR_H), LCR_H_FIFO | LCR_H_8BIT);
	mmio_write32(at(port, CR), CR_ENABLE);
	mmio_write32(at(port, IMSC), INT_RECEIVE);
}

static const struct uart_ops ops_pl011 = {
	.level_triggered = true,
	.send = send_pl011,
	.receive = receive_pl011,
	.enable_receive = enable_pl011,
};

void uart_pl011_register(int line, paddr_t base, unsigned irq)
{
	struct uart_port *port = kzalloc(sizeof(*port), ALLOC_BOOT);
	char name[16];
	(void)snprintf(name, sizeof(name), "ttyAMA%d", line);
	port->ops = &ops_pl011;
	port->registers = vmap_device(base, 0x1000);
	if (!port->registers) {
		log_error("%s: cannot map its registers", name);
		kfree(port);
		return;
	}
	port->serial.base = base;
	uart_port_register(port, name, PL011_MAJOR, PL011_MINOR + (u32)line, line, irq);
}
