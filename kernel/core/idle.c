/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Idle CPUs; see core/idle.h. */
#include <core/idle.h>

#include <arch/mmu.h>

DEFINE_PER_CPU(u32, cpu_idle_state);

void cpu_idle_enter(void)
{
	rcu_idle_enter();
	__atomic_store_n(&this_cpu(cpu_idle_state), CPU_IDLE, __ATOMIC_RELEASE);
}

void cpu_idle_left(void)
{
	if (__atomic_exchange_n(&this_cpu(cpu_idle_state), CPU_BUSY, __ATOMIC_SEQ_CST) == CPU_OWES)
		arch_tlb_flush_all_users();
}

u64 cpu_idle_owe(u64 mask)
{
	u64 busy = 0;

	/* Pairs with the exchange above: a CPU that was seen idle sees what was changed once it is not. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned cpu = 0; mask >> cpu && cpu < CPU_MAX; cpu++) {
		u32 seen = CPU_IDLE;

		if (!(mask >> cpu & 1))
			continue;
		if (!__atomic_compare_exchange_n(&per_cpu(cpu_idle_state, cpu), &seen, CPU_OWES,
						 false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED) &&
		    seen == CPU_BUSY)
			busy |= BIT(cpu);
	}
	return busy;
}
