/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contract: the registers saved at an entry from user space or at an exception in the kernel.
 * <arch/impl/frame.h> defines `struct trap_frame` (what the entry code pushed) and as inlines:
 *
 *   bool  frame_from_user(const struct trap_frame *f)
 *   u64   frame_pc(f), frame_sp(f), frame_return_value(f)
 *   void  frame_set_pc(f, pc), frame_set_sp(f, sp), frame_set_return_value(f, v)
 *   u64   frame_syscall_number(f)    as the program passed it
 *   u64   frame_argument(f, i)       system call argument 0..5, as the program passed it: still
 *                                    true after frame_set_return_value (aarch64 keeps orig_x0)
 *   void  frame_set_argument(f, i, value)   what the program finds in that register, 1..5
 *   void  frame_restart_syscall(f)   make the return to user space execute the same system call again:
 *                                    pc back by the instruction, number and first argument restored
 *   void  frame_restart_syscall_as(f, number)   the same with another number (restart_syscall)
 *   bool  frame_in_syscall(f)        the entry was a system call, and its result is not consumed
 *   void  frame_end_syscall(f)       from here on frame_in_syscall is false
 *   void  frame_trace_enter(f)       before a tracer sees the entry of a system call
 *   void  frame_trace_entered(f)     after it: arguments that it changed are the program's
 *   void  frame_undo_syscall(f)      registers as the program had them before the call
 *   void  frame_clear_step(f)        no trap after one instruction, in a copy for a new thread
 *   void  frame_init_user(f, pc, sp) a fresh user context: all registers zero, interrupts on
 *   void  frame_set_call_argument(f, i, value)   argument 0..3 of a C function that begins at pc
 *   struct trap_frame *thread_user_frame(void *kstack_top)  where a user thread's frame lies
 *
 * Nobody else touches registers.
 */
#pragma once

#include <lib/types.h>

#include <arch/impl/frame.h>
