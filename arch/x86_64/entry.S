/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries to the kernel and the ways back.
 *
 * In the kernel the GS base is this CPU's per-CPU offset, in user mode it is the program's; SWAPGS exchanges the two at
 * every crossing. Which one is active follows from the saved CS, except in the few instructions
 * between a crossing and its SWAPGS. Ordinary exceptions and interrupts cannot happen there: interrupts are
 * masked, and nothing there faults (the return address is checked before IRET and SYSRET). NMI, #DB (after MOV SS;
 * SYSCALL), #MC and #DF can; they come on stacks of their own, at whose base the per-CPU offset is kept, and
 * put the GS base back as they found it (paranoid_entry).
 *
 * Every stub pushes: error code or -1 (the slot orig_rax), rdi, and loads the vector into %edi.
 */
#include <arch/impl/frame.h>

#include "descriptor.h"
#include "entry.h"
#include "smap.h"
#include "x86.h"

#define FRAME_R11 (6 * 8)
#define FRAME_RCX (11 * 8)
#define FRAME_RIP (16 * 8)
#define FRAME_CS (17 * 8)
#define FRAME_RFLAGS (18 * 8)
#define FRAME_SIZE (21 * 8)

	/* All registers after rdi. */
	.macro PUSH_REGISTERS
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rax
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	.endm

	.macro POP_CALLEE_SAVED
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	.endm

	.macro POP_REGISTERS
	POP_CALLEE_SAVED
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	.endm

	.section .text.hot, "ax"
	.balign 64
	.globl x86_syscall_entry
x86_syscall_entry:
	swapgs
	movq %rsp, %gs:x86_user_sp
	movq %gs:(x86_task_state + TASK_STATE_RSP0), %rsp
	pushq $X86_USER_DS
	pushq %gs:x86_user_sp
	pushq %r11
	pushq $X86_USER_CS
	pushq %rcx
	pushq %rax
	pushq %rdi
	PUSH_REGISTERS
	movq %rsp, %rdi
	xorl %ebp, %ebp
	sti
	call trap_syscall
	cli
	movq %gs:x86_current, %rax
	testb $WORK_EXIT_MASK, THREAD_WORK(%rax)
	jnz exit_work
	/*
	 * SYSRET takes rip and rflags from rcx and r11. It faults in the kernel on a rip that is not
	 * canonical, and would trap too early with TF or lose RF: then IRET must do it.
	 */
	movq FRAME_RIP(%rsp), %rcx
	cmpq %rcx, FRAME_RCX(%rsp)
	jne return_by_iret
	movq FRAME_RFLAGS(%rsp), %r11
	cmpq %r11, FRAME_R11(%rsp)
	jne return_by_iret
	testl $(FLAGS_TF | FLAGS_RF), %r11d
	jnz return_by_iret
	movq %rcx, %rax
	shrq $47, %rax
	jnz bad_user_pc
	POP_CALLEE_SAVED
	addq $8, %rsp		/* r11 is loaded */
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	addq $8, %rsp		/* and rcx */
	popq %rdx
	popq %rsi
	popq %rdi
	movq (4 * 8)(%rsp), %rsp
	swapgs
	sysretq

exit_work:
	sti
	movq %rsp, %rdi
	call trap_exit_to_user
	/* falls through */
return_to_user:
	cli
	movq %gs:x86_current, %rax
	testb $WORK_EXIT_MASK, THREAD_WORK(%rax)
	jnz exit_work
return_by_iret:
	movq FRAME_RIP(%rsp), %rcx
	shrq $47, %rcx
	jnz bad_user_pc
	POP_REGISTERS
	addq $8, %rsp
	swapgs
	iretq

bad_user_pc:
	sti
	movq %rsp, %rdi
	call x86_bad_user_pc
	jmp return_to_user

	.globl arch_enter_user
