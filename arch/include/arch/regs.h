/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contract: registers in the layout of ptrace(2) and core files. <arch/impl/regs.h> provides
 * `struct arch_user_regs` (user_regs_struct / user_pt_regs of the uapi).
 */
#pragma once

#include <lib/types.h>

struct trap_frame;
struct arch_thread;

/* Prints the registers of a frame to the log, for panics. */
void arch_frame_print(const struct trap_frame *frame);

/*
 * Calls visit(pc, arg) for each return address of a kernel stack, innermost first, until it returns false:
 * of the frame if not null, else of the caller. Never faults: frame pointers are checked to lie in
 * the stack.
 */
void arch_backtrace(const struct trap_frame *frame, bool (*visit)(vaddr_t pc, void *arg),
		    void *arg);

/* The same for a thread that is not running. */
void arch_backtrace_thread(const struct arch_thread *at, bool (*visit)(vaddr_t pc, void *arg),
			   void *arg);
