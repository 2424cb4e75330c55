/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memcpy, memmove and memset for normal memory: 64 bytes a round, and DC ZVA for zeroing. They take the place of the
 * portable ones in lib/string.c.
 */
#include <arch/impl/asm.h>

	.text
/* void *memmove(to, from, size): backwards only where a forward copy would overwrite what it has yet to read. */
FUNCTION(memmove)
	sub	x3, x0, x1
	cmp	x3, x2
	b.hs	memcpy
	add	x4, x0, x2
	add	x1, x1, x2
	subs	x2, x2, #32
	b.lo	2f
1:	ldp	x5, x6, [x1, #-16]
	ldp	x7, x8, [x1, #-32]!
	stp	x5, x6, [x4, #-16]
	stp	x7, x8, [x4, #-32]!
	subs	x2, x2, #32
	b.hs	1b
2:	tbz	x2, #4, 3f
	ldp	x5, x6, [x1, #-16]!
	stp	x5, x6, [x4, #-16]!
3:	tbz	x2, #3, 4f
	ldr	x5, [x1, #-8]!
	str	x5, [x4, #-8]!
4:	ands	x2, x2, #7
	b.eq	6f
5:	ldrb	w5, [x1, #-1]!
	strb	w5, [x4, #-1]!
	subs	x2, x2, #1
	b.ne	5b
6:	ret
END_FUNCTION(memmove)

/* void *memcpy(to, from, size) */
FUNCTION(memcpy)
	mov	x4, x0
	subs	x2, x2, #64
	b.lo	2f
1:	ldp	x5, x6, [x1]
	ldp	x7, x8, [x1, #16]
	ldp	x9, x10, [x1, #32]
	ldp	x11, x12, [x1, #48]
	add	x1, x1, #64
	stp	x5, x6, [x4]
	stp	x7, x8, [x4, #16]
	stp	x9, x10, [x4, #32]
	stp	x11, x12, [x4, #48]
	add	x4, x4, #64
	subs	x2, x2, #64
	b.hs	1b
	/* The low bits of the size are still right. */
2:	tbz	x2, #5, 3f
	ldp	x5, x6, [x1]
	ldp	x7, x8, [x1, #16]
	add	x1, x1, #32
	stp	x5, x6, [x4]
	stp	x7, x8, [x4, #16]
	add	x4, x4, #32
3:	tbz	x2, #4, 4f
	ldp	x5, x6, [x1], #16
	stp	x5, x6, [x4], #16
4:	tbz	x2, #3, 5f
	ldr	x5, [x1], #8
	str	x5, [x4], #8
5:	tst	x2, #7
	b.eq	8f
	tbz	x2, #2, 6f
	ldr	w5, [x1], #4
	str	w5, [x4], #4
6:	tbz	x2, #1, 7f
	ldrh	w5, [x1], #2
	strh	w5, [x4], #2
7:	tbz	x2, #0, 8f
	ldrb	w5, [x1]
	strb	w5, [x4]
8:	ret
END_FUNCTION(memcpy)

/* void *memset(to, byte, size) */
FUNCTION(memset)
	mov	x4, x0
	and	x1, x1, #0xff
	mov_q	x5, 0x0101010101010101
	mul	x1, x1, x5
	cmp	x2, #256
	b.hs	4f
1:	subs	x2, x2, #32
	b.lo	3f
2:	stp	x1, x1, [x4]
	stp	x1, x1, [x4, #16]
	add	x4, x4, #32
	subs	x2, x2, #32
	b.hs	2b
3:	tbz	x2, #4, 31f
	stp	x1, x1, [x4], #16
31:	tbz	x2, #3, 32f
	str	x1, [x4], #8
32:	tst	x2, #7
	b.eq	35f
	tbz	x2, #2, 33f
	str	w1, [x4], #4
33:	tbz	x2, #1, 34f
	strh	w1, [x4], #2
34:	tbz	x2, #0, 35f
	strb	w1, [x4]
35:	ret

	/* Large: whole blocks of zeros by DC ZVA where that is allowed and a block has 64 bytes. */
4:	cbnz	x1, 1b
	mrs	x5, dczid_el0
	and	x5, x5, #0x1f
	cmp	x5, #4
	b.ne	1b
	/* The bytes in front of the first block: one unaligned round covers them. */
	stp	xzr, xzr, [x4]
	stp	xzr, xzr, [x4, #16]
	stp	xzr, xzr, [x4, #32]
	stp	xzr, xzr, [x4, #48]
	add	x5, x4, x2
	add	x4, x4, #64
	and	x4, x4, #~63
	bic	x6, x5, #63
5:	dc	zva, x4
	add	x4, x4, #64
	cmp	x4, x6
	b.lo	5b
	sub	x2, x5, x4
	b	1b
END_FUNCTION(memset)
