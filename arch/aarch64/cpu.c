/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CPU: features, identification as user space sees it, idling. */
#include <arch/cpu.h>
#include <arch/frame.h>
#include <arch/irqflags.h>
#include <arch/mmu.h>
#include <core/log.h>
#include <core/panic.h>
#include <core/percpu.h>
#include <core/random.h>
#include <lib/format.h>

#include <asm/hwcap.h>
#include <linux/elf-em.h>

#include "arm_priv.h"

struct cpu_features cpu_features;
const char arch_machine_name[] = "aarch64";
const u16 arch_elf_machine = EM_AARCH64;

static u64 hwcap, hwcap2;
static DEFINE_PER_CPU(u64, cpu_midr);

struct pan_site {
	s32 site; /* relative to this field */
	u32 instruction;
};
extern const struct pan_site __pan_sites_start[], __pan_sites_end[];

/* The ID registers that describe features, as EL0 sees them. */
enum id_register {
	PFR0,
	PFR1,
	ISAR0,
	ISAR1,
	ISAR2,
	MMFR0,
	MMFR1,
	MMFR2,
	ID_COUNT,
};
static u64 id_values[ID_COUNT];

#define FIELD(n) (0xful << 4 * (n))

static const struct {
	u8 crm, op2; /* encoded as S3_0_C0_<crm>_<op2> */
	u64 visible; /* fields that user space may know; the others read as zero */
	u64 fixed;   /* or as this */
} id_info[ID_COUNT] = {
	[PFR0] = { 4, 0, FIELD(4) | FIELD(5) | FIELD(12), 0x11 },
	[PFR1] = { 4, 1, FIELD(1), 0 },
	[ISAR0] = { 6, 0, ~(FIELD(0) | FIELD(6) | FIELD(14)), 0 },
	[ISAR1] = { 6, 1,
		    FIELD(0) | FIELD(3) | FIELD(4) | FIELD(5) | FIELD(8) | FIELD(9) | FIELD(11) |
			    FIELD(12) | FIELD(13),
		    0 },
	[ISAR2] = { 6, 2, FIELD(0) | FIELD(1), 0 },
	[MMFR0] = { 7, 0, FIELD(15), 0 },
	[MMFR1] = { 7, 1, FIELD(11), 0 },
	[MMFR2] = { 7, 2, FIELD(8), 0 },
};

/* A capability that user space has when a (signed or unsigned) field reaches a value. */
static const struct {
	u8 reg, shift, minimum;
	bool is_signed, second;
	u64 capability;
} capabilities[] = {
	{ PFR0, 16, 0, true, false, HWCAP_FP },
	{ PFR0, 16, 1, true, false, HWCAP_FPHP },
	{ PFR0, 20, 0, true, false, HWCAP_ASIMD },
	{ PFR0, 20, 1, true, false, HWCAP_ASIMDHP },
	{ PFR0, 48, 1, false, false, HWCAP_DIT },
	{ PFR1, 4, 2, false, false, HWCAP_SSBS },
	{ ISAR0, 4, 1, false, false, HWCAP_AES },
	{ ISAR0, 4, 2, false, false, HWCAP_PMULL },
	{ ISAR0, 8, 1, false, false, HWCAP_SHA1 },
	{ ISAR0, 12, 1, false, false, HWCAP_SHA2 },
	{ ISAR0, 12, 2, false, false, HWCAP_SHA512 },
	{ ISAR0, 16, 1, false, false, HWCAP_CRC32 },
	{ ISAR0, 20, 2, false, false, HWCAP_ATOMICS },
	{ ISAR0, 28, 1, false, false, HWCAP_ASIMDRDM },
	{ ISAR0, 32, 1, false, false, HWCAP_SHA3 },
	{ ISAR0, 36, 1, false, false, HWCAP_SM3 },
	{ ISAR0, 40, 1, false, false, HWCAP_SM4 },
	{ ISAR0, 44, 1, false, false, HWCAP_ASIMDDP },
	{ ISAR0, 48, 1, false, false, HWCAP_ASIMDFHM },
	{ ISAR0, 52, 1, false, false, HWCAP_FLAGM },
	{ ISAR0, 52, 2, false, true, HWCAP2_FLAGM2 },
	{ ISAR0, 60, 1, false, true, HWCAP2_RNG },
	{ ISAR1, 0, 1, false, false, HWCAP_DCPOP },
	{ ISAR1, 0, 2, false, true, HWCAP2_DCPODP },
	{ ISAR1, 12, 1, false, false, HWCAP_JSCVT },
	{ ISAR1, 16, 1, false, false, HWCAP_FCMA },
	{ ISAR1, 20, 1, false, false, HWCAP_LRCPC },
	{ ISAR1, 20, 2, false, false, HWCAP_ILRCPC },
	{ ISAR1, 32, 1, false, true, HWCAP2_FRINT },
	{ ISAR1, 36, 1, false, false, HWCAP_SB },
	{ ISAR1, 44, 1, false, true, HWCAP2_BF16 },
	{ ISAR1, 48, 1, false, true, HWCAP2_DGH },
	{ ISAR1, 52, 1, false, true, HWCAP2_I8MM },
	{ MMFR2, 32, 1, false, false, HWCAP_USCAT },
};

