/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers for debuggers: general, FPU, debug registers; the layouts of <sys/user.h> and of XSAVE. */
#include <arch/frame.h>
#include <arch/impl/regs.h>
#include <arch/irqflags.h>
#include <arch/layout.h>
#include <arch/ptrace.h>
#include <core/thread_base.h>
#include <lib/errno.h>
#include <lib/string.h>

#include <asm/prctl.h>
#include <asm/ptrace-abi.h>
#include <asm/sigcontext.h>
#include <linux/audit.h>
#include <linux/elf.h>
#include <linux/ptrace.h>

#include "debug.h"
#include "fpu.h"
#include "x86.h"

#define FLAGS_USER 0x50dd5u /* AC RF OF DF TF SF ZF AF PF CF */
#define FXSAVE_SIZE 512
#define XSAVE_SOFTWARE 464 /* bytes of FXSAVE left to software: XCR0 stands there */
#define XSAVE_BV 512
#define FPU_CPU_NONE ~0u

/* Offsets in struct user. */
#define USER_DEBUG_REGISTERS 848
#define USER_SIZE 912

#define DR7_LOCAL_GLOBAL 0xffu
#define DR7_RESERVED 0x0000fc00u
#define DR7_FIXED 0x400u

const u32 arch_audit_number = AUDIT_ARCH_X86_64;
const u32 arch_core_regsets[] = { NT_PRFPREG, NT_X86_XSTATE, 0 };

static struct trap_frame *frame_of(struct thread_base *t)
{
	return thread_user_frame(t->kstack_top);
}

/* Brings what is kept of the current thread up to date. */
static void sync_current(struct thread_base *t)
{
	irqflags_t flags;

	if (t != current_base())
		return;
	flags = arch_irq_save();
	x86_fpu_save(t->arch.fpu);
	x86_user_bases_save(&t->arch);
	arch_irq_restore(flags);
}

static void get_general(struct thread_base *t, struct arch_user_regs *out)
{
	const struct trap_frame *f = frame_of(t);

	memcpy(out, f, sizeof(*f)); /* the first 21 words are the frame */
	if (t->arch.step_forced)
		out->rflags &= ~(u64)FLAGS_TF;
	out->fs_base = t->arch.fs_base;
	out->gs_base = t->arch.gs_base;
	out->ds = out->es = out->fs = out->gs = 0;
}
static_assert(offsetof(struct arch_user_regs, fs_base) == sizeof(struct trap_frame));

static u64 flags_merge(struct thread_base *t, u64 flags)
{
	u64 old = frame_of(t)->rflags;

	if (flags & FLAGS_TF)
		t->arch.step_forced = false;
	else if (t->arch.step_forced)
		flags |= FLAGS_TF;
	return (old & ~(u64)FLAGS_USER) | (flags & FLAGS_USER);
}

static int set_general(struct thread_base *t, const struct arch_user_regs *in)
{
	struct trap_frame *f = frame_of(t);
	u64 flags = flags_merge(t, in->rflags);

	if ((in->cs & 0xffff) != X86_USER_CS || (in->ss & 0xffff) != X86_USER_DS ||
	    in->fs_base >= USER_MAX || in->gs_base >= USER_MAX)
		return -EIO;
	memcpy(f, in, sizeof(*f));
	f->cs = X86_USER_CS;
	f->ss = X86_USER_DS;
	f->rflags = flags;
	t->arch.fs_base = in->fs_base;
	t->arch.gs_base = in->gs_base;
	return 0;
}

/* XSAVEOPT leaves parts that are in their initial state unwritten: fills them in. */
static void complete_legacy(u8 *area)
{
	u64 present = *(u64 *)(area + XSAVE_BV);

	if (!x86_fpu_features)
		return;
	if (!(present & 1)) {
		memset(area, 0, 24);
		memset(area + 32, 0, 128);
		*(u16 *)area = 0x37f;
	}
	if (!(present & 2))
		memset(area + 160, 0, 256);
}

static void get_fpu(struct thread_base *t, u8 *out, size_t size)
{
	memcpy(out, t->arch.fpu, size);
	if (x86_fpu_features) {
		u64 saved = *(u64 *)((u8 *)t->arch.fpu + XSAVE_BV);

		if (size == FXSAVE_SIZE) {
			complete_legacy(t->arch.fpu);
			memcpy(out, t->arch.fpu, FXSAVE_SIZE);
		} else {
			*(u64 *)(out + XSAVE_BV) = saved;
			complete_legacy(out);
		}
	}
	memset(out + XSAVE_SOFTWARE, 0, FXSAVE_SIZE - XSAVE_SOFTWARE);
	*(u64 *)(out + XSAVE_SOFTWARE) = x86_fpu_features;
}

static int set_fpu(struct thread_base *t, const u8 *in, size_t size)
{
	u8 *area = t->arch.fpu;

	if (size > FXSAVE_SIZE) {
		const u64 *header = (const u64 *)(in + XSAVE_BV);

		if (header[0] & ~x86_fpu_features)
			return -EINVAL;
		for (unsigned i = 1; i < 8; i++)
			if (header[i])
				return -EINVAL;
	}
	memcpy(area, in, size);
	if (x86_fpu_features && size == FXSAVE_SIZE)
		*(u64 *)(area + XSAVE_BV) |= 3;
	(void)!x86_fpu_sanitize(area); /* the header was checked */
	x86_fpu_mark_layout(area);
	t->arch.fpu_cpu = FPU_CPU_NONE;
	return 0;
}

