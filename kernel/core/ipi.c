/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What other CPUs ask of this one. */
#include <arch/cpu.h>
#include <core/cpu_call.h>
#include <core/irq.h>
#include <core/panic.h>
#include <core/time.h>

void ipi_received(struct trap_frame *frame, enum ipi kind)
{
	irq_enter(frame);
	switch (kind) {
	case IPI_RESCHEDULE:
		/* The sender has set WORK_RESCHEDULE or queued an earlier timer; the way out does
		 * the rest. */
		timer_reprogram();
		break;
	case IPI_STOP:
		arch_halt();
	case IPI_CALL:
		cpu_call_serve();
		break;
	}
	irq_exit();
}
