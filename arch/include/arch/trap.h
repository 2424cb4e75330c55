/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contract, upwards: what the entry code of every architecture calls. All but trap_irq run with interrupts
 * enabled if they were enabled where the trap happened; frame is on the current kernel stack.
 */
#pragma once

#include <lib/types.h>

struct trap_frame;

#define FAULT_WRITE 1u
#define FAULT_EXEC 2u
#define FAULT_USER 4u	 /* the access was made in user mode */
#define FAULT_PRESENT 8u /* a mapping was present but did not allow the access */

/*
 * A page fault. Implemented in mm/fault.c. Resolves it, delivers SIGSEGV or SIGBUS (user mode), continues at the
 * exception fixup (kernel mode access to user memory), or panics.
 */
void trap_page_fault(struct trap_frame *frame, vaddr_t address, u32 flags);

/*
 * A system call: number and arguments are in the frame, the result goes there too. Implemented in
 * linux/dispatch.c.
 */
void trap_syscall(struct trap_frame *frame);

/*
 * A device interrupt, its number in the numbering of <arch/irqchip.h>; interrupts are masked.
 * Implemented in core/irq.c. The architecture has done nothing but read the number; trap_irq acknowledges it.
 */
void trap_irq(struct trap_frame *frame, unsigned irq);

/* The timer of this CPU fired; interrupts are masked, the timer is acknowledged. core/timer.c. */
void trap_timer(struct trap_frame *frame);

/*
 * An exception that user code caused: queues signal `signo` with si_code `code` and si_addr `address` to
 * the current thread as a forced signal (it cannot be blocked or ignored). `trap_number` goes into
 * the signal frame where the architecture has such a field. Implemented in proc/fault_signal.c.
 */
void trap_user_exception(struct trap_frame *frame, int signo, int code, vaddr_t address,
			 unsigned trap_number, u64 error_code);

/* An exception in the kernel that has no fixup: prints registers and panics. core/panic.c. */
[[noreturn]] void trap_kernel_exception(struct trap_frame *frame, const char *what,
					vaddr_t address);

/*
 * Called before every return to user mode when the thread's work flags are not zero, interrupts enabled:
 * reschedules, delivers signals, stops. Implemented in proc/exit_to_user.c. The
 * architecture calls it in a loop until thread_base.work is 0 with interrupts masked.
 */
void trap_exit_to_user(struct trap_frame *frame);

/*
 * Called after an interrupt that came from kernel mode when the preemption count is 0 and a reschedule is due;
 * interrupts are masked. Implemented in sched/.
 */
void trap_preempt_kernel(void);
