/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Synchronous exceptions: what ESR_EL1 says (Arm ARM, D17.2.37) becomes a contract call of
 * <arch/trap.h>. */
#include <arch/cpu.h>
#include <arch/frame.h>
#include <arch/impl/asm.h>
#include <arch/irqflags.h>
#include <arch/layout.h>
#include <arch/trap.h>
#include <arch/ucopy.h>
#include <core/panic.h>
#include <core/percpu.h>
#include <core/thread_base.h>
#include <mm/ucopy.h>

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "arm_priv.h"

enum exception_class {
	EC_UNKNOWN = 0x00,
	EC_SYSTEM_REGISTER = 0x18,
	EC_INSTRUCTION_ABORT_USER = 0x20,
	EC_INSTRUCTION_ABORT = 0x21,
	EC_PC_ALIGNMENT = 0x22,
	EC_DATA_ABORT_USER = 0x24,
	EC_DATA_ABORT = 0x25,
	EC_SP_ALIGNMENT = 0x26,
	EC_FP_EXCEPTION = 0x2c,
	EC_BREAKPOINT_USER = 0x30,
	EC_STEP_USER = 0x32,
	EC_WATCHPOINT_USER = 0x34,
	EC_BRK = 0x3c,
};

#define ESR_WRITE BIT(6)
#define ESR_CACHE_MAINTENANCE BIT(8)
#define ESR_FP_VALID BIT(23)

/* Kinds of fault status codes, without the level in the low two bits. */
#define FSC_KIND(esr) ((esr) >> 2 & 0xf)
#define FSC_ADDRESS_SIZE 0
#define FSC_TRANSLATION 1
#define FSC_ACCESS_FLAG 2
#define FSC_PERMISSION 3
#define FSC(esr) ((esr) & 0x3f)
#define FSC_ALIGNMENT 0x21

DEFINE_PER_CPU(char, overflow_stack)[OVERFLOW_STACK_SIZE] __aligned(16);

void arm_user_exception(struct trap_frame *frame, u64 esr, u64 far);
void arm_kernel_exception(struct trap_frame *frame, u64 esr, u64 far);
void arm_user_error(struct trap_frame *frame, u64 esr);
[[noreturn]] void arm_kernel_error(struct trap_frame *frame, u64 esr);
[[noreturn]] void arm_stack_overflow(struct trap_frame *frame, u64 esr, u64 far);
[[noreturn]] void arm_impossible_exception(u64 esr, u64 elr, u64 far);

/* User addresses may carry a tag in the top byte (TCR_EL1.TBI0). */
static vaddr_t untagged(u64 address)
{
	return address & BIT(55) ? address : address & (BIT(56) - 1);
}

static u32 fault_flags(u64 esr, bool instruction)
{
	u32 flags = 0;

	if (instruction)
		flags |= FAULT_EXEC;
	else if ((esr & ESR_WRITE) && !(esr & ESR_CACHE_MAINTENANCE))
		flags |= FAULT_WRITE;
	if (FSC_KIND(esr) == FSC_ACCESS_FLAG || FSC_KIND(esr) == FSC_PERMISSION)
		flags |= FAULT_PRESENT;
	return flags;
}

static void user_abort(struct trap_frame *frame, u64 esr, u64 far, bool instruction)
{
	struct arch_thread *at = &current_base()->arch;

	at->fault_address = far;
	at->fault_code = esr;
	if (FSC(esr) < 0x10)
		trap_page_fault(frame, untagged(far), fault_flags(esr, instruction) | FAULT_USER);
	else if (FSC(esr) == FSC_ALIGNMENT)
		trap_user_exception(frame, SIGBUS, BUS_ADRALN, far, 0, esr);
	else
		trap_user_exception(frame, SIGBUS, BUS_OBJERR, far, 0, esr);
}

/* An instruction that EL0 may not execute or that does not exist. Reads of ID registers are done
 * for it. */
static void user_undefined(struct trap_frame *frame, u64 esr)
{
	u32 instruction;

	if (!copy_from_user(&instruction, __force_user(const void __user *, frame->pc), 4) &&
	    cpu_emulate_id_read(frame, instruction)) {
		frame->pc += 4;
		return;
	}
	trap_user_exception(frame, SIGILL, ILL_ILLOPC, frame->pc, 0, esr);
}

