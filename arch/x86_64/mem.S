/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memcpy, memmove and memset, in place of the portable ones of lib/string.c. Eight bytes per step of a string
 * instruction, which is fast on hardware and cheap to emulate; byte-wise string instructions are neither everywhere. The
 * rest is done by one more word that overlaps what is there already.
 */
	.text

	/* void *memcpy(void *to, const void *from, size_t size) */
	.globl memcpy
	.balign 16
memcpy:
	movq %rdi, %rax
	cmpq $8, %rdx
	jb copy_small
copy_words:
	movq -8(%rsi, %rdx), %r8	/* the last word; read first, as memmove needs */
	leaq -8(%rdi, %rdx), %r9
	cmpq $32, %rdx
	jb 1f
	movq %rdx, %rcx
	shrq $3, %rcx
	rep movsq
	movq %r8, (%r9)
	ret
	/* Short ones without the cost of starting a string instruction. */
1:	movq (%rsi), %rcx
	movq %rcx, (%rdi)
	addq $8, %rsi
	addq $8, %rdi
	cmpq %r9, %rdi
	jb 1b
	movq %r8, (%r9)
	ret
copy_small:
	testb $4, %dl
	jnz 4f
	testl %edx, %edx
	jz 3f
	movzbl (%rsi), %ecx
	movzbl -1(%rsi, %rdx), %r8d
	shrl $1, %edx
	jz 2f
	movzbl 1(%rsi), %r9d
	movb %cl, (%rdi)
	jc 5f
	movb %r9b, 1(%rdi)
	ret
5:	movb %r9b, 1(%rdi)
	movb %r8b, 2(%rdi)
	ret
2:	movb %cl, (%rdi)
3:	ret
4:	movl (%rsi), %ecx
	movl -4(%rsi, %rdx), %r8d
	movl %ecx, (%rdi)
	movl %r8d, -4(%rdi, %rdx)
	ret

	/* void *memmove(void *to, const void *from, size_t size) */
	.globl memmove
	.balign 16
memmove:
	movq %rdi, %rax
	cmpq $8, %rdx
	jb copy_small			/* reads all before it writes */
	movq %rdi, %rcx
	subq %rsi, %rcx
	cmpq %rdx, %rcx
	jae copy_words			/* `to` is not inside `from` */
	/* From the end, the first word last. */
	movq (%rsi), %r8
1:	movq -8(%rsi, %rdx), %rcx
	movq %rcx, -8(%rdi, %rdx)
	subq $8, %rdx
	cmpq $8, %rdx
	ja 1b
	movq %r8, (%rdi)
	ret

	/* void *memset(void *to, int c, size_t size) */
	.globl memset
	.balign 16
memset:
	movq %rdi, %r8
	movzbl %sil, %eax
	movabsq $0x0101010101010101, %rcx
	imulq %rcx, %rax
	cmpq $8, %rdx
	jb 2f
	movq %rax, -8(%rdi, %rdx)
	movq %rdx, %rcx
	shrq $3, %rcx
	rep stosq
	movq %r8, %rax
	ret
2:	testl %edx, %edx
	jz 4f
3:	movb %al, -1(%rdi, %rdx)
	decl %edx
	jnz 3b
4:	movq %r8, %rax
	ret
