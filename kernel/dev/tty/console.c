/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Consoles: which serial ports print the log, what /dev/console and /dev/tty mean. console= may be
 * given several times; all of those ports print the log, the last is /dev/console (bootparam(7),
 * console(4)).
 */
#include <dev/tty/pty.h>
#include <dev/tty/tty.h>

#include <core/command_line.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <proc/inspect.h>
#include <vfs/vfs.h>

#include <linux/major.h>
#include <linux/stat.h>

#define CONSOLES_MAX 4

static char wanted[CONSOLES_MAX][16];
static unsigned wanted_count;
static struct serial_port *ports[CONSOLES_MAX * 2];
static unsigned port_count;
static struct serial_port *console_port; /* /dev/console */

static int set_console(const char *value)
{
	if (wanted_count == CONSOLES_MAX)
		return -EINVAL;
	size_t n = 0;
	while (value[n] && value[n] != ',' && n + 1 < sizeof(wanted[0]))
		n++;
	memcpy(wanted[wanted_count], value, n);
	wanted[wanted_count][n] = '\0';
	wanted_count++;
	return 0;
}
KERNEL_PARAMETER("console=", set_console);

/* Position of a port among the wanted consoles, or -1. */
static int wanted_index(const struct serial_port *port)
{
	for (unsigned i = 0; i < wanted_count; i++)
		if (strcmp(wanted[i], port->tty.name) == 0)
			return (int)i;
	return -1;
}

static int open_port(struct inode *inode, struct file *file)
{
	for (unsigned i = 0; i < port_count; i++)
		if (ports[i]->tty.device == inode->device_number)
			return tty_open(&ports[i]->tty, file, false);
	return -ENXIO;
}

void console_register(struct serial_port *port)
{
	if (port_count == ARRAY_SIZE(ports))
		return;
	ports[port_count++] = port;
	static struct device_node nodes[ARRAY_SIZE(ports)];
	struct device_node *node = &nodes[port_count - 1];
	*node = (struct device_node){
		.name = port->tty.name,
		.mode = S_IFCHR | 0600,
		.device = port->tty.device,
		.open = open_port,
		.class_name = "tty",
	};
	device_register(node);
	int index = wanted_index(port);
	bool chosen = wanted_count ? index >= 0 : port_count == 1;
	if (!chosen)
		return;
	port->is_console = true;
	log_console_register(&port->log);
	if (!console_port || index >= wanted_index(console_port))
		console_port = port;
}

int console_active_names(char *buf, size_t size)
{
	int n = 0;
	/* The one behind /dev/console comes last, as Linux prints it. */
	for (unsigned i = 0; i < port_count; i++)
		if (ports[i] != console_port && wanted_index(ports[i]) >= 0)
			n += scnprintf(buf + n, size - (size_t)n, "%s ", ports[i]->tty.name);
	if (console_port)
		n += scnprintf(buf + n, size - (size_t)n, "%s", console_port->tty.name);
	return n;
}

static int open_console(struct inode *inode, struct file *file)
{
	return console_port ? tty_open(&console_port->tty, file, true) : -ENODEV;
}

static int open_controlling(struct inode *inode, struct file *file)
{
	struct tty *tty = tty_of_session();
	if (!tty)
		return -ENXIO;
	int err = tty_open(tty, file, true);
	tty_put(tty);
	return err;
}

static struct device_node fixed_nodes[] = {
	{ .name = "console", .mode = S_IFCHR | 0600, .open = open_console, .class_name = "tty" },
	{ .name = "tty", .mode = S_IFCHR | 0666, .open = open_controlling, .class_name = "tty" },
	{ .name = "ptmx", .mode = S_IFCHR | 0666, .open = pty_open_master, .class_name = "tty" },
};

static u64 terminal_device(struct tty *tty)
{
	return tty->device;
}

void tty_init_devices(void)
{
	inspect_terminal_device = terminal_device;
	proc_hooks.session_exit = tty_session_exit;
	pty_init();
	static const unsigned minors[] = { 1, 0, 2 };
	for (size_t i = 0; i < ARRAY_SIZE(fixed_nodes); i++) {
		fixed_nodes[i].device = device_make(TTYAUX_MAJOR, minors[i]);
		device_register(&fixed_nodes[i]);
	}
}