static void read_id_registers(void)
{
	id_values[PFR0] = read_sysreg(id_aa64pfr0_el1);
	id_values[PFR1] = read_sysreg(id_aa64pfr1_el1);
	id_values[ISAR0] = read_sysreg(id_aa64isar0_el1);
	id_values[ISAR1] = read_sysreg(id_aa64isar1_el1);
	id_values[ISAR2] = read_sysreg(S3_0_C0_C6_2);
	id_values[MMFR0] = read_sysreg(id_aa64mmfr0_el1);
	id_values[MMFR1] = read_sysreg(id_aa64mmfr1_el1);
	id_values[MMFR2] = read_sysreg(id_aa64mmfr2_el1);
}

static void find_capabilities(void)
{
	hwcap = HWCAP_CPUID;
	for (unsigned i = 0; i < ARRAY_SIZE(capabilities); i++) {
		typeof(capabilities[0]) *c = &capabilities[i];
		int field = (int)(id_values[c->reg] >> c->shift & 0xf);

		if (c->is_signed && field >= 8)
			field -= 16;
		if (field < c->minimum)
			continue;
		if (c->second)
			hwcap2 |= c->capability;
		else
			hwcap |= c->capability;
	}
}

/* Puts the PAN instructions of uaccess.S in place through a writable view of the text that then
 * goes away. */
static void patch_pan_sites(void)
{
	size_t size = (size_t)(__text_end - __text_start);
	char *view = early_map_view(image_to_phys(__text_start), size);

	if (!view)
		panic("no room to patch the kernel");
	for (const struct pan_site *s = __pan_sites_start; s < __pan_sites_end; s++) {
		vaddr_t address = (vaddr_t)&s->site + (vaddr_t)(s64)s->site;

		*(u32 *)(view + (address - (vaddr_t)__text_start)) = s->instruction;
	}
	arch_sync_icache(view, size);
	early_unmap_view();
	arch_sync_icache(__text_start, size);
}

/* From here on the kernel can touch user memory only between user_begin and user_end of uaccess.S.
 */
static void set_pan(void)
{
	if (cpu_features.pan)
		asm volatile(".arch_extension pan\n\tmsr pan, #1");
}

void cpu_features_init(void)
{
	read_id_registers();
	find_capabilities();
	cpu_features.asid_bits = (id_values[MMFR0] >> 4 & 0xf) == 2 ? 16 : 8;
	cpu_features.random = hwcap2 & HWCAP2_RNG;
	cpu_features.pan = id_values[MMFR1] >> 20 & 0xf;
	if (cpu_features.pan)
		patch_pan_sites();
	cpu_features_init_secondary();
}

void cpu_features_init_secondary(void)
{
	this_cpu(cpu_midr) = read_sysreg(midr_el1);
	set_pan();
}

/* Entropy from the boot loader, which it has from a better source than what a CPU without RNDR offers. */
static void take_random_seed(void)
{
	u32 size;
	const void *seed = device_tree_property(&firmware_tree,
						device_tree_find_path(&firmware_tree, "/chosen"),
						"rng-seed", &size);

	if (seed)
		random_add_seed(seed, size);
}

/* The rest is done before kernel_main already: nothing here needs memory. The log can be written to only
 * now. */
void arch_cpu_init(void)
{
	take_random_seed();
	log_info("CPU: MIDR %08x, %u-bit ASIDs%s%s", (unsigned)this_cpu(cpu_midr),
		 cpu_features.asid_bits, cpu_features.pan ? ", PAN" : "",
		 mmu_hardware_dirty ? ", hardware dirty state" : "");
}

