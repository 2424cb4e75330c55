/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Switching threads.
 *
 * FPSIMD: most user threads use the vector registers (memcpy does), so they are saved whenever a
 * user thread is switched out: 20 instructions, where trapping the first use would cost some
 * hundred. They are loaded only if this CPU does not still hold them: it does when only kernel
 * threads ran in between. `fpu_owner` says whose values a CPU holds, arch_thread.fpu_cpu where a
 * thread ran last; both must agree.
 */
#include <arch/cpu.h>
#include <arch/frame.h>
#include <arch/impl/asm.h>
#include <arch/irqflags.h>
#include <arch/layout.h>
#include <arch/regs.h>
#include <arch/thread.h>
#include <arch/trap.h>
#include <core/log.h>
#include <core/percpu.h>
#include <core/thread_base.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>

#include "arm_priv.h"

#define FPU_NOWHERE UINT32_MAX

static DEFINE_PER_CPU(struct arch_thread *, fpu_owner);

struct thread *switch_stack(struct thread *prev, struct thread *next);
void thread_begin(void);
[[noreturn]] void arm_enter_user(struct trap_frame *frame);

void arch_thread_init(struct arch_thread *at, void *kstack_top, void (*entry)(void *), void *arg)
{
	struct trap_frame *frame = thread_user_frame(kstack_top);

	memset(frame, 0, sizeof(*frame) + FRAME_OWNER_SIZE);
	memset(at, 0, sizeof(*at));
	at->saved[0] = (u64)entry;
	at->saved[1] = (u64)arg;
	at->saved[11] = (u64)thread_begin;
	at->sp = (u64)frame;
	at->fpu_cpu = FPU_NOWHERE;
}

/* Interrupts are masked or preemption is off. */
static void fpu_make_resident(struct arch_thread *at)
{
	unsigned cpu = cpu_id();

	if (this_cpu(fpu_owner) == at && at->fpu_cpu == cpu)
		return;
	fpu_load(&at->fpu);
	this_cpu(fpu_owner) = at;
	at->fpu_cpu = cpu;
}

struct thread *arch_switch(struct thread *prev, struct thread *next)
{
	struct arch_thread *from = &((struct thread_base *)prev)->arch;
	struct arch_thread *to = &((struct thread_base *)next)->arch;

	if (from->user) {
		from->tls = read_sysreg(tpidr_el0);
		fpu_save(&from->fpu);
	}
	if (to->user) {
		write_sysreg(tpidr_el0, to->tls);
		fpu_make_resident(to);
	}
	if (unlikely(from->debug_enable | to->debug_enable))
		arm_debug_load(to);
	return switch_stack(prev, next);
}

void fpu_sync_current(void)
{
	irqflags_t flags = arch_irq_save();

	fpu_save(&current_base()->arch.fpu);
	arch_irq_restore(flags);
}

void fpu_replace_current(const struct arch_fpu *fpu)
{
	/* In between a switch would save the old registers over the new values. */
	irqflags_t flags = arch_irq_save();
	struct arch_thread *at = &current_base()->arch;

	at->fpu = *fpu;
	at->fpu_cpu = FPU_NOWHERE;
	fpu_make_resident(at);
	arch_irq_restore(flags);
}

int arch_thread_copy_user(struct arch_thread *to, struct arch_thread *from)
{
	if (from->user) {
		fpu_sync_current();
		from->tls = read_sysreg(tpidr_el0);
	}
	to->fpu = from->fpu;
	to->tls = from->tls;
	return 0;
}

void arch_thread_reset_user(struct arch_thread *at)
{
	static const struct arch_fpu initial;

	arm_debug_reset(at);
	at->tls = 0;
	if (at->user) {
		fpu_replace_current(&initial);
		write_sysreg(tpidr_el0, 0);
	} else {
		at->fpu = initial;
	}
}

void arch_thread_destroy(struct arch_thread *at)
{
	at->fpu_cpu = FPU_NOWHERE;
	kfree(at->debug);
	at->debug = nullptr;
}

void arch_thread_set_tls(struct arch_thread *at, u64 tls)
{
	at->tls = tls;
	if (at == &current_base()->arch)
		write_sysreg(tpidr_el0, tls);
}

void arch_enter_user(void)
{
	struct thread_base *self = current_base();

	arch_irq_disable();
	/* From here on the registers are the thread's, and a switch would save them. */
	self->arch.user = true;
	self->arch.fpu_cpu = FPU_NOWHERE;
	fpu_make_resident(&self->arch);
	write_sysreg(tpidr_el0, self->arch.tls);
	arm_enter_user(thread_user_frame(self->kstack_top));
}

long arch_prctl(int code, u64 address)
{
	(void)code;
	(void)address;
	return -ENOSYS;
}

void arch_frame_print(const struct trap_frame *f)
{
	log_error("pc %016llx  lr %016llx  sp %016llx  pstate %08llx", (unsigned long long)f->pc,
		  (unsigned long long)f->regs[30], (unsigned long long)f->sp,
		  (unsigned long long)f->pstate);
	for (unsigned i = 0; i < 30; i += 3)
		log_error("x%-2u %016llx  x%-2u %016llx  x%-2u %016llx", i,
			  (unsigned long long)f->regs[i], i + 1, (unsigned long long)f->regs[i + 1],
			  i + 2, (unsigned long long)f->regs[i + 2]);
}

/* Follows frame records {next record, return address} inside [low, high); the chain only goes up.
 */
static void walk_records(u64 record, u64 low, u64 high, bool (*visit)(vaddr_t pc, void *arg),
			 void *arg)
{
	while (record % 8 == 0 && record >= low && record <= high - 16) {
		const u64 *words = (const u64 *)record;

		if (!words[1] || !visit(words[1], arg) || words[0] <= record)
			return;
		record = words[0];
	}
}

static void stack_bounds(u64 record, u64 *low, u64 *high)
{
	extern char overflow_stack[];
	u64 top = (u64)current_base()->kstack_top;
	u64 overflow = (u64)overflow_stack + arch_percpu_offset();

	*low = top - KSTACK_SIZE;
	*high = top;
	if (record >= overflow && record < overflow + OVERFLOW_STACK_SIZE) {
		*low = overflow;
		*high = overflow + OVERFLOW_STACK_SIZE;
	}
}

void arch_backtrace(const struct trap_frame *frame, bool (*visit)(vaddr_t pc, void *arg), void *arg)
{
	u64 record = (u64)__builtin_frame_address(0), low, high;

	if (frame) {
		if (frame_from_user(frame) || !visit(frame->pc, arg))
			return;
		record = frame->regs[29];
	}
	stack_bounds(record, &low, &high);
	walk_records(record, low, high, visit, arg);
}

void arch_backtrace_thread(const struct arch_thread *at, bool (*visit)(vaddr_t pc, void *arg),
			   void *arg)
{
	const struct thread_base *base = container_of(at, struct thread_base, arch);
	u64 top = (u64)base->kstack_top;

	if (visit(at->saved[11], arg))
		walk_records(at->saved[10], top - KSTACK_SIZE, top, visit, arg);
}
