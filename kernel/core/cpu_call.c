/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls between CPUs. One call is under way at a time: `owner` is the lock, `pending` the CPUs that have yet to answer. Whoever waits,
 * for the lock or for answers, answers others meanwhile.
 */
#include <core/cpu_call.h>

#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/smp.h>
#include <core/percpu.h>

static u32 owner;   /* 1 while a call is under way */
static u64 pending; /* bits of CPUs */
static void (*call_fn)(void *arg);
static void *call_arg;

void cpu_call_serve(void)
{
	u64 mine = BIT(cpu_id());

	if (!(__atomic_load_n(&pending, __ATOMIC_ACQUIRE) & mine))
		return;
	irqflags_t flags = arch_irq_save();

	if (__atomic_load_n(&pending, __ATOMIC_ACQUIRE) & mine) {
		call_fn(call_arg);
		__atomic_fetch_and(&pending, ~mine, __ATOMIC_RELEASE);
	}
	arch_irq_restore(flags);
}

void cpu_call(u64 mask, void (*fn)(void *arg), void *arg)
{
	mask &= cpu_online_mask & ~BIT(cpu_id());
	if (!mask)
		return;
	while (__atomic_exchange_n(&owner, 1, __ATOMIC_ACQUIRE)) {
		cpu_call_serve();
		arch_pause();
	}
	call_fn = fn;
	call_arg = arg;
	__atomic_store_n(&pending, mask, __ATOMIC_SEQ_CST);
	for (unsigned cpu = 0; cpu < CPU_MAX; cpu++)
		if (mask >> cpu & 1)
			arch_ipi_send(cpu, IPI_CALL);
	/* Nobody can call this CPU now, because the call under way is its own. */
	while (__atomic_load_n(&pending, __ATOMIC_ACQUIRE))
		arch_pause();
	__atomic_store_n(&owner, 0, __ATOMIC_RELEASE);
}
