/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Serial ports as terminals and log consoles.
 *
 * Transmission polls: in a virtual machine the chip takes a byte at once, and a polled path is the
 * one that still works in a panic. Reception is by interrupt.
 */
#include <dev/uart/serial.h>

#include <core/irq.h>
#include <core/panic.h>
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/ucopy.h>
#include <proc/sysrq.h>
#include <vfs/vfs.h>

#include <asm/ioctls.h>
#include <linux/serial.h>
#include <linux/tty_flags.h>

#define SYSRQ_TIMEOUT_NS (5 * NSEC_PER_SEC) /* as Linux: from the break to the letter */

static size_t serial_write_room(struct tty *tty)
{
	return 4096;
}

static struct uart_port *port_of(struct tty *tty)
{
	return container_of(tty, struct uart_port, serial.tty);
}

static size_t serial_write(struct tty *tty, const char *text, size_t size)
{
	struct uart_port *port = port_of(tty);
	for (size_t i = 0; i < size; i++) {
		/* Taken for each byte, so that the log never waits long with interrupts masked. */
		irqflags_t flags = spin_lock_irqsave(&port->send_lock);
		port->ops->send(port, text[i]);
		spin_unlock_irqrestore(&port->send_lock, flags);
	}
	return size;
}

static void log_write_port(struct log_console *console, const char *text, size_t size)
{
	struct uart_port *port = container_of(console, struct uart_port, serial.log);
	/* In a panic the holder may never run again: print all the same. */
	bool locked = spin_trylock(&port->send_lock);
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n')
			port->ops->send(port, '\r');
		port->ops->send(port, text[i]);
	}
	if (locked)
		spin_unlock(&port->send_lock);
}

/* A break on the console announces a letter for sysrq_command, a second break is one. */
static bool expect_sysrq(struct uart_port *port)
{
	if (!port->serial.is_console || port->sysrq_until_ns) {
		port->sysrq_until_ns = 0;
		return false;
	}
	port->sysrq_until_ns = clock_monotonic_ns() + SYSRQ_TIMEOUT_NS;
	return true;
}

static bool take_sysrq(struct uart_port *port, char letter)
{
	u64 until = port->sysrq_until_ns;

	port->sysrq_until_ns = 0;
	if (!until || clock_monotonic_ns() > until)
		return false;
	sysrq_command(letter);
	return true;
}

static bool serial_interrupt(void *arg)
{
	struct uart_port *port = arg;
	char buf[64];
	size_t n = 0;
	bool is_break = false, any = false;
	while (n < sizeof(buf) && port->ops->receive(port, &buf[n], &is_break)) {
		any = true;
		if (!is_break && !take_sysrq(port, buf[n]))
			n++;
		if (is_break && !expect_sysrq(port))
			tty_receive_break(&port->serial.tty);
	}
	if (n)
		tty_receive_interrupt(&port->serial.tty, buf, n);
	return any;
}

static void serial_destroy(struct tty *tty)
{
	panic("serial port %s lost its last reference", tty->name);
}

/* TIOCGSERIAL: programs use it to learn the line number of /dev/console. */
static long serial_ioctl(struct tty *tty, struct file *file, unsigned request,
			 unsigned long argument)
{
	if (request != TIOCGSERIAL)
		return -ENOTTY;
	struct uart_port *port = port_of(tty);
	struct serial_struct info = {
		.type = PORT_16550A,
		.line = port->serial.line,
		.port = (unsigned)port->serial.base,
		.irq = (int)port->serial.irq,
		.flags = ASYNC_SKIP_TEST,
		.xmit_fifo_size = 16,
		.baud_base = 115200,
	};
	return copy_to_user(__force_user(void __user *, argument), &info, sizeof(info));
}

static const struct tty_driver serial_driver = {
	.write_room = serial_write_room,
	.write = serial_write,
	.ioctl = serial_ioctl,
	.destroy = serial_destroy,
};

void uart_port_register(struct uart_port *port, const char *name, u32 major, u32 minor, int line,
			unsigned irq)
{
	tty_init(&port->serial.tty, &serial_driver, name, device_make(major, minor));
	/* As Linux's serial core sets a port up for a console at 9600 or 115200 baud. */
	port->serial.tty.ld.termios.c_cflag = B9600 | CS8 | CREAD | HUPCL | CLOCAL;
	port->serial.tty.ld.termios.c_ispeed = 9600;
	port->serial.tty.ld.termios.c_ospeed = 9600;
	spin_init(&port->send_lock, RANK_UART);
	port->serial.line = line;
	port->serial.irq = irq;
	port->serial.log.name = port->serial.tty.name;
	port->serial.log.write = log_write_port;
	console_register(&port->serial);
	int err = irq_register(irq, port->ops->level_triggered, serial_interrupt, port,
			       port->serial.tty.name);
	if (err)
		log_error("%s: no interrupt %u: error %d", name, irq, -err);
	else
		port->ops->enable_receive(port);
}
