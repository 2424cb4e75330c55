/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUID, control registers, and what depends on them. Nothing that -cpu qemu64 lacks is required.
 */
#include <arch/layout.h>
#include <lib/string.h>

#include "boot.h"
#include "cpu_features.h"
#include "fpu.h"
#include "x86.h"

struct x86_features x86_features;

/* Made by smap.h. */
struct smap_site {
	s32 address; /* relative to its own place */
	u8 byte3, unused[3];
};
extern const struct smap_site __smap_sites_start[], __smap_sites_end[];

/* Write back, write combining, uncached-, uncached; twice. <arch/impl/mmu.h> relies on the second.
 */
#define PAT_VALUE 0x0007010600070106

/* The text is read-only where it is linked; the direct map is writable. */
static void smap_patch(void)
{
	for (const struct smap_site *s = __smap_sites_start; s < __smap_sites_end; s++) {
		vaddr_t address = (vaddr_t)&s->address + s->address;
		u8 *code = (u8 *)(DIRECT_MAP_BASE + address + x86_image_to_phys);
		code[1] = 0x01;
		code[2] = s->byte3;
	}
	cpuid(0, 0); /* serialises: the new bytes are fetched from now on */
}

void x86_features_detect(void)
{
	struct x86_features *f = &x86_features;
	struct cpuid leaf1 = cpuid(1, 0);
	u32 max_extended = cpuid(0x80000000, 0).eax;

	f->max_leaf = cpuid(0, 0).eax;
	f->cpuid1_edx = leaf1.edx;
	f->pge = leaf1.edx & BIT(13);
	f->pat = leaf1.edx & BIT(16);
	f->x2apic = leaf1.ecx & BIT(21);
	f->tsc_deadline = leaf1.ecx & BIT(24);
	f->xsave = leaf1.ecx & BIT(26);
	f->rdrand = leaf1.ecx & BIT(30);
	f->hypervisor = leaf1.ecx & BIT(31);
	f->rdtscp = cpuid(0x80000001, 0).edx & BIT(27);
	f->page1g = cpuid(0x80000001, 0).edx & BIT(26);
	if (f->max_leaf >= 7) {
		struct cpuid leaf7 = cpuid(7, 0);
		f->fsgsbase = leaf7.ebx & BIT(0);
		f->smep = leaf7.ebx & BIT(7);
		f->avx512 = leaf7.ebx & BIT(16);
		f->smap = leaf7.ebx & BIT(20);
		f->umip = leaf7.ecx & BIT(2);
	}
	if (f->xsave) {
		f->avx = leaf1.ecx & BIT(28);
		f->xsaveopt = cpuid(0xd, 1).eax & BIT(0);
	}
	if (max_extended >= 0x80000007)
		f->invariant_tsc = cpuid(0x80000007, 0).edx & BIT(8);
	if (f->smap)
		smap_patch();
}

void x86_features_enable(void)
{
	const struct x86_features *f = &x86_features;
	u64 cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_MCE;

	cr4 |= f->pge ? CR4_PGE : 0;
	cr4 |= f->umip ? CR4_UMIP : 0;
	cr4 |= f->fsgsbase ? CR4_FSGSBASE : 0;
	cr4 |= f->xsave ? CR4_OSXSAVE : 0;
	cr4 |= f->smep ? CR4_SMEP : 0;
	cr4 |= f->smap ? CR4_SMAP : 0;
	cr4_write(cr4);
	cr0_write(CR0_KERNEL);
	if (f->pat)
		msr_write(MSR_PAT, PAT_VALUE);
	x86_fpu_enable();
}

void x86_cpu_number_set(unsigned cpu)
{
	if (x86_features.rdtscp)
		msr_write(MSR_TSC_AUX, cpu);
}
