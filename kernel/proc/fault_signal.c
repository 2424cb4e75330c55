/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions of user programs become signals. */
#include <arch/frame.h>
#include <arch/trap.h>
#include <core/panic.h>
#include <mm/aspace.h>
#include <proc/proc_priv.h>

void trap_user_exception(struct trap_frame *frame, int signo, int code, vaddr_t address,
			 unsigned trap_number, u64 error_code)
{
	ASSERT(current_task());
	signal_force(signo, code, address);
}

static void fault_signal(int signo, int code, vaddr_t address, u32 fault_flags)
{
	signal_force(signo, code, address);
}

void fault_signal_init(void)
{
	mm_hooks.fault_signal = fault_signal;
	mm_hooks.fatal_signal_pending = signal_fatal_pending;
}
