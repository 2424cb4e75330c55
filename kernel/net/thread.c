/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network thread, and what it does once a second. */
#include <core/lock.h>
#include <core/panic.h>
#include <core/wait.h>
#include <net/local.h>
#include <net/multicast.h>
#include <net/protocol.h>
#include <net/thread.h>
#include <sched/thread.h>

static struct spinlock task_lock = SPINLOCK_INIT(RANK_NET_DEVICE); /* interrupts masked */
static struct list_head tasks __guarded_by(&task_lock) = LIST_INIT(tasks);
static struct wait_queue tasks_came = WAIT_QUEUE_INIT(tasks_came);
static struct net_timer tick;

void net_task_init(struct net_task *task, void (*run)(struct net_task *task))
{
	*task = (struct net_task){ .run = run };
	list_init(&task->node);
}

bool net_task_queue(struct net_task *task)
{
	irqflags_t flags = spin_lock_irqsave(&task_lock);
	bool added = !task->queued;

	if (added) {
		task->queued = true;
		list_add_tail(&tasks, &task->node);
	}
	spin_unlock_irqrestore(&task_lock, flags);
	if (added)
		wake_up(&tasks_came, 0);
	return added;
}

static struct net_task *take(void)
{
	irqflags_t flags = spin_lock_irqsave(&task_lock);
	struct net_task *task = nullptr;

	if (!list_empty(&tasks)) {
		task = list_first(&tasks, struct net_task, node);
		list_remove(&task->node);
		task->queued = false;
	}
	spin_unlock_irqrestore(&task_lock, flags);
	return task;
}

static void net_thread(void *unused)
{
	struct net_task *task;

	(void)unused;
	for (;;) {
		wait_event(&tasks_came, (task = take()));
		task->run(task); /* may free the task */
	}
}

static void timer_expired(struct timer *timer)
{
	net_task_queue(&container_of(timer, struct net_timer, timer)->task);
}

void net_timer_init(struct net_timer *timer, void (*run)(struct net_task *task))
{
	timer_init(&timer->timer, timer_expired);
	net_task_init(&timer->task, run);
}

static void every_second(struct net_task *task)
{
	(void)task;
	preempt_disable();
	neighbour_tick();
	inet_fragments_expire();
	net_lifetimes_tick();
	multicast_tick(&initial_network);
	ndp_tick(&initial_network);
	preempt_enable();
	timer_set(&tick.timer, clock_monotonic_ns() + NSEC_PER_SEC);
}

void net_thread_init(void)
{
	if (kthread_start("net", net_thread, nullptr))
		panic("no memory for the network thread");
	net_timer_init(&tick, every_second);
	timer_set(&tick.timer, clock_monotonic_ns() + NSEC_PER_SEC);
}
