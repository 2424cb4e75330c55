/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Switching threads, and the user registers that are not in the frame: FPU, FS and GS base. */
#include <arch/irqflags.h>
#include <core/percpu.h>
#include <core/thread_base.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/ucopy.h>

#include <asm/prctl.h>

#include "cpu_features.h"
#include "debug.h"
#include "descriptor.h"
#include "entry.h"
#include "fpu.h"
#include "x86.h"

static_assert(offsetof(struct thread_base, preempt_count) == THREAD_PREEMPT_COUNT);
static_assert(offsetof(struct thread_base, work) == THREAD_WORK);
static_assert(offsetof(struct arch_thread, sp) == ARCH_THREAD_SP);
static_assert((WORK_RESCHEDULE | WORK_SIGNAL | WORK_NOTIFY | WORK_RSEQ) == WORK_EXIT_MASK);
static_assert(WORK_RESCHEDULE == WORK_RESCHEDULE_MASK);
static_assert(offsetof(struct x86_task_state, tss.rsp) == TASK_STATE_RSP0);

#define FPU_CPU_NONE ~0u

/* What x86_switch_stack pops. */
struct switch_frame {
	u64 r15, r14, r13, r12, rbx, rbp, rip;
};

void arch_thread_init(struct arch_thread *at, void *kstack_top, void (*entry)(void *), void *arg)
{
	struct trap_frame *user = thread_user_frame(kstack_top);
	struct switch_frame *s = (struct switch_frame *)((u64)user & ~15ul) - 1;

	*at = (struct arch_thread){
		.sp = (u64)s,
		.fpu = (char *)kstack_top - X86_FPU_AREA_SIZE,
		.fpu_cpu = FPU_CPU_NONE,
	};
	memset(user, 0, sizeof(*user));
	*s = (struct switch_frame){
		.rbx = (u64)entry,
		.r12 = (u64)arg,
		.rip = (u64)x86_thread_start,
	};
}

/* The user's GS base waits in KERNEL_GS_BASE while the kernel runs; the instructions reach it when
 * it is swapped in. */
static u64 user_gs_base_read(void)
{
	u64 base;
	asm volatile("swapgs; rdgsbase %0; swapgs" : "=r"(base));
	return base;
}

void x86_user_bases_save(struct arch_thread *at)
{
	if (!x86_features.fsgsbase)
		return; /* programs cannot change them without us */
	asm volatile("rdfsbase %0" : "=r"(at->fs_base));
	at->gs_base = user_gs_base_read();
}

static void user_bases_load(const struct arch_thread *at)
{
	if (x86_features.fsgsbase) {
		asm volatile("wrfsbase %0" : : "r"(at->fs_base));
		asm volatile("swapgs; wrgsbase %0; swapgs" : : "r"(at->gs_base));
	} else {
		msr_write(MSR_FS_BASE, at->fs_base);
		msr_write(MSR_KERNEL_GS_BASE, at->gs_base);
	}
}

struct thread *arch_switch(struct thread *prev, struct thread *next)
{
	struct thread_base *from = (struct thread_base *)prev;
	struct thread_base *to = (struct thread_base *)next;

	if (from->arch.user) {
		x86_fpu_switch_out(&from->arch);
		x86_user_bases_save(&from->arch);
	}
	if (to->arch.user) {
		x86_fpu_switch_in(&to->arch);
		user_bases_load(&to->arch);
		this_cpu(x86_task_state).tss.rsp[0] = (u64)to->kstack_top - X86_FPU_AREA_SIZE;
	}
	if (unlikely(from->arch.debug_control | to->arch.debug_control))
		x86_debug_load(&to->arch);
	this_cpu(x86_current) = next;
	return x86_switch_stack(&from->arch, &to->arch, prev);
}

int arch_thread_copy_user(struct arch_thread *to, struct arch_thread *from)
{
	if (!from->user) {
		/* A kernel thread has none, and the registers may hold somebody else's. */
		x86_fpu_init_memory(to->fpu);
		to->user = true;
		return 0;
	}
	irqflags_t flags = arch_irq_save();
	x86_fpu_save(from->fpu);
	x86_user_bases_save(from);
	arch_irq_restore(flags);
	memcpy(to->fpu, from->fpu, x86_fpu_size);
	to->fs_base = from->fs_base;
	to->gs_base = from->gs_base;
	to->user = true;
	return 0;
}

void arch_thread_reset_user(struct arch_thread *at)
{
	x86_debug_reset(at);
	at->fpu_detached = true;
	at->user = true;
	x86_fpu_init_memory(at->fpu);

	irqflags_t flags = arch_irq_save();
	at->fs_base = 0;
	at->gs_base = 0;
	at->fpu_detached = false;
	at->fpu_cpu = FPU_CPU_NONE;
	x86_fpu_switch_in(at);
	user_bases_load(at);
	/* The thread may have been a kernel thread until now. */
	this_cpu(x86_task_state).tss.rsp[0] = (u64)at->fpu;
	arch_irq_restore(flags);
}

void arch_thread_destroy(struct arch_thread *at)
{
	/* All there is lies in the stack. A new thread at this address has another fpu_cpu. */
	at->fpu_cpu = FPU_CPU_NONE;
}

static bool is_current(const struct arch_thread *at)
{
	return at == &current_base()->arch;
}

void arch_thread_set_tls(struct arch_thread *at, u64 tls)
{
	irqflags_t flags = arch_irq_save();
	/* The CPU refuses values that are not canonical. */
	at->fs_base = tls < USER_MAX ? tls : 0;
	if (is_current(at))
		msr_write(MSR_FS_BASE, at->fs_base);
	arch_irq_restore(flags);
}

long arch_prctl(int code, u64 address)
{
	struct arch_thread *at = &current_base()->arch;
	irqflags_t flags;

	switch (code) {
	case ARCH_SET_FS:
		if (address >= USER_MAX)
			return -EPERM;
		arch_thread_set_tls(at, address);
		return 0;
	case ARCH_SET_GS:
		if (address >= USER_MAX)
			return -EPERM;
		flags = arch_irq_save();
		at->gs_base = address;
		msr_write(MSR_KERNEL_GS_BASE, address);
		arch_irq_restore(flags);
		return 0;
	case ARCH_GET_FS:
	case ARCH_GET_GS:
		flags = arch_irq_save();
		x86_user_bases_save(at);
		arch_irq_restore(flags);
		return put_user(code == ARCH_GET_FS ? at->fs_base : at->gs_base,
				__force_user(u64 __user *, address));
	default:
		return -EINVAL;
	}
}
