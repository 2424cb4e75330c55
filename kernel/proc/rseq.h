/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Restartable sequences and barriers on other CPUs: what threads know of the CPU they run on. */
#pragma once

#include <lib/types.h>

struct rseq;
struct task;
struct trap_frame;

/* rseq(2): registers the area of the current task, or takes it back. 0, -EINVAL, -EPERM, -EBUSY, -EFAULT. */
[[nodiscard]] int rseq_register(struct rseq __user *area, u32 size, u32 signature);
[[nodiscard]] int rseq_unregister(struct rseq __user *area, u32 size, u32 signature);

/*
 * Before a return to user mode with WORK_RSEQ set, and before a signal's handler: tells the task its CPU, and leads it to
 * the abort address if it was inside a critical section. A damaged area gets it SIGSEGV. May sleep.
 */
void rseq_resume(struct trap_frame *frame);

/* fork: the child has the parent's area too (with memory of its own). exec: forgets it. */
void rseq_fork(struct task *child, const struct task *parent);
void rseq_reset(struct task *task);

/*
 * membarrier(2): 0 or the mask of commands (MEMBARRIER_CMD_QUERY), -EINVAL, -EPERM (not registered). `cpu` < 0: all. May
 * sleep.
 */
[[nodiscard]] int membarrier(int command, int cpu);
