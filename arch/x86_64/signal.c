/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The signal frame: struct rt_sigframe as Linux's x86-64 ABI lays it out, the FPU state above it.
 * The layout of what follows the FXSAVE image is described in asm/sigcontext.h.
 */
#include <arch/frame.h>
#include <arch/irqflags.h>
#include <arch/signal.h>
#include <core/thread_base.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/ucopy.h>

#include <asm/sigcontext.h>
#include <asm/ucontext.h>

#include "fpu.h"
#include "x86.h"

struct rt_sigframe {
	u64 return_address;
	struct ucontext uc;
	siginfo_t info;
};
static_assert(sizeof(struct rt_sigframe) == 440);
static_assert(sizeof(struct sigcontext) == 256);

#define RED_ZONE 128
#define FPU_ALIGN 64ul
#define MAGIC2_SIZE (x86_fpu_features ? FP_XSTATE_MAGIC2_SIZE : 0u)

/* What a program may set: AC, RF, OF, DF, TF, SF, ZF, AF, PF, CF. */
#define FLAGS_USER 0x50dd5u

/* Saves the FPU state to user memory at `to`. */
static int fpu_push(struct arch_thread *at, vaddr_t to)
{
	u32 magic2 = FP_XSTATE_MAGIC2;
	irqflags_t flags = arch_irq_save();

	x86_fpu_save(at->fpu);
	arch_irq_restore(flags);
	if (copy_to_user(__force_user(void __user *, to), at->fpu, x86_fpu_size))
		return -EFAULT;
	if (x86_fpu_features)
		return copy_to_user(__force_user(void __user *, to + x86_fpu_size), &magic2,
				    sizeof(magic2));
	return 0;
}

/* Ends a change of the state in memory: loads it. */
static void fpu_attach(struct arch_thread *at)
{
	irqflags_t flags = arch_irq_save();
	at->fpu_detached = false;
	x86_fpu_switch_in(at);
	arch_irq_restore(flags);
}

static void fpu_detach(struct arch_thread *at)
{
	at->fpu_detached = true;
	at->fpu_cpu = ~0u;
}

static void fpu_reset(struct arch_thread *at)
{
	fpu_detach(at);
	x86_fpu_init_memory(at->fpu);
	fpu_attach(at);
}

/* True if user memory holds an extended state of exactly our layout. */
static bool fpu_is_extended(vaddr_t from, const struct _fpx_sw_bytes *sw)
{
	u32 magic2;
	return x86_fpu_features && sw->magic1 == FP_XSTATE_MAGIC1 &&
	       sw->xstate_size == x86_fpu_size &&
	       sw->extended_size == x86_fpu_size + FP_XSTATE_MAGIC2_SIZE &&
	       !copy_from_user(&magic2, __force_user(void __user *, from + x86_fpu_size), 4) &&
	       magic2 == FP_XSTATE_MAGIC2;
}

static int fpu_pop(struct arch_thread *at, vaddr_t from)
{
	const struct _fpx_sw_bytes *sw =
		(void *)((u8 *)at->fpu + offsetof(struct _fpstate_64, sw_reserved));
	size_t basic = sizeof(struct _fpstate_64);
	int error;

	if (!from) {
		fpu_reset(at);
		return 0;
	}
	fpu_detach(at);
	error = copy_from_user(at->fpu, __force_user(void __user *, from), basic);
	if (!error && fpu_is_extended(from, sw)) {
		error = copy_from_user((u8 *)at->fpu + basic,
				       __force_user(void __user *, from + basic),
				       x86_fpu_size - basic);
	} else if (!error) {
		memset((u8 *)at->fpu + basic, 0, x86_fpu_size - basic);
		x86_fpu_mark_legacy(at->fpu);
	}
	if (!error && !x86_fpu_sanitize(at->fpu))
		error = -EFAULT;
	if (error)
		x86_fpu_init_memory(at->fpu);
	x86_fpu_mark_layout(at->fpu);
	fpu_attach(at);
	return error;
}

