/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The idle threads: the boot flow of each CPU, once it has nothing else to do. */
#include <arch/boot.h>
#include <arch/layout.h>
#include <core/idle.h>
#include <core/log.h>
#include <core/panic.h>
#include <lib/format.h>
#include <sched/run_queue.h>

#include <linux/sched.h>

struct thread boot_thread;

static void init_queue(unsigned cpu, struct thread *idle) __no_lock_analysis
{
	struct run_queue *rq = &per_cpu(run_queue, cpu);

	rq->cpu = cpu;
	rq->current = rq->idle = idle;
	rq->fair_time = 1ull << 40; /* room below for lag */
	for (unsigned i = 0; i < RT_LEVELS; i++)
		list_init(&rq->rt[i]);
	sched_init_sample_timer(rq);
	idle->cpu = cpu;
	idle->state = THREAD_RUNNABLE;
	idle->on_cpu = true;
	idle->affinity = 1ull << cpu;
	idle->params.policy = idle->effective.policy = SCHED_IDLE;
	idle->weight = fair_weight_of(&idle->effective);
	idle->start_ns = idle->exec_start_ns = clock_monotonic_ns();
	list_init(&idle->rt_node);
	snprintf(idle->name, sizeof(idle->name), "idle/%u", cpu);
	thread_list_add(idle);
}

void sched_init(void)
{
	boot_thread.kstack = (char *)boot_thread.base.kstack_top - KSTACK_SIZE;
	init_queue(0, &boot_thread);
	load_average_start();
}

void sched_idle(void)
{
	ASSERT(current_thread() == this_cpu(run_queue).idle);
	for (;;) {
		arch_irq_disable();
		if (thread_work(current_base()) & WORK_RESCHEDULE) {
			arch_irq_enable();
			schedule();
			continue;
		}
		cpu_idle_enter();
		arch_idle(); /* the interrupt that ends it leaves the idle state, and preempts us if
				it woke somebody */
		cpu_idle_exit(); /* an architecture may leave it without an interrupt */
		log_wake_readers();
	}
}

void sched_secondary_entry(unsigned cpu)
{
	init_queue(cpu, current_thread());
	__atomic_fetch_or(&idle_cpus, 1ull << cpu, __ATOMIC_RELAXED);
	__atomic_fetch_or(&cpu_online_mask, 1ull << cpu, __ATOMIC_SEQ_CST);
	log_info("cpu %u: online", cpu);
	sched_idle();
}
