/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions of user programs become signals. One that will end its program is told in the log, as on Linux. */
#include <arch/frame.h>
#include <arch/trap.h>
#include <core/log.h>
#include <core/panic.h>
#include <core/time.h>
#include <mm/aspace.h>
#include <proc/proc_priv.h>

#define REPORTS 10 /* in this time */
#define REPORT_PERIOD (5 * NSEC_PER_SEC)

/* False once a loop of crashing programs has filled its share of the log. */
static bool may_report(void)
{
	static u64 period_start;
	static unsigned reports;
	u64 now = clock_monotonic_ns();

	if (now - READ_ONCE(period_start) > REPORT_PERIOD) {
		WRITE_ONCE(period_start, now);
		__atomic_store_n(&reports, 0, __ATOMIC_RELAXED);
	}
	return __atomic_fetch_add(&reports, 1, __ATOMIC_RELAXED) < REPORTS;
}

static void report(int signo, vaddr_t address)
{
	const struct task *task = current_task();
	const struct trap_frame *frame = thread_user_frame(current_base()->kstack_top);
	vaddr_t handler = task->process->actions->action[signo - 1].handler;

	if (handler > (vaddr_t)SIG_IGN && !(task->signals.blocked & SIGNAL_BIT(signo)))
		return;
	if (may_report())
		log_info("%s[%d]: signal %d at %lx ip %lx sp %lx", task->thread.name, task->tid,
			 signo, (unsigned long)address, (unsigned long)frame_pc(frame),
			 (unsigned long)frame_sp(frame));
}

void trap_user_exception(struct trap_frame *frame, int signo, int code, vaddr_t address,
			 unsigned trap_number, u64 error_code)
{
	ASSERT(current_task());
	if (signo == SIGTRAP && task_rest_stepped())
		return;
	if (signo != SIGTRAP)
		report(signo, address);
	signal_force(signo, code, address);
}

static void fault_signal(int signo, int code, vaddr_t address, u32 fault_flags)
{
	report(signo, address);
	signal_force(signo, code, address);
}

static bool locks_without_limit(void)
{
	return capable(CAP_IPC_LOCK);
}

void fault_signal_init(void)
{
	mm_hooks.fault_signal = fault_signal;
	mm_hooks.fatal_signal_pending = signal_fatal_pending;
	mm_hooks.locks_without_limit = locks_without_limit;
}
