/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What other CPUs ask of this one. */
#include <arch/cpu.h>
#include <core/cpu_call.h>
#include <core/irq.h>
#include <core/lock.h>
#include <core/log.h>
#include <core/panic.h>
#include <core/percpu.h>
#include <core/time.h>

static u64 dumps_wanted; /* atomic: CPUs that are asked for cpu_dump */

void cpu_dump(void)
{
	bool handler = in_interrupt();

	log_info("cpu %u: preemption count %#x%s", cpu_id(), current_base()->preempt_count,
		 handler && interrupted_user_mode() ? ", user mode" : "");
	backtrace_print(handler ? this_cpu(irq_frame) : nullptr);
}

/* The others are not waited for: one that hangs with its interrupts masked would not answer. */
void cpu_dump_all(void)
{
	preempt_disable();
	__atomic_fetch_or(&dumps_wanted, cpu_online_mask & ~BIT(cpu_id()), __ATOMIC_ACQ_REL);
	for_each_cpu (cpu)
		if (cpu != cpu_id())
			arch_ipi_send(cpu, IPI_CALL);
	cpu_dump();
	preempt_enable();
}

void ipi_received(struct trap_frame *frame, enum ipi kind)
{
	irq_enter(frame);
	this_cpu(own_interrupts)[kind == IPI_RESCHEDULE ? OWN_RESCHEDULE : OWN_CALL]++;
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
		if (__atomic_fetch_and(&dumps_wanted, ~BIT(cpu_id()), __ATOMIC_ACQ_REL) &
		    BIT(cpu_id()))
			cpu_dump();
		break;
	}
	irq_exit();
}
