/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/cpuinfo in Linux's format. Flags are named as Linux names them, the ones that programs look
 * for. */
#include <arch/cpu.h>
#include <arch/smp.h>
#include <lib/format.h>
#include <lib/string.h>

#include "acpi.h"
#include "timer.h"
#include "x86.h"

/* Names by bit, null where there is none: CPUID 1 EDX and ECX, 7 EBX, 0x80000001 EDX and ECX. */
static const char *const names_1_edx[32] = {
	"fpu",	"vme",	"de",	"pse", "tsc",  "msr", "pae",   "mce", "cx8",	 "apic",  nullptr,
	"sep",	"mtrr", "pge",	"mca", "cmov", "pat", "pse36", "pn",  "clflush", nullptr, "dts",
	"acpi", "mmx",	"fxsr", "sse", "sse2", "ss",  "ht",    "tm",  "ia64",	 "pbe",
};
static const char *const names_1_ecx[32] = {
	"pni",	  "pclmulqdq",	"dtes64", "monitor", "ds_cpl",
	"vmx",	  "smx",	"est",	  "tm2",     "ssse3",
	"cid",	  nullptr,	"fma",	  "cx16",    "xtpr",
	"pdcm",	  nullptr,	"pcid",	  "dca",     "sse4_1",
	"sse4_2", "x2apic",	"movbe",  "popcnt",  "tsc_deadline_timer",
	"aes",	  "xsave",	nullptr,  "avx",     "f16c",
	"rdrand", "hypervisor",
};
static const char *const names_7_ebx[32] = {
	"fsgsbase",   "tsc_adjust", nullptr,	  "bmi1",     "hle",	"avx2",	    nullptr,
	"smep",	      "bmi2",	    "erms",	  "invpcid",  "rtm",	nullptr,    nullptr,
	"mpx",	      nullptr,	    "avx512f",	  "avx512dq", "rdseed", "adx",	    "smap",
	"avx512ifma", nullptr,	    "clflushopt", "clwb",     nullptr,	"avx512pf", "avx512er",
	"avx512cd",   "sha_ni",	    "avx512bw",	  "avx512vl",
};
static const char *const names_ext_edx[32] = {
	[11] = "syscall", [19] = "mp",	   [20] = "nx", [22] = "mmxext",   [25] = "fxsr_opt",
	[26] = "pdpe1gb", [27] = "rdtscp", [29] = "lm", [30] = "3dnowext", [31] = "3dnow",
};
static const char *const names_ext_ecx[32] = {
	[0] = "lahf_lm", [1] = "cmp_legacy", [2] = "svm",	  [4] = "cr8_legacy",
	[5] = "abm",	 [6] = "sse4a",	     [7] = "misalignsse", [8] = "3dnowprefetch",
};

struct text {
	char *buf;
	size_t size, length;
};

static void add(struct text *t, const char *fmt, ...) __printf(2, 3);
static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	size_t at = MIN(t->length, t->size);

	va_start(ap, fmt);
	t->length += vsnprintf(t->buf + at, t->size - at, fmt, ap);
	va_end(ap);
}

static void add_flags(struct text *t, u32 bits, const char *const names[32])
{
	for (unsigned i = 0; i < 32; i++) {
		if ((bits >> i & 1) && names[i])
			add(t, " %s", names[i]);
	}
}

static void brand(char out[49])
{
	string_copy(out, "unknown", 49);
	if (cpuid(0x80000000, 0).eax < 0x80000004)
		return;
	for (u32 i = 0; i < 3; i++) {
		struct cpuid part = cpuid(0x80000002 + i, 0);
		memcpy(out + 16 * i, &part, 16);
	}
	out[48] = 0;
}

static void add_identity(struct text *t)
{
	struct cpuid leaf0 = cpuid(0, 0), leaf1 = cpuid(1, 0);
	u32 vendor[4] = { leaf0.ebx, leaf0.edx, leaf0.ecx, 0 };
	u32 family = leaf1.eax >> 8 & 15, model = leaf1.eax >> 4 & 15;
	char name[49];

	if (family >= 6)
		model |= leaf1.eax >> 12 & 0xf0;
	if (family == 15)
		family += leaf1.eax >> 20 & 0xff;
	brand(name);
	add(t,
	    "vendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n",
	    (const char *)vendor, family, model, name, leaf1.eax & 15);
}

int arch_cpuinfo(unsigned cpu, char *buf, size_t size)
{
	struct text t = { buf, size, 0 };
	u64 khz = x86_tsc_khz();
	struct cpuid leaf1 = cpuid(1, 0), extended = cpuid(0x80000001, 0);

	add(&t, "processor\t: %u\n", cpu);
	add_identity(&t);
	add(&t, "cpu MHz\t\t: %llu.%03llu\n", (unsigned long long)khz / 1000,
	    (unsigned long long)khz % 1000);
	add(&t, "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n",
	    arch_cpu_count(), cpu, arch_cpu_count());
	add(&t,
	    "apicid\t\t: %u\nfpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: "
	    "yes\nflags\t\t:",
	    acpi_info.cpu_apic_id[cpu], cpuid(0, 0).eax);
	add_flags(&t, leaf1.edx, names_1_edx);
	add_flags(&t, extended.edx, names_ext_edx);
	add_flags(&t, leaf1.ecx, names_1_ecx);
	add_flags(&t, extended.ecx, names_ext_ecx);
	if (cpuid(0, 0).eax >= 7)
		add_flags(&t, cpuid(7, 0).ebx, names_7_ebx);
	add(&t, "\nbugs\t\t:\nbogomips\t: %llu.%02llu\nclflush size\t: %u\ncache_alignment\t: 64\n",
	    (unsigned long long)khz / 500, (unsigned long long)khz / 5 % 100,
	    (leaf1.ebx >> 8 & 0xff) * 8);
	add(&t, "address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n",
	    cpuid(0x80000008, 0).eax & 0xff, cpuid(0x80000008, 0).eax >> 8 & 0xff);
	return t.length;
}
