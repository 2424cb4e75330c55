/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The strace in the kernel: what system calls of chosen programs do, in the kernel log. */
#pragma once

#include <lib/types.h>

struct trap_frame;

/*
 * True when `strace=` is on the command line; the dispatcher then reports every call to the functions below, which
 * choose by the program's name.
 */
extern bool strace_enabled;

/*
 * Before a call: logs one that may not return (exit, execve), or every call when `strace_entry` is on the command
 * line. May sleep.
 */
void strace_enter(const struct trap_frame *frame);

/* After a call: logs it with its arguments and result. May sleep. */
void strace_leave(const struct trap_frame *frame, long result);
