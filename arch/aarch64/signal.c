/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signal frames. On the user stack, downwards: a frame record {x29, x30} for unwinders, then struct
 * rt_sigframe, whose uc_mcontext.__reserved holds records with a magic number and a size
 * (<asm/sigcontext.h>): FPSIMD registers, the ESR of a fault, a terminator.
 */
#include <arch/frame.h>
#include <arch/signal.h>
#include <arch/thread.h>
#include <core/thread_base.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/ucopy.h>

#include <asm/sigcontext.h>
#include <asm/ucontext.h>
#include <linux/signal.h>

#include "arm_priv.h"
#include "vdso_offsets.h"

struct rt_sigframe {
	siginfo_t info;
	struct ucontext uc;
};
_Static_assert(sizeof(struct rt_sigframe) == 4688);
_Static_assert(sizeof(struct fpsimd_context) == 528);
_Static_assert(sizeof(siginfo_t) == 128);

/* What is written from the start of the frame on; the records follow. */
#define FRAME_HEAD_SIZE                                                                            \
	(offsetof(struct rt_sigframe, uc.uc_mcontext) + offsetof(struct sigcontext, __reserved))

struct frame_head {
	siginfo_t info;
	unsigned long uc_flags;
	struct ucontext *uc_link;
	stack_t uc_stack;
	unsigned long uc_sigmask;
	unsigned char uc_unused[120];
	u64 padding;
	u64 fault_address;
	u64 regs[31];
	u64 sp;
	u64 pc;
	u64 pstate;
	u64 padding_records;
};
_Static_assert(sizeof(struct frame_head) == FRAME_HEAD_SIZE);
_Static_assert(offsetof(struct frame_head, uc_sigmask) ==
	       offsetof(struct rt_sigframe, uc.uc_sigmask));
_Static_assert(offsetof(struct frame_head, fault_address) ==
	       offsetof(struct rt_sigframe, uc.uc_mcontext.fault_address));

struct frame_records {
	struct fpsimd_context fpsimd;
	struct esr_context esr;
	struct _aarch64_ctx end;
};

/* Bits of PSTATE that a program may choose: NZCV, DIT, SSBS. */
#define PSTATE_USER_BITS 0xf1001000u
/* Bits that make a frame bad: mode, masked exceptions. */
#define PSTATE_FORBIDDEN_BITS 0x3dfu

static bool is_fault_signal(int signo)
{
	return signo == SIGSEGV || signo == SIGBUS || signo == SIGILL || signo == SIGTRAP ||
	       signo == SIGFPE;
}

static int write_records(vaddr_t frame, int signo)
{
	struct arch_thread *at = &current_base()->arch;
	vaddr_t to = frame + FRAME_HEAD_SIZE;
	struct frame_records records = {
		.fpsimd = { .head = { FPSIMD_MAGIC, sizeof(struct fpsimd_context) } },
	};
	struct _aarch64_ctx *end = &records.end;

	fpu_sync_current();
	records.fpsimd.fpsr = at->fpu.fpsr;
	records.fpsimd.fpcr = at->fpu.fpcr;
	memcpy(records.fpsimd.vregs, at->fpu.vregs, sizeof(records.fpsimd.vregs));
	if (is_fault_signal(signo) && at->fault_code) {
		records.esr.head = (struct _aarch64_ctx){ ESR_MAGIC, sizeof(struct esr_context) };
		records.esr.esr = at->fault_code;
	} else {
		end = &records.esr.head;
	}
	return copy_to_user(__force_user(void __user *, to), &records,
			    (size_t)((char *)(end + 1) - (char *)&records));
}

int arch_signal_push(struct trap_frame *frame, const struct signal_frame_request *req)
{
	struct arch_thread *at = &current_base()->arch;
	u64 record[2] = { frame->regs[29], frame->regs[30] };
	vaddr_t record_at, at_user;
	struct frame_head head = {
		.info = req->info,
		.uc_stack = req->altstack,
		.uc_sigmask = req->saved_mask,
		.sp = frame->sp,
		.pc = frame->pc,
		.pstate = frame->pstate,
	};

	if (req->stack < sizeof(struct rt_sigframe) + sizeof(record) + 16)
		return -EFAULT;
	record_at = ALIGN_DOWN(req->stack - sizeof(record), 16ul);
	at_user = record_at - sizeof(struct rt_sigframe);
	memcpy(head.regs, frame->regs, sizeof(head.regs));
	if (is_fault_signal(req->signo))
		head.fault_address = at->fault_address;
	if (copy_to_user(__force_user(void __user *, record_at), record, sizeof(record)) ||
	    copy_to_user(__force_user(void __user *, at_user), &head, sizeof(head)) ||
	    write_records(at_user, req->signo))
		return -EFAULT;

	frame->regs[0] = (u64)req->signo;
	if (req->flags & SA_SIGINFO) {
		frame->regs[1] = at_user + offsetof(struct rt_sigframe, info);
		frame->regs[2] = at_user + offsetof(struct rt_sigframe, uc);
	}
	frame->regs[29] = record_at;
	frame->regs[30] = req->restorer
				  ? req->restorer
				  : current_aspace()->vdso + VDSO_OFFSET___kernel_rt_sigreturn;
	frame->sp = at_user;
	frame->pc = req->handler;
	frame->pstate &= PSTATE_USER_BITS;
	at->fault_code = 0;
	return 0;
}

/* Reads the records behind the head. FPSIMD must be there; what we do not know makes the frame bad.
 */
static int read_records(vaddr_t from, struct arch_fpu *fpu)
{
	vaddr_t end = from + sizeof(((struct sigcontext *)0)->__reserved);
	struct fpsimd_context fpsimd;
	struct _aarch64_ctx head;
	bool found = false;

	for (; end - from >= sizeof(head); from += head.size) {
		if (copy_from_user(&head, __force_user(void __user *, from), sizeof(head)))
			return -EFAULT;
		if (!head.magic && !head.size)
			break;
		if (head.size < sizeof(head) || head.size % 16 || head.size > end - from)
			return -EFAULT;
		if (head.magic == ESR_MAGIC)
			continue;
		if (head.magic != FPSIMD_MAGIC || head.size != sizeof(fpsimd) || found ||
		    copy_from_user(&fpsimd, __force_user(void __user *, from), sizeof(fpsimd)))
			return -EFAULT;
		found = true;
	}
	if (!found)
		return -EFAULT;
	memcpy(fpu->vregs, fpsimd.vregs, sizeof(fpu->vregs));
	fpu->fpsr = fpsimd.fpsr;
	fpu->fpcr = fpsimd.fpcr;
	return 0;
}

int arch_signal_pop(struct trap_frame *frame, u64 *mask, stack_t *altstack)
{
	vaddr_t from = frame->sp;
	struct frame_head head;
	struct arch_fpu fpu = {};

	if (from % 16 || copy_from_user(&head, __force_user(void __user *, from), sizeof(head)) ||
	    (head.pstate & PSTATE_FORBIDDEN_BITS) || read_records(from + FRAME_HEAD_SIZE, &fpu))
		return -EFAULT;
	fpu_replace_current(&fpu);
	memcpy(frame->regs, head.regs, sizeof(frame->regs));
	frame->sp = head.sp;
	frame->pc = head.pc;
	frame->pstate = (head.pstate & PSTATE_USER_BITS) | PSTATE_EL0T;
	frame_end_syscall(frame);
	*mask = head.uc_sigmask;
	*altstack = head.uc_stack;
	return 0;
}

size_t arch_signal_stack_min(void)
{
	return sizeof(struct rt_sigframe) + 2 * sizeof(u64) + 16;
}
