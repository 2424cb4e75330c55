/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers that x86_64's entry code pushes, in the order of Linux's struct pt_regs. */
#pragma once

/* Selectors: the values that Linux has, because programs can see them. */
#define X86_KERNEL_CS 0x10
#define X86_KERNEL_DS 0x18
#define X86_USER32_CS 0x23 /* no such segment: SYSRET computes the next two from it */
#define X86_USER_DS 0x2b
#define X86_USER_CS 0x33
#define X86_TSS_SELECTOR 0x40

/* Bytes at the top of each kernel stack, above the frame from user mode, for the FPU state. */
#define X86_FPU_AREA_SIZE 2752

#ifndef __ASSEMBLY__
struct trap_frame {
	u64 r15, r14, r13, r12, rbp, rbx;
	u64 r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	u64 orig_rax; /* system call number; X86_NO_SYSCALL after any other entry */
	u64 rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct trap_frame) == 21 * 8, "entry.S pushes these");

#define X86_NO_SYSCALL (~0ull)
#define X86_SYSCALL_SIZE 2 /* bytes of the instruction */

static inline bool frame_from_user(const struct trap_frame *f)
{
	return f->cs & 3;
}
static inline u64 frame_pc(const struct trap_frame *f)
{
	return f->rip;
}
static inline u64 frame_sp(const struct trap_frame *f)
{
	return f->rsp;
}
static inline u64 frame_return_value(const struct trap_frame *f)
{
	return f->rax;
}
static inline void frame_set_pc(struct trap_frame *f, u64 pc)
{
	f->rip = pc;
}
static inline void frame_set_sp(struct trap_frame *f, u64 sp)
{
	f->rsp = sp;
}
static inline void frame_set_return_value(struct trap_frame *f, u64 value)
{
	f->rax = value;
}
static inline u64 frame_syscall_number(const struct trap_frame *f)
{
	return f->orig_rax;
}
static inline u64 frame_argument(const struct trap_frame *f, unsigned i)
{
	switch (i) {
	case 0:
		return f->rdi;
	case 1:
		return f->rsi;
	case 2:
		return f->rdx;
	case 3:
		return f->r10;
	case 4:
		return f->r8;
	default:
		return f->r9;
	}
}
static inline void frame_set_argument(struct trap_frame *f, unsigned i, u64 value)
{
	switch (i) {
	case 1:
		f->rsi = value;
		break;
	case 2:
		f->rdx = value;
		break;
	case 3:
		f->r10 = value;
		break;
	case 4:
		f->r8 = value;
		break;
	default:
		f->r9 = value;
	}
}
static inline bool frame_in_syscall(const struct trap_frame *f)
{
	return f->orig_rax != X86_NO_SYSCALL;
}
static inline void frame_end_syscall(struct trap_frame *f)
{
	f->orig_rax = X86_NO_SYSCALL;
}
static inline void frame_restart_syscall_as(struct trap_frame *f, u64 number)
{
	f->rax = number;
	f->rip -= X86_SYSCALL_SIZE;
}
static inline void frame_restart_syscall(struct trap_frame *f)
{
	frame_restart_syscall_as(f, f->orig_rax);
}
static inline void frame_trace_enter(struct trap_frame *f)
{
	f->rax = (u64)-38; /* ENOSYS, as on Linux */
}
static inline void frame_trace_entered(struct trap_frame *f)
{
	(void)f;
}
static inline void frame_undo_syscall(struct trap_frame *f)
{
	f->rax = f->orig_rax;
}
static inline void frame_clear_step(struct trap_frame *f)
{
	f->rflags &= ~0x100ull;
}
static inline void frame_set_call_argument(struct trap_frame *f, unsigned i, u64 value)
{
	u64 *const registers[] = { &f->rdi, &f->rsi, &f->rdx, &f->rcx };

	*registers[i] = value;
}
static inline void frame_init_user(struct trap_frame *f, u64 pc, u64 sp)
{
	*f = (struct trap_frame){
		.orig_rax = X86_NO_SYSCALL,
		.rip = pc,
		.cs = X86_USER_CS,
		.rflags = 0x202, /* IF and the bit that is always set */
		.rsp = sp,
		.ss = X86_USER_DS,
	};
}
static inline struct trap_frame *thread_user_frame(void *kstack_top)
{
	return (struct trap_frame *)((char *)kstack_top - X86_FPU_AREA_SIZE) - 1;
}
#endif
