/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads MADT, FADT, HPET, MCFG and the \_S5 object of the DSDT. Lengths in tables are not trusted. */
#include <arch/boot.h>
#include <core/log.h>
#include <lib/string.h>

#include "acpi.h"
#include "mmu.h"

struct acpi_info acpi_info;

struct __packed acpi_header {
	char signature[4];
	u32 length;
	u8 revision, checksum;
	char oem[6], oem_table[8];
	u32 oem_revision, creator, creator_revision;
};

struct __packed acpi_rsdp {
	char signature[8];
	u8 checksum;
	char oem[6];
	u8 revision;
	u32 rsdt;
	u32 length;
	u64 xsdt;
};

struct __packed acpi_fadt {
	struct acpi_header header;
	u32 facs, dsdt;
	u8 reserved0, profile;
	u16 sci_interrupt;
	u32 smi_command;
	u8 acpi_enable, acpi_disable, s4bios, pstate;
	u32 pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer;
	u32 gpe0, gpe1;
	u8 lengths[8];
	u16 c2_latency, c3_latency, flush_size, flush_stride;
	u8 duty_offset, duty_width, day_alarm, month_alarm, century;
	u16 boot_flags;
	u8 reserved1;
	u32 flags;
	struct acpi_address reset;
	u8 reset_value;
	u16 arm_flags;
	u8 minor;
	u64 x_facs, x_dsdt;
};
#define FADT_RESET_SUPPORTED BIT(10)

struct __packed acpi_hpet {
	struct acpi_header header;
	u32 id;
	struct acpi_address address;
};

/* MADT entries. */
#define MADT_LAPIC 0
#define MADT_IO_APIC 1
#define MADT_OVERRIDE 2
#define MADT_LAPIC_ADDRESS 5
#define MADT_X2APIC 9
#define MADT_CPU_ENABLED 1

struct __packed madt_entry {
	u8 type, length;
	union {
		struct __packed {
			u8 uid, apic_id;
			u32 flags;
		} lapic;
		struct __packed {
			u8 id, reserved;
			u32 address, gsi_base;
		} io_apic;
		struct __packed {
			u8 bus, irq;
			u32 gsi;
			u16 flags;
		} override;
		struct __packed {
			u16 reserved;
			u64 address;
		} lapic_address;
		struct __packed {
			u16 reserved;
			u32 apic_id, flags, uid;
		} x2apic;
	};
};

/* PCI Firmware Specification 3.3, 4.1.2. */
struct __packed mcfg_entry {
	u64 address;
	u16 segment;
	u8 bus_first, bus_last;
	u32 reserved;
};

/* Maps a table whole. Null if it is shorter than its header says it can be. */
static const struct acpi_header *table_map(paddr_t pa)
{
	if (!pa)
		return nullptr;
	const struct acpi_header *header = x86_map_table(pa, sizeof(*header));
	u32 length = header->length;
	if (length < sizeof(*header) || length > 0x100000)
		return nullptr;
	return x86_map_table(pa, length);
}

static void cpu_add(u32 apic_id, u32 flags)
{
	if ((flags & MADT_CPU_ENABLED) && acpi_info.cpu_count < CPU_MAX)
		acpi_info.cpu_apic_id[acpi_info.cpu_count++] = apic_id;
}

static void madt_entry(const struct madt_entry *e)
{
	unsigned n = acpi_info.io_apic_count;

	switch (e->type) {
	case MADT_LAPIC:
		cpu_add(e->lapic.apic_id, e->lapic.flags);
		break;
	case MADT_X2APIC:
		cpu_add(e->x2apic.apic_id, e->x2apic.flags);
		break;
	case MADT_LAPIC_ADDRESS:
		acpi_info.lapic = e->lapic_address.address;
		break;
	case MADT_IO_APIC:
		if (n == ACPI_IO_APIC_MAX)
			break;
		acpi_info.io_apics[n].id = e->io_apic.id;
		acpi_info.io_apics[n].address = e->io_apic.address;
		acpi_info.io_apics[n].gsi_base = e->io_apic.gsi_base;
		acpi_info.io_apic_count++;
		break;
	case MADT_OVERRIDE:
		if (e->override.irq < ISA_IRQ_COUNT) {
			acpi_info.isa[e->override.irq].gsi = e->override.gsi;
			acpi_info.isa[e->override.irq].flags = e->override.flags;
		}
		break;
	default:
		break;
	}
}

