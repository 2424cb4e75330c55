/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contract: switching between threads. <arch/impl/thread.h> defines `struct arch_thread`, embedded
 * in struct thread: the saved kernel stack pointer, user TLS registers, FPU state.
 *
 * FPU: user state only. The kernel is compiled without FPU instructions, so the state is switched
 * with the thread, eagerly or lazily as the architecture likes; nobody else sees it.
 */
#pragma once

#include <lib/types.h>

#include <arch/impl/thread.h>

struct thread;
struct trap_frame;

/*
 * Prepares `at` so that the first switch to it calls entry(arg) on the stack whose top is
 * `kstack_top`, with interrupts masked as arch_switch has them: entry ends the switch and unmasks. The stack's
 * top holds room for a struct trap_frame, which is zeroed.
 */
void arch_thread_init(struct arch_thread *at, void *kstack_top, void (*entry)(void *), void *arg);

/*
 * Switches from the current thread to `next`: stack, callee-saved registers, FPU, TLS, arch_current().
 * Returns, when the former thread runs again, the thread that ran before it. Interrupts are masked.
 * Does not touch the address space.
 */
struct thread *arch_switch(struct thread *prev, struct thread *next);

/*
 * Copies user registers that are not in the frame (FPU, TLS) from the current thread to a new one,
 * for fork and clone. Returns 0 or -ENOMEM.
 */
[[nodiscard]] int arch_thread_copy_user(struct arch_thread *to, struct arch_thread *from);

/* Resets FPU and TLS registers of the current thread to their initial state, for exec. */
void arch_thread_reset_user(struct arch_thread *at);

/* Frees what arch_thread_init and arch_thread_copy_user allocated. */
void arch_thread_destroy(struct arch_thread *at);

/* Sets the user TLS pointer (FS base, TPIDR_EL0); `at` is the current thread's or one not yet running. */
void arch_thread_set_tls(struct arch_thread *at, u64 tls);

/*
 * Leaves the kernel for user space with the registers in the frame at the top of the current
 * kernel stack. The last step of a new user thread's entry function. Runs trap_exit_to_user first.
 */
[[noreturn]] void arch_enter_user(void);

/* arch_prctl(2): x86_64 FS/GS base; other architectures return -ENOSYS. */
long arch_prctl(int code, u64 address);
