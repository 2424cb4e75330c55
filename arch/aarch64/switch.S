/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Switching stacks, and the FPSIMD registers. */
#include <arch/impl/asm.h>
#include <arch/impl/thread.h>

	.text
/* struct thread *switch_stack(prev, next): returns prev on next's stack. */
FUNCTION(switch_stack)
	add	x2, x0, #THREAD_ARCH
	add	x3, x1, #THREAD_ARCH
	mov	x4, sp
	stp	x19, x20, [x2, #0]
	stp	x21, x22, [x2, #16]
	stp	x23, x24, [x2, #32]
	stp	x25, x26, [x2, #48]
	stp	x27, x28, [x2, #64]
	stp	x29, x30, [x2, #80]
	str	x4, [x2, #ARCH_THREAD_SP]
	ldr	x4, [x3, #ARCH_THREAD_SP]
	ldp	x19, x20, [x3, #0]
	ldp	x21, x22, [x3, #16]
	ldp	x23, x24, [x3, #32]
	ldp	x25, x26, [x3, #48]
	ldp	x27, x28, [x3, #64]
	ldp	x29, x30, [x3, #80]
	mov	sp, x4
	msr	sp_el0, x1
	ret
END_FUNCTION(switch_stack)

/* Where a new thread begins: x19 = entry, x20 = its argument. */
FUNCTION(thread_begin)
	mov	x0, x20
	blr	x19
	brk	#0
END_FUNCTION(thread_begin)

	.arch_extension fp
	.arch_extension simd

	.macro	all_vectors op
	\op	q0, q1, [x0, #0]
	\op	q2, q3, [x0, #32]
	\op	q4, q5, [x0, #64]
	\op	q6, q7, [x0, #96]
	\op	q8, q9, [x0, #128]
	\op	q10, q11, [x0, #160]
	\op	q12, q13, [x0, #192]
	\op	q14, q15, [x0, #224]
	\op	q16, q17, [x0, #256]
	\op	q18, q19, [x0, #288]
	\op	q20, q21, [x0, #320]
	\op	q22, q23, [x0, #352]
	\op	q24, q25, [x0, #384]
	\op	q26, q27, [x0, #416]
	\op	q28, q29, [x0, #448]
	\op	q30, q31, [x0, #480]
	.endm

/* void fpu_save(struct arch_fpu *), void fpu_load(const struct arch_fpu *) */
FUNCTION(fpu_save)
	all_vectors stp
	mrs	x1, fpsr
	mrs	x2, fpcr
	add	x0, x0, #512
	stp	w1, w2, [x0]
	ret
END_FUNCTION(fpu_save)

FUNCTION(fpu_load)
	all_vectors ldp
	add	x0, x0, #512
	ldp	w1, w2, [x0]
	msr	fpsr, x1
	msr	fpcr, x2
	ret
END_FUNCTION(fpu_load)
