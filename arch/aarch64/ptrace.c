/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers for debuggers: general, FPSIMD, TLS, breakpoints and watchpoints (Arm ARM, D2), in the layouts of <asm/ptrace.h>.
 * Debug exceptions are on in user mode only (MDSCR_EL1.KDE is 0), and only while a thread with debug_enable runs.
 */
#include <arch/cpu.h>
#include <arch/frame.h>
#include <arch/impl/regs.h>
#include <arch/irqflags.h>
#include <arch/layout.h>
#include <arch/ptrace.h>
#include <core/thread_base.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>

#include <linux/audit.h>
#include <linux/elf.h>
#include <linux/ptrace.h>

#include "arm_priv.h"

#define MDSCR_SS BIT(0)
#define MDSCR_MDE BIT(15)
#define SLOTS_MAX 16
#define CONTROL_ENABLE 1u
#define CONTROL_USER (2u << 1) /* PMC, PAC: user mode only */
#define CONTROL_KEPT 0x1ff9u   /* E, LSC, BAS */
#define CONTROL_BYTES 0x1fe0u  /* BAS */
#define DEBUG_ARCHITECTURE 6   /* ARMv8 */
#define FPU_NOWHERE UINT32_MAX

struct debug_slot {
	u64 address;
	u32 control;
};
struct arm_debug {
	struct debug_slot breakpoints[SLOTS_MAX], watchpoints[SLOTS_MAX];
};

const u32 arch_audit_number = AUDIT_ARCH_AARCH64;
const u32 arch_core_regsets[] = { NT_PRFPREG, NT_ARM_TLS, 0 };

static struct trap_frame *frame_of(struct thread_base *t)
{
	return thread_user_frame(t->kstack_top);
}

static unsigned breakpoint_count(void)
{
	return (unsigned)(read_sysreg(id_aa64dfr0_el1) >> 12 & 0xf) + 1;
}

static unsigned watchpoint_count(void)
{
	return (unsigned)(read_sysreg(id_aa64dfr0_el1) >> 20 & 0xf) + 1;
}

