/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Access to user memory, contracts in <arch/ucopy.h>. Every instruction that touches it has an entry in the exception
 * table; all are in this file, so the table is sorted as it is written.
 *
 * Whole words first, then bytes. A fault among the words goes on with bytes, so that the count of what was
 * not copied is exact.
 */
#include "smap.h"

#define EFAULT 14

	.macro FAULT_TO fixup
	.pushsection .ex_table, "a"
	.long 9f - ., \fixup - .
	.popsection
9:
	.endm

	.text
	/* size_t arch_copy_from_user(void *to, const void __user *from, size_t size), and the reverse */
	.globl arch_copy_from_user, arch_copy_to_user
	.balign 16
arch_copy_from_user:
arch_copy_to_user:
	SMAP_STAC
	cmpq $8, %rdx
	jb 2f
	je 4f
	movq %rdx, %rcx
	shrq $3, %rcx
	andl $7, %edx
	FAULT_TO copy_words_fault
	rep movsq
	testl %edx, %edx
	jz 3f
2:	movl %edx, %ecx
copy_bytes:
	FAULT_TO copy_bytes_fault
	rep movsb
3:	SMAP_CLAC
	xorl %eax, %eax
	ret
4:	FAULT_TO copy_one_fault
	movq (%rsi), %rax
	FAULT_TO copy_one_fault
	movq %rax, (%rdi)
	SMAP_CLAC
	xorl %eax, %eax
	ret
copy_one_fault:
	movl $8, %ecx
	jmp copy_bytes
copy_words_fault:
	leaq (%rdx, %rcx, 8), %rcx
	jmp copy_bytes

	/* size_t arch_clear_user(void __user *to, size_t size) */
	.globl arch_clear_user
	.balign 16
arch_clear_user:
	SMAP_STAC
	movq %rsi, %rcx
	shrq $3, %rcx
	andl $7, %esi
	xorl %eax, %eax
	FAULT_TO clear_words_fault
	rep stosq
	movl %esi, %ecx
clear_bytes:
	FAULT_TO copy_bytes_fault
	rep stosb
	SMAP_CLAC
	ret
clear_words_fault:
	leaq (%rsi, %rcx, 8), %rcx
	jmp clear_bytes
copy_bytes_fault:
	SMAP_CLAC
	movq %rcx, %rax
	ret

	/*
	 * ssize_t arch_copy_string_from_user(char *to, const char __user *from, size_t size)
	 * Eight bytes at a time where they are in one page; (w - 0x01..) & ~w & 0x80.. finds a zero byte.
	 */
	.globl arch_copy_string_from_user
	.balign 16
arch_copy_string_from_user:
	SMAP_STAC
	xorl %eax, %eax
	movabsq $0x0101010101010101, %r8
	movabsq $0x8080808080808080, %r9
1:	leaq 8(%rax), %rcx
	cmpq %rdx, %rcx
	ja string_byte
	leaq (%rsi, %rax), %rcx
	andl $4095, %ecx
	cmpl $4088, %ecx
	ja string_byte
	FAULT_TO string_byte
	movq (%rsi, %rax), %rcx
	movq %rcx, (%rdi, %rax)
	movq %rcx, %r10
	subq %r8, %r10
	notq %rcx
	andq %rcx, %r10
	andq %r9, %r10
	jnz 2f
	addq $8, %rax
	jmp 1b
2:	bsfq %r10, %r10
	shrl $3, %r10d
	addq %r10, %rax
3:	SMAP_CLAC
	ret
string_byte:
	cmpq %rdx, %rax
	je 3b
	FAULT_TO user_fault
	movb (%rsi, %rax), %cl
	movb %cl, (%rdi, %rax)
	testb %cl, %cl
	jz 3b
	incq %rax
	jmp 1b

	/* int arch_user_load(const u32 __user *word, u32 *old) */
	.globl arch_user_load
arch_user_load:
	SMAP_STAC
	FAULT_TO user_fault
	movl (%rdi), %eax
	SMAP_CLAC
	movl %eax, (%rsi)
	xorl %eax, %eax
	ret
user_fault:
	SMAP_CLAC
	movq $-EFAULT, %rax
	ret

	/* int arch_user_cmpxchg(u32 __user *word, u32 expected, u32 new, u32 *old) */
	.globl arch_user_cmpxchg
arch_user_cmpxchg:
	SMAP_STAC
	movl %esi, %eax
	FAULT_TO user_fault
	lock cmpxchgl %edx, (%rdi)
	SMAP_CLAC
	movl %eax, (%rcx)
	xorl %eax, %eax
	ret

	/* int arch_user_atomic(enum user_atomic op, u32 __user *word, u32 operand, u32 *old) */
	.globl arch_user_atomic
arch_user_atomic:
	SMAP_STAC
	testl %edi, %edi	/* USER_ATOMIC_SET */
	jz 6f
	cmpl $1, %edi		/* USER_ATOMIC_ADD */
	je 7f
	FAULT_TO user_fault
	movl (%rsi), %eax
1:	movl %eax, %r8d
	cmpl $3, %edi
	je 3f
	ja 4f
	orl %edx, %r8d		/* USER_ATOMIC_OR */
	jmp 5f
3:	notl %edx		/* USER_ATOMIC_ANDN */
	andl %edx, %r8d
	notl %edx
	jmp 5f
4:	xorl %edx, %r8d		/* USER_ATOMIC_XOR */
5:	FAULT_TO user_fault
	lock cmpxchgl %r8d, (%rsi)
	jne 1b
	jmp 8f
6:	movl %edx, %eax
	FAULT_TO user_fault
	xchgl %eax, (%rsi)
	jmp 8f
7:	movl %edx, %eax
	FAULT_TO user_fault
	lock xaddl %eax, (%rsi)
8:	SMAP_CLAC
	movl %eax, (%rcx)
	xorl %eax, %eax
	ret
