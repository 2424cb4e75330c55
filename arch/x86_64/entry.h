/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between entry.S and C: vectors, offsets, functions. */
#pragma once

#define VECTOR_DEBUG 1
#define VECTOR_NMI 2
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_PAGE_FAULT 14
#define VECTOR_MACHINE_CHECK 18
#define VECTOR_IRQ_FIRST 0x30 /* GSI n has vector VECTOR_IRQ_FIRST + n */
#define VECTOR_IRQ_LAST 0xdf
#define VECTOR_IPI 0xf0 /* + enum ipi */
#define VECTOR_TIMER 0xef
#define VECTOR_SPURIOUS 0xff

#define VECTOR_STUB_SIZE 16

/* Offsets in struct thread_base and struct arch_thread; thread.c asserts them. */
#define THREAD_PREEMPT_COUNT 0
#define THREAD_WORK 8
#define ARCH_THREAD_SP 0

/* The bits of thread_base.work that the way to user mode waits for. WORK_TRACE stays set. */
#define WORK_EXIT_MASK 15
#define WORK_RESCHEDULE_MASK 1

#ifndef __ASSEMBLY__
#include <arch/frame.h>

struct arch_thread;
struct thread;

extern const char x86_vector_stubs[];
void x86_syscall_entry(void);
void x86_thread_start(void);

/* Saves callee-saved registers and the stack pointer in `from`, loads those of `to`; returns
 * `prev`. */
struct thread *x86_switch_stack(struct arch_thread *from, struct arch_thread *to,
				struct thread *prev);

/* Called by entry.S with interrupts masked: exceptions, those that came on an IST stack,
 * interrupts. */
void x86_exception(unsigned vector, struct trap_frame *frame);
void x86_exception_ist(unsigned vector, struct trap_frame *frame);
void x86_interrupt(unsigned vector, struct trap_frame *frame);

/* The user program's rip is not canonical, so IRET would fault in the kernel. */
void x86_bad_user_pc(struct trap_frame *frame);

/* The user's stack pointer during the first instructions of a system call. Per CPU. */
extern u64 x86_user_sp;
#endif
