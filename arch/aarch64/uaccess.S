/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Access to user memory (contract: arch/ucopy.h). Every instruction that may fault has an entry in the exception table,
 * which is sorted because all of them are in this file. Where the CPU has PAN the accesses are bracketed by clearing
 * and setting it; the nops at those places are replaced at boot (cpu.c).
 *
 * When a bulk access faults, the copy continues byte by byte from the start of that block, so that it ends at exactly
 * the first byte that cannot be accessed.
 */
#include <arch/impl/asm.h>

#define PAN_CLEAR 0xd500409f
#define PAN_SET 0xd500419f
#define EFAULT 14

	.macro	pan_site instruction
.Lpan\@:
	nop
	.pushsection .pan_sites, "a"
	.long	.Lpan\@ - ., \instruction
	.popsection
	.endm

	.macro	user_begin
	pan_site PAN_CLEAR
	.endm

	.macro	user_end
	pan_site PAN_SET
	.endm

	/* An instruction that continues at `fixup` when it faults. */
	.macro	user fixup, instruction:vararg
.Luser\@:
	\instruction
	.pushsection __ex_table, "a"
	.balign	4
	.long	.Luser\@ - ., \fixup - .
	.popsection
	.endm

	.macro	plain fixup, instruction:vararg
	\instruction
	.endm

	/*
	 * x0 = to, x1 = from, x2 = size; returns the bytes not copied. `load` and `store` are `user` or
	 * `plain`; `position` is the register on the user's side.
	 */
	.macro	copy_function name, load, store, position
FUNCTION(\name)
	add	x13, \position, x2
	user_begin
	cmp	x2, #64
	b.lo	2f
