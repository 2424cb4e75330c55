/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Power off and reset: ACPI first, then what PCs and emulators have always understood. */
#include <arch/barrier.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/layout.h>
#include <arch/power.h>

#include "acpi.h"
#include "x86.h"

#define PM1_SCI_ENABLE 0x0001
#define PM1_SLEEP_ENABLE 0x2000
#define PM1_SLEEP_TYPE_SHIFT 10

#define QEMU_EXIT_PORT 0xf4
#define RESET_CONTROL 0xcf9
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_PULSE_RESET 0xfe

/* Long enough for hardware to act before the next thing is tried. */
static void settle(void)
{
	for (unsigned i = 0; i < 100000; i++)
		port_read8(0x80);
}

static void acpi_mode_enter(void)
{
	if (!acpi_info.smi_command || !acpi_info.acpi_enable ||
	    (port_read16(acpi_info.pm1a_control) & PM1_SCI_ENABLE))
		return;
	port_write8(acpi_info.smi_command, acpi_info.acpi_enable);
	for (unsigned i = 0; i < 100000; i++) {
		if (port_read16(acpi_info.pm1a_control) & PM1_SCI_ENABLE)
			return;
	}
}

void arch_power_off(void)
{
	arch_irq_disable();
	if (acpi_info.s5_known && acpi_info.pm1a_control) {
		acpi_mode_enter();
		port_write16(acpi_info.pm1a_control,
			     acpi_info.s5_type_a << PM1_SLEEP_TYPE_SHIFT | PM1_SLEEP_ENABLE);
		if (acpi_info.pm1b_control)
			port_write16(acpi_info.pm1b_control,
				     acpi_info.s5_type_b << PM1_SLEEP_TYPE_SHIFT |
					     PM1_SLEEP_ENABLE);
		settle();
	}
	/* The PM1 control registers of QEMU's machines and of Bochs, for when the tables were not
	 * read. */
	port_write16(0x604, PM1_SLEEP_ENABLE);
	port_write16(0xb004, PM1_SLEEP_ENABLE);
	arch_halt();
}

static void acpi_reset(void)
{
	if (!acpi_info.reset_known)
		return;
	if (acpi_info.reset.space == ACPI_SPACE_IO)
		port_write8(acpi_info.reset.address, acpi_info.reset_value);
	settle();
}

void arch_reboot(void)
{
	struct __packed {
		u16 limit;
		u64 base;
	} no_idt = { 0, 0 };

	arch_irq_disable();
	acpi_reset();
	port_write8(RESET_CONTROL, 0x02);
	port_write8(RESET_CONTROL, 0x06);
	settle();
	port_write8(KEYBOARD_COMMAND, KEYBOARD_PULSE_RESET);
	settle();
	/* An exception that cannot be delivered shuts the CPU down, and the chip set resets it. */
	asm volatile("lidt %0; int3" : : "m"(no_idt));
	arch_halt();
}

void arch_exit_emulator(unsigned code)
{
	arch_irq_disable();
	port_write32(QEMU_EXIT_PORT, code);
	arch_power_off();
}
