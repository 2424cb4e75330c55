/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Macros and offsets for assembler files. */
#pragma once

/* Offsets in struct thread_base and bits of its work word, checked in start.c. */
#define THREAD_PREEMPT_COUNT 0
#define THREAD_WORK 8
#define THREAD_KSTACK_TOP 16
#define THREAD_ARCH 32
#define WORK_EXIT_MASK 15 /* all but WORK_TRACE, which is not done at the return but lasts */

#define KERNEL_L3_TABLES 3
#define OVERFLOW_STACK_SIZE 4096

#ifdef __ASSEMBLY__
/* clang-format off */

#define LOCAL_FUNCTION(name)                                                                       \
	.balign 8;                                                                                 \
	.type name, %function;                                                                     \
	name:
#define FUNCTION(name)                                                                             \
	.globl name;                                                                               \
	LOCAL_FUNCTION(name)
#define END_FUNCTION(name) .size name, . - name

	/* A 64-bit constant. */
	.macro	mov_q reg, value
	movz	\reg, #(\value) & 0xffff
	movk	\reg, #(\value) >> 16 & 0xffff, lsl #16
	movk	\reg, #(\value) >> 32 & 0xffff, lsl #32
	movk	\reg, #(\value) >> 48 & 0xffff, lsl #48
	.endm

	/* The address of a symbol within 4 GiB, wherever the code runs. */
	.macro	adr_l reg, symbol
	adrp	\reg, \symbol
	add	\reg, \reg, :lo12:\symbol
	.endm

/* clang-format on */
#endif