static void madt_read(const struct acpi_header *header)
{
	const u8 *p = (const u8 *)(header + 1) + 8, *end = (const u8 *)header + header->length;

	acpi_info.lapic = *(const u32 *)(header + 1);
	while (end - p >= 2 && p[1] >= 2 && p[1] <= end - p) {
		static const u8 sizes[] = { [MADT_LAPIC] = 8,
					    [MADT_IO_APIC] = 12,
					    [MADT_OVERRIDE] = 10,
					    [MADT_LAPIC_ADDRESS] = 12,
					    [MADT_X2APIC] = 16 };
		if (p[0] < ARRAY_SIZE(sizes) && p[1] >= sizes[p[0]])
			madt_entry((const struct madt_entry *)p);
		p += p[1];
	}
}

/*
 * \_S5 is a package of constants, the first two being the values for the two control registers. It
 * is found by its encoding: NameOp, "_S5_", PackageOp, length, count, integers (ACPI specification,
 * chapter 20).
 */
static void s5_read(const struct acpi_header *dsdt)
{
	const u8 *p = (const u8 *)(dsdt + 1), *end = (const u8 *)dsdt + dsdt->length;
	u8 values[2];

	while (end - p > 16 && memcmp(p, "_S5_\x12", 5))
		p++;
	if (end - p <= 16)
		return;
	p += 5;
	p += (p[0] >> 6) + 1; /* package length */
	p++;		      /* number of elements */
	for (unsigned i = 0; i < 2; i++) {
		if (*p == 0x0a) /* BytePrefix; else ZeroOp or OneOp */
			p++;
		values[i] = *p++;
	}
	acpi_info.s5_type_a = values[0] & 7;
	acpi_info.s5_type_b = values[1] & 7;
	acpi_info.s5_known = true;
}

static void fadt_read(const struct acpi_header *header)
{
	const struct acpi_fadt *f = (const struct acpi_fadt *)header;
	paddr_t dsdt = 0;

	if (header->length < offsetof(struct acpi_fadt, reset))
		return;
	acpi_info.pm_timer_port = f->pm_timer;
	acpi_info.pm1a_control = f->pm1a_control;
	acpi_info.pm1b_control = f->pm1b_control;
	acpi_info.smi_command = f->smi_command;
	acpi_info.acpi_enable = f->acpi_enable;
	if (header->length >= sizeof(*f)) {
		if (f->flags & FADT_RESET_SUPPORTED) {
			acpi_info.reset = f->reset;
			acpi_info.reset_value = f->reset_value;
			acpi_info.reset_known = true;
		}
		dsdt = f->x_dsdt;
	}
	const struct acpi_header *table = table_map(dsdt ? dsdt : f->dsdt);
	if (table)
		s5_read(table);
}

static void mcfg_read(const struct acpi_header *header)
{
	const struct mcfg_entry *e = (const struct mcfg_entry *)((const u8 *)(header + 1) + 8);
	const struct mcfg_entry *end =
		(const struct mcfg_entry *)((const u8 *)header + header->length);

	for (; e + 1 <= end && acpi_info.ecam_count < ACPI_ECAM_MAX; e++) {
		unsigned n = acpi_info.ecam_count++;

		acpi_info.ecams[n].address = e->address;
		acpi_info.ecams[n].segment = e->segment;
		acpi_info.ecams[n].bus_first = e->bus_first;
		acpi_info.ecams[n].bus_last = e->bus_last;
	}
}

static void table_read(const struct acpi_header *table)
{
	if (!table)
		return;
	if (!memcmp(table->signature, "APIC", 4)) {
		madt_read(table);
	} else if (!memcmp(table->signature, "FACP", 4)) {
		fadt_read(table);
	} else if (!memcmp(table->signature, "MCFG", 4)) {
		mcfg_read(table);
	} else if (!memcmp(table->signature, "HPET", 4) &&
		   table->length >= sizeof(struct acpi_hpet)) {
		acpi_info.hpet = ((const struct acpi_hpet *)table)->address.address;
	}
}

void acpi_init(void)
{
	for (unsigned i = 0; i < ISA_IRQ_COUNT; i++)
		acpi_info.isa[i].gsi = i;
	if (!boot_info.acpi_rsdp) {
		log_warning("ACPI: no tables");
		return;
	}
	const struct acpi_rsdp *rsdp = x86_map_table(boot_info.acpi_rsdp, sizeof(*rsdp));
	bool extended = rsdp->revision >= 2 && rsdp->xsdt;
	const struct acpi_header *root = table_map(extended ? rsdp->xsdt : rsdp->rsdt);
	if (!root)
		return;
	acpi_info.present = true;
	unsigned size = extended ? 8 : 4;
	unsigned count = (root->length - sizeof(*root)) / size;
	for (unsigned i = 0; i < count; i++) {
		paddr_t pa = 0;
		memcpy(&pa, (const u8 *)(root + 1) + i * size, size);
		table_read(table_map(pa));
	}
}
