/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the serial drivers share: the tty driver of a port that transmits by polling. */
#pragma once

#include <dev/tty/tty.h>

struct uart_port;

struct uart_ops {
	bool level_triggered;
	void (*send)(struct uart_port *port, char c); /* waits until the chip takes it */
	bool (*receive)(struct uart_port *port, char *c, bool *is_break); /* false: nothing there */
	void (*enable_receive)(struct uart_port *port);			  /* interrupts on */
};

struct uart_port {
	struct serial_port serial;
	const struct uart_ops *ops;
	const void *access;
	volatile void *registers;
	struct spinlock send_lock;
	u64 sysrq_until_ns; /* a break came: a letter before this time is for sysrq_command; 0: none */
};

/* Makes the terminal `name` with device number major:minor and its console, and takes interrupt
 * `irq`. */
void uart_port_register(struct uart_port *port, const char *name, u32 major, u32 minor, int line,
			unsigned irq);
