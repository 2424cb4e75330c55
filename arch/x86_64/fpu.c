/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FPU state: XSAVE if there is, else FXSAVE (Intel SDM volume 1, chapter 13). Theory in fpu.h. */
#include <arch/frame.h>
#include <core/panic.h>
#include <core/percpu.h>
#include <lib/string.h>

#include <asm/sigcontext.h>

#include "cpu_features.h"
#include "fpu.h"
#include "x86.h"

#define XCR0_X87 BIT(0)
#define XCR0_SSE BIT(1)
#define XCR0_AVX BIT(2)
#define XCR0_AVX512 (BIT(5) | BIT(6) | BIT(7))

#define FXSAVE_SIZE 512
#define XSAVE_HEADER_SIZE 64
#define FXSAVE_CONTROL_WORD 0
#define FXSAVE_MXCSR 24
#define FXSAVE_MXCSR_MASK 28
#define INITIAL_CONTROL_WORD 0x37f
#define INITIAL_MXCSR 0x1f80
#define DEFAULT_MXCSR_MASK 0xffbf

u32 x86_fpu_size = FXSAVE_SIZE;
u64 x86_fpu_features;
static u32 mxcsr_mask = DEFAULT_MXCSR_MASK;

/* The thread whose state was loaded last, while nothing else changed the registers. */
static DEFINE_PER_CPU(const struct arch_thread *, fpu_owner);

static void xcr0_write(u64 value)
{
	asm volatile("xsetbv" : : "a"((u32)value), "d"((u32)(value >> 32)), "c"(0));
}

/* The largest set of features whose state fits into the area. */
static u64 features_choose(void)
{
	u64 supported = cpuid(0xd, 0).eax;
	u64 base = XCR0_X87 | XCR0_SSE | (x86_features.avx ? supported & XCR0_AVX : 0);
	u64 large = base | XCR0_AVX512;

	if (x86_features.avx512 && (supported & large) == large) {
		xcr0_write(large);
		if (cpuid(0xd, 0).ebx <= X86_FPU_AREA_SIZE)
			return large;
	}
	return base;
}

static void mxcsr_mask_read(void)
{
	static u8 probe[FXSAVE_SIZE] __aligned(16);
	asm volatile("fxsave %0" : "=m"(probe));
	u32 mask = *(u32 *)(probe + FXSAVE_MXCSR_MASK);
	if (mask)
		mxcsr_mask = mask;
}

void x86_fpu_enable(void)
{
	if (x86_features.xsave) {
		if (!x86_fpu_features)
			x86_fpu_features = features_choose();
		xcr0_write(x86_fpu_features);
		x86_fpu_size = cpuid(0xd, 0).ebx;
	}
	mxcsr_mask_read();
	asm volatile("fninit");
}

void x86_fpu_init_memory(void *area)
{
	memset(area, 0, x86_fpu_size);
	*(u16 *)((u8 *)area + FXSAVE_CONTROL_WORD) = INITIAL_CONTROL_WORD;
	*(u32 *)((u8 *)area + FXSAVE_MXCSR) = INITIAL_MXCSR;
	x86_fpu_mark_layout(area);
}

void x86_fpu_mark_layout(void *area)
{
	struct _fpstate_64 *fxsave = area;
	if (x86_fpu_features)
		fxsave->sw_reserved = (struct _fpx_sw_bytes){
			.magic1 = FP_XSTATE_MAGIC1,
			.extended_size = x86_fpu_size + FP_XSTATE_MAGIC2_SIZE,
			.xfeatures = x86_fpu_features,
			.xstate_size = x86_fpu_size,
		};
}

void x86_fpu_mark_legacy(void *area)
{
	if (x86_fpu_features)
		*(u64 *)((u8 *)area + FXSAVE_SIZE) = XCR0_X87 | XCR0_SSE;
}

void x86_fpu_save(void *area)
{
	if (x86_fpu_features)
		asm volatile("xsave64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
	else
		asm volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

void x86_fpu_load(const void *area)
{
	if (x86_fpu_features)
		asm volatile("xrstor64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
	else
		asm volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

bool x86_fpu_sanitize(void *area)
{
	u8 *bytes = area;
	u64 *header = (u64 *)(bytes + FXSAVE_SIZE);

	*(u32 *)(bytes + FXSAVE_MXCSR) &= mxcsr_mask;
	if (!x86_fpu_features)
		return true;
	header[0] &= x86_fpu_features;
	for (unsigned i = 1; i < XSAVE_HEADER_SIZE / 8; i++) {
		if (header[i])
			return false;
	}
	return true;
}

void x86_fpu_switch_out(struct arch_thread *from)
{
	if (from->fpu_detached)
		return;
	/* XSAVEOPT may be used: every load was from this same area, and the area is whole. */
	if (x86_features.xsaveopt)
		asm volatile("xsaveopt64 (%0)" : : "r"(from->fpu), "a"(~0u), "d"(~0u) : "memory");
	else
		x86_fpu_save(from->fpu);
}

void x86_fpu_switch_in(struct arch_thread *to)
{
	unsigned cpu = cpu_id();
	if (to->fpu_detached || (this_cpu(fpu_owner) == to && to->fpu_cpu == cpu))
		return;
	x86_fpu_load(to->fpu);
	this_cpu(fpu_owner) = to;
	to->fpu_cpu = cpu;
}