#define SLOT_CASE(n)                                                                               \
	case n:                                                                                    \
		if (watch) {                                                                       \
			write_sysreg(dbgwcr##n##_el1, 0);                                          \
			write_sysreg(dbgwvr##n##_el1, slot->address);                              \
			write_sysreg(dbgwcr##n##_el1, (u64)slot->control);                         \
		} else {                                                                           \
			write_sysreg(dbgbcr##n##_el1, 0);                                          \
			write_sysreg(dbgbvr##n##_el1, slot->address);                              \
			write_sysreg(dbgbcr##n##_el1, (u64)slot->control);                         \
		}                                                                                  \
		break

/* The registers are named in the instruction. */
static void slot_load(unsigned n, bool watch, const struct debug_slot *slot)
{
	switch (n) {
		SLOT_CASE(0);
		SLOT_CASE(1);
		SLOT_CASE(2);
		SLOT_CASE(3);
		SLOT_CASE(4);
		SLOT_CASE(5);
		SLOT_CASE(6);
		SLOT_CASE(7);
		SLOT_CASE(8);
		SLOT_CASE(9);
		SLOT_CASE(10);
		SLOT_CASE(11);
		SLOT_CASE(12);
		SLOT_CASE(13);
		SLOT_CASE(14);
		SLOT_CASE(15);
	}
}

void arm_debug_load(const struct arch_thread *at)
{
	static const struct debug_slot off;
	const struct arm_debug *debug = at->debug;

	write_sysreg(mdscr_el1, 0);
	if (!at->debug_enable)
		return;
	write_sysreg(oslar_el1, 0);
	for (unsigned i = 0; i < breakpoint_count(); i++)
		slot_load(i, false, debug ? &debug->breakpoints[i] : &off);
	for (unsigned i = 0; i < watchpoint_count(); i++)
		slot_load(i, true, debug ? &debug->watchpoints[i] : &off);
	write_sysreg(mdscr_el1, at->debug_enable);
	asm volatile("isb" : : : "memory");
}

void arm_debug_reset(struct arch_thread *at)
{
	irqflags_t flags = arch_irq_save();

	if (at->debug_enable) {
		at->debug_enable = 0;
		arm_debug_load(at);
	}
	if (at->debug)
		memset(at->debug, 0, sizeof(*at->debug));
	arch_irq_restore(flags);
}

void arch_step_set(struct thread_base *t, bool on)
{
	struct trap_frame *f = frame_of(t);

	if (on) {
		t->arch.debug_enable |= MDSCR_SS;
		f->pstate |= PSTATE_SINGLE_STEP;
	} else if (t->arch.debug_enable & MDSCR_SS) {
		t->arch.debug_enable &= ~MDSCR_SS;
		f->pstate &= ~(u64)PSTATE_SINGLE_STEP;
	}
	if (t == current_base()) {
		irqflags_t flags = arch_irq_save();

		arm_debug_load(&t->arch);
		arch_irq_restore(flags);
	}
}

size_t arch_regset_size(u32 type)
{
	switch (type) {
	case NT_PRSTATUS:
		return sizeof(struct user_pt_regs);
	case NT_PRFPREG:
		return sizeof(struct user_fpsimd_state);
	case NT_ARM_TLS:
		return sizeof(u64);
	case NT_ARM_SYSTEM_CALL:
		return sizeof(int);
	case NT_ARM_HW_BREAK:
		return offsetof(struct user_hwdebug_state, dbg_regs) + breakpoint_count() * 16;
	case NT_ARM_HW_WATCH:
		return offsetof(struct user_hwdebug_state, dbg_regs) + watchpoint_count() * 16;
	default:
		return 0;
	}
}

static void get_general(const struct trap_frame *f, struct user_pt_regs *out)
{
	memcpy(out->regs, f->regs, sizeof(out->regs));
	out->sp = f->sp;
	out->pc = f->pc;
	out->pstate = f->pstate & ~(u64)PSTATE_SINGLE_STEP;
}

static int set_general(struct thread_base *t, const struct user_pt_regs *in)
{
	struct trap_frame *f = frame_of(t);
	u64 flags = PSR_N_BIT | PSR_Z_BIT | PSR_C_BIT | PSR_V_BIT | PSR_SSBS_BIT;

	/* User mode of AArch64 with interrupts on; other bits do not count. */
	if (in->pstate &
	    (PSR_MODE_MASK | PSR_MODE32_BIT | PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT))
		return -EINVAL;
	memcpy(f->regs, in->regs, sizeof(f->regs));
	f->sp = in->sp;
	f->pc = in->pc;
	f->pstate = (in->pstate & flags) | (f->pstate & PSTATE_SINGLE_STEP);
	return 0;
}

static void get_fpsimd(struct thread_base *t, struct user_fpsimd_state *out)
{
	if (t == current_base())
		fpu_sync_current();
	memset(out, 0, sizeof(*out));
	memcpy(out->vregs, t->arch.fpu.vregs, sizeof(out->vregs));
	out->fpsr = t->arch.fpu.fpsr;
	out->fpcr = t->arch.fpu.fpcr;
}

static void set_fpsimd(struct thread_base *t, const struct user_fpsimd_state *in)
{
	memcpy(t->arch.fpu.vregs, in->vregs, sizeof(in->vregs));
	t->arch.fpu.fpsr = in->fpsr;
	t->arch.fpu.fpcr = in->fpcr;
	t->arch.fpu_cpu = FPU_NOWHERE;
}

static void get_debug(struct thread_base *t, bool watch, struct user_hwdebug_state *out)
{
	unsigned count = watch ? watchpoint_count() : breakpoint_count();

	out->dbg_info = DEBUG_ARCHITECTURE << 8 | count;
	out->pad = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct arm_debug *debug = t->arch.debug;
		const struct debug_slot *slot = !debug	? nullptr
						: watch ? &debug->watchpoints[i]
							: &debug->breakpoints[i];

		out->dbg_regs[i].addr = slot ? slot->address : 0;
		out->dbg_regs[i].ctrl = slot ? slot->control & ~CONTROL_USER : 0;
		out->dbg_regs[i].pad = 0;
	}
}

static int set_debug(struct thread_base *t, bool watch, const struct user_hwdebug_state *in)
{
	unsigned count = watch ? watchpoint_count() : breakpoint_count();
	struct arm_debug *debug = t->arch.debug;
	u64 enable = t->arch.debug_enable & MDSCR_SS;

	for (unsigned i = 0; i < count; i++)
		if ((in->dbg_regs[i].ctrl & CONTROL_ENABLE) && in->dbg_regs[i].addr >= USER_MAX)
			return -EINVAL;
	if (!debug)
		debug = t->arch.debug = kzalloc(sizeof(*debug), 0);
	if (!debug)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		struct debug_slot *slot = watch ? &debug->watchpoints[i] : &debug->breakpoints[i];
		u32 control = in->dbg_regs[i].ctrl & CONTROL_KEPT;

		slot->address = in->dbg_regs[i].addr & ~(watch ? 7ull : 3ull);
		slot->control = control & CONTROL_ENABLE ? control | CONTROL_USER : control;
		if (watch) /* the bytes are counted from an aligned address */
			slot->control = (slot->control & ~CONTROL_BYTES) |
					((control & CONTROL_BYTES) << (in->dbg_regs[i].addr & 7) &
					 CONTROL_BYTES);
	}
	for (unsigned i = 0; i < SLOTS_MAX; i++)
		if ((debug->breakpoints[i].control | debug->watchpoints[i].control) &
		    CONTROL_ENABLE)
			enable |= MDSCR_MDE;
	t->arch.debug_enable = enable;
	return 0;
}

int arch_regset_get(struct thread_base *t, u32 type, void *buf)
{
	switch (type) {
	case NT_PRSTATUS:
		get_general(frame_of(t), buf);
		return 0;
	case NT_PRFPREG:
		get_fpsimd(t, buf);
		return 0;
	case NT_ARM_TLS:
		*(u64 *)buf = t == current_base() ? read_sysreg(tpidr_el0) : t->arch.tls;
		return 0;
	case NT_ARM_SYSTEM_CALL:
		*(int *)buf = frame_of(t)->syscall_number;
		return 0;
	case NT_ARM_HW_BREAK:
	case NT_ARM_HW_WATCH:
		get_debug(t, type == NT_ARM_HW_WATCH, buf);
		return 0;
	default:
		return -EINVAL;
	}
}

int arch_regset_set(struct thread_base *t, u32 type, const void *buf)
{
	switch (type) {
	case NT_PRSTATUS:
		return set_general(t, buf);
	case NT_PRFPREG:
		set_fpsimd(t, buf);
		return 0;
	case NT_ARM_TLS:
		t->arch.tls = *(const u64 *)buf;
		return 0;
	case NT_ARM_SYSTEM_CALL:
		frame_of(t)->syscall_number = *(const int *)buf;
		return 0;
	case NT_ARM_HW_BREAK:
	case NT_ARM_HW_WATCH:
		return set_debug(t, type == NT_ARM_HW_WATCH, buf);
	default:
		return -EINVAL;
	}
}

/* Only old architectures have them. */
bool arch_ptrace_regset(long request, u32 *type, bool *write)
{
	(void)request;
	(void)type;
	(void)write;
	return false;
}

long arch_ptrace(struct thread_base *t, long request, u64 address, u64 data, u64 *word)
{
	(void)t;
	(void)request;
	(void)address;
	(void)data;
	(void)word;
	return -EIO;
}
