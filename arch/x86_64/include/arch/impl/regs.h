/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers as ptrace(2) and core files show them: struct user_regs_struct of <sys/user.h>. */
#pragma once

struct arch_user_regs {
	u64 r15, r14, r13, r12, rbp, rbx;
	u64 r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	u64 orig_rax;
	u64 rip, cs, rflags, rsp, ss;
	u64 fs_base, gs_base;
	u64 ds, es, fs, gs;
};
_Static_assert(sizeof(struct arch_user_regs) == 27 * 8, "ELF_NGREG");
