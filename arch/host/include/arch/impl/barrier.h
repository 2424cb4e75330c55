/* SPDX-License-Identifier: GPL-2.0-or-later */
/* No devices here: only the compiler needs to be told. */
#pragma once

static inline void barrier(void)
{
	asm volatile("" ::: "memory");
}
static inline void arch_mb(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
static inline void arch_rmb(void)
{
	arch_mb();
}
static inline void arch_wmb(void)
{
	arch_mb();
}
