/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Contract: the I/O ports of machines that have them, for drivers in processes; the kernel's own drivers are the architecture's. */
#pragma once

#include <lib/types.h>

/* How many there are; 0: none, and the functions are not called. */
extern const u32 arch_port_count;

/* `size` bytes (1, 2 or 4) at a port; `port` + `size` is at most arch_port_count. */
u32 arch_port_read(u32 port, unsigned size);
void arch_port_write(u32 port, u32 value, unsigned size);
