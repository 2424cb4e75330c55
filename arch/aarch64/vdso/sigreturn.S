/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a signal handler returns to. Unwinders recognise the two instructions; the nop before them is there because they
 * look at the address before the return address.
 */
#include <asm/unistd.h>

	.text
	nop
	.globl	__kernel_rt_sigreturn
	.type	__kernel_rt_sigreturn, %function
__kernel_rt_sigreturn:
	mov	x8, #__NR_rt_sigreturn
	svc	#0
	.size	__kernel_rt_sigreturn, . - __kernel_rt_sigreturn