1:	\load	9f, ldp x3, x4, [x1]
	\load	9f, ldp x5, x6, [x1, #16]
	\load	9f, ldp x7, x8, [x1, #32]
	\load	9f, ldp x9, x10, [x1, #48]
	\store	9f, stp x3, x4, [x0]
	\store	9f, stp x5, x6, [x0, #16]
	\store	9f, stp x7, x8, [x0, #32]
	\store	9f, stp x9, x10, [x0, #48]
	add	x0, x0, #64
	add	x1, x1, #64
	sub	x2, x2, #64
	cmp	x2, #64
	b.hs	1b
2:	tbz	x2, #5, 3f
	\load	9f, ldp x3, x4, [x1]
	\load	9f, ldp x5, x6, [x1, #16]
	\store	9f, stp x3, x4, [x0]
	\store	9f, stp x5, x6, [x0, #16]
	add	x0, x0, #32
	add	x1, x1, #32
3:	tbz	x2, #4, 4f
	\load	9f, ldp x3, x4, [x1]
	\store	9f, stp x3, x4, [x0]
	add	x0, x0, #16
	add	x1, x1, #16
4:	tbz	x2, #3, 5f
	\load	9f, ldr x3, [x1]
	\store	9f, str x3, [x0], #8
	add	x1, x1, #8
5:	tst	x2, #7
	b.eq	8f
	tbz	x2, #2, 6f
	\load	9f, ldr w3, [x1]
	\store	9f, str w3, [x0], #4
	add	x1, x1, #4
6:	tbz	x2, #1, 7f
	\load	9f, ldrh w3, [x1]
	\store	9f, strh w3, [x0], #2
	add	x1, x1, #2
7:	tbz	x2, #0, 8f
	\load	9f, ldrb w3, [x1]
	\store	9f, strb w3, [x0], #1
8:	user_end
	mov	x0, #0
	ret

9:	\load	10f, ldrb w3, [x1]
	\store	10f, strb w3, [x0]
	add	x0, x0, #1
	add	x1, x1, #1
	cmp	\position, x13
	b.lo	9b
10:	user_end
	sub	x0, x13, \position
	ret
END_FUNCTION(\name)
	.endm

	.text
	copy_function arch_copy_from_user, user, plain, x1
	copy_function arch_copy_to_user, plain, user, x0

/* size_t arch_clear_user(to, size) */
FUNCTION(arch_clear_user)
	add	x13, x0, x1
	user_begin
	cmp	x1, #64
	b.lo	2f
1:	user	9f, stp xzr, xzr, [x0]
	user	9f, stp xzr, xzr, [x0, #16]
	user	9f, stp xzr, xzr, [x0, #32]
	user	9f, stp xzr, xzr, [x0, #48]
	add	x0, x0, #64
	sub	x1, x1, #64
	cmp	x1, #64
	b.hs	1b
2:	cmp	x1, #8
	b.lo	3f
	user	9f, str xzr, [x0]
	add	x0, x0, #8
	sub	x1, x1, #8
	b	2b
3:	cbz	x1, 4f
9:	user	4f, strb wzr, [x0]
	add	x0, x0, #1
	cmp	x0, x13
	b.lo	9b
4:	user_end
	sub	x0, x13, x0
	ret
END_FUNCTION(arch_clear_user)

/*
 * ssize_t arch_copy_string_from_user(to, from, size): eight bytes at a time once `from` is aligned, so that
 * a load never reaches into a page behind the terminator.
 */
FUNCTION(arch_copy_string_from_user)
	mov	x3, x1
	add	x13, x1, x2
	mov_q	x4, 0x0101010101010101
	lsl	x5, x4, #7
	user_begin
1:	cmp	x1, x13
	b.hs	5f
	tst	x1, #7
	b.eq	3f
2:	user	6f, ldrb w6, [x1]
	strb	w6, [x0], #1
	cbz	w6, 5f
	add	x1, x1, #1
	b	1b
3:	subs	x7, x13, x1
	b.eq	5f
	cmp	x7, #8
	b.lo	2b
4:	user	6f, ldr x6, [x1]
	sub	x7, x6, x4
	bic	x7, x7, x6
	tst	x7, x5
	b.ne	7f
	str	x6, [x0], #8
	add	x1, x1, #8
	b	3b
5:	user_end
	sub	x0, x1, x3
	ret
6:	user_end
	mov	x0, #-EFAULT
	ret
7:	strb	w6, [x0], #1		/* the terminator is in x6 */
	tst	w6, #0xff
	b.eq	5b
	add	x1, x1, #1
	lsr	x6, x6, #8
	b	7b
END_FUNCTION(arch_copy_string_from_user)

/* int arch_user_load(word, old) */
FUNCTION(arch_user_load)
	user_begin
	user	1f, ldar w2, [x0]
	user_end
	str	w2, [x1]
	mov	w0, #0
	ret
1:	user_end
	mov	w0, #-EFAULT
	ret
END_FUNCTION(arch_user_load)

/* int arch_user_cmpxchg(word, expected, new, old) */
FUNCTION(arch_user_cmpxchg)
	user_begin
1:	user	3f, ldaxr w4, [x0]
	cmp	w4, w1
	b.ne	2f
	user	3f, stlxr w5, w2, [x0]
	cbnz	w5, 1b
2:	user_end
	dmb	ish
	str	w4, [x3]
	mov	w0, #0
	ret
3:	user_end
	mov	w0, #-EFAULT
	ret
END_FUNCTION(arch_user_cmpxchg)

	/* int name(word, operand, old) */
	.macro	atomic_function name, operation:vararg
FUNCTION(\name)
	user_begin
1:	user	2f, ldaxr w4, [x0]
	\operation
	user	2f, stlxr w6, w5, [x0]
	cbnz	w6, 1b
	user_end
	dmb	ish
	str	w4, [x2]
	mov	w0, #0
	ret
2:	user_end
	mov	w0, #-EFAULT
	ret
END_FUNCTION(\name)
	.endm

	atomic_function user_atomic_set, mov w5, w1
	atomic_function user_atomic_add, add w5, w4, w1
	atomic_function user_atomic_or, orr w5, w4, w1
	atomic_function user_atomic_andn, bic w5, w4, w1
	atomic_function user_atomic_xor, eor w5, w4, w1
