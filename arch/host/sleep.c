/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sleeping on the host. Locks and wait queues are the kernel's own, with their debug checks; this is what they stand on.
 * There is one thread, so a sleep that nobody can end, and a lock that is waited for, are bugs of the test or of
 * the code: both panic.
 */
#include "host.h"

#include <block/block.h>
#include <core/lock.h>
#include <core/panic.h>
#include <core/percpu.h>
#include <core/wait.h>
#include <lib/errno.h>
#include <sched/thread.h>

DEFINE_PER_CPU(unsigned, cpu_number);

static void assert_may_sleep(void)
{
	ASSERT(boot_thread.base.preempt_count == 0 && arch_irq_enabled());
}

void preempt_reschedule(void)
{
}

void wait_prepare(enum sleep_mode mode)
{
	assert_may_sleep();
	boot_thread.state = THREAD_SLEEPING;
}

int wait_sleep(u64 deadline_ns)
{
	block_plug_flush();
	while (boot_thread.state == THREAD_SLEEPING && host_disk_idle())
		;
	bool woken = boot_thread.state != THREAD_SLEEPING;

	boot_thread.state = THREAD_RUNNABLE;
	if (woken)
		return 0;
	if (deadline_ns == NO_DEADLINE)
		panic("a sleep that nobody ends");
	return -ETIMEDOUT;
}

void wait_cancel(void)
{
	boot_thread.state = THREAD_RUNNABLE;
}

bool wait_interrupted(enum sleep_mode mode)
{
	return false;
}

/* Who holds a lock that somebody waits for is the only thread, in its own way: it does not go on. */
bool thread_is_running(const struct thread *thread)
{
	return false;
}

bool thread_wake(struct thread *thread)
{
	bool slept = thread->state == THREAD_SLEEPING;

	thread->state = THREAD_RUNNABLE;
	return slept;
}
