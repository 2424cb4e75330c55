/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RCU of one thread: callbacks run late, when the test has ended or asks for it, so that a use after the grace period is found. */
#include <core/panic.h>
#include <core/rcu.h>
#include <sched/thread.h>

static struct rcu_head *rcu_pending;

void rcu_call(struct rcu_head *head, void (*fn)(struct rcu_head *head))
{
	head->fn = fn;
	head->next = rcu_pending;
	rcu_pending = head;
}

void rcu_barrier(void)
{
	while (rcu_pending) {
		struct rcu_head *head = rcu_pending;

		rcu_pending = head->next;
		head->fn(head);
	}
}

void rcu_synchronize(void)
{
	ASSERT(boot_thread.base.preempt_count == 0);
	rcu_barrier();
}
