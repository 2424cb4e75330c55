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

struct worker {
	struct spinlock lock; /* RANK_NET_WORKER, interrupts masked */
	struct list_head tasks __guarded_by(&lock);
	struct wait_queue came;
};
static struct worker workers[CPU_MAX];
static unsigned worker_count; /* whose threads run */
static struct net_timer tick;

void net_task_init_on(struct net_task *task, void (*run)(struct net_task *task), unsigned thread)
{
	*task = (struct net_task){ .run = run, .thread = thread < worker_count ? thread : 0 };
	list_init(&task->node);
}

void net_task_init(struct net_task *task, void (*run)(struct net_task *task))
{
	net_task_init_on(task, run, 0);
}

static bool add(struct worker *w, struct net_task *task) __must_hold(&w->lock)
{
	if (task->queued)
		return false;
	task->queued = true;
	list_add_tail(&w->tasks, &task->node);
	return true;
}

bool net_task_queue(struct net_task *task)
{
	struct worker *w = &workers[task->thread];
	irqflags_t flags = spin_lock_irqsave(&w->lock);
	bool added = add(w, task);

	spin_unlock_irqrestore(&w->lock, flags);
	if (added)
		wake_up(&w->came, 0);
	return added;
}

static struct net_task *take_locked(struct worker *w) __must_hold(&w->lock)
{
	struct net_task *task;

	if (list_empty(&w->tasks))
		return nullptr;
	task = list_first(&w->tasks, struct net_task, node);
	list_remove(&task->node);
	task->queued = false;
	return task;
}

static struct net_task *take(struct worker *w)
{
	irqflags_t flags = spin_lock_irqsave(&w->lock);
	struct net_task *task = take_locked(w);

	spin_unlock_irqrestore(&w->lock, flags);
	return task;
}

static void net_thread(void *arg)
{
	struct worker *w = arg;
	struct net_task *task;

	for (;;) {
		wait_event(&w->came, (task = take(w)));
		task->run(task); /* may free the task */
	}
}

static void worker_init(struct worker *w) __no_lock_analysis
{
	spin_init(&w->lock, RANK_NET_WORKER);
	list_init(&w->tasks);
	wait_queue_init(&w->came);
}

int net_threads_start(unsigned count)
{
	while (worker_count < count) {
		struct worker *w = &workers[worker_count];
		int error;

		worker_init(w);
		error = kthread_start("net", net_thread, w);
		if (error)
			return error;
		worker_count++;
	}
	return 0;
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
	for (struct network_namespace *n = &initial_network; n; n = rcu_dereference(n->next)) {
		net_lifetimes_tick(n);
		multicast_tick(n);
		ndp_tick(n);
	}
	preempt_enable();
	timer_set(&tick.timer, clock_monotonic_ns() + NSEC_PER_SEC);
}

void net_thread_init(void)
{
	if (net_threads_start(1))
		panic("no memory for the network thread");
	net_timer_init(&tick, every_second);
	timer_set(&tick.timer, clock_monotonic_ns() + NSEC_PER_SEC);
}