/* Reads of ID registers are how programs find features where there is no getauxval(3). */
bool cpu_emulate_id_read(struct trap_frame *frame, u32 instruction)
{
	u32 crm = instruction >> 8 & 0xf, op2 = instruction >> 5 & 7, rt = instruction & 31;
	u64 value = 0;

	/* MRS <Xt>, S3_0_C0_<crm>_<op2> */
	if ((instruction & 0xfffff000) != 0xd5380000)
		return false;
	if (crm == 0 && op2 == 0)
		value = this_cpu(cpu_midr);
	else if (crm == 0 && op2 == 5)
		value = BIT(31); /* MPIDR without an affinity: threads move */
	else if (crm == 0 && op2 == 6)
		value = read_sysreg(revidr_el1);
	else if (crm < 4 || crm > 7)
		return false;
	for (unsigned i = 0; i < ID_COUNT; i++)
		if (id_info[i].crm == crm && id_info[i].op2 == op2)
			value = (id_values[i] & id_info[i].visible) | id_info[i].fixed;
	if (rt != 31)
		frame->regs[rt] = value;
	return true;
}

u64 arch_hwcap(void)
{
	return hwcap;
}

u64 arch_hwcap2(void)
{
	return hwcap2;
}

bool arch_random(u64 *out)
{
	u64 ok;

	if (!cpu_features.random)
		return false;
	asm volatile("mrs %0, S3_3_C2_C4_0\n\tcset %1, ne" : "=r"(*out), "=r"(ok) : : "cc");
	return ok;
}

void arch_percpu_set(unsigned long offset)
{
	write_sysreg(tpidr_el1, offset);
}

void arch_idle(void)
{
	/* A masked interrupt that is pending ends the wait too, so none is lost. */
	asm volatile("dsb sy\n\twfi" ::: "memory");
	arch_irq_enable();
}

void arch_halt(void)
{
	asm volatile("msr daifset, #15");
	for (;;)
		asm volatile("wfi");
}

/* The names of the capabilities in the order of their bits; null: not a name of /proc/cpuinfo. */
static const char *const hwcap_names[] = {
	"fp",	   "asimd", "evtstrm", "aes",	"pmull",    "sha1",   "sha2", "crc32",
	"atomics", "fphp",  "asimdhp", "cpuid", "asimdrdm", "jscvt",  "fcma", "lrcpc",
	"dcpop",   "sha3",  "sm3",     "sm4",	"asimddp",  "sha512", "sve",  "asimdfhm",
	"dit",	   "uscat", "ilrcpc",  "flagm", "ssbs",	    "sb",     "paca", "pacg",
};
static const char *const hwcap2_names[] = {
	"dcpodp",  "sve2",   "sveaes", "svepmull", "svebitperm", "svesha3",
	"svesm4",  "flagm2", "frint",  "svei8mm",  "svef32mm",	 "svef64mm",
	"svebf16", "i8mm",   "bf16",   "dgh",	   "rng",
};

static int print_names(char *buf, size_t size, u64 bits, const char *const *names, unsigned count)
{
	int length = 0;

	for (unsigned i = 0; i < count; i++) {
		size_t left = (size_t)length < size ? size - (size_t)length : 0;

		if (bits >> i & 1)
			length += snprintf(left ? buf + length : nullptr, left, " %s", names[i]);
	}
	return length;
}

int arch_cpuinfo(unsigned cpu, char *buf, size_t size)
{
	u64 midr = per_cpu(cpu_midr, cpu), frequency = read_sysreg(cntfrq_el0);
	char features[512];
	int length = print_names(features, sizeof(features), hwcap, hwcap_names,
				 ARRAY_SIZE(hwcap_names));

	print_names(features + length, sizeof(features) - (size_t)length, hwcap2, hwcap2_names,
		    ARRAY_SIZE(hwcap2_names));
	/* Programs know the two decimals of a figure that is the timer's frequency in 500 kHz. */
	return snprintf(buf, size,
			"processor\t: %u\nBogoMIPS\t: %llu.%02llu\nFeatures\t:%s\n"
			"CPU implementer\t: 0x%02x\nCPU architecture: 8\nCPU variant\t: 0x%x\n"
			"CPU part\t: 0x%03x\nCPU revision\t: %u\n\n",
			cpu, (unsigned long long)(frequency / 500000),
			(unsigned long long)(frequency / 5000 % 100), features,
			(unsigned)(midr >> 24 & 0xff), (unsigned)(midr >> 20 & 0xf),
			(unsigned)(midr >> 4 & 0xfff), (unsigned)(midr & 0xf));
}