static int fpe_code(u64 esr)
{
	if (!(esr & ESR_FP_VALID))
		return FPE_FLTUNK;
	if (esr & BIT(0))
		return FPE_FLTINV;
	if (esr & BIT(1))
		return FPE_FLTDIV;
	if (esr & BIT(2))
		return FPE_FLTOVF;
	if (esr & BIT(3))
		return FPE_FLTUND;
	return esr & BIT(4) ? FPE_FLTRES : FPE_FLTUNK;
}

void arm_user_exception(struct trap_frame *frame, u64 esr, u64 far)
{
	switch (esr >> 26) {
	case EC_DATA_ABORT_USER:
		user_abort(frame, esr, far, false);
		return;
	case EC_INSTRUCTION_ABORT_USER:
		user_abort(frame, esr, far, true);
		return;
	case EC_UNKNOWN:
	case EC_SYSTEM_REGISTER:
		user_undefined(frame, esr);
		return;
	case EC_PC_ALIGNMENT:
		trap_user_exception(frame, SIGBUS, BUS_ADRALN, far, 0, esr);
		return;
	case EC_SP_ALIGNMENT:
		trap_user_exception(frame, SIGBUS, BUS_ADRALN, frame->sp, 0, esr);
		return;
	case EC_FP_EXCEPTION:
		trap_user_exception(frame, SIGFPE, fpe_code(esr), frame->pc, 0, esr);
		return;
	case EC_BRK:
		trap_user_exception(frame, SIGTRAP, TRAP_BRKPT, frame->pc, 0, esr);
		return;
	case EC_STEP_USER:
		trap_user_exception(frame, SIGTRAP, TRAP_TRACE, frame->pc, 0, esr);
		return;
	case EC_BREAKPOINT_USER:
		trap_user_exception(frame, SIGTRAP, TRAP_HWBKPT, frame->pc, 0, esr);
		return;
	case EC_WATCHPOINT_USER:
		trap_user_exception(frame, SIGTRAP, TRAP_HWBKPT, far, 0, esr);
		return;
	default:
		/* SVE, SME, pointer authentication, illegal execution state, hypercalls. */
		trap_user_exception(frame, SIGILL, ILL_ILLOPC, frame->pc, 0, esr);
		return;
	}
}

/* An asynchronous error of the bus while user code ran: that program is not to be trusted further.
 */
void arm_user_error(struct trap_frame *frame, u64 esr)
{
	trap_user_exception(frame, SIGBUS, BUS_OBJERR, 0, 0, esr);
}

static const char *kernel_exception_name(u64 esr)
{
	switch (esr >> 26) {
	case EC_UNKNOWN:
		return "undefined instruction";
	case EC_INSTRUCTION_ABORT:
		return "jump to an address that is not executable";
	case EC_DATA_ABORT:
		if (FSC(esr) == FSC_ALIGNMENT)
			return "alignment fault";
		return esr & ESR_WRITE ? "bad write" : "bad read";
	case EC_PC_ALIGNMENT:
		return "misaligned program counter";
	case EC_SP_ALIGNMENT:
		return "misaligned stack pointer";
	case EC_BRK:
		return "breakpoint instruction";
	default:
		return "unexpected exception";
	}
}

/*
 * The kernel may fault only on user addresses and only at instructions of uaccess.S; anything else
 * is a bug, whatever is mapped at the address.
 */
void arm_kernel_exception(struct trap_frame *frame, u64 esr, u64 far)
{
	if (!(frame->pstate & DAIF_INTERRUPTS))
		arch_irq_enable();
	if (esr >> 26 == EC_DATA_ABORT && untagged(far) < USER_MAX) {
		vaddr_t fixup = arch_exception_fixup(frame->pc);

		if (fixup && FSC(esr) < 0x10) {
			trap_page_fault(frame, untagged(far), fault_flags(esr, false));
			return;
		}
		if (fixup) {
			frame->pc = fixup;
			return;
		}
	}
	trap_kernel_exception(frame, kernel_exception_name(esr), far);
}

void arm_kernel_error(struct trap_frame *frame, u64 esr)
{
	(void)esr;
	trap_kernel_exception(frame, "asynchronous error (SError)", 0);
}

void arm_stack_overflow(struct trap_frame *frame, u64 esr, u64 far)
{
	(void)esr;
	trap_kernel_exception(frame, "kernel stack overflow", far);
}

void arm_impossible_exception(u64 esr, u64 elr, u64 far)
{
	panic("exception from an impossible state: ESR %llx, ELR %llx, FAR %llx",
	      (unsigned long long)esr, (unsigned long long)elr, (unsigned long long)far);
}
