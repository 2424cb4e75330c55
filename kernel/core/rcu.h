/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Read-copy-update. A reader section disables preemption; a grace period has passed when every CPU has been
 * through the scheduler, user mode or the idle loop since it began. Readers never sleep.
 */
#pragma once

#include <core/lock.h>
#include <core/percpu.h>
#include <lib/types.h>

struct rcu_head {
	struct rcu_head *next;
	void (*fn)(struct rcu_head *head);
};

static inline void rcu_read_lock(void)
{
	preempt_disable();
}
static inline void rcu_read_unlock(void)
{
	preempt_enable();
}

/* Loads a pointer that another CPU may replace, with what it points at; publishes one. */
#define rcu_dereference(p) __atomic_load_n(&(p), __ATOMIC_CONSUME)
#define rcu_assign(p, v) __atomic_store_n(&(p), (v), __ATOMIC_RELEASE)

/* Calls fn(head) in thread context after a grace period. Any context. */
void rcu_call(struct rcu_head *head, void (*fn)(struct rcu_head *head));

/* Waits for a grace period. May sleep. */
void rcu_synchronize(void);

/* Waits until every rcu_call made before has run. May sleep. For tests and leak checks. */
void rcu_barrier(void);

/* Per CPU: the grace period in progress waits for this CPU; this CPU idles, so nobody needs to wait for it. */
DECLARE_PER_CPU(bool, rcu_wanted);
DECLARE_PER_CPU(bool, rcu_idle);
void rcu_report(void);

/* Called by the scheduler and at interrupts of preemptible code: this CPU is not inside a reader section. */
static inline void rcu_quiescent(void)
{
	if (unlikely(this_cpu(rcu_wanted)))
		rcu_report();
}

/* Around arch_idle: called with interrupts masked. Interrupts in between end the idle state themselves. */
void rcu_idle_enter(void);
static inline void rcu_idle_exit(void)
{
	if (unlikely(this_cpu(rcu_idle))) {
		this_cpu(rcu_idle) = false;
		__atomic_thread_fence(__ATOMIC_SEQ_CST); /* pairs with the one in rcu_thread */
	}
}

/* Main function of the thread that runs grace periods and callbacks; started at boot. */
void rcu_thread(void *unused);
