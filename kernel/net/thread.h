/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network threads: what interrupts and timers want done to packets and connections, where
 * spinlocks may be taken that interrupts do not mask. Tasks run with preemption on. There is one thread, and as many more
 * as a device has pairs of queues; a task is one thread's, so that it never runs twice at a time.
 */
#pragma once

#include <core/time.h>
#include <lib/list.h>

struct net_task {
	struct list_head node;
	void (*run)(struct net_task *task);
	bool queued;
	unsigned thread;
};
/* A task of the first thread, or of thread number `thread` (of which net_threads_start knows: if not, of the first). */
void net_task_init_on(struct net_task *task, void (*run)(struct net_task *task), unsigned thread);
void net_task_init(struct net_task *task, void (*run)(struct net_task *task));
/* Has the task run soon; again if it is running. False if it was queued already. Any context. */
bool net_task_queue(struct net_task *task);

/* A timer whose function runs in the network thread. */
struct net_timer {
	struct timer timer;
	struct net_task task;
};
void net_timer_init(struct net_timer *timer, void (*run)(struct net_task *task));

/* Sees to it that there are threads 0 to count - 1; count <= CPU_MAX. -ENOMEM. May sleep; drivers' probes only. */
[[nodiscard]] int net_threads_start(unsigned count);

/* Boot. */
void net_thread_init(void);
