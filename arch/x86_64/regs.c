/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers for people: dumps and backtraces. */
#include <arch/frame.h>
#include <arch/layout.h>
#include <arch/regs.h>
#include <core/log.h>
#include <core/thread_base.h>

#include "x86.h"

void arch_frame_print(const struct trap_frame *f)
{
#define P(x) ((unsigned long long)(x))
	log_error("RIP %04llx:%016llx RSP %016llx RFLAGS %08llx", P(f->cs), P(f->rip), P(f->rsp),
		  P(f->rflags));
	log_error("RAX %016llx RBX %016llx RCX %016llx RDX %016llx", P(f->rax), P(f->rbx),
		  P(f->rcx), P(f->rdx));
	log_error("RSI %016llx RDI %016llx RBP %016llx R8  %016llx", P(f->rsi), P(f->rdi),
		  P(f->rbp), P(f->r8));
	log_error("R9  %016llx R10 %016llx R11 %016llx R12 %016llx", P(f->r9), P(f->r10), P(f->r11),
		  P(f->r12));
	log_error("R13 %016llx R14 %016llx R15 %016llx CR2 %016llx", P(f->r13), P(f->r14),
		  P(f->r15), P(cr2_read()));
#undef P
}

/* Follows frame pointers upwards inside one stack. */
static void walk(vaddr_t frame_pointer, vaddr_t stack_top, bool (*visit)(vaddr_t pc, void *arg),
		 void *arg)
{
	vaddr_t lowest = stack_top - KSTACK_SIZE;

	while (frame_pointer >= lowest && frame_pointer <= stack_top - 16 &&
	       IS_ALIGNED(frame_pointer, 8ul)) {
		const u64 *link = (const u64 *)frame_pointer;
		if (!link[1] || !visit(link[1], arg) || link[0] <= frame_pointer)
			return;
		frame_pointer = link[0];
	}
}

void arch_backtrace(const struct trap_frame *frame, bool (*visit)(vaddr_t pc, void *arg), void *arg)
{
	vaddr_t frame_pointer = (vaddr_t)__builtin_frame_address(0);

	if (frame) {
		if (frame_from_user(frame) || !visit(frame->rip, arg))
			return;
		frame_pointer = frame->rbp;
	}
	walk(frame_pointer, (vaddr_t)current_base()->kstack_top, visit, arg);
}

void arch_backtrace_thread(const struct arch_thread *at, bool (*visit)(vaddr_t pc, void *arg),
			   void *arg)
{
	const struct thread_base *t = container_of(at, struct thread_base, arch);
	/* x86_switch_stack pushed rbp first: above it is only the return address. */
	const u64 *saved = (const u64 *)at->sp;
	if (visit(saved[6], arg))
		walk(saved[5], (vaddr_t)t->kstack_top, visit, arg);
}
