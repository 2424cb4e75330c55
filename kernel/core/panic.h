/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel bugs. A user error is an errno or a signal, never one of these. */
#pragma once

#include <lib/types.h>

struct arch_thread;
struct trap_frame;

/*
 * Stops everything: prints the message, a symbolised backtrace and, after the time that panic= gives (0: halt for
 * ever; < 0: at once), reboots.
 */
[[noreturn]] void panic(const char *fmt, ...) __printf(1, 2) __cold;

[[noreturn]] void assert_failed(const char *expression, const char *file, int line) __cold;

/* What must hold. Checked in every build. */
#define ASSERT(e) ((void)(likely(e) || (assert_failed(#e, __FILE_NAME__, __LINE__), 0)))

/* Costly or very frequent checks: only in a debug build (DEBUG=1). */
#ifdef CONFIG_DEBUG
#define DASSERT(e) ASSERT(e)
#else
#define DASSERT(e) ((void)sizeof(!(e)))
#endif

/* Prints a backtrace of the current thread to the log. */
void backtrace_print(const struct trap_frame *frame);
/* The same of a thread that does not run, without a heading. */
void backtrace_print_thread(const struct arch_thread *at);

/*
 * The function that contains `pc`: returns its name and stores the offset in it, or returns null. The table is made
 * from the linked image (tools/ksyms) and linked into it again.
 */
const char *ksym_lookup(vaddr_t pc, u64 *offset, u64 *size);

/* The functions one after the other: *cursor is 0 at first. Null at the end. */
const char *ksym_next(u32 *cursor, vaddr_t *address);

/* panic= and kernel.panic: > 0 wait, 0 halt for ever, < 0 reboot at once. */
extern s64 panic_seconds;
