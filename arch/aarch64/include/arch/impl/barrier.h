/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Barriers and device access of aarch64 (Arm ARM, B2.3 and D13). */
#pragma once

#include <lib/types.h>

#define barrier() asm volatile("" ::: "memory")
#define arch_mb() asm volatile("dsb sy" ::: "memory")
#define arch_rmb() asm volatile("dsb ld" ::: "memory")
#define arch_wmb() asm volatile("dsb st" ::: "memory")

/*
 * A device read is ordered before everything that follows, a device write after all memory writes
 * before it (a DMA buffer is complete before the doorbell rings). Written in assembler because a
 * hypervisor can only emulate loads and stores without write-back.
 */
#define MMIO_ACCESSORS(bits, suffix, width)                                                        \
	static inline u##bits mmio_read##bits(const volatile void *address)                        \
	{                                                                                          \
		u##bits value;                                                                     \
		asm volatile("ldr" suffix " %" width "0, [%1]\n\tdmb oshld"                        \
			     : "=r"(value)                                                         \
			     : "r"(address)                                                        \
			     : "memory");                                                          \
		return value;                                                                      \
	}                                                                                          \
	static inline void mmio_write##bits(volatile void *address, u##bits value)                 \
	{                                                                                          \
		asm volatile("dmb oshst\n\tstr" suffix " %" width "0, [%1]"                        \
			     :                                                                     \
			     : "r"(value), "r"(address)                                            \
			     : "memory");                                                          \
	}
MMIO_ACCESSORS(8, "b", "w")
MMIO_ACCESSORS(16, "h", "w")
MMIO_ACCESSORS(32, "", "w")
MMIO_ACCESSORS(64, "", "x")
#undef MMIO_ACCESSORS