size_t arch_regset_size(u32 type)
{
	switch (type) {
	case NT_PRSTATUS:
		return sizeof(struct arch_user_regs);
	case NT_PRFPREG:
		return FXSAVE_SIZE;
	case NT_X86_XSTATE:
		return x86_fpu_features ? x86_fpu_size : 0;
	default:
		return 0;
	}
}

int arch_regset_get(struct thread_base *t, u32 type, void *buf)
{
	sync_current(t);
	if (type == NT_PRSTATUS)
		get_general(t, buf);
	else
		get_fpu(t, buf, arch_regset_size(type));
	return 0;
}

int arch_regset_set(struct thread_base *t, u32 type, const void *buf)
{
	if (type == NT_PRSTATUS)
		return set_general(t, buf);
	return set_fpu(t, buf, arch_regset_size(type));
}

bool arch_ptrace_regset(long request, u32 *type, bool *write)
{
	switch (request) {
	case PTRACE_GETREGS:
	case PTRACE_SETREGS:
		*type = NT_PRSTATUS;
		*write = request == PTRACE_SETREGS;
		return true;
	case PTRACE_GETFPREGS:
	case PTRACE_SETFPREGS:
		*type = NT_PRFPREG;
		*write = request == PTRACE_SETFPREGS;
		return true;
	default:
		return false;
	}
}

/* DR7: what the CPU would not take, or what would watch the kernel, is refused. */
static int set_debug_control(struct arch_thread *at, u64 value)
{
	u32 control = (u32)value & ~DR7_RESERVED;

	for (unsigned i = 0; i < 4; i++) {
		unsigned kind = control >> (16 + 4 * i) & 3, length = control >> (18 + 4 * i) & 3;

		if (!(control >> 2 * i & 3))
			continue;
		if (kind == 2 || (kind == 0 && length) || at->debug_address[i] >= USER_MAX)
			return -EINVAL;
	}
	at->debug_control = control;
	return 0;
}

static int set_debug_register(struct arch_thread *at, unsigned n, u64 value)
{
	switch (n) {
	case 0 ... 3:
		if (value >= USER_MAX)
			return -EINVAL;
		at->debug_address[n] = value;
		return 0;
	case 6:
		at->debug_status = value;
		return 0;
	case 7:
		return set_debug_control(at, value);
	default:
		return -EIO;
	}
}

static u64 get_debug_register(const struct arch_thread *at, unsigned n)
{
	return n < 4	? at->debug_address[n]
	       : n == 6 ? at->debug_status
	       : n == 7 ? at->debug_control
			: 0;
}

static int peek_user(struct thread_base *t, u64 offset, u64 *word)
{
	struct arch_user_regs regs;

	if (offset % 8 || offset >= USER_SIZE)
		return -EIO;
	*word = 0;
	if (offset < sizeof(regs)) {
		get_general(t, &regs);
		*word = ((u64 *)&regs)[offset / 8];
	} else if (offset >= USER_DEBUG_REGISTERS) {
		*word = get_debug_register(&t->arch, (unsigned)(offset - USER_DEBUG_REGISTERS) / 8);
	}
	return 0;
}

static int poke_user(struct thread_base *t, u64 offset, u64 value)
{
	struct arch_user_regs regs;

	if (offset % 8 || offset >= USER_SIZE)
		return -EIO;
	if (offset >= USER_DEBUG_REGISTERS)
		return set_debug_register(&t->arch, (unsigned)(offset - USER_DEBUG_REGISTERS) / 8,
					  value);
	if (offset >= sizeof(regs))
		return -EIO;
	get_general(t, &regs);
	((u64 *)&regs)[offset / 8] = value;
	return set_general(t, &regs);
}

long arch_ptrace(struct thread_base *t, long request, u64 address, u64 data, u64 *word)
{
	switch (request) {
	case PTRACE_PEEKUSR:
		return peek_user(t, address, word);
	case PTRACE_POKEUSR:
		return poke_user(t, address, data);
	case PTRACE_ARCH_PRCTL:
		if (address >= USER_MAX || (data != ARCH_SET_FS && data != ARCH_SET_GS))
			return -EIO;
		if (data == ARCH_SET_FS)
			t->arch.fs_base = address;
		else
			t->arch.gs_base = address;
		return 0;
	default:
		return -EIO;
	}
}

void arch_step_set(struct thread_base *t, bool on)
{
	struct trap_frame *f = frame_of(t);

	if (on && !(f->rflags & FLAGS_TF)) {
		f->rflags |= FLAGS_TF;
		t->arch.step_forced = true;
	} else if (!on && t->arch.step_forced) {
		f->rflags &= ~(u64)FLAGS_TF;
		t->arch.step_forced = false;
	}
}

void x86_debug_load(const struct arch_thread *at)
{
	u64 control = at->debug_control;

	asm volatile("movq %0, %%dr7" : : "r"((u64)DR7_FIXED));
	if (!control)
		return;
	asm volatile("movq %0, %%dr0" : : "r"(at->debug_address[0]));
	asm volatile("movq %0, %%dr1" : : "r"(at->debug_address[1]));
	asm volatile("movq %0, %%dr2" : : "r"(at->debug_address[2]));
	asm volatile("movq %0, %%dr3" : : "r"(at->debug_address[3]));
	asm volatile("movq %0, %%dr7" : : "r"(control | DR7_FIXED));
}

void x86_debug_reset(struct arch_thread *at)
{
	irqflags_t flags = arch_irq_save();

	at->step_forced = false;
	if (at->debug_control) {
		at->debug_control = 0;
		x86_debug_load(at);
	}
	memset(at->debug_address, 0, sizeof(at->debug_address));
	at->debug_status = 0;
	arch_irq_restore(flags);
}
