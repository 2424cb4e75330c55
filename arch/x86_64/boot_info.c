/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what the boot loader left in memory to boot_info: struct boot_params (Linux x86 boot
 * protocol) or struct hvm_start_info (PVH).
 *
 * The memory map becomes three kinds of range: RAM that is ours, RAM that the firmware keeps (its
 * ACPI tables), and everything else, which is left out, because those ranges are mostly devices.
 * Where ranges overlap, the more restrictive one wins.
 */
#include <arch/boot.h>
#include <arch/layout.h>
#include <lib/string.h>

#include <asm/bootparam.h>

#include "boot.h"

struct boot_info boot_info;

#define E820_RAM 1
#define E820_ACPI_TABLES 3
#define E820_ACPI_NVS 4

/* The BIOS's own data, and the page that other CPUs start in, lie below. */
#define LOW_MEMORY_LIMIT 0x10000

/* PVH: xen/include/public/arch-x86/hvm/start_info.h describes these. */
#define HVM_START_MAGIC 0x336ec578
struct hvm_start_info {
	u32 magic, version, flags, nr_modules;
	u64 modlist, cmdline, rsdp;
	u64 memmap; /* from version 1 on */
	u32 memmap_entries, reserved;
};
struct hvm_module {
	u64 address, size, cmdline, reserved;
};
struct hvm_memory {
	u64 address, size;
	u32 type, reserved;
};

static void *early_pointer(paddr_t pa)
{
	return (void *)(DIRECT_MAP_BASE + pa);
}

static void memory_insert(paddr_t start, paddr_t end, bool usable)
{
	if (start >= end || boot_info.memory_count == BOOT_MEMORY_MAX)
		return;
	unsigned i = boot_info.memory_count++;
	for (; i > 0 && boot_info.memory[i - 1].start > start; i--)
		boot_info.memory[i] = boot_info.memory[i - 1];
	boot_info.memory[i] = (struct boot_memory){ start, end - start, usable };
}

/* Takes [start, end) out of every range. */
static void memory_remove(paddr_t start, paddr_t end)
{
	unsigned count = boot_info.memory_count;
	struct boot_memory old[BOOT_MEMORY_MAX];

	memcpy(old, boot_info.memory, count * sizeof(old[0]));
	boot_info.memory_count = 0;
	for (unsigned i = 0; i < count; i++) {
		paddr_t old_end = old[i].start + old[i].size;
		memory_insert(old[i].start, MIN(old_end, start), old[i].usable);
		memory_insert(MAX(old[i].start, end), old_end, old[i].usable);
	}
}

/* Adds one range of the firmware's map. Called for all RAM first, then for all the rest. */
static void memory_add(paddr_t start, u64 size, u32 type)
{
	paddr_t end;
	if (add_overflows(start, size, &end))
		return;
	if (type == E820_RAM) {
		start = MAX(ALIGN_UP(start, PAGE_SIZE), (paddr_t)LOW_MEMORY_LIMIT);
		end = ALIGN_DOWN(end, PAGE_SIZE);
		memory_remove(start, end);
		memory_insert(start, end, true);
		return;
	}
	start = ALIGN_DOWN(start, PAGE_SIZE);
	end = ALIGN_UP(end, PAGE_SIZE);
	memory_remove(start, end);
	if (type == E820_ACPI_TABLES || type == E820_ACPI_NVS)
		memory_insert(start, end, false);
}

static void read_command_line(paddr_t pa)
{
	if (pa)
		string_copy(boot_info.command_line, early_pointer(pa), BOOT_COMMAND_LINE_MAX);
}

static void read_linux(paddr_t params)
{
	const struct boot_params *p = early_pointer(params);
	unsigned count = MIN((unsigned)p->e820_entries, (unsigned)E820_MAX_ENTRIES_ZEROPAGE);

	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; i < count; i++) {
			const struct boot_e820_entry *e = &p->e820_table[i];
			if ((e->type == E820_RAM) == (pass == 0))
				memory_add(e->addr, e->size, e->type);
		}
	}
	read_command_line(p->hdr.cmd_line_ptr | (u64)p->ext_cmd_line_ptr << 32);
	boot_info.initrd_start = p->hdr.ramdisk_image | (u64)p->ext_ramdisk_image << 32;
	boot_info.initrd_end =
		boot_info.initrd_start + p->hdr.ramdisk_size + ((u64)p->ext_ramdisk_size << 32);
	boot_info.acpi_rsdp = p->acpi_rsdp_addr;
}

static void read_pvh(paddr_t params)
{
	const struct hvm_start_info *info = early_pointer(params);
	if (info->magic != HVM_START_MAGIC)
		return;
	if (info->version >= 1) {
		const struct hvm_memory *map = early_pointer(info->memmap);
		for (unsigned pass = 0; pass < 2; pass++) {
			for (unsigned i = 0; i < info->memmap_entries; i++) {
				if ((map[i].type == E820_RAM) == (pass == 0))
					memory_add(map[i].address, map[i].size, map[i].type);
			}
		}
	}
	read_command_line(info->cmdline);
	if (info->nr_modules) {
		const struct hvm_module *initrd = early_pointer(info->modlist);
		boot_info.initrd_start = initrd->address;
		boot_info.initrd_end = initrd->address + initrd->size;
	}
	boot_info.acpi_rsdp = info->rsdp;
}

/* ACPI 6.5, 5.2.5.1: the pointer lies on 16 bytes in the EBDA's first KiB or in the BIOS area. */
static paddr_t find_rsdp(paddr_t start, paddr_t end)
{
	for (paddr_t pa = start; pa < end; pa += 16) {
		const u8 *p = early_pointer(pa);
		u8 sum = 0;
		if (memcmp(p, "RSD PTR ", 8))
			continue;
		for (unsigned i = 0; i < 20; i++)
			sum += p[i];
		if (sum == 0)
			return pa;
	}
	return 0;
}

void x86_boot_info_read(u32 kind, paddr_t params)
{
	if (kind == BOOT_PVH)
		read_pvh(params);
	else
		read_linux(params);
	if (boot_info.initrd_end < boot_info.initrd_start)
		boot_info.initrd_end = boot_info.initrd_start;
	if (!boot_info.acpi_rsdp) {
		paddr_t ebda = (paddr_t) * (const u16 *)early_pointer(0x40e) << 4;
		if (ebda >= 0x80000 && ebda < 0xa0000)
			boot_info.acpi_rsdp = find_rsdp(ebda, ebda + 1024);
	}
	if (!boot_info.acpi_rsdp)
		boot_info.acpi_rsdp = find_rsdp(0xe0000, 0x100000);
}
