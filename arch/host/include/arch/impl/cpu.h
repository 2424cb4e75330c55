/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One CPU and one thread: a test is a plain function call in a process. */
#pragma once

extern struct thread boot_thread;

static inline struct thread *arch_current(void)
{
	return &boot_thread;
}
static inline unsigned long arch_percpu_offset(void)
{
	return 0;
}
static inline void arch_pause(void)
{
}
static inline u64 arch_cycles(void)
{
	return __builtin_readcyclecounter();
}
