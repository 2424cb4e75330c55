/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User registers that debuggers see and that are not in the frame: debug registers (Intel SDM volume 3, 18.2), bases. */
#pragma once

#include <arch/thread.h>

/* Loads the breakpoints of the thread that is about to run, or switches breakpoints off. Interrupts are masked. */
void x86_debug_load(const struct arch_thread *at);

/* The current thread forgets its breakpoints. */
void x86_debug_reset(struct arch_thread *at);

/* Reads the current thread's FS and GS base into `at`. Interrupts are masked. */
void x86_user_bases_save(struct arch_thread *at);
