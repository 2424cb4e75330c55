/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PL011 that /chosen names, polled (Arm DDI 0183). */
#include <arch/barrier.h>
#include <arch/boot.h>
#include <lib/string.h>

#include "arm_priv.h"

#define UART_DR 0x00
#define UART_FR 0x18
#define UART_FR_TXFF BIT(5)

static volatile char *early_uart;

/* The node that stdout-path means: a path or an alias, options after a colon. */
static dt_node stdout_node(const struct device_tree *dt)
{
	dt_node chosen = device_tree_find_path(dt, "/chosen");
	const char *path = device_tree_string(dt, chosen, "stdout-path");
	char name[128];
	char *colon;

	if (!path)
		return DT_NONE;
	(void)string_copy(name, path, sizeof(name));
	colon = strchr(name, ':');
	if (colon)
		*colon = '\0';
	if (name[0] != '/') {
		path = device_tree_string(dt, device_tree_find_path(dt, "/aliases"), name);
		if (!path)
			return DT_NONE;
		(void)string_copy(name, path, sizeof(name));
	}
	return device_tree_find_path(dt, name);
}

void early_console_init(void)
{
	const struct device_tree *dt = &firmware_tree;
	dt_node chosen = stdout_node(dt), node = DT_NONE, first;

	first = device_tree_find_compatible(dt, DT_NONE, "arm,pl011");
	for (node = first; node != DT_NONE && node != chosen;)
		node = device_tree_find_compatible(dt, node, "arm,pl011");
	if (node == DT_NONE)
		node = first;
	if (node != DT_NONE)
		early_uart = early_map_registers(node, 0);
}

void arch_early_putc(char c)
{
	if (!early_uart)
		return;
	while (mmio_read32(early_uart + UART_FR) & UART_FR_TXFF)
		;
	mmio_write32(early_uart + UART_DR, (u8)c);
}
