/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exception entry and return.
 *
 * From user mode SP_EL1 is the top of the thread's kernel stack less FRAME_OWNER_SIZE, where its struct
 * thread pointer lies; SP_EL0, which holds the user's stack pointer, becomes the current thread. x28 holds the current
 * thread on every path to ret_to_user.
 *
 * From the kernel the frame goes on the current stack after a check that there is room: a stack that ran into
 * its guard page could not even take the fault that says so.
 */
#include <arch/impl/asm.h>
#include <arch/impl/frame.h>
#include <arch/impl/layout.h>

	.macro	save_registers
	stp	x0, x1, [sp, #0]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	.endm

	.macro	restore_registers
	ldp	x0, x1, [sp, #0]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	ldr	x30, [sp, #240]
	add	sp, sp, #FRAME_SIZE
	.endm

	/* A vector for exceptions from user mode. */
	.macro	vector_user handler
	.balign	128
	sub	sp, sp, #FRAME_SIZE
	save_registers
	mrs	x21, sp_el0
	mrs	x22, elr_el1
	mrs	x23, spsr_el1
	ldr	x28, [sp, #FRAME_SIZE]
	stp	x30, x21, [sp, #FRAME_SP - 8]
	stp	x22, x23, [sp, #FRAME_PC]
	msr	sp_el0, x28
	b	\handler
	.endm

	/* A vector for exceptions from the kernel. x0 is kept in TPIDRRO_EL0, which user mode sees as zero. */
	.macro	vector_kernel handler
	.balign	128
	msr	tpidrro_el0, x0
	mrs	x0, sp_el0
	ldr	x0, [x0, #THREAD_KSTACK_TOP]
	sub	sp, sp, #FRAME_SIZE
	sub	x0, sp, x0
	add	x0, x0, #KSTACK_SIZE
	tbnz	x0, #63, stack_overflow
	mrs	x0, tpidrro_el0
	msr	tpidrro_el0, xzr
	save_registers
	b	\handler
	.endm

	.macro	vector_impossible
	.balign	128
	b	impossible
	.endm

	/* The rest of an entry from the kernel. */
	.macro	finish_kernel_entry
	add	x21, sp, #FRAME_SIZE
	mrs	x22, elr_el1
	mrs	x23, spsr_el1
	stp	x30, x21, [sp, #FRAME_SP - 8]
	stp	x22, x23, [sp, #FRAME_PC]
	mov	w24, #-1
	str	w24, [sp, #FRAME_SYSCALL]
	stp	x29, x22, [sp, #FRAME_RECORD]
	add	x29, sp, #FRAME_RECORD
	.endm

	.section .text.vectors, "ax"
	.balign	2048
	.globl	vectors
vectors:
	vector_impossible		/* kernel mode with SP_EL0: never selected */
	vector_impossible
	vector_impossible
	vector_impossible
	vector_kernel kernel_sync
	vector_kernel kernel_irq
	vector_kernel kernel_irq	/* FIQ, where the GIC delivers group 0 as such */
	vector_kernel kernel_error
	vector_user user_sync
	vector_user user_irq
	vector_user user_irq
	vector_user user_error
	vector_impossible		/* AArch32: never entered */
	vector_impossible
	vector_impossible
	vector_impossible
	.balign	128

LOCAL_FUNCTION(user_sync)
	mrs	x1, esr_el1
	stp	xzr, xzr, [sp, #FRAME_RECORD]
	add	x29, sp, #FRAME_RECORD
	lsr	x24, x1, #26
	cmp	x24, #0x15
	b.ne	1f
	str	x0, [sp, #FRAME_ORIG_X0]
	str	w8, [sp, #FRAME_SYSCALL]
	msr	daifclr, #7
	mov	x0, sp
	bl	trap_syscall

ret_to_user:
	msr	daifset, #3
	ldr	x1, [x28, #THREAD_WORK]
	tst	x1, #WORK_EXIT_MASK
	b.ne	2f
	ldr	x21, [sp, #FRAME_SP]
	ldp	x22, x23, [sp, #FRAME_PC]
	msr	sp_el0, x21
	msr	elr_el1, x22
	msr	spsr_el1, x23
	restore_registers
	eret
	dsb	nsh			/* no speculation past the eret */
	isb

1:	mrs	x2, far_el1
	mov	w24, #-1
	str	w24, [sp, #FRAME_SYSCALL]
	msr	daifclr, #7
	mov	x0, sp
	bl	arm_user_exception
	b	ret_to_user

2:	msr	daifclr, #3
	mov	x0, sp
	bl	trap_exit_to_user
	b	ret_to_user
END_FUNCTION(user_sync)

LOCAL_FUNCTION(user_irq)
	stp	xzr, xzr, [sp, #FRAME_RECORD]
	add	x29, sp, #FRAME_RECORD
	mov	w24, #-1
	str	w24, [sp, #FRAME_SYSCALL]
	msr	daifclr, #4
	mov	x0, sp
	bl	gic_interrupt
	b	ret_to_user
END_FUNCTION(user_irq)

LOCAL_FUNCTION(user_error)
	stp	xzr, xzr, [sp, #FRAME_RECORD]
	add	x29, sp, #FRAME_RECORD
	mov	w24, #-1
	str	w24, [sp, #FRAME_SYSCALL]
	mrs	x1, esr_el1
	msr	daifclr, #7
	mov	x0, sp
	bl	arm_user_error
	b	ret_to_user
END_FUNCTION(user_error)

LOCAL_FUNCTION(kernel_sync)
	finish_kernel_entry
	mrs	x1, esr_el1
	mrs	x2, far_el1
	msr	daifclr, #4
	mov	x0, sp
	bl	arm_kernel_exception
	b	kernel_return
END_FUNCTION(kernel_sync)

LOCAL_FUNCTION(kernel_irq)
	finish_kernel_entry
	msr	daifclr, #4
	mov	x0, sp
	bl	gic_interrupt
	mrs	x28, sp_el0
	ldr	w0, [x28, #THREAD_PREEMPT_COUNT]
	cbnz	w0, kernel_return
	ldr	x0, [x28, #THREAD_WORK]
	tbz	x0, #0, kernel_return
	bl	trap_preempt_kernel
END_FUNCTION(kernel_irq)

LOCAL_FUNCTION(kernel_return)
	msr	daifset, #3
	ldp	x22, x23, [sp, #FRAME_PC]
	msr	elr_el1, x22
	msr	spsr_el1, x23
	restore_registers
	eret
	dsb	nsh
	isb
END_FUNCTION(kernel_return)

LOCAL_FUNCTION(kernel_error)
	finish_kernel_entry
	mrs	x1, esr_el1
	mov	x0, sp
	bl	arm_kernel_error
END_FUNCTION(kernel_error)

/* sp points below the stack, x0 is in TPIDRRO_EL0. The rest happens on this CPU's overflow stack. */
LOCAL_FUNCTION(stack_overflow)
	mov	x0, sp
	msr	par_el1, x0
	msr	tpidr_el0, x1
	adr_l	x0, overflow_stack + OVERFLOW_STACK_SIZE
	mrs	x1, tpidr_el1
	add	x0, x0, x1
	sub	sp, x0, #FRAME_SIZE
	mrs	x0, tpidrro_el0
	mrs	x1, tpidr_el0
	save_registers
	finish_kernel_entry
	mrs	x0, par_el1
	add	x0, x0, #FRAME_SIZE
	str	x0, [sp, #FRAME_SP]
	mov	x0, sp
	mrs	x1, esr_el1
	mrs	x2, far_el1
	bl	arm_stack_overflow
END_FUNCTION(stack_overflow)

LOCAL_FUNCTION(impossible)
	mrs	x0, esr_el1
	mrs	x1, elr_el1
	mrs	x2, far_el1
	bl	arm_impossible_exception
END_FUNCTION(impossible)

/* arm_enter_user(frame): interrupts masked, the frame at the top of the stack. */
	.text
FUNCTION(arm_enter_user)
	mov	sp, x0
	mrs	x28, sp_el0
	str	x28, [sp, #FRAME_SIZE]
	b	ret_to_user
END_FUNCTION(arm_enter_user)
