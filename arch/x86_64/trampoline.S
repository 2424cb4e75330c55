/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How another CPU begins: the start-up interrupt makes it execute, in real mode, the page that smp.c copied to
 * TRAMPOLINE. It goes to long mode with tables that map that page one to one and the kernel image, and
 * continues in x86_cpu_high.
 */
#include <arch/impl/frame.h>

#include "smp.h"
#include "x86.h"

#define HERE(symbol) (TRAMPOLINE + symbol - x86_trampoline)

	.section .rodata.trampoline, "a"
	.balign 16
	.globl x86_trampoline, x86_trampoline_end
	.code16
x86_trampoline:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	lgdtl gdt_pointer - x86_trampoline
	movl %cr0, %eax
	orb $CR0_PE, %al
	movl %eax, %cr0
	ljmpl $0x08, $HERE(protected_mode)

	.code32
protected_mode:
	movl $X86_KERNEL_DS, %eax
	movl %eax, %ds
	movl %eax, %ss
	movl $CR4_PAE, %eax
	movl %eax, %cr4
	movl $TRAMPOLINE_ROOT, %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	movl $(EFER_SCE | EFER_LME | EFER_NXE), %eax
	xorl %edx, %edx
	wrmsr
	movl $CR0_KERNEL, %eax
	movl %eax, %cr0
	ljmpl $X86_KERNEL_CS, $HERE(long_mode)

	.code64
long_mode:
	movabsq $x86_cpu_high, %rax
	jmp *%rax

	.balign 8
gdt:
	.quad 0
	.quad 0x00cf9a000000ffff
	.quad 0x00af9a000000ffff	/* X86_KERNEL_CS */
	.quad 0x00cf92000000ffff	/* X86_KERNEL_DS */
gdt_pointer:
	.word gdt_pointer - gdt - 1
	.long HERE(gdt)
x86_trampoline_end:

	.text
x86_cpu_high:
	movq x86_cpu_boot + CPU_BOOT_ROOT, %rax
	movq %rax, %cr3
	movq x86_cpu_boot + CPU_BOOT_STACK, %rsp
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	movl x86_cpu_boot + CPU_BOOT_PERCPU, %eax
	movl x86_cpu_boot + CPU_BOOT_PERCPU + 4, %edx
	movl $MSR_GS_BASE, %ecx
	wrmsr
	xorl %ebp, %ebp
	call x86_cpu_main
	ud2
