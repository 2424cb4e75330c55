/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers that vectors.S saves. */
#pragma once

#define FRAME_SP 248
#define FRAME_PC 256
#define FRAME_PSTATE 264
#define FRAME_ORIG_X0 272
#define FRAME_SYSCALL 280
#define FRAME_RECORD 288
#define FRAME_SIZE 304

/*
 * Above a user thread's frame lies its struct thread pointer, so that an entry from user mode,
 * which finds SP_EL1 just below it, learns the current thread with one load.
 */
#define FRAME_OWNER_SIZE 16

#define PSTATE_MODE_MASK 0x1f
#define PSTATE_EL0T 0x0
#define PSTATE_EL1H 0x5
#define PSTATE_SINGLE_STEP (1 << 21)

#ifndef __ASSEMBLY__

#include <lib/types.h>

struct trap_frame {
	u64 regs[31];
	u64 sp;
	u64 pc;
	u64 pstate;
	u64 orig_x0;	    /* x0 as the system call was entered */
	s32 syscall_number; /* -1 when the entry was no system call */
	u32 unused;
	u64 record[2]; /* a frame record {x29, lr}, so that a back trace runs through */
};

_Static_assert(offsetof(struct trap_frame, sp) == FRAME_SP);
_Static_assert(offsetof(struct trap_frame, pc) == FRAME_PC);
_Static_assert(offsetof(struct trap_frame, pstate) == FRAME_PSTATE);
_Static_assert(offsetof(struct trap_frame, orig_x0) == FRAME_ORIG_X0);
_Static_assert(offsetof(struct trap_frame, syscall_number) == FRAME_SYSCALL);
_Static_assert(offsetof(struct trap_frame, record) == FRAME_RECORD);
_Static_assert(sizeof(struct trap_frame) == FRAME_SIZE && FRAME_SIZE % 16 == 0);

static inline bool frame_from_user(const struct trap_frame *f)
{
	return (f->pstate & PSTATE_MODE_MASK) == PSTATE_EL0T;
}
static inline u64 frame_pc(const struct trap_frame *f)
{
	return f->pc;
}
static inline u64 frame_sp(const struct trap_frame *f)
{
	return f->sp;
}
static inline u64 frame_return_value(const struct trap_frame *f)
{
	return f->regs[0];
}
static inline void frame_set_pc(struct trap_frame *f, u64 pc)
{
	f->pc = pc;
}
static inline void frame_set_sp(struct trap_frame *f, u64 sp)
{
	f->sp = sp;
}
static inline void frame_set_return_value(struct trap_frame *f, u64 value)
{
	f->regs[0] = value;
}
static inline u64 frame_syscall_number(const struct trap_frame *f)
{
	return (u64)(s64)f->syscall_number;
}
static inline u64 frame_argument(const struct trap_frame *f, unsigned i)
{
	return i ? f->regs[i] : f->orig_x0;
}
static inline void frame_set_argument(struct trap_frame *f, unsigned i, u64 value)
{
	f->regs[i] = value;
}
static inline bool frame_in_syscall(const struct trap_frame *f)
{
	return f->syscall_number != -1;
}
static inline void frame_end_syscall(struct trap_frame *f)
{
	f->syscall_number = -1;
}
static inline void frame_restart_syscall_as(struct trap_frame *f, u64 number)
{
	f->regs[0] = f->orig_x0;
	f->regs[8] = number;
	f->pc -= 4;
}
static inline void frame_restart_syscall(struct trap_frame *f)
{
	frame_restart_syscall_as(f, (u64)(s64)f->syscall_number);
}
static inline void frame_trace_enter(struct trap_frame *f)
{
	(void)f;
}
static inline void frame_trace_entered(struct trap_frame *f)
{
	f->orig_x0 = f->regs[0];
}
static inline void frame_undo_syscall(struct trap_frame *f)
{
	f->regs[0] = f->orig_x0;
}
static inline void frame_clear_step(struct trap_frame *f)
{
	f->pstate &= ~(u64)PSTATE_SINGLE_STEP;
}
static inline void frame_set_call_argument(struct trap_frame *f, unsigned i, u64 value)
{
	f->regs[i] = value;
}
static inline void frame_init_user(struct trap_frame *f, u64 pc, u64 sp)
{
	*f = (struct trap_frame){ .pc = pc, .sp = sp, .pstate = PSTATE_EL0T, .syscall_number = -1 };
}
static inline struct trap_frame *thread_user_frame(void *kstack_top)
{
	return (struct trap_frame *)((char *)kstack_top - FRAME_OWNER_SIZE) - 1;
}

#endif
