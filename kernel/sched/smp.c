/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting the other CPUs: each gets a copy of the per-CPU variables, an idle thread and its stack,
 * and enters the scheduler.
 */
#include <arch/smp.h>
#include <core/command_line.h>
#include <core/log.h>
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <mm/vmap.h>
#include <sched/run_queue.h>

#define START_TIMEOUT_NS NSEC_PER_SEC

static u64 cpus_allowed = CPU_MAX;

/* As on Linux 0 means no other CPU either. */
static int set_maxcpus(const char *value)
{
	return parse_u64(value, 10, &cpus_allowed);
}
KERNEL_PARAMETER("maxcpus=", set_maxcpus);

static bool wait_online(unsigned cpu)
{
	u64 end = clock_monotonic_ns() + START_TIMEOUT_NS;

	while (!(__atomic_load_n(&cpu_online_mask, __ATOMIC_ACQUIRE) >> cpu & 1)) {
		if (clock_monotonic_ns() > end)
			return false;
		arch_pause();
	}
	return true;
}

/* What a CPU was given is never taken back: even one that does not answer may still come. */
static int start_cpu(unsigned cpu)
{
	struct thread *idle = kzalloc(sizeof(*idle), 0);
	char *percpu = kmalloc(percpu_size() + CACHELINE, 0);
	char *stack = kstack_alloc();
	int r;

	if (!idle || !percpu || !stack)
		return -ENOMEM;
	percpu_make_copy(cpu, (void *)ALIGN_UP((uintptr_t)percpu, CACHELINE));
	slab_cpu_init(cpu);
	idle->kstack = stack;
	idle->base.kstack_top = stack + KSTACK_SIZE;
	r = arch_cpu_start(cpu, idle->base.kstack_top, percpu_offsets[cpu], idle,
			   sched_secondary_entry);
	if (!r && !wait_online(cpu))
		r = -ETIMEDOUT;
	return r;
}

void sched_start_cpus(void)
{
	u64 count = MIN(cpus_allowed, (u64)arch_cpu_count());

	for (unsigned cpu = 1; cpu < count; cpu++) {
		int r = start_cpu(cpu);

		if (r)
			log_error("cpu %u: does not start: error %d", cpu, -r);
	}
}
