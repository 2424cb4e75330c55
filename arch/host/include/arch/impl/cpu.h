/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One CPU and one thread: a test is a plain function call in a process. With HOST_THREADS it may start threads (threads.c). */
#pragma once

extern struct thread boot_thread;
#ifdef HOST_THREADS
#define HOST_PER_THREAD _Thread_local
extern _Thread_local struct thread *host_thread;
void host_yield(void);
#else
#define HOST_PER_THREAD
#define host_thread (&boot_thread)
static inline void host_yield(void)
{
}
#endif

static inline struct thread *arch_current(void)
{
	return host_thread;
}
static inline unsigned long arch_percpu_offset(void)
{
	return 0;
}
static inline void arch_pause(void)
{
	host_yield();
}
static inline u64 arch_cycles(void)
{
	return __builtin_readcyclecounter();
}