arch_enter_user:
	cli
	movq %gs:(x86_task_state + TASK_STATE_RSP0), %rsp
	subq $FRAME_SIZE, %rsp
	xorl %ebp, %ebp
	jmp return_to_user

exception_entry:
	PUSH_REGISTERS
	cld
	SMAP_CLAC
	movq %rsp, %rsi
	testb $3, FRAME_CS(%rsp)
	jz 1f
	swapgs
	xorl %ebp, %ebp
	call x86_exception
	jmp return_to_user
1:	call x86_exception
return_to_kernel:
	POP_REGISTERS
	addq $8, %rsp
	iretq

interrupt_entry:
	PUSH_REGISTERS
	cld
	SMAP_CLAC
	movq %rsp, %rsi
	testb $3, FRAME_CS(%rsp)
	jz 1f
	swapgs
	xorl %ebp, %ebp
	call x86_interrupt
	jmp return_to_user
1:	call x86_interrupt
	movq %gs:x86_current, %rax
	cmpl $0, THREAD_PREEMPT_COUNT(%rax)
	jne return_to_kernel
	testb $WORK_RESCHEDULE_MASK, THREAD_WORK(%rax)
	jz return_to_kernel
	call trap_preempt_kernel
	jmp return_to_kernel

paranoid_entry:
	PUSH_REGISTERS
	cld
	SMAP_CLAC
	testb $3, FRAME_CS(%rsp)
	jnz paranoid_from_user
	movl $MSR_GS_BASE, %ecx
	rdmsr
	movl %eax, %r12d
	movl %edx, %r13d
	movq %rsp, %rdx
	andq $-IST_STACK_SIZE, %rdx
	movl (%rdx), %eax
	movl 4(%rdx), %edx
	wrmsr
	movq %rsp, %rsi
	call x86_exception_ist
	movl $MSR_GS_BASE, %ecx
	movl %r12d, %eax
	movl %r13d, %edx
	wrmsr
	jmp return_to_kernel

	/* From user mode nothing is in doubt: move the frame to the thread's stack, where signals can be handled. */
paranoid_from_user:
	swapgs
	movl %edi, %ebx
	movq %rsp, %rsi
	movq %gs:(x86_task_state + TASK_STATE_RSP0), %rdi
	subq $FRAME_SIZE, %rdi
	movq %rdi, %rax
	movl $(FRAME_SIZE / 8), %ecx
	rep movsq
	movq %rax, %rsp
	movl %ebx, %edi
	movq %rsp, %rsi
	xorl %ebp, %ebp
	call x86_exception
	jmp return_to_user

	/* The stubs that the IDT points at. */
	.balign VECTOR_STUB_SIZE
	.globl x86_vector_stubs
x86_vector_stubs:
	.set vector, 0
	.rept 256
	.balign VECTOR_STUB_SIZE, 0xcc
	.if vector >= 32
	pushq $-1
	.elseif (0x60227d00 >> vector) & 1
	/* 8, 10 to 14, 17, 21, 29, 30: the CPU pushed an error code */
	.else
	pushq $0
	.endif
	pushq %rdi
	movl $vector, %edi
	.if vector >= 32
	jmp interrupt_entry
	.elseif vector == VECTOR_DEBUG || vector == VECTOR_NMI || vector == VECTOR_DOUBLE_FAULT || vector == VECTOR_MACHINE_CHECK
	jmp paranoid_entry
	.else
	jmp exception_entry
	.endif
	.set vector, vector + 1
	.endr

	/* struct thread *x86_switch_stack(struct arch_thread *from, struct arch_thread *to, struct thread *prev) */
	.globl x86_switch_stack
x86_switch_stack:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, ARCH_THREAD_SP(%rdi)
	movq ARCH_THREAD_SP(%rsi), %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	movq %rdx, %rax
	ret

	/* A new thread's first instructions; arch_thread_init put entry and argument into rbx and r12. */
	.globl x86_thread_start
x86_thread_start:
	movq %r12, %rdi
	call *%rbx
	ud2