static void context_fill(struct sigcontext *sc, const struct trap_frame *f,
			 const struct arch_thread *at, u64 mask, vaddr_t fpstate)
{
	*sc = (struct sigcontext){
		.r8 = f->r8,
		.r9 = f->r9,
		.r10 = f->r10,
		.r11 = f->r11,
		.r12 = f->r12,
		.r13 = f->r13,
		.r14 = f->r14,
		.r15 = f->r15,
		.rdi = f->rdi,
		.rsi = f->rsi,
		.rbp = f->rbp,
		.rbx = f->rbx,
		.rdx = f->rdx,
		.rax = f->rax,
		.rcx = f->rcx,
		.rsp = f->rsp,
		.rip = f->rip,
		.eflags = f->rflags,
		.cs = f->cs,
		.ss = f->ss,
		.err = at->error_code,
		.trapno = at->trap_number,
		.oldmask = mask,
		.cr2 = at->fault_address,
		.fpstate = (void *)fpstate,
	};
}

int arch_signal_push(struct trap_frame *frame, const struct signal_frame_request *req)
{
	struct arch_thread *at = &current_base()->arch;
	vaddr_t sp = req->stack;

	if (!req->restorer)
		return -EFAULT;
	if (sp == frame->rsp)
		sp -= RED_ZONE;
	vaddr_t fpstate = ALIGN_DOWN(sp - x86_fpu_size - MAGIC2_SIZE, FPU_ALIGN);
	/* At the handler's first instruction the stack is as after a call: 8 below a multiple
	 * of 16. */
	vaddr_t base = ALIGN_DOWN(fpstate - sizeof(struct rt_sigframe), 16ul) - 8;

	struct rt_sigframe f = {
		.return_address = req->restorer,
		.uc.uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS |
			       (x86_fpu_features ? UC_FP_XSTATE : 0),
		.uc.uc_stack = req->altstack,
		.uc.uc_sigmask = req->saved_mask,
		.info = req->info,
	};
	context_fill(&f.uc.uc_mcontext, frame, at, req->saved_mask, fpstate);
	if (fpu_push(at, fpstate) || copy_to_user(__force_user(void __user *, base), &f, sizeof(f)))
		return -EFAULT;

	frame->rdi = req->signo;
	frame->rsi = base + offsetof(struct rt_sigframe, info);
	frame->rdx = base + offsetof(struct rt_sigframe, uc);
	frame->rax = 0;
	frame->rsp = base;
	frame->rip = req->handler;
	frame->rflags &= ~(u64)(FLAGS_DF | FLAGS_RF | FLAGS_TF);
	frame->cs = X86_USER_CS;
	frame->ss = X86_USER_DS;
	frame_end_syscall(frame);
	fpu_reset(at);
	return 0;
}

int arch_signal_pop(struct trap_frame *frame, u64 *mask, stack_t *altstack)
{
	struct ucontext uc;

	/* The handler's return took the return address. */
	if (copy_from_user(&uc, __force_user(void __user *, frame->rsp), sizeof(uc)))
		return -EFAULT;
	const struct sigcontext *sc = &uc.uc_mcontext;
	/* There are no other segments. Old frames have no SS (asm/ucontext.h). */
	if ((sc->cs | 3) != X86_USER_CS ||
	    ((uc.uc_flags & UC_STRICT_RESTORE_SS) && (sc->ss | 3) != X86_USER_DS))
		return -EFAULT;
	*frame = (struct trap_frame){
		.r8 = sc->r8,
		.r9 = sc->r9,
		.r10 = sc->r10,
		.r11 = sc->r11,
		.r12 = sc->r12,
		.r13 = sc->r13,
		.r14 = sc->r14,
		.r15 = sc->r15,
		.rdi = sc->rdi,
		.rsi = sc->rsi,
		.rbp = sc->rbp,
		.rbx = sc->rbx,
		.rdx = sc->rdx,
		.rax = sc->rax,
		.rcx = sc->rcx,
		.rsp = sc->rsp,
		.rip = sc->rip,
		.rflags = (frame->rflags & ~(u64)FLAGS_USER) | (sc->eflags & FLAGS_USER),
		.cs = X86_USER_CS,
		.ss = X86_USER_DS,
		.orig_rax = X86_NO_SYSCALL,
	};
	*mask = uc.uc_sigmask;
	*altstack = uc.uc_stack;
	return fpu_pop(&current_base()->arch, (vaddr_t)sc->fpstate);
}

size_t arch_signal_stack_min(void)
{
	return sizeof(struct rt_sigframe) + x86_fpu_size + MAGIC2_SIZE + FPU_ALIGN + RED_ZONE + 16;
}
