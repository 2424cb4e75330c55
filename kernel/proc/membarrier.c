/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * membarrier(2): memory barriers on the CPUs that run other threads, by interrupting them. An interrupt and the return
 * from it are barriers, for instructions too. A CPU that is not interrupted, because it does not have the address space
 * loaded, passes a barrier before it runs a thread of it (aspace_activate).
 */
#include <core/cpu_call.h>
#include <core/percpu.h>
#include <core/rcu.h>
#include <lib/errno.h>
#include <mm/aspace.h>
#include <proc/proc_priv.h>
#include <proc/rseq.h>

#include <linux/membarrier.h>

/* Each private command and the registration of it, the next bit. */
#define PRIVATE                                                                                    \
	(MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE |           \
	 MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ)
#define EVERYTHING                                                                                 \
	(MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |                                 \
	 MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | PRIVATE | PRIVATE << 1)

static void barrier_here(void *unused)
{
	(void)unused;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void restart_here(void *as)
{
	if (current_thread()->aspace == as && current_thread()->has_rseq)
		thread_work_set(current_base(), WORK_RSEQ);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static int private_barrier(int command, int cpu)
{
	struct aspace *as = current_process()->aspace;
	u64 cpus;

	if (!(__atomic_load_n(&as->membarrier, __ATOMIC_RELAXED) & (u32)command << 1))
		return -EPERM;
	if (cpu >= 0 && (cpu >= CPU_MAX || !(cpu_online_mask >> cpu & 1)))
		return 0;
	preempt_disable();
	barrier_here(nullptr);
	cpus = __atomic_load_n(&as->cpus_active, __ATOMIC_SEQ_CST);
	if (cpu >= 0)
		cpus &= BIT(cpu);
	if (command == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ) {
		if (cpus & BIT(cpu_id()))
			restart_here(as);
		cpu_call(cpus, restart_here, as);
	} else {
		cpu_call(cpus, barrier_here, nullptr);
	}
	barrier_here(nullptr);
	preempt_enable();
	return 0;
}

int membarrier(int command, int cpu)
{
	struct aspace *as = current_process()->aspace;

	switch (command) {
	case MEMBARRIER_CMD_QUERY:
		return EVERYTHING;
	case MEMBARRIER_CMD_GLOBAL:
		if (cpu_online_mask != 1)
			rcu_synchronize();
		return 0;
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
		preempt_disable();
		cpu_call(~0ull, barrier_here, nullptr);
		barrier_here(nullptr);
		preempt_enable();
		return 0;
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ:
		return private_barrier(command, cpu);
	case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ:
		__atomic_fetch_or(&as->membarrier, (u32)command, __ATOMIC_SEQ_CST);
		return 0;
	default:
		return -EINVAL;
	}
}
