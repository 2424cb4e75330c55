/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contract: access to user memory. The range was checked to lie below USER_MAX by the caller. A fault
 * is resolved by trap_page_fault if it can be (the access may sleep), else the copy ends early through the
 * exception table. Nothing here may be called with a spinlock held, except the _nofault forms of
 * <mm/ucopy.h>, which mark the thread so that faults are not resolved.
 */
#pragma once

#include <lib/types.h>

/* Each returns the number of bytes that were NOT copied or cleared; 0 is success. */
size_t arch_copy_from_user(void *to, const void __user *from, size_t size);
size_t arch_copy_to_user(void __user *to, const void *from, size_t size);
size_t arch_clear_user(void __user *to, size_t size);

/*
 * Copies a string with its terminator, at most `size` bytes. Returns its length without the terminator,
 * `size` when there was none within `size` bytes, or -EFAULT.
 */
ssize_t arch_copy_string_from_user(char *to, const char __user *from, size_t size);

/*
 * Atomic operations on an aligned user word, for futexes. Return 0 or -EFAULT, and the former
 * value in *old. `arch_user_cmpxchg` stores `new` only if the word was `expected`.
 */
int arch_user_load(const u32 __user *word, u32 *old);
int arch_user_cmpxchg(u32 __user *word, u32 expected, u32 new, u32 *old);
enum user_atomic {
	USER_ATOMIC_SET,
	USER_ATOMIC_ADD,
	USER_ATOMIC_OR,
	USER_ATOMIC_ANDN,
	USER_ATOMIC_XOR
};
int arch_user_atomic(enum user_atomic op, u32 __user *word, u32 operand, u32 *old);

/*
 * If `pc` is an instruction that may fault on user memory, returns where to continue, else 0.
 * Searches the sorted exception table; the fault handlers use it.
 */
vaddr_t arch_exception_fixup(vaddr_t pc);
