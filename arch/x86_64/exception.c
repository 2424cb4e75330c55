/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions: which signal each one is (as Linux's signal(7) and sigaction(2) tell), and what the
 * kernel does with its own. */
#include <arch/irqflags.h>
#include <arch/trap.h>
#include <arch/ucopy.h>
#include <core/thread_base.h>

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "entry.h"
#include "x86.h"

#define PF_PRESENT BIT(0)
#define PF_WRITE BIT(1)
#define PF_USER BIT(2)
#define PF_EXEC BIT(4)

#define DR6_BREAKPOINTS 0xful
#define DR6_SINGLE_STEP BIT(14)
#define DR6_RESET 0xffff0ff0ul

static const struct exception {
	const char *name;
	u8 signo;
	s16 code;
	bool at_pc; /* si_addr is the instruction */
} exceptions[32] = {
	[0] = { "divide error", SIGFPE, FPE_INTDIV, true },
	[1] = { "debug exception", SIGTRAP, TRAP_TRACE, true },
	[2] = { .name = "non-maskable interrupt" },
	[3] = { "breakpoint", SIGTRAP, SI_KERNEL, false },
	[4] = { "overflow", SIGSEGV, SI_KERNEL, false },
	[5] = { "bound range exceeded", SIGSEGV, SI_KERNEL, false },
	[6] = { "invalid opcode", SIGILL, ILL_ILLOPN, true },
	[7] = { "device not available", SIGSEGV, SI_KERNEL, false },
	[8] = { .name = "double fault (kernel stack overflow?)" },
	[9] = { "coprocessor segment overrun", SIGFPE, SI_KERNEL, false },
	[10] = { "invalid TSS", SIGSEGV, SI_KERNEL, false },
	[11] = { "segment not present", SIGBUS, SI_KERNEL, false },
	[12] = { "stack segment fault", SIGBUS, SI_KERNEL, false },
	[13] = { "general protection fault", SIGSEGV, SI_KERNEL, false },
	[14] = { .name = "page fault" },
	[16] = { "x87 floating point error", SIGFPE, 0, true },
	[17] = { "alignment check", SIGBUS, BUS_ADRALN, false },
	[18] = { .name = "machine check" },
	[19] = { "SIMD floating point error", SIGFPE, 0, true },
	[21] = { "control protection exception", SIGSEGV, SI_KERNEL, false },
};

static const char *exception_name(unsigned vector)
{
	const char *name = vector < 32 ? exceptions[vector].name : nullptr;
	return name ? name : "unknown exception";
}

/* Which unmasked error it was. 0: none, the exception is to be ignored. */
static int fpu_error_code(unsigned vector)
{
	u32 errors;
	if (vector == 16) {
		u16 control, status;
		asm volatile("fnstcw %0" : "=m"(control));
		asm volatile("fnstsw %0" : "=m"(status));
		errors = status & ~control;
	} else {
		u32 mxcsr;
		asm volatile("stmxcsr %0" : "=m"(mxcsr));
		errors = mxcsr & ~(mxcsr >> 7);
	}
	if (errors & 1)
		return FPE_FLTINV;
	if (errors & 4)
		return FPE_FLTDIV;
	if (errors & 8)
		return FPE_FLTOVF;
	if (errors & 0x12)
		return FPE_FLTUND;
	return errors & 0x20 ? FPE_FLTRES : 0;
}

static u64 debug_status_take(void)
{
	u64 status;
	asm volatile("movq %%dr6, %0" : "=r"(status));
	asm volatile("movq %0, %%dr6" : : "r"(DR6_RESET));
	return status;
}

static void user_exception(unsigned vector, struct trap_frame *frame, u64 error_code)
{
	struct arch_thread *at = &current_base()->arch;
	const struct exception *e = &exceptions[vector];
	int code = e->code;

	at->trap_number = vector;
	at->error_code = error_code;
	if (vector == 16 || vector == 19) {
		code = fpu_error_code(vector);
		if (!code)
			return;
	} else if (vector == VECTOR_DEBUG) {
		u64 status = debug_status_take();

		at->debug_status = status & (DR6_BREAKPOINTS | DR6_SINGLE_STEP);
		if (status & DR6_BREAKPOINTS) {
			code = TRAP_HWBKPT;
			/* An instruction breakpoint traps before its instruction: past it next time. */
			frame->rflags |= FLAGS_RF;
		} else if (!(status & DR6_SINGLE_STEP))
			code = TRAP_BRKPT;
	}
	if (e->signo)
		trap_user_exception(frame, e->signo, code, e->at_pc ? frame->rip : 0, vector,
				    error_code);
	else if (vector != VECTOR_NMI)
		trap_kernel_exception(frame, exception_name(vector), 0);
}

static void page_fault(struct trap_frame *frame, u64 error_code)
{
	u64 address = cr2_read();
	u32 flags = 0;

	if (frame->rflags & FLAGS_IF)
		arch_irq_enable();
	if (error_code & PF_WRITE)
		flags |= FAULT_WRITE;
	if (error_code & PF_PRESENT)
		flags |= FAULT_PRESENT;
	if (error_code & PF_EXEC)
		flags |= FAULT_EXEC;
	if (frame_from_user(frame)) {
		struct arch_thread *at = &current_base()->arch;
		at->trap_number = VECTOR_PAGE_FAULT;
		at->error_code = error_code;
		at->fault_address = address;
		/* The processor's own access, for an instruction of a program (a far return in
		 * QEMU, a selector): what it wanted is not the program's to have. */
		if (!(error_code & PF_USER)) {
			trap_user_exception(frame, SIGSEGV, SI_KERNEL, 0, VECTOR_PAGE_FAULT,
					    error_code);
			return;
		}
		flags |= FAULT_USER;
	}
	trap_page_fault(frame, address, flags);
}

void x86_exception(unsigned vector, struct trap_frame *frame)
{
	u64 error_code = frame->orig_rax;
	frame->orig_rax = X86_NO_SYSCALL;
	if (likely(vector == VECTOR_PAGE_FAULT)) {
		page_fault(frame, error_code);
		return;
	}
	if (frame->rflags & FLAGS_IF)
		arch_irq_enable();
	if (frame_from_user(frame)) {
		user_exception(vector, frame, error_code);
		return;
	}
	vaddr_t fixup = arch_exception_fixup(frame->rip);
	if (!fixup)
		trap_kernel_exception(frame, exception_name(vector), frame->rip);
	frame->rip = fixup;
}

void x86_exception_ist(unsigned vector, struct trap_frame *frame)
{
	frame->orig_rax = X86_NO_SYSCALL;
	/* A debug exception in the kernel was caused by a program: MOV SS with a watched operand,
	 * then SYSCALL. */
	if (vector == VECTOR_DEBUG)
		debug_status_take();
	else if (vector != VECTOR_NMI)
		trap_kernel_exception(frame, exception_name(vector), cr2_read());
}

void x86_bad_user_pc(struct trap_frame *frame)
{
	struct arch_thread *at = &current_base()->arch;
	at->trap_number = 13;
	at->error_code = 0;
	trap_user_exception(frame, SIGSEGV, SI_KERNEL, 0, 13, 0);
}
