/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel needs from the firmware's ACPI tables (ACPI specification 6.5, chapter 5). No AML
 * is interpreted. */
#pragma once

#include <arch/smp.h>
#include <lib/types.h>

#define ACPI_IO_APIC_MAX 8
#define ACPI_ECAM_MAX 4
#define ISA_IRQ_COUNT 16

/* Where a register is: struct of the tables. */
struct __packed acpi_address {
	u8 space; /* ACPI_SPACE_* */
	u8 width, offset, access;
	u64 address;
};
#define ACPI_SPACE_MEMORY 0
#define ACPI_SPACE_IO 1

struct acpi_info {
	bool present; /* there were tables */
	paddr_t lapic;
	u32 cpu_apic_id[CPU_MAX]; /* usable CPUs; the boot CPU is put first by smp.c */
	unsigned cpu_count;
	struct {
		u32 id, gsi_base;
		paddr_t address;
	} io_apics[ACPI_IO_APIC_MAX];
	unsigned io_apic_count;
	struct {
		u32 gsi;
		u16 flags; /* polarity bits 0-1, trigger bits 2-3: 1 high/edge, 3 low/level, 0 the
			      bus's */
	} isa[ISA_IRQ_COUNT];
	u16 pm_timer_port; /* 0: none */
	paddr_t hpet;	   /* 0: none */
	struct {
		paddr_t address; /* of bus 0 */
		u16 segment;
		u8 bus_first, bus_last;
	} ecams[ACPI_ECAM_MAX];
	unsigned ecam_count;
	u16 pm1a_control, pm1b_control;
	u16 smi_command;
	u8 acpi_enable;
	bool s5_known;
	u8 s5_type_a, s5_type_b;
	bool reset_known;
	struct acpi_address reset;
	u8 reset_value;
};
extern struct acpi_info acpi_info;

/* Reads the tables. Once, on the boot CPU, after arch_direct_map_init. */
void acpi_init(void);
