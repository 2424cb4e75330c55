/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contract: the registers of a user thread for debuggers and core files. `t` is the current thread, or one that sleeps, is off
 * its CPU and is kept so by the caller. Frames are those below t->kstack_top.
 */
#pragma once

#include <lib/types.h>

struct thread_base;

/* AUDIT_ARCH_* of programs, for ptrace and seccomp. */
extern const u32 arch_audit_number;

/* The register sets of core files after NT_PRSTATUS, ended by 0. */
extern const u32 arch_core_regsets[];

/* Bytes of the register set `type` (NT_* of <linux/elf.h>); 0: there is no such set here. */
size_t arch_regset_size(u32 type);

/* Reads all of a set. -EIO, -EINVAL. */
[[nodiscard]] int arch_regset_get(struct thread_base *t, u32 type, void *buf);

/* Writes all of a set; what would give more than user mode's rights is refused or masked. -EIO, -EINVAL, -ENOMEM. */
[[nodiscard]] int arch_regset_set(struct thread_base *t, u32 type, const void *buf);

/* The set that an old request of ptrace(2) reads or writes (PTRACE_GETREGS ...); false: it is no such request. */
bool arch_ptrace_regset(long request, u32 *type, bool *write);

/* Other requests of the architecture alone. PTRACE_PEEKUSR stores to *word. -EIO for what is none. */
[[nodiscard]] long arch_ptrace(struct thread_base *t, long request, u64 address, u64 data,
			       u64 *word);

/* Makes the thread trap after one instruction in user mode, or not. */
void arch_step_set(struct thread_base *t, bool on);
