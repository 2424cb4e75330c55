/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLB shoot-down on architectures whose flushes stay on the CPU that makes them. */
#include <core/cpu_call.h>
#include <core/idle.h>
#include <core/percpu.h>
#include <mm/aspace_priv.h>

struct shoot_down {
	struct aspace *as;
	vaddr_t start, end;
};

static void flush_here(void *arg)
{
	const struct shoot_down *s = arg;

	/* A CPU that has loaded something else since flushes when it comes back to these tables. */
	if (__atomic_load_n(&s->as->cpus_active, __ATOMIC_ACQUIRE) & BIT(cpu_id()))
		arch_tlb_flush_user(&s->as->mmu, s->start, s->end);
}

void tlb_shoot_down(struct aspace *as, u64 cpus, vaddr_t start, vaddr_t end, bool tables)
{
	struct shoot_down s = { as, start, end };

	/* Even one that idles may walk tables, of its own accord. */
	if (!tables)
		cpus = cpu_idle_owe(cpus);
	cpu_call(cpus, flush_here, &s);
}

static void flush_kernel_here(void *arg)
{
	const struct shoot_down *s = arg;

	arch_tlb_flush_kernel(s->start, s->end);
}

void tlb_flush_kernel(vaddr_t start, vaddr_t end)
{
	struct shoot_down s = { nullptr, start, end };

	preempt_disable();
	arch_tlb_flush_kernel(start, end);
	if (!arch_tlb_broadcasts)
		cpu_call(~0ull, flush_kernel_here, &s);
	preempt_enable();
}
