/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ordering against devices, and MMIO, on x86_64. */
#pragma once

static inline void barrier(void)
{
	asm volatile("" ::: "memory");
}
static inline void arch_mb(void)
{
	asm volatile("mfence" ::: "memory");
}
static inline void arch_rmb(void)
{
	asm volatile("lfence" ::: "memory");
}
static inline void arch_wmb(void)
{
	asm volatile("sfence" ::: "memory");
}

/* One plain MOV each: device memory is mapped uncached, so the accesses stay in program order. */
#define X86_MMIO(bits, suffix)                                                                     \
	static inline u##bits mmio_read##bits(const volatile void *address)                        \
	{                                                                                          \
		u##bits value;                                                                     \
		asm volatile("mov" suffix " %1, %0"                                                \
			     : "=r"(value)                                                         \
			     : "m"(*(const volatile u##bits *)address)                             \
			     : "memory");                                                          \
		return value;                                                                      \
	}                                                                                          \
	static inline void mmio_write##bits(volatile void *address, u##bits value)                 \
	{                                                                                          \
		asm volatile("mov" suffix " %1, %0"                                                \
			     : "=m"(*(volatile u##bits *)address)                                  \
			     : "r"(value)                                                          \
			     : "memory");                                                          \
	}
X86_MMIO(8, "b")
X86_MMIO(16, "w")
X86_MMIO(32, "l")
X86_MMIO(64, "q")
#undef X86_MMIO
