/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers as ptrace(2) and core files have them. */
#pragma once

#include <lib/types.h>

#include <asm/ptrace.h>

struct arch_user_regs {
	u64 regs[31];
	u64 sp;
	u64 pc;
	u64 pstate;
};
_Static_assert(sizeof(struct arch_user_regs) == sizeof(struct user_pt_regs));
