/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control registers, MSRs, ports and instructions of x86_64 (Intel SDM volumes 2 to 4, AMD APM 2).
 */
#pragma once

#define CR0_PE (1 << 0)
#define CR0_MP (1 << 1)
#define CR0_EM (1 << 2)
#define CR0_TS (1 << 3)
#define CR0_KERNEL 0x80050033 /* PG AM WP NE ET MP PE */

#define CR4_PAE (1 << 5)
#define CR4_MCE (1 << 6)
#define CR4_PGE (1 << 7)
#define CR4_OSFXSR (1 << 9)
#define CR4_OSXMMEXCPT (1 << 10)
#define CR4_UMIP (1 << 11)
#define CR4_FSGSBASE (1 << 16)
#define CR4_PCIDE (1 << 17)
#define CR4_OSXSAVE (1 << 18)
#define CR4_SMEP (1 << 20)
#define CR4_SMAP (1 << 21)

#define MSR_APIC_BASE 0x1b
#define MSR_PAT 0x277
#define MSR_TSC_AUX 0xc0000103
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC 0x800
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SYSCALL_MASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

#define EFER_SCE (1 << 0)
#define EFER_LME (1 << 8)
#define EFER_NXE (1 << 11)

#define FLAGS_CF (1 << 0)
#define FLAGS_TF (1 << 8)
#define FLAGS_IF (1 << 9)
#define FLAGS_DF (1 << 10)
#define FLAGS_IOPL (3 << 12)
#define FLAGS_NT (1 << 14)
#define FLAGS_RF (1 << 16)
#define FLAGS_AC (1 << 18)
#define FLAGS_ID (1 << 21)

#ifndef __ASSEMBLY__
#include <lib/types.h>

static inline u8 port_read8(u16 port)
{
	u8 value;
	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}
static inline u16 port_read16(u16 port)
{
	u16 value;
	asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}
static inline u32 port_read32(u16 port)
{
	u32 value;
	asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}
static inline void port_write8(u16 port, u8 value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
static inline void port_write16(u16 port, u16 value)
{
	asm volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}
static inline void port_write32(u16 port, u32 value)
{
	asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline u64 msr_read(u32 msr)
{
	u32 low, high;
	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (u64)high << 32 | low;
}
static inline void msr_write(u32 msr, u64 value)
{
	asm volatile("wrmsr" : : "a"((u32)value), "d"((u32)(value >> 32)), "c"(msr) : "memory");
}

struct cpuid {
	u32 eax, ebx, ecx, edx;
};
static inline struct cpuid cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid r;
	asm volatile("cpuid"
		     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
		     : "a"(leaf), "c"(subleaf));
	return r;
}

#define X86_CONTROL_REGISTER(name)                                                                 \
	static inline u64 name##_read(void)                                                        \
	{                                                                                          \
		u64 value;                                                                         \
		asm volatile("movq %%" #name ", %0" : "=r"(value));                                \
		return value;                                                                      \
	}                                                                                          \
	static inline void name##_write(u64 value)                                                 \
	{                                                                                          \
		asm volatile("movq %0, %%" #name : : "r"(value) : "memory");                       \
	}
X86_CONTROL_REGISTER(cr0)
X86_CONTROL_REGISTER(cr2)
X86_CONTROL_REGISTER(cr3)
X86_CONTROL_REGISTER(cr4)
#undef X86_CONTROL_REGISTER
#endif
