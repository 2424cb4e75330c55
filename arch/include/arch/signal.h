/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Contract: the signal frame on the user stack, with exactly Linux's layout of the architecture. */
#pragma once

#include <lib/types.h>

#include <asm/siginfo.h>
#include <asm/signal.h>

struct trap_frame;

/* What a handler call needs; the generic code (proc/signal.c) filled it in. */
struct signal_frame_request {
	int signo;
	siginfo_t info;
	vaddr_t handler;
	vaddr_t restorer; /* sa_restorer; 0: the architecture's own trampoline (aarch64: the vDSO page) */
	u64 flags;	  /* SA_* */
	u64 saved_mask;	  /* goes into uc_sigmask */
	stack_t altstack; /* current settings, for uc_stack */
	vaddr_t stack;	  /* where to build: the alternate stack's top, or the frame's sp */
};

/*
 * Builds the frame in user memory and points *frame at the handler. Returns 0, or -EFAULT with the
 * frame unchanged (the caller forces SIGSEGV).
 */
[[nodiscard]] int arch_signal_push(struct trap_frame *frame,
				   const struct signal_frame_request *req);

/*
 * rt_sigreturn(2): restores registers, FPU state from the frame at the user stack pointer; returns the mask
 * and the alternate stack to reinstate. Register values are made safe (privileged bits). -EFAULT on a bad frame.
 */
[[nodiscard]] int arch_signal_pop(struct trap_frame *frame, u64 *mask, stack_t *altstack);

/* The bytes of stack that a signal frame takes at most (AT_MINSIGSTKSZ). */
size_t arch_signal_stack_min(void);
