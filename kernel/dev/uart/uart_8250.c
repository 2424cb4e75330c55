/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 8250 and 16550A serial ports (National Semiconductor PC16550D data sheet, section 8). */
#include <dev/uart/serial.h>
#include <dev/uart/uart.h>

#include <lib/format.h>
#include <mm/slab.h>

#include <linux/major.h>
#include <linux/serial_reg.h>

static u8 get(struct uart_port *port, unsigned reg)
{
	const struct uart_8250_access *access = port->access;
	return access->read(port->serial.base, reg);
}

static void put(struct uart_port *port, unsigned reg, u8 value)
{
	const struct uart_8250_access *access = port->access;
	access->write(port->serial.base, reg, value);
}

static void send_8250(struct uart_port *port, char c)
{
	while (!(get(port, UART_LSR) & UART_LSR_THRE))
		arch_pause();
	put(port, UART_TX, (u8)c);
}

static bool receive_8250(struct uart_port *port, char *c, bool *is_break)
{
	u8 status = get(port, UART_LSR);
	if (!(status & (UART_LSR_DR | UART_LSR_BI)))
		return false;
	*c = (char)get(port, UART_RX);
	*is_break = status & UART_LSR_BI;
	return true;
}

static void enable_8250(struct uart_port *port)
{
	put(port, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR | UART_FCR_CLEAR_XMIT);
	put(port, UART_LCR, UART_LCR_WLEN8);
	/* OUT2 gates the interrupt line on PCs. */
	put(port, UART_MCR, UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2);
	put(port, UART_IER, UART_IER_RDI | UART_IER_RLSI);
}

static const struct uart_ops ops_8250 = {
	.send = send_8250,
	.receive = receive_8250,
	.enable_receive = enable_8250,
};

/* The scratch register keeps what is written to it only if there is a chip. */
static bool probe(u64 base, const struct uart_8250_access *access)
{
	access->write(base, UART_SCR, 0x5a);
	if (access->read(base, UART_SCR) != 0x5a)
		return false;
	access->write(base, UART_SCR, 0xa5);
	return access->read(base, UART_SCR) == 0xa5;
}

void uart_8250_register(int line, u64 base, unsigned irq, const struct uart_8250_access *access)
{
	if (!probe(base, access))
		return;
	struct uart_port *port = kzalloc(sizeof(*port), ALLOC_BOOT);
	char name[16];
	(void)snprintf(name, sizeof(name), "ttyS%d", line);
	port->ops = &ops_8250;
	port->access = access;
	port->serial.base = base;
	uart_port_register(port, name, TTY_MAJOR, 64 + (u32)line, line, irq);
}
