/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stack protector's value and what is called when it was overwritten; the compiler knows both names. */
#include <core/panic.h>
#include <core/random.h>
#include <core/stack_guard.h>

extern unsigned long __stack_chk_guard;
[[noreturn]] void __stack_chk_fail(void);

unsigned long __stack_chk_guard = 0x5f3a9c10d2b74e00;

void __stack_chk_fail(void)
{
	panic("a function wrote past its stack frame");
}

/* A zero byte at its low end stops string functions, which then neither read nor write past it. */
__attribute__((no_stack_protector)) void stack_guard_init(void)
{
	__stack_chk_guard = random_u64() & ~0xfful;
}
