/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of a thread that the lowest layers and the entry code need. It is the first member of
 * struct thread (<sched/thread.h>), so a struct thread pointer is a struct thread_base pointer.
 */
#pragma once

#include <arch/cpu.h>
#include <arch/thread.h>
#include <lib/types.h>

/* Bits of thread_base.work: what must be done before the return to user mode. Set from any context. */
#define WORK_RESCHEDULE                                                                            \
	BIT(0) /* another thread should run; also honoured when preemption is enabled again */
#define WORK_SIGNAL                                                                                \
	BIT(1) /* a signal may be deliverable: interruptible sleeps end with -ERESTARTSYS */
#define WORK_NOTIFY                                                                                \
	BIT(2) /* the process layer has something to do (stop, exit, restore the signal mask) */
#define WORK_FATAL                                                                                 \
	BIT(4) /* the thread must leave: killable sleeps end with -ERESTARTSYS too; never cleared */
#define WORK_RSEQ BIT(3)  /* the area of restartable sequences must be looked at */
#define WORK_TRACE BIT(5) /* system calls are reported (strace, ptrace, seccomp) */

/* One step of preempt_count per level of interrupt, above the steps of preempt_disable(). */
#define PREEMPT_INTERRUPT BIT(16)

#ifdef CONFIG_DEBUG_LOCKS
#define HELD_LOCKS_MAX 24
struct held_lock {
	const void *lock;
	const char *name;
	u16 rank;
	u16 interrupt_level; /* ranks are compared within a level: an interrupt may come anywhere */
};
#endif

struct mutex;
struct rwsem;

struct thread_base {
	u32 preempt_count; /* > 0: not preemptible; only the thread itself (and its interrupts) writes */
	u32 nofault_count; /* > 0: user accesses end at their fixup instead of resolving the fault */
	u64 work;	   /* WORK_*; atomic */
	void *kstack_top;  /* the frame from user mode lies below it */
	struct arch_thread arch;
	const struct mutex *blocked_on; /* for dumps: the mutex it sleeps for */
	const struct rwsem *blocked_on_rwsem;
#ifdef CONFIG_DEBUG
	u32 fail_nth; /* the allocation from now on that fails; 0: none. See mm/fail.h */
#endif
#ifdef CONFIG_DEBUG_LOCKS
	struct held_lock held[HELD_LOCKS_MAX];
	u32 held_count;
#endif
};

static inline struct thread_base *current_base(void)
{
	return (struct thread_base *)arch_current();
}

/* Sets work bits of a thread. Any context. Does not interrupt another CPU: see thread_kick(). */
static inline void thread_work_set(struct thread_base *t, u64 bits)
{
	__atomic_fetch_or(&t->work, bits, __ATOMIC_RELEASE);
}

static inline void thread_work_clear(struct thread_base *t, u64 bits)
{
	__atomic_fetch_and(&t->work, ~bits, __ATOMIC_ACQ_REL);
}

static inline u64 thread_work(const struct thread_base *t)
{
	return __atomic_load_n(&t->work, __ATOMIC_ACQUIRE);
}
